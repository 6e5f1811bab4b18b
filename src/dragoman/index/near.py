"""Ranking by vectors: the similarity of every row, exactly, and of a few.

In: a question's vector. Out: similarities. 200,000 rows of 384 numbers take 9 ms on one core, so that nothing is
approximated. It knows neither chunks nor tables.
"""

from dataclasses import dataclass

import numpy as np

from dragoman.errors import UsageError
from dragoman.index.lift import QuestionVectors, lift
from dragoman.models.protocols import Vectors


@dataclass(frozen=True, slots=True)
class Near:
    """Unit vectors of the rows, and of the known questions if there are any."""

    vectors: Vectors
    questions: QuestionVectors | None

    def unit(self, vector: Vectors) -> Vectors:
        """A question's vector at length 1, shape ``(dimension,)``.

        Raises:
            UsageError: It has another length than the rows'.
        """
        flat = np.asarray(vector, dtype=np.float32).reshape(-1)
        if flat.shape[0] != self.vectors.shape[1]:
            happened = f"the question's vector has {flat.shape[0]} numbers"
            raise UsageError(happened, expected=f"{self.vectors.shape[1]}, as in the index")
        length = float(np.linalg.norm(flat))
        unit: Vectors = flat / length if length else flat
        return unit

    def similarities(self, unit: Vectors, *, questions: bool) -> Vectors:
        """Each row's similarity, raised by near questions if those count."""
        # Not `@`: BLAS would wake threads that fight with torch's, and was slower (50,000 rows: 12 ms against 2).
        scores: Vectors = np.vecdot(self.vectors, unit)
        if questions and self.questions is not None:
            scores = lift(scores, np.vecdot(self.questions.vectors, unit), self.questions.owners)
        return scores

    def similarity(self, unit: Vectors, row: int) -> float:
        """One row's similarity to its passage."""
        return float(np.vecdot(self.vectors[row], unit))

    def question(self, unit: Vectors, row: int) -> float | None:
        """The similarity of the row's nearest known question; None where it has none."""
        if self.questions is None:
            return None
        first, end = np.searchsorted(self.questions.owners, [row, row + 1])
        return float(np.vecdot(self.questions.vectors[first:end], unit).max()) if end > first else None
