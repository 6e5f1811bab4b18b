"""What a search found, as hits that say why they were found.

In: a ranking by vectors, one by words, or both. Out: hits with their signals and the other found chunks of their
section. It searches nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dragoman.index.expand import reading_order
from dragoman.index.filters import Allowed
from dragoman.index.fusion import best_first, fuse
from dragoman.index.fusion import collapse as collapse_sections
from dragoman.index.served import Served
from dragoman.index.words import WordSearch
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, Hit, Serving, Signals

# Sums of floats end in other bits on another processor, or in another order: scores are rounded, so that
# equal rows tie everywhere and the id decides.
_DIGITS = 6

Ranking = list[tuple[str, float]]


class Found:
    """Two rankings of one question, either of which may be empty.

    Args:
        served: The table that was searched.
        serving: How it was searched.
        unit: The question's vector at length 1; None when there was none.
        near: The ranking by vectors.
        words: The ranking by words.
    """

    def __init__(self, served: Served, serving: Serving, unit: Vectors | None, near: Ranking, words: Ranking) -> None:
        self._served, self._serving, self._unit = served, serving, unit
        self._near = {chunk_id: rank for rank, (chunk_id, _) in enumerate(near, start=1)}
        self._words = {chunk_id: (rank, score) for rank, (chunk_id, score) in enumerate(words, start=1)}
        self._fused = serving.mode == "hybrid" and serving.lexical_weight > 0
        self._ranked = (
            fuse(list(self._near), list(self._words), serving.lexical_weight) if self._fused else near or words
        )

    def hits(self, top: int, *, collapse: bool) -> list[Hit]:
        """The best hits, at most ``top``; collapsed, the other found chunks of a section are context of its best."""
        rows, ranked = self._served.rows, self._ranked
        section_of = {chunk_id: str(rows.sections[rows.row_of[chunk_id]]) for chunk_id, _ in ranked}
        kept = (collapse_sections(ranked, section_of) if collapse else ranked)[:top]
        others: dict[str, list[str]] = {section_of[chunk_id]: [] for chunk_id, _ in kept} if collapse else {}
        best = {chunk_id for chunk_id, _ in kept}
        for chunk_id, _ in ranked:
            if chunk_id not in best and section_of[chunk_id] in others:
                others[section_of[chunk_id]].append(chunk_id)
        chunks = self._chunks([*best, *(one for group in others.values() for one in group)])
        return [
            Hit(
                rank,
                score,
                chunks[chunk_id],
                reading_order(chunks[one] for one in others.get(section_of[chunk_id], ())),
                self._signals(chunk_id, score),
            )
            for rank, (chunk_id, score) in enumerate(kept, start=1)
        ]

    def _chunks(self, ids: Sequence[str]) -> dict[str, Chunk]:
        rows = self._served.rows
        return dict(zip(ids, rows.chunks(rows.row_of[chunk_id] for chunk_id in ids), strict=True))

    def _signals(self, chunk_id: str, score: float) -> Signals:
        near, row, unit = self._served.near, self._served.rows.row_of[chunk_id], self._unit
        question = near.question(unit, row) if unit is not None and self._serving.questions else None
        rank, words = self._words.get(chunk_id, (0, 0.0))
        return Signals(
            dense=None if unit is None else round(near.similarity(unit, row), _DIGITS),
            dense_rank=self._near.get(chunk_id, 0),
            question=None if question is None else round(question, _DIGITS),
            lexical=words,
            lexical_rank=rank,
            fused=score if self._fused else 0.0,
        )


def by_vector(served: Served, unit: Vectors, depth: int, allowed: Allowed | None, *, questions: bool) -> Ranking:
    """Ids of the nearest chunks with their similarity, best first."""
    scores = served.near.similarities(unit, questions=questions)
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed.rows)
    return _best(served, rows, scores if allowed is None else scores[rows], depth)


def by_words(served: Served, asked: WordSearch, depth: int) -> Ranking:
    """Ids of the chunks that hold the words best with their score, best first."""
    scores = asked.scores()
    rows = np.flatnonzero(scores)
    return _best(served, rows, scores[rows], depth)


def _best(served: Served, rows: NDArray[np.int64], scores: NDArray[np.floating], depth: int) -> Ranking:
    """The ``depth`` best rows; whoever ties with the last of them is compared by id before the cut."""
    if depth < 1 or not len(rows):
        return []
    if depth < len(scores):
        edge = np.partition(scores, len(scores) - depth)[len(scores) - depth]
        kept = np.flatnonzero(scores >= edge - 10.0**-_DIGITS * 2)
        rows, scores = rows[kept], scores[kept]
    rounded = np.round(scores.astype(np.float64), _DIGITS).tolist()
    scored = [(served.rows.ids[row], score) for row, score in zip(rows.tolist(), rounded, strict=True)]
    return sorted(scored, key=best_first)[:depth]
