"""Searching the served table: by vector, by words, or by both.

In: a question and its vector. Out: hits, best first, larger scores better, ties by chunk id. Chunks and
vectors are held in memory: an exact scan of 50,000 rows costs less than a query to LanceDB, which
answers the full-text part. It does not encode, rerank or write.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import MissingArtefact, UsageError, WorkspaceError
from dragoman.index.fusion import best_first, fuse
from dragoman.index.fusion import collapse as collapse_sections
from dragoman.index.lift import QuestionVectors, lift
from dragoman.index.pointer import IndexMeta, read_meta, read_pointer
from dragoman.index.table import Matches, Tables, by_section
from dragoman.index.terms import question_terms
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, Hit, Serving

# Sums of floats end in other bits on another processor, or in another order: scores are rounded, so that
# equal rows tie everywhere and the id decides.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Served:
    """One table as it is held in memory; replaced as a whole when the pointer moves."""

    name: str
    meta: IndexMeta
    tables: Tables
    chunks: tuple[Chunk, ...]
    vectors: Vectors
    questions: QuestionVectors | None
    row_of: dict[str, int]
    section_of: dict[str, str]
    section_rows: NDArray[np.int64]  # place of each row's section in the table of sections


class Index:
    """A searchable table; several threads may share it.

    Args:
        root: The index folder.
        fingerprint: Of the encoder whose vectors will be asked with; ``None`` accepts any.

    Raises:
        MissingArtefact: No index was built there.
        WorkspaceError: The index is damaged, of another layout, or made with another encoder.
    """

    def __init__(self, root: Path, fingerprint: str | None = None) -> None:
        self._root, self._fingerprint = root, fingerprint
        self._lock = threading.Lock()
        self._served = _load(root, fingerprint)

    @property
    def meta(self) -> IndexMeta:
        """What the served table was made with."""
        return self._served.meta

    @property
    def name(self) -> str:
        """The served table's name."""
        return self._served.name

    def chunks(self) -> list[Chunk]:
        """All chunks, in the order they were built in."""
        return list(self._served.chunks)

    def reload_if_swapped(self) -> bool:
        """Switch to the table that the pointer names now; costs one small file read.

        Returns:
            Whether another table is served than before.

        Raises:
            MissingArtefact: The index is gone.
            WorkspaceError: The new table cannot be served; the old one still is.
        """
        if read_pointer(self._root) == self._served.name:
            return False
        with self._lock:
            before = self._served.name
            if read_pointer(self._root) != before:
                self._served = _load(self._root, self._fingerprint)
            return self._served.name != before

    def dense(self, vector: Vectors, depth: int, *, questions: bool = False) -> list[tuple[str, float]]:
        """Rank chunks by the cosine similarity of their vectors, exactly.

        Args:
            vector: The question's vector, shape ``(dimension,)`` or ``(1, dimension)``.
            depth: Chunks wanted at most.
            questions: Whether known questions that are near raise their chunk.

        Returns:
            Chunk ids with their similarity in [-1, 1], best first, equal ones by id.

        Raises:
            UsageError: The vector has another length than the index's.
        """
        return _dense(self._served, vector, depth, questions=questions)

    def lexical(self, question: str, depth: int) -> list[tuple[str, float]]:
        """Rank chunks by their words: BM25 of the chunk plus BM25 of its section.

        The section's score finds a chunk whose section has the question's words spread over several
        chunks (passage and document evidence together: Callan, "Passage-level evidence in document
        retrieval", SIGIR 1994).

        Args:
            question: Any text; nothing in it is syntax.
            depth: Chunks wanted at most.

        Returns:
            Chunk ids with their score, best first, equal ones by id; only chunks that hold a word
            of the question themselves or by their section.

        Raises:
            WorkspaceError: The table can no longer be read.
        """
        return _lexical(self._served, question, depth)

    def search(
        self,
        question: str,
        vector: Vectors | None,
        serving: Serving,
        *,
        top: int = 10,
        collapse: bool = True,
        depth: int = 100,
    ) -> list[Hit]:
        """Answer a question with the best chunks.

        Args:
            question: The question as asked.
            vector: Its vector; may be ``None`` in lexical mode.
            serving: The mode, and the weight of the lexical ranking in hybrid mode.
            top: Hits wanted at most.
            collapse: Whether a section gives its best chunk only.
            depth: Chunks taken from each ranking before they are fused and collapsed.

        Returns:
            Hits, best first. Scores are similarities (dense), BM25 (lexical) or fusion scores (hybrid).

        Raises:
            UsageError: The mode needs a vector and there is none, or one of the wrong length.
            WorkspaceError: The table can no longer be read.
        """
        served, depth = self._served, max(depth, top)
        if serving.mode == "lexical":
            ranked = _lexical(served, question, depth)
        elif vector is None:
            raise UsageError(f"{serving.mode} search without a vector", expected="the question's vector")
        else:
            ranked = _dense(served, vector, depth, questions=serving.questions)
            if serving.mode == "hybrid" and serving.lexical_weight > 0:
                words = _lexical(served, question, depth)
                ranked = fuse([i for i, _ in ranked], [i for i, _ in words], serving.lexical_weight)
        if collapse:
            ranked = collapse_sections(ranked, served.section_of)
        found = enumerate(ranked[:top], start=1)
        return [Hit(rank, score, served.chunks[served.row_of[chunk_id]]) for rank, (chunk_id, score) in found]


