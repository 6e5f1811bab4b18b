"""Our metrics against trec_eval's (by pytrec_eval), and against a second implementation of how hits are scored from outside."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from dragoman.evaluate.metrics import Ranks, ndcg, recall, reciprocal_rank
from dragoman.evaluate.places import LocatedQuestion, locate
from dragoman.evaluate.real import Place, RealQuestion, read_real_questions
from dragoman.evaluate.shelf import Span
from dragoman.evaluate.spans import first_ranks, ndcg_graded, score_spans, stacked
from dragoman.records import Chunk

DEPTHS = (1, 3, 5, 10, 20)
RANKS = st.lists(st.integers(0, 25), min_size=1, max_size=12).map(lambda ranks: np.array(ranks, dtype=np.int64))
GAINS = st.lists(st.lists(st.integers(0, 2), max_size=12), min_size=1, max_size=8)


def by_trec_eval(rows: list[list[int]], ideal: list[list[int]], k: int) -> dict[str, list[float]]:
    """NDCG of the first ``k`` hits, and reciprocal rank and recall of grade 2 among them, a value a row.

    trec_eval's gain is the relevance itself, so it is told ``2 ** grade - 1``. Hit ``n`` is a document of its own; what a row could have
    earned and did not is relevant and was not retrieved.
    """
    wanted: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    for place, (row, best) in enumerate(zip(rows, ideal, strict=True)):
        left = sorted(best, reverse=True)
        for grade in row:
            if grade:
                left.remove(grade)
        judged = {f"hit {n}": 2**grade - 1 for n, grade in enumerate(row) if grade}
        wanted[str(place)] = judged | {f"missed {n}": 2**grade - 1 for n, grade in enumerate(left)}
        run[str(place)] = {"nothing": -1.0} | {f"hit {n}": 100.0 - n for n in range(min(len(row), k))}
    measures = {f"ndcg_cut.{k}", "recip_rank", f"success.{k}"}
    scored = pytrec_eval.RelevanceEvaluator(wanted, measures, relevance_level=3).evaluate(run)
    rows_of = [scored[str(place)] for place in range(len(rows))]
    names = {"ndcg": f"ndcg_cut_{k}", "reciprocal_rank": "recip_rank", "recall": f"success_{k}"}
    return {name: [values[measure] for values in rows_of] for name, measure in names.items()}


@pytest.mark.parametrize("k", DEPTHS)
@given(ranks=RANKS)
def test_the_metrics_of_ranks_are_those_of_trec_eval(ranks: Ranks, k: int) -> None:
    rows = [[2 if place == rank else 0 for place in range(1, 26)] for rank in ranks]
    theirs = by_trec_eval(rows, [[2]] * len(rows), k)
    assert ndcg(ranks, k) == pytest.approx(theirs["ndcg"])
    assert reciprocal_rank(ranks, k) == pytest.approx(theirs["reciprocal_rank"])
    assert recall(ranks, k) == pytest.approx(theirs["recall"])


@pytest.mark.parametrize("k", DEPTHS)
@given(rows=GAINS, spare=st.lists(st.integers(1, 2), min_size=1, max_size=4))
def test_the_metrics_of_grades_are_those_of_trec_eval(rows: list[list[int]], spare: list[int], k: int) -> None:
    ideal = [[*(grade for grade in row if grade), *spare] for row in rows]
    theirs = by_trec_eval(rows, ideal, k)
    gains = stacked(rows)
    assert ndcg_graded(gains, stacked(ideal), k) == pytest.approx(theirs["ndcg"])
    assert reciprocal_rank(first_ranks(gains), k) == pytest.approx(theirs["reciprocal_rank"])
    assert recall(first_ranks(gains), k) == pytest.approx(theirs["recall"])


def second_opinion(question: dict[str, Any], hits: list[dict[str, Any]], k: int, budget: int) -> dict[str, float]:
    """Scores of hits told apart line by line: slow, and nothing like ours."""

    def lines(file: str, first: int, last: int) -> set[tuple[str, int]]:
        return {(file, number) for number in range(first, last + 1)}

    places = [(lines(place["file"], *place["lines"]), place["grade"]) for place in question["relevant"]]
    earned_by: dict[int, int] = {}  # place -> the first hit that touches it
    touched = [[bool(where & lines(*hit["span"])) for where, _ in places] for hit in hits]
    for number, row in reversed(list(enumerate(touched))):
        earned_by |= {place: number for place, yes in enumerate(row) if yes}
    worth = [
        max([grade for place, (_, grade) in enumerate(places) if earned_by.get(place) == number] or [0])
        for number in range(len(hits))
    ]
    gain = {0: 0.0, 1: 1.0, 2: 3.0}
    got = sum(gain[grade] * math.log(2) / math.log(rank + 1) for rank, grade in enumerate(worth[:k], 1))
    grades = sorted([grade for _, grade in places])[::-1][:k]
    most = sum(gain[grade] * math.log(2) / math.log(rank + 1) for rank, grade in enumerate(grades, 1))
    answers = [rank for rank, grade in enumerate(worth[:k], 1) if grade == 2]
    reached = [
        number
        for number, row in enumerate(touched)
        if any(yes and places[place][1] == 2 for place, yes in enumerate(row))
    ]
    read = sum(hit["characters"] for hit in hits[: reached[0] + 1]) if reached else math.inf
    return {
        "ndcg": got / most,
        "reciprocal_rank": 1 / answers[0] if answers else 0.0,
        "recall": float(bool(answers)),
        "answered": float(read <= budget),
    }


SPAN = st.tuples(st.sampled_from(["a.md", "b.md"]), st.integers(1, 20), st.integers(0, 6)).map(
    lambda span: (span[0], span[1], span[1] + span[2])
)
PLACES = st.lists(st.tuples(SPAN, st.integers(1, 2)), min_size=1, max_size=5)
HITS = st.lists(st.tuples(SPAN, st.integers(1, 60)), max_size=12)


def every_line() -> list[Chunk]:
    """Chunks of a line each: whatever place is asked for is there."""
    return [
        Chunk(f"{file} {n}", "docs", file, "T", ("T",), "s", "x", "x", n, n + 1, n, n, 1, "")
        for file in ("a.md", "b.md")
        for n in range(1, 31)
    ]


@pytest.mark.parametrize("k", [1, 3, 10])
@given(places=PLACES, hits=HITS, budget=st.integers(0, 200))
def test_hits_score_as_they_do_when_they_are_told_apart_line_by_line(
    places: Any, hits: Any, budget: int, k: int
) -> None:
    question = {"relevant": [{"file": file, "lines": (a, b), "grade": grade} for (file, a, b), grade in places]}
    theirs = second_opinion(question, [{"span": span, "characters": size} for span, size in hits], k, budget)
    ours = score_spans(
        [asked(places)], [[Span(file, first, last, "docs", size) for (file, first, last), size in hits]], k, budget
    )
    assert {name: getattr(ours, name)[0] for name in theirs} == pytest.approx(theirs)


def asked(places: Any) -> LocatedQuestion:
    question = RealQuestion("q", "how?", tuple(Place(file, grade, lines=(a, b)) for (file, a, b), grade in places))
    return locate([question], every_line()).questions[0]


def test_a_file_of_questions_scores_as_worked_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_text(
        '{"qid": "1", "question": "one?", "relevant": [{"file": "./a.md", "lines": [3, 6], "grade": 2}, '
        '{"file": "b.md", "lines": [1, 1], "grade": 1}]}\n'
        '{"qid": "2", "question": "two?", "relevant": [{"file": "b.md", "heading": "", "grade": 2}]}\n'
    )
    located = locate(read_real_questions(path), every_line())
    hits = [[Span("b.md", 1, 2), Span("a.md", 6, 9), Span("a.md", 3, 3)], [Span("a.md", 1, 30), Span("b.md", 30, 30)]]
    scores = score_spans(located.questions, hits, 10)
    second = 1 / math.log2(3)
    assert scores.ndcg == pytest.approx([(1 + 3 * second) / (3 + second), second])
    assert scores.reciprocal_rank.tolist() == [0.5, 0.5]
