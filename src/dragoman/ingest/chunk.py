"""Documents -> chunks: spans of at most so many tokens, cut where a reader would cut.

In: documents and a token counter. Out: chunks whose passages (heading trail + text) fit the embedding
model, and what was left out and why. A chunk never crosses a heading. It does not read files.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dragoman.config import ChunkSettings
from dragoman.ingest.markdown import Block, Section, parse
from dragoman.models.tokens import Offsets, TokenCounter
from dragoman.records import Chunk, Document, Rejected, content_id

REASONS = ("heading without text", "nothing but markup")
TRAIL_SEPARATOR = " > "

_SENTENCE = re.compile(r"(?<=[.!?。！？])[\"')\]]*\s+|\n")
_WORDS = re.compile(r"\w")
_SLUG = re.compile(r"[^\w\- ]")
_LONGEST_TRAIL = 0.4  # of the budget: a longer trail loses its middle headings


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``[start, end)`` that stay together; ``bound`` keeps it with the span after it."""

    start: int
    end: int
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Chunked:
    """Chunks in reading order, and the sections that gave none."""

    chunks: tuple[Chunk, ...]
    skipped: tuple[Rejected, ...]


def chunk_documents(
    documents: Iterable[Document],
    tokens: TokenCounter,
    settings: ChunkSettings,
    advance: Callable[[int], None] | None = None,
) -> Chunked:
    """Cut documents into chunks.

    Args:
        documents: What to cut.
        tokens: Counts as the embedding model does.
        settings: The budget; it covers heading trail, text and special tokens.
        advance: Called with 1 after each document.

    Returns:
        Chunks in the order of the documents, and what was left out.
    """
    chunks: list[Chunk] = []
    skipped: list[Rejected] = []
    for document in documents:
        cutter = _Cutter(document, tokens, settings.tokens)
        chunks += cutter.chunks()
        skipped += cutter.skipped
        if advance:
            advance(1)
    return Chunked(tuple(chunks), tuple(skipped))


