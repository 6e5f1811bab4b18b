"""The LanceDB side: the only module that imports it.

In: chunks with unit vectors. Out: a database folder with its tables, and what it matches. One table
has a row a chunk (all of its fields, its vector, its search terms), one a row a section, each with a
stemmed English full-text index; one has the vectors of known questions. It knows no pointer and no ranking: row numbers and BM25 scores leave it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import WorkspaceError
from dragoman.index.lift import QuestionVectors
from dragoman.index.terms import chunk_terms, section_terms
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

_CHUNKS, _SECTIONS, _QUESTIONS, _WORDS = "chunks", "sections", "questions", "words"
_LONGEST_TERM = 120  # LanceDB drops longer words; its own 40 would lose dotted names written as one word


@dataclass(frozen=True, slots=True)
class Matches:
    """Rows that hold a word of the question, in no order.

    Attributes:
        rows: Row numbers, shape ``(n,)``.
        scores: BM25, positive, larger is better, shape ``(n,)``.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


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

    sections = list(by_section(chunks).values())
    columns: dict[str, object] = {"row": np.arange(len(chunks), dtype=np.int64)}
    columns |= {name: [getattr(chunk, name) for chunk in chunks] for name in _columns()}
    columns["terms"] = [chunk_terms(chunk) for chunk in chunks]
    columns["vector"] = _vector_column(vectors)
    groups = {
        "row": np.arange(len(sections), dtype=np.int64),
        "terms": [section_terms([chunks[row] for row in rows]) for rows in sections],
    }
    with _translated(f"cannot write the index {folder}"):
        database = lancedb.connect(folder)
        _write(database.create_table(_CHUNKS, pa.table(columns)))
        _write(database.create_table(_SECTIONS, pa.table(groups)))
        if questions is not None and len(questions.owners):
            asked = {"row": questions.owners, "vector": _vector_column(questions.vectors)}
            database.create_table(_QUESTIONS, pa.table(asked))


def _vector_column(vectors: Vectors) -> "pa.Array":
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])


def _write(table: "Table") -> None:
    from lancedb.index import FTS

    # One worker makes one partition: BM25 then counts words over all rows, on any machine.
    words = FTS(stem=True, max_token_length=_LONGEST_TERM, num_workers=1)
    table.create_index("terms", config=words, name=_WORDS)
    table.optimize()


def by_section(chunks: Sequence[Chunk]) -> dict[str, list[int]]:
    """Row numbers of each section's chunks; sections in order of appearance."""
    rows: dict[str, list[int]] = {}
    for row, chunk in enumerate(chunks):
        rows.setdefault(chunk.section, []).append(row)
    return rows


class Tables:
    """The two tables of one database, opened for reading.

    Args:
        folder: The database.

    Raises:
        WorkspaceError: LanceDB cannot read it.
    """

    def __init__(self, folder: Path) -> None:
        import lancedb

        self._where = f"cannot read the index {folder}"
        with _translated(self._where):
            database = lancedb.connect(folder)
            self._chunks = _Searched(database.open_table(_CHUNKS))
            self._sections = _Searched(database.open_table(_SECTIONS))
            known = _QUESTIONS in database.list_tables().tables
            self._questions = database.open_table(_QUESTIONS) if known else None

    def chunks(self) -> list[Chunk]:
        """All chunks, in the order they were built in."""
        with _translated(self._where):
            table = self._chunks.read(_columns())
        return [Chunk(**{**row, "trail": tuple(row["trail"])}) for row in table.to_pylist()]

    def vectors(self) -> Vectors:
        """All vectors, shape ``(chunks, dimension)``, in the same order."""
        with _translated(self._where):
            return _unpacked(self._chunks.read(["vector"]))

    def questions(self) -> QuestionVectors | None:
        """The known questions, or None when the table was built without."""
        if self._questions is None:
            return None
        with _translated(self._where):
            table = self._questions.search().select(["row", "vector"]).limit(self._questions.count_rows()).to_arrow()
        table = table.sort_by("row")
        return QuestionVectors(table["row"].to_numpy(), _unpacked(table))

    def match_chunks(self, terms: str) -> Matches:
        """Every chunk that holds one of the words; numbers are rows of ``chunks()``."""
        with _translated(self._where):
            return self._chunks.match(terms)

    def match_sections(self, terms: str) -> Matches:
        """Every section that holds one of the words; numbers are places in ``by_section``."""
        with _translated(self._where):
            return self._sections.match(terms)


def _unpacked(table: "pa.Table") -> Vectors:
    column = table["vector"].combine_chunks()
    return np.ascontiguousarray(column.flatten().to_numpy().reshape(len(column), -1), dtype=np.float32)


class _Searched:
    """A table whose ``terms`` are searched, with our row number for each of LanceDB's row ids."""

    def __init__(self, table: "Table") -> None:
        self._table, self._size = table, table.count_rows()
        known = (
            table.search().select(["row"]).with_row_id(with_row_id=True).limit(self._size).to_arrow().sort_by("_rowid")
        )
        self._ids: NDArray[np.uint64] = known["_rowid"].to_numpy()
        self._rows: NDArray[np.int64] = known["row"].to_numpy()
        table.prewarm_index(_WORDS)  # else it is read at the first question, when a swap may have removed it

    def read(self, columns: list[str]) -> "pa.Table":
        table = self._table.search().select([*columns, "row"]).limit(self._size).to_arrow()
        return table.sort_by("row").select(columns)

    def match(self, terms: str) -> Matches:
        from lancedb.query import MatchQuery

        # Row ids come with the match; asking for the "row" column instead is a second read, and half as fast.
        query = self._table.search(MatchQuery(terms, "terms")).select(["_score"]).with_row_id(with_row_id=True)
        found = query.limit(self._size).to_arrow()
        rows = self._rows[np.searchsorted(self._ids, found["_rowid"].to_numpy())]
        return Matches(rows, found["_score"].to_numpy().astype(np.float64))


def _columns() -> list[str]:
    return [field.name for field in fields(Chunk)]


@contextmanager
def _translated(happened: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:  # what LanceDB's Rust core raises
        line = str(error).strip().partition("\n")[0]
        raise WorkspaceError(f"{happened}: {line}", hint="Build it with: dragoman index") from error
