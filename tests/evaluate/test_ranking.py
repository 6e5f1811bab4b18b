"""At which rank a section is found, worked by hand."""

import numpy as np
import pytest

from dragoman.evaluate.ranking import DEPTH, WEIGHTS, Catalogue, all_ranks, dense_order, dense_ranks
from dragoman.index.fusion import fuse

# Sections a (two chunks), b, c and d; c and d say nearly the same.
SECTIONS = {"a1": "a", "a2": "a", "b1": "b", "c1": "c", "d1": "d"}
TWINS = {"c": frozenset({"c", "d"}), "d": frozenset({"c", "d"})}
CATALOGUE = Catalogue(tuple(SECTIONS), SECTIONS, TWINS)


def turned(*degrees: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Unit vectors in the plane."""
    angles = np.radians(np.array(degrees))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_nearest_passages_come_first() -> None:
    order = dense_order(turned(0, 90), turned(10, 80, 45, -5))
    assert order.tolist() == [[3, 0, 2, 1], [1, 2, 0, 3]]
    assert dense_order(turned(0), turned(10, 80, 45, -5), 2).tolist() == [[3, 0]]


def test_equal_passages_keep_their_order() -> None:
    assert dense_order(turned(0), turned(30, 30, 0, 30)).tolist() == [[2, 0, 1, 3]]


@pytest.mark.parametrize(
    ("chunk", "rank"),
    [("a2", 1), ("a1", 1), ("b1", 2), ("c1", 3), ("d1", 3)],
)
def test_chunks_of_one_section_are_one_find_and_near_copies_count_for_each_other(chunk: str, rank: int) -> None:
    passages = turned(10, 20, 30, 50, 40)  # nearest to 0 degrees: a1, a2, b1, d1, c1
    assert dense_ranks(turned(0), passages, [[chunk]], CATALOGUE).tolist() == [rank]


def test_a_section_beyond_the_depth_is_not_found() -> None:
    ids = tuple(f"chunk {place}" for place in range(DEPTH + 1))
    catalogue = Catalogue(ids, {chunk: chunk for chunk in ids}, {})
    passages = turned(*(0.5 * place for place in range(DEPTH + 1)))
    assert dense_ranks(turned(0, 0), passages, [[ids[-2]], [ids[-1]]], catalogue).tolist() == [DEPTH, 0]


def test_each_weight_has_its_own_ranks() -> None:
    dense, lexical = ["a1", "a2", "b1", "c1"], ["b1", "c1"]
    ranks = all_ranks([dense] * 3, [lexical] * 3, [["a1"], ["b1"], ["d1"]], CATALOGUE, fuse)
    assert list(ranks) == [0.0, *WEIGHTS, None]
    assert ranks[0.0].tolist() == [1, 2, 3]
    assert ranks[None].tolist() == [0, 1, 2]


def test_the_more_words_weigh_the_higher_their_find_stands() -> None:
    ids = tuple(f"chunk {place}" for place in range(1, 31))
    catalogue = Catalogue(ids, {chunk: chunk for chunk in ids}, {})
    ranks = all_ranks([ids], [["chunk 20"]], [["chunk 20"]], catalogue, fuse)
    assert (ranks[0.0].tolist(), ranks[0.5].tolist(), ranks[None].tolist()) == ([20], [1], [1])
    # 1/80 + 0.1/61 = 0.01414 stands between 1/70 and 1/71.
    assert ranks[0.1].tolist() == [11]


def test_no_questions_have_no_ranks() -> None:
    assert {len(ranks) for ranks in all_ranks([], [], [], CATALOGUE, fuse).values()} == {0}
