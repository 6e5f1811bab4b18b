"""What answers questions: the served table, with the model that it was made with.

In: a run or a workspace's folder. Out: hits, which the command line, the chat and other programs share, so that all of them see the
same. It needs the index and the recipe alone; what other stages do meanwhile changes nothing here.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from dragoman.errors import ConfigError, DragomanError, MissingArtefact, UsageError, WorkspaceError
from dragoman.index.pointer import read_pointer
from dragoman.index.search import Index, open_index
from dragoman.models.protocols import Advance, Encoder, Reranker, Vectors
from dragoman.pipeline.context import Run
from dragoman.pipeline.encoders import served_encoder
from dragoman.pipeline.reranking import DEPTH, open_reranker, rerank_hits
from dragoman.pipeline.served import check_recipe, need_served
from dragoman.pipeline.versions import newest_first
from dragoman.recipes import parse_recipe
from dragoman.records import Chunk, Hit, ModelChoice, Refusal, SearchFilter, SearchMode, Serving, Signals
from dragoman.workspace import RECIPE, Workspace

ModeChoice = Literal["auto", "dense", "lexical", "hybrid"]
ModelOption = Literal["auto", "base", "tuned"]
_PLAIN_WEIGHT = 0.3  # of words in hybrid search, when validation preferred another mode
_ALL = SearchFilter()
_Vector = Vectors | Callable[[], Vectors] | None


@dataclass(frozen=True, slots=True)
class _Open:
    """A table with its encoder, replaced as a whole: a question never meets the one of today and the other of before."""

    key: tuple[str, str]  # model and table
    index: Index
    encoder: Encoder
    serving: Serving

    @property
    def model(self) -> ModelChoice:
        return self.index.meta.model

    def vector(self, question: str) -> Callable[[], Vectors] | None:
        return None if self.serving.mode == "lexical" else lambda: self.encoder.encode([question], "query")[0]


class DocsSearcher:
    """Searches the docs of a workspace; several threads may share it. When another table is served, it follows.

    Args:
        run: The run whose workspace is searched.
        mode: How to search; ``auto`` is what validation chose.
        model: Whose vectors; ``auto`` is the model that is served.
        collapse: Whether a section gives its best chunk only.
        rerank: Whether a cross-encoder puts the first hits in order; None: as validation chose.
        explain: Whether hits also say where the base model alone would have put them.

    Raises:
        MissingArtefact: There is no index yet.
        UsageError: The tuned model is asked for but was refused, or a cross-encoder that the recipe does not name.
        WorkspaceError: The recipe does not fit the index, or the index is damaged.
    """

    def __init__(
        self,
        run: Run,
        mode: ModeChoice = "auto",
        model: ModelOption = "auto",
        *,
        collapse: bool = True,
        rerank: bool | None = None,
        explain: bool = False,
    ) -> None:
        self._run, self._mode, self._asked, self._folder = run, mode, model, run.workspace.folder("index")
        self._collapse, self._rerank, self._explain = collapse, rerank, explain
        self._turn = threading.RLock()
        self._failed: tuple[str, str] | None = None  # a table that this process cannot serve
        self._trouble = ""
        if rerank and not run.recipe.models.reranker:
            raise UsageError("no cross-encoder is named", hint="Name one: --set models.reranker=NAME")
        self._opened = self._open()
        self._base: _Open | None = self._beside(None) if explain else None
        if self._reranks(self._opened):
            self._reranker  # noqa: B018 - loaded here, and not at the first question
        if self._opened.serving.mode != "lexical":
            self._opened.encoder.encode(["?"], "query")  # the first one takes more than twice as long

    @property
    def model(self) -> ModelChoice:
        """Which model answers."""
        return self._opened.model

    @property
    def banner(self) -> str:
        """Which model and which search answer, and what a reader should know of the index."""
        how = f"{self._opened.serving.mode} search"
        if self._reranks(self._opened) and self._reranker:
            how += f", put in order by {self._reranker.name}"
        return "; ".join([f"{self.model} model, {how}", *self.notes])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the index: the docs were read again since, or a newer one cannot be served."""
        notes = [self._trouble] if self._trouble else []
        if self._reranks(self._opened) and not self._reranker:
            notes.append("hits are not put in order: the recipe names no cross-encoder (models.reranker)")
        try:
            ingested = self._run.workspace.manifest("ingest")
        except WorkspaceError:
            ingested = None
        if ingested and ingested.content != self._opened.index.meta.content:
            notes.append("the docs have changed since they were indexed: dragoman sync")
        return tuple(notes)

    @property
    def refusal(self) -> Refusal | None:
        """From which confidence on a question is answered; None where that is not known for this way of searching."""
        return None if self._opened.serving.mode == "lexical" else self._opened.index.meta.refusal

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of the docs, the newest first; none where no source says one."""
        meta = self._opened.index.meta
        return newest_first(meta.versions.values(), meta.latest)

    def version_of(self, chunk: Chunk) -> str:
        """The version of the docs that a chunk is of; "": its source says none."""
        return self._opened.index.meta.versions.get(chunk.source, "")

    def counterparts(self, chunk: Chunk) -> list[Chunk]:
        """What other versions of the docs say instead, where that differs."""
        return self._opened.index.counterparts(chunk)

    def search(
        self,
        question: str,
        top: int,
        *,
        where: SearchFilter = _ALL,
        budget: int = 0,
        count: Callable[[str], int] | None = None,
    ) -> list[Hit]:
        """The best hits for a question.

        Args:
            question: The question.
            top: Most hits to return.
            where: Which chunks may be found.
            budget: Tokens that the hits with what stands around them may take; 0: they come without their neighbours.
            count: Counts the tokens of a text; None: as the embedding model does.

        Returns:
            Hits, best first.

        Raises:
            UsageError: The filter names a version that there is not.
            WorkspaceError: The index is gone or damaged.
        """
        opened = self._current()
        hits = self._hits(opened, question, opened.vector(question), top, where)
        return opened.index.expand(hits, budget, count=count) if budget > 0 else hits

    def search_many(self, questions: Sequence[str], top: int, *, where: SearchFilter = _ALL) -> list[list[Hit]]:
        """The best hits for each question; the questions are encoded together."""
        opened = self._current()
        vectors: Sequence[_Vector] = [None] * len(questions)
        if opened.serving.mode != "lexical":
            vectors = list(opened.encoder.encode(questions, "query"))
        asked = zip(questions, vectors, strict=True)
        return [self._hits(opened, question, vector, top, where) for question, vector in asked]

    def _hits(self, opened: _Open, question: str, vector: _Vector, top: int, where: SearchFilter) -> list[Hit]:
        reranker = self._reranker if self._reranks(opened) else None
        wanted = max(top, DEPTH) if reranker else top
        hits = opened.index.search(question, vector, opened.serving, top=wanted, collapse=self._collapse, where=where)
        if reranker:
            hits = rerank_hits(reranker, question, hits)[:top]
        return self._explained(opened, question, hits, where) if self._explain else hits

    def _explained(self, opened: _Open, question: str, hits: Sequence[Hit], where: SearchFilter) -> list[Hit]:
        """The hits with the rank that the base model alone gives each, or its section."""
        base = opened if opened.model == "base" else self._base
        if base is None:
            return list(hits)
        way = Serving("base", "dense", depth=len(base.index.chunks()))
        vector = base.encoder.encode([question], "query")[0]
        found = base.index.search(question, vector, way, top=way.depth, collapse=self._collapse, where=where)
        rank_of = {self._unit(hit.chunk): hit.rank for hit in found}
        return [
            replace(hit, signals=replace(hit.signals or Signals(), base_rank=rank_of.get(self._unit(hit.chunk))))
            for hit in hits
        ]

    def _unit(self, chunk: Chunk) -> str:
        return chunk.section if self._collapse else chunk.id

    def _reranks(self, opened: _Open) -> bool:
        return opened.serving.rerank if self._rerank is None else self._rerank

    @cached_property
    def _reranker(self) -> Reranker | None:
        return open_reranker(self._run)

    def _key(self) -> tuple[ModelChoice, str]:
        served = need_served(self._folder)
        model = served.model if self._asked == "auto" else self._asked
        if model not in served.tables:
            raise UsageError("there is no tuned model: the gate kept the base", hint="See: dragoman status")
        return model, read_pointer(self._folder / model)

    def _current(self) -> _Open:
        """What is served now; a table that cannot be served leaves the one before in use, and is told."""
        key = self._key()
        if key in {self._opened.key, self._failed}:
            return self._opened
        with self._turn:
            if key != self._opened.key:
                try:
                    self._opened = self._open(self._opened)
                    self._base = self._beside(self._base) if self._explain else None
                    self._failed, self._trouble = None, ""
                except DragomanError as error:
                    self._failed, self._trouble = key, f"the index has changed, and the one before answers: {error}"
            return self._opened

    def _open(self, before: _Open | None = None) -> _Open:
        while True:
            key = self._key()
            try:
                return self._load(key[0], before)
            except DragomanError:
                if self._key() == key:
                    raise  # else it was replaced while it was being opened

    def _load(self, model: ModelChoice, before: _Open | None = None, mode: ModeChoice | None = None) -> _Open:
        index = open_index(self._folder / model)
        meta = index.meta
        check_recipe(self._run, meta.recipe)
        known = before is not None and before.index.meta.fingerprint == meta.fingerprint
        encoder = before.encoder if before and known else served_encoder(self._run, meta, index.model_folder)
        return _Open((model, index.name), index, encoder, _serving(mode or self._mode, meta.serving))

    def _beside(self, before: _Open | None) -> _Open | None:
        """The base model's table, to compare with."""
        if self._opened.model == "base" or "base" not in need_served(self._folder).tables:
            return None
        return self._load("base", before, "dense")


