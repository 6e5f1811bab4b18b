"""Questions -> tuned models: one for each round, judged on what it never saw, and the one that is served.

In: a run. Out: the manifests of ``train`` and ``refit``. It joins the room ``train`` to the models and to what the stages before it made.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.evaluate.page import model_card
from dragoman.models.prompts import prompts_of
from dragoman.pipeline.context import Outcome, Run, as_json, need_fresh, run_stage
from dragoman.pipeline.encoders import base_encoder
from dragoman.pipeline.ingest import base_model
from dragoman.pipeline.judging import REPORT, gate_of, validator
from dragoman.pipeline.plans import evaluate_plan, refit_plan, train_plan
from dragoman.pipeline.rerankers import RERANKER, make_reranker
from dragoman.pipeline.rounds import round_folder
from dragoman.pipeline.synth import load_negatives, load_passages, load_questions
from dragoman.pipeline.teaching import find_teacher
from dragoman.pipeline.vectors import VectorCache
from dragoman.records import Chunk, Manifest, Question, Split, Triplet, content_id
from dragoman.tables import file_hash
from dragoman.train.adapter import fit_adapter, planned_adapter_steps
from dragoman.train.finetune import epoch_folder, finetune, planned_steps
from dragoman.train.mix import mean, mix
from dragoman.train.rows import training_rows
from dragoman.train.split import check_disjoint, split_chunks

MODEL, _FINAL = "model", "final"


@dataclass(frozen=True, slots=True)
class Task:
    """One training: on what, and what it may not see; ``stop_after`` cuts it short (0: it runs to its end)."""

    output: Path
    label: str
    held_out: frozenset[str] = frozenset()
    stop_after: int = 0
    validate: Callable[[Path], float] | None = None


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
        hashes, rounds, rerankers = [], [], []
        for number in range(split.rounds):
            held_out = frozenset(chunk.id for chunk in chunks if split.held_out(chunk.id) == number)
            validate = validator(run, chunks, questions, split, number) if run.recipe.train.patience else None
            label = f"training round {number + 1} of {split.rounds}"
            task = Task(folder / f"round-{number}", label, held_out, validate=validate)
            rounds.append(_tune(run, chunks, questions, split, task))
            if run.recipe.train.reranker:
                beside, what = task.output / RERANKER, f"{label}: cross-encoder"
                rerankers.append(make_reranker(run, chunks, questions, split, beside, what, held_out))
            hashes.append(weights_hash(task.output))
        if run.recipe.train.reranker:
            beside, what = folder / RERANKER, "cross-encoder on all documents"
            rerankers.append(make_reranker(run, chunks, questions, split, beside, what))
            hashes.append(weights_hash(beside))
        rows = {"rounds": split.rounds, "questions": sum(question.train for question in questions)}
        seconds = round(sum(float(row["seconds"]) for row in rounds), 1)
        notes: dict[str, Any] = {"method": run.recipe.train.method, "seconds": seconds, "rounds": rounds}
        if rerankers:
            notes["rerankers"] = rerankers  # the last one is of all documents
        return Outcome(content_id(*hashes), rows, notes)

    manifest = run_stage(run, train_plan(run), work)
    run.say(f"train: {manifest.rows['rounds']} models, each judged only on documents that it never saw")
    return manifest


def refit(run: Run) -> Manifest:
    """Make the model that is served, if the gate lets it ship: as long trained, and as mixed, as validation chose.

    Args:
        run: The run.

    Returns:
        The manifest; its artefact holds no model after a refusal.
    """
    gate = gate_of(need_fresh(run, evaluate_plan(run)))

    def work(folder: Path) -> Outcome:
        if not gate.ships:
            return Outcome(content_id("base"), {"models": 0})
        tuned, notes = _final(run, folder, gate.served.epochs)
        if run.recipe.train.method == "adapter" or gate.served.share == 1.0:
            shutil.copytree(tuned, folder / MODEL, dirs_exist_ok=True)
        else:
            mix(base_model(run), tuned, gate.served.share, folder / MODEL)
        report = json.loads((run.workspace.folder("evaluate") / REPORT).read_text(encoding="utf-8"))
        (folder / MODEL / "README.md").write_text(model_card(report), encoding="utf-8")
        for left in folder.glob(f"{_FINAL}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        return Outcome(weights_hash(folder / MODEL), {"models": 1}, notes)

    manifest = run_stage(run, refit_plan(run), work)
    run.say(f"refit: {manifest.notes['made']}" if manifest.rows["models"] else "refit: not needed, the base is served")
    return manifest


def _final(run: Run, folder: Path, epochs: int) -> tuple[Path, dict[str, Any]]:
    """The tuned model by itself: the mean of the rounds', each of which saw most of the documents, or one more training on all."""
    settings = run.recipe.train
    rounds = run.workspace.need("train").rows["rounds"]
    if settings.final == "mean" and rounds > 1 and settings.method != "adapter":
        models = [round_folder(run, number, epochs) for number in range(rounds)]
        return mean(models, folder / _FINAL), {
            "made": f"the mean of {rounds} models, which saw all documents between them"
        }
    chunks, questions = load_passages(run), load_questions(run)
    split = split_chunks(chunks, settings.folds, run.recipe.seed)
    task = Task(folder / _FINAL, "training on all documents", stop_after=epochs)
    notes = _tune(run, chunks, questions, split, task)
    return epoch_folder(task.output, int(notes["epochs"])), {"made": "trained on all documents", **notes}


