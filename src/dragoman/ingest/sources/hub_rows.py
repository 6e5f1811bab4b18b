"""Rows of a dataset of chunks, put together again as the documents they were cut from.

In: Parquet, JSON Lines or CSV files with a ``chunks`` column. Out: for each ``filename`` the text of its rows in their order,
and a path that is safe to write it to. It knows no Hub and writes nothing.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS: Final = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
COLUMN: Final = "chunks"

_Row = tuple[Any, Any, Any]  # chunk, file name, repository

_WANTED = (COLUMN, "filename", "repo_name")
_MOST_ROWS = 5_000_000
_READ = (".md", ".markdown", ".mdx", ".rst", ".txt")  # other names are of pages whose text was taken out
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_PARTS, _PART_BYTES = 16, 120
_NAMED = 20  # columns that a message lists


@dataclass(slots=True)
class Documents:
    """Chunks by repository and file name, both "" where the rows name none, in the order of the rows."""

    chunks: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    size: int = 0  # characters

    def repositories(self) -> list[str]:
        """The repositories that rows name, without repetition."""
        return list(dict.fromkeys(repository for repository, _ in self.chunks if repository))

    def texts(self, fallback: str) -> Iterator[tuple[str, str]]:
        """Each document's path, relative and with "/", and its text.

        Args:
            fallback: The name of what has none.

        Yields:
            Pairs; no two paths are the same on any disk, and none is a folder of another.
        """
        several = len(self.repositories()) > 1
        names = [(repository if several else "", name or fallback) for repository, name in self.chunks]
        for path, chunks in zip(safe_paths(names), self.chunks.values(), strict=True):
            yield path, "\n\n".join(chunk.strip("\r\n") for chunk in chunks) + "\n"


def read_rows(files: Sequence[tuple[str, Path]], limit: int) -> Documents:
    """Read the chunks of all files.

    Args:
        files: Pairs of the name that messages say and the file, in the order of their rows.
        limit: Most characters in all.

    Returns:
        The documents.

    Raises:
        SourceError: A file is damaged, has no ``chunks`` column or no text in it, or there is too much.
    """
    import pyarrow as pa

    documents = Documents()
    for shown, file in files:
        read = {".parquet": _parquet, ".csv": _csv}.get(file.suffix.lower(), _json)
        try:
            for count, (chunk, name, repository) in enumerate(read(shown, file)):
                if count >= _MOST_ROWS:
                    raise SourceError(f"{shown} holds more than {_MOST_ROWS} rows", expected="a dataset of chunks")
                _add(documents, chunk, name, repository)
                if documents.size > limit:
                    hint = "To allow more: max_total_mb of [ingest]."
                    raise SourceError(f"the chunks in {shown} are more than {limit} characters", hint=hint)
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, RecursionError, MemoryError) as error:
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise SourceError(
                f"{shown} cannot be read: {reason[:200]}", expected="rows with text in 'chunks'"
            ) from error
    return documents


def _add(documents: Documents, value: object, name: object, repository: object) -> None:
    chunks = value if isinstance(value, list) else [value]
    for chunk in chunks:
        if chunk is None:
            continue
        if not isinstance(chunk, str):
            raise TypeError(f"'{COLUMN}' holds {type(chunk).__name__}, not text")
        documents.size += len(chunk)
        if chunk.strip():
            key = tuple(each if isinstance(each, str) else "" for each in (repository, name))
            documents.chunks.setdefault((key[0], key[1]), []).append(chunk)


def _check(shown: str, columns: Iterable[str]) -> list[str]:
    """The wanted columns that are there."""
    names = list(columns)
    there = [name for name in _WANTED if name in names]
    if COLUMN not in there:
        more = ", ..." if len(names) > _NAMED else ""
        happened = f"{shown} has no column '{COLUMN}', only {', '.join(names[:_NAMED]) or 'none'}{more}"
        raise SourceError(happened, expected="a dataset of chunks: columns filename and chunks")
    return there


def _parquet(shown: str, file: Path) -> Iterator[_Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(file)
    columns = _check(shown, schema.names)
    # Read as dictionaries, a short file that repeats one long text does not grow in memory.
    plain = [name for name in columns if not pa.types.is_nested(schema.field(name).type)]
    with pq.ParquetFile(file, read_dictionary=plain) as table:
        for batch in table.iter_batches(batch_size=1024, columns=columns, use_threads=False):
            yield from _batch(batch, columns)


def _csv(shown: str, file: Path) -> Iterator[_Row]:
    import pyarrow as pa
    from pyarrow import csv

    # A block must hold a whole row.
    blocks, parsing = csv.ReadOptions(block_size=2**24, use_threads=False), csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(file, blocks, parsing) as table:
        columns = _check(shown, table.schema.names)
    types = csv.ConvertOptions(include_columns=columns, column_types=dict.fromkeys(columns, pa.string()))
    with csv.open_csv(file, blocks, parsing, types) as table:
        for batch in table:
            yield from _batch(batch, columns)


def _batch(batch: "pa.RecordBatch", columns: Sequence[str]) -> Iterator[_Row]:
    found = [batch.column(name) if name in columns else itertools.repeat(None, batch.num_rows) for name in _WANTED]
    for row in zip(*found, strict=True):
        chunk, name, repository = (None if each is None else each.as_py() for each in row)
        yield chunk, name, repository


def _json(shown: str, file: Path) -> Iterator[_Row]:
    with file.open(encoding="utf-8-sig") as lines:
        start = lines.read(1)
        lines.seek(0)
        rows = json.load(lines) if start == "[" else map(json.loads, filter(str.strip, lines))
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                raise TypeError(f"row {number} is no object")
            if number == 0 or COLUMN not in row:
                _check(shown, row)
            yield row[COLUMN], row.get("filename"), row.get("repo_name")


def safe_paths(names: Sequence[tuple[str, str]]) -> list[str]:
    """Paths to write documents to that are named by strangers.

    Args:
        names: Pairs of a folder ("" for none) and a file's name: with "/" or "\\", absolute or not.

    Returns:
        For each pair a path with "/", relative, without "..", of a suffix that is read; what absolute names have in common at
        their beginning is left out. Those that would be the same, or lie in a file, get a hash in their name.
    """
    absolute = [_is_absolute(name) for _, name in names]
    split = [_split(_DRIVE.sub("", name, count=1)) for _, name in names]
    above = [parts[:-1] for parts, whole in zip(split, absolute, strict=True) if whole]
    # What the first and the last in order share, all share.
    ends = zip(min(above), max(above), strict=False) if above else ()
    common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], ends))
    files: set[str] = set()
    folders: set[str] = set()
    paths = []
    for (folder, name), parts, whole in zip(names, split, absolute, strict=True):
        kept = [*_split(folder), *parts[common if whole else 0 :]]
        path = _path(kept)
        if not _free(path, files, folders):
            digest = hashlib.sha256(f"{folder}\0{name}".encode("utf-8", "replace")).hexdigest()[:12]
            first, slash, rest = path.partition("/")
            stem, dot, suffix = ("", "", "") if slash else first.rpartition(".")
            path = f"{first}-{digest}/{rest}" if slash else f"{stem}-{digest}{dot}{suffix}"
        files.add(path.casefold())
        folders |= set(_above(path))
        paths.append(path)
    return paths


def _split(name: str) -> list[str]:
    return [part for part in re.split(r"[\\/]+", name) if part not in {"", ".", ".."}]


def _is_absolute(name: str) -> bool:
    return name.startswith(("/", "\\", "~")) or bool(_DRIVE.match(name))


def _free(path: str, files: set[str], folders: set[str]) -> bool:
    return path.casefold() not in files | folders and not files.intersection(_above(path))


def _above(path: str) -> list[str]:
    parts = path.casefold().split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _path(parts: Sequence[str]) -> str:
    """Parts as names that every disk takes, the last with a suffix that is read."""
    clean = [_part(part) for part in parts if part.strip(". ")][-_PARTS:] or ["document"]
    if not clean[-1].lower().endswith(_READ):
        clean[-1] += ".md"
    return "/".join(clean)


def _part(part: str) -> str:
    plain = _UNSAFE.sub("_", part).rstrip(". ")
    # A hidden file would not be read, but these rows were chosen.
    plain = "_" + plain[1:] if plain.startswith(".") else plain
    encoded = plain.encode()
    if len(encoded) <= _PART_BYTES:
        return plain
    digest = hashlib.sha256(encoded).hexdigest()[:12]
    stem, dot, suffix = plain.rpartition(".")
    suffix = suffix if dot and len(suffix.encode()) < len(digest) else ""
    cut = (stem if suffix else plain).encode()[: _PART_BYTES - 30].decode("utf-8", "ignore")
    return f"{cut}-{digest}{dot if suffix else ''}{suffix}"
