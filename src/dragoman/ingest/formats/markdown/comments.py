"""Takes comments out of a page: HTML's and MDX's.

In: the lines of a page. Out: the same list with what was commented emptied; no line moves. Code is left as it is.
"""

import re
from bisect import bisect_right

from dragoman.ingest.formats.markdown.fences import Fences, code_spans

_OWN_ID = re.compile(r"\s*#[\w-]+\s*\Z")  # Docusaurus: the id of a heading stands in a comment
_EMPTY = (">", "->")  # what makes "<!-->" and "<!--->" whole comments


class Comments:
    """One kind of comment in the lines of a page.

    Args:
        texts: The lines; they are changed in place.
        opener: What a comment begins with.
        closer: What it ends with.
        loose: As for ``Fences``.
    """

    def __init__(self, texts: list[str], opener: str, closer: str, *, loose: bool = False) -> None:
        self._texts, self._opener, self._closer, self._loose = texts, opener, closer, loose
        self._last = max((index for index, text in enumerate(texts) if closer in text), default=-1)
        self._none_before = 0  # a paragraph up to here holds no closer

    def blank(self) -> int | None:
        """Empty them.

        Returns:
            The line (0-based) of a comment that hides the rest of the page because it is never closed.
        """
        texts, fences = self._texts, Fences(loose=self._loose)
        opener, index = self._opener, 0
        while index < len(texts):
            line = texts[index]
            # A quoted line is left alone: it may be quoted code, and its comments would show as little.
            if fences.inside(line) or opener not in line or line.lstrip(" ").startswith(">"):
                index += 1
                continue
            stop = self._line(index)
            if stop is None:
                return index
            index = stop
        return None

    def _line(self, index: int) -> int | None:
        """Cut the comments that begin on a line; gives the next line, ``None`` when the page ends inside one."""
        line = self._texts[index]
        spans = code_spans(line)
        starts = [start for start, _ in spans]
        kept: list[str] = []
        done, place = 0, line.find(self._opener)
        while place >= 0:
            span = bisect_right(starts, place) - 1
            if span >= 0 and place < spans[span][1]:
                place = line.find(self._opener, spans[span][1])
                continue
            end = self._end(line, place)
            if end < 0:
                return self._open(index, "".join(kept) + line[done:place], place)
            if line.startswith("#") and _OWN_ID.match(line[place + len(self._opener) : end - len(self._closer)]):
                place = line.find(self._opener, end)
                continue
            kept.append(line[done:place])
            done = end
            place = line.find(self._opener, end)
        if done:
            self._put(index, "".join(kept) + line[done:])
        return index + 1

    def _end(self, line: str, place: int) -> int:
        inner = place + len(self._opener)
        if self._opener == "<!--" and line.startswith(_EMPTY, inner):
            return line.index(">", inner) + 1
        end = line.find(self._closer, inner)
        return end + len(self._closer) if end >= 0 else -1

    def _open(self, index: int, before: str, place: int) -> int | None:
        """A comment that goes on below: to its end, or, at the start of a line, over the whole rest of the page."""
        texts = self._texts
        if before.strip():
            close = self._close_in_paragraph(index + 1)
            if close is None:
                if before != texts[index][:place]:
                    self._put(index, before + texts[index][place:])
                return index + 1
        elif self._last > index:
            close = next(row for row in range(index + 1, self._last + 1) if self._closer in texts[row])
        else:
            texts[index:] = [""] * (len(texts) - index)
            return None
        self._put(index, before)
        texts[index + 1 : close] = [""] * (close - index - 1)
        self._put(close, texts[close].partition(self._closer)[2])
        return close

    def _close_in_paragraph(self, start: int) -> int | None:
        if start < self._none_before:
            return None
        for row in range(start, len(self._texts)):
            if not self._texts[row].strip():
                self._none_before = row
                return None
            if self._closer in self._texts[row]:
                return row
        self._none_before = len(self._texts)
        return None

    def _put(self, index: int, text: str) -> None:
        self._texts[index] = text.rstrip() if text.strip() else ""
