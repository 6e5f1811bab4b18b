"""The sentence-transformers trainer, set up as this room trains.

In: a model, columns of texts, batches and settings. Out: a trainer that follows a course, keeps full checkpoints where it is told to,
and goes on from one to the same weights. It does not choose its data, and does not save the model it makes.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.config import TrainSettings
from dragoman.train import lora
from dragoman.train.batches import SectionBatches
from dragoman.train.course import Course
from dragoman.train.losses import build_loss

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LABELS = "label"  # the column that the collator takes for numbers, not for text
_WEIGHTS = "weights.pt"
_LENGTHS = 32  # texts of a batch are padded to a multiple of so many tokens


def without_dropout(model: "SentenceTransformer") -> None:
    """Train without dropout: on a CPU it costs half the time, and most of the memory.

    With it, attention falls back from the fused kernel to one that stores every attention matrix. A few
    dozen steps from a trained model do not need the regularisation (benchmarks/training_step.py measures the cost).
    """
    from torch import nn

    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def build_trainer(
    model: "SentenceTransformer",
    columns: Mapping[str, Sequence[Any]],
    batches: SectionBatches,
    settings: TrainSettings,
    course: Course,
    folders: tuple[Path, Path],
    *,
    seed: int,
    trackers: Sequence[Any] = (),
) -> Any:  # noqa: ANN401 - the trainer's type comes with the optional extra
    """Put a trainer together.

    Args:
        model: What is trained: those of its parameters that ask for a gradient.
        columns: Of texts, and the teacher's scores as ``LABELS``.
        batches: Which rows share a batch.
        settings: Epochs, learning rate, warm-up and what the loss is made of.
        course: Told of each step, epoch and checkpoint.
        folders: For checkpoints, and for what trackers write.
        seed: The seed.
        trackers: Callbacks of trackers.

    Returns:
        A sentence-transformers trainer, ready for ``train``.
    """
    from datasets import Dataset
    from transformers import PrinterCallback

    loss = build_loss(model, settings, taught=LABELS in columns)
    trainer = _trainer_class(folders[0])(
        model=model,
        args=_arguments(settings, batches, seed, folders[bool(trackers)]),
        train_dataset=Dataset.from_dict(dict(columns)),
        loss=loss,
        data_collator=_collator(model),
        callbacks=[*trackers, _follower(course, len(batches))],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(settings: TrainSettings, batches: SectionBatches, seed: int, folder: Path) -> Any:  # noqa: ANN401 - as above
    from sentence_transformers import SentenceTransformerTrainingArguments

    steps = len(batches) * settings.epochs
    return SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate * (lora.LEARNING_RATE if settings.method == "lora" else 1.0),
        warmup_steps=int(steps * settings.warmup),
        lr_scheduler_type="cosine",
        bf16=precision() == "bf16",
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


def _collator(model: "SentenceTransformer") -> Any:  # noqa: ANN401 - as above
    """Texts are padded to one of few lengths: the memory of a batch then fits the next, and the heap does not grow with every step."""
    from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator

    preprocess, longest = model.preprocess, model.max_seq_length
    # Beyond its longest input a model may have no positions.
    if model.transformers_model is not None and longest and longest % _LENGTHS == 0:
        # For this call only: what is set in the model is saved with it.
        preprocess = partial(preprocess, processing_kwargs={"text": {"pad_to_multiple_of": _LENGTHS}})
    return SentenceTransformerDataCollator(preprocess_fn=preprocess)


def _follower(course: Course, steps: int) -> Any:  # noqa: ANN401 - as above
    from transformers import TrainerCallback, TrainerControl, TrainerState

    class Follower(TrainerCallback):
        def on_train_begin(self, _args: object, state: TrainerState, _control: TrainerControl, **_: object) -> None:
            course.begin(int(state.global_step))

        def on_step_end(self, _args: object, state: TrainerState, control: TrainerControl, **_: object) -> None:
            control.should_save = course.after_step(int(state.global_step))

        def on_epoch_end(self, _args: object, state: TrainerState, control: TrainerControl, **_: object) -> None:
            course.after_epoch(int(state.global_step) // steps)
            control.should_save = True
            control.should_training_stop = control.should_training_stop or course.over

        def on_save(self, _args: object, state: TrainerState, _control: TrainerControl, **_: object) -> None:
            course.after_checkpoint(f"checkpoint-{state.global_step}")

    return Follower()


def _trainer_class(checkpoints: Path) -> Any:  # noqa: ANN401 - as above
    import torch
    from sentence_transformers import SentenceTransformerTrainer

    class Trainer(SentenceTransformerTrainer):
        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """Cards are ours: the library's would encode examples, and ask the Hub about the base model."""

        def _get_output_dir(self, trial: object) -> str:
            """Checkpoints apart from what trackers write to the output folder."""
            del trial
            return str(checkpoints)

        def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
            """What is trained, under its own names: the library would save and load additions (LoRA) in ways of their own."""
            del state_dict
            folder = Path(output_dir or self._get_output_dir(None))
            folder.mkdir(parents=True, exist_ok=True)
            torch.save({name: value.detach() for name, value in self._trained().items()}, folder / _WEIGHTS)

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: object = None) -> None:
            del model
            saved = torch.load(Path(resume_from_checkpoint) / _WEIGHTS, map_location="cpu", weights_only=True)
            with torch.no_grad():
                for name, value in self._trained().items():
                    value.copy_(saved[name])

        def _trained(self) -> dict[str, Any]:
            return {name: value for name, value in self.model.named_parameters() if value.requires_grad}

    return Trainer


def _cuda() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def precision() -> str:
    """bf16 where the processor computes in it: there it doubles the speed; elsewhere it is slower."""
    import torch

    if _cuda():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() else "fp32"  # noqa: SLF001 - no public name
