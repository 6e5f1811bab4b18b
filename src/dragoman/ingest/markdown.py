"""Markdown by structure: a document's sections and the blocks inside them.

In: the text of a document. Out: sections (a heading and its own text), each a list of blocks that
know their lines and the blocks inside them. It knows nothing of tokens; the chunker packs what is found here.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from dragoman.ingest.containers import Container, unfold

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

BlockKind = Literal["text", "fence", "code", "table", "list", "item", "quote", "container", "html", "links"]

_ATTRIBUTES = re.compile(r"\s*(?:\{[:#. ][^{}]*\}|\{/\*[^{}]*\*/\})\s*$")
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>")
_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:[ \t]*\S")
_HASHES = re.compile(r"[ \t]*#{1,6}(?:[ \t]+|$)")
_CLOSING = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_LEAVES: dict[str, BlockKind] = {
    "Paragraph": "text",
    "CodeBlock": "fence",
    "Table": "table",
    "HtmlBlock": "html",
    "Heading": "text",  # inside a list or a quote: those at the top make sections
}
_NESTED: dict[str, BlockKind] = {"List": "list", "Item": "item", "BlockQuote": "quote"}
_DEEPEST = 20  # blocks inside blocks: what is nested deeper is cut at its lines


@dataclass(frozen=True, slots=True)
class Block:
    """Lines ``[first, last)`` (0-based) of the text that belong together.

    ``children`` are the blocks inside a list, an item, a quote or a container, in order; lines between them (a label, a
    bullet) belong to the one that follows.
    """

    kind: BlockKind
    first: int
    last: int
    children: tuple["Block", ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its own text, without its subsections.

    ``heading`` is "" and ``level`` 0 for what comes before the first heading; ``source`` is the heading as it is written. ``first`` is
    the line of the heading (or of the first block), ``body`` the first line after the heading, ``last`` the one after its last line
    that holds something. Link definitions at a section's end are a block of kind ``links``.
    """

    level: int
    heading: str
    source: str
    first: int
    body: int
    last: int
    blocks: tuple[Block, ...]


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def parse(text: str) -> list[Section]:
    """Cut a Markdown text into sections.

    Args:
        text: Normalised text, its front matter emptied; a line ends at ``"\\n"`` only.

    Returns:
        Sections in order; their line ranges do not overlap, and every line that holds something is in one.
    """
    lines = text.split("\n")
    shadow, containers = unfold(lines)
    outline = _Outline(shadow)
    heads = outline.heads
    starts = [head.first for head in heads]
    edges = [_first_filled(lines, 0, starts[0] if starts else len(lines)), *starts, len(lines)]
    sections = []
    if edges[0] < edges[1]:
        top = _Head(0, "", edges[0], edges[0])
        sections.append(_section(top, edges[1], outline.blocks(edges[0], edges[1]), containers, lines))
    for head, last in zip(heads, edges[2:], strict=True):
        sections.append(_section(head, last, outline.blocks(head.body, last), containers, lines))
    return sections


@dataclass(frozen=True, slots=True)
class _Head:
    level: int
    source: str
    first: int
    body: int


class _Outline:
    """The blocks of a page, as pulldown-cmark finds them; it reads tens of megabytes a second."""

    def __init__(self, shadow: list[str]) -> None:
        self.shadow = shadow
        text = "\n".join(shadow)
        sizes = map(len, shadow) if text.isascii() else (len(line.encode("utf-8", "replace")) for line in shadow)
        self.starts = array("q", accumulate((size + 1 for size in sizes), initial=0))  # in bytes
        self.heads: list[_Head] = []
        self.top: list[Block] = []
        self._read(text)
        self.firsts = [block.first for block in self.top]

    def blocks(self, first: int, last: int) -> list[Block]:
        """The outermost blocks that begin in the lines ``[first, last)``."""
        return self.top[bisect_left(self.firsts, first) : bisect_left(self.firsts, last)]

    def _read(self, text: str) -> None:
        import pyromark

        open_blocks: list[list[Block]] = [self.top]
        found: Any = pyromark.events_with_range(text, options=pyromark.Options.ENABLE_TABLES)
        for event, place in found:
            if type(event) is str:
                if event == "Rule":
                    open_blocks[-1].append(self._block("text", place, ()))
                continue
            begun = event.get("Start")
            if begun is not None:
                name = begun if type(begun) is str else next(iter(begun))
                if name in _NESTED:
                    open_blocks.append([])
                elif name == "Heading" and len(open_blocks) == 1:
                    self.heads.append(self._head(int(begun["Heading"]["level"][1]), place))
                elif name in _LEAVES:
                    kind = "code" if begun == {"CodeBlock": "Indented"} else _LEAVES[name]
                    open_blocks[-1].append(self._block(kind, place, ()))
                continue
            ended = event.get("End")
            if ended is not None:
                name = ended if type(ended) is str else next(iter(ended))
                if name in _NESTED:
                    children = open_blocks.pop()
                    inside = children if len(open_blocks) <= _DEEPEST else []
                    open_blocks[-1].append(self._block(_NESTED[name], place, inside))

    def _head(self, level: int, place: dict[str, int]) -> _Head:
        first, body = self._lines(place)
        if body - first > 1 or not _HASHES.match(self.shadow[first]):
            source = "\n".join(line.strip(" \t") for line in self.shadow[first : body - 1])
        else:
            source = _CLOSING.sub("", _HASHES.sub("", self.shadow[first], count=1)).strip(" \t")
        return _Head(level, source, first, body)

    def _block(self, kind: BlockKind, place: dict[str, int], children: Sequence[Block]) -> Block:
        first, last = self._lines(place)
        while last > first + 1 and not self.shadow[last - 1].strip(" \t"):
            last -= 1
        if kind in {"item", "quote"}:
            children = self._with_text(children, first, last)
        return Block(kind, first, last, tuple(children))

    def _with_text(self, children: Sequence[Block], first: int, last: int) -> list[Block]:
        """The blocks of an item, with the lines between them that are in none: an item's own words need not be a paragraph."""
        filled: list[Block] = []
        reached = first
        for child in [*children, Block("text", last, last)]:
            start, end = reached, child.first
            while end > start and not self.shadow[end - 1].strip(" \t"):
                end -= 1
            while start < end and not self.shadow[start].strip(" \t"):
                start += 1
            if start < end:
                filled.append(Block("text", start, end))
            if child.last > child.first >= reached:
                filled.append(child if child.last <= last else replace(child, last=last))
            reached = max(reached, child.last)
        return filled

    def _lines(self, place: dict[str, int]) -> tuple[int, int]:
        """The lines ``[first, last)`` of a range of bytes."""
        first = bisect_right(self.starts, place["start"]) - 1
        return first, max(bisect_left(self.starts, place["end"]), first + 1)


