"""What each way of searching finds for each held-out question: the figures that the gate judges.

In: chunks, questions, and the models of the rounds. Out: ranks by way. It searches with the code that
serves (``index``) and ranks with the code that measures (``evaluate``), so that what is judged is what is
served.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.metrics import Ranks, Values
from dragoman.evaluate.ranking import DEPTH, Catalogue, all_ranks, nearest, ranks_of
from dragoman.index.build import build_index
from dragoman.index.fusion import collapse, fuse
from dragoman.index.lift import lift, question_vectors
from dragoman.index.pointer import IndexMeta
from dragoman.index.search import open_index
from dragoman.models.encoder import unit_rows
from dragoman.models.protocols import Encoder, Vectors
from dragoman.pipeline.context import Run
from dragoman.pipeline.encoders import base_encoder, tuned_encoder
from dragoman.pipeline.ingest import catalogue_of
from dragoman.pipeline.rounds import Checkpoint, checkpoints, round_folder
from dragoman.pipeline.vectors import VectorCache, encode_all
from dragoman.records import Chunk, Question, SearchMode, Serving

Nearest = list[list[str]]
BASE = Checkpoint(0, 0.0)


def known_questions(questions: Sequence[Question]) -> list[Question]:
    """The questions whose vectors may be searched: a model's or a person's that passed the funnel."""
    return [question for question in questions if question.train and question.kind != "structure"]


@dataclass(frozen=True, slots=True)
class Board:
    """What is asked of what.

    ``rounds`` stands beside ``asked``: the round whose model never saw the question's unit. A question that no chunk answers has
    "" for its chunk.
    """

    chunks: Sequence[Chunk]
    asked: Sequence[Question]
    rounds: Sequence[int]
    known: Sequence[Question]

    @property
    def passages(self) -> list[str]:
        """The passages, in row order."""
        return [chunk.passage for chunk in self.chunks]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors of one model: of some of the questions asked (``places``), of all passages and of the known questions."""

    places: Sequence[int]
    asked: Vectors
    passages: Vectors
    known: Vectors

    def cut(self, dims: int) -> "Encoded":
        """The same with vectors of the first ``dims`` numbers, brought to length 1 again; 0: as they are."""
        if not dims:
            return self
        short = (unit_rows(vectors[:, :dims]) for vectors in (self.asked, self.passages, self.known))
        return Encoded(self.places, *short)


