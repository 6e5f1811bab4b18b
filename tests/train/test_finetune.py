"""Training with the real model: it learns, does so again in the same way, and stops where it should."""

import gc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dragoman.config import TrainSettings
from dragoman.errors import ModelError, UsageError
from dragoman.models.encoder import SentenceEncoder
from dragoman.records import Triplet
from dragoman.tables import file_hash
from dragoman.train import course
from dragoman.train.finetune import TrainingRun, epoch_folder, finetune, planned_steps

pytestmark = pytest.mark.timeout(300)

SHORT = TrainSettings(epochs=1, batch_size=8, dims=(384, 64))
LONG = SHORT.model_copy(update={"epochs": 4, "learning_rate": 2e-4})
WEIGHTS = "model.safetensors"

Trained = tuple[Path, TrainingRun]


@pytest.fixture(scope="module")
def tuned(minilm: Path, triplets: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model tuned for one epoch, and what its training said."""
    output = tmp_path_factory.mktemp("tuned") / "model"
    return output, finetune(minilm, triplets, output, SHORT, seed=13)


@pytest.fixture(scope="module")
def long_tuned(minilm: Path, triplets: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The same for four epochs, at a higher rate, over the remains of other runs."""
    output = tmp_path_factory.mktemp("long") / "model"
    for remains in (output, output.with_name("model.resume")):
        remains.mkdir()
        (remains / "left over").write_text("from before", encoding="utf-8")
    return output, finetune(minilm, triplets, output, LONG, seed=13)


def weights(output: Path, epoch: int = 1) -> str:
    return file_hash(epoch_folder(output, epoch) / WEIGHTS)


def models_in_memory() -> Counter[str]:
    """Models, trainers and optimisers that something holds."""
    parts = {"SentenceTransformer", "BertModel", "Trainer", "AdamW", "AcceleratedOptimizer", "MatryoshkaLoss"}
    return Counter(name for item in gc.get_objects() if (name := type(item).__name__) in parts)


def lead(model: Path, triplets: Sequence[Triplet], dimension: int) -> float:
    """How much more similar questions are to their own passages than to the others' (mean cosine)."""
    encoder = SentenceEncoder(model, dimension=dimension)
    questions = encoder.encode([row.question for row in triplets], "query")
    passages = encoder.encode([row.passage for row in triplets], "passage")
    similarity = questions @ passages.T
    own = np.eye(len(triplets), dtype=bool)
    return float(similarity[own].mean() - similarity[~own].mean())


def test_an_epochs_model_is_a_whole_model_of_the_same_kind(tuned: Trained, minilm: Path) -> None:
    output, done = tuned
    model = epoch_folder(output, 1)
    assert (model / WEIGHTS).stat().st_size == pytest.approx((minilm / WEIGHTS).stat().st_size, rel=0.01)
    assert weights(output) != file_hash(minilm / WEIGHTS)
    assert SentenceEncoder(model).encode(["a blunt saw"], "query").shape == (1, 384)
    assert (done.steps, done.epochs, done.validation) == (len(done.losses), 1, ())
    assert len(done.losses) == 3
    assert all(loss > 0 for loss in done.losses)
    assert done.seconds > 0
    assert [path.name for path in output.parent.iterdir()] == ["model"]
    assert [path.name for path in output.iterdir()] == ["epoch-1"]


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    tuned: Trained, minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    output, done = tuned
    steps: list[int] = []
    gc.collect()  # what an earlier test left is not of this training
    before = models_in_memory()
    again = finetune(minilm, triplets, tmp_path / "again", SHORT, seed=13, advance=steps.append)
    assert models_in_memory() == before, "something of the training is still held"
    assert again.losses == done.losses
    assert weights(tmp_path / "again") == weights(output)
    assert sum(steps) == planned_steps(triplets, SHORT, 13) == 3
    finetune(minilm, triplets, tmp_path / "other", SHORT, seed=14)
    assert weights(tmp_path / "other") != weights(output)


@pytest.mark.parametrize("dimension", [384, 64])
def test_the_longer_a_model_learns_the_nearer_a_question_is_to_its_own_passage(
    minilm: Path, triplets: list[Triplet], tuned: Trained, long_tuned: Trained, dimension: int
) -> None:
    folders = (minilm, epoch_folder(tuned[0], 1), epoch_folder(long_tuned[0], 4))
    before, short, long = (lead(model, triplets, dimension) for model in folders)
    assert before < short < long
    assert long > before + 0.05


def test_the_loss_falls(long_tuned: Trained) -> None:
    _, done = long_tuned
    assert (done.steps, len(done.losses)) == (12, 12)
    assert np.mean(done.losses[-3:]) < 0.5 * np.mean(done.losses[:3])


def test_nothing_of_another_run_is_left(long_tuned: Trained) -> None:
    output, _ = long_tuned
    assert [path.name for path in output.parent.iterdir()] == ["model"]
    assert sorted(path.name for path in output.iterdir()) == ["epoch-1", "epoch-2", "epoch-3", "epoch-4"]


def test_patience_ends_a_training_and_its_models_are_those_of_a_longer_one(
    long_tuned: Trained, minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    judged: list[str] = []

    def validate(model: Path) -> float:
        assert (model / WEIGHTS).is_file()
        judged.append(model.name)
        return (0.7, 0.8, 0.8, 0.9)[len(judged) - 1]

    settings = LONG.model_copy(update={"patience": 1})
    done = finetune(minilm, triplets, tmp_path / "model", settings, seed=13, validate=validate)
    assert judged == ["epoch-1", "epoch-2", "epoch-3"]
    assert (done.epochs, done.validation, done.steps) == (3, (0.7, 0.8, 0.8), 9)
    for epoch in (1, 2, 3):
        assert weights(tmp_path / "model", epoch) == weights(long_tuned[0], epoch)


class KilledError(Exception):
    """Stands for a kill, at a step."""


def test_a_training_that_was_cut_off_goes_on_and_ends_as_if_it_had_not_been(
    long_tuned: Trained, minilm: Path, triplets: list[Triplet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "CHECKPOINT_SECONDS", 0.0)
    output, steps = tmp_path / "model", [0]

    def until(last: int) -> None:
        def advance(count: int) -> None:
            steps.append(count)
            if sum(steps) == last:
                raise KilledError

        finetune(minilm, triplets, output, LONG, seed=13, advance=advance, stop_after=2)

    with pytest.raises(KilledError):
        until(2)  # in the first epoch, after the checkpoint of step 1
    half = output.with_name("model.resume") / "checkpoint-2"
    half.mkdir()
    (half / "weights.pt").write_bytes(b"half of it")
    steps[:] = [0]
    with pytest.raises(KilledError):
        until(5)  # in the second
    assert steps[:3] == [0, 1, 1]
    assert not output.exists()
    steps[:] = [0]
    done = finetune(minilm, triplets, output, LONG, seed=13, advance=steps.append, stop_after=2)
    assert steps == [0, 4, 1, 1]
    assert done.losses == long_tuned[1].losses[:6]
    assert [weights(output, epoch) for epoch in (1, 2)] == [weights(long_tuned[0], epoch) for epoch in (1, 2)]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


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
    assert planned_steps(triplets, LONG, 1) == 12
    assert planned_steps(triplets, LONG, 1, stop_after=3) == 9
    assert planned_steps(triplets, LONG, 1, stop_after=9) == 12
    assert planned_steps(triplets[:20], TrainSettings(epochs=3, batch_size=8), 1) == 9
