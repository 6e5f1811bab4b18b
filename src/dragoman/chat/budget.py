"""What fits into a prompt: whole passages and the last turns, each within its share of tokens.

In: hits with their context, the turns before, and a function that counts tokens. Out: those that fit. A passage that is shown is whole, or
it ends in an ellipsis: never cut without a word. Knows no model and no wording.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dragoman.chat.excerpt import shorten
from dragoman.records import Chunk, Hit, Turn

Count = Callable[[str], int]

TURNS = 3  # as many as are told to the model at most
_MARGIN = 64  # tokens of a chat's template and of the marks around passages
_LEAST = 64  # tokens for passages, whatever the question: with fewer there is nothing to answer from
_ROUNDS = 6  # of cutting a text shorter
_OLD_CITATION = re.compile(r"[ \t]*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Shares:
    """Tokens that the passages and the turns before may take."""

    passages: int
    history: int


def shares(passages: int, history: int, *, fixed: int, answer: int, context: int) -> Shares:
    """Share out what a model takes in.

    Args:
        passages: Tokens wanted for the passages.
        history: Tokens wanted for the turns before.
        fixed: Tokens of the instructions and the question.
        answer: Tokens of the longest answer.
        context: Tokens that the model takes in all; 0: not known, and not looked at.

    Returns:
        What was wanted, or less where the model is smaller: the turns give way first.
    """
    if not context:
        return Shares(passages, history)
    room = context - answer - fixed - _MARGIN
    kept = max(min(passages, room), _LEAST)
    return Shares(kept, max(min(history, room - kept), 0))


def passage_text(hit: Hit) -> str:
    """What is shown of a hit as one passage: its heading trail once, then all that is read with it.

    Args:
        hit: A hit with its context.

    Returns:
        The text. A part of another section goes under that section's headings; a gap in the page is marked.
    """
    if not hit.context:
        return hit.chunk.passage
    lines: list[str] = []
    last: Chunk | None = None
    for chunk in hit.read:
        if last is None or chunk.trail != last.trail:
            lines += [*([""] if last else []), " > ".join(chunk.trail)]
        if last is not None and chunk.start > last.end + 2:
            lines.append("…")
        lines.append(chunk.text.strip("\n"))
        last = chunk
    return "\n".join(lines).strip("\n")


def fitting(hits: Sequence[Hit], budget: int, count: Count) -> list[Hit]:
    """The hits whose passages fit into the prompt together.

    Args:
        hits: Best first.
        budget: Tokens for all passages.
        count: Tokens of a text.

    Returns:
        The hits in their order; one that is too long for what is left loses its context first, and is left out when even its chunk does
        not fit. The first always stays, its passage cut to the budget if need be.
    """
    shown: list[Hit] = []
    for hit in hits:
        for kept in (hit, replace(hit, context=())):
            tokens = count(passage_text(kept))
            if tokens <= budget:
                shown.append(kept)
                budget -= tokens
                break
        else:
            if not shown:
                passage = cut(hit.chunk.passage, budget, count)
                shown.append(replace(hit, chunk=replace(hit.chunk, passage=passage, tokens=budget), context=()))
                budget = 0
    return shown


def recent(history: Sequence[Turn], budget: int, count: Count) -> list[Turn]:
    """The last turns within the budget, the newest first to be kept, their answers cut to what a follow-up needs of them.

    Args:
        history: The turns before, oldest first.
        budget: Tokens for all of them; 0: none are told.
        count: Tokens of a text.

    Returns:
        Turns, oldest first, without citations: an old "[2]" would point at a passage of this question's list.
    """
    kept: list[Turn] = []
    for turn in reversed(history[-TURNS:]):
        question = cut(turn.question, budget // 2, count)
        answer = cut(_OLD_CITATION.sub("", turn.answer), budget // 2, count)
        budget -= count(question) + count(answer)
        if budget < 0 or not answer:
            break
        kept.insert(0, Turn(question, answer))
    return kept


def cut(text: str, tokens: int, count: Count) -> str:
    """Cut a Markdown text to a number of tokens.

    Args:
        text: Markdown.
        tokens: As many as may stay.
        count: Tokens of a text.

    Returns:
        The text itself if it fits, else its beginning with an ellipsis; "" where nothing fits.
    """
    if count(text) <= tokens:
        return text
    whole = shorter = text.strip()
    for _ in range(_ROUNDS):
        # A little less than in proportion: the ellipsis and a closed code block count, too.
        limit = min(len(shorter) - 1, int(0.9 * len(shorter) * tokens / max(count(shorter), 1)))
        if limit < 1:
            break
        shorter = shorten(whole, limit)
        if count(shorter) <= tokens:
            return shorter
    return ""
