"""Triplets + base model -> a tuned model folder.

In: training rows and the folder of a sentence-transformers model. Out: a folder of the same kind and
the loss by step. Question -> passage, in-batch negatives, inside a Matryoshka loss. It does not
choose its data and does not judge its result.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.config import TrainSettings
from dragoman.errors import UsageError
from dragoman.models.encoder import load_model, without_bars
from dragoman.records import Triplet, content_id
from dragoman.train.batches import SectionBatches

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_MINIMUM_ROWS = 16


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a training did: optimiser steps and the loss of each."""

    steps: int
    losses: tuple[float, ...]
    precision: str


def finetune(
    base: Path,
    triplets: Sequence[Triplet],
    output: Path,
    settings: TrainSettings,
    *,
    seed: int,
    advance: Callable[[int], None] | None = None,
) -> TrainingRun:
    """Tune an embedding model on questions and their passages.

    MultipleNegativesRankingLoss (2017, https://arxiv.org/abs/1705.00652) inside MatryoshkaLoss (2022,
    https://arxiv.org/abs/2205.13147); no batch holds two questions of one section.

    Args:
        base: Folder of the model to start from.
        triplets: Training rows, at least 16.
        output: Folder to write; it appears only when the model is whole.
        settings: Epochs, batch size, learning rate, warm-up, dimensions.
        seed: Decides the order of the rows; the same seed gives the same weights on one machine.
        advance: Called with 1 after each optimiser step.

    Returns:
        The steps taken and their losses.

    Raises:
        UsageError: Too few rows.
        ModelError: The base model cannot be loaded.
        ExtraMissing: The ``train`` extra is not installed.
    """
    if len(triplets) < _MINIMUM_ROWS:
        raise UsageError(f"only {len(triplets)} questions to train on", expected=f"at least {_MINIMUM_ROWS}")
    model = load_model(base)
    _without_dropout(model)
    batches = SectionBatches(triplets, settings.batch_size, seed)
    with tempfile.TemporaryDirectory(prefix="dragoman-") as scratch:
        trainer = _trainer(model, triplets, batches, settings, seed, scratch, advance)
        trainer.train()
    losses = tuple(float(row["loss"]) for row in trainer.state.log_history if "loss" in row)
    beside = output.with_name(output.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    with without_bars():
        model.save_pretrained(str(beside), create_model_card=False)
    shutil.rmtree(output, ignore_errors=True)
    beside.replace(output)
    return TrainingRun(int(trainer.state.global_step), losses, _precision())


def planned_steps(triplets: Sequence[Triplet], settings: TrainSettings, seed: int) -> int:
    """Optimiser steps that ``finetune`` will take, for progress."""
    return len(SectionBatches(triplets, settings.batch_size, seed)) * settings.epochs


def _without_dropout(model: "SentenceTransformer") -> None:
    """Train without dropout: on a CPU it costs half the time, and most of the memory.

    With it, attention falls back from the fused kernel to one that stores every attention matrix. A few
    dozen steps from a trained model do not need the regularisation (benchmarks/training_step.py measures the cost).
    """
    from torch import nn

    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def _trainer(
    model: "SentenceTransformer",
    triplets: Sequence[Triplet],
    batches: SectionBatches,
    settings: TrainSettings,
    seed: int,
    scratch: str,
    advance: Callable[[int], None] | None,
) -> Any:  # noqa: ANN401 - the trainer's type comes with the optional extra
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss
    from transformers import PrinterCallback, TrainerCallback

    class Progress(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            if advance:
                advance(1)

    class Trainer(SentenceTransformerTrainer):
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """Cards are ours: the library's would encode examples, and ask the Hub about the base model."""

    columns = _columns(triplets, seed)
    dims = [dim for dim in settings.dims if dim <= (model.get_embedding_dimension() or 0)]
    steps = len(batches) * settings.epochs
    arguments = SentenceTransformerTrainingArguments(
        output_dir=scratch,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        warmup_steps=int(steps * settings.warmup),
        lr_scheduler_type="cosine",
        bf16=_precision() == "bf16",
        use_cpu=not _cuda(),
        batch_sampler=lambda *_args, **_kwargs: batches,
        seed=seed,
        save_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict(columns),
        loss=MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), dims),
        callbacks=[Progress()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _columns(triplets: Sequence[Triplet], seed: int) -> dict[str, list[str]]:
    """Texts alone: the collator would take an id column for one. A row short of negatives gets passages that others have for theirs."""
    columns = {"anchor": [row.question for row in triplets], "positive": [row.passage for row in triplets]}
    most = max(len(row.negatives) for row in triplets)
    known = [(text, section) for row in triplets for text, section in zip(row.negatives, row.wrong, strict=False)]
    for place in range(most):
        column = []
        for number, row in enumerate(triplets):
            own = {row.section, *row.also}
            spare = (
                known[(int(content_id(seed, number, place), 16) + step) % len(known)] for step in range(len(known))
            )
            text = row.negatives[place] if place < len(row.negatives) else ""
            column.append(text or next((other for other, section in spare if section not in own), row.question))
        columns[f"negative_{place + 1}"] = column
    return columns


def _cuda() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _precision() -> str:
    """bf16 where the processor computes in it: there it doubles the speed; elsewhere it is slower."""
    import torch

    if _cuda():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "fp32"  # noqa: SLF001 - no public name
