"""Hard negatives: passages that look right to the base model and are not.

In: vectors of questions and passages, and the chunks. Out: for each question the ids of the best-placed wrong chunks.
Mined positive-aware, as "TopK-PercPos" of NV-Retriever (https://arxiv.org/abs/2407.15831): what scores nearly as well as the
question's own passage may well answer it, and is left out, as is what is known to say the same. It encodes nothing and asks nothing.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import UsageError
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk

REASONS = ("answers it", "same section", "sibling section", "copy", "linked", "too near", "repeats another")
_OWN, _SECTION, _SIBLING, _COPY, _LINKED, _NEAR, _REPEATS = REASONS
_FIRST_LOOK = 4  # so many times the negatives wanted are sorted at first, since some repeat each other

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """The dials. ``margin`` is relative: 0.05 leaves out what scores above 95% of the question's own passage."""

    count: int = 4  # negatives a question
    margin: float = 0.05
    siblings: bool = False  # also leave out the sections under the same heading of the same page
    block_bytes: int = 256 * 1024 * 1024  # of similarities that are held at once


@dataclass(frozen=True, slots=True)
class Mined:
    """The negatives of each question, hardest first, with their scores.

    ``excluded`` counts pairs of a question and a chunk by the first reason that applied; ``short`` counts the questions that got
    fewer negatives than were asked for.
    """

    ids: tuple[tuple[str, ...], ...]
    scores: tuple[tuple[float, ...], ...]
    excluded: Mapping[str, int] = field(default_factory=dict)
    short: int = 0


