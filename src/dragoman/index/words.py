"""Ranking by words: BM25 of a chunk, of its section, and of the identifiers in it, added up.

In: a question. Out: chunk rows with scores, as if every row had been scored. LanceDB is asked for the best rows of each
part only, since common words are in most rows. Whoever is in no list scores at most its last: where that leaves a
place open, the rivals are asked for by name, or the lists grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dragoman.index.filters import Allowed
from dragoman.index.identifiers import identifiers
from dragoman.index.rows import Numbers, Rows
from dragoman.index.table import Matches, Ranges, Tables
from dragoman.index.terms import question_terms

if TYPE_CHECKING:
    from concurrent.futures import Future

# Words count an identifier too, in parts and as one word: a whole one counts for half as much again (docs/decisions.md).
_IDENTIFIER_WEIGHT = 0.5
_LEAST, _TIMES = 1000, 10  # rows asked of each part: so many, or so many times the depth
_GROWTH = 4
_FEW = 1000  # rows whose exact scores are asked for

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one part gives each row, and what it can give at most to a row that is not in its list."""

    scores: Floats
    bound: float


class WordSearch:
    """A question's words, being searched for from the moment it is made.

    Args:
        tables: Where to search.
        rows: All rows.
        question: Any text; nothing in it is syntax.
        depth: Rows wanted at most.
        allowed: Which rows may be found; None: all.
    """

    def __init__(self, tables: Tables, rows: Rows, question: str, depth: int, allowed: Allowed | None = None) -> None:
        self._tables, self._rows, self._depth, self._allowed = tables, rows, depth, allowed
        self._terms = question_terms(question)
        self._names = " ".join(dict.fromkeys(identifiers(question.encode("utf-8", "ignore").decode())))
        self._limit = max(_LEAST, _TIMES * depth)
        self._ranges = (allowed.ranges, allowed.section_ranges) if allowed else (None, None)
        self._asked = self._ask(*self._ranges) if self._terms and depth > 0 else []

    def scores(self) -> Floats:
        """Each row's score; 0 where it holds no word of the question, or cannot be among the best.

        Raises:
            WorkspaceError: The table can no longer be read.
        """
        if not self._asked:
            return np.zeros(len(self._rows))
        while True:
            parts = self._parts([asked.result() for asked in self._asked])
            scores: Floats = sum((part.scores for part in parts[1:]), start=parts[0].scores)
            rivals = self._rivals(scores, parts)
            if rivals is not None and not len(rivals):
                return scores
            if rivals is None or len(rivals) > _FEW:
                self._limit *= _GROWTH
                self._asked = self._ask(*self._ranges)
            else:  # a longer list would end with the same question about the next row
                self._limit = len(self._rows) + 1
                self._asked = self._ask(_each(rivals), _each(np.unique(self._rows.sections[rivals])))

    def _ask(self, within: Ranges, sections: Ranges) -> "list[Future[Matches]]":
        asked = [
            self._tables.match_chunks(self._terms, self._limit, within),
            self._tables.match_sections(self._terms, self._limit, sections),
        ]
        return [*asked, self._tables.match_identifiers(self._names, self._limit, within)] if self._names else asked

    def _parts(self, found: Sequence[Matches]) -> list[_Part]:
        chunks, sections, *names = found
        size = len(self._rows)
        parts = [
            _Part(_spread(chunks, size), chunks.bound),
            _Part(_spread(sections, size)[self._rows.sections], sections.bound),
            *(_Part(_IDENTIFIER_WEIGHT * _spread(name, size), _IDENTIFIER_WEIGHT * name.bound) for name in names),
        ]
        if self._allowed is None:
            return parts
        return [_Part(np.where(self._allowed.rows, part.scores, 0.0), part.bound) for part in parts]

    def _rivals(self, scores: Floats, parts: Sequence[_Part]) -> Numbers | None:
        """Rows that may be among the best, if a score that could change that is not fully known; None: anyone may be."""
        bound = sum(part.bound for part in parts)
        seen = np.flatnonzero(scores)
        if not bound:
            return seen[:0]
        known = scores[seen]
        if len(known) <= self._depth:
            return None
        edge = np.partition(known, len(known) - self._depth)[len(known) - self._depth]
        if bound > edge:
            return None
        possible = known.copy()
        for part in parts:
            possible += np.where(part.scores[seen] > 0, 0.0, part.bound)
        open_ = np.any((possible > edge) & (possible > known))
        return seen[possible >= edge] if open_ else seen[:0]


def _each(numbers: Numbers) -> list[tuple[int, int]]:
    return [(number, number) for number in numbers.tolist()]


def _spread(matches: Matches, size: int) -> Floats:
    scores = np.zeros(size, dtype=np.float64)
    scores[matches.rows] = matches.scores
    return scores
