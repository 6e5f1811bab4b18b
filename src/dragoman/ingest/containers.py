"""Admonitions, tabs and directives: content that Markdown's own grammar takes for code or for one paragraph.

In: the lines of a page. Out: a shadow of them, line for line, in which that content stands at the margin as plain Markdown, and the
lines that each container spans. Only the structure is read off the shadow; a chunk's text is the page's own.
"""

import re
from dataclasses import dataclass
from typing import Final

_INDENTED = re.compile(r"(?:!!!|\?\?\?\+?|===[+!]?)[ \t]+[\"\w]")  # MkDocs: content is indented by four
_COLONS = re.compile(r"(:{3,})[ \t]*(\{?)(\S?)")  # Docusaurus, VitePress, MyST: content ends at as many colons
_FENCE = re.compile(r"`{3,}(?=[^`]*\Z)|~{3,}")
_DIRECTIVE = re.compile(r"[`~]{3,}[ \t]*\{([\w:-]+)\}")  # MyST: a fence whose content is Markdown
_ANY = re.compile(r"^[ \t>*+-]*(?:!!!|\?\?\?|===[+!]?[ \t]|:::|[`~]{3,}[ \t]*\{)", re.MULTILINE)
_CODE_DIRECTIVES: Final = frozenset(
    [
        "code",
        "code-block",
        "code-cell",
        "csv-table",
        "doctest",
        "eval-rst",
        "graphviz",
        "include",
        "list-table",
        "literalinclude",
        "math",
        "mermaid",
        "parsed-literal",
        "plantuml",
        "prompt",
        "raw",
        "sourcecode",
        "testcode",
        "toctree",
    ]
)
_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_DEEPEST = 20  # containers inside containers
_CODE_INDENT = 4  # CommonMark's


@dataclass(frozen=True, slots=True)
class Container:
    """Lines ``[first, last)``; the first is the label."""

    first: int
    last: int


@dataclass(slots=True)
class _Open:
    first: int
    indent: int  # of its content (indented containers) or of its marker
    shift: int  # how far its content moves to the left
    close: str  # the marker that ends it; "" for one that ends where its indent does


class _Scan:
    """One pass over the lines of a page."""

    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.found: list[Container] = []
        self.shadow: list[str] = []
        self.fence = ""
        self.in_list = False  # since the last line at the margin: there, an indent of four need not be code
        self.held = 0  # lines with content so far: where the innermost container ends when its indent does

    def line(self, number: int, line: str) -> None:
        """Take in the next line."""
        bare = line.lstrip(" \t")
        if not bare:
            self.shadow.append("")
            return
        indent = len(line.expandtabs(4)) - len(bare.expandtabs(4))
        self._leave(indent)
        if _ITEM.match(bare) or indent == 0:
            self.in_list = bool(_ITEM.match(bare))
        shift = self.stack[-1].shift if self.stack else 0
        moved = " " * max(indent - shift, 0) + bare if shift else line
        marker = _FENCE.match(bare)
        if self.fence:
            if bare.startswith(self.fence) and not bare.strip(self.fence[0] + " \t"):
                self.fence = ""
        elif self._closes(bare):
            self.found.append(Container(self.stack.pop().first, number + 1))
            moved = ""
        elif self._opens(bare, number, indent, shift, marker):
            moved = ""
        elif marker:
            self.fence = marker.group()
        self.shadow.append(moved)
        self.held = number + 1

    def end(self) -> None:
        """Close what is still open."""
        while self.stack:
            self.found.append(Container(self.stack.pop().first, self.held))

    def _leave(self, indent: int) -> None:
        """Close the containers that the indent of this line has left."""
        while any(not top.close and indent < top.indent for top in self.stack):
            top = self.stack.pop()
            if self.fence and self.held - 1 > top.first:
                # A fence that its container cuts off must not swallow the page below it.
                self.shadow[self.held - 1] = self.fence
            self.fence = ""
            self.found.append(Container(top.first, self.held))

    def _opens(self, bare: str, number: int, indent: int, shift: int, marker: re.Match[str] | None) -> bool:
        if (indent - shift >= _CODE_INDENT and not self.in_list) or len(self.stack) == _DEEPEST:
            return False
        if _INDENTED.match(bare):
            self.stack.append(_Open(number, indent + 4, shift + 4, ""))
            return True
        colons = _COLONS.match(bare)
        directive = _DIRECTIVE.match(bare) if marker else None
        if colons and colons[3]:
            self.stack.append(_Open(number, indent, shift, colons[1]))
        elif directive and marker and directive[1] not in _CODE_DIRECTIVES:
            self.stack.append(_Open(number, indent, shift, marker.group()))
        else:
            return False
        return True

    def _closes(self, bare: str) -> bool:
        close = self.stack[-1].close if self.stack else ""
        return bool(close) and bare.startswith(close) and not bare.strip(close[0] + " \t")


def unfold(lines: list[str]) -> tuple[list[str], list[Container]]:
    """Find the containers of a page.

    Args:
        lines: Its lines, without front matter.

    Returns:
        The shadow, with as many lines, and the containers in the order of their first lines, an outer one before those inside.
    """
    if not _ANY.search("\n".join(lines)):
        return lines, []
    scan = _Scan()
    for number, line in enumerate(lines):
        scan.line(number, line)
    scan.end()
    return scan.shadow, sorted(scan.found, key=lambda found: (found.first, -found.last))
