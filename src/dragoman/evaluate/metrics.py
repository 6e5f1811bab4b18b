"""Retrieval metrics from ranks.

In: for each question, the rank (1-based) at which its section was found, 0 when it was not. Out: one
value a question. Near-identical sections count as one find, so a question has one relevant find and
the ideal DCG is 1 (Järvelin & Kekäläinen 2002, https://doi.org/10.1145/582415.582418).
"""

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.int64]
Values = NDArray[np.float64]


def ndcg(ranks: Ranks, k: int) -> Values:
    """NDCG@k of each question: ``1 / log2(1 + rank)``, 0 beyond ``k``.

    Args:
        ranks: Shape ``(questions,)``, 1-based, 0 for not found.
        k: Hits that count.

    Returns:
        Shape ``(questions,)``, between 0 and 1.
    """
    found = _found(ranks, k)
    return np.where(found, 1.0 / np.log2(1.0 + np.where(found, ranks, 1)), 0.0)


def reciprocal_rank(ranks: Ranks, k: int) -> Values:
    """Reciprocal rank of each question, 0 beyond ``k``; its mean is MRR@k.

    Args:
        ranks: Shape ``(questions,)``, 1-based, 0 for not found.
        k: Hits that count.

    Returns:
        Shape ``(questions,)``, between 0 and 1.
    """
    found = _found(ranks, k)
    return np.where(found, 1.0 / np.where(found, ranks, 1), 0.0)


def recall(ranks: Ranks, k: int) -> Values:
    """1 for each question whose section is among the first ``k`` hits, else 0.

    Args:
        ranks: Shape ``(questions,)``, 1-based, 0 for not found.
        k: Hits that count.

    Returns:
        Shape ``(questions,)``, 0 or 1.
    """
    return _found(ranks, k).astype(np.float64)


def _found(ranks: Ranks, k: int) -> NDArray[np.bool_]:
    return (ranks > 0) & (ranks <= k)
