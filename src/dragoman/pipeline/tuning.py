"""The second half of the chain: questions -> tuned models -> verdict -> the model that is served.

In: a run. Out: the manifests of ``train``, ``evaluate`` and ``refit``. It joins the rooms ``train``,
``index`` (whose searches are what is compared) and ``evaluate``.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from dragoman.evaluate.gate import GateResult, judge
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.page import by_document, report_page, wins_and_losses
from dragoman.evaluate.report import Comparison, build_report
from dragoman.pipeline.context import Outcome, Run, as_json, run_stage
from dragoman.pipeline.ingest import base_model
from dragoman.pipeline.plans import evaluate_plan, refit_plan, train_plan
from dragoman.pipeline.ranks import Board, known_questions, rank_all
from dragoman.pipeline.synth import load_negatives, load_passages, load_questions
from dragoman.records import Chunk, Interval, Manifest, Question, Serving, Split, content_id
from dragoman.tables import file_hash
from dragoman.train.finetune import finetune, planned_steps
from dragoman.train.rows import training_rows
from dragoman.train.split import check_disjoint, split_chunks

WEIGHTS_FILE, MODEL, REPORT, PAGE = "model.safetensors", "model", "report.json", "report.html"
ENOUGH = 100  # questions of people that judge a model alone, as the design asks for in validation


def train(run: Run) -> Manifest:
    """Tune one model a round, each on what its round does not hold out.

    Args:
        run: The run.

    Returns:
        The manifest; its notes hold steps and losses by round.

    Raises:
        UsageError: There are too few questions to train on.
    """
    chunks, questions = load_passages(run), load_questions(run)
    split = split_chunks(chunks, run.recipe.train.folds, run.recipe.seed)

    def work(folder: Path) -> Outcome:
        hashes, runs = [], []
        for number in range(split.rounds):
            held_out = {chunk.id for chunk in chunks if split.held_out(chunk.id) == number}
            label = f"training round {number + 1} of {split.rounds}"
            runs.append(_tune(run, chunks, questions, folder / f"round-{number}", label, held_out, split))
            hashes.append(file_hash(folder / f"round-{number}" / WEIGHTS_FILE))
        rows = {"rounds": split.rounds, "questions": sum(question.train for question in questions)}
        return Outcome(content_id(*hashes), rows, {"rounds": runs})

    manifest = run_stage(run, train_plan(run), work)
    run.say(f"train: {manifest.rows['rounds']} models, each judged only on documents that it never saw")
    return manifest


def _tune(
    run: Run,
    chunks: Sequence[Chunk],
    questions: Sequence[Question],
    output: Path,
    label: str,
    held_out: set[str],
    split: Split,
) -> dict[str, object]:
    """One tuned model; a finished one that an interrupted run left is taken as it is."""
    log = output.with_suffix(".json")
    if log.is_file() and (output / WEIGHTS_FILE).is_file():
        return dict(json.loads(log.read_text(encoding="utf-8")))
    settings, seed = run.recipe.train, run.recipe.seed
    by_id = {chunk.id: chunk for chunk in chunks}
    hard = {question: ids[: settings.negatives] for question, ids in load_negatives(run).items()}
    rows = training_rows(
        questions,
        by_id,
        settings.structure_share,
        seed,
        without=held_out,
        negatives=hard,
        people_weight=settings.people_weight,
    )
    check_disjoint(rows, held_out, split)
    with run.reporter.progress(label, planned_steps(rows, settings, seed)) as advance:
        done = finetune(base_model(run), rows, output, settings, seed=seed, advance=advance)
    notes = {"questions": len(rows), **as_json(done)}
    beside = log.with_suffix(".new")
    beside.write_text(json.dumps(notes), encoding="utf-8")
    beside.replace(log)
    return notes


def evaluate(run: Run) -> Manifest:
    """Compare base and tuned, in every way of searching, on questions about what was held out.

    Args:
        run: The run.

    Returns:
        The manifest; its notes hold the gate's decision.
    """
    run.workspace.need("train")
    chunks, questions = load_passages(run), load_questions(run)

    def work(folder: Path) -> Outcome:
        split = split_chunks(chunks, run.recipe.train.folds, run.recipe.seed)
        asked = [question for question in judged_questions(questions) if _held_out(question, split)]
        rounds = tuple(split.held_out(question.chunk_id) for question in asked)
        board = Board(chunks, asked, rounds, known_questions(questions))
        ranks = rank_all(run, board, folder / "lexical")
        units = tuple(split.unit_of[question.chunk_id] for question in asked)
        comparison = Comparison(tuple(asked), units, rounds, ranks)
        settings = run.recipe.evaluate
        scores = {way: ndcg(values, settings.k) for way, values in ranks.items() if _may_serve(way, asked)}
        gate = judge(scores, comparison.units, comparison.folds, rounds=settings.bootstrap, seed=run.recipe.seed)
        report = build_report(comparison, gate, settings, run.recipe.seed) | _origins(run)
        by_id = {chunk.id: chunk for chunk in chunks}
        ways = (gate.untuned, gate.tuned, settings.k)
        report["by_document"] = by_document(comparison, *ways, chunks_by_id=by_id)
        report["changes"] = wins_and_losses(comparison, *ways, by_id)
        (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        (folder / PAGE).write_text(report_page(report), encoding="utf-8")
        shutil.rmtree(folder / "lexical")
        return Outcome(
            content_id(json.dumps(report, sort_keys=True)), {"questions": len(asked)}, {"gate": as_json(gate)}
        )

    manifest = run_stage(run, evaluate_plan(run), work)
    gate = manifest.notes["gate"]
    assert isinstance(gate, dict)  # noqa: S101 - narrows the type
    verdict = "the tuned model ships" if gate["ships"] else "the base model is served"
    run.say(f"evaluate: {verdict}: {gate['reason']}")
    return manifest


def judged_questions(questions: Sequence[Question]) -> list[Question]:
    """The questions that count: people's; a language model's beside them while there are few, and structural ones for want of any."""
    people, written, structural = (
        [question for question in questions if question.kind == kind] for kind in ("person", "llm", "structure")
    )
    if len(people) >= ENOUGH:
        return people
    return people + (written or structural)


def _may_serve(way: Serving, asked: Sequence[Question]) -> bool:
    """Words alone are shown beside the others, and chosen only on what people asked (docs/decisions.md, 6 and 14)."""
    return way.mode != "lexical" or all(question.kind == "person" for question in asked)


def _held_out(question: Question, split: Split) -> bool:
    """Whether the model of one round has seen nothing that answers the question."""
    rounds = {split.held_out(chunk) for chunk in question.answers if chunk in split.unit_of}
    return len(rounds) == 1 and rounds != {-1}


def _origins(run: Run) -> dict[str, object]:
    """What the report says of where its figures come from."""
    ingested, made, trained = (run.workspace.need(stage) for stage in ("ingest", "synth", "train"))
    return {
        "name": run.recipe.name,
        "base_model": run.recipe.models.embedding,
        "revisions": ingested.notes["revisions"],
        "documents": dict(ingested.rows),
        "questions": {"rows": dict(made.rows), **made.notes},
        "training": trained.notes,
        "seed": run.recipe.seed,
    }


def gate_of(manifest: Manifest) -> GateResult:
    """The gate's decision as it stands in the manifest of ``evaluate``."""
    note = manifest.notes["gate"]
    assert isinstance(note, dict)  # noqa: S101 - narrows the type
    ways = {key: Serving(**note[key]) for key in ("untuned", "tuned", "served")}
    ends = {key: Interval(**note[key]) for key in ("validation", "test")}
    return GateResult(**{**note, **ways, **ends})


def refit(run: Run) -> Manifest:
    """Tune the model that is served on all documents, if the gate lets it ship.

    Args:
        run: The run.

    Returns:
        The manifest; its artefact holds no model after a refusal.
    """
    gate = gate_of(run.workspace.need("evaluate"))

    def work(folder: Path) -> Outcome:
        if not gate.ships:
            return Outcome(content_id("base"), {"models": 0})
        chunks, questions = load_passages(run), load_questions(run)
        split = split_chunks(chunks, run.recipe.train.folds, run.recipe.seed)
        notes = _tune(run, chunks, questions, folder / MODEL, "training on all documents", set(), split)
        return Outcome(file_hash(folder / MODEL / WEIGHTS_FILE), {"models": 1}, notes)

    manifest = run_stage(run, refit_plan(run), work)
    run.say("refit: trained on all documents" if manifest.rows["models"] else "refit: not needed, the base is served")
    return manifest
