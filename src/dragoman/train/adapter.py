"""Vectors of questions and their passages -> a linear map of the question's vector.

In: vectors that the base model made already, and the training rows that they are of. Out: a small folder, an adapter. Passages stay
as they are, so that nothing is embedded anew and a model behind an API can be tuned. It embeds nothing and does not judge its result.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragoman.config import TrainSettings
from dragoman.errors import ExtraMissing, UsageError
from dragoman.models.adapted import write_adapter
from dragoman.models.protocols import Vectors
from dragoman.records import Triplet
from dragoman.train.batches import SectionBatches

if TYPE_CHECKING:
    import torch

_MINIMUM_ROWS = 16
_SCALE = 20.0  # cosines are multiplied by it before the softmax, as in MultipleNegativesRankingLoss
EPOCHS = 10  # passes for each one of the settings': a step costs a millisecond, and one matrix learns more slowly than a model
RATE = 10.0  # times the settings' learning rate, likewise
_PULL = 10.0  # weight decay toward the identity: no number of the map gets much further from it than a tenth


@dataclass(frozen=True, slots=True)
class AdapterRun:
    """What a fit did: optimiser steps, the loss of each, seconds, and passes over the rows."""

    steps: int
    losses: tuple[float, ...]
    seconds: float
    epochs: int


def fit_adapter(
    questions: Vectors,
    passages: Vectors,
    triplets: Sequence[Triplet],
    output: Path,
    settings: TrainSettings,
    *,
    base: str,
    seed: int,
    advance: Callable[[int], None] | None = None,
) -> AdapterRun:
    """Fit the map that turns each question's vector toward its passage's, and away from the others of its batch.

    The linear adapter of LlamaIndex (2023, https://developers.llamaindex.ai/python/examples/finetuning/embeddings/finetune_embedding_adapter),
    with in-batch negatives (https://arxiv.org/abs/1705.00652) and weight decay on the difference from the identity
    (https://arxiv.org/abs/1711.05101): what the rows say nothing about stays as the base has it.

    Args:
        questions: The base's vectors of the rows' questions, shape ``(rows, dimension)``, each of length 1.
        passages: Those of the rows' passages, alike.
        triplets: Training rows, at least 16; their sections decide which may share a batch, and their negatives are not used.
        output: Folder to write; it appears only when the adapter is whole.
        settings: Epochs (ten times as many are made), batch size, learning rate (ten times as high).
        base: Fingerprint of the encoder that made the vectors.
        seed: Decides the order of the rows; the same seed gives the same bytes on one machine.
        advance: Called with 1 after each optimiser step.

    Returns:
        The steps taken and their losses.

    Raises:
        UsageError: Too few rows, or vectors that are not theirs.
        ExtraMissing: The ``train`` extra is not installed.
    """
    if len(triplets) < _MINIMUM_ROWS:
        raise UsageError(f"only {len(triplets)} questions to train on", expected=f"at least {_MINIMUM_ROWS}")
    if not len(triplets) == len(questions) == len(passages) or questions.shape != passages.shape:
        raise UsageError(
            f"{len(triplets)} rows have vectors of shapes {questions.shape} and {passages.shape}",
            expected="a vector of each question and of each passage, all of one length",
        )
    started = time.monotonic()
    batches = SectionBatches(triplets, settings.batch_size, seed)
    matrix, losses = _fitted(questions, passages, batches, settings, advance)
    write_adapter(output, matrix, base)
    return AdapterRun(len(losses), tuple(losses), time.monotonic() - started, settings.epochs * EPOCHS)


def planned_adapter_steps(triplets: Sequence[Triplet], settings: TrainSettings, seed: int) -> int:
    """Optimiser steps that ``fit_adapter`` will take, for progress."""
    return len(SectionBatches(triplets, settings.batch_size, seed)) * settings.epochs * EPOCHS


def _fitted(
    questions: Vectors,
    passages: Vectors,
    batches: SectionBatches,
    settings: TrainSettings,
    advance: Callable[[int], None] | None,
) -> tuple[Vectors, list[float]]:
    try:
        import torch
    except ImportError as error:
        raise ExtraMissing(f"training needs the package '{error.name}'", extra="train") from error
    asked, said = (torch.from_numpy(np.array(rows, dtype=np.float32)) for rows in (questions, passages))
    # The difference from the identity, so that weight decay pulls toward the base and not toward nothing.
    change = torch.zeros(asked.shape[1], asked.shape[1], requires_grad=True)
    optimiser = torch.optim.AdamW([change], lr=settings.learning_rate * RATE, weight_decay=_PULL)
    epochs = settings.epochs * EPOCHS
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * len(batches))
    losses: list[float] = []
    for epoch in range(epochs):
        batches.set_epoch(epoch)
        for batch in batches:
            loss = _loss(asked[batch], said[batch], change)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            if advance is not None:
                advance(1)
    matrix: Vectors = np.eye(asked.shape[1], dtype=np.float32) + change.detach().numpy()
    return matrix, losses


def _loss(asked: "torch.Tensor", said: "torch.Tensor", change: "torch.Tensor") -> "torch.Tensor":
    """Cross-entropy of finding each question's own passage among those of the batch."""
    import torch
    from torch.nn.functional import cross_entropy, normalize

    turned = normalize(asked + asked @ change.T, dim=1)
    return cross_entropy(_SCALE * turned @ said.T, torch.arange(len(asked)))