def weights_hash(folder: Path) -> str:
    """Hash of all weights below a folder."""
    files = sorted(folder.rglob("*.safetensors"))
    return content_id(*(part for file in files for part in (file.relative_to(folder).as_posix(), file_hash(file))))


def _tune(run: Run, chunks: Sequence[Chunk], questions: Sequence[Question], split: Split, task: Task) -> dict[str, Any]:
    """One training; a finished one that an interrupted run left is taken as it is."""
    log = task.output.with_suffix(".json")
    if log.is_file() and task.output.is_dir():
        run.say(f"{task.label}: done by a run before")
        return dict(json.loads(log.read_text(encoding="utf-8")))
    settings, seed = run.recipe.train, run.recipe.seed
    hard = {question: ids[: settings.negatives] for question, ids in load_negatives(run).items()}
    rows = training_rows(
        questions,
        {chunk.id: chunk for chunk in chunks},
        settings.structure_share,
        seed,
        without=task.held_out,
        negatives=hard,
        people_weight=settings.people_weight,
    )
    check_disjoint(rows, task.held_out, split)
    if task.output.with_name(f"{task.output.name}.resume").is_dir():
        run.say(f"{task.label}: an interrupted run left a checkpoint, from which it goes on")
    done = _fit_adapter(run, rows, task) if settings.method == "adapter" else _finetune(run, rows, task)
    notes = {"questions": len(rows), **done}
    beside = log.with_suffix(".new")
    beside.write_text(json.dumps(notes), encoding="utf-8")
    beside.replace(log)
    return notes


def _finetune(run: Run, rows: Sequence[Triplet], task: Task) -> dict[str, Any]:
    settings, seed, base = run.recipe.train, run.recipe.seed, base_model(run)
    teacher, verdict = find_teacher(run, rows) if settings.teacher else (None, "")
    with run.reporter.progress(task.label, planned_steps(rows, settings, seed, task.stop_after)) as advance:
        done = finetune(
            base,
            rows,
            task.output,
            settings,
            seed=seed,
            prompts=prompts_of(base, run.recipe.models),
            advance=advance,
            teacher=teacher,
            validate=task.validate,
            stop_after=task.stop_after,
        )
    return {**as_json(done), **({"teacher": verdict} if verdict else {})}


def _fit_adapter(run: Run, rows: Sequence[Triplet], task: Task) -> dict[str, Any]:
    """A map of the question's vector, learnt from vectors that are at hand: the passages' stay as they are."""
    settings, seed, encoder = run.recipe.train, run.recipe.seed, base_encoder(run)
    cache = VectorCache(run.workspace.root / "vectors", run.reporter)
    asked = cache.encode(encoder, [row.question for row in rows], "query", "encoding questions (base)")
    passages = cache.encode(encoder, [row.passage for row in rows], "passage", "encoding passages (base)")
    with run.reporter.progress(task.label, planned_adapter_steps(rows, settings, seed)) as advance:
        output = epoch_folder(task.output, 1)
        base = encoder.fingerprint
        done = fit_adapter(asked, passages, rows, output, settings, base=base, seed=seed, advance=advance)
    return {**as_json(done), "epochs": 1, "passes": done.epochs}