def _section(head: _Head, last: int, blocks: list[Block], containers: Sequence[Container], lines: list[str]) -> Section:
    body = min(head.body, last)
    while last > body and not lines[last - 1].strip(" \t"):
        last -= 1
    filled = _first_filled(lines, body, last)
    theirs = slice(bisect_left(containers, body, key=_begins), bisect_left(containers, last, key=_begins))
    blocks = _Nest(blocks, containers[theirs]).until(last)
    if filled < last:
        blocks = _covering(blocks, filled, last, lines)
    return Section(head.level, _plain(head.source), head.source, head.first, body, last, tuple(blocks))


def _covering(blocks: list[Block], first: int, last: int, lines: list[str]) -> list[Block]:
    """The blocks with every line between ``first`` and ``last`` in one of them: definitions of links are in no block of Markdown's."""
    reached = blocks[-1].last if blocks else first
    tail = _first_filled(lines, reached, last)
    if tail < last and all(not line.strip(" \t") or _DEFINITION.match(line) for line in lines[tail:last]):
        blocks = [*blocks, Block("links", tail, last)]
    elif not blocks:
        blocks = [Block("text", first, last)]
    edges = [*(block.first for block in blocks[1:]), last]
    blocks = [_grown(block, edge, lines) for block, edge in zip(blocks, edges, strict=True)]
    return [replace(blocks[0], first=first), *blocks[1:]] if blocks[0].first > first else blocks


def _grown(block: Block, edge: int, lines: list[str]) -> Block:
    """The block with what stands between it and the next one, if anything does."""
    last = edge
    while last > block.last and not lines[last - 1].strip(" \t"):
        last -= 1
    return replace(block, last=last) if last > block.last else block


class _Nest:
    """Puts blocks into the containers that they stand in, in one pass over both."""

    def __init__(self, blocks: Sequence[Block], containers: Sequence[Container]) -> None:
        self.blocks, self.containers = deque(blocks), deque(containers)

    def until(self, end: int) -> list[Block]:
        """What begins and ends before the line ``end``."""
        found: list[Block] = []
        while True:
            block = self.blocks[0] if self.blocks else None
            container = self.containers[0] if self.containers else None
            if container and container.first < end and (block is None or container.first <= block.first):
                self.containers.popleft()
                if not found or found[-1].last <= container.first:  # or else it stands inside a list
                    found += self._container(container, min(container.last, end))
            elif block and block.last <= end:
                found.append(self.blocks.popleft())
            else:
                return found

    def _container(self, container: Container, end: int) -> list[Block]:
        children = self.until(end)
        if self.blocks and self.blocks[0].first < end:  # HTML that never ends reaches out of it
            return children
        return [Block("container", container.first, end, tuple(children))]


def _begins(container: Container) -> int:
    return container.first


def _first_filled(lines: list[str], start: int, stop: int) -> int:
    return next((line for line in range(start, stop) if lines[line].strip(" \t")), stop)


@cache
def _marked() -> re.Pattern[str]:
    return re.compile(r"[\\`*_\[\]!<>&{}\n]")


def _plain(source: str) -> str:
    """The words of a heading, without markup, attribute lists and tags."""
    if not _marked().search(source):
        return re.sub(r"\s+", " ", source).strip()
    inline = _parser().parseInline(_ATTRIBUTES.sub("", source))[0]
    parts = [" " if child.type == "softbreak" else child.content for child in inline.children or []]
    return re.sub(r"\s+", " ", _TAG.sub("", "".join(parts))).strip()
