import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.index import collapse, fuse

rankings = st.lists(st.sampled_from("abcdefgh"), unique=True)


def test_a_fused_score_is_the_weighted_sum_of_reciprocal_ranks() -> None:
    fused = fuse(["a", "b"], ["b", "c"], weight=0.5, constant=1)
    # b: 1/3 + 0.5/2, a: 1/2, c: 0.5/3
    assert [chunk_id for chunk_id, _ in fused] == ["b", "a", "c"]
    assert [score for _, score in fused] == pytest.approx([0.583333, 0.5, 0.166667], abs=1e-6)


def test_the_constant_is_sixty_unless_given() -> None:
    assert fuse(["a"], [], weight=1.0) == [("a", 1 / 61)]


def test_without_weight_the_lexical_ranking_adds_nothing() -> None:
    assert [chunk_id for chunk_id, _ in fuse(["b", "a"], ["z", "a"], weight=0.0)] == ["b", "a"]


def test_equal_scores_are_ordered_by_chunk_id() -> None:
    assert [chunk_id for chunk_id, _ in fuse(["b", "a"], ["a", "b"], weight=1.0)] == ["a", "b"]
    assert [chunk_id for chunk_id, _ in fuse(["z"], ["m"], weight=1.0)] == ["m", "z"]


@given(rankings, rankings, st.floats(0.01, 10))
def test_every_chunk_of_either_ranking_comes_out_once_best_first(
    dense: list[str], lexical: list[str], weight: float
) -> None:
    fused = fuse(dense, lexical, weight)
    assert sorted(chunk_id for chunk_id, _ in fused) == sorted({*dense, *lexical})
    assert fused == sorted(fused, key=lambda scored: (-scored[1], scored[0]))


def test_a_section_is_represented_by_its_best_chunk() -> None:
    ranked = [("a2", 0.9), ("b1", 0.8), ("a1", 0.7), ("c1", 0.6), ("b2", 0.5)]
    section_of = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "c1": "c"}
    assert collapse(ranked, section_of) == [("a2", 0.9), ("b1", 0.8), ("c1", 0.6)]


def test_collapsing_nothing_gives_nothing() -> None:
    assert collapse([], {}) == []