class _Cutter:
    """Cuts one document; the text is tokenised once and spans are counted by offsets."""

    def __init__(self, document: Document, tokens: TokenCounter, budget: int) -> None:
        self.document, self.tokens, self.budget = document, tokens, budget
        self.text = document.text
        self.lines = _line_starts(self.text)
        self.offsets: Offsets = tokens.starts(self.text)
        self.skipped: list[Rejected] = []
        self.seen: Counter[str] = Counter()
        self.anchors: Counter[str] = Counter()
        self.trails: Counter[tuple[str, ...]] = Counter()

    def chunks(self) -> list[Chunk]:
        """All chunks of the document."""
        found: list[Chunk] = []
        stack: list[tuple[int, str]] = []
        waiting: list[Section] = []  # headings without text go to the first chunk below them
        for section in parse(self.text):
            stack = [(level, heading) for level, heading in stack if level < section.level]
            if section.heading:
                stack.append((section.level, section.heading))
            anchor = self._anchor(section)
            if not any(_WORDS.search(self._between(block.first, block.last)) for block in section.blocks):
                waiting.append(section)
                if section.blocks:
                    self._skip(section, REASONS[1])
                continue
            above = self._offset([*waiting, section][0].first)
            waiting = []
            trail = _trail(self.document.title, [heading for _, heading in stack])
            self.trails[trail] += 1
            key = content_id(self.document.source, self.document.path, self.trails[trail], *trail)
            found += self._section(section, trail, key, anchor, above)
        for section in waiting:
            if not section.blocks:
                self._skip(section, REASONS[0])
        return found

    def _section(self, section: Section, trail: tuple[str, ...], key: str, anchor: str, above: int) -> list[Chunk]:
        prefix = self._prefix(trail)
        room = self.budget - self.tokens.count([prefix])[0]
        while True:
            spans = list(self._pack(section, room))
            passages = [prefix + self.text[span.start : span.end].strip("\n") for span in spans]
            counts = self.tokens.count(passages)
            over = max(counts) - self.budget
            if over <= 0 or room <= 8:  # noqa: PLR2004 - fewer tokens than this hold no text
                break
            room -= over  # counting by offsets can be a little off for byte-level tokenizers
        starts = [above, *(span.start for span in spans[1:])]
        rows = zip(starts, spans, passages, counts, strict=True)
        return [self._chunk(start, span.end, trail, key, anchor, passage, n) for start, span, passage, n in rows]

    def _chunk(
        self, start: int, end: int, trail: tuple[str, ...], key: str, anchor: str, passage: str, count: int
    ) -> Chunk:
        document = self.document
        text = self.text[start:end]
        identity = content_id(document.source, document.path, text)
        self.seen[identity] += 1
        url = f"{document.url}#{anchor}" if document.url and anchor else document.url
        return Chunk(
            id=content_id(document.source, document.path, text, self.seen[identity]),
            source=document.source,
            path=document.path,
            title=document.title,
            trail=trail,
            section=key,
            text=text,
            passage=passage,
            start=start,
            end=end,
            start_line=self._source_line(start),
            end_line=self._source_line(max(start, end - 1)),
            tokens=count,
            url=url,
        )

    def _pack(self, section: Section, room: int) -> Iterator[Span]:
        """Even chunks of at most ``room`` tokens; a block is cut only when it alone is over."""
        units = [unit for block in section.blocks for unit in self._units(block, room)]
        units = [unit for unit in units if self.text[unit.start : unit.end].strip()]
        total = self._count(units[0].start, units[-1].end)
        parts = -(-total // max(room, 1))
        wanted = total / parts
        start, end, bound = units[0].start, units[0].end, units[0].start
        for before, unit in pairwise(units):
            if not before.bound:
                bound = unit.start
            size = self._count(start, unit.end)
            enough = self._count(start, end) >= wanted and not before.bound
            if (size > room or enough) and unit.start > start:
                cut = bound if start < bound and size > room >= self._count(bound, unit.end) else unit.start
                yield Span(start, self._trimmed(start, cut))
                start = cut
            end = unit.end
        yield Span(start, end)

    def _units(self, block: Block, room: int) -> list[Span]:
        """The block as one span when it fits, else cut at items, rows, lines, sentences, words."""
        start, end = self._offset(block.first), self._offset(block.last)
        whole = Span(start, self._trimmed(start, end), bound=block.kind == "label" or self._leads_in(start, end))
        if self._count(start, end) <= room:
            return [whole]
        edges = [start, *(self._offset(line) for line in block.cuts), end]
        spans = [Span(a, self._trimmed(a, b)) for a, b in pairwise(edges) if self.text[a:b].strip()]
        fine: list[Span] = []
        for span in spans:
            fine += [span] if self._count(span.start, span.end) <= room else self._split(span, room)
        return fine

    def _split(self, span: Span, room: int) -> list[Span]:
        """A span over the budget, cut after sentences or line ends, else at token starts."""
        text = self.text[span.start : span.end]
        edges = sorted({0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)})
        pieces: list[Span] = []
        for a, b in pairwise(span.start + edge for edge in edges):
            start = a
            while self._count(start, b) > max(room, 1):
                first = bisect_left(self.offsets, start)
                mark = int(self.offsets[first + max(room, 1)])
                # A byte-level tokenizer makes several tokens of one character: then the budget has to give way.
                cut = max(self._word_start(mark, int(self.offsets[first])), start + 1)
                pieces.append(Span(start, cut))
                start = cut
            pieces.append(Span(start, b))
        return pieces

    def _word_start(self, mark: int, floor: int) -> int:
        """The start of the word that ``mark`` is in, unless the word began too far back."""
        back = mark
        while back > floor and not self.text[back - 1].isspace() and mark - back < 40:  # noqa: PLR2004
            back -= 1
        return back if back > floor and self.text[back - 1].isspace() else mark

    def _leads_in(self, start: int, end: int) -> bool:
        return self.text[start:end].rstrip().endswith(":")

    def _prefix(self, trail: tuple[str, ...]) -> str:
        allowed = int(self.budget * _LONGEST_TRAIL)
        shown = list(trail)
        while len(shown) > 1 and self.tokens.count([TRAIL_SEPARATOR.join(shown)])[0] > allowed:
            del shown[len(shown) // 2 if len(shown) > 2 else 0]  # noqa: PLR2004
        line = TRAIL_SEPARATOR.join(shown)
        starts = self.tokens.starts(line)
        return (line if len(starts) <= allowed else line[: int(starts[allowed])].rstrip()) + "\n"

    def _anchor(self, section: Section) -> str:
        """The heading's anchor by the rule that MkDocs and GitHub share for plain headings."""
        if not section.heading:
            return ""
        slug = re.sub(r"\s+", "-", _SLUG.sub("", section.heading.lower()).strip())
        self.anchors[slug] += 1
        return slug if self.anchors[slug] == 1 else f"{slug}_{self.anchors[slug] - 1}"

    def _skip(self, section: Section, reason: str) -> None:
        where = f"{self.document.path}:{self._source_line(self._offset(section.first))}"
        self.skipped.append(Rejected("ingest", where, reason, section.heading))

    def _count(self, start: int, end: int) -> int:
        return bisect_left(self.offsets, end) - bisect_left(self.offsets, start)

    def _offset(self, line: int) -> int:
        return self.lines[line] if line < len(self.lines) else len(self.text)

    def _between(self, first: int, last: int) -> str:
        return self.text[self._offset(first) : self._offset(last)]

    def _trimmed(self, start: int, end: int) -> int:
        while end > start and self.text[end - 1] in " \t\n":
            end -= 1
        return end

    def _source_line(self, offset: int) -> int:
        line = bisect_left(self.lines, offset + 1) - 1
        return self.document.lines[line] if self.document.lines else line + 1


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]
    return starts


def _trail(title: str, headings: Sequence[str]) -> tuple[str, ...]:
    plain = [heading for heading in headings if heading]
    return tuple(plain) if plain and plain[0] == title else (title, *plain)
