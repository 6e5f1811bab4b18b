"""The end of the chain: the index that is served, each table with the model that it was made with.

In: a run. Out: the manifest of ``index``. Each model's table changes in one step, and the model that is served when all tables are whole;
a kill before leaves whole tables serving, and the way back open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragoman.evaluate.gate import GateResult
from dragoman.index.build import build_index
from dragoman.index.lift import question_vectors
from dragoman.index.pointer import IndexMeta
from dragoman.models.protocols import Encoder
from dragoman.pipeline.context import Outcome, Run, run_stage
from dragoman.pipeline.encoders import base_encoder, tuned_encoder
from dragoman.pipeline.ingest import load_chunks
from dragoman.pipeline.judging import gate_of
from dragoman.pipeline.plans import index_plan
from dragoman.pipeline.ranks import known_questions
from dragoman.pipeline.rerankers import RERANKER
from dragoman.pipeline.rescoring import NAMED
from dragoman.pipeline.served import TABLES, Served, passage_keys, recipe_facts, serve, strayed
from dragoman.pipeline.synth import load_passages, load_questions
from dragoman.pipeline.tuning import MODEL
from dragoman.pipeline.vectors import VectorCache
from dragoman.pipeline.versions import newest, version_labels
from dragoman.records import Chunk, Manifest, ModelChoice, Question, Refusal, Serving

MADE_OF = ("verdict", "tuned", "refusal")  # inputs of this stage that a sync does not renew


@dataclass(frozen=True, slots=True)
class Part:
    """A model whose vectors fill a table.

    ``folder`` is what is kept of it beside the table, None for the base model; ``reader`` is the cross-encoder that was tuned and is kept
    likewise, and ``reranker`` the name of the one that validation chose, if it was another.
    """

    model: ModelChoice
    encoder: Encoder
    serving: Serving
    folder: Path | None = None
    refusal: Refusal | None = None
    reader: Path | None = None
    reranker: str = ""


def index(run: Run) -> Manifest:
    """Build the searchable table of the model that ships; the base's is kept beside it to compare with.

    Args:
        run: The run.

    Returns:
        The manifest.
    """
    verdict = run.workspace.need("evaluate")
    gate = gate_of(verdict)
    run.workspace.need("refit")
    plan = index_plan(run)

    def work(folder: Path) -> Outcome:
        chunks = load_passages(run)
        known = known_questions(load_questions(run))
        parts = _parts(run, gate, verdict)
        made_of = {key: plan.inputs[key] for key in MADE_OF if key in plan.inputs}
        served = Served(gate.served.model, write_parts(run, folder, parts, chunks, known), made_of)
        serve(folder, served, passage_keys(chunks), run.recipe.index.keep)
        return outcome(run, chunks, served)

    found = run.workspace.manifest("index")
    manifest = run_stage(run, plan, work, in_place=True, again=bool(found and strayed(run, found)))
    way = f"{gate.served.mode}, {gate.served.dims} dimensions" if gate.served.dims else gate.served.mode
    run.say(f"index: {manifest.rows['chunks']} chunks, searched by the {gate.served.model} model, {way}")
    return manifest


def write_parts(
    run: Run, folder: Path, parts: Sequence[Part], chunks: Sequence[Chunk], known: Sequence[Question]
) -> dict[ModelChoice, str]:
    """Write a table for each model; all vectors are made before the first of them.

    Args:
        run: The run; its ingest is finished.
        folder: The index folder.
        parts: The models.
        chunks: The rows.
        known: Questions about them whose vectors may be searched, too.

    Returns:
        The tables' names by model.
    """
    ingested = run.workspace.need("ingest")
    versions = version_labels(run)
    facts, latest = recipe_facts(run.recipe), newest(versions)
    cache = VectorCache(run.workspace.root / "vectors", run.reporter)
    row_of = {chunk.id: row for row, chunk in enumerate(chunks)}
    passages, asked = [chunk.passage for chunk in chunks], [one.text for one in known]
    encoded = [
        (
            cache.encode(part.encoder, passages, "passage", f"encoding passages ({part.model})"),
            cache.encode(part.encoder, asked, "query", f"encoding questions ({part.model})"),
        )
        for part in parts
    ]
    names: dict[ModelChoice, str] = {}
    for part, (vectors, questions) in zip(parts, encoded, strict=True):
        meta = IndexMeta(
            part.encoder.fingerprint,
            part.model,
            part.encoder.dimension,
            part.serving,
            ingested.content,
            _docs(ingested),
            facts,
            versions,
            latest,
            part.refusal,
            part.reranker,
        )
        names[part.model] = build_index(
            folder / part.model,
            chunks,
            vectors,
            meta,
            questions=question_vectors([one.chunk_id for one in known], questions, row_of),
            keep=None,  # until what is served is written down
            model=part.folder,
            reranker=part.reader,
        )
    return names


def outcome(run: Run, chunks: Sequence[Chunk], served: Served, *, synced: bool = False) -> Outcome:
    """What the manifest of ``index`` says of the tables."""
    rows = {"chunks": len(chunks), "tables": len(served.tables)}
    return Outcome(run.workspace.need("ingest").content, rows, {TABLES: dict(served.tables), "synced": synced})


def _parts(run: Run, gate: GateResult, verdict: Manifest) -> list[Part]:
    """The base model, and the tuned one if it ships: each with the gate's mixture and length of vectors."""
    base, folder = gate.served if gate.served.model == "base" else gate.untuned, run.workspace.folder("refit") / MODEL
    parts = [Part("base", base_encoder(run, dims=base.dims), base)]
    if gate.ships:
        way = gate.served
        parts.append(Part("tuned", tuned_encoder(run, folder, share=way.share, dims=way.dims), way, folder))
    reader = run.workspace.folder("train") / RERANKER
    named = run.recipe.models.reranker if verdict.notes.get("reranker") == NAMED else ""
    parts[-1] = replace(
        parts[-1], refusal=_refusal(verdict), reranker=named
    )  # what validation chose is for the model that ships
    return [replace(part, reader=reader) for part in parts] if reader.is_dir() else parts


def _refusal(verdict: Manifest) -> Refusal | None:
    note: Any = verdict.notes.get("refusal")
    return Refusal(**note) if note else None


def _docs(ingested: Manifest) -> str:
    """What the documentation is called, with its revision."""
    revisions = ingested.notes["revisions"]
    assert isinstance(revisions, Mapping)  # noqa: S101 - narrows the type
    return ", ".join(f"{label} at {revision}" if revision else str(label) for label, revision in revisions.items())


def example_questions(run: Run, count: int = 6) -> list[str]:
    """Questions to start a chat with: short ones that the docs surely answer, from different pages."""
    if run.workspace.manifest("synth") is None:
        return []
    page_of = {chunk.id: chunk.path for chunk in load_chunks(run)}
    found: dict[str, str] = {}
    usable = [question for question in load_questions(run) if question.style == "howto" and question.rank == 1]
    for question in sorted(usable, key=lambda question: (len(question.text), question.id)):
        # After a sync, the section of a question may be gone.
        if len(question.text.split()) > 4 and question.chunk_id in page_of:  # noqa: PLR2004 - shorter ones say too little
            found.setdefault(page_of[question.chunk_id], question.text)
    return list(found.values())[:count]