class Bench:
    """All models of a run side by side, each question asked of the one that never saw its unit.

    Args:
        run: The run; ``train`` is finished.
        board: What is asked of what.
        scratch: A folder of one's own; the caller removes it.
    """

    def __init__(self, run: Run, board: Board, scratch: Path) -> None:
        self._run, self._board, self._scratch = run, board, scratch
        self._catalogue = catalogue_of(board.chunks)
        self._answers = [question.answers for question in board.asked]
        self._orders: dict[tuple[Checkpoint, int, bool], Nearest] = {}
        self.models: Mapping[Checkpoint, Sequence[Encoded]] = self._encoded()

    @property
    def dimension(self) -> int:
        """Length of the base model's vectors."""
        return int(self.models[BASE][0].passages.shape[1])

    def ranks(self) -> dict[Serving, Ranks]:
        """Ranks of every question's section under every way of searching, vectors at full length."""
        found: dict[Serving, Ranks] = {}
        for point in self.models:
            for questions in (False, True):
                near = self._order(point, 0, questions=questions)
                for weight, ranks in all_ranks(near, self._words, self._answers, self._catalogue, fuse).items():
                    if weight is not None or (point == BASE and not questions):  # words alone are the same for all
                        found[_serving(point, weight, questions=questions)] = ranks
        return found

    def ranks_at(self, way: Serving, dims: int) -> Ranks:
        """Ranks under one way of searching with shorter vectors."""
        return self.ranks_among(self.hits(way, dims))

    def ranks_among(self, hits: Sequence[Sequence[str]]) -> Ranks:
        """Ranks of every question's section among its hits."""
        return ranks_of(hits, self._answers, self._catalogue)

    def hits(self, way: Serving, dims: int = 0) -> Nearest:
        """Ids of the chunks that a way of searching finds for each question, the best chunk of each section, best first."""
        section_of = self._catalogue.section_of
        if way.mode == "lexical":
            orders = self._words
        else:
            orders = self._order(_point(way), dims or way.dims, questions=way.questions)
        if way.mode == "hybrid":
            pairs = zip(orders, self._words, strict=True)
            orders = [[chunk for chunk, _ in fuse(near, words, way.lexical_weight)] for near, words in pairs]
        return [[chunk for chunk, _ in collapse([(one, 0.0) for one in ids], section_of)] for ids in orders]

    def confidence(self, way: Serving, hits: Sequence[Sequence[str]]) -> Values:
        """The largest similarity of each question to one of its hits, or to a known question of one: as ``Refusal`` has it.

        Args:
            way: How the hits were found; not by words alone.
            hits: Ids of chunks for each question.

        Returns:
            Shape ``(questions,)``; 0 for a question without hits.
        """
        found = np.zeros(len(hits))
        for encoded in self.models[_point(way)]:
            own = [hits[place] for place in encoded.places]
            found[list(encoded.places)] = surest(
                self._board, encoded.cut(way.dims), self._catalogue, own, questions=way.questions
            )
        return found

    @cached_property
    def _words(self) -> Nearest:
        """Chunk ids by words for each question, from an index as it is served."""
        run, board, encoded = self._run, self._board, self.models[BASE][0]
        folder = self._scratch / "words"
        shutil.rmtree(folder, ignore_errors=True)
        meta = IndexMeta("", "base", self.dimension, Serving("base", "lexical"), "scratch")
        build_index(folder, board.chunks, encoded.passages, meta)
        index = open_index(folder)
        found: Nearest = []
        with run.reporter.progress("searching words", len(board.asked)) as advance:
            for question in board.asked:
                found.append([chunk for chunk, _ in index.lexical(question.text, DEPTH)])
                advance(1)
        return found

    def _order(self, point: Checkpoint, dims: int, *, questions: bool) -> Nearest:
        """Chunk ids by similarity for each question, asked of the model that never saw its unit."""
        if (point, dims, questions) not in self._orders:
            plain: Nearest = [[] for _ in self._board.asked]
            lifted: Nearest = [[] for _ in self._board.asked]
            for encoded in self.models[point]:
                found = by_vectors(self._board, encoded.cut(dims), self._catalogue)
                for place, one, other in zip(encoded.places, *found, strict=True):
                    plain[place], lifted[place] = one, other
            self._orders |= {(point, dims, False): plain, (point, dims, True): lifted}
        return self._orders[point, dims, questions]

    def _encoded(self) -> dict[Checkpoint, list[Encoded]]:
        run, board = self._run, self._board
        cache = VectorCache(run.workspace.root / "vectors", run.reporter)
        encoder = base_encoder(run)
        passages = cache.encode(encoder, board.passages, "passage", "encoding passages (base)")
        asked, known = (
            cache.encode(encoder, [question.text for question in questions], "query", "encoding questions (base)")
            for questions in (board.asked, board.known)
        )
        found = {BASE: [Encoded(range(len(board.asked)), asked, passages, known)]}
        points, numbers = checkpoints(run), sorted(set(board.rounds))
        label, total = f"encoding with {len(points) * len(numbers)} models", len(points) * len(numbers)
        with run.reporter.progress(label, total * len(board.chunks)) as advance:
            for point in points:
                found[point] = []  # and nothing more, if nothing is asked
                for number in numbers:
                    tuned = tuned_encoder(
                        run,
                        round_folder(run, number, point.epochs),
                        share=point.share,
                        scratch=self._scratch / "mixed",
                    )
                    same = tuned.passage_fingerprint == encoder.passage_fingerprint  # only questions were tuned
                    shared = passages if same else encode_all(tuned, board.passages, "passage", advance)
                    places = [place for place, held_out in enumerate(board.rounds) if held_out == number]
                    found[point].append(self._of(tuned, places, shared))
        return found

    def _of(self, encoder: Encoder, places: Sequence[int], passages: Vectors) -> Encoded:
        asked = encode_all(encoder, [self._board.asked[place].text for place in places], "query")
        known = encode_all(encoder, [question.text for question in self._board.known], "query")
        return Encoded(places, asked, passages, known)


