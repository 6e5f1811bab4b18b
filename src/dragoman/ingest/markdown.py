"""Markdown by structure: a document's sections and the blocks inside them.

In: the text of a document. Out: sections (a heading and its own text), each a list of blocks that
know their lines. It knows nothing of tokens; the chunker packs what is found here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BlockKind = Literal["text", "fence", "table", "list", "label", "html"]

_CONTAINER = re.compile(r"(!!!|\?\?\?\+?|===[+!]?)[ \t]+[\"\w]")  # admonitions and tabs of MkDocs
_FENCE = re.compile(r"`{3,}(?=[^`]*\Z)|~{3,}")
_FRONT = re.compile(r"---[ \t]*\n(?:.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_ATTRIBUTES = re.compile(r"\s*\{[:#. ][^{}]*\}\s*$")
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines ``[first, last)`` (0-based) of the text that belong together.

    ``cuts`` are the lines, inside the block, where it may be cut if it alone is over the budget.
    """

    kind: BlockKind
    first: int
    last: int
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its own text, without its subsections.

    ``heading`` is "" and ``level`` 0 for what comes before the first heading. ``first`` is the line
    of the heading (or of the first block), ``body`` the first line after the heading.
    """

    level: int
    heading: str
    first: int
    body: int
    last: int
    blocks: tuple[Block, ...]


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def parse(text: str) -> list[Section]:
    """Cut a Markdown text into sections.

    Args:
        text: Normalised text; a line ends at ``"\\n"`` only.

    Returns:
        Sections in order; their line ranges do not overlap. Front matter belongs to none.
    """
    front = _FRONT.match(text)
    skipped = len(front.group().removesuffix("\n").split("\n")) if front else 0
    lines = text.split("\n")
    shadow = "\n".join([""] * skipped + list(_dedented(lines[skipped:])))
    tokens = [token for token in _parser().parse(shadow) if token.map is not None]
    return list(_sections(tokens, lines))


def _dedented(lines: list[str]) -> Iterator[str]:
    """The same lines with the content of admonitions and tabs moved to the left margin.

    CommonMark would take that content, indented by four, for code; line numbers stay the same.
    """
    stack: list[int] = []
    fence = ""
    for line in lines:
        bare = line.lstrip(" \t")
        indent = len(line.expandtabs(4)) - len(bare.expandtabs(4)) if bare else 0
        while stack and bare and indent < stack[-1]:
            stack.pop()
            fence = ""
        margin = stack[-1] if stack else 0
        moved = " " * (indent - margin) + bare if margin and bare else line
        marker = _FENCE.match(bare)
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0] + " \t"):
                fence = ""
        elif marker:
            fence = marker.group()
        elif _CONTAINER.match(bare) and indent - margin < 4:  # noqa: PLR2004 - CommonMark's indent of code
            stack.append(indent + 4)
        # Without its quotes' line break the label would swallow an unindented next line: harmless.
        yield moved


def _sections(tokens: "list[Token]", lines: list[str]) -> Iterator[Section]:
    level, heading, first, body = 0, "", None, 0
    blocks: list[Block] = []
    for index, token in enumerate(tokens):
        start, end = token.map or (0, 0)
        if token.level == 0 and token.type == "heading_open":
            if first is not None:
                yield Section(level, heading, first, body, _end(blocks, body), tuple(blocks))
            level, heading = int(token.tag[1:]), _plain(tokens[index + 1])
            first, body, blocks = start, end, []
        elif token.level == 0 and token.type != "inline" and end > start:
            if first is None:
                first = body = start
            blocks.append(_block(token, index, tokens, lines))
    if first is not None:
        yield Section(level, heading, first, body, _end(blocks, body), tuple(blocks))


def _end(blocks: list[Block], body: int) -> int:
    return blocks[-1].last if blocks else body


def _block(token: "Token", index: int, tokens: "list[Token]", lines: list[str]) -> Block:
    first, last = token.map or (0, 0)
    while last > first + 1 and not lines[last - 1].strip():
        last -= 1
    if token.type in {"fence", "code_block"}:
        return Block("fence", first, last, tuple(range(first + 1, last)))
    if token.type == "table_open":
        return Block("table", first, last, tuple(range(first + 2, last)))
    if token.type in {"bullet_list_open", "ordered_list_open"}:
        return Block("list", first, last, _items(index, tokens, last))
    if token.type == "html_block":
        return Block("html", first, last, tuple(range(first + 1, last)))
    if _CONTAINER.match(lines[first].lstrip()):
        return Block("label", first, last, tuple(range(first + 1, last)))
    return Block("text", first, last, tuple(range(first + 1, last)))


def _items(index: int, tokens: "list[Token]", last: int) -> tuple[int, ...]:
    starts = []
    for token in tokens[index + 1 :]:
        if token.level == 0 and token.type != "inline":
            break
        if token.level == 1 and token.type == "list_item_open" and token.map and token.map[0] < last:
            starts.append(token.map[0])
    return tuple(starts[1:])


def _plain(inline: "Token") -> str:
    """The words of a heading, without markup, attribute lists and tags."""
    content = _ATTRIBUTES.sub("", inline.content)
    if content != inline.content:
        inline = _parser().parseInline(content)[0]
    parts = [" " if child.type == "softbreak" else child.content for child in inline.children or []]
    return re.sub(r"\s+", " ", _TAG.sub("", "".join(parts))).strip()
