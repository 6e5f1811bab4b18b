"""reStructuredText as Markdown, line for line.

In: the text of a page. Out: a page whose every line knows its own line, also inside code, tables and nested lists. It reads the
blocks itself: docutils knows the line of a block, often only about, and keeps the directives and roles of Sphinx in registries
that are the whole process's. What a directive means is another module's work.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dragoman.ingest.formats.blocks import (
    DEEPEST,
    Line,
    Row,
    as_page,
    continued,
    fence,
    heading,
    indented,
    is_heading,
    joined,
    table,
)
from dragoman.ingest.formats.page import LeftOut, Neighbours, Page
from dragoman.ingest.formats.rst import lines as form
from dragoman.ingest.formats.rst import tables as rst_tables
from dragoman.ingest.formats.rst.directives import write_directive
from dragoman.ingest.formats.rst.inline import Names, inline, named, paragraph
from dragoman.ingest.formats.rst.lists import LISTS
from dragoman.ingest.formats.titles import Titles

_LARGEST: Final = 16 << 20  # characters that a page may grow to with what it includes
_ID = re.compile(r"[^a-z0-9]+")

_Blocks = list[list[Line]]


def convert(text: str, path: str, neighbours: Neighbours) -> Page:
    """Turn a reStructuredText page into Markdown; any text will do.

    Args:
        text: The page.
        path: Where it lies; what it includes is looked up from there.
        neighbours: What it may include, and the code that it documents.

    Returns:
        The page; a heading has an explicit id where the page gives it a label.
    """
    lines = [Line(line.expandtabs(8).rstrip(), number) for number, line in enumerate(text.split("\n"), 1)]
    reader = Reader(path, neighbours)
    lines = lines[form.settings_end(lines) :]
    return as_page(joined(reader.read(lines, top=True)), left_out=reader.left_out)


def converted(lines: Sequence[Line], level: int, path: str, neighbours: Neighbours) -> list[Line]:
    """Lines of reStructuredText that are no page of their own, such as a docstring, as lines of Markdown.

    Args:
        lines: The lines, with where they stood.
        level: The level of the heading they are under.
        path: The page they are shown on.
        neighbours: What they may include.

    Returns:
        Lines of Markdown. Titles and object descriptions in them become bold.
    """
    reader = Reader(path, neighbours, level=level, plain=True)
    return joined(reader.read(lines, top=False))


@dataclass(frozen=True, slots=True)
class Embedded:
    """A part of a page that was reStructuredText: its lines, what was left out, and the module that it ended in."""

    lines: tuple[Line, ...]
    left_out: tuple[LeftOut, ...]
    module: str


def embedded(lines: Sequence[Line], level: int, module: str, path: str, neighbours: Neighbours) -> Embedded:
    """Lines of reStructuredText in a page of another format, as MyST's ``{eval-rst}`` has them.

    Args:
        lines: The lines, at the margin, with where they stood.
        level: The level of the heading they are under.
        module: Of the Python objects described in them.
        path: The page they are on.
        neighbours: What they may include, and the code that they document.

    Returns:
        Lines of Markdown, with headings for the objects described.
    """
    reader = Reader(path, neighbours, level=level, module=module)
    written = joined(reader.read(lines, top=False))
    return Embedded(tuple(written), tuple(reader.left_out), reader.module)


@dataclass(slots=True)
class Reader:
    """What is known while a page is read, and the reading of blocks.

    ``level`` is that of the last heading, ``section`` its line. ``depth`` counts the nesting of blocks, which is followed only so far.

    Described objects get headings one level below the section they stand in. Text of the page that follows one is no part of the
    object, and Markdown has no end of a section: so the section's own heading is written once more above such text, marked as
    continued, with the line of the real heading. Titles, and objects one after the other, need none.
    """

    path: str
    neighbours: Neighbours
    level: int = 0
    names: Names = field(default_factory=Names)
    left_out: list[LeftOut] = field(default_factory=list)
    language: str = ""  # of code that names none; "" is Sphinx' own default
    module: str = ""  # of the Python objects described
    plain: bool = False  # no headings, as in a docstring
    section: Line | None = None
    described: bool = False  # the last block ended with an object
    including: tuple[str, ...] = ()
    taken_in: int = 0
    depth: int = 0
    _styles: list[str] = field(default_factory=list)
    _labels: list[str] = field(default_factory=list)

    def read(self, lines: Sequence[Line], *, top: bool) -> _Blocks:
        """Read the blocks of a page or of a part of it that was included; only there (``top``) a title makes a section."""
        self.names.titles = self.names.titles or Titles(self.path, self.neighbours)
        self.note_names(lines)
        return self.blocks(lines, top=top)

    def note_names(self, lines: Sequence[Line]) -> None:
        """Learn the links and substitutions that lines define: they may be used before."""
        for number, line in enumerate(lines):
            text = line.text.strip()
            if not text.startswith((".. ", "__ ")):
                continue
            target, anonymous, substitution = (
                form.TARGET.match(text),
                form.ANONYMOUS.match(text),
                form.SUBSTITUTION.match(text),
            )
            if target:
                self.names.note_label(target[1].strip("`"), form.title_below(lines, number + 1))
                following = lines[number + 1].text if number + 1 < len(lines) else ""
                address = target[2] or (following.strip() if following.startswith(" ") else "")
                self.names.links.setdefault(named(target[1].strip("`")), "".join(address.split()))
            elif anonymous:
                self.names.anonymous.append("".join(anonymous[1].split()))
            elif substitution and substitution[2] in {"replace", "unicode"}:
                words = (substitution[3] or "").strip()
                self.names.substitutions.setdefault(named(substitution[1]), inline(words, Names()))
            elif substitution:
                self.names.substitutions.setdefault(named(substitution[1]), "")

    def blocks(self, lines: Sequence[Line], *, top: bool = False) -> _Blocks:
        """Lines as blocks of Markdown."""
        if self.depth >= DEEPEST:
            return [paragraph(form.trimmed(lines), self.names)]
        if (
            len(lines) == 1
            and lines[0].text[:1].isalpha()
            and not (lines[0].text.endswith("::") or form.NUMBER.match(lines[0].text))
        ):
            return [paragraph(lines, self.names)]
        self.depth += 1
        found: _Blocks = []
        at = 0
        while at < len(lines):
            if not lines[at].text.strip():
                at += 1
                continue
            after, self.described = self.described, False
            written, at = self._block(lines, at, top=top)
            written = [block for block in written if block]
            if after and self.section and written and not is_heading(written[0][0]):
                found.append([continued(self.section)])
            self.described |= after and not written
            found += written
        self.depth -= 1
        return found

    def include(self, lines: Sequence[Line], name: str) -> _Blocks:
        """Read lines of another file in the place of a directive."""
        outer, self.including = self.including, (*self.including, name)
        found = self.read(lines, top=self.depth == 1)
        self.including = outer
        return found

    def room_for(self, characters: int) -> bool:
        """Whether the page may still take in so many characters; they are counted if so."""
        if self.taken_in + characters > _LARGEST:
            return False
        self.taken_in += characters
        return True

    def _block(self, lines: Sequence[Line], at: int, *, top: bool) -> tuple[_Blocks, int]:
        """The block that begins at a line, and where the next one may."""
        text = lines[at].text
        if text.startswith(" "):
            end = form.block_end(lines, at)
            return self.blocks(form.dedented(form.trimmed(lines[at:end]))), end
        if text.startswith("__ ") or form.EXPLICIT.match(text):
            return self._explicit(lines, at)
        drawn = rst_tables.drawn(lines, at) if text[0] in "+=" else None
        if drawn is not None:
            return [self.table(drawn[0])], drawn[1]
        taken, style = form.is_title(lines, at)
        if taken:
            title = lines[at + (taken == 3)]  # noqa: PLR2004 - with a line above
            return [self._title(title, style, top=top)], at + taken
        if form.ADORNMENT.match(text) and len(text) > 3:  # noqa: PLR2004 - a line of four signs parts two sections
            return [], at + 1
        known = (reading for begins, reading in LISTS if begins(lines, at))
        reading = next(known, None) if not text[0].isalpha() or form.NUMBER.match(text) else None
        return reading(self, lines, at) if reading else self._paragraph(lines, at)

    def _title(self, line: Line, style: str, *, top: bool) -> list[Line]:
        words = inline(line.text.strip(), self.names)
        if not top:
            return [Line(f"**{words}**", line.line, line.file)]
        if style not in self._styles:
            self._styles.append(style)
        self.level = self._styles.index(style) + 1
        label, self._labels = (self._labels[-1] if self._labels else ""), []
        written = heading(self.level, words, line, _ID.sub("-", label.lower()).strip("-"))
        self.section = written[0] if written else self.section
        return written

    def _explicit(self, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
        first = lines[at]
        end = form.block_end(lines, at)
        target = form.TARGET.match(first.text)
        if target or first.text.startswith("__ "):
            if target and not target[2] and end == at + 1:
                self._labels.append(target[1].strip("`"))
            return [], end
        self._labels = []
        rest = lines[at + 1 : end]
        directive = form.DIRECTIVE.match(first.text)
        if directive:
            return write_directive(self, form.directive(first, directive, rest)), end
        note = form.FOOTNOTE.match(first.text)
        if note:
            body = [Line(first.text[note.end() :], first.line, first.file), *form.dedented(rest)]
            written = joined(self.blocks(form.trimmed(body)))
            return [indented(written, f"[{note[1]}] ", "")], end
        return [], end  # a comment, a substitution, or nothing

    def _paragraph(self, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
        self._labels = []
        end = at + 1
        while end < len(lines) and lines[end].text.strip() and not lines[end].text.startswith(" "):
            end += 1
        if end == at + 1 and end < len(lines) and lines[end].text.startswith(" ") and not lines[at].text.endswith("::"):
            return self._definition(lines, at)
        run = list(lines[at:end])
        last = run[-1]
        if not last.text.endswith("::"):
            return [paragraph(run, self.names)], end
        bare = last.text[:-2].rstrip()
        run[-1] = Line(last.text[:-1] if bare and bare == last.text[:-2] else bare, last.line, last.file)
        code, after = form.literal(lines, end)
        words = paragraph(form.trimmed(run), self.names)
        return [words, self.code(code, "", code[0] if code else last)], after

    def _definition(self, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
        end = form.block_end(lines, at)
        term = paragraph([lines[at]], self.names)
        body = joined(self.blocks(form.dedented(lines[at + 1 : end])))
        name = [Line(f"**{line.text}**", line.line, line.file) for line in term]
        return [
            indented([*name, *([Line("", lines[at].line, lines[at].file)] if body else []), *body], "- ", "  ")
        ], end

    def code(self, lines: Sequence[Line], language: str, at: Line) -> list[Line]:
        """Code as a fence."""
        language = (language or self.language).lower()
        plain = language in {"none", "text", "default", "guess"}
        return fence(form.dedented(form.trimmed(lines)), "" if plain else language, at)

    def table(self, found: rst_tables.Table) -> list[Line]:
        """A table with the markup in its cells; of several header rows the first is the header."""
        rows = [Row(tuple(inline(cell, self.names) for cell in row.cells), row.line, row.file) for row in found.rows]
        return table(rows, head=found.heads > 0)
