"""What every format becomes: a page of Markdown text whose lines know where they came from.

In: the lines of a converter. Out: a ``Page``. It parses nothing; a converter is a function
``convert(text, path, neighbours) -> Page`` beside this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Included:
    """A file that a page takes in: its path relative to the docs folder (``../`` steps out of it), and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of a page that did not become text: its line (1-based), a reason of a closed list, and what it was."""

    line: int
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A file as Markdown.

    ``lines[i]`` is the 1-based line that line ``i`` of ``text`` was in its file; ``None`` means that nothing moved. ``files[i]`` is
    the path of that file when it is not the page itself (an include, a docstring), else ""; ``None`` means all are of the page.
    """

    text: str
    lines: tuple[int, ...] | None = None
    files: tuple[str, ...] | None = None
    title: str = ""  # "" when the format has no title of its own (front matter, <title>); a heading is found later
    slug: str = ""  # the page's own wish for its address, from front matter
    left_out: tuple[LeftOut, ...] = ()


class Neighbours(Protocol):
    """What a page may look up beside itself. Nothing outside the source's own tree is ever read."""

    def include(self, name: str, beside: str) -> Included | None:
        """The file that ``name`` means on the page ``beside``; ``None`` when it is missing, unsafe, or no text."""
        ...

    def describe(self, name: str, level: int) -> Page | None:
        """The docstrings of the Python object ``name`` as Markdown, headings from ``level`` on; ``None``: no source for it here."""
        ...


@dataclass(slots=True)
class PageLines:
    """Collects the lines of a page under construction, each with where it came from."""

    texts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def add(self, text: str, line: int, file: str = "") -> None:
        """Append a text that came from ``line`` (1-based) of ``file``; further lines in it count on from there."""
        for number, part in enumerate(text.split("\n")):
            self.texts.append(part)
            self.lines.append(line + number)
            self.files.append(file)

    def add_all(self, texts: Sequence[str], line: int, file: str = "") -> None:
        """Append several texts that all came from one ``line``, as a generated block does."""
        for text in texts:
            for part in text.split("\n"):
                self.texts.append(part)
                self.lines.append(line)
                self.files.append(file)

    def page(self, title: str = "", slug: str = "", left_out: Sequence[LeftOut] = ()) -> Page:
        """The finished page; the maps are left out when nothing moved."""
        moved = self.lines != list(range(1, len(self.lines) + 1))
        foreign = any(self.files)
        return Page(
            "\n".join(self.texts),
            tuple(self.lines) if moved or foreign else None,
            tuple(self.files) if foreign else None,
            title,
            slug,
            tuple(left_out),
        )
