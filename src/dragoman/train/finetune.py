"""Triplets + base model -> the tuned model as it was after each epoch.

In: training rows and the folder of a sentence-transformers model. Out: a folder of such folders, and what the training did. Question ->
passage, by the loss of ``losses``, through the trainer of ``trainer``. It does not choose its data and does not judge its result.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.config import TrainSettings
from dragoman.errors import UsageError
from dragoman.models.encoder import load_model, without_bars
from dragoman.models.protocols import Reranker
from dragoman.records import Triplet, content_id
from dragoman.train.batches import SectionBatches
from dragoman.train.checkpoints import Checkpoints, epoch_folder, weights_hash
from dragoman.train.columns import filled, teacher_scores, text_columns, with_prompts
from dragoman.train.course import Course, plan_of
from dragoman.train.lora import add_lora, merged
from dragoman.train.memory import give_back
from dragoman.train.trackers import build_trackers
from dragoman.train.trainer import LABELS, build_trainer, precision, without_dropout

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = ["AFTERWARDS", "TrainingRun", "epoch_folder", "finetune", "planned_steps"]

_MINIMUM_ROWS = 16
AFTERWARDS = {"mixes", "final", "report_to"}  # settings that no weight depends on


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a training did: optimiser steps and the loss of each, and what validation said after each epoch.

    ``seconds`` are those spent on training, validation left out; a resumed run counts what was spent before.
    """

    steps: int
    losses: tuple[float, ...]
    precision: str
    seconds: float
    epochs: int
    validation: tuple[float, ...]


def finetune(  # noqa: PLR0913 - what is asked for beside the settings has a name of its own
    base: Path,
    triplets: Sequence[Triplet],
    output: Path,
    settings: TrainSettings,
    *,
    seed: int,
    prompts: tuple[str, str] = ("", ""),
    advance: Callable[[int], None] | None = None,
    teacher: Reranker | None = None,
    validate: Callable[[Path], float] | None = None,
    stop_after: int = 0,
) -> TrainingRun:
    """Tune an embedding model on questions and their passages.

    No batch holds two questions of one section. A killed training goes on from its last checkpoint, at most a minute old, when it is
    started again with the same arguments, and ends with the same weights; what it needs for that lies beside the output.

    Args:
        base: Folder of the model to start from.
        triplets: Training rows, at least 16.
        output: Folder to write, with a model for each epoch (``epoch_folder``); it appears only when whole.
        settings: How to train. With the method ``lora``, the learning rate is ten times what is set.
        seed: Decides the order of the rows; the same seed gives the same weights on one machine.
        prompts: Put before questions and before passages, and stored with the models.
        advance: Called with the steps just done.
        teacher: A cross-encoder to learn from; the rows need negatives then.
        validate: Asked for the worth of each epoch's model; decides when to stop, if ``settings.patience`` is set.
        stop_after: Epochs after which to stop, on the schedule of ``settings.epochs``; 0: all.

    Returns:
        The steps taken, their losses, and the values of validation by epoch.

    Raises:
        UsageError: Too few rows, or a teacher and no negatives.
        ConfigError: A tracker that does not exist, or a dimension below 1.
        ModelError: The base model cannot be loaded, or the teacher's scores are not numbers.
        ExtraMissing: The ``train`` extra, that of the method, or a tracker is not installed.
    """
    if len(triplets) < _MINIMUM_ROWS:
        raise UsageError(f"only {len(triplets)} questions to train on", expected=f"at least {_MINIMUM_ROWS}")
    trackers = build_trackers(settings.report_to)
    triplets = filled(triplets, seed)
    model = _model(base, settings, seed)
    columns = text_columns(triplets)
    outside = (*prompts, teacher.name if teacher else "", validate is not None, stop_after)
    checkpoints = Checkpoints(
        output.with_name(f"{output.name}.resume"), _fingerprint(base, triplets, settings, seed, outside)
    )
    rows: dict[str, Any] = {**with_prompts(columns, prompts)}
    if teacher:
        rows[LABELS] = checkpoints.scores(lambda: teacher_scores(teacher, columns)).tolist()
    batches = SectionBatches(triplets, settings.batch_size, seed)
    plan = plan_of(settings, len(batches), stop_after, validate, advance)
    course = Course(plan, checkpoints, partial(_save, model, base, settings, prompts))
    if not course.over:
        folders = (checkpoints.folder, output.with_name(f"{output.name}.logs"))
        trainer = build_trainer(model, rows, batches, settings, course, folders, seed=seed, trackers=trackers)
        trainer.train(resume_from_checkpoint=str(checkpoints.latest) if checkpoints.latest else None)
        trainer.accelerator.free_memory()
        del trainer
    del model, course
    give_back()
    losses, reached = checkpoints.losses(), checkpoints.reached
    checkpoints.finish(output)
    return TrainingRun(len(losses), losses, precision(), reached.seconds, reached.epochs, reached.validation)


def planned_steps(triplets: Sequence[Triplet], settings: TrainSettings, seed: int, stop_after: int = 0) -> int:
    """Optimiser steps that ``finetune`` will take if nothing stops it before, for progress."""
    steps = len(SectionBatches(filled(triplets, seed), settings.batch_size, seed))
    return plan_of(settings, steps, stop_after, None, None).epochs * steps


def _model(base: Path, settings: TrainSettings, seed: int) -> "SentenceTransformer":
    """The base, made ready for training."""
    model = load_model(base)
    without_dropout(model)
    if settings.method == "lora":
        import torch

        torch.manual_seed(seed)
        add_lora(model, settings.lora_rank)
    return model


def _save(
    model: "SentenceTransformer", base: Path, settings: TrainSettings, prompts: tuple[str, str], folder: Path
) -> None:
    """Write the model as it is now, for anybody to load; also where nothing stands before texts, the base's prompts do not hold."""
    plain = merged(base, model) if settings.method == "lora" else model
    plain.prompts = {**plain.prompts, "query": prompts[0], "document": prompts[1]}
    with without_bars():
        plain.save_pretrained(str(folder), create_model_card=False)


def _fingerprint(
    base: Path, triplets: Sequence[Triplet], settings: TrainSettings, seed: int, outside: Sequence[str | int]
) -> str:
    """Of all that decides the weights, and what is told of them."""
    rows = json.dumps([astuple(row) for row in triplets])
    deciding = settings.model_dump_json(exclude=AFTERWARDS)
    return content_id(weights_hash(base), rows, deciding, seed, precision(), *outside)
