"""Question vectors beside passages: a chunk is also near when a question about it is near.

In: similarities to passages and to known questions. Out: similarities that a near question has raised,
never lowered (as in QuOTE, https://arxiv.org/abs/2502.10976; the reference system indexed questions alone, so
that a chunk without a question could not be found). It knows no table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.models.protocols import Vectors


@dataclass(frozen=True, slots=True)
class QuestionVectors:
    """Questions that chunks are known to answer.

    ``owners`` are rows of the chunks, ascending, shape ``(questions,)``; ``vectors`` are of length 1 and
    have the shape ``(questions, dimension)``.
    """

    owners: NDArray[np.int64]
    vectors: Vectors


def question_vectors(chunk_ids: Sequence[str], vectors: Vectors, row_of: Mapping[str, int]) -> QuestionVectors:
    """Sort questions by the row of their chunk.

    Args:
        chunk_ids: The chunk that answers each question.
        vectors: A vector a question, shape ``(len(chunk_ids), dimension)``.
        row_of: Row of each chunk id.

    Returns:
        The questions, ready to ``lift`` with.
    """
    owners = np.array([row_of[chunk] for chunk in chunk_ids], dtype=np.int64)
    order = np.argsort(owners, kind="stable")
    return QuestionVectors(owners[order], np.ascontiguousarray(vectors[order], dtype=np.float32))


def lift(passages: NDArray[np.floating], questions: NDArray[np.floating], owners: NDArray[np.int64]) -> Vectors:
    """Raise a chunk's similarity to the mean of it and of its nearest question's, where that is larger.

    Args:
        passages: Similarity to each chunk, shape ``(..., chunks)``.
        questions: Similarity to each question, shape ``(..., questions)``; ``-inf`` leaves one out.
        owners: Row of each question's chunk, ascending, shape ``(questions,)``.

    Returns:
        Shape ``(..., chunks)``, nowhere smaller than ``passages``.
    """
    lifted = np.array(passages, dtype=np.float32)
    if not len(owners):
        return lifted
    rows, starts = np.unique(owners, return_index=True)
    nearest = np.maximum.reduceat(questions, starts, axis=-1)
    lifted[..., rows] = np.maximum(lifted[..., rows], (lifted[..., rows] + nearest) / 2)
    return lifted
