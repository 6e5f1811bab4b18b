"""Triplets + base model -> a small cross-encoder, which reads question and passage together.

In: training rows and the folder of an embedding model. Out: a folder that ``models.reranker`` reads. The embedding model's transformer is
the start, with a new head for the score. It does not choose its data, and does not know whether its model ranks better than the search.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dragoman.errors import ExtraMissing, ModelError, UsageError
from dragoman.models.encoder import load_model, without_bars
from dragoman.records import Triplet, content_id
from dragoman.train.batches import SectionBatches
from dragoman.train.memory import give_back
from dragoman.train.trainer import precision, without_dropout

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_MINIMUM_ROWS = 16
_BATCH = 16  # questions
_HARD, _WRONG = 1, 2  # mined passages, and all wrong ones, beside each question's own
_LONGEST = 128  # tokens of question and passage: half the time of 256, in training and whenever a question is asked
_RATE, _HEAD = 2e-4, 10.0  # peak learning rate, and how much higher it is for the head, which starts from nothing
_EPOCHS = 1
_SURE = 20.0  # the loss takes the softmax of its labels: with this one, the right passage has all of it


@dataclass(frozen=True, slots=True)
class RerankerRun:
    """What a training did: questions, optimiser steps and the loss of each, and seconds."""

    questions: int
    steps: int
    losses: tuple[float, ...]
    seconds: float


def reranker_rows(triplets: Sequence[Triplet]) -> list[Triplet]:
    """The rows that are worth a cross-encoder's time: what a model or a person asked; all, where that is too little."""
    asked = [row for row in triplets if row.kind != "structure"]
    return asked if len(asked) >= _MINIMUM_ROWS else list(triplets)


