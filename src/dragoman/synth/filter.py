"""The funnel: which questions are worth training on, and why the others are not.

In: questions and, for the round trip, the rank at which the base model finds each one's section.
Out: questions (some marked as not for training) and rejections; kept + rejected = input.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dragoman.records import Question, Rejected

REASONS = ("duplicate", "too short", "too long", "does not stand alone", "not found again")
_MINIMUM_WORDS, _MAXIMUM_WORDS = 2, 50
_POINTING = re.compile(
    r"\b(this|the (above|following|given|provided)) (passage|text|section|example|document\b(?!s))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Funnel:
    """What went in, what each step took out, and what is left.

    ``questions`` are all that remain; those with ``train`` False are asked in evaluation only.
    """

    asked: int
    questions: tuple[Question, ...]
    rejected: tuple[Rejected, ...]
    steps: Mapping[str, int]  # reason -> how many; "not found again" counts questions kept out of training

    @property
    def trainable(self) -> int:
        """Questions that may be trained on."""
        return sum(question.train for question in self.questions)


def clean(questions: Sequence[Question]) -> Funnel:
    """Take out duplicates and questions that no reader would ask.

    The same words asked about two chunks are ambiguous: the first is kept.

    Args:
        questions: Questions in a stable order.

    Returns:
        The funnel, with a step for each reason that applied.
    """
    kept: list[Question] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    for question in questions:
        reason = _objection(question, seen)
        if reason:
            rejected.append(Rejected("synth", question.id, reason, question.text))
        else:
            seen.add(_normalised(question.text))
            kept.append(question)
    steps = Counter(row.reason for row in rejected)
    return Funnel(len(questions), tuple(kept), tuple(rejected), dict(sorted(steps.items())))


def round_trip(funnel: Funnel, ranks: Mapping[str, int], limit: int) -> Funnel:
    """Keep out of training what the base model does not find again among its first ``limit`` sections.

    Args:
        funnel: What is left so far.
        ranks: Rank (1-based) of the question's own section by question id; 0 when not found at all.
            Questions without a rank are not judged.
        limit: The last rank that is good enough; 0 lets everything through.

    Returns:
        The funnel with ``rank`` and ``train`` set; nothing is removed, since a question that the base
        model cannot answer yet is still a fair test.
    """
    marked = []
    for question in funnel.questions:
        rank = ranks.get(question.id)
        if rank is None:
            marked.append(question)
        else:
            marked.append(replace(question, rank=rank, train=limit == 0 or 0 < rank <= limit))
    lost = sum(not question.train for question in marked)
    steps = dict(funnel.steps) | ({REASONS[4]: lost} if lost else {})
    return Funnel(funnel.asked, tuple(marked), funnel.rejected, steps)


def _objection(question: Question, seen: set[str]) -> str:
    words = len(question.text.split())
    if _normalised(question.text) in seen:
        return REASONS[0]
    if words < _MINIMUM_WORDS:
        return REASONS[1]
    if words > _MAXIMUM_WORDS:
        return REASONS[2]
    if _POINTING.search(question.text):
        return REASONS[3]
    return ""


def _normalised(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()
