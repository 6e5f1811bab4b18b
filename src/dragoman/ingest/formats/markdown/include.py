"""Puts into a page what it takes from elsewhere: parts of other files, and docstrings.

In: the lines of a page and its neighbours. Out: all lines with the file and line that each came from, and what could not
be had. It reads no file itself; the neighbours decide what may be read.
"""

import re

from dragoman.ingest.formats.markdown.calls import Call, Describe, Include, View, call_at
from dragoman.ingest.formats.markdown.excerpt import Rows, numbered
from dragoman.ingest.formats.markdown.fences import Fences
from dragoman.ingest.formats.markdown.front import front_matter
from dragoman.ingest.formats.page import Included, LeftOut, Neighbours, PageLines

REASONS = ("include not found", "include in a circle", "no source for directive", "too much included")

_SIGNS = ("8<-", "{!", "{*", "@include:", "<<<", "```{", "~~~{", ":::", "[[autodoc]]")
_DEEPEST = 10
_MOST_CALLS = 2_000
_MOST_CHARACTERS = 2_000_000  # of all that one page takes in: a few files that include each other grow without end
_MARKDOWN = (".md", ".markdown", ".mdx")
_PARTIAL = re.compile(
    r"^import[ \t]+([A-Z]\w*)[ \t]+from[ \t]+[\"']([^\"'\n]+\.mdx?)[\"'][ \t]*;?[ \t]*$", re.MULTILINE
)
_TICKS = re.compile(r"`+")
_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|\Z)")


def asks(text: str) -> bool:
    """Whether a page may ask for anything; a look that costs next to nothing."""
    if ("{%" in text and "include" in text) or ("import " in text and _PARTIAL.search(text)):
        return True
    return any(sign in text for sign in _SIGNS)


def expand(text: str, path: str, neighbours: Neighbours) -> tuple[PageLines, list[LeftOut]]:
    """The page with everything in it that it asks for.

    Args:
        text: The page, its front matter already emptied.
        path: Where it is, relative to the docs folder.
        neighbours: Where files and docstrings are looked up.

    Returns:
        All lines with where they came from, and what was asked for in vain.
    """
    expander = _Expander(neighbours)
    expander.run(list(enumerate(text.split("\n"), start=1)), "", (path,))
    return expander.out, expander.left


class _Expander:
    """One page at work; ``place`` is the line of the page itself that is being expanded."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.out = PageLines()
        self.left: list[LeftOut] = []
        self._neighbours = neighbours
        self._fences = Fences()
        self._level = 0
        self._place = 1
        self._calls = 0
        self._room = _MOST_CHARACTERS

    def run(self, rows: Rows, file: str, trail: tuple[str, ...]) -> None:
        """Take over the lines of a file; ``trail`` holds the files that are open, this one last."""
        texts = [text for _, text in rows]
        partials = dict(_PARTIAL.findall("\n".join(texts))) if any(text.startswith("import ") for text in texts) else {}
        last_colons = max((index for index, text in enumerate(texts) if text.strip() == ":::"), default=-1)
        index = 0
        while index < len(rows):
            line, text = rows[index]
            if len(trail) == 1:
                self._place = line
            call = call_at(texts, index, View(bool(self._fences.mark), self._level, last_colons, partials))
            if call is None:
                self._emit(text, line, file)
                index += 1
            else:
                self._answer(call, rows[index : call.last], file, trail)
                index = call.last

    def _emit(self, text: str, line: int, file: str) -> None:
        if not self._fences.inside(text):
            if "#" in text and (heading := _HEADING.match(text)):
                self._level = len(heading[1])
            elif (
                text.startswith(("===", "---"))
                and len(set(text.rstrip())) == 1
                and self.out.texts
                and self.out.texts[-1].strip()
            ):
                self._level = 1 if text[0] == "=" else 2
        self.out.add(text, line, file)

    def _answer(self, call: Call, rows: Rows, file: str, trail: tuple[str, ...]) -> None:
        """Put in what a call asks for, or empty its lines."""
        if not call.actions:
            for number, (line, text) in enumerate(rows):
                self._emit((call.text or text) if number == 0 else text, line, file)
            return
        done = False
        for action in call.actions:
            self._calls += 1
            if self._calls > _MOST_CALLS:
                self._miss("too much included", action.name if isinstance(action, Describe) else action.target)
            elif isinstance(action, Describe):
                done = self._describe(action, rows[0], file) or done
            else:
                done = self._include(action, rows, file, trail) or done
        if not done:
            for line, _ in rows:
                self._emit("", line, file)

    def _miss(self, reason: str, detail: str) -> bool:
        self.left.append(LeftOut(self._place, reason, detail))
        return False

    def _describe(self, action: Describe, row: tuple[int, str], file: str) -> bool:
        page = self._neighbours.describe(action.name, min(max(action.level, 1), 6))
        if page is None:
            return self._miss("no source for directive", action.name)
        line, directive = row
        margin = _margin(directive)
        self._emit("", line, file)
        for index, text in enumerate(page.text.split("\n")):
            own = page.files[index] if page.files else ""
            # Without a file of its own, the text stands for the directive.
            number = page.lines[index] if page.lines and own else line
            self._emit(margin + text if text else "", number, own or file)
        if self._fences.mark:
            self._emit(margin + self._fences.mark, line, file)
        self._emit("", line, file)
        self.left += [LeftOut(self._place, left.reason, left.detail) for left in page.left_out]
        return True

    def _include(self, action: Include, rows: Rows, file: str, trail: tuple[str, ...]) -> bool:
        found = self._neighbours.include(action.target, trail[-1])
        chosen = None if found is None else self._chosen(action, found)
        if found is None or chosen is None:
            if not action.optional:
                return self._miss("include not found", action.target)
            for line, text in rows:
                self._emit(text, line, file)
            return True
        # A file may show a part of itself as code; as Markdown it would never end.
        if found.path in trail and action.code is None:
            return self._miss("include in a circle", found.path)
        self._room -= sum(len(text) + 1 for _, text in chosen)
        if len(trail) > _DEEPEST or self._room < 0:
            return self._miss("too much included", found.path)
        margin = _margin(rows[0][1])
        chosen = [(line, margin + text if text else "") for line, text in chosen]
        own = "" if found.path == trail[0] else found.path
        if action.code is None:
            self.run(chosen, own, (*trail, found.path))
        else:
            self._fenced(action.code, chosen, own, margin, (rows[0][0], file))
        return True

    def _chosen(self, action: Include, found: Included) -> Rows | None:
        rows = numbered(found.text)
        if action.code is None and not self._fences.mark and found.path.lower().endswith(_MARKDOWN):
            rows = rows[front_matter(found.text).lines :]
        return action.select.of(rows)

    def _fenced(self, language: str, rows: Rows, file: str, margin: str, place: tuple[int, str]) -> None:
        """Code in a fence that nothing in the code can close."""
        longest = max((len(run) for _, text in rows if "`" in text for run in _TICKS.findall(text)), default=0)
        marker = "`" * max(3, longest + 1)
        self._emit(f"{margin}{marker}{language}", *place)
        for line, text in rows:
            self._emit(text, line, file)
        self._emit(margin + marker, *place)


def _margin(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t"))]