def tune_reranker(
    base: Path, triplets: Sequence[Triplet], output: Path, *, seed: int, advance: Callable[[int], None] | None = None
) -> RerankerRun:
    """Tune a cross-encoder to give each question's passage a higher score than wrong ones: those mined, and those of other questions.

    The loss is ListNet's (Cao and others, "Learning to Rank: From Pairwise Approach to Listwise Approach", ICML 2007) with one right passage.

    Args:
        base: Folder of the embedding model to start from.
        triplets: Training rows, of which ``reranker_rows`` takes at least 16.
        output: Folder to write; it appears only when the model is whole.
        seed: Decides the head, the order of the rows and the wrong passages; the same seed gives the same weights on one machine.
        advance: Called with 1 after each optimiser step.

    Returns:
        The steps taken and their losses.

    Raises:
        UsageError: Too few rows, or all of one section.
        ModelError: The base cannot be loaded, or is of a kind that cannot read two texts together.
        ExtraMissing: The ``train`` extra is not installed.
    """
    rows = reranker_rows(triplets)
    if len(rows) < _MINIMUM_ROWS:
        raise UsageError(f"only {len(rows)} questions to train on", expected=f"at least {_MINIMUM_ROWS}")
    started = time.monotonic()
    lists = [_passages(row, number, rows, seed) for number, row in enumerate(rows)]
    if all(len(texts) == 1 for texts in lists):
        raise UsageError(
            f"all {len(rows)} questions are about one section", expected="passages that do not answer them"
        )
    model = _untrained(base, seed)
    losses = _fit(model, rows, lists, seed, advance)
    beside = output.with_name(f"{output.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    with without_bars():
        model.save_pretrained(str(beside), create_model_card=False)
    shutil.rmtree(output, ignore_errors=True)
    beside.replace(output)
    del model
    give_back()
    return RerankerRun(len(rows), len(losses), losses, time.monotonic() - started)


def planned_reranker_steps(triplets: Sequence[Triplet], seed: int) -> int:
    """Optimiser steps that ``tune_reranker`` will take, for progress."""
    return len(SectionBatches(reranker_rows(triplets), _BATCH, seed)) * _EPOCHS


def _passages(row: Triplet, number: int, rows: Sequence[Triplet], seed: int) -> list[str]:
    """The right passage and then wrong ones: those mined first, and others' for the rest, of sections that do not answer the question."""
    own = {row.section, *row.also}
    texts = [row.passage, *row.negatives[:_HARD]]
    start = int(content_id(seed, number), 16)
    for step in range(len(rows)):
        if len(texts) > _WRONG:
            break
        other = rows[(start + step) % len(rows)]
        if own.isdisjoint((other.section, *other.also)) and other.passage not in texts:
            texts.append(other.passage)
    return texts


def _untrained(base: Path, seed: int) -> "CrossEncoder":
    """The base's transformer with a new head."""
    import torch
    from sentence_transformers import CrossEncoder

    embedder = load_model(base)
    with TemporaryDirectory() as folder, without_bars():
        if embedder.transformers_model is None:
            raise ModelError(f"{base} has no transformer", expected="one, to make a cross-encoder of")
        embedder.transformers_model.save_pretrained(folder)
        embedder.tokenizer.save_pretrained(folder)
        longest = min(_LONGEST, embedder.max_seq_length or _LONGEST)
        torch.manual_seed(seed)
        try:
            model = CrossEncoder(
                folder, num_labels=1, max_length=longest, local_files_only=True, model_kwargs={"dtype": "float32"}
            )
        except ValueError as error:
            reason = next(iter(str(error).splitlines()), "")
            raise ModelError(f"no cross-encoder can be made of {base}: {reason}") from error
    without_dropout(model)
    return model


def _fit(
    model: "CrossEncoder",
    rows: Sequence[Triplet],
    lists: Sequence[Sequence[str]],
    seed: int,
    advance: Callable[[int], None] | None,
) -> tuple[float, ...]:
    from datasets import Dataset
    from sentence_transformers.cross_encoder.losses import ListNetLoss
    from transformers import PrinterCallback

    columns = {
        "question": [_clean(row.question) for row in rows],
        "passages": [[_clean(text) for text in texts] for texts in lists],
        "labels": [[_SURE, *(0.0 for _ in texts[1:])] for texts in lists],
    }
    batches = SectionBatches(rows, _BATCH, seed)
    with TemporaryDirectory() as folder:  # which the trainer makes, and leaves empty
        trainer = _trainer_class()(
            model=model,
            args=_arguments(batches, seed, folder),
            train_dataset=Dataset.from_dict(columns),
            loss=ListNetLoss(model),
            callbacks=[_follower(advance)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    losses = tuple(float(row["loss"]) for row in trainer.state.log_history if "loss" in row)
    trainer.accelerator.free_memory()
    return losses


def _arguments(batches: SectionBatches, seed: int, folder: str) -> Any:  # noqa: ANN401 - the type comes with the optional extra
    import torch
    from sentence_transformers import CrossEncoderTrainingArguments

    return CrossEncoderTrainingArguments(
        output_dir=folder,
        num_train_epochs=_EPOCHS,
        per_device_train_batch_size=_BATCH,
        learning_rate=_RATE,
        learning_rate_mapping={r"\bclassifier\b|\bscore\b": _RATE * _HEAD},
        warmup_steps=len(batches) * _EPOCHS // 10,
        lr_scheduler_type="cosine",
        bf16=precision() == "bf16",
        use_cpu=not torch.cuda.is_available(),
        batch_sampler=lambda *_args, **_kwargs: batches,
        seed=seed,
        save_strategy="no",
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def _follower(advance: Callable[[int], None] | None) -> Any:  # noqa: ANN401 - as above
    from transformers import TrainerCallback

    class Follower(TrainerCallback):
        def on_step_end(self, *_args: object, **_: object) -> None:
            if advance is not None:
                advance(1)

    return Follower()


def _trainer_class() -> Any:  # noqa: ANN401 - as above
    try:
        from sentence_transformers import CrossEncoderTrainer
    except ImportError as error:
        raise ExtraMissing(f"training needs the package '{error.name}'", extra="train") from error

    class Trainer(CrossEncoderTrainer):
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """Cards are ours: the library's would ask the Hub about the base model."""

    return Trainer


def _clean(text: str) -> str:
    """Half a surrogate pair, which badly decoded text may hold, is refused by the tokenizer and by Arrow."""
    return text.encode("utf-8", "replace").decode()
