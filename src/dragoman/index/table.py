"""The LanceDB side: the only module that imports it.

In: chunks with unit vectors. Out: a database folder with its tables, and what it matches. One table has a row a chunk
(its fields, vector, search terms and identifiers), one a row a section, each with a stemmed English full-text index, and
one of the identifiers as they are written; one has the vectors of known questions. It knows no pointer and no ranking.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import WorkspaceError
from dragoman.index.identifiers import indexed_identifiers
from dragoman.index.lift import QuestionVectors
from dragoman.index.rows import Rows
from dragoman.index.terms import chunk_terms, section_terms
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk

if TYPE_CHECKING:
    from concurrent.futures import Future

    import pyarrow as pa
    from lancedb.db import DBConnection
    from lancedb.table import AsyncTable

_CHUNKS, _SECTIONS, _QUESTIONS = "chunks", "sections", "questions"
_TERMS, _IDENTIFIERS = "terms", "identifiers"  # columns
_LONGEST_TERM = 120  # LanceDB drops longer words; its own 40 would lose dotted names written as one word

_Asked = TypeVar("_Asked")
Ranges = Sequence[tuple[int, int]] | None  # first and last numbers; None: all


@dataclass(frozen=True, slots=True)
class Matches:
    """The rows that hold a word of the question best, in no order.

    Attributes:
        rows: Row numbers, shape ``(n,)``.
        scores: BM25, positive, larger is better, shape ``(n,)``.
        bound: No other row scores more; 0 when no other row holds a word.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    bound: float = 0.0


def write_tables(folder: Path, chunks: Sequence[Chunk], vectors: Vectors, questions: QuestionVectors | None) -> None:
    """Write chunks and sections with their full-text indexes, and known questions, into a new folder.

    Args:
        folder: The database; must not exist.
        chunks: The rows, in order.
        vectors: Unit vectors, shape ``(len(chunks), dimension)``, float32.
        questions: Known questions, if they are to be searched.

    Raises:
        WorkspaceError: LanceDB cannot write there.
    """
    import lancedb
    import pyarrow as pa

    columns: dict[str, object] = {"row": np.arange(len(chunks), dtype=np.int64)}
    columns |= {name: [getattr(chunk, name) for chunk in chunks] for name in _columns()}
    columns[_TERMS] = [chunk_terms(chunk) for chunk in chunks]
    columns[_IDENTIFIERS] = [" ".join(indexed_identifiers(chunk.passage)) for chunk in chunks]
    columns["vector"] = _vector_column(vectors)
    with _translated(f"cannot write the index {folder}"), ThreadPoolExecutor(1) as beside:
        database = lancedb.connect(folder)
        # LanceDB needs the processor, and not Python: the terms of the sections are made meanwhile.
        written = beside.submit(_write, database, _CHUNKS, pa.table(columns), _TERMS, _IDENTIFIERS)
        terms = [section_terms([chunks[row] for row in rows]) for rows in by_section(chunks).values()]
        written.result()
        _write(database, _SECTIONS, pa.table({"row": np.arange(len(terms), dtype=np.int64), _TERMS: terms}), _TERMS)
        if questions is not None and len(questions.owners):
            asked = {"row": questions.owners, "vector": _vector_column(questions.vectors)}
            _write(database, _QUESTIONS, pa.table(asked))


def _vector_column(vectors: Vectors) -> "pa.Array":
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def _write(database: "DBConnection", name: str, rows: "pa.Table", *columns: str) -> None:
    from lancedb.index import FTS

    # One worker makes one partition: BM25 then counts words over all rows, on any machine.
    words = FTS(stem=True, max_token_length=_LONGEST_TERM, num_workers=1)
    written = FTS(
        base_tokenizer="whitespace",
        stem=False,
        lower_case=False,
        remove_stop_words=False,
        ascii_folding=False,
        max_token_length=_LONGEST_TERM,
        num_workers=1,
    )
    table = database.create_table(name, rows)
    for column in columns:
        table.create_index(column, config=words if column == _TERMS else written, name=column)
    if columns:
        table.optimize()


def by_section(chunks: Sequence[Chunk]) -> dict[str, list[int]]:
    """Row numbers of each section's chunks; sections in order of appearance."""
    rows: dict[str, list[int]] = {}
    for row, chunk in enumerate(chunks):
        rows.setdefault(chunk.section, []).append(row)
    return rows