def open_index(root: Path, *, fingerprint: str | None = None) -> Index:
    """Open the served table.

    Args:
        root: The index folder.
        fingerprint: Of the encoder whose vectors will be asked with; ``None`` accepts any.

    Returns:
        The index, loaded.

    Raises:
        MissingArtefact: No index was built there.
        WorkspaceError: The index is damaged, of another layout, or made with another encoder.
    """
    return Index(root, fingerprint)


def _load(root: Path, fingerprint: str | None) -> _Served:
    name = read_pointer(root)
    try:
        return _open(root, name, fingerprint)
    except WorkspaceError:
        if (now := read_pointer(root)) == name:
            raise
        return _open(root, now, fingerprint)  # swapped and removed while it was being opened


def _open(root: Path, name: str, fingerprint: str | None) -> _Served:
    meta = read_meta(root, name)
    if fingerprint is not None and fingerprint != meta.fingerprint:
        happened = f"the index {name} was made with the {meta.model} model {meta.fingerprint}"
        raise WorkspaceError(
            happened, expected=f"the model at hand, {fingerprint}", hint="Rebuild it with: dragoman index"
        )
    if not (root / name).is_dir():
        raise MissingArtefact(f"the index {name} is gone from {root}", hint="Build it with: dragoman index")
    tables = Tables(root / name)
    chunks = tuple(tables.chunks())
    section_rows = np.empty(len(chunks), dtype=np.int64)
    for place, rows in enumerate(by_section(chunks).values()):
        section_rows[rows] = place
    return _Served(
        name=name,
        meta=meta,
        tables=tables,
        chunks=chunks,
        vectors=tables.vectors(),
        questions=tables.questions(),
        row_of={chunk.id: row for row, chunk in enumerate(chunks)},
        section_of={chunk.id: chunk.section for chunk in chunks},
        section_rows=section_rows,
    )


def _dense(served: _Served, vector: Vectors, depth: int, *, questions: bool) -> list[tuple[str, float]]:
    flat = np.asarray(vector, dtype=np.float32).reshape(-1)
    if flat.shape[0] != served.meta.dimension:
        happened = f"the question's vector has {flat.shape[0]} numbers"
        raise UsageError(happened, expected=f"{served.meta.dimension}, as in the index")
    length = float(np.linalg.norm(flat))
    # Not `@`: BLAS would wake threads that fight with torch's, and was slower (50,000 rows: 12 ms against 2).
    unit = flat / length if length else flat
    scores = np.vecdot(served.vectors, unit)
    if questions and served.questions is not None:
        scores = lift(scores, np.vecdot(served.questions.vectors, unit), served.questions.owners)
    scores = scores.astype(np.float64)
    return _best(served.chunks, np.arange(len(served.chunks)), scores, depth)


def _lexical(served: _Served, question: str, depth: int) -> list[tuple[str, float]]:
    terms = question_terms(question)
    if not terms:
        return []
    scores = _spread(served.tables.match_chunks(terms), len(served.chunks))
    scores += _spread(served.tables.match_sections(terms), len(served.chunks))[served.section_rows]
    rows = np.flatnonzero(scores)
    return _best(served.chunks, rows, scores[rows], depth)


def _spread(matches: Matches, size: int) -> NDArray[np.float64]:
    scores = np.zeros(size, dtype=np.float64)
    scores[matches.rows] = matches.scores
    return scores


def _best(
    chunks: Sequence[Chunk], rows: NDArray[np.int64], scores: NDArray[np.float64], depth: int
) -> list[tuple[str, float]]:
    """The ``depth`` best rows; whoever ties with the last of them is compared by id before the cut."""
    if depth < 1 or not len(rows):
        return []
    scores = np.round(scores, _DIGITS)
    if depth < len(scores):
        edge = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        kept = np.flatnonzero(scores >= edge)
        rows, scores = rows[kept], scores[kept]
    scored = [(chunks[row].id, float(score)) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)]
    return sorted(scored, key=best_first)[:depth]
