"""One table that answers questions, with the model that it was made with and what puts its hits in order.

In: a run, and whose table. Out: all that a search needs, opened together. It does not watch what is served.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dragoman.index.search import Index, open_index
from dragoman.models.protocols import Encoder, Reranker, Vectors
from dragoman.pipeline.context import Run
from dragoman.pipeline.encoders import served_encoder
from dragoman.pipeline.reranking import open_reranker
from dragoman.pipeline.served import check_recipe
from dragoman.records import ModelChoice, SearchMode, Serving

ModeChoice = Literal["auto", "dense", "lexical", "hybrid"]
_PLAIN_WEIGHT = 0.3  # of words in hybrid search, when validation preferred another mode


@dataclass(frozen=True, slots=True)
class Opened:
    """A table with its encoder, replaced as a whole: a question never meets the one of today and the other of before."""

    key: tuple[str, str]  # model and table
    index: Index
    encoder: Encoder
    serving: Serving
    reranker: Reranker | None = None

    @property
    def model(self) -> ModelChoice:
        """Which model the encoder is."""
        return self.index.meta.model

    def vector(self, question: str) -> Callable[[], Vectors] | None:
        """What makes a question's vector; None where it is searched by words alone."""
        return None if self.serving.mode == "lexical" else lambda: self.encoder.encode([question], "query")[0]


def open_table(
    run: Run, model: ModelChoice, mode: ModeChoice, *, rerank: bool | None, before: Opened | None = None
) -> Opened:
    """Open the table that the pointer of a model names.

    Args:
        run: The run.
        model: Whose table.
        mode: How to search; ``auto`` is what validation chose.
        rerank: Whether a cross-encoder puts hits in order; None: as validation chose.
        before: What was open until now; an encoder that fits is taken from there.

    Returns:
        The table, with its models loaded.

    Raises:
        MissingArtefact: There is no such table.
        WorkspaceError: The table does not fit the recipe, or is damaged.
    """
    index = open_index(run.workspace.folder("index") / model)
    meta = index.meta
    check_recipe(run, meta.recipe)
    known = before is not None and before.index.meta.fingerprint == meta.fingerprint
    encoder = before.encoder if before and known else served_encoder(run, meta, index.model_folder)
    serving = _serving(mode, meta.serving)
    ordered = serving.rerank if rerank is None else rerank
    reranker = open_reranker(run, index, chosen=meta.serving.rerank) if ordered else None
    return Opened((model, index.name), index, encoder, serving, reranker)


def _serving(mode: ModeChoice, chosen: Serving) -> Serving:
    """The way to search: what validation chose, or the asked mode; dense and lexical are then the plain ones."""
    if mode in {"auto", chosen.mode}:
        return chosen
    plain: SearchMode = mode
    weight = _PLAIN_WEIGHT if mode == "hybrid" else 0.0
    return Serving(chosen.model, plain, weight, chosen.questions and mode == "hybrid", depth=chosen.depth)
