"""How far reviewers agree, beyond what chance alone would give: Krippendorff's alpha for each thing that was asked.

In: items with their responses. Out: a figure where there is one, what it rests on, and what it means in words. It decides nothing: a
verdict does not depend on it. Alpha is calculated by nltk, which the package does without where it is not installed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.review.items import Form, Reviewed

RELIABLE: Final = 0.8
TENTATIVE: Final = 0.667
"""From where on to rely on answers, and to conclude with care. K. Krippendorff, Content Analysis (2004), chapter 11."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers agree about one ask.

    ``alpha`` is 1 when they always agree, 0 when they agree as often as by chance and below when less often; None when it cannot be
    told, for the reason that ``reading`` gives. ``shared`` counts the items that two reviewers or more answered, ``alike`` those of them
    about which all said the same.
    """

    alpha: float | None
    shared: int
    alike: int
    reviewers: int
    reading: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """One reviewer's answer about one item."""

    reviewer: str
    item: str
    value: str


def agreement(reviewed: Sequence[Reviewed], form: Form) -> dict[str, Agreement]:
    """Measure how far reviewers agree, by Krippendorff's alpha for names (nominal data) over all reviewers.

    Reviewers need not have answered about the same items. Submitted responses count, and of them the asks that have options.

    Args:
        reviewed: Items with their responses, in any order.
        form: What was asked.

    Returns:
        An agreement for each ask that has options, by its name.
    """
    return {
        ask.name: _about(
            [
                _Answer(response.reviewer, one.item.id, response.values[ask.name])
                for one in reviewed
                for response in one.responses
                if response.status == "submitted" and response.values.get(ask.name) in ask.options
            ]
        )
        for ask in form.asks
        if ask.options
    }


def _about(answers: Sequence[_Answer]) -> Agreement:
    by_item: dict[str, dict[str, _Answer]] = {}
    for answer in answers:
        by_item.setdefault(answer.item, {})[answer.reviewer] = answer
    shared = [list(own.values()) for _, own in sorted(by_item.items()) if len(own) > 1]
    alike = sum(len({answer.value for answer in own}) == 1 for own in shared)
    pairable = [answer for own in shared for answer in own]
    reviewers = len({answer.reviewer for answer in pairable})
    values = sorted({answer.value for answer in pairable})
    if not shared:
        return Agreement(None, 0, 0, 0, "no item was answered by two reviewers, so agreement cannot be measured")
    found = f"all said the same about {alike} of {len(shared)} items that {reviewers} reviewers share"
    if len(values) == 1:
        reading = f"{found}; all answers are '{values[0]}', so what is due to chance cannot be told"
        return Agreement(None, len(shared), alike, reviewers, reading)
    alpha = _alpha(pairable)
    if alpha is None:
        reading = f"{found}; alpha needs a package: pip install 'dragoman[review]'"
        return Agreement(None, len(shared), alike, reviewers, reading)
    return Agreement(alpha, len(shared), alike, reviewers, f"alpha {alpha:.2f}, {_in_words(alpha)}; {found}")


def _alpha(answers: Sequence[_Answer]) -> float | None:
    try:
        from nltk.metrics.agreement import AnnotationTask
    except ImportError:
        return None
    return float(AnnotationTask([(one.reviewer, one.item, one.value) for one in answers]).alpha())


def _in_words(alpha: float) -> str:
    if alpha >= RELIABLE:
        return "reliable"
    if alpha >= TENTATIVE:
        return "fair: conclude with care"
    if alpha > 0:
        return "weak: settle what the question means before labelling more"
    return "no better than chance: settle what the question means before labelling more"
