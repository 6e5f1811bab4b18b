"""The questions of an evaluation, a row each, by which two runs are compared.

Written beside the report; it knows ranks, and neither models nor passages.
"""

from dataclasses import dataclass

from dragoman.records import QuestionKind


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A question of the evaluation with the ranks at which its section was found, 0 where it was not.

    ``unit`` is what a bootstrap draws, ``weight`` how much the question counts. ``base`` is dense search by the base model, ``untuned`` and
    ``tuned`` the best way of each model, ``served`` the way that is served.
    """

    question_id: str
    text: str
    kind: QuestionKind
    style: str
    document: str
    unit: str
    weight: float
    base: int
    untuned: int
    tuned: int
    served: int
