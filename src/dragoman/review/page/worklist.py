"""What a reviewer has to do, has done, and how long the rest will take.

In: the queue with everybody's answers, and when the reviewer gave the last ones. Out: the ids to walk through, and the figures
above them. Pure: it reads no clock and no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from dragoman.review.items import Form, Response
from dragoman.review.page.desk import Shown

Filter = Literal["open", "mine", "disagreement"]

_PAUSE_SECONDS = 180.0  # a longer gap is a coffee, not an answer
_LEAST_GAPS = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """Figures for one reviewer; ``minutes`` that the open ones will take, None while that is not known."""

    done: int
    total: int
    mine: int
    disagreement: int
    minutes: float | None


def worklist(shown: Sequence[Shown], form: Form, reviewer: str, which: Filter, votes: int = 0) -> list[str]:
    """The ids that a filter leaves, in the order of the queue.

    Args:
        shown: The queue.
        form: What is asked.
        reviewer: Who asks.
        which: What the reviewer has yet to answer, what the reviewer answered, or where submitted answers differ.
        votes: Submitted answers that settle an item, so that nobody else needs to answer; 0: everybody answers all.

    Returns:
        Ids.
    """
    if which == "mine":
        return [item.id for item in shown if _answered(item, reviewer)]
    if which == "disagreement":
        return [item.id for item in shown if differs(item.responses, form)]
    return [item.id for item in shown if _open(item, reviewer, votes)]


def progress(shown: Sequence[Shown], form: Form, reviewer: str, times: Sequence[float], votes: int = 0) -> Progress:
    """How far a reviewer is.

    Args:
        shown: The queue.
        form: What is asked.
        reviewer: Who asks.
        times: When the reviewer gave the last answers, in seconds, the first first.
        votes: As in ``worklist``.

    Returns:
        The figures.
    """
    left = len(worklist(shown, form, reviewer, "open", votes))
    pace = seconds_each(times)
    return Progress(
        done=len(shown) - left,
        total=len(shown),
        mine=len(worklist(shown, form, reviewer, "mine")),
        disagreement=len(worklist(shown, form, reviewer, "disagreement")),
        minutes=None if pace is None else left * pace / 60,
    )


def seconds_each(times: Sequence[float]) -> float | None:
    """How long an answer takes, by the middle of the gaps between them.

    Args:
        times: When answers were given, in seconds, the first first.

    Returns:
        Seconds, or None while there are too few to tell.
    """
    gaps = [later - earlier for earlier, later in pairwise(times)]
    gaps = [gap for gap in gaps if 0 <= gap <= _PAUSE_SECONDS]
    return median(gaps) if len(gaps) >= _LEAST_GAPS else None


def differs(responses: Sequence[Response], form: Form) -> bool:
    """Whether two submitted answers choose different options."""
    submitted = [response.values for response in responses if response.status == "submitted"]
    chosen = ({values[ask.name] for values in submitted if ask.name in values} for ask in form.asks if ask.options)
    return any(len(options) > 1 for options in chosen)


def _answered(item: Shown, reviewer: str) -> bool:
    return any(response.reviewer == reviewer and response.status != "draft" for response in item.responses)


def _open(item: Shown, reviewer: str, votes: int) -> bool:
    submitted = sum(response.status == "submitted" for response in item.responses)
    return not _answered(item, reviewer) and not (votes and submitted >= votes)
