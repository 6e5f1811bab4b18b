"""At which rank does each way of searching find a question's section?

In: vectors of questions and passages, lexical rankings, and the fusion that will be served. Out: one
rank a question for each way (dense, lexical, hybrid at several weights), hits of one section being
one find. It knows vectors and ids only, no model and no index.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.metrics import Ranks
from dragoman.models.protocols import Vectors

DEPTH = 100  # chunks that each search hands to fusion
# Of the lexical ranking beside the dense one's 1. No more than half: a model that writes questions reuses the words
# of the passage, so synthetic questions flatter word search (docs/decisions.md, 6).
WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5)

Fuse = Callable[[Sequence[str], Sequence[str], float], Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What can be found: chunk ids in row order of the vectors, and each one's section.

    ``alike`` maps a section to the sections that say nearly the same (itself included); a question
    about one of them is answered by any.
    """

    ids: tuple[str, ...]
    section_of: Mapping[str, str]
    alike: Mapping[str, frozenset[str]]

    def relevant(self, chunk_ids: Sequence[str]) -> frozenset[str]:
        """Sections that answer a question which any of these chunks answers."""
        sections = [self.section_of[chunk] for chunk in chunk_ids if chunk in self.section_of]
        return frozenset().union(*(self.alike.get(section, frozenset({section})) for section in sections))


def dense_order(questions: Vectors, passages: Vectors, depth: int = DEPTH) -> NDArray[np.int64]:
    """Rows of the nearest passages, nearest first, ties in row order.

    Args:
        questions: Shape ``(questions, dimension)``, unit length.
        passages: Shape ``(passages, dimension)``, unit length.
        depth: How many to return at most.

    Returns:
        Shape ``(questions, min(depth, passages))``.
    """
    return nearest(questions @ passages.T, depth)


def nearest(similarity: NDArray[np.floating], depth: int = DEPTH) -> NDArray[np.int64]:
    """Columns of the largest similarities, largest first, ties in column order.

    Args:
        similarity: Shape ``(questions, passages)``.
        depth: How many to return at most.

    Returns:
        Shape ``(questions, min(depth, passages))``.
    """
    return np.argsort(-similarity, axis=1, kind="stable")[:, :depth].astype(np.int64)


def dense_ranks(questions: Vectors, passages: Vectors, answers: Sequence[Sequence[str]], catalogue: Catalogue) -> Ranks:
    """Ranks of the questions' sections when the nearest passages are collapsed by section.

    Args:
        questions: Shape ``(questions, dimension)``.
        passages: Shape ``(passages, dimension)``, in the catalogue's row order.
        answers: Ids of the chunks that answer each question.
        catalogue: What can be found.

    Returns:
        Shape ``(questions,)``, 1-based, 0 for not among the first 100 chunks.
    """
    order = dense_order(questions, passages)
    return ranks_of([[catalogue.ids[row] for row in rows] for rows in order], answers, catalogue)


def all_ranks(
    dense: Sequence[Sequence[str]],
    lexical: Sequence[Sequence[str]],
    answers: Sequence[Sequence[str]],
    catalogue: Catalogue,
    fuse: Fuse,
) -> dict[float | None, Ranks]:
    """Ranks of the questions' sections under dense search and under fusion at each weight.

    Args:
        dense: For each question, chunk ids by similarity.
        lexical: For each question, chunk ids by BM25.
        answers: Ids of the chunks that answer each question.
        catalogue: What can be found.
        fuse: Joins a dense and a lexical ranking at a weight, best first.

    Returns:
        Lexical weight -> ranks; 0.0 is dense alone, ``None`` is lexical alone.
    """
    ways: dict[float | None, list[int]] = {weight: [] for weight in (0.0, *WEIGHTS, None)}
    for near, words, chunks in zip(dense, lexical, answers, strict=True):
        for weight, ranks in ways.items():
            if weight is None:
                ids: Sequence[str] = words
            elif weight == 0.0:
                ids = near
            else:
                ids = [found for found, _ in fuse(near, words, weight)]
            ranks.append(_rank(ids, chunks, catalogue))
    return {weight: np.array(ranks, dtype=np.int64) for weight, ranks in ways.items()}


def ranks_of(hits: Sequence[Sequence[str]], answers: Sequence[Sequence[str]], catalogue: Catalogue) -> Ranks:
    """Ranks of the questions' sections among their hits, hits of one section being one find.

    Args:
        hits: For each question, chunk ids, best first.
        answers: Ids of the chunks that answer each question.
        catalogue: What can be found.

    Returns:
        Shape ``(questions,)``, 1-based, 0 for not found.
    """
    pairs = zip(hits, answers, strict=True)
    return np.array([_rank(ids, chunks, catalogue) for ids, chunks in pairs], dtype=np.int64)


def _rank(ids: Sequence[str], answers: Sequence[str], catalogue: Catalogue) -> int:
    relevant = catalogue.relevant(answers)
    seen: set[str] = set()
    for found in ids:
        section = catalogue.section_of[found]
        if section in relevant:
            return len(seen) + 1
        seen.add(section)
    return 0
