"""The loss against arithmetic done by hand on fixed vectors."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dragoman.config import TrainSettings
from dragoman.errors import ConfigError
from dragoman.train.losses import build_loss, matryoshka_dims

Matrix = NDArray[np.float64]

ROWS, DIMENSION = 5, 8
DRAW = np.random.default_rng(7)
QUESTIONS, PASSAGES, NEGATIVES = (DRAW.normal(size=(ROWS, DIMENSION)) for _ in range(3))
SCORES = DRAW.normal(scale=3, size=(ROWS, 2))  # a teacher's, of passage and negative


def settings(**values: Any) -> TrainSettings:
    return TrainSettings(**{"dims": (8, 3), **values})


def fixed_model() -> Any:
    """A model that is given the vectors it gives."""
    import torch

    class Fixed(torch.nn.Module):
        def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {"sentence_embedding": features["vectors"]}

        def get_embedding_dimension(self) -> int:
            return DIMENSION

        def __getitem__(self, _: int) -> "Fixed":
            return self

    return Fixed()


def loss_of(columns: list[Matrix], scores: Matrix | None = None, **values: Any) -> tuple[float, list[Matrix]]:
    """The loss, and its gradient by column."""
    import torch

    vectors = [torch.tensor(column, dtype=torch.float32, requires_grad=True) for column in columns]
    labels = None if scores is None else torch.tensor(scores, dtype=torch.float32)
    loss = build_loss(fixed_model(), settings(**values), taught=scores is not None)
    total = loss([{"vectors": column} for column in vectors], labels)
    total.backward()
    gradients = [np.asarray(column.grad, dtype=np.float64) for column in vectors if column.grad is not None]
    assert len(gradients) == len(columns)
    return float(total.detach()), gradients


def unit(rows: Matrix) -> Matrix:
    lengths: Matrix = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths


def by_hand(columns: list[Matrix], scores: Matrix | None = None, *, weight: float = 1.0, both: bool = False) -> float:
    """In-batch negatives at a scale of 20, and the teacher's divergence, summed over 8 and 3 dimensions."""
    total = 0.0
    for dim in (8, 3):
        asked, *told = (unit(column[:, :dim]) for column in columns)
        near = 20 * asked @ np.concatenate(told).T
        own = np.diag(near)
        there = np.mean(np.log(np.exp(near).sum(axis=1)) - own)
        back = np.mean(np.log(np.exp(20 * told[0] @ asked.T).sum(axis=1)) - own)
        total += (there + back) / 2 if both else there
        if scores is not None:
            ours = np.exp(20 * np.stack([(asked * column).sum(axis=1) for column in told], axis=1))
            ours /= ours.sum(axis=1, keepdims=True)
            theirs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            total += weight * np.mean((theirs * np.log(theirs / ours)).sum(axis=1))
    return float(total)


@pytest.mark.parametrize("mini_batch", [0, 2])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("columns", [[QUESTIONS, PASSAGES], [QUESTIONS, PASSAGES, NEGATIVES]])
def test_the_loss_is_that_of_in_batch_negatives(columns: list[Matrix], *, both: bool, mini_batch: int) -> None:
    found, _ = loss_of(columns, both_ways=both, mini_batch=mini_batch)
    assert found == pytest.approx(by_hand(columns, both=both), rel=1e-4)


@pytest.mark.parametrize("mini_batch", [0, 2])
@pytest.mark.parametrize("both", [False, True])
def test_a_teacher_adds_its_divergence_times_its_weight(*, both: bool, mini_batch: int) -> None:
    columns = [QUESTIONS, PASSAGES, NEGATIVES]
    found, _ = loss_of(columns, SCORES, both_ways=both, mini_batch=mini_batch, teacher_weight=0.7)
    assert found == pytest.approx(by_hand(columns, SCORES, weight=0.7, both=both), rel=1e-4)
    assert found > by_hand(columns, both=both) + 0.1


@pytest.mark.parametrize("scores", [None, SCORES])
@pytest.mark.parametrize("mini_batch", [0, 2])
def test_the_loss_falls_when_questions_get_nearer_to_their_passages(scores: Matrix | None, mini_batch: int) -> None:
    columns = [QUESTIONS, PASSAGES, NEGATIVES]
    nearer = [QUESTIONS + 0.5 * PASSAGES, PASSAGES, NEGATIVES]
    # The teacher must agree that the passage is the right one, or nearer is not better for it.
    agreed = None if scores is None else np.sort(scores, axis=1)[:, ::-1].copy()
    before, gradients = loss_of(columns, agreed, mini_batch=mini_batch)
    assert loss_of(nearer, agreed, mini_batch=mini_batch)[0] < before
    assert loss_of([QUESTIONS - 0.5 * PASSAGES, *columns[1:]], agreed, mini_batch=mini_batch)[0] > before
    stepped = [column - 0.01 * gradient for column, gradient in zip(columns, gradients, strict=True)]
    assert loss_of(stepped, agreed, mini_batch=mini_batch)[0] < before


@pytest.mark.parametrize("scores", [None, SCORES])
def test_mini_batches_change_memory_and_not_the_gradient(scores: Matrix | None) -> None:
    columns = [QUESTIONS, PASSAGES, NEGATIVES]
    whole, parts = (loss_of(columns, scores, both_ways=True, mini_batch=size)[1] for size in (0, 2))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("dimension", "dims"),
    [
        (384, (384, 256, 128, 64)),
        (768, (768, 512, 256, 128, 64)),
        (1024, (1024, 512, 256, 128, 64)),
        (96, (96, 64)),
        (95, (95,)),
        (64, (64,)),
        (32, (32,)),
    ],
)
def test_a_model_is_trained_at_its_own_dimension_and_at_powers_of_two_below(
    dimension: int, dims: tuple[int, ...]
) -> None:
    assert matryoshka_dims(dimension, TrainSettings()) == dims


def test_dimensions_that_are_set_hold_with_the_models_own_among_them() -> None:
    assert matryoshka_dims(384, TrainSettings(dims=(64, 768, 100, 64))) == (384, 100, 64)
    assert matryoshka_dims(384, TrainSettings(dims=(1024,))) == (384,)


def test_a_dimension_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"train\.dims holds 0"):
        matryoshka_dims(384, TrainSettings(dims=(384, 0)))
