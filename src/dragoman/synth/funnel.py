"""What the funnel is made of: its steps, its reasons, its dials, and what is left at its end.

In: nothing; these are the records that the steps of ``filter.py`` hand on and ``funnel_page.py`` shows. A funnel that lost a question
cannot be made: what is left and what was removed are what went in.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from dragoman.models.protocols import Vectors
from dragoman.records import Question, Rejected

Step = Literal["length", "alone", "leak", "duplicate", "round trip", "near", "judge"]
STEPS: tuple[Step, ...] = ("length", "alone", "leak", "duplicate", "round trip", "near", "judge")
REASONS = (
    "empty",
    "too short",
    "too long",
    "does not stand alone",
    "leaks its heading or text",
    "duplicate",
    "asked of many",
    "not found again",
    "near duplicate",
    "judged poor",
)


@dataclass(frozen=True, slots=True)
class FunnelSettings:
    """The dials of the funnel; an ablation is ``replace(settings, skip=frozenset({"leak"}))``.

    ``near`` and ``judge`` are off at 0, as ``round_trip`` is.
    """

    skip: frozenset[Step] = frozenset()  # steps that are left out; what is empty is always removed
    minimum_words: int = 2
    maximum_words: int = 50
    leak: float = 0.9  # more than this share of the content words from the headings, in order, is a leak
    places: int = 3  # the same words asked about at most so many places have all of them as answers
    round_trip: int = 10  # worst rank of its own section by the base model that a question may train with
    near: float = 0.95  # cosine from which on two questions of one section are the same
    judge: float = 3.0  # lowest score that a question may train with, of 1 to 5


DEFAULTS = FunnelSettings()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a question was removed, or kept out of training (``why``: the words at fault, the rank, the twin's text)."""

    question: Question
    reason: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Funnel:
    """What went in, what each step took out, and what is left.

    ``questions`` are all that remain; those with ``train`` False are asked in evaluation only. ``also`` gives the ids of the other
    chunks that answer a question, ``scores`` what the judge gave it, both by the question's id.
    """

    asked: int
    questions: tuple[Question, ...]
    removed: tuple[Verdict, ...] = ()
    marked: tuple[Verdict, ...] = ()
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.asked != len(self.questions) + len(self.removed):
            raise AssertionError(f"of {self.asked} questions, {len(self.questions)} + {len(self.removed)} came out")

    @property
    def trainable(self) -> int:
        """Questions that may be trained on."""
        return sum(question.train for question in self.questions)

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The removed questions as rejections."""
        return tuple(Rejected("synth", row.question.id, row.reason, row.question.text) for row in self.removed)

    @property
    def steps(self) -> dict[str, int]:
        """How many each reason took out, or kept out of training, in the order of the funnel."""
        counts = Counter(row.reason for row in (*self.removed, *self.marked))
        return {reason: counts[reason] for reason in REASONS if counts[reason]}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What models said about questions, by id; a question that is not in a part is not judged by it.

    ``vectors[i]`` (of length 1) is of the question ``ids[i]``.
    """

    ranks: Mapping[str, int] = field(default_factory=dict)
    ids: Sequence[str] = ()
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    scores: Mapping[str, float] = field(default_factory=dict)
