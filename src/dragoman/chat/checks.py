"""Checks an answer against the passages that its writer was shown, while it is written and when it is done.

In: the pieces of a language model's text; then the whole, its question and the passages. Out: a text without tokens, unknown citations and
links to elsewhere, how well each sentence is borne out, and what in its code no passage contains. Knows no model and no screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.chat.attribute import attributed, corrected
from dragoman.chat.citations import CitationFilter
from dragoman.chat.grounding import ungrounded
from dragoman.chat.links import linked_to
from dragoman.chat.special import TokenFilter, neutral, restored
from dragoman.chat.support import SUPPORTED, supports
from dragoman.records import Finding, Hit, Support

_NAMED = 5  # things that a note names


@dataclass(frozen=True, slots=True)
class Checked:
    """A language model's answer after the checks.

    ``cited`` are the numbers that the text cites, ascending. ``note`` is what a reader should know, "" when nothing was found.
    """

    text: str
    support: tuple[Support, ...]
    findings: tuple[Finding, ...]
    cited: tuple[int, ...]
    note: str


class StreamCleaner:
    """Cleans an answer while it is written: no special tokens, no thoughts, no citations of passages that are not there.

    Args:
        passages: How many passages the model saw; they are numbered from 1.
    """

    def __init__(self, passages: int) -> None:
        self._tokens, self._citations = TokenFilter(), CitationFilter(passages)

    @property
    def cited(self) -> list[int]:
        """Numbers of the passages cited so far, in the order of the text."""
        return self._citations.cited

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was taken out so far: tokens and unknown citations, each once."""
        unknown = (Finding("citation", f"[{number}]", removed=True) for number in self._citations.unknown)
        return (*self._tokens.findings, *unknown)

    def feed(self, piece: str) -> str:
        """Take a piece of the answer.

        Args:
            piece: Any number of characters.

        Returns:
            What can be shown by now; the rest is held back until it is clear what it is.
        """
        return self._citations.feed(self._tokens.feed(piece))

    def close(self) -> str:
        """End of the answer.

        Returns:
            What was still held back, without blanks at its end.
        """
        return self._citations.feed(self._tokens.close()) + self._citations.close()


def checked(
    text: str, question: str, shown: Sequence[Hit], cited: Sequence[int], *, removed: Sequence[Finding] = ()
) -> Checked:
    """Check a finished answer; one that the ``StreamCleaner`` did not see is cleaned first.

    Args:
        text: Markdown, as a language model wrote it.
        question: What it answers; names of the question are no inventions.
        shown: The passages, numbered from 1 in this order.
        cited: The numbers that it cites; when there are none, sentences get the numbers of the passages that they come from.
        removed: What the ``StreamCleaner`` took out while the text was written, for the findings and the note.

    Returns:
        The answer as it may be shown, and all that was found.
    """
    cleaner = StreamCleaner(len(shown))
    text = restored((cleaner.feed(text) + cleaner.close()).strip())
    sources = [neutral(chunk.passage) for hit in shown for chunk in (hit.chunk, *hit.context)]
    text, links = linked_to(text, shown)
    moved: tuple[Finding, ...] = ()
    notes: list[str] = []
    if cited or cleaner.cited:
        text, moved = corrected(text, shown)
    else:
        text, matched = attributed(text, shown)
        how = "its sentences were matched to them by their words" if matched else "those it was shown are listed"
        notes.append(f"The model cited no passage; {how}.")
    strange = ungrounded(text, [question, *sources])
    support = supports(text, shown)
    findings = tuple(dict.fromkeys([*removed, *cleaner.findings, *moved, *links, *strange]))
    numbers = tuple(sorted(_cited(text, len(shown))))
    return Checked(text, support, findings, numbers, " ".join([*notes, *_remarks(findings, support)]))


def _cited(text: str, passages: int) -> list[int]:
    citations = CitationFilter(passages)
    citations.feed(text)
    citations.close()
    return citations.cited


def _remarks(findings: Sequence[Finding], support: Sequence[Support]) -> list[str]:
    """What a reader should know, a sentence each, the gravest first."""
    remarks = []
    strange = [one.text for one in findings if not one.removed]
    if strange:
        more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
        remarks.append(f"Not in the passages, so perhaps made up: {', '.join(strange[:_NAMED])}{more}.")
    links = sum(one.kind == "link" and one.removed for one in findings)
    if links:
        remarks.append(f"{_counted(links, 'link')} removed: the passages do not hold {'it' if links == 1 else 'them'}.")
    numbers = sum(one.kind == "citation" for one in findings)
    if numbers:
        remarks.append(f"{_counted(numbers, 'citation')} taken out or corrected.")
    weak = sum(one.score < SUPPORTED for one in support)
    if weak:
        which = "Its one sentence has" if len(support) == 1 else f"{weak} of {len(support)} sentences have"
        remarks.append(f"{which} little support in the passages.")
    return remarks


def _counted(count: int, what: str) -> str:
    return f"{count} {what} was" if count == 1 else f"{count} {what}s were"