def by_vectors(board: Board, encoded: Encoded, catalogue: Catalogue) -> tuple[Nearest, Nearest]:
    """The nearest chunks by passages alone, and with known questions.

    A question's siblings come from the same reply and share its words, so none of the questions about its own chunk
    helps to find it: the figure is unkind to known questions, and never flatters them.

    Args:
        board: What is asked of what.
        encoded: Vectors of one model, and which questions they are of.
        catalogue: What can be found.

    Returns:
        For each of the model's questions, ids of chunks, nearest first: by passages, and with known questions.
    """
    similarity, beside, owners = _similarities(board, encoded, catalogue)
    raised = lift(similarity, beside, owners)
    return _ids(nearest(similarity), catalogue), _ids(nearest(raised), catalogue)


def surest(
    board: Board, encoded: Encoded, catalogue: Catalogue, hits: Sequence[Sequence[str]], *, questions: bool
) -> Values:
    """The largest similarity of each of a model's questions to one of its hits.

    Args:
        board: What is asked of what.
        encoded: Vectors of one model, and which questions they are of.
        catalogue: What can be found.
        hits: Ids of chunks for each of the model's questions.
        questions: Whether the known questions of a hit count beside its passage.

    Returns:
        Similarities; 0 for a question without hits.
    """
    row_of = {chunk: row for row, chunk in enumerate(catalogue.ids)}
    found = []
    similarity, beside, owners = _similarities(board, encoded, catalogue)
    for near, known, ids in zip(similarity, beside, hits, strict=True):
        rows = [row_of[chunk] for chunk in ids]
        asked = known[np.isin(owners, rows)] if questions else known[:0]
        found.append(max([*near[rows], *asked], default=0.0))
    return np.array(found, dtype=np.float64)


def _similarities(board: Board, encoded: Encoded, catalogue: Catalogue) -> tuple[Vectors, Vectors, NDArray[np.int64]]:
    """To each chunk, and to each known question that is not about a question's own chunk, with the rows of those questions' chunks."""
    row_of = {chunk: row for row, chunk in enumerate(catalogue.ids)}
    questions = question_vectors([question.chunk_id for question in board.known], encoded.known, row_of)
    beside = encoded.asked @ questions.vectors.T
    own = np.array([row_of.get(board.asked[place].chunk_id, -1) for place in encoded.places], dtype=np.int64)
    beside[own[:, None] == questions.owners[None, :]] = -np.inf
    return encoded.asked @ encoded.passages.T, beside, questions.owners


def _ids(rows: NDArray[np.int64], catalogue: Catalogue) -> Nearest:
    return [[catalogue.ids[row] for row in found] for found in rows]


def _point(way: Serving) -> Checkpoint:
    """Whose vectors a way compares."""
    return BASE if way.model == "base" else Checkpoint(way.epochs, way.share)


def _serving(point: Checkpoint, weight: float | None, *, questions: bool) -> Serving:
    if weight is None:
        return Serving("base", "lexical", 1.0)
    mode: SearchMode = "hybrid" if weight else "dense"
    if point == BASE:
        return Serving("base", mode, weight, questions)
    return Serving("tuned", mode, weight, questions, point.epochs, point.share)
