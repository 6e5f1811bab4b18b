"""Reads the documents of a source as normalised text.

In: a source that lies on this machine. Out: its documents in the order of their paths, and every other
file with the reason why it is not one. A file that its format's reader cannot take is listed, and the others are read.
"""

import re
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from dragoman.errors import SourceError
from dragoman.ingest.addresses import detect_style, page_address, pages_folder, site_of
from dragoman.ingest.formats.docstrings.describe import describer
from dragoman.ingest.formats.failure import PageError
from dragoman.ingest.formats.page import Neighbours, Page
from dragoman.ingest.formats.tree import Tree
from dragoman.ingest.markdown import parse
from dragoman.ingest.select import DOCUMENT_SUFFIXES, select
from dragoman.ingest.sources.local import walk
from dragoman.ingest.sources.spec import FetchedSource
from dragoman.records import Document, Rejected

if TYPE_CHECKING:
    from dragoman.config import IngestSettings

REASONS: Final = (
    "binary",
    "empty",
    "file name not UTF-8",
    "format not supported",
    "link not followed",
    "not a document",
    "not UTF-8 text",
    "too large",
    "unreadable",
)

_READERS: Final = {
    ".rst": "rst.convert",
    ".ipynb": "notebook",
    ".html": "html.convert",
    ".htm": "html.convert",
    ".txt": "",
}
_MARKDOWN: Final = "markdown.convert"
_OTHER_FORMATS = (".adoc", ".asciidoc", ".org", ".pdf", ".qmd", ".rmd", ".textile")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_CONTROL_SHARE = 0.05  # text with escape sequences stays well below, program files are well above
_TOP_HEADING = re.compile(r"^[ \t]*(?:#(?:[ \t].*)?|=+[ \t]*)$", re.MULTILINE)
_ORDINAL = re.compile(r"^\d+(?:[ ._-]+)(?=\D)")

# Lined up for the eye, such a row takes a token for each dash, and may fill a chunk by itself.
_DELIMITERS = re.compile(r"^[ \t>]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?[ \t]*)?$", re.MULTILINE)

_Reader = Callable[[str, str, Neighbours], Page]


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a source holds: each file is a document, or is skipped; parts of documents that did not become text are listed, too.

    Assets (images, scripts, ...) share a row for each extension: item ``*.png``, the count in ``detail``.
    """

    documents: tuple[Document, ...]
    skipped: tuple[Rejected, ...]
    unmatched: tuple[str, ...] = ()  # globs of the settings that no document's path matches


def read_documents(source: FetchedSource) -> ReadResult:
    """Read all documents of a source.

    Args:
        source: Where they are, and under which settings they are read.

    Returns:
        Documents and what was left out, both sorted by path. Hidden entries, ``node_modules`` and what is
        not among ``source.files`` are in neither.

    Raises:
        SourceError: The source holds no document; the message counts what was found instead.
    """
    entries, skipped = _entries(source)
    skipped += source.left_out
    assets: Counter[str] = Counter()
    written = [path for path in entries if _suffix(path) in DOCUMENT_SUFFIXES]
    for path in sorted(entries.keys() - set(written)):
        if _suffix(path) in _OTHER_FORMATS:
            skipped.append(Rejected("ingest", path, "format not supported", _suffix(path)))
        else:
            assets[f"*{_suffix(path)}" if _suffix(path) else "(no extension)"] += 1
    chosen = select(written, source.settings)
    skipped += chosen.rejected
    pages = _Pages(source, chosen.kept)
    documents = []
    for path in chosen.kept:
        try:
            page = pages.read(path, entries[path])
        except PageError as error:
            skipped.append(Rejected("ingest", path, error.reason, error.detail))
            continue
        documents.append(pages.document(path, page))
        skipped += [Rejected("ingest", f"{path}:{out.line}", out.reason, out.detail) for out in page.left_out]
    if not documents:
        raise _nothing(source, skipped, assets)
    rows = (*sorted(skipped, key=lambda row: row.item), *_asset_rows(assets))
    return ReadResult(tuple(documents), rows, chosen.unmatched)


class _Pages:
    """Reads the pages of one source, each by its format, and knows where they are published."""

    def __init__(self, source: FetchedSource, paths: Sequence[str]) -> None:
        self.source = source
        self.settings: IngestSettings = source.settings
        base = source.base or source.root
        self.neighbours: Neighbours = Tree(base, source.root, describer(base, source.root))
        self.site = self.settings.site or site_of(base, source.root)
        self.style = self.settings.style if self.settings.style != "auto" else detect_style(base, source.root)
        self.folder = pages_folder(base, source.root)
        self.published = {place: path for path in paths if (place := self._place(path))}
        self.readers: dict[str, _Reader] = {}

    def read(self, path: str, place: Path) -> Page:
        """A file as Markdown.

        Raises:
            PageError: It is no text, or not what its name says.
        """
        text = _text(place, self.settings.max_file_mb)
        suffix = _suffix(path)
        page = self._reader(suffix)(text, path, self.neighbours) if _READERS.get(suffix) != "" else Page(text)
        if "----" in page.text:
            page = replace(page, text=_DELIMITERS.sub(_shortened, page.text))
        if not page.text.strip():
            raise PageError("empty", "" if not text.strip() else "nothing in it is text for a reader")
        return page

    def document(self, path: str, page: Page) -> Document:
        """The page with its title and address."""
        heading = "" if _suffix(path) == ".txt" else _first_heading(page.text)
        url, style = self._address(path, page)
        return Document(
            source=self.source.label,
            path=path,
            text=page.text,
            title=" ".join((page.title or heading or _readable(path)).split()),
            revision=self.source.revision,
            url=url,
            style=style,
            lines=page.lines,
            files=page.files,
            repository=self.source.repository or self.source.label,
        )

    def _reader(self, suffix: str) -> _Reader:
        name = _READERS.get(suffix, _MARKDOWN)
        if name not in self.readers:
            self.readers[name] = import_module(f"dragoman.ingest.formats.{name}").convert
        return self.readers[name]

    def _place(self, path: str) -> str:
        """The page's path in the folder that the site is made from; "" for a page that is not in it."""
        whole = self.source.root / path
        return whole.relative_to(self.folder).as_posix() if whole.is_relative_to(self.folder) else ""

    def _address(self, path: str, page: Page) -> tuple[str, str]:
        place = self._place(path)
        if self.site and place:
            url = page_address(self.style, self.site, place, page.slug, self.published.keys())
            if url:
                return url, self.style
        return self.source.page_url.replace("{path}", quote(path)), "lines"


