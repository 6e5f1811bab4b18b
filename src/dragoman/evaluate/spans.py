"""How well hits answer the questions that people asked, in grades and whatever the chunks are cut like.

In: located questions, and for each the spans that were found, best first. Out: one value a question, and what changed question by
question. A hit earns the grade of the best place that it overlaps and that no earlier hit has earned, so many hits of one section count
once (graded gains: Burges et al. 2005, https://doi.org/10.1145/1102351.1102363).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import UsageError
from dragoman.evaluate.metrics import Ranks, Values, recall, reciprocal_rank
from dragoman.evaluate.places import LocatedQuestion
from dragoman.evaluate.real import RealQuestion
from dragoman.evaluate.shelf import Span
from dragoman.records import Question

Grades = NDArray[np.int64]

ANSWERS: Final = 2  # the grade of a place that answers by itself
READ: Final = 8000  # characters of hits that a reader, or a language model, is given: about 2,000 tokens


@dataclass(frozen=True, slots=True)
class SpanScores:
    """One value a question: ``ndcg`` counts grades, the others look for the first hit of grade 2."""

    ndcg: Values
    reciprocal_rank: Values
    recall: Values
    answered: Values


@dataclass(frozen=True, slots=True)
class Change:
    """A question's value before and after."""

    qid: str
    question: str
    before: float
    after: float
    difference: float


def span_gains(question: LocatedQuestion, hits: Sequence[Span]) -> list[int]:
    """The grade that each hit earns.

    Args:
        question: What was asked, with its places.
        hits: What was found, best first.

    Returns:
        For each hit the largest grade of the places that it overlaps and that no earlier hit has overlapped; 0 for none.
    """
    left = list(question.found)
    gains: list[int] = []
    for hit in hits:
        earned = [found for found in left if any(span.overlaps(hit) for span in found.spans)]
        left = [found for found in left if found not in earned]
        gains.append(max((found.place.grade for found in earned), default=0))
    return gains


def ideal_gains(question: LocatedQuestion) -> list[int]:
    """The grades of all places, largest first: what perfect hits would earn."""
    return sorted((found.place.grade for found in question.found), reverse=True)


def stacked(rows: Sequence[Sequence[int]]) -> Grades:
    """Rows of any length as one array, filled up with zeros.

    Args:
        rows: Gains of each question.

    Returns:
        Shape ``(questions, longest)``.
    """
    table = np.zeros((len(rows), max(map(len, rows), default=0)), dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def ndcg_graded(gains: Grades, ideal: Grades, k: int) -> Values:
    """NDCG@k of each question with gain ``2 ** grade - 1`` and discount ``log2(1 + rank)``.

    Args:
        gains: Shape ``(questions, hits)``, the grade that each hit earns, best hit first.
        ideal: Shape ``(questions, places)``, the grades of all places, in any order.
        k: Hits that count.

    Returns:
        Shape ``(questions,)``, between 0 and 1 when no more is earned than there is; 0 where there is nothing to earn.
    """
    best = _dcg(-np.sort(-ideal, axis=1), k)
    return np.divide(_dcg(gains, k), best, out=np.zeros_like(best), where=best > 0)


def first_ranks(gains: Grades) -> Ranks:
    """The rank of the first hit that answers, for ``metrics.recall`` and ``metrics.reciprocal_rank`` (whose mean is MRR).

    Args:
        gains: Shape ``(questions, hits)``, the grade that each hit earns, best hit first.

    Returns:
        Shape ``(questions,)``: the 1-based rank of the first hit of grade 2, 0 where none is.
    """
    answers = gains >= ANSWERS
    if not answers.size:
        return np.zeros(len(gains), dtype=np.int64)
    return np.where(answers.any(axis=1), answers.argmax(axis=1) + 1, 0).astype(np.int64)


def answer_within(question: LocatedQuestion, hits: Sequence[Span], characters: int = READ) -> bool:
    """Whether a reader of the first so many characters of hits comes to a place of grade 2.

    Args:
        question: What was asked, with its places.
        hits: What was found, best first, with their lengths.
        characters: What is read; a hit that does not fit whole ends the reading.

    Returns:
        Whether the answer is in a hit that was read.
    """
    spans = [span for found in question.found if found.place.grade >= ANSWERS for span in found.spans]
    read = 0
    for hit in hits:
        read += hit.characters
        if read > characters:
            return False
        if any(span.overlaps(hit) for span in spans):
            return True
    return False


def score_spans(
    questions: Sequence[LocatedQuestion], hits: Sequence[Sequence[Span]], k: int, characters: int = READ
) -> SpanScores:
    """All values of one way of searching.

    Args:
        questions: What was asked.
        hits: What was found for each, best first, each once.
        k: Hits that count; for ``answered``, those that fit ``characters`` do.
        characters: What a reader reads.

    Returns:
        Values in the order of the questions.
    """
    pairs = list(zip(questions, hits, strict=True))
    gains = stacked([span_gains(question, found[:k]) for question, found in pairs])
    ranks = first_ranks(gains)
    return SpanScores(
        ndcg_graded(gains, stacked([ideal_gains(question) for question in questions]), k),
        reciprocal_rank(ranks, k),
        recall(ranks, k),
        np.array([answer_within(question, found, characters) for question, found in pairs], dtype=np.float64),
    )


def changes(before: Values, after: Values, questions: Sequence[RealQuestion | Question]) -> list[Change]:
    """What changed, question by question.

    Args:
        before: Shape ``(questions,)``.
        after: Shape ``(questions,)``.
        questions: What was asked, in the same order.

    Returns:
        One for each question, the largest difference first, gain or loss; of equals, in the order of the questions.

    Raises:
        UsageError: The three are not of one length.
    """
    if not len(before) == len(after) == len(questions):
        happened = f"{len(before)} values before, {len(after)} after and {len(questions)} questions"
        raise UsageError(happened, expected="a value before and after for each question")
    found = [
        Change(question.id if isinstance(question, Question) else question.qid, question.text, was, now, now - was)
        for question, was, now in zip(questions, before.tolist(), after.tolist(), strict=True)
    ]
    return sorted(found, key=lambda change: -abs(change.difference))


def _dcg(gains: Grades, k: int) -> Values:
    counted = gains[:, :k]
    return (np.exp2(counted.astype(np.float64)) - 1.0) @ (1.0 / np.log2(np.arange(2.0, counted.shape[1] + 2.0)))
