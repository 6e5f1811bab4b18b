"""Parts of a file that a page asks for: line ranges, named sections and regions, what stands between two marks.

In: the numbered lines of a file. Out: the lines that were asked for, with their numbers; ``None`` when the named
part is not in the file. It reads no file and knows no directive.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.ingest.formats.markdown.fences import Fences

Rows = list[tuple[int, str]]  # line number (1-based) and text

_SNIPPET_MARK = re.compile(r"-++8<-++[ \t]++\[[ \t]*+(start|end)[ \t]*+:[ \t]*+([\w-]++)[ \t]*+\]")
_REGION = re.compile(r"(?i)#?\s?(?:pragma\s)?\b(end)?\s?region\b[ \t]*+([\w*-]*+)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]++(.*))?\Z")
_MARK_LENGTH = 400  # no one marks a region on a line as long as this


@dataclass(frozen=True, slots=True)
class Range:
    """Lines ``first`` to ``last``, both included; 0 is an open end, a negative number counts from the file's end."""

    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of a file is asked for; all of it when nothing is said.

    ``start`` and ``end`` may stand inside a line; ``after`` and ``before`` name whole lines, which count when ``with_first`` and
    ``with_last`` say so.
    """

    ranges: tuple[Range, ...] = ()
    section: str = ""
    region: str = ""
    object: str = ""
    start: str = ""
    end: str = ""
    after: str = ""
    before: str = ""
    with_first: bool = False
    with_last: bool = False
    dedent: bool = False
    levels: int = 0

    def of(self, rows: Rows) -> Rows | None:
        """The lines that are meant; ``None`` when the file has no such part."""
        chosen: Rows | None = rows
        if self.section:
            chosen = section(rows, self.section)
        elif self.region:
            chosen = region(rows, self.region)
        elif self.object:
            chosen = python_object(rows, self.object)
        elif self.start or self.end:
            chosen = between(rows, self.start, self.end)
        if chosen is not None and self.ranges:
            chosen = ranged(chosen, self.ranges)
        if chosen is not None and (self.after or self.before):
            chosen = trimmed(chosen, self)
        if chosen is None:
            return None
        chosen = without_marks(dedented(chosen) if self.dedent else chosen)
        return shifted(chosen, self.levels) if self.levels else chosen


def numbered(text: str) -> Rows:
    """The lines of a file with their numbers; a line feed at its end begins no line."""
    rows = list(enumerate(text.split("\n"), start=1))
    return rows[:-1] if rows[-1][1] == "" else rows


def ranged(rows: Rows, ranges: Sequence[Range]) -> Rows:
    """The lines within any of the ranges, in the order of the ranges."""
    total = rows[-1][0] if rows else 0
    chosen: Rows = []
    for part in ranges:
        first = max(1, part.first + total + 1 if part.first < 0 else part.first)
        last = part.last + total + 1 if part.last < 0 else part.last or total
        chosen += [row for row in rows if first <= row[0] <= last]
    return chosen


def without_marks(rows: Rows) -> Rows:
    """The lines but those that begin or end a section of MkDocs' snippets."""
    return [row for row in rows if "8<-" not in row[1] or not _SNIPPET_MARK.search(row[1])]


def section(rows: Rows, name: str) -> Rows | None:
    """What stands between the marks of a section of MkDocs' snippets."""
    chosen: Rows = []
    inside = found = False
    for row in rows:
        mark = _SNIPPET_MARK.search(row[1]) if "8<-" in row[1] else None
        if mark and mark[2] == name:
            inside = mark[1] == "start"
            found = found or inside
        elif inside and not mark:
            chosen.append(row)
    return chosen if found else None


