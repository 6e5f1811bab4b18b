"""Blocks -> spans of at most so many tokens, cut where a reader would cut.

In: the blocks of one section and a ruler of its document. Out: spans of the text, in order, with what a cut fence or table repeats in
each of its parts. A block is cut only when it alone is over the budget. It knows nothing of headings and passages.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from dragoman.ingest.markdown import Block
from dragoman.models.tokens import Ruler

_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]*_`]*\s+|[。！？｡।۔؟]+[\"”』」）]*\s*|\n")
_PIECE = re.compile(r"\S+\s*")
_FENCE = re.compile(r"(`{3,}|~{3,}).*")

Edges = Callable[[str, int, int], list[int]]  # where a part of a text may be cut: its start, ..., its end


@dataclass(frozen=True, slots=True)
class Unit:
    """Characters ``[start, end)`` that stay together.

    ``bound`` keeps it with the unit after it. ``head`` and ``foot`` are what its passage needs around it when it is a part of a fence or
    table and the part before or after it is elsewhere.
    """

    start: int
    end: int
    bound: bool = False
    head: str = ""
    foot: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``[start, end)`` of one chunk, and what stands before and after them in its passage."""

    start: int
    end: int
    head: str = ""
    foot: str = ""


class Packer:
    """Packs the blocks of one document.

    Args:
        text: The document's text.
        starts: Offset of each line's start.
        ruler: Measures the text.
        measure: Tokens of any text, without special tokens: for what is repeated.
    """

    def __init__(self, text: str, starts: Sequence[int], ruler: Ruler, measure: Callable[[str], int]) -> None:
        self.text, self.starts, self.count, self.measure = text, starts, ruler.count, cache(measure)

    def pack(self, blocks: Sequence[Block], room: int, overlap: int = 0) -> list[Span]:
        """Even spans of at most ``room`` tokens.

        Args:
            blocks: Blocks of one section, in order.
            room: Tokens that a span may hold, with its head and foot.
            overlap: Tokens, at most, that a span repeats of the one before it, in whole sentences.

        Returns:
            The spans, in order. Without overlap they do not touch, and only white space lies between them.
        """
        overlap = min(overlap, room // 2)
        units = [unit for block in blocks for unit in self._units(block, max(room - overlap, 1))]
        units = [unit for unit in units if self.text[unit.start : unit.end].strip()]
        spans: list[Span] = []
        for first, last in self._runs(units, room - overlap):
            start, end = units[first].start, units[last - 1].end
            head, foot = units[first].head, units[last - 1].foot
            if overlap and spans and not head:
                start = self._reach_back(spans[-1], start, overlap)
            spans.append(Span(start, self._trimmed(start, end), head, foot))
        return spans

    def _runs(self, units: Sequence[Unit], room: int) -> Iterator[tuple[int, int]]:
        """Ranges of units that make a chunk each."""
        total = self._size(units[0], units[-1])
        wanted = total / -(-total // max(room, 1)) if total else 0
        first = held = 0
        for place in range(1, len(units)):
            before, unit = units[place - 1], units[place]
            if not before.bound:
                held = place
            over = self._size(units[first], unit) > room
            if over or (not before.bound and self._size(units[first], before) >= wanted):
                # A lead-in goes along with what it announces, if both fit.
                cut = held if over and first < held and self._size(units[held], unit) <= room else place
                yield first, cut
                first = cut
        yield first, len(units)

    def _size(self, first: Unit, last: Unit) -> int:
        around = (self.measure(first.head) if first.head else 0) + (self.measure(last.foot) if last.foot else 0)
        return self.count(first.start, last.end) + around

    def _units(self, block: Block, room: int) -> list[Unit]:
        """The block as one unit when it fits, else its children, rows, lines, sentences, words."""
        start, end = self._offset(block.first), self._offset(block.last)
        trimmed = self._trimmed(start, end)
        if self.count(start, trimmed) <= room:
            return [Unit(start, trimmed, bound=trimmed > start and self.text[trimmed - 1] == ":")]
        if block.children:
            return self._inner(block, room)
        if block.kind == "fence":
            opener = _FENCE.search(self._line(block.first, block.first + 1))
            return self._parts(block, room, 1, opener[0].rstrip(), opener[1]) if opener else self._parts(block, room, 0)
        if block.kind == "table":
            return self._parts(block, room, 2, self._line(block.first, block.first + 2).rstrip("\n"))
        if block.kind == "code":
            return self._parts(block, room, 0)
        return self._sentences(start, trimmed, room)

    def _inner(self, block: Block, room: int) -> list[Unit]:
        edges = [block.first, *(child.first for child in block.children[1:]), block.last]
        units: list[Unit] = []
        for child, (first, last) in zip(block.children, pairwise(edges), strict=True):
            # With a label or text around it, a fence begins later than its share: it is cut as what it is all the same.
            lead = first < child.first and bool(self._line(first, child.first).strip())
            if lead and child.kind in {"fence", "table", "code"}:
                units += self._units(Block("text", first, child.first), room)
                first = child.first  # noqa: PLW2901 - the label has become a unit of its own
            units += self._units(replace(child, first=first, last=last), room)
        return units

    def _parts(self, block: Block, room: int, heads: int, head: str = "", foot: str = "") -> list[Unit]:
        """Parts of a fence or table at line ends; all but the first repeat its head, all but the last of a fence are closed."""
        body, fence = block.first + heads, foot
        spare = self.measure(head) + self.measure(foot)
        if spare > room // 2:  # a head that leaves no room for what is below it is not repeated
            head, foot, spare = "", "", 0
        if body >= block.last:
            return self._sentences(self._offset(block.first), self._offset(block.last), room)
        units: list[Unit] = []
        start = self._offset(block.first)
        for line in range(body, block.last):
            end = self._trimmed(start, self._offset(line + 1))
            if line == body and self.count(start, end) > room:
                units += self._sentences(start, self._offset(body), room)
                start = self._offset(body)
            size = self.count(start, end)
            if size <= room - spare:
                units.append(Unit(start, end, head=head, foot=foot))
            elif size <= room:  # better a whole row than a repeated head
                units.append(Unit(start, end))
            else:
                units += [replace(piece, head=head, foot=foot) for piece in self._sentences(start, end, room - spare)]
            start = self._offset(line + 1)
        filled = [unit for unit in units if unit.end > unit.start]
        if len(filled) > 1 and fence and self.text[filled[-1].start : filled[-1].end].strip(" \t>") == fence:
            filled[-2:] = [replace(filled[-2], end=filled[-1].end)]  # the closing line goes with the one above it
        filled[0] = replace(filled[0], head="")
        filled[-1] = replace(filled[-1], foot="")
        return filled

    def _sentences(self, start: int, end: int, room: int) -> list[Unit]:
        """A text over the budget, cut after sentences or line ends, else between words."""
        edges = sorted({start, *(match.end() for match in _SENTENCE.finditer(self.text, start, end)), end})
        units: list[Unit] = []
        for first, last in pairwise(edges):
            if self.count(first, last) <= room:
                units.append(Unit(first, last))
            else:
                units += self._fill([first, last], room, (_pieces, _words, _characters))
        return units

    def _fill(self, edges: Sequence[int], room: int, finer: Sequence[Edges] = ()) -> list[Unit]:
        """As much as fits between the edges, again and again; what alone is over is cut at the finer edges."""
        units: list[Unit] = []
        place = 0
        while place < len(edges) - 1:
            start = edges[place]
            step = 1
            while place + step < len(edges) - 1 and self.count(start, edges[place + step]) <= room:
                step *= 2
            last = min(place + step, len(edges) - 1)
            found = bisect_right(edges, max(room, 1), place + 1, last + 1, key=lambda edge: self.count(start, edge)) - 1
            if found > place:
                units.append(Unit(start, edges[found]))
                place = found
                continue
            place += 1
            if finer and edges[place] - start > 1:
                units += self._fill(finer[0](self.text, start, edges[place]), room, finer[1:])
            else:  # a character that alone is over the budget: the budget has to give way
                units.append(Unit(start, edges[place]))
        return units

    def _reach_back(self, before: Span, start: int, overlap: int) -> int:
        """Where a chunk begins that repeats whole sentences of the one before it; never half a fence or table."""
        text = self.text[before.start : start]
        if before.foot or "```" in text or "~~~" in text or "\n|" in text:
            return start
        edges = [before.start + match.end() for match in _SENTENCE.finditer(text)]
        fitting = [edge for edge in edges if edge < start and self.count(edge, start) <= overlap]
        return next((edge for edge in fitting if self.text[edge:start].strip()), start)

    def _offset(self, line: int) -> int:
        return self.starts[line] if line < len(self.starts) else len(self.text)

    def _line(self, first: int, last: int) -> str:
        return self.text[self._offset(first) : self._offset(last)]

    def _trimmed(self, start: int, end: int) -> int:
        while end > start and self.text[end - 1] in " \t\n":
            end -= 1
        return end


def _pieces(text: str, start: int, end: int) -> list[int]:
    """Edges between words as white space parts them."""
    return [*(match.start() for match in _PIECE.finditer(text, start, end)), end]


def _words(text: str, start: int, end: int) -> list[int]:
    """Edges between the words of any script, never inside what a reader sees as one character."""
    import regex

    between = {match.start() for match in regex.finditer(r"(?w)\b", text, pos=start, endpos=end)}
    return [start, *(edge for edge in _characters(text, start, end)[1:-1] if edge in between), end]


def _characters(text: str, start: int, end: int) -> list[int]:
    """Edges between what a reader sees as characters."""
    import regex

    return [*(match.start() for match in regex.finditer(r"\X", text, pos=start, endpos=end)), end]
