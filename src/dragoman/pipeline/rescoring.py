"""Hits of the evaluation in the order of a cross-encoder: the recipe's, or those that the rounds tuned.

In: a bench of models, and the finished artefact of ``train``. Out: hits by way of searching. A cross-encoder that a round tuned
reads only questions about what that round held out. It decides nothing.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from dragoman.models.protocols import Reranker
from dragoman.models.reranker import CrossReranker
from dragoman.pipeline.context import Run
from dragoman.pipeline.ranks import Bench, Board, Nearest
from dragoman.pipeline.reranking import reranked
from dragoman.records import Serving

NAMED, TUNED = "named", "tuned"  # by whom ``evaluate`` tells that the hits are put in order
_FOLDER = "reranker"


class Readers:
    """The cross-encoders that there are.

    Args:
        run: The run; ``train`` is finished.
        board: What is asked of what.
        bench: Finds what they read.
    """

    def __init__(self, run: Run, board: Board, bench: Bench) -> None:
        self._run, self._board, self._bench = run, board, bench
        self._chunks = {chunk.id: chunk for chunk in board.chunks}
        self._made: dict[tuple[Serving, str], Nearest] = {}
        folders = [self._folder(number) for number in sorted(set(board.rounds))]
        tuned = bool(folders) and all(folder.is_dir() for folder in folders)
        self.kinds = [
            kind for kind, there in ((NAMED, run.recipe.models.reranker), (TUNED, tuned and bool(board.asked))) if there
        ]

    def name(self, kind: str) -> str:
        """What a cross-encoder is called."""
        return self._named.name if kind == NAMED else "tuned from these docs"

    def hits(self, way: Serving, kind: str) -> Nearest:
        """Ids of the chunks that a way of searching finds for each question, the first ones in a cross-encoder's order."""
        if (way, kind) not in self._made:
            found = self._bench.hits(way)
            for reader, places in self._readers(kind):
                asked = [self._board.asked[place] for place in places]
                again = reranked(self._run, reader, asked, [found[place] for place in places], self._chunks)
                for place, ids in zip(places, again, strict=True):
                    found[place] = ids
            self._made[way, kind] = found
        return self._made[way, kind]

    @cached_property
    def _named(self) -> CrossReranker:
        settings = self._run.recipe.models
        return CrossReranker(settings.reranker, mirrors=settings.mirrors, say=self._run.say)

    def _readers(self, kind: str) -> Iterator[tuple[Reranker, Sequence[int]]]:
        """Each cross-encoder with the questions that it may be asked."""
        rounds = self._board.rounds
        if kind == NAMED:
            yield self._named, range(len(rounds))
            return
        for number in sorted(set(rounds)):
            places = [place for place, held_out in enumerate(rounds) if held_out == number]
            yield CrossReranker(str(self._folder(number)), mirrors=False, say=self._run.say), places

    def _folder(self, number: int) -> Path:
        return self._run.workspace.folder("train") / f"round-{number}" / _FOLDER
