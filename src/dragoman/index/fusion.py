"""How two rankings become one, and how hits of one section become one hit.

In: chunk ids, best first. Out: chunk ids with a score, best first. It knows neither tables nor models.
"""

from collections.abc import Mapping, Sequence


def fuse(dense: Sequence[str], lexical: Sequence[str], weight: float, constant: int = 60) -> list[tuple[str, float]]:
    """Merge two rankings by weighted reciprocal rank fusion.

    A chunk scores ``1 / (constant + rank)`` for its 1-based rank in ``dense`` plus ``weight`` times
    the same for ``lexical``; a ranking that lacks it gives nothing (Cormack, Clarke and Buettcher,
    "Reciprocal Rank Fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009).

    Args:
        dense: Chunk ids by vector similarity, best first, each once.
        lexical: Chunk ids by BM25, best first, each once.
        weight: Weight of ``lexical``, 0 or more; 1 is plain reciprocal rank fusion.
        constant: Flattens the difference between neighbouring ranks.

    Returns:
        Every chunk of a ranking that counts, with its score, best first; equal scores by chunk id.
    """
    scores: dict[str, float] = {}
    for ranking, share in ((dense, 1.0), (lexical, weight)):
        if share <= 0:
            continue
        for rank, chunk_id in enumerate(ranking, start=1):
            scores[chunk_id] = scores.get(chunk_id, 0.0) + share / (constant + rank)
    return sorted(scores.items(), key=best_first)


def collapse(ranked: Sequence[tuple[str, float]], section_of: Mapping[str, str]) -> list[tuple[str, float]]:
    """Keep the best chunk of each section: five chunks of one section are one find for a reader.

    Args:
        ranked: Chunk ids with scores, best first.
        section_of: The section of each chunk id.

    Returns:
        The first chunk of each section, in the same order, with its own score.
    """
    best: dict[str, tuple[str, float]] = {}
    for chunk_id, score in ranked:
        best.setdefault(section_of[chunk_id], (chunk_id, score))
    return list(best.values())


def best_first(scored: tuple[str, float]) -> tuple[float, str]:
    """Sort key: larger scores first, equal scores by chunk id."""
    chunk_id, score = scored
    return -score, chunk_id
