"""Everything that an evaluation asks and finds, for those who decide by it and those who tell of it.

In: a run whose training is finished. Out: the questions, and the hits and ranks of any way of searching, reranked or not. It
joins the rooms ``train`` (what is held out) and ``index`` (whose searches these are), and decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dragoman.evaluate.gate import Panel
from dragoman.evaluate.metrics import Ranks, Values, ndcg
from dragoman.evaluate.refusal import Sureness
from dragoman.evaluate.report import Comparison
from dragoman.pipeline.context import Run
from dragoman.pipeline.panel import Hearing, hear, panel_of
from dragoman.pipeline.ranks import Bench, Board, Nearest, known_questions
from dragoman.pipeline.refusing import Strangers, strangers_of
from dragoman.pipeline.rescoring import Readers
from dragoman.pipeline.synth import load_passages, load_questions
from dragoman.records import Chunk, Serving
from dragoman.train.losses import matryoshka_dims
from dragoman.train.split import split_chunks


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything that was asked, and what every way of searching found: ``comparison`` is of the questions that count.

    ``strangers`` are asked after the questions of the hearing, by ``bench`` and ``readers`` alike.
    """

    run: Run
    chunks: Mapping[str, Chunk]
    hearing: Hearing
    strangers: Strangers
    bench: Bench
    readers: Readers
    scratch: Path
    comparison: Comparison

    @property
    def panel(self) -> Panel:
        """The questions that count."""
        return self.comparison.panel

    def hits(self, way: Serving, reranker: str = "") -> Nearest:
        """Ids of chunks for each question that was asked, as ``way`` finds them; in a cross-encoder's order where it says so."""
        return self.readers.hits(replace(way, rerank=False), reranker) if way.rerank else self.bench.hits(way)

    def ranks(self, way: Serving, reranker: str = "") -> Ranks:
        """Ranks of the section of each question that was asked."""
        return self.bench.ranks_among(self.hits(way, reranker))

    def counted(self, ranks: Ranks) -> Ranks:
        """Ranks of the questions that count, of those of all that were asked."""
        return _counted(ranks, self.hearing)

    def values(self, ranks: Ranks) -> Values:
        """NDCG from the ranks of all that were asked, of the questions that count."""
        return ndcg(self.counted(ranks), self.run.recipe.evaluate.k)

    def lengths(self) -> list[int]:
        """Lengths of vectors that are looked at, the full one first."""
        return list(matryoshka_dims(self.bench.dimension, self.run.recipe.train))

    def sureness(self, way: Serving, reranker: str) -> tuple[Values, Ranks, tuple[Sureness, Sureness]]:
        """How sure a way of searching is of the questions that count, where it finds them, and how sure it is of the strangers."""
        found = self.hits(way, reranker)
        read = [ids[: self.run.recipe.chat.passages] for ids in found]
        confidence, asked = self.bench.confidence(way, read), len(self.hearing.questions)
        ranks = self.counted(self.bench.ranks_among(found))
        return confidence[:asked][self.hearing.counts], ranks, self.strangers.sureness(confidence[asked:])


def open_trial(run: Run, scratch: Path) -> Trial:
    """Ask every held-out question, in every way of searching.

    Args:
        run: The run; ``train`` is finished.
        scratch: A folder of one's own; the caller removes it.

    Returns:
        What was found.
    """
    chunks, questions = load_passages(run), load_questions(run)
    split = split_chunks(chunks, run.recipe.train.folds, run.recipe.seed)
    hearing = hear(run, chunks, questions, split)
    strangers = strangers_of(run, split, hearing.rounds)
    asked, rounds = (*hearing.questions, *strangers.questions), (*hearing.rounds, *strangers.rounds)
    board = Board(chunks, asked, rounds, known_questions(questions))
    bench = Bench(run, board, scratch)
    ranks = {way: _counted(found, hearing) for way, found in bench.ranks().items()}
    comparison = Comparison(tuple(hearing.counted), panel_of(run, hearing, split), ranks)
    by_id = {chunk.id: chunk for chunk in chunks}
    return Trial(run, by_id, hearing, strangers, bench, Readers(run, board, bench), scratch, comparison)


def _counted(ranks: Ranks, hearing: Hearing) -> Ranks:
    return np.asarray(ranks[: len(hearing.questions)][hearing.counts], dtype=np.int64)
