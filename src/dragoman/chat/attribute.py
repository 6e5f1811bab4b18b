"""Which passage does a sentence come from, when the model that wrote it did not say, or said it wrong?

In: an answer and the passages that its writer was shown. Out: the answer with ``[n]`` after each sentence that passage n
bears out. Small models rarely cite; a sentence that matches nothing stays without a number, which tells a reader
something, too.
"""

import re
from collections.abc import Sequence

from dragoman.chat.support import SUPPORTED, Evidence, pieces
from dragoman.records import Finding, Hit

_END = re.compile(r"([.!?:]*[*_]*)\Z")
_CITED = re.compile(r"\[(\d+)\]")
_SKIPPED = re.compile(r"^[ \t]*(?:#{1,6}[ \t]|\|)")  # a number would spoil a heading or a table
_SURE = 0.6  # from which score on a sentence is taken to come from a passage
_AHEAD = 0.3  # by how much another passage must bear a sentence out better than the cited one


def attributed(text: str, shown: Sequence[Hit]) -> tuple[str, tuple[int, ...]]:
    """Add the numbers of the passages that sentences come from.

    Args:
        text: An answer in Markdown, without citations.
        shown: The passages, numbered from 1 in this order.

    Returns:
        The text, code left alone, and the numbers added, ascending, each once.
    """
    evidence = Evidence(shown)
    numbers: set[int] = set()
    parts: list[str] = []
    for piece, is_sentence in pieces(text):
        scores = evidence.scores(piece) if is_sentence and not _SKIPPED.match(piece) else []
        number = _best(scores)
        if number and scores[number - 1] >= _SURE:
            numbers.add(number)
            piece = _END.sub(rf" [{number}]\1", piece, count=1)  # noqa: PLW2901
        parts.append(piece)
    return "".join(parts), tuple(sorted(numbers))


def corrected(text: str, shown: Sequence[Hit]) -> tuple[str, tuple[Finding, ...]]:
    """Point a citation at the passage that says it, where the cited one does not and another clearly does.

    Args:
        text: An answer in Markdown with citations of passages that exist.
        shown: The passages, numbered from 1 in this order.

    Returns:
        The text, and a finding for each citation that was changed: ``[2] for [3]``. Sentences with more than one citation stay.
    """
    evidence = Evidence(shown)
    findings: list[Finding] = []
    parts: list[str] = []
    for piece, is_sentence in pieces(text):
        cited = _CITED.findall(piece) if is_sentence else []
        scores = evidence.scores(piece) if len(cited) == 1 and 0 < int(cited[0]) <= len(shown) else []
        number = _best(scores)
        if number:
            own, other = scores[int(cited[0]) - 1], scores[number - 1]
            if own < SUPPORTED and other >= max(_SURE, own + _AHEAD):
                findings.append(Finding("citation", f"[{number}] for [{cited[0]}]", removed=True))
                piece = _CITED.sub(f"[{number}]", piece)  # noqa: PLW2901
        parts.append(piece)
    return "".join(parts), tuple(findings)


def _best(scores: Sequence[float]) -> int:
    """Number of the passage with the best score, the first of equals; 0 without any."""
    return max(range(1, len(scores) + 1), key=lambda number: (scores[number - 1], -number), default=0)
