"""May a cross-encoder teach?

In: questions, the passages that the base model finds for them, and which of these answer. Out: whether the
cross-encoder puts them in a better order, by more than chance. The teacher is its student's ceiling (2025,
https://arxiv.org/abs/2505.19274), so one that ranks no better than the base has nothing to teach here.
"""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.models.protocols import Advance, Reranker
from dragoman.models.reranker import rerank_orders
from dragoman.records import Interval

Values = NDArray[np.float64]
PairedInterval = Callable[[Values, Values, Sequence[str]], Interval]


@dataclass(frozen=True, slots=True)
class TeacherVerdict:
    """How the base and the teacher order the same passages: mean NDCG@k of each, and the difference teacher - base."""

    name: str
    k: int
    base: float
    teacher: float
    gain: Interval

    @property
    def teaches(self) -> bool:
        """Whether the gain is larger than chance."""
        return self.gain.low > 0

    def line(self) -> str:
        """The verdict in one sentence."""
        ranks = f"{self.name} ranks with NDCG@{self.k} {self.teacher:.3f}, the base with {self.base:.3f}"
        if not math.isfinite(self.gain.low):
            return f"{ranks}, on too few questions to tell: the model is tuned without this teacher."
        chance = f"{self.gain.mean:+.3f}, 95% interval {self.gain.low:+.3f} to {self.gain.high:+.3f}"
        if self.teaches:
            return f"{ranks} ({chance}): the model also learns from this teacher."
        return f"{ranks} ({chance}), which is no gain beyond chance: the model is tuned without this teacher."


def teacher_check(
    reranker: Reranker,
    questions: Sequence[str],
    candidates: Sequence[Sequence[str]],
    right: Sequence[Collection[int]],
    units: Sequence[str],
    *,
    k: int,
    interval: PairedInterval,
    advance: Advance | None = None,
) -> TeacherVerdict:
    """Compare the base's order of its own hits with the teacher's order of the same ones.

    Args:
        reranker: The teacher.
        questions: Questions on which neither of the two was trained.
        candidates: For each question the passages of the base's first hits, best first.
        right: For each question the places among its candidates that answer it; may be empty.
        units: The unit of each question.
        k: Hits that count.
        interval: Mean and interval of the difference between two arrays of values, paired, by units.
        advance: Told the number of pairs just judged.

    Returns:
        The verdict.

    Raises:
        ModelError: The teacher cannot judge.
    """
    given = [list(range(len(found))) for found in candidates]
    base = _values(given, right, k)
    teacher = _values(rerank_orders(reranker, questions, candidates, advance), right, k)
    return TeacherVerdict(reranker.name, k, _mean(base), _mean(teacher), interval(teacher, base, units))


def _values(orders: Sequence[Sequence[int]], right: Sequence[Collection[int]], k: int) -> Values:
    """NDCG@k of each question: all that answer are one find, so the first of them counts."""
    values = np.zeros(len(orders), dtype=np.float64)
    for number, (order, answers) in enumerate(zip(orders, right, strict=True)):
        rank = next((rank for rank, place in enumerate(order[:k], start=1) if place in answers), 0)
        values[number] = 1 / math.log2(1 + rank) if rank else 0.0
    return values


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else 0.0
