"""Blocks of Markdown whose lines know where they came from: what the converters of other formats are built of.

In: words, and the lines they stood on. Out: lists of ``Line`` that nest (a fence in a list item in a note) and join into a
``Page``. It knows no input format.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.ingest.formats.page import LeftOut, Page, PageLines

CONTINUED: Final = "continued"
DEEPEST: Final = 40  # levels of nesting that are still followed; deeper text is kept, flat

_START = re.compile(r"(?=#{1,6}(?:\s|\Z)|>|[-+*](?:\s|\Z)|`{3}|~{3}|=+\s*\Z|-+\s*\Z)")
_OWN_ID = re.compile(r" \{: #[^\s{}]+\}\Z")
_HEADING = re.compile(r"#{1,6} ")
_NUMBER = re.compile(r"(\d{1,9})([.)])(?=\s|\Z)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_TICKS = re.compile(r"`{3,}")
_LANGUAGE = re.compile(r"[^\w+#.-]+")
_KINDS: Final = {
    "attention": "WARNING",
    "caution": "CAUTION",
    "danger": "CAUTION",
    "deprecated": "WARNING",
    "error": "CAUTION",
    "hint": "TIP",
    "important": "IMPORTANT",
    "tip": "TIP",
    "warning": "WARNING",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of Markdown, and the line (1-based) of the file it came from; ``file`` is "" for the page itself."""

    text: str
    line: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: the Markdown of its cells, and where it stood."""

    cells: tuple[str, ...]
    line: int
    file: str = ""


def word_set(text: str) -> frozenset[str]:
    """A closed list of words, written as one text."""
    return frozenset(text.split())


def joined(blocks: Iterable[Sequence[Line]], *, tight: bool = False) -> list[Line]:
    """Blocks one after the other, an empty line between two of them unless ``tight``."""
    lines: list[Line] = []
    for block in blocks:
        if not block:
            continue
        if lines and not tight:
            lines.append(Line("", lines[-1].line, lines[-1].file))
        lines.extend(block)
    return lines


def indented(lines: Sequence[Line], first: str, rest: str) -> list[Line]:
    """The same lines behind a marker: ``first`` before the first one, ``rest`` before the others."""
    found = []
    for number, line in enumerate(lines):
        text = (rest if number else first) + line.text
        found.append(Line(text if line.text else text.rstrip(), line.line, line.file))
    return found


def heading(level: int, text: str, at: Line, anchor: str = "") -> list[Line]:
    """A heading, where ``at`` stood; level 7 and deeper become 6. ``anchor`` is its explicit id, marked in the way of ``Anchors``."""
    words = " ".join(text.split())
    mark = f" {{: #{anchor}}}" if anchor and not re.search(r"[\s{}]", anchor) else ""
    return [Line(f"{'#' * min(max(level, 1), 6)} {words}{mark}", at.line, at.file)] if words else []


def continued(head: Line) -> Line:
    """A heading once more, for text that follows what stands under it; its mark says that it is the same section."""
    return Line(f"{_OWN_ID.sub('', head.text)} {{: .{CONTINUED}}}", head.line, head.file)


def is_heading(line: Line) -> bool:
    """Whether a line of a converter's is a heading: in words a ``#`` is escaped."""
    return bool(_HEADING.match(line.text))


def fence(lines: Sequence[Line], language: str, at: Line) -> list[Line]:
    """Code as a fence that is longer than any in it; the opening stands where ``at`` stood."""
    filled = [number for number, line in enumerate(lines) if line.text.strip()]
    if not filled:
        return []
    lines = lines[filled[0] : filled[-1] + 1]
    longest = max((len(run) for line in lines for run in _TICKS.findall(line.text)), default=2)
    ticks = "`" * (longest + 1)
    opening = Line(ticks + _LANGUAGE.sub("", language), at.line, at.file)
    return [opening, *lines, Line(ticks, lines[-1].line, lines[-1].file)]


def admonition(kind: str, title: str, body: Sequence[Line], at: Line) -> list[Line]:
    """A note, tip, warning and so on, as an alert in a quote; a ``title`` of its own is its first paragraph."""
    word = _KINDS.get(kind.lower(), "NOTE")
    head = [Line(f"[!{word}]", at.line, at.file)]
    if title and title.casefold() not in {kind.casefold(), word.casefold()}:
        head.append(Line(f"**{title.replace('*', '')}**", at.line, at.file))
        if body:
            head.append(Line("", at.line, at.file))
    return indented([*head, *body], "> ", "> ") if body or len(head) > 1 else []


def table(rows: Sequence[Row], *, head: bool) -> list[Line]:
    """Rows as a pipe table; without ``head`` its header is empty, as Markdown has no table without one."""
    rows = [row for row in rows if row.cells]
    if not rows or not any(cell.strip() for row in rows for cell in row.cells):
        return []
    width = min(max(len(row.cells) for row in rows), 100)
    body = list(rows)
    top = body.pop(0) if head else Row(("",) * width, rows[0].line, rows[0].file)
    lines = [_row(top, width), Line("|" + " --- |" * width, top.line, top.file)]
    return lines + [_row(row, width) for row in body]


def _row(row: Row, width: int) -> Line:
    cells = [" ".join(cell.split()).replace("\\|", "|").replace("|", "\\|") for cell in row.cells[:width]]
    cells += [""] * (width - len(cells))
    return Line("| " + " | ".join(cells) + " |", row.line, row.file)


def prose(text: str) -> str:
    """A line of plain words that Markdown cannot take for the start of a heading, a list, a quote or a fence."""
    bare = text.lstrip()
    marked = _START.match(bare)
    if marked:
        return "\\" + bare
    return _NUMBER.sub(r"\1\\\2", bare, count=1) if bare[:1].isdigit() and _NUMBER.match(bare) else bare


def untagged(text: str) -> str:
    """Words in which a ``<`` cannot be taken for the start of a tag."""
    return _TAG.sub(r"\\<", text)


def code(text: str) -> str:
    """A code span that holds ``text``, whatever ticks are in it."""
    words = " ".join(text.split())
    if not words:
        return ""
    if "`" not in words:
        return f"`{words}`"
    ticks = "`" * (max(len(run) for run in re.findall(r"`+", words)) + 1)
    return f"{ticks} {words} {ticks}"


def as_page(lines: Sequence[Line], title: str = "", left_out: Sequence[LeftOut] = ()) -> Page:
    """The page that these lines are."""
    page = PageLines()
    for line in lines:
        page.add(line.text, line.line, line.file)
    if lines:
        page.add("", lines[-1].line, lines[-1].file)
    return page.page(title, left_out=left_out)
