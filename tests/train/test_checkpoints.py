"""What a killed training finds again, and what it must not take for whole."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.train.checkpoints import Checkpoints, Reached, epoch_folder, weights_hash


def write(folder: Path) -> None:
    """A checkpoint as the trainer leaves it."""
    folder.mkdir()
    history = [{"loss": 0.5, "step": 1}, {"loss": 0.25, "step": 2}, {"train_runtime": 1.0}]
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}), encoding="utf-8")


def save(words: str) -> Callable[[Path], None]:
    def to(folder: Path) -> None:
        folder.mkdir()
        (folder / "weights").write_text(words, encoding="utf-8")

    return to


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a training that has a checkpoint in its second epoch."""
    place = tmp_path / "model.resume"
    checkpoints = Checkpoints(place, "one")
    checkpoints.keep_epoch(1, save("after one"))
    write(place / "checkpoint-5")
    checkpoints.keep(Reached("checkpoint-5", 1, 2.5, (0.75,)))
    return place


def test_the_same_training_goes_on_from_its_checkpoint(folder: Path) -> None:
    again = Checkpoints(folder, "one")
    assert again.reached == Reached("checkpoint-5", 1, 2.5, (0.75,))
    assert again.latest == folder / "checkpoint-5"
    assert again.losses() == (0.5, 0.25)


def test_another_training_begins_anew(folder: Path) -> None:
    other = Checkpoints(folder, "two")
    assert (other.latest, other.reached, other.losses()) == (None, Reached(), ())
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["reached.json"]


def test_a_checkpoint_that_was_being_written_does_not_count(folder: Path) -> None:
    write(folder / "checkpoint-9")
    again = Checkpoints(folder, "one")
    assert again.latest == folder / "checkpoint-5"
    assert not (folder / "checkpoint-9").exists()


def test_the_checkpoint_before_is_kept_until_the_next_one_counts(folder: Path) -> None:
    checkpoints = Checkpoints(folder, "one")
    write(folder / "checkpoint-9")
    assert (folder / "checkpoint-5").is_dir()
    checkpoints.keep(replace(checkpoints.reached, checkpoint="checkpoint-9"))
    assert sorted(path.name for path in folder.glob("checkpoint-*")) == ["checkpoint-9"]


@pytest.mark.parametrize("lost", ["checkpoint-5", "epochs", "epochs/epoch-1"])
def test_a_mark_that_names_what_is_gone_does_not_count(folder: Path, lost: str) -> None:
    (folder / lost).rename(folder.parent / "lost")
    assert Checkpoints(folder, "one").latest is None


@pytest.mark.parametrize("damaged", [b"", b"{", b"\xff"])
def test_a_damaged_mark_does_not_count(folder: Path, damaged: bytes) -> None:
    (folder / "reached.json").write_bytes(damaged)
    assert Checkpoints(folder, "one").latest is None


def test_the_model_of_an_epoch_replaces_what_a_kill_left_of_it(folder: Path) -> None:
    checkpoints = Checkpoints(folder, "one")
    left = folder / "epochs" / "epoch-2.part"
    left.mkdir()
    (left / "half").touch()
    for words in ("first", "second"):
        place = checkpoints.keep_epoch(2, save(words))
        assert [path.name for path in place.iterdir()] == ["weights"]
        assert (place / "weights").read_text(encoding="utf-8") == words


def test_a_teacher_is_asked_once(folder: Path) -> None:
    scores = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert (Checkpoints(folder, "one").scores(lambda: scores) == scores).all()
    assert (Checkpoints(folder, "one").scores(lambda: scores + 1) == scores).all()
    assert (Checkpoints(folder, "two").scores(lambda: scores + 1) == scores + 1).all()


def test_at_the_end_the_models_stand_in_place_of_older_ones_and_nothing_else_is_left(folder: Path) -> None:
    output = folder.parent / "model"
    output.mkdir()
    (output / "old").touch()
    Checkpoints(folder, "one").finish(output)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    assert [path.name for path in output.iterdir()] == ["epoch-1"]
    assert (epoch_folder(output, 1) / "weights").read_text(encoding="utf-8") == "after one"


def test_a_models_hash_knows_its_files_by_name_and_content(tmp_path: Path) -> None:
    def model(name: str, file: str, words: str) -> str:
        (tmp_path / name / "part").mkdir(parents=True)
        (tmp_path / name / "part" / file).write_text(words, encoding="utf-8")
        return weights_hash(tmp_path / name)

    assert model("one", "weights", "a") == model("two", "weights", "a")
    assert len({model("three", "weights", "b"), model("four", "other", "a"), weights_hash(tmp_path / "one")}) == 3