class _Silent:
    """Tells nobody."""

    def say(self, text: str) -> None:
        pass

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        del label, total
        yield lambda _: None


def open_searcher(workspace: Path, *, mode: ModeChoice = "auto", model: ModelOption = "auto") -> DocsSearcher:
    """Search a workspace from another program: the recipe is the one that the workspace keeps, and nothing is printed.

    Args:
        workspace: The folder that ``dragoman build`` filled.
        mode: How to search; ``auto`` is what validation chose.
        model: Whose vectors; ``auto`` is the model that is served.

    Returns:
        The searcher.

    Raises:
        MissingArtefact: Nothing was built there.
        ConfigError: The recipe there cannot be read.
        WorkspaceError: The index does not fit the recipe, or is damaged.
    """
    path = workspace / RECIPE
    if not path.is_file():
        raise MissingArtefact(f"{workspace} is no workspace: it has no {RECIPE}", hint="Run: dragoman build")
    try:
        recipe = parse_recipe(json.loads(path.read_text(encoding="utf-8")), where=str(path))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {error}", hint="Run: dragoman build") from error
    return DocsSearcher(Run(recipe, Workspace(workspace), _Silent()), mode, model)


def _serving(mode: ModeChoice, chosen: Serving) -> Serving:
    """The way to search: what validation chose, or the asked mode; dense and lexical are then the plain ones."""
    if mode in {"auto", chosen.mode}:
        return chosen
    plain: SearchMode = mode
    weight = _PLAIN_WEIGHT if mode == "hybrid" else 0.0
    return Serving(chosen.model, plain, weight, chosen.questions and mode == "hybrid", depth=chosen.depth)
