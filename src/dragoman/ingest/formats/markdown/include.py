"""Puts into a page what it takes from elsewhere: parts of other files, and docstrings.

In: the lines of a page and its neighbours. Out: all lines with the file and line that each came from, and what could not
be had. It reads no file itself; the neighbours decide what may be read.
"""

import re

from dragoman.ingest.formats.blocks import Line, as_page, continued, is_heading
from dragoman.ingest.formats.markdown.calls import Call, Describe, Include, Module, Rst, View, call_at
from dragoman.ingest.formats.markdown.excerpt import Rows, numbered
from dragoman.ingest.formats.markdown.fences import Fences
from dragoman.ingest.formats.markdown.front import front_matter
from dragoman.ingest.formats.page import Included, LeftOut, Neighbours, Page, PageLines
from dragoman.ingest.formats.rst.convert import embedded
from dragoman.ingest.formats.rst.lines import dedented

REASONS = ("include not found", "include in a circle", "no source for directive", "too much included")

_SIGNS = ("8<-", "{!", "{*", "@include:", "<<<", "```{", "~~~{", "``` {", ":::", "[[autodoc]]")
_DEEPEST = 10
_LONGEST = 2_000  # characters of a line that is looked at
_MOST_CALLS = 2_000
_MOST_CHARACTERS = 2_000_000  # of all that one page takes in: a few files that include each other grow without end
_MARKDOWN = (".md", ".markdown", ".mdx")
_PARTIAL = re.compile(
    r"^import[ \t]+([A-Z]\w*)[ \t]+from[ \t]+[\"']([^\"'\n]+\.mdx?)[\"'][ \t]*;?[ \t]*$", re.MULTILINE
)
_TICKS = re.compile(r"`+")
_SILENT = re.compile(r"\W*\Z|[ \t]*<!--.*-->[ \t]*\Z| {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*\Z")
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
        self._section: Line | None = None  # the heading of that level
        self._described = False  # nothing has followed the last object
        self._module = ""
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
                self._go_on(texts[index : index + 2])
                self._emit(text, line, file)
                index += 1
            else:
                self._answer(call, rows[index : call.last], file, trail)
                index = call.last

    def _emit(self, text: str, line: int, file: str) -> None:
        if not self._fences.inside(text):
            if "#" in text and (heading := _HEADING.match(text)):
                self._level, self._section = len(heading[1]), Line(text.rstrip(), line, file)
            elif (
                text.startswith(("===", "---"))
                and len(set(text.rstrip())) == 1
                and self.out.texts
                and self.out.texts[-1].strip()
            ):
                self._level = 1 if text[0] == "=" else 2
                above = self.out.texts[-1].strip()
                self._section = Line(f"{'#' * self._level} {above}", self.out.lines[-1], self.out.files[-1])
        self.out.add(text, line, file)

    def _go_on(self, texts: list[str]) -> None:
        """Write the section's heading once more above text of the page that follows an object, as ``rst`` does."""
        if not self._described or not texts[0].strip() or _SILENT.match(texts[0][:_LONGEST]):
            return
        self._described = False
        titled = _HEADING.match(texts[0]) or (len(texts) > 1 and _UNDERLINE.match(texts[1][:_LONGEST]))
        if self._section and not titled:
            head = continued(self._section)
            self.out.add(head.text, head.line, head.file)
            self.out.add("", head.line, head.file)

    def _answer(self, call: Call, rows: Rows, file: str, trail: tuple[str, ...]) -> None:
        """Put in what a call asks for, or empty its lines."""
        if not call.actions:
            for number, (line, text) in enumerate(rows):
                self._emit((call.text or text) if number == 0 else text, line, file)
            return
        done = False
        for action in call.actions:
            self._calls += 1
            if isinstance(action, Module):
                self._module = action.name
            elif self._calls > _MOST_CALLS or self._room < 0:
                self._miss("too much included", rows[0][1].strip()[:200])
            elif isinstance(action, Describe):
                done = self._describe(action, rows[0], file) or done
            elif isinstance(action, Rst):
                done = self._rst(rows, file, trail) or done
            else:
                done = self._include(action, rows, file, trail) or done
        if not done:
            for line, _ in rows:
                self._emit("", line, file)

    def _miss(self, reason: str, detail: str) -> bool:
        self.left.append(LeftOut(self._place, reason, detail))
        return False

    def _describe(self, action: Describe, row: tuple[int, str], file: str) -> bool:
        names = [f"{self._module}.{action.name}"] * bool(self._module) + [action.name]
        level = min(max(action.level, 1), 6)
        page = next((page for name in names if (page := self._neighbours.describe(name, level))), None)
        return self._take(page, row, file) if page else self._miss("no source for directive", action.name)

    def _rst(self, rows: Rows, file: str, trail: tuple[str, ...]) -> bool:
        """A fence that holds reStructuredText."""
        lines = dedented([Line(text.expandtabs(8).rstrip(), line, file) for line, text in rows[1:-1]])
        found = embedded(lines, self._level, self._module, trail[-1], self._neighbours)
        self._module = found.module
        self._room -= sum(len(line.text) + 1 for line in found.lines)
        return self._take(as_page(found.lines, left_out=found.left_out), rows[0], file, own_lines=True)

    def _take(self, page: Page, row: tuple[int, str], file: str, *, own_lines: bool = False) -> bool:
        """Put a page in the place of a call; headings in it begin no section of this page."""
        line, directive = row
        margin = _margin(directive)
        outer = self._level, self._section
        if not own_lines or (page.text and not is_heading(Line(page.text, 1))):
            self._go_on([page.text.partition("\n")[0]])
        begun = len(self.out.texts)
        self._emit("", line, file)
        for index, text in enumerate(page.text.split("\n")):
            own = page.files[index] if page.files else ""
            # Without a file of its own, the text stands for the directive.
            number = page.lines[index] if page.lines and (own or own_lines) else line
            if not margin and not self._fences.mark and is_heading(Line(text, number)):
                self._described = True
            self._emit(margin + text if text else "", number, own or file)
        if self._fences.mark:
            self._emit(margin + self._fences.mark, line, file)
        self._emit("", line, file)
        self._level, self._section = outer
        if directive.startswith("#"):  # "## ::: name" is a heading of the page's own
            head = next(
                (place for place, text in enumerate(self.out.texts[begun:], begun) if _HEADING.match(text)), begun
            )
            self._section = Line(self.out.texts[head], self.out.lines[head], self.out.files[head])
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
        self._go_on(["code"])
        longest = max((len(run) for _, text in rows if "`" in text for run in _TICKS.findall(text)), default=0)
        marker = "`" * max(3, longest + 1)
        self._emit(f"{margin}{marker}{language}", *place)
        for line, text in rows:
            self._emit(text, line, file)
        self._emit(margin + marker, *place)


def _margin(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t"))]
