"""The index after the docs have changed: served by the same model, with only new passages encoded. No question is asked, nothing trained.

In: a run whose index is made. Out: new tables in place of the old ones, and what has changed. All is encoded and written before what is
served changes, so a kill leaves the old tables serving, and the next sync goes on with what is encoded.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dragoman import __version__
from dragoman.index.search import Index, open_index
from dragoman.models.protocols import Advance, Encoder, Role, Vectors
from dragoman.pipeline.context import Plan, Run
from dragoman.pipeline.encoders import served_encoder
from dragoman.pipeline.ingest import ingest
from dragoman.pipeline.plans import index_plan
from dragoman.pipeline.ranks import known_questions
from dragoman.pipeline.served import (
    Served,
    check_recipe,
    need_served,
    passage_keys,
    recipe_facts,
    roll_back,
    serve,
    strayed,
    trained_passages,
)
from dragoman.pipeline.serving import MADE_OF, Part, outcome, write_parts
from dragoman.pipeline.synth import load_passages, load_questions
from dragoman.pipeline.versions import version_labels
from dragoman.records import Chunk, Manifest, ModelChoice
from dragoman.workspace import SCHEMA


@dataclass(frozen=True, slots=True)
class Difference:
    """How many pages, or chunks, are new, are others than before, are gone, and are as they were."""

    added: int
    changed: int
    removed: int
    kept: int


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did.

    ``built`` is False when nothing had changed. ``encoded`` counts the passages that each model had to encode, ``questions_left_out`` the
    known questions whose chunk is gone. ``since_training`` is the share of passages that training did not see, or that are gone since
    then; None where that is not known.
    """

    built: bool
    model: ModelChoice
    pages: Difference
    chunks: Difference
    encoded: Mapping[str, int]
    questions_left_out: int
    since_training: float | None
    retrain: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What is served after a rollback."""

    model: ModelChoice
    table: str
    docs: str
    chunks: int


def sync(run: Run) -> Synced:
    """Read the sources again and index what has changed, with the model that is served.

    Args:
        run: The run.

    Returns:
        What has changed, and whether training again would pay.

    Raises:
        MissingArtefact: There is no index yet.
        WorkspaceError: The recipe names another model than the index was made with.
        SourceError: A source is missing, or nothing in it gives a chunk.
    """
    start = time.perf_counter()
    folder = run.workspace.folder("index")
    with run.workspace.writing():
        served = need_served(folder)
        indexes = {model: open_index(folder / model) for model in served.tables}
        for index in indexes.values():
            check_recipe(run, index.meta.recipe, cutting=False)
        ingest(run)
        version_labels(run)
        chunks, before = load_passages(run), indexes[served.model].chunks()
        ids = {chunk.id for chunk in chunks}
        every = known_questions(load_questions(run))
        known = [question for question in every if question.chunk_id in ids]
        plan = _plan(run, served)
        fresh = not run.force and _is_fresh(run, plan, indexes.values(), chunks)
        counters = {} if fresh else {model: _Counted(_encoder(run, index)) for model, index in indexes.items()}
        if not fresh:
            parts = [_part(model, indexes[model], encoder) for model, encoder in counters.items()]
            trained = trained_passages(folder, served)
            after = replace(served, tables=write_parts(run, folder, parts, chunks, known))
            serve(folder, after, trained, run.recipe.index.keep)
            _stamp(run, plan, chunks, after)
        # Last: who opens the old tables meanwhile finds the recipe that they fit.
        run.workspace.keep_recipe(run.recipe.model_dump_json(indent=2))
        share = _since_training(run, served, chunks)
    return Synced(
        not fresh,
        served.model,
        _pages(before, chunks),
        _difference(_by_id(before), _by_id(chunks)),
        {model: counter.passages for model, counter in counters.items()},
        len(every) - len(known),
        share,
        share is not None and share >= run.recipe.index.retrain,
        round(time.perf_counter() - start, 2),
    )


def rollback(run: Run) -> RolledBack:
    """Serve the tables that were served before, with the model that they were made with.

    Args:
        run: The run.

    Returns:
        What is served now.

    Raises:
        MissingArtefact: There is no index, or none before it is left.
    """
    folder = run.workspace.folder("index")
    with run.workspace.writing():
        served = roll_back(folder)
    index = open_index(folder / served.model)
    return RolledBack(served.model, index.name, index.meta.docs, len(index.chunks()))


class _Counted:
    """An encoder that counts the passages it encodes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.passages = encoder, 0

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def passage_fingerprint(self) -> str:
        return self._encoder.passage_fingerprint

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        self.passages += len(texts) if role == "passage" else 0
        return self._encoder.encode(texts, role, advance)


def _encoder(run: Run, index: Index) -> Encoder:
    return served_encoder(run, index.meta, index.model_folder)


def _part(model: ModelChoice, index: Index, encoder: Encoder) -> Part:
    meta, folder = index.meta, index.model_folder
    return Part(model, encoder, meta.serving, folder, meta.refusal, index.reranker_folder, meta.reranker)


def _plan(run: Run, served: Served) -> Plan:
    """What the index depends on, but for the model: that stays what it is, whatever was trained or judged since."""
    plan = index_plan(run)
    inputs = {key: value for key, value in plan.inputs.items() if key not in MADE_OF}
    return replace(plan, inputs={**inputs, **served.made_of})


def _is_fresh(run: Run, plan: Plan, indexes: Iterable[Index], chunks: Sequence[Chunk]) -> bool:
    found = run.workspace.manifest("index")
    if found is None or found.fingerprint != plan.fingerprint or strayed(run, found):
        return False
    facts = recipe_facts(run.recipe)  # small pages are cut alike under many settings
    return all(index.meta.recipe == facts and index.chunks() == chunks for index in indexes)


def _stamp(run: Run, plan: Plan, chunks: Sequence[Chunk], served: Served) -> None:
    made = outcome(run, chunks, served, synced=True)
    manifest = Manifest(
        stage=plan.stage,
        schema=SCHEMA,
        version=__version__,
        fingerprint=plan.fingerprint,
        content=made.content,
        seed=plan.seed,
        rows=made.rows,
        inputs=plan.inputs,
        settings=plan.settings,
        notes=made.notes,
    )
    run.workspace.stamp(plan.stage, manifest)


def _since_training(run: Run, served: Served, chunks: Sequence[Chunk]) -> float | None:
    """The larger of the shares of passages that are new and that are gone: an edited passage is both, and counts once."""
    seen, now = trained_passages(run.workspace.folder("index"), served), passage_keys(chunks)
    if not seen:
        return None
    return max(len(now - seen), len(seen - now)) / max(len(now), len(seen))


def _pages(before: Iterable[Chunk], after: Iterable[Chunk]) -> Difference:
    return _difference(_by_page(before), _by_page(after))


def _by_page(chunks: Iterable[Chunk]) -> dict[tuple[str, str], set[str]]:
    pages: dict[tuple[str, str], set[str]] = {}
    for chunk in chunks:
        pages.setdefault((chunk.source, chunk.path), set()).add(chunk.id)
    return pages


def _by_id(chunks: Iterable[Chunk]) -> dict[str, str]:
    return {chunk.id: chunk.passage for chunk in chunks}


def _difference(before: Mapping[Any, object], after: Mapping[Any, object]) -> Difference:
    both = before.keys() & after.keys()
    changed = sum(before[key] != after[key] for key in both)
    return Difference(len(after) - len(both), changed, len(before) - len(both), len(both) - changed)
