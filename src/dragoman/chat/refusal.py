"""When a question is not answered, and what is said then.

In: hits with their similarities, and the threshold that was calibrated with the index. Out: an answer that kindly says no: the docs do not
answer, or the question is not about them, or nothing was found; with the nearest sections and where to ask. Knows no model.
"""

import re
from collections.abc import Sequence
from typing import Literal

from dragoman.chat.prompt import NO_ANSWER
from dragoman.chat.quotations import linked_trail
from dragoman.records import Answer, Citation, Hit, Refusal

Reason = Literal["", "nothing found", "unanswerable", "off-topic"]

NEAREST = 3  # sections named under a refusal
_DECLINING_WORDS = 40  # an answer of more says something beside that it is none
_DECLINED = re.compile(
    r"\b(?:documentation|docs|passages?)\b[^.\n]{0,40}\b(?:do|does)(?: not|n['’]t) (?:answer|cover|mention|contain|address|say)",
    re.IGNORECASE,
)


def confidence(hits: Sequence[Hit]) -> float | None:
    """How near the docs come to a question.

    Args:
        hits: What was found.

    Returns:
        The largest similarity of a passage, or of one of its known questions; None where nobody looked at similarities.
    """
    signals = [hit.signals for hit in hits if hit.signals is not None]
    found = [value for one in signals for value in (one.dense, one.question) if value is not None]
    return max(found, default=None)


def refused_because(hits: Sequence[Hit], refusal: Refusal | None) -> Reason:
    """Whether a question should rather not be answered.

    Args:
        hits: What was found.
        refusal: The calibrated threshold; None: everything is answered.

    Returns:
        Why not; "" when it should be answered.
    """
    if not hits:
        return "nothing found"
    sure = confidence(hits)
    if refusal is None or sure is None or sure >= refusal.threshold:
        return ""
    return "off-topic" if sure < refusal.off_topic else "unanswerable"


def refusal_answer(
    question: str, hits: Sequence[Hit], reason: Reason, *, name: str, contact: str, searched: str = ""
) -> Answer:
    """The answer that is none.

    Args:
        question: The message just sent.
        hits: What was found, best first.
        reason: Why it is not answered.
        name: The project's name; may be "".
        contact: Where to ask instead: an address, or a sentence; "": nobody knows.
        searched: The question as it was searched for, where that is another.

    Returns:
        The answer, with the nearest sections where that may help.
    """
    docs, it = (f"The documentation of {name}", name) if name else ("The documentation", "this project")
    elsewhere = _elsewhere(contact)
    if reason == "off-topic":
        text = (
            f"This does not look like a question about {it}, and its documentation is all that I answer from. "
            f"If it is one, please put it in other words.{elsewhere}"
        )
        return Answer(question, text, (), "refusal", reason=reason, searched=searched)
    if reason == "nothing found":
        text = f"{docs} has nothing that matches this question. Other words may find more.{elsewhere}"
        return Answer(question, text, (), "refusal", reason=reason, searched=searched)
    text = f"{docs} does not seem to answer this, so I would rather not guess.{nearest_sections(hits)}{elsewhere}"
    return Answer(question, text, nearest(hits), "refusal", reason=reason, searched=searched)


def said_so(hits: Sequence[Hit], contact: str) -> str:
    """What is added when the language model itself said that the docs do not answer."""
    return f"{nearest_sections(hits)}{_elsewhere(contact)}"


def declined(text: str, cited: Sequence[int]) -> bool:
    """Whether a language model says that the docs do not answer, and no more.

    Args:
        text: What it wrote.
        cited: The passages that it cites.
    """
    said = NO_ANSWER in text.casefold() or (not cited and _DECLINED.search(text) is not None)
    return said and len(text.split()) <= _DECLINING_WORDS


def nearest(hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """The sections that come nearest, numbered as the hits are."""
    return tuple(Citation(number, hit) for number, hit in enumerate(hits[:NEAREST], 1))


def nearest_sections(hits: Sequence[Hit]) -> str:
    """These sections as a list of links, after a blank line; "" when there are none."""
    lines = [f"- {linked_trail(one.hit.chunk)} [{one.number}]" for one in nearest(hits)]
    return "\n\nThe nearest sections are:\n\n" + "\n".join(lines) if lines else ""


def _elsewhere(contact: str) -> str:
    said = contact.strip()
    if not said:
        return ""
    # An address has no blanks; anything else is a sentence of the project's own.
    return f"\n\n{said}" if len(said.split()) > 1 else f"\n\nYou can ask here: {said}"
