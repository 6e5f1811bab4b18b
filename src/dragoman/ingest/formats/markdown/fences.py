"""Which lines and characters of a Markdown text are code.

In: lines, one after the other. Out: whether a line lies in a fence, and where the code spans of a line are. It knows
no other markup: what stands in code is never touched by the modules that ask here.
"""

import re
from bisect import bisect_left

_OPEN = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+(`{3,}+(?=[^`]*+\Z)|~{3,}+)")
_RUN = re.compile(r"`++")
_CODE_INDENT = 4  # CommonMark's, and what MkDocs asks of the content of a container


class Fences:
    """Follows fenced code through the lines of a page.

    Args:
        loose: Indentation ends no fence, as in MDX; else a line that leaves the fence's container ends it.
    """

    __slots__ = ("_column", "_loose", "mark")

    def __init__(self, *, loose: bool = False) -> None:
        self.mark = ""  # the marker of the fence that is open
        self._column = 0
        self._loose = loose

    def inside(self, line: str) -> bool:
        """Whether the next line belongs to a fence; its two marker lines do."""
        if self.mark:
            bare = line.strip()
            if bare.startswith(self.mark) and not bare.strip(self.mark[0]):
                self.mark = ""
                return True
            left = self._column >= _CODE_INDENT and bare and width(line) <= self._column - _CODE_INDENT
            if self._loose or not left:
                return True
            self.mark = ""
        if "```" not in line and "~~~" not in line:
            return False
        opened = _OPEN.match(line)
        if not opened:
            return False
        self.mark, self._column = opened[1], len(line[: opened.start(1)].expandtabs(_CODE_INDENT))
        return True


def width(line: str) -> int:
    """Columns of white space that a line begins with; a tab goes to the next fourth."""
    space = line[: len(line) - len(line.lstrip(" \t"))]
    return len(space.expandtabs(_CODE_INDENT)) if "\t" in space else len(space)


def code_spans(line: str) -> list[tuple[int, int]]:
    """Where the code spans of a line are, as ``(start, end)``; a span over several lines is not found."""
    if "`" not in line:
        return []
    runs = [(run.start(), run.end()) for run in _RUN.finditer(line)]
    places: dict[int, list[int]] = {}
    for index, (start, end) in enumerate(runs):
        places.setdefault(end - start, []).append(index)
    spans = []
    index = 0
    while index < len(runs):
        start, end = runs[index]
        same = places[end - start]
        after = bisect_left(same, index + 1)
        if after < len(same):
            spans.append((start, runs[same[after]][1]))
            index = same[after]
        index += 1
    return spans
