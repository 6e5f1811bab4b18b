"""Which parts of a document are cut, and under which headings: its sections, without those that hold nothing to find.

In: a document and a ruler. Out: parts in reading order, each with its heading trail and anchor, and what was left out and why. It cuts
nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dragoman.config import ChunkSettings
from dragoman.ingest.anchors import Anchors
from dragoman.ingest.markdown import Block, Section, parse
from dragoman.ingest.quality import REASONS as USELESS
from dragoman.ingest.quality import reason_to_drop
from dragoman.models.tokens import Ruler
from dragoman.records import Document

HEADING_ALONE, DEFINITIONS, MARKUP_ALONE = "heading without text", "link definitions", "nothing but markup"
REASONS: Final = (*USELESS, HEADING_ALONE, DEFINITIONS, MARKUP_ALONE)

_FILLED = 0.6  # of the budget: what joined sections may fill beside their heading trail
_WORDS = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Part:
    """A section, or small ones joined: lines ``[first, last)``, in blocks.

    ``above`` is the line where its first chunk begins: its heading, or one above it that has no text of its own.
    """

    trail: tuple[str, ...]
    anchor: str
    level: int
    above: int
    blocks: tuple[Block, ...]
    first: int
    last: int


class Parts:
    """Finds the parts of one document.

    Args:
        document: What will be cut.
        starts: Offset of each line's start.
        ruler: Measures the document's text.
        settings: Whether useless sections are dropped, and small ones joined.
        skip: Called with the line, the reason and the heading of what is left out.
    """

    def __init__(
        self,
        document: Document,
        starts: Sequence[int],
        ruler: Ruler,
        settings: ChunkSettings,
        skip: Callable[[int, str, str], None],
    ) -> None:
        self.document, self.starts, self.count = document, starts, ruler.count
        self.settings, self.skip = settings, skip

    def __iter__(self) -> Iterator[Part]:
        return self._joined(self._sections())

    def _sections(self) -> Iterator[Part]:
        """The sections that hold text, each with its trail; headings without text go to the first one below them."""
        anchors = Anchors(self.document.style)
        stack: list[tuple[int, str]] = []
        waiting: list[Section] = []
        for section in parse(self.document.text):
            stack = [(level, heading) for level, heading in stack if level < section.level]
            if section.heading:
                stack.append((section.level, section.heading))
            anchor = anchors.of(section.heading, section.source, section.level) if section.level else ""
            blocks = tuple(block for block in section.blocks if block.kind != "links")
            if len(blocks) < len(section.blocks):
                self.skip(section.blocks[-1].first, DEFINITIONS, section.heading)
            text = self._between(blocks[0].first, blocks[-1].last) if blocks else ""
            if not _WORDS.search(text):
                if blocks:
                    self.skip(section.first, MARKUP_ALONE, section.heading)
                waiting.append(section)
                continue
            reason = reason_to_drop(text) if self.settings.drop else ""
            above, waiting = [*waiting, section], []
            if reason:
                self._skip_headings(above[:-1])
                self.skip(section.first, reason, section.heading)
                continue
            trail = _trail(self.document.title, [heading for _, heading in stack])
            yield Part(trail, anchor, section.level, above[0].first, blocks, section.first, blocks[-1].last)
        self._skip_headings(waiting)

    def _joined(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Small sections side by side under one heading become one part, under that heading's trail."""
        held: list[Part] = []
        size = 0
        for part in parts:
            tokens = self.count(self._offset(part.first), self._offset(part.last)) if self.settings.min_tokens else 0
            if held and not self._belongs(held[-1], part, size, tokens):
                yield self._one(held)
                held, size = [], 0
            held.append(part)
            size += tokens
        if held:
            yield self._one(held)

    def _belongs(self, before: Part, part: Part, size: int, tokens: int) -> bool:
        least = self.settings.min_tokens
        siblings = before.level == part.level and before.trail[:-1] == part.trail[:-1]
        fits = size < least and tokens < least and size + tokens <= self.settings.tokens * _FILLED
        return siblings and fits and not self._between(before.last, part.above).strip()

    def _one(self, group: list[Part]) -> Part:
        first = group[0]
        if len(group) == 1 or len(first.trail) < 2:  # noqa: PLR2004 - without a heading above it there is nothing to join under
            return first
        blocks = tuple(Block("container", part.first, part.last, part.blocks) for part in group)
        return replace(first, trail=first.trail[:-1], blocks=blocks, last=group[-1].last)

    def _skip_headings(self, sections: Sequence[Section]) -> None:
        for section in sections:
            if not section.blocks:
                self.skip(section.first, HEADING_ALONE, section.heading)

    def _offset(self, line: int) -> int:
        return self.starts[line] if line < len(self.starts) else len(self.document.text)

    def _between(self, first: int, last: int) -> str:
        return self.document.text[self._offset(first) : self._offset(last)]


def _trail(title: str, headings: Sequence[str]) -> tuple[str, ...]:
    plain = [heading for heading in headings if heading]
    return tuple(plain) if plain and plain[0] == title else (title, *plain)