def _entries(source: FetchedSource) -> tuple[dict[str, Path], list[Rejected]]:
    """Files by their path below the root, and what of the walk cannot be one."""
    if source.files:
        return {path: source.root / path for path in source.files}, []
    files: dict[str, Path] = {}
    skipped: list[Rejected] = []
    for entry in walk(source.root):
        place = Path(entry.filename or source.root) if isinstance(entry, OSError) else Path(entry.path)
        path = place.relative_to(source.root).as_posix()
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
        if isinstance(entry, OSError):
            skipped.append(Rejected("ingest", f"{shown}/", "unreadable", entry.strerror or ""))
        elif shown != path:
            skipped.append(Rejected("ingest", shown, "file name not UTF-8"))
        elif entry.is_symlink() and (place.is_dir() or _suffix(path) in DOCUMENT_SUFFIXES):
            # What a link points at may lie outside the docs, and a chatbot would publish it.
            skipped.append(Rejected("ingest", path, "link not followed", f"to {_link(place)}"))
        else:
            files[path] = place
    return files, skipped


def _link(place: Path) -> str:
    try:
        target = str(place.readlink())
    except OSError as error:
        return f"an unknown place: {error.strerror}"
    return target.encode("utf-8", "backslashreplace").decode("utf-8")


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _text(place: Path, max_mb: float) -> str:
    limit = int(max_mb * 1_000_000)
    try:
        status = place.stat()
        if not stat.S_ISREG(status.st_mode):
            raise PageError("unreadable", "not a plain file")  # opening a pipe would wait for ever
        if status.st_size > limit:
            raise PageError("too large", f"{status.st_size / 1e6:.1f} MB; [ingest] max_file_mb = {max_mb:g}")
        with place.open("rb") as file:
            data = file.read(limit)
    except OSError as error:
        raise PageError("unreadable", error.strerror or "") from error
    return _normalised(data)


def _normalised(data: bytes) -> str:
    """The text of a file: no BOM, no NUL, and lines that end at a line feed only."""
    utf16 = data.startswith(_UTF16)
    if b"\0" in data and not utf16:
        raise PageError("binary", "it holds NUL bytes")
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise PageError("not UTF-8 text", f"at byte {error.start}") from None
    controls = len(_CONTROL.findall(text))
    if "\0" in text or controls > len(text) * _CONTROL_SHARE:
        raise PageError("binary", f"{controls} control characters")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise PageError("empty")
    return text


def _shortened(row: re.Match[str]) -> str:
    return re.sub(r"-{4,}", "---", row[0])


def _first_heading(text: str) -> str:
    """The first heading of level 1, as the chunker will see it; "" without one."""
    candidate = _TOP_HEADING.search(text)
    if not candidate:
        return ""
    # The line is nearly always the heading, and then nothing below it needs to be parsed.
    for part in (text[: candidate.end()], text):
        for section in parse(part):
            if section.level == 1 and section.heading:
                return section.heading
    return ""


def _readable(path: str) -> str:
    """``guide/02-first_steps.md`` -> "First steps"."""
    stem = PurePosixPath(path).stem
    words = re.sub(r"[-_\s]+", " ", _ORDINAL.sub("", stem)).strip() or stem
    return words[0].upper() + words[1:]


def _asset_rows(assets: Counter[str]) -> list[Rejected]:
    counts = {item: f"{count} file{'s' if count > 1 else ''}" for item, count in sorted(assets.items())}
    return [Rejected("ingest", item, "not a document", detail) for item, detail in counts.items()]


def _nothing(source: FetchedSource, skipped: list[Rejected], assets: Counter[str]) -> SourceError:
    seen: Counter[str] = Counter()
    for row in skipped:
        suffix = _suffix(row.item)
        seen[suffix if suffix in _OTHER_FORMATS else f"{suffix or row.item} ({row.reason})"] += 1
    for item, count in assets.items():
        seen[item.removeprefix("*").replace("(no extension)", "without extension")] += count
    found = ", ".join(f"{count} {what}" for what, count in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0])))
    expected = f"{', '.join(DOCUMENT_SUFFIXES[:-1])} or {DOCUMENT_SUFFIXES[-1]}"
    return SourceError(f"no documents in {source.label}: found {found or 'nothing'}", expected=expected)
