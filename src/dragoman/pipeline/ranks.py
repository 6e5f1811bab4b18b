"""What each way of searching finds for each held-out question: the figures that the gate judges.

In: chunks, questions, and the models of the rounds. Out: ranks by way. It searches with the code that
serves (``index``) and ranks with the code that measures (``evaluate``), so that what is judged is what is
served.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.metrics import Ranks
from dragoman.evaluate.ranking import DEPTH, Catalogue, all_ranks, nearest
from dragoman.index.build import build_index
from dragoman.index.fusion import fuse
from dragoman.index.lift import lift, question_vectors
from dragoman.index.pointer import IndexMeta
from dragoman.index.search import open_index
from dragoman.models.encoder import SentenceEncoder
from dragoman.models.protocols import Vectors
from dragoman.pipeline.context import Run
from dragoman.pipeline.ingest import base_model, catalogue_of
from dragoman.pipeline.vectors import VectorCache, encode_all
from dragoman.records import Chunk, ModelChoice, Question, Serving

Nearest = list[list[str]]


def known_questions(questions: Sequence[Question]) -> list[Question]:
    """The questions whose vectors may be searched: a model's or a person's that passed the funnel."""
    return [question for question in questions if question.train and question.kind != "structure"]


@dataclass(frozen=True, slots=True)
class Board:
    """What is asked of what.

    ``rounds`` stands beside ``asked``: the round whose model never saw the question's unit.
    """

    chunks: Sequence[Chunk]
    asked: Sequence[Question]
    rounds: Sequence[int]
    known: Sequence[Question]

    @property
    def passages(self) -> list[str]:
        """The passages, in row order."""
        return [chunk.passage for chunk in self.chunks]


def rank_all(run: Run, board: Board, scratch: Path) -> dict[Serving, Ranks]:
    """Ranks of every held-out question's section under every way of searching.

    Args:
        run: The run.
        board: What is asked of what.
        scratch: A folder for the word index; the caller removes it.

    Returns:
        One array a way, in the order of ``board.asked``.
    """
    catalogue = catalogue_of(board.chunks)
    encoder = SentenceEncoder(base_model(run))
    cache = VectorCache(run.workspace.root / "vectors", run.reporter)
    vectors = cache.encode(encoder, board.passages, "passage", "encoding passages (base)")
    asked, known = (
        cache.encode(encoder, [question.text for question in questions], "query", "encoding questions (base)")
        for questions in (board.asked, board.known)
    )
    words = _by_words(run, board, encoder, vectors, scratch)
    base = _by_vectors(board, range(len(board.asked)), asked, vectors, known, catalogue)
    tuned = _by_tuned(run, board, catalogue)
    answers = [question.answers for question in board.asked]
    found: dict[Serving, Ranks] = {}
    ways: tuple[tuple[ModelChoice, tuple[Nearest, Nearest]], ...] = (("base", base), ("tuned", tuned))
    for model, (plain, lifted) in ways:
        for near, questions in ((plain, False), (lifted, True)):
            for weight, ranks in all_ranks(near, words, answers, catalogue, fuse).items():
                if weight is not None or (model == "base" and not questions):  # words alone are the same for all
                    found[_serving(model, weight, questions=questions)] = ranks
    return found


def _by_words(run: Run, board: Board, encoder: SentenceEncoder, vectors: Vectors, scratch: Path) -> Nearest:
    shutil.rmtree(scratch, ignore_errors=True)
    meta = IndexMeta(encoder.fingerprint, "base", encoder.dimension, Serving("base", "lexical"), "scratch")
    build_index(scratch, board.chunks, vectors, meta)
    index = open_index(scratch)
    found: Nearest = []
    with run.reporter.progress("searching words", len(board.asked)) as advance:
        for question in board.asked:
            found.append([chunk for chunk, _ in index.lexical(question.text, DEPTH)])
            advance(1)
    return found


def _by_tuned(run: Run, board: Board, catalogue: Catalogue) -> tuple[Nearest, Nearest]:
    """For each question, what is nearest by the one model that never saw its unit."""
    plain: Nearest = [[] for _ in board.asked]
    lifted: Nearest = [[] for _ in board.asked]
    for number in sorted(set(board.rounds)):
        places = [place for place, held_out in enumerate(board.rounds) if held_out == number]
        encoder = SentenceEncoder(run.workspace.folder("train") / f"round-{number}")
        with run.reporter.progress(f"encoding with model {number + 1}", len(board.chunks)) as advance:
            vectors = encode_all(encoder, board.passages, "passage", advance)
        asked = encode_all(encoder, [board.asked[place].text for place in places], "query")
        known = encode_all(encoder, [question.text for question in board.known], "query")
        found = _by_vectors(board, places, asked, vectors, known, catalogue)
        for place, one, other in zip(places, *found, strict=True):
            plain[place], lifted[place] = one, other
    return plain, lifted


def _by_vectors(
    board: Board, places: Sequence[int], asked: Vectors, passages: Vectors, known: Vectors, catalogue: Catalogue
) -> tuple[Nearest, Nearest]:
    """The nearest chunks by passages alone, and with known questions.

    A question's siblings come from the same reply and share its words, so none of the questions about its own chunk
    helps to find it: the figure is unkind to known questions, and never flatters them.
    """
    similarity = asked @ passages.T
    row_of = {chunk: row for row, chunk in enumerate(catalogue.ids)}
    questions = question_vectors([question.chunk_id for question in board.known], known, row_of)
    beside = asked @ questions.vectors.T
    own = np.array([row_of[board.asked[place].chunk_id] for place in places], dtype=np.int64)
    beside[own[:, None] == questions.owners[None, :]] = -np.inf
    raised = lift(similarity, beside, questions.owners)
    return _ids(nearest(similarity), catalogue), _ids(nearest(raised), catalogue)


def _ids(rows: NDArray[np.int64], catalogue: Catalogue) -> Nearest:
    return [[catalogue.ids[row] for row in found] for found in rows]


def _serving(model: ModelChoice, weight: float | None, *, questions: bool) -> Serving:
    if weight is None:
        return Serving(model, "lexical", 1.0)
    return Serving(model, "hybrid" if weight else "dense", weight, questions)