def mine_negatives(
    questions: Vectors,
    passages: Vectors,
    answers: Sequence[Sequence[str]],
    chunks: Sequence[Chunk],
    *,
    linked: Mapping[str, Collection[str]] | None = None,
    settings: MiningSettings | None = None,
) -> Mined:
    """Find the chunks that are most similar to each question among those that do not answer it.

    Left out are: the chunks that answer it, their sections, the copies of what stands there, sections that link to
    them or that they link to, and whatever scores above the margin. Of several copies of one text, the first is taken.

    Args:
        questions: Shape ``(questions, dimension)``.
        passages: Shape ``(chunks, dimension)``, in the order of ``chunks``.
        answers: For each question the ids of the chunks that answer it, first the one that it is trained with, whose
            score the margin is measured from.
        chunks: The chunks.
        linked: Section -> sections that are linked with it, in one direction or both.
        settings: The dials.

    Returns:
        The negatives in the order of the questions; of equal scores, the chunk that comes first.

    Raises:
        UsageError: Shapes and lengths do not fit each other, or an answer is not among the chunks.
    """
    settings = settings or MiningSettings()
    _check(questions, passages, answers, chunks)
    guards = _Guards(chunks, linked or {}, siblings=settings.siblings)
    table = np.asarray(passages, dtype=np.float32)
    excluded = dict.fromkeys(REASONS, 0)
    ids: list[tuple[str, ...]] = []
    scores: list[tuple[float, ...]] = []
    height = max(1, settings.block_bytes // max(1, 4 * len(chunks)))
    for start in range(0, len(questions), height):
        block = np.asarray(questions[start : start + height], dtype=np.float32) @ table.T
        for row, answering in zip(block, answers[start : start + height], strict=True):
            own = guards.rows_of(answering)
            near = _above(row[own[0]], settings.margin)
            for reason, rows in guards.excluded(own):
                excluded[reason] += len(rows)
                row[rows] = -np.inf
            # Not "above", so that a score that is no number is left out too.
            too_near = ~(row <= near)
            excluded[_NEAR] += int(np.count_nonzero(too_near))
            row[too_near] = -np.inf
            chosen, repeats = _hardest(row, settings.count, guards.group)
            excluded[_REPEATS] += repeats
            ids.append(tuple(chunks[place].id for place in chosen))
            scores.append(tuple(float(row[place]) for place in chosen))
    short = sum(len(found) < settings.count for found in ids)
    return Mined(tuple(ids), tuple(scores), {reason: count for reason, count in excluded.items() if count}, short)


def _above(positive: np.float32, margin: float) -> np.float32:
    """The highest score that a negative may have.

    The margin is taken from the score's size: ``positive * (1 - margin)`` lies above a negative ``positive``, and would
    let in what is nearer to the question than its own passage (huggingface/sentence-transformers#3819).
    """
    return np.float32(float(positive) - abs(float(positive)) * margin)


def _hardest(row: Scores, count: int, group: Rows) -> tuple[list[int], int]:
    """The places of the highest scores, one of each group of copies; and how many copies were passed over."""
    look = _FIRST_LOOK * max(1, count)
    while True:
        look = min(look, len(row))
        floor = np.partition(row, len(row) - look)[len(row) - look]
        rows = np.flatnonzero((row >= floor) & (row > -np.inf))
        rows = rows[np.lexsort((rows, -row[rows]))]
        chosen: dict[int, int] = {}
        for seen, place in enumerate(rows.tolist()):
            if len(chosen) >= count:
                return list(chosen.values()), seen - count
            chosen.setdefault(int(group[place]), place)
        if len(chosen) >= count or look == len(row):
            return list(chosen.values()), len(rows) - len(chosen)
        look *= _FIRST_LOOK


class _Guards:
    """Which chunks say, or may say, the same as a given one."""

    def __init__(self, chunks: Sequence[Chunk], linked: Mapping[str, Collection[str]], *, siblings: bool) -> None:
        self._row = {chunk.id: row for row, chunk in enumerate(chunks)}
        self._chunks, self._siblings = chunks, siblings
        names = [self._row.get(chunk.canonical, row) for row, chunk in enumerate(chunks)]
        # A copy whose original is not among the chunks is named by it all the same, or its twins were strangers.
        strays: dict[str, int] = {}
        for row, chunk in enumerate(chunks):
            if chunk.canonical and chunk.canonical not in self._row:
                names[row] = strays.setdefault(chunk.canonical, row)
        self.group = np.array(names, dtype=np.int64)
        self._sections = _positions(chunk.section for chunk in chunks)
        self._groups = _positions(names)
        self._parents = _positions(_parent(chunk) for chunk in chunks) if siblings else {}
        self._linked: dict[str, set[str]] = {}
        for section, others in linked.items():
            for other in others:
                self._linked.setdefault(section, set()).add(other)
                self._linked.setdefault(other, set()).add(section)

    def rows_of(self, chunk_ids: Sequence[str]) -> Rows:
        """The rows of chunks, in their order."""
        return np.array([self._row[chunk_id] for chunk_id in chunk_ids], dtype=np.int64)

    def excluded(self, own: Rows) -> Iterator[tuple[str, Rows]]:
        """Rows that are no negatives for a question that ``own`` answers, each under its first reason."""
        sections = list(dict.fromkeys(self._chunks[row].section for row in own.tolist()))
        inside = _joined(self._sections[section] for section in sections)
        parents = dict.fromkeys(_parent(self._chunks[row]) for row in own.tolist()) if self._siblings else ()
        groups = dict.fromkeys(int(self.group[row]) for row in inside.tolist())
        beyond = dict.fromkeys(other for section in sections for other in sorted(self._linked.get(section, ())))
        none = np.zeros(0, dtype=np.int64)
        seen = none
        for reason, rows in (
            (_OWN, own),
            (_SECTION, inside),
            (_SIBLING, _joined(self._parents[parent] for parent in parents)),
            (_COPY, _joined(self._groups[name] for name in groups)),
            (_LINKED, _joined(self._sections.get(section, none) for section in beyond)),
        ):
            fresh = np.setdiff1d(rows, seen)
            seen = np.union1d(seen, fresh)
            yield reason, fresh


def _parent(chunk: Chunk) -> tuple[str, ...]:
    """Where the sections beside a chunk's own are; a page's first section is beside none but itself."""
    return (chunk.source, chunk.path, *(chunk.trail[:-1] or ("", *chunk.trail)))


def _positions(keys: Iterable[Hashable]) -> dict[Any, Rows]:
    """Key -> the rows that have it, in order."""
    rows: dict[Any, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    return {key: np.array(found, dtype=np.int64) for key, found in rows.items()}


def _joined(parts: Iterable[Rows]) -> Rows:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _check(questions: Vectors, passages: Vectors, answers: Sequence[Sequence[str]], chunks: Sequence[Chunk]) -> None:
    if len(questions) != len(answers) or len(passages) != len(chunks):
        raise UsageError(
            f"{len(questions)} vectors for {len(answers)} questions and {len(passages)} for {len(chunks)} chunks",
            expected="one vector for each",
        )
    if len(questions) and questions.shape[1:] != passages.shape[1:]:
        raise UsageError(
            f"questions have vectors of shape {questions.shape[1:]}, passages of {passages.shape[1:]}",
            expected="one model for both",
        )
    known = {chunk.id for chunk in chunks}
    for place, answering in enumerate(answers):
        unknown = [chunk_id for chunk_id in answering if chunk_id not in known]
        if unknown or not answering:
            raise UsageError(
                f"question {place} is answered by {', '.join(unknown) or 'no chunk'}",
                expected="ids of the given chunks",
            )
