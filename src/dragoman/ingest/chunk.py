"""Documents -> chunks: spans of at most so many tokens, cut where a reader would cut.

In: documents and a token counter. Out: chunks whose passages (heading trail + text) fit the embedding model, and what was left out and
why. A chunk crosses a heading only where small sections were joined. It does not read files.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, urljoin

from dragoman.config import ChunkSettings
from dragoman.engine.local import mapped
from dragoman.ingest.addresses import line_link
from dragoman.ingest.markdown import Block
from dragoman.ingest.pack import Packer, Span
from dragoman.ingest.parts import MARKUP_ALONE, Part, Parts
from dragoman.ingest.quality import reason_to_drop
from dragoman.models.tokens import Ruler, TokenCounter
from dragoman.records import Chunk, Document, Rejected, content_id

RULES = "4"  # raised when a document would be cut in another way, so that stored chunks are not taken for today's
TRAIL_SEPARATOR = " > "

_WORDS = re.compile(r"\w")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")

_LONGEST_TRAIL = 0.4  # of the budget: a longer trail loses its middle headings
_BATCH = 250_000  # characters that are measured in one go
_WORTH_STARTING = 2_500_000  # characters: below, starting processes takes longer than they save
_LEAST_APART = 24  # tokens: less than this of another file stays with what it stands beside
_LEAST_ROOM = 8  # fewer tokens than this hold no text


@dataclass(frozen=True, slots=True)
class Chunked:
    """Chunks in reading order, and the sections that gave none."""

    chunks: tuple[Chunk, ...]
    skipped: tuple[Rejected, ...]


def chunk_documents(
    documents: Sequence[Document],
    tokens: TokenCounter,
    settings: ChunkSettings,
    advance: Callable[[int], None] | None = None,
    workers: int = 1,
) -> Chunked:
    """Cut documents into chunks.

    Args:
        documents: What to cut.
        tokens: Counts as the embedding model does.
        settings: The budget, which covers heading trail, text and special tokens, and how sections are joined.
        advance: Called with 1 after each document.
        workers: Processes to use, where there is enough to do for them (see ``engine.local.mapped``).

    Returns:
        Chunks in the order of the documents, and what was left out.
    """
    pages = list(chunk_each(documents, tokens, settings, advance, workers))
    chunks = tuple(chunk for page in pages for chunk in page.chunks)
    return Chunked(chunks, tuple(row for page in pages for row in page.skipped))


def chunk_each(
    documents: Sequence[Document],
    tokens: TokenCounter,
    settings: ChunkSettings,
    advance: Callable[[int], None] | None = None,
    workers: int = 1,
) -> Iterator[Chunked]:
    """Cut documents into chunks, one after the other.

    Args:
        documents: As for ``chunk_documents``.
        tokens: As for ``chunk_documents``.
        settings: As for ``chunk_documents``.
        advance: As for ``chunk_documents``.
        workers: As for ``chunk_documents``.

    Yields:
        The chunks of each document, and what of it was left out.
    """
    if sum(len(document.text) for document in documents) < _WORTH_STARTING:
        workers = 1
    for cut in mapped(partial(_chunk_batch, tokens, settings), _batches(documents), workers):
        for page in cut:
            yield page
            if advance:
                advance(1)


def _batches(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Documents in batches of about as much text, so that no worker is left waiting for another."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _chunk_batch(tokens: TokenCounter, settings: ChunkSettings, batch: Sequence[Document]) -> list[Chunked]:
    pages = []
    for document, ruler in zip(batch, tokens.rulers([document.text for document in batch]), strict=True):
        cutter = _Cutter(document, tokens, ruler, settings)
        pages.append(Chunked(tuple(cutter.chunks()), tuple(cutter.skipped)))
    return pages


class _Cutter:
    """Cuts one document; its text is measured once."""

    def __init__(self, document: Document, tokens: TokenCounter, ruler: Ruler, settings: ChunkSettings) -> None:
        self.document, self.tokens, self.settings, self.budget = document, tokens, settings, settings.tokens
        self.text, self.ruler, self.count = document.text, ruler, ruler.count
        self.lines = _line_starts(self.text)
        self.packer = Packer(self.text, self.lines, ruler, self._measure)
        self.special = tokens.special
        self.skipped: list[Rejected] = []
        self.seen: Counter[str] = Counter()
        self.trails: Counter[tuple[str, ...]] = Counter()

    def chunks(self) -> list[Chunk]:
        """All chunks of the document."""
        found: list[Chunk] = []
        for part in Parts(self.document, self.lines, self.ruler, self.settings, self._skip):
            self.trails[part.trail] += 1
            key = content_id(self.document.source, self.document.path, self.trails[part.trail], *part.trail)
            found += self._cut(part, key)
        return found

    def _cut(self, part: Part, key: str) -> list[Chunk]:
        prefix, around = self._prefix(part.trail)
        room = self.budget - around
        groups = self._by_file(part.blocks)
        while True:
            spans = [
                span
                for blocks in groups
                for span in self.packer.pack(blocks, max(room, _LEAST_ROOM), self.settings.overlap)
            ]
            passages = [self._passage(prefix, span) for span in spans]
            counts = self._counts(passages, spans, around)
            over = max(counts) - self.budget
            if over <= 0 or room <= _LEAST_ROOM:
                break
            room -= over  # tokenizers that look across white space make other tokens of a part than of the whole
        starts = [self._offset(part.above), *(span.start for span in spans[1:])]
        rows = zip(starts, spans, passages, counts, strict=True)
        return [
            self._chunk(start, span.end, part, key, passage, n)
            for start, span, passage, n in rows
            if span is spans[0] or not self._useless(span, part)
        ]

    def _useless(self, span: Span, part: Part) -> bool:
        """Whether a further part of a section holds nothing to find; that it is left out is told."""
        text = self.text[span.start : span.end]
        reason = reason_to_drop(text) if self.settings.drop and not span.head else ""
        if not (reason or _WORDS.search(_TAG.sub("", text))):
            reason = MARKUP_ALONE
        if reason:
            self._skip(bisect_left(self.lines, span.start + 1) - 1, reason, part.trail[-1])
        return bool(reason)

    def _by_file(self, blocks: Sequence[Block]) -> list[Sequence[Block]]:
        """The blocks, apart where what they hold came from different files and is more than a line or two."""
        files = self.document.files
        if not files:
            return [blocks]
        groups: list[list[Block]] = []
        sizes: list[int] = []
        for block in blocks:
            size = self.count(self._offset(block.first), self._offset(block.last))
            same = groups and self._file(groups[-1][-1]) == self._file(block)
            if groups and (same or min(size, sizes[-1]) < _LEAST_APART):
                groups[-1].append(block)
                sizes[-1] += size
            else:
                groups.append([block])
                sizes.append(size)
        return list(groups)

    def _file(self, block: Block) -> str:
        files = self.document.files or ()
        letters: Counter[str] = Counter()
        for line in range(block.first, min(block.last, len(files))):
            letters[files[line]] += len(self._between(line, line + 1).strip())
        return max(sorted(letters), key=letters.__getitem__, default="")

    def _counts(self, passages: Sequence[str], spans: Sequence[Span], around: int) -> list[int]:
        if not self.tokens.additive:
            return self.tokens.count(passages)
        extra = [sum(self._measure(part) for part in (span.head, span.foot) if part) for span in spans]
        return [self.count(span.start, span.end) + more + around for span, more in zip(spans, extra, strict=True)]

    def _passage(self, prefix: str, span: Span) -> str:
        text = self.text[span.start : span.end].strip("\n")
        return prefix + (f"{span.head}\n" if span.head else "") + text + (f"\n{span.foot}" if span.foot else "")

    def _chunk(self, start: int, end: int, part: Part, key: str, passage: str, count: int) -> Chunk:
        document = self.document
        text = self.text[start:end]
        self.seen[text] += 1
        first = bisect_left(self.lines, start + 1) - 1
        file, start_line, end_line = self._origin(first, first + text.count("\n"))
        return Chunk(
            id=content_id(document.source, document.path, text, self.seen[text]),
            source=document.source,
            path=document.path,
            title=document.title,
            trail=part.trail,
            section=key,
            text=text,
            passage=passage,
            start=start,
            end=end,
            start_line=start_line,
            end_line=end_line,
            tokens=count,
            url=self._url(part.anchor, file, start_line, end_line),
            file=file,
            revision=document.revision,
            repository=document.repository,
        )

    def _origin(self, first: int, last: int) -> tuple[str, int, int]:
        """The file that most of the lines ``[first, last]`` came from ("": the page's own), and the lines there (1-based)."""
        document = self.document
        if document.lines is None:
            return "", first + 1, last + 1
        numbers = range(first, last + 1)
        filled = [line for line in numbers if self._between(line, line + 1).strip()] or list(numbers)
        file = ""
        if document.files:
            letters: Counter[str] = Counter()
            for line in filled:
                letters[document.files[line]] += len(self._between(line, line + 1))
            file = max(sorted(letters), key=letters.__getitem__)
            filled = [line for line in filled if document.files[line] == file]
        theirs = [document.lines[line] for line in filled]
        return file, min(theirs), max(theirs)

    def _url(self, anchor: str, file: str, first: int, last: int) -> str:
        document, url = self.document, self.document.url
        if document.style != "lines" or not url:
            return f"{url}#{anchor}" if url and anchor else url
        if not file:
            return line_link(url, first, last)
        root = url.removesuffix(quote(document.path))
        return line_link(urljoin(root, quote(file)), first, last) if root != url else url

    def _prefix(self, trail: tuple[str, ...]) -> tuple[str, int]:
        """The line of headings above a passage, and the tokens of it and of what the model puts around a text."""
        line, allowed = " ".join(TRAIL_SEPARATOR.join(trail).split()), int(self.budget * _LONGEST_TRAIL)
        size = self._measure(line)
        if size <= allowed:
            return line + "\n", size + self.special
        shown = list(trail)
        while len(shown) > 1 and self._measure(TRAIL_SEPARATOR.join(shown)) > allowed:
            del shown[len(shown) // 2 if len(shown) > 2 else 0]  # noqa: PLR2004
        line = " ".join(TRAIL_SEPARATOR.join(shown).split())
        while self._measure(line) > allowed:
            line = line[: max(len(line) * 2 // 3, 1)].rstrip()
        return line + "\n", self._measure(line) + self.special

    def _measure(self, text: str) -> int:
        return self.tokens.count([text])[0] - self.special

    def _skip(self, line: int, reason: str, heading: str) -> None:
        file, number, _ = self._origin(line, line)
        self.skipped.append(Rejected("ingest", f"{file or self.document.path}:{number}", reason, heading))

    def _offset(self, line: int) -> int:
        return self.lines[line] if line < len(self.lines) else len(self.text)

    def _between(self, first: int, last: int) -> str:
        return self.text[self._offset(first) : self._offset(last)]


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts += [match.end() for match in re.finditer("\n", text)]
    return starts
