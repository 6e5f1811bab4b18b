"""Grades that hits earn, worked by hand, and what holds of them whatever the hits."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import UsageError
from dragoman.evaluate.places import Found, LocatedQuestion
from dragoman.evaluate.real import Place, RealQuestion
from dragoman.evaluate.shelf import Span, span_of
from dragoman.evaluate.spans import (
    Change,
    answer_within,
    changes,
    first_ranks,
    ideal_gains,
    ndcg_graded,
    score_spans,
    span_gains,
    stacked,
)
from dragoman.records import Chunk, Question

PLACES = ((2, "a.md", 1, 10), (1, "a.md", 11, 20), (2, "b.md", 5, 5))


def located(*places: tuple[int, str, int, int]) -> LocatedQuestion:
    found = tuple(
        Found(Place(file, grade, lines=(first, last)), ("chunk",), (Span(file, first, last, "docs"),))
        for grade, file, first, last in places
    )
    return LocatedQuestion(RealQuestion("q", "how?", tuple(one.place for one in found)), found)


def values(places: Any, hits: Any, k: int) -> float:
    question = located(*places)
    spans = [Span(file, first, first + length) for file, first, length in hits]
    return float(ndcg_graded(stacked([span_gains(question, spans)]), stacked([ideal_gains(question)]), k)[0])


@pytest.mark.parametrize(
    ("hits", "gains"),
    [
        ([], []),
        ([Span("a.md", 10, 10)], [2]),
        ([Span("a.md", 20, 30), Span("a.md", 9, 9)], [1, 2]),
        ([Span("a.md", 10, 11), Span("a.md", 12, 13)], [2, 0]),  # the first hit took both places
        ([Span("a.md", 1, 3), Span("a.md", 4, 6), Span("b.md", 5, 5)], [2, 0, 2]),
        ([Span("c.md", 1, 90), Span("b.md", 1, 4), Span("b.md", 6, 9)], [0, 0, 0]),
        ([Span("a.md", 1, 3, "wiki"), Span("a.md", 1, 3, "docs")], [0, 2]),
    ],
)
def test_a_hit_earns_the_best_grade_that_no_earlier_hit_has_earned(hits: list[Span], gains: list[int]) -> None:
    assert span_gains(located(*PLACES), hits) == gains


def test_a_place_of_several_spans_is_earned_once() -> None:
    found = Found(Place("a.md", 2, "Fill"), ("x", "y"), (Span("a.md", 1, 5), Span("parts/fill.md", 1, 9)))
    question = LocatedQuestion(RealQuestion("q", "how?", (found.place,)), (found,))
    assert span_gains(question, [Span("parts/fill.md", 9, 9), Span("a.md", 1, 1)]) == [2, 0]


def test_ndcg_of_a_few_gains_worked_by_hand() -> None:
    gains = stacked([[2, 0, 1], [0, 2], [1, 2], [], [0, 0, 0, 2]])
    ideal = stacked([[1, 2], [2], [2, 1], [2], [2]])
    one, two = 1 / math.log2(3), 1 / math.log2(4)  # discounts of ranks 2 and 3
    expected = [(3 + two) / (3 + one), one, (1 + 3 * one) / (3 + one), 0, 1 / math.log2(5)]
    assert ndcg_graded(gains, ideal, 10) == pytest.approx(expected)
    assert ndcg_graded(gains, ideal, 3)[4] == 0
    assert ndcg_graded(gains, ideal, 1) == pytest.approx([1, 0, 1 / 3, 0, 0])
    nothing = np.zeros((2, 0), dtype=np.int64)
    assert ndcg_graded(nothing, stacked([[2], []]), 10).tolist() == [0, 0]
    assert len(ndcg_graded(stacked([]), stacked([]), 10)) == 0


def test_the_first_rank_is_that_of_the_first_answer() -> None:
    assert first_ranks(stacked([[2], [0, 1, 2, 2], [1, 1], []])).tolist() == [1, 3, 0, 0]
    assert first_ranks(stacked([[], []])).tolist() == [0, 0]
    assert first_ranks(stacked([])).tolist() == []


@pytest.mark.parametrize(("characters", "answered"), [(150, True), (149, False), (8000, True), (0, False)])
def test_an_answer_counts_when_its_hit_was_read_whole(characters: int, answered: bool) -> None:  # noqa: FBT001
    hits = [Span("a.md", 11, 20, characters=100), Span("b.md", 1, 9, characters=50)]
    assert answer_within(located(*PLACES), hits, characters) is answered


def test_what_only_helps_is_no_answer() -> None:
    hit = Span("a.md", 11, 20, characters=10)
    assert not answer_within(located((1, "a.md", 11, 20)), [hit])
    assert not answer_within(located(*PLACES), [])


def test_a_chunk_as_a_hit_has_the_lines_of_its_own_file_and_the_letters_that_are_read() -> None:
    chunk = Chunk("i", "docs", "p.md", "P", ("P",), "s", "one\ntwo\n", "P\none", 0, 8, 3, 4, 9, "", file="./parts/x.md")
    assert span_of(chunk) == Span("parts/x.md", 3, 4, "docs", 8)


def test_all_values_of_a_few_questions_worked_by_hand() -> None:
    questions = [located(*PLACES), located((1, "c.md", 1, 1)), located((2, "c.md", 1, 1))]
    hits = [
        [Span("a.md", 11, 12, characters=9), Span("a.md", 1, 1, characters=9)],
        [Span("c.md", 1, 1, characters=9)],
        [Span("d.md", 1, 1, characters=9), Span("d.md", 2, 2, characters=9), Span("c.md", 1, 1, characters=9)],
    ]
    scores = score_spans(questions, hits, 2, characters=27)
    two = 1 / math.log2(3)
    assert scores.ndcg == pytest.approx([(1 + 3 * two) / (3 + 3 * two), 1, 0])
    assert scores.reciprocal_rank.tolist() == [0.5, 0, 0]
    assert scores.recall.tolist() == [1, 0, 0]
    assert scores.answered.tolist() == [1, 0, 1]
    assert score_spans(questions, hits, 2, characters=26).answered.tolist() == [1, 0, 0]
    assert len(score_spans([], [], 10).ndcg) == 0


def test_changes_come_with_the_largest_first() -> None:
    questions: list[RealQuestion | Question] = [
        RealQuestion("a", "A?", (Place("x.md", 2),)),
        Question("b", "B?", "chunk", "person", "real"),
        RealQuestion("c", "C?", (Place("x.md", 2),)),
        RealQuestion("d", "D?", (Place("x.md", 2),)),
    ]
    found = changes(np.array([0.5, 1.0, 0.25, 0.5]), np.array([0.5, 0.0, 0.5, 0.25]), questions)
    assert found == [
        Change("b", "B?", 1.0, 0.0, -1.0),
        Change("c", "C?", 0.25, 0.5, 0.25),
        Change("d", "D?", 0.5, 0.25, -0.25),
        Change("a", "A?", 0.5, 0.5, 0.0),
    ]
    with pytest.raises(UsageError, match="4 values before, 3 after and 4 questions"):
        changes(np.zeros(4), np.zeros(3), questions)


FILES = st.sampled_from("ab")
PLACE = st.tuples(st.integers(1, 2), FILES, st.integers(1, 12), st.integers(0, 5)).map(
    lambda place: (place[0], place[1], place[2], place[2] + place[3])
)
ANY_PLACES = st.lists(PLACE, min_size=1, max_size=5)
ANY_HITS = st.lists(st.tuples(FILES, st.integers(1, 18), st.integers(0, 6)), max_size=12)
DEPTH = st.integers(1, 12)


@given(places=ANY_PLACES, hits=ANY_HITS, k=DEPTH)
def test_ndcg_lies_between_zero_and_one(places: Any, hits: Any, k: int) -> None:
    assert 0 <= values(places, hits, k) <= 1 + 1e-12


@given(places=ANY_PLACES, k=DEPTH)
def test_hits_in_the_order_of_their_grades_are_perfect_where_no_two_places_meet(places: Any, k: int) -> None:
    apart = [(grade, f"{file} {n}", first, last) for n, (grade, file, first, last) in enumerate(places)]
    ranked = sorted(apart, key=lambda place: -place[0])
    hits = [(file, first, last - first) for _, file, first, last in ranked]
    assert values(apart, hits, k) == pytest.approx(1)


@given(places=ANY_PLACES, hits=ANY_HITS, more=st.tuples(FILES, st.integers(1, 18), st.integers(0, 6)), k=DEPTH)
def test_one_more_hit_at_the_end_never_lowers_ndcg(places: Any, hits: Any, more: Any, k: int) -> None:
    assert values(places, [*hits, more], k) >= values(places, hits, k) - 1e-12


@given(
    gains=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    at=st.integers(0, 11),
    grade=st.integers(1, 2),
    k=DEPTH,
)
def test_a_relevant_hit_in_place_of_a_wrong_one_never_lowers_ndcg(
    gains: list[int], at: int, grade: int, k: int
) -> None:
    place = at % len(gains)
    better = [*gains[:place], max(gains[place], grade), *gains[place + 1 :]]
    ideal = stacked([[2] * 12])
    before, after = (ndcg_graded(stacked([row]), ideal, k)[0] for row in (gains, better))
    assert after >= before
    assert (after > before) == (place < k and better != gains)


@given(
    gains=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    swap=st.tuples(st.integers(0, 11), st.integers(0, 11)),
    k=DEPTH,
)
def test_two_hits_of_equal_gain_may_change_places_and_the_better_of_two_belongs_in_front(
    gains: list[int], swap: tuple[int, int], k: int
) -> None:
    low, high = sorted(place % len(gains) for place in swap)
    other = list(gains)
    other[low], other[high] = gains[high], gains[low]
    ideal = stacked([[2] * 12])
    before, after = (ndcg_graded(stacked([row]), ideal, k)[0] for row in (gains, other))
    expected = 0 if low >= k else np.sign(gains[high] - gains[low])
    assert np.sign(round(after - before, 12)) == expected


@given(places=ANY_PLACES, order=st.randoms(use_true_random=False), hits=ANY_HITS)
def test_the_order_of_the_places_does_not_matter(places: Any, order: Any, hits: Any) -> None:
    shuffled = list(places)
    order.shuffle(shuffled)
    assert values(shuffled, hits, 10) == pytest.approx(values(places, hits, 10))
