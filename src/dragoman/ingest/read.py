"""Reads the documents of a source as normalised text.

In: a source that lies on this machine. Out: its documents in the order of their paths, and every other
file with the reason why it is not one. It knows Markdown only as far as a title and an address need it;
it cuts nothing.
"""

import re
import stat
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.markdown import parse
from dragoman.ingest.sources import DOCUMENT_SUFFIXES, FetchedSource, walk
from dragoman.records import Document, Rejected

REASONS: Final = (
    "binary",
    "empty",
    "file name not UTF-8",
    "format not supported yet",
    "link not followed",
    "not a document",
    "not UTF-8 text",
    "too large",
    "unreadable",
)

_OTHER_FORMATS = (".adoc", ".asciidoc", ".htm", ".html", ".ipynb", ".org", ".pdf", ".qmd", ".rmd", ".rst", ".textile")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_INDEX = ("index.md", "index.markdown", "index.mdx")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_CONTROL_SHARE = 0.05  # text with escape sequences stays well below, program files are well above
_FRONT = re.compile(r"---[ \t]*\n((?:.*?\n)??)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_KEY = re.compile(r"^(title|slug)[ \t]*:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^']|'')*)'")
_TOP_HEADING = re.compile(r"^[ \t]*(?:#(?:[ \t].*)?|=+[ \t]*)$", re.MULTILINE)
_ORDINAL = re.compile(r"^\d+(?:[ ._-]+)(?=\D)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What is used of the ``---`` block at the top of a page; "" for what it does not say."""

    title: str = ""
    slug: str = ""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a source holds: each file is a document, or is skipped.

    Assets (images, scripts, ...) share a row for each extension: item ``*.png``, the count in ``detail``.
    """

    documents: tuple[Document, ...]
    skipped: tuple[Rejected, ...]


class _Skip(Exception):
    """Why a file is not a document: one of ``REASONS``; never leaves this module."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def read_documents(source: FetchedSource, settings: IngestSettings) -> ReadResult:
    """Read all documents of a source.

    Args:
        source: Where they are.
        settings: The largest file that is read, and the site where the pages are published.

    Returns:
        Documents and skipped files, both sorted by path. Hidden entries, ``node_modules`` and what is
        not among ``source.files`` are in neither.

    Raises:
        SourceError: The source holds no document; the message counts what was found instead.
    """
    entries, skipped = _entries(source)
    documents: list[Document] = []
    assets: Counter[str] = Counter()
    for path in sorted(entries):
        suffix = _suffix(path)
        if suffix not in DOCUMENT_SUFFIXES and suffix not in _OTHER_FORMATS:
            assets[f"*{suffix}" if suffix else "(no extension)"] += 1
            continue
        try:
            text = _text(entries[path], suffix, settings)
        except _Skip as skip:
            skipped.append(Rejected("ingest", path, skip.reason, skip.detail))
        else:
            documents.append(_document(source, path, text, settings, entries.keys()))
    if not documents:
        raise _nothing(source, skipped, assets)
    rows = [*sorted(skipped, key=lambda row: row.item), *_asset_rows(assets)]
    return ReadResult(tuple(documents), tuple(rows))


def front_matter(text: str) -> FrontMatter:
    """Title and slug of a page, when a ``---`` block at its top names them.

    Args:
        text: Normalised text of the page.

    Returns:
        What was found. Only plain and quoted values on the key's own line are understood.
    """
    block = _FRONT.match(text)
    values = {key: _scalar(value) for key, value in _KEY.findall(block[1])} if block else {}
    return FrontMatter(values.get("title", ""), values.get("slug", ""))


def _scalar(value: str) -> str:
    quoted = _QUOTED.match(value)
    if quoted and quoted[1] is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1]).strip()
    if quoted:
        return quoted[2].replace("''", "'").strip()
    plain = re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
    # A block, a reference or a list goes on below, or is no text at all.
    return "" if plain[:1] in {"|", ">", "&", "*", "!", "[", "{", '"', "'"} else plain


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


def _text(place: Path, suffix: str, settings: IngestSettings) -> str:
    if suffix in _OTHER_FORMATS:
        raise _Skip("format not supported yet", suffix)
    limit = int(settings.max_file_mb * 1_000_000)
    try:
        status = place.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _Skip("unreadable", "not a plain file")  # opening a pipe would wait for ever
        if status.st_size > limit:
            detail = f"{status.st_size / 1e6:.1f} MB; [ingest] max_file_mb = {settings.max_file_mb:g}"
            raise _Skip("too large", detail)
        with place.open("rb") as file:
            data = file.read(limit)
    except OSError as error:
        raise _Skip("unreadable", error.strerror or "") from error
    return _normalised(data)


def _normalised(data: bytes) -> str:
    """The text of a file: no BOM, no NUL, and lines that end at a line feed only."""
    utf16 = data.startswith(_UTF16)
    if b"\0" in data and not utf16:
        raise _Skip("binary", "it holds NUL bytes")
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Skip("not UTF-8 text", f"at byte {error.start}") from None
    controls = len(_CONTROL.findall(text))
    if "\0" in text or controls > len(text) * _CONTROL_SHARE:
        raise _Skip("binary", f"{controls} control characters")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise _Skip("empty")
    return text


def _document(
    source: FetchedSource, path: str, text: str, settings: IngestSettings, paths: Collection[str]
) -> Document:
    front = front_matter(text)
    if settings.site:
        url = _site_url(settings.site, path, front.slug, paths)
    else:
        url = source.page_url.replace("{path}", quote(path))
    heading = "" if path.lower().endswith(".txt") else _first_heading(text)
    title = front.title or heading or _readable(path)
    return Document(source=source.label, path=path, text=text, title=title, revision=source.revision, url=url)


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


def _site_url(site: str, path: str, slug: str, paths: Collection[str]) -> str:
    """The address that MkDocs gives to a page; a ``slug`` takes the place of the file's name."""
    page = PurePosixPath(path)
    if page.suffix.lower() == ".txt":
        return f"{site.rstrip('/')}/{quote(path)}"
    steps = [*page.parent.parts, page.stem]
    readme = page.stem.lower() == "readme" and not any(page.with_name(name).as_posix() in paths for name in _INDEX)
    if slug and "://" not in slug:
        steps = [*([] if slug.startswith("/") else steps[:-1]), *slug.split("/")]
    elif page.name.lower() in _INDEX or readme:
        steps.pop()
    steps = [quote(step) for step in steps if step not in {"", ".", ".."}]
    return "/".join([site.rstrip("/"), *steps, ""])


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
