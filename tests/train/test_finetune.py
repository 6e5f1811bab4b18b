"""Training with the real model: it learns, and it does so again in the same way."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dragoman.config import TrainSettings
from dragoman.errors import ModelError, UsageError
from dragoman.models.encoder import SentenceEncoder
from dragoman.records import Triplet
from dragoman.tables import file_hash
from dragoman.train.finetune import TrainingRun, finetune, planned_steps

pytestmark = pytest.mark.timeout(300)

SHORT = TrainSettings(epochs=1, batch_size=8, dims=(384, 64))
LONG = SHORT.model_copy(update={"epochs": 8, "learning_rate": 1e-4})
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def tuned(minilm: Path, triplets: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingRun]:
    """A model tuned for one epoch, and what its training said."""
    output = tmp_path_factory.mktemp("tuned") / "model"
    return output, finetune(minilm, triplets, output, SHORT, seed=13)


def lead(model: Path, triplets: Sequence[Triplet], dimension: int) -> float:
    """How much more similar questions are to their own passages than to the others' (mean cosine)."""
    encoder = SentenceEncoder(model, dimension=dimension)
    questions = encoder.encode([row.question for row in triplets], "query")
    passages = encoder.encode([row.passage for row in triplets], "passage")
    similarity = questions @ passages.T
    own = np.eye(len(triplets), dtype=bool)
    return float(similarity[own].mean() - similarity[~own].mean())


def test_a_tuned_model_is_a_whole_model_of_the_same_kind(tuned: tuple[Path, TrainingRun], minilm: Path) -> None:
    output, done = tuned
    assert (output / WEIGHTS).stat().st_size == pytest.approx((minilm / WEIGHTS).stat().st_size, rel=0.01)
    assert file_hash(output / WEIGHTS) != file_hash(minilm / WEIGHTS)
    vectors = SentenceEncoder(output).encode(["a blunt saw"], "query")
    assert vectors.shape == (1, 384)
    assert done.steps == len(done.losses) == 3
    assert all(loss > 0 for loss in done.losses)
    assert [path.name for path in output.parent.iterdir()] == ["model"]


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    tuned: tuple[Path, TrainingRun], minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    output, done = tuned
    steps: list[int] = []
    again = finetune(minilm, triplets, tmp_path / "again", SHORT, seed=13, advance=steps.append)
    assert again == done
    assert file_hash(tmp_path / "again" / WEIGHTS) == file_hash(output / WEIGHTS)
    assert sum(steps) == planned_steps(triplets, SHORT, 13) == 3
    finetune(minilm, triplets, tmp_path / "other", SHORT, seed=14)
    assert file_hash(tmp_path / "other" / WEIGHTS) != file_hash(output / WEIGHTS)


@pytest.mark.parametrize("dimension", [384, 64])
def test_the_longer_a_model_learns_the_nearer_a_question_is_to_its_own_passage(
    minilm: Path,
    triplets: list[Triplet],
    tuned: tuple[Path, TrainingRun],
    long_tuned: tuple[Path, TrainingRun],
    dimension: int,
) -> None:
    before, short, long = (lead(model, triplets, dimension) for model in (minilm, tuned[0], long_tuned[0]))
    assert before < short < long
    assert long > before + 0.05


@pytest.fixture(scope="module")
def long_tuned(
    minilm: Path, triplets: list[Triplet], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingRun]:
    """The same for eight epochs, at a higher rate, over the remains of an interrupted run."""
    output = tmp_path_factory.mktemp("long") / "model"
    for remains in (output, output.with_name("model.part")):
        remains.mkdir()
        (remains / "left over").write_text("from before", encoding="utf-8")
    return output, finetune(minilm, triplets, output, LONG, seed=13)


def test_the_loss_falls(long_tuned: tuple[Path, TrainingRun]) -> None:
    _, done = long_tuned
    assert (done.steps, len(done.losses)) == (24, 24)
    assert np.mean(done.losses[-6:]) < 0.8 * np.mean(done.losses[:6])


def test_nothing_of_an_interrupted_run_is_left(long_tuned: tuple[Path, TrainingRun]) -> None:
    output, _ = long_tuned
    assert [path.name for path in output.parent.iterdir()] == ["model"]
    assert not (output / "left over").exists()


@pytest.mark.parametrize("count", [0, 15])
def test_too_few_questions_are_refused_before_anything_is_written(
    minilm: Path, triplets: list[Triplet], tmp_path: Path, count: int
) -> None:
    with pytest.raises(UsageError, match=f"only {count} questions"):
        finetune(minilm, triplets[:count], tmp_path / "model", SHORT, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_no_model_is_refused_by_name(triplets: list[Triplet], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="empty"):
        finetune(tmp_path / "empty", triplets, tmp_path / "model", SHORT, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_the_steps_are_known_beforehand(triplets: list[Triplet]) -> None:
    assert planned_steps(triplets, LONG, 1) == 24
    assert planned_steps(triplets[:20], TrainSettings(epochs=3, batch_size=8), 1) == 9
