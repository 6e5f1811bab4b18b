"""The chunks by file: which of them stand at lines or under a heading, and what may have been meant where none does.

In: all chunks, and a place. Out: the chunks there with the lines that they span, or the reason why there are none and what is near. It
knows headings as the chunks carry them, in trails and in their text; it opens no file.
"""

import difflib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from dragoman.evaluate.real import Place, file_key, heading_keys
from dragoman.records import Chunk

Reason = Literal["no such file", "no such heading", "no passage at these lines", "in several sources"]

_FENCE: Final = re.compile(r"[ \t>]*(`{3,}|~{3,})")
_HEADING: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(?=\S)")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-{2,})[ \t]*\Z")
_COMPARED: Final = (
    30_000  # names that are compared by spelling in all: about two seconds; places after that get no suggestion
)
_LONGEST: Final = 200  # characters of a name that are compared
_FILE_CUTOFF, _HEADING_CUTOFF = 0.6, 0.5  # of difflib's ratio: paths share their folders, headings only words


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a file, 1-based and inclusive; ``characters`` is the length of the text there, where that counts.

    ``source`` is "" where the file's path alone says which file is meant.
    """

    file: str
    first: int
    last: int
    source: str = ""
    characters: int = 0

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share a line."""
        if self.source and other.source and self.source != other.source:
            return False
        return self.file == other.file and self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Match:
    """The chunks at a place, the one that covers most of it first, and the lines that the place spans."""

    chunks: tuple[Chunk, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """Why no chunk stands at a place, and what may have been meant, "" where nothing is near."""

    reason: Reason
    near: str


def span_of(chunk: Chunk) -> Span:
    """The lines of a chunk in their file of origin, as a hit."""
    characters = len(chunk.text.removesuffix("\n")) + 1
    return Span(file_key(chunk.origin), chunk.start_line, chunk.end_line, chunk.source, characters)


class Shelf:
    """The chunks of all documents.

    Args:
        chunks: In any order.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._of_origin: dict[str, list[Chunk]] = defaultdict(list)
        self._of_page: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in sorted(chunks, key=lambda one: (one.source, one.path, one.start)):
            self._of_origin[file_key(chunk.origin)].append(chunk)
            self._of_page[file_key(chunk.path)].append(chunk)
        self._compared = 0

    def at(self, place: Place) -> Match | Miss:
        """The chunks at a place.

        Args:
            place: Lines or a section of a file.

        Returns:
            At least one chunk, all of one source, or why there is none.
        """
        key = file_key(place.file)
        origin, page = (
            [chunk for chunk in held.get(key, ()) if place.source in {"", chunk.source}]
            for held in (self._of_origin, self._of_page)
        )
        if not origin and not page:
            return Miss("no such file", self._near_file(key, place.source))
        found = self._at_lines(Span(key, *place.lines), origin or page) if place.lines else None
        if found is None:
            pages = [*page, *(chunk for chunk in origin if file_key(chunk.path) != key)]
            found = self._under(place.heading, pages)
        if isinstance(found, Match) and len(sources := {chunk.source for chunk in found.chunks}) > 1:
            return Miss("in several sources", f'add "source" to the place: {" or ".join(map(repr, sorted(sources)))}')
        return found

    def _at_lines(self, asked: Span, chunks: Sequence[Chunk]) -> Match | Miss:
        def shared(chunk: Chunk) -> int:
            return min(chunk.end_line, asked.last) - max(chunk.start_line, asked.first) + 1

        here = [chunk for chunk in chunks if span_of(chunk).overlaps(asked)]
        if here:
            span = Span(asked.file, asked.first, asked.last, here[0].source)
            return Match(tuple(sorted(here, key=shared, reverse=True)), (span,))
        nearest = max(chunks, key=shared)
        return Miss("no passage at these lines", _described(nearest.trail[-1], nearest))

    def _under(self, heading: str, chunks: Sequence[Chunk]) -> Match | Miss:
        pages: dict[tuple[str, str], list[Chunk]] = defaultdict(list)
        for chunk in chunks:
            pages[chunk.source, chunk.path].append(chunk)
        here = [chunk for page in pages.values() for chunk in (_section(page, heading) if heading else page)]
        return Match(tuple(here), tuple(_spans(here))) if here else Miss("no such heading", self._near(heading, chunks))

    def _near_file(self, key: str, source: str) -> str:
        sources = {chunk.source for held in (self._of_origin, self._of_page) for chunk in held.get(key, ())}
        if sources:
            return f"{key} in {' or '.join(map(repr, sorted(sources - {source})))}"
        name = key.rpartition("/")[2]
        alike = [file for file in self._files if file.rpartition("/")[2] == name]
        return alike[0] if len(alike) == 1 else self._alike(key, alike or self._files, _FILE_CUTOFF)

    def _near(self, heading: str, chunks: Sequence[Chunk]) -> str:
        names = {name: chunk for chunk in reversed(chunks) for name in _names(chunk)}
        near = self._alike(heading, names, _HEADING_CUTOFF)
        if near:
            return _described(near, names[near])
        files = sorted({self._by_heading[key] for key in heading_keys(heading) if key in self._by_heading})
        return f"the heading is in {files[0]}" if files else ""

    def _alike(self, name: str, names: "Sequence[str] | Mapping[str, Chunk]", cutoff: float) -> str:
        """The name that is spelled most like this one."""
        self._compared += len(names)
        if self._compared > _COMPARED:
            return ""
        cut = {known[:_LONGEST].lower(): known for known in names}
        near = difflib.get_close_matches(name[:_LONGEST].lower(), cut, n=1, cutoff=cutoff)
        return cut[near[0]] if near else ""

    @cached_property
    def _files(self) -> list[str]:
        return sorted({*self._of_origin, *self._of_page})

    @cached_property
    def _by_heading(self) -> dict[str, str]:
        """The first file with each heading."""
        files: dict[str, str] = {}
        for file in sorted(self._of_page):
            for heading in {heading for chunk in self._of_page[file] for heading in chunk.trail}:
                for key in heading_keys(heading):
                    files.setdefault(key, file)
        return files


def _names(chunk: Chunk) -> list[str]:
    return [*chunk.trail, *(name for _, name in _written(chunk.text))]


def _described(heading: str, chunk: Chunk) -> str:
    return f"{heading!r} ({chunk.origin}:{chunk.start_line}-{chunk.end_line})"


def _section(page: Sequence[Chunk], heading: str) -> list[Chunk]:
    """The chunks of the first section of that name, and of the sections below it.

    A title counts last: a page may be called what one of its sections is called.
    """
    wanted = heading_keys(heading)
    places: list[tuple[int, int]] = []  # of the chunk, and of the heading in its trail
    titled: list[tuple[int, int]] = []
    for place, chunk in enumerate(page):
        depths = [depth for depth, name in enumerate(chunk.trail) if wanted & heading_keys(name)]
        written = _level(chunk, wanted)
        below = [depth for depth in depths if depth]
        if depths and not below:
            (places if written else titled).append((place, 0))
        elif below or written:
            places.append((place, below[0] if below else len(chunk.trail)))
        if places:
            break
    if not (places or titled):
        return []
    first, depth = (places or titled)[0]
    return [page[first], *_going_on(page[first:], depth, wanted)]


def _going_on(page: Sequence[Chunk], depth: int, wanted: frozenset[str]) -> Iterator[Chunk]:
    """The chunks after the first that are of the section whose heading stands at that depth of the trail."""
    first = page[0]
    level = _level(first, wanted)
    for chunk in page[1:]:
        here = chunk.trail[depth : depth + 1]
        if chunk.trail[:depth] != first.trail[:depth] or not here or not wanted & heading_keys(here[0]):
            return
        # A trail does not tell a second section of the name from the first, nor a section from a page called like it.
        opening = _level(chunk, wanted | (heading_keys(chunk.trail[-1]) if level else frozenset()))
        if chunk.section != first.section and 0 < opening <= (level or opening):
            return
        yield chunk


def _level(chunk: Chunk, wanted: frozenset[str]) -> int:
    """The level of the highest heading of that name in the chunk's text, 0 where there is none."""
    return min((level for level, name in _written(chunk.text) if wanted & heading_keys(name)), default=0)


def _written(text: str) -> Iterator[tuple[int, str]]:
    """The headings in the text with their levels, fenced code left out."""
    fence = before = ""
    for line in text.split("\n"):
        if mark := _FENCE.match(line):
            fence = mark[1][0] if not fence else "" if mark[1][0] == fence else fence
        elif not fence and (mark := _HEADING.match(line)):
            yield len(mark[1]), line[mark.end() :].strip().rstrip("#").rstrip()
        elif not fence and before.strip() and (mark := _UNDERLINE.match(line)):
            yield 1 if mark[1][0] == "=" else 2, before.strip()
        before = line


def _spans(chunks: Sequence[Chunk]) -> Iterator[Span]:
    """The lines from the first to the last of the chunks in each file that they are from."""
    groups: dict[tuple[str, str, str], list[Chunk]] = defaultdict(list)
    for chunk in chunks:
        groups[chunk.source, chunk.path, file_key(chunk.origin)].append(chunk)
    for (source, _, file), group in groups.items():
        yield Span(file, min(one.start_line for one in group), max(one.end_line for one in group), source)
