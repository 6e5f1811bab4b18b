"""What answers questions: the served table, with the model that it was made with.

In: a run or a workspace's folder. Out: hits, which the command line, the chat and other programs share, so that all of them see the
same. It needs the index and the recipe alone; what other stages do meanwhile changes nothing here.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from dragoman.errors import ConfigError, DragomanError, MissingArtefact, UsageError, WorkspaceError
from dragoman.index.pointer import read_pointer
from dragoman.models.protocols import Advance, Vectors
from dragoman.pipeline.context import Run
from dragoman.pipeline.opened import ModeChoice, Opened, open_table
from dragoman.pipeline.reranking import DEPTH, rerank_hits
from dragoman.pipeline.served import need_served
from dragoman.pipeline.versions import newest_first
from dragoman.recipes import parse_recipe
from dragoman.records import Chunk, Hit, ModelChoice, Refusal, SearchFilter, Serving, Signals
from dragoman.workspace import RECIPE, Workspace

ModelOption = Literal["auto", "base", "tuned"]
_ALL = SearchFilter()
_COMPARED = 1000  # chunks of the base model that an explanation looks through
_Vector = Vectors | Callable[[], Vectors] | None


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
        self._opened = self._open()
        if rerank and not self._opened.reranker:
            raise UsageError("no cross-encoder is named", hint="Name one: --set models.reranker=NAME")
        self._base = self._beside(None) if explain else None
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
        if self._opened.reranker:
            how += f", put in order by {self._opened.reranker.name}"
        return "; ".join([f"{self.model} model, {how}", *self.notes])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the index: the docs were read again since, or a newer one cannot be served."""
        notes = [self._trouble] if self._trouble else []
        try:
            ingested = self._run.workspace.manifest("ingest")
        except WorkspaceError:
            ingested = None
        if ingested and ingested.content != self._opened.index.meta.content:
            notes.append("the docs have changed since they were indexed: dragoman sync")
        return tuple(notes)

    @property
    def refusal(self) -> Refusal | None:
        """From which confidence on a question is answered; None for another way of searching than the one that was calibrated."""
        opened = self._opened
        asked = replace(opened.serving, rerank=opened.reranker is not None)
        return opened.index.meta.refusal if asked == opened.index.meta.serving else None

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

    def _hits(self, opened: Opened, question: str, vector: _Vector, top: int, where: SearchFilter) -> list[Hit]:
        wanted = max(top, DEPTH) if opened.reranker else top
        hits = opened.index.search(question, vector, opened.serving, top=wanted, collapse=self._collapse, where=where)
        if opened.reranker:
            hits = rerank_hits(opened.reranker, question, hits)[:top]
        return self._explained(opened, question, hits, where) if self._explain else hits

    def _explained(self, opened: Opened, question: str, hits: Sequence[Hit], where: SearchFilter) -> list[Hit]:
        """The hits with the rank that the base model alone gives each, or its section."""
        base = opened if opened.model == "base" else self._base
        if base is None:
            return list(hits)
        way = Serving("base", "dense", depth=_COMPARED)
        vector = base.encoder.encode([question], "query")[0]
        found = base.index.search(question, vector, way, top=way.depth, collapse=self._collapse, where=where)
        rank_of = {self._unit(hit.chunk): hit.rank for hit in found}  # 0: beyond these
        return [
            replace(hit, signals=replace(hit.signals or Signals(), base_rank=rank_of.get(self._unit(hit.chunk), 0)))
            for hit in hits
        ]

    def _unit(self, chunk: Chunk) -> str:
        return chunk.section if self._collapse else chunk.id

    def _key(self) -> tuple[ModelChoice, str]:
        served = need_served(self._folder)
        model = served.model if self._asked == "auto" else self._asked
        if model not in served.tables:
            raise UsageError("there is no tuned model: the gate kept the base", hint="See: dragoman status")
        return model, read_pointer(self._folder / model)

    def _current(self) -> Opened:
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

    def _open(self, before: Opened | None = None) -> Opened:
        while True:
            key = self._key()
            try:
                return open_table(self._run, key[0], self._mode, rerank=self._rerank, before=before)
            except DragomanError:
                if self._key() == key:
                    raise  # else it was replaced while it was being opened

    def _beside(self, before: Opened | None) -> Opened | None:
        """The base model's table, to compare with."""
        if self._opened.model == "base" or "base" not in need_served(self._folder).tables:
            return None
        return open_table(self._run, "base", "dense", rerank=False, before=before)


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