def region(rows: Rows, name: str) -> Rows | None:
    """What stands between the marks of an editor's region, or else below the heading of that anchor."""
    chosen: Rows = []
    depth = 0
    found = False
    for row in rows:
        mark = _REGION.search(row[1]) if "region" in row[1].lower() and len(row[1]) < _MARK_LENGTH else None
        if mark and mark[2] == name and not found and not mark[1]:
            found, depth = True, 1
        elif depth:
            if mark and mark[1] and mark[2] in {name, ""}:
                depth = 0
            elif not mark:
                chosen.append(row)
    return chosen if found else _below_heading(rows, name)


def _below_heading(rows: Rows, anchor: str) -> Rows | None:
    chosen: Rows = []
    level = 0
    for row in rows:
        heading = _HEADING.match(row[1])
        if heading and level and len(heading[1]) <= level:
            break
        if heading and not level:
            words = re.sub(r"[^\w\s-]", "", (heading[2] or "").strip().lower())
            level = len(heading[1]) if re.sub(r"\s+", "-", words) == anchor else 0
        if level:
            chosen.append(row)
    return chosen or None


def between(rows: Rows, start: str, end: str) -> Rows | None:
    """Every stretch from after ``start`` to before ``end``, which may stand inside a line; "" is the file's own end."""
    text = "\n".join(line for _, line in rows)
    chosen: Rows = []
    place = line = 0  # where the search is, and the index of its row
    begin = text.find(start)
    while begin >= 0:
        begin += len(start)
        stop = text.find(end, begin) if end else -1
        stop = len(text) if stop < 0 else stop
        line += text.count("\n", place, begin)
        chosen += [(rows[line + index][0], part) for index, part in enumerate(text[begin:stop].split("\n"))]
        line += text.count("\n", begin, stop)
        place = stop
        begin = text.find(start, place) if start else -1
    return chosen or None


def trimmed(rows: Rows, part: Selection) -> Rows | None:
    """The lines from one that holds ``part.after`` to one that holds ``part.before``."""
    first, last = 0, len(rows)
    if part.after:
        found = next((index for index, (_, text) in enumerate(rows) if part.after in text), None)
        if found is None:
            return None
        first = found if part.with_first else found + 1
    if part.before:
        found = next((index for index in range(first, last) if part.before in rows[index][1]), None)
        if found is None:
            return None
        last = found + 1 if part.with_last else found
    return rows[first:last]


def python_object(rows: Rows, name: str) -> Rows | None:
    """The lines of a class or function, told by its indentation; of a dotted name, the last part counts."""
    opening = re.compile(rf"([ \t]*)(?:async[ ]+)?(?:def|class)[ ]+{re.escape(name.rpartition('.')[2])}\b")
    first = next((index for index, (_, text) in enumerate(rows) if opening.match(text)), None)
    if first is None:
        return None
    margin = len(rows[first][1]) - len(rows[first][1].lstrip(" \t"))
    last = first + 1
    while last < len(rows):
        text = rows[last][1]
        if text.strip() and len(text) - len(text.lstrip(" \t")) <= margin and text.strip()[0] not in ")]}":
            break
        last += 1
    while not rows[last - 1][1].strip():
        last -= 1
    return rows[first:last]


def dedented(rows: Rows) -> Rows:
    """The lines without the white space that all of them begin with."""
    filled = [text for _, text in rows if text.strip()]
    margin = min((len(text) - len(text.lstrip(" \t")) for text in filled), default=0)
    return [(line, text[margin:] if text.strip() else "") for line, text in rows] if margin else rows


def shifted(rows: Rows, levels: int) -> Rows:
    """The lines with each heading as many levels lower; a ``#`` in code is none, and is told by its fence."""
    fences = Fences()
    chosen: Rows = []
    for line, text in rows:
        heading = None if fences.inside(text) or "#" not in text else _HEADING.match(text)
        if heading:
            level = min(6, max(1, len(heading[1]) + levels))
            text = "#" * level + text.lstrip(" ")[len(heading[1]) :]  # noqa: PLW2901 - the row goes on with it
        chosen.append((line, text))
    return chosen
