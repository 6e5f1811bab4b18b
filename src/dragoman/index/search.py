"""Searching the served table: by vector, by words, or by both.

In: a question and its vector. Out: hits, best first, larger scores better, ties by chunk id, each with why it was
found. Vectors are held in memory and compared exactly; LanceDB answers the full-text part meanwhile. It does not
encode, rerank or write.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from dragoman.errors import UsageError
from dragoman.index.expand import counterparts, expand
from dragoman.index.found import Found, Ranking, by_vector, by_words
from dragoman.index.pointer import MODEL, RERANKER, IndexMeta, read_pointer
from dragoman.index.served import load
from dragoman.index.words import WordSearch
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, Hit, SearchFilter, Serving

_EVERYWHERE = SearchFilter()


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
        self._served = load(root, fingerprint)

    @property
    def meta(self) -> IndexMeta:
        """What the served table was made with."""
        return self._served.meta

    @property
    def name(self) -> str:
        """The served table's name."""
        return self._served.name

    @property
    def model_folder(self) -> Path | None:
        """The model that was kept with the served table, if one was."""
        return self._kept(MODEL)

    @property
    def reranker_folder(self) -> Path | None:
        """The cross-encoder that was kept with the served table, if one was."""
        return self._kept(RERANKER)

    def _kept(self, name: str) -> Path | None:
        folder = self._served.folder / name
        return folder if folder.is_dir() else None

    def chunks(self) -> list[Chunk]:
        """All chunks, in the order they were built in."""
        return self._served.rows.chunks()

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
                self._served = load(self._root, self._fingerprint)
            return self._served.name != before

    def dense(self, vector: Vectors, depth: int, *, questions: bool = False) -> Ranking:
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
        served = self._served
        return by_vector(served, served.near.unit(vector), depth, None, questions=questions)

    def lexical(self, question: str, depth: int) -> Ranking:
        """Rank chunks by their words: BM25 of the chunk, of its section and of its identifiers.

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
        served = self._served
        return by_words(served, WordSearch(served.tables, served.rows, question, depth), depth)

    def search(
        self,
        question: str,
        vector: Vectors | Callable[[], Vectors] | None,
        serving: Serving,
        *,
        top: int = 10,
        collapse: bool = True,
        where: SearchFilter = _EVERYWHERE,
    ) -> list[Hit]:
        """The best hits for a question.

        Args:
            question: The question.
            vector: Its vector, or what makes it, which is called while words are searched for; not needed in lexical mode.
            serving: The mode, how much words count beside vectors, and how deep each ranking is (at least ``top``).
            top: Hits wanted at most.
            collapse: Whether a section gives its best chunk only; the others that were found are its context.
            where: Which chunks may be found.

        Returns:
            Hits, best first, with their signals.

        Raises:
            UsageError: The mode needs a vector, the vector has another length, or the filter names what there is not.
            WorkspaceError: The table can no longer be read.
        """
        served, depth = self._served, max(serving.depth, top)
        allowed = served.allowed(where)
        if vector is None and serving.mode != "lexical":
            raise UsageError(f"{serving.mode} search without a vector", expected="the question's vector")
        wordy = serving.mode == "lexical" or (serving.mode == "hybrid" and serving.lexical_weight > 0)
        asked = WordSearch(served.tables, served.rows, question, depth, allowed) if wordy else None
        unit = None if vector is None else served.near.unit(vector() if callable(vector) else vector)
        words = _pool().submit(by_words, served, asked, depth) if asked else None
        near: Ranking = []
        if unit is not None and serving.mode != "lexical":
            near = by_vector(served, unit, depth, allowed, questions=serving.questions)
        return Found(served, serving, unit, near, words.result() if words else []).hits(top, collapse=collapse)

    def expand(self, hits: Sequence[Hit], budget: int, *, count: Callable[[str], int] | None = None) -> list[Hit]:
        """Add what is read with the hits: found chunks of the section, the rest of it, then neighbours in the page.

        Args:
            hits: Best first; none is dropped, even when they alone are over the budget.
            budget: Tokens that all ``Hit.read`` together may take.
            count: Counts the tokens of a passage; None: as ``Chunk.tokens``.

        Returns:
            The hits in their order; no chunk is read twice.
        """
        return expand(hits, self._served.rows, budget, count)

    def counterparts(self, chunk: Chunk) -> list[Chunk]:
        """The section of a chunk in other versions of the docs, where its text differs; none without versions."""
        return counterparts(chunk, self._served.rows, self._served.meta)


@cache
def _pool() -> ThreadPoolExecutor:
    """Where chunks are ranked by words while vectors are compared: what was not enough is asked for once more meanwhile."""
    return ThreadPoolExecutor(4, "words")


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