class Tables:
    """The tables of one database, opened for reading; several threads may ask at once.

    Args:
        folder: The database.

    Raises:
        WorkspaceError: LanceDB cannot read it.
    """

    def __init__(self, folder: Path) -> None:
        self._where = f"cannot read the index {folder}"
        with _translated(self._where):
            self._chunks, self._sections, self._questions = _wait(_open(folder))

    def rows(self) -> Rows:
        """All chunks, in the order they were built in."""
        with _translated(self._where):
            return Rows(_wait(_read(self._chunks.table, _columns())))

    def vectors(self) -> Vectors:
        """All vectors, shape ``(chunks, dimension)``, in the same order."""
        with _translated(self._where):
            return _unpacked(_wait(_read(self._chunks.table, ["vector"])))

    def questions(self) -> QuestionVectors | None:
        """The known questions, or None when the table was built without."""
        if self._questions is None:
            return None
        with _translated(self._where):
            table = _wait(_read(self._questions, ["row", "vector"]))
        return QuestionVectors(table["row"].to_numpy(), _unpacked(table))

    def match_chunks(self, terms: str, limit: int, within: Ranges = None) -> "Future[Matches]":
        """The chunks that hold the words best, at most ``limit`` of those in the ranges of rows; numbers are rows."""
        return self._match(self._chunks, _TERMS, terms, limit, within)

    def match_identifiers(self, names: str, limit: int, within: Ranges = None) -> "Future[Matches]":
        """As ``match_chunks``, for identifiers as they are written."""
        return self._match(self._chunks, _IDENTIFIERS, names, limit, within)

    def match_sections(self, terms: str, limit: int, within: Ranges = None) -> "Future[Matches]":
        """As ``match_chunks``, for sections; numbers are places in ``by_section``."""
        return self._match(self._sections, _TERMS, terms, limit, within)

    def _match(self, table: "_Searched", column: str, terms: str, limit: int, within: Ranges) -> "Future[Matches]":
        async def match() -> Matches:
            with _translated(self._where):
                return await table.match(column, terms, limit, within)

        return asyncio.run_coroutine_threadsafe(match(), _loop())


@dataclass(frozen=True, slots=True)
class _Searched:
    """A table that is searched, with our row number for each of LanceDB's row ids, which ascend."""

    table: "AsyncTable"
    ids: NDArray[np.uint64]
    rows: NDArray[np.int64]

    async def match(self, column: str, terms: str, limit: int, within: Ranges) -> Matches:
        from lancedb.query import MatchQuery

        # Row ids come with the match; asking for the "row" column instead is a second read, and half as fast.
        query = self.table.query().nearest_to_text(MatchQuery(terms, column)).select(["_score"]).with_row_id()
        if within is not None:
            query = query.where(_condition(within))
        found = await query.limit(min(limit, len(self.ids))).to_arrow()
        rows = self.rows[np.searchsorted(self.ids, found["_rowid"].to_numpy())]
        scores = found["_score"].to_numpy().astype(np.float64)
        return Matches(rows, scores, float(scores.min()) if len(rows) == limit else 0.0)


async def _open(folder: Path) -> tuple[_Searched, _Searched, "AsyncTable | None"]:
    import lancedb

    database = await lancedb.connect_async(folder)
    chunks = await _searched(await database.open_table(_CHUNKS), _TERMS, _IDENTIFIERS)
    sections = await _searched(await database.open_table(_SECTIONS), _TERMS)
    known = _QUESTIONS in (await database.list_tables()).tables
    return chunks, sections, await database.open_table(_QUESTIONS) if known else None


async def _searched(table: "AsyncTable", *columns: str) -> _Searched:
    known = (await table.query().select(["row"]).with_row_id().to_arrow()).sort_by("_rowid")
    for column in columns:
        await table.prewarm_index(column)  # else it is read at the first question, when a swap may have removed it
    return _Searched(table, known["_rowid"].to_numpy(), known["row"].to_numpy())


async def _read(table: "AsyncTable", columns: Sequence[str]) -> "pa.Table":
    """Columns of all rows, in the order of their number."""
    found = await table.query().select(list(dict.fromkeys([*columns, "row"]))).to_arrow()
    numbers = found["row"].to_numpy()
    in_order = bool(np.all(numbers[1:] >= numbers[:-1]))  # sorting copies every vector
    return (found if in_order else found.sort_by("row")).select(columns)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Where LanceDB's questions wait side by side: its other interface hops between threads, which takes twice as long."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="index", daemon=True).start()
    return loop


def _wait(asked: Coroutine[Any, Any, _Asked]) -> _Asked:
    return asyncio.run_coroutine_threadsafe(asked, _loop()).result()


def _unpacked(table: "pa.Table") -> Vectors:
    column = table["vector"].combine_chunks()
    return np.ascontiguousarray(column.flatten().to_numpy().reshape(len(column), -1), dtype=np.float32)


def _condition(within: Sequence[tuple[int, int]]) -> str:
    single = [str(first) for first, last in within if first == last]
    spans = [f"(row >= {first} AND row <= {last})" for first, last in within if first != last]
    return " OR ".join([*spans, f"row IN ({', '.join(single)})"] if single else spans)


def _columns() -> list[str]:
    return [field.name for field in fields(Chunk)]


@contextmanager
def _translated(happened: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:  # what LanceDB's Rust core raises
        line = str(error).strip().partition("\n")[0]
        raise WorkspaceError(f"{happened}: {line}", hint="Build it with: dragoman index") from error
