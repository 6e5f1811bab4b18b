"""A linear map of the question's vector: it learns a planted turn, again in the same way, and is not wrecked by few rows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.config import TrainSettings
from dragoman.errors import ModelError, UsageError
from dragoman.models.adapted import NOTE, WEIGHTS, AdaptedEncoder
from dragoman.models.encoder import HashEncoder, unit_rows
from dragoman.models.protocols import Vectors
from dragoman.records import Triplet
from dragoman.tables import file_hash
from dragoman.train.adapter import AdapterRun, fit_adapter, planned_adapter_steps

SIZE, ROWS, HELD_OUT = 32, 300, 100
EAGER = TrainSettings(epochs=3, learning_rate=1e-3)
BASE = HashEncoder(SIZE)


def rows(count: int) -> list[Triplet]:
    return [Triplet(f"q{number}", f"c{number}", f"p{number}", f"s{number}", "llm") for number in range(count)]


def drawn(count: int, seed: int) -> Vectors:
    return unit_rows(np.random.default_rng(seed).standard_normal((count, SIZE)).astype(np.float32))


@pytest.fixture(scope="module")
def planted() -> tuple[Vectors, Vectors]:
    """Questions whose vectors are their passages', turned by one and the same rotation, and blurred."""
    passages = drawn(ROWS + HELD_OUT, 1)
    basis, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((SIZE, SIZE)))
    questions = 0.5 * passages + passages @ basis.T + 0.1 * drawn(ROWS + HELD_OUT, 3)
    return unit_rows(questions), passages


def fit(
    vectors: tuple[Vectors, Vectors], output: Path, settings: TrainSettings, count: int = ROWS, seed: int = 13
) -> AdapterRun:
    questions, passages = vectors
    return fit_adapter(
        questions[:count], passages[:count], rows(count), output, settings, base=BASE.fingerprint, seed=seed
    )


def map_of(folder: Path) -> Vectors:
    """The map, read by the format's own library."""
    from safetensors.numpy import load_file

    [matrix] = load_file(folder / WEIGHTS).values()
    return np.asarray(matrix)


def found(vectors: tuple[Vectors, Vectors], matrix: Vectors) -> float:
    """Share of the held-out questions whose own passage is the nearest of all."""
    questions, passages = vectors
    nearest = (unit_rows(questions[ROWS:] @ matrix.T) @ passages.T).argmax(axis=1)
    return float((nearest == np.arange(ROWS, ROWS + HELD_OUT)).mean())


@pytest.fixture(scope="module")
def fitted(planted: tuple[Vectors, Vectors], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AdapterRun]:
    output = tmp_path_factory.mktemp("fitted") / "adapter"
    return output, fit(planted, output, EAGER)


def test_a_planted_turn_is_learnt_for_questions_that_were_never_seen(
    planted: tuple[Vectors, Vectors], fitted: tuple[Path, AdapterRun]
) -> None:
    before, after = found(planted, np.eye(SIZE, dtype=np.float32)), found(planted, map_of(fitted[0]))
    assert before < 0.25
    assert after > before + 0.2


def test_the_loss_falls_and_all_steps_are_told(fitted: tuple[Path, AdapterRun]) -> None:
    _, done = fitted
    assert done.epochs == 30
    assert done.steps == len(done.losses) == planned_adapter_steps(rows(ROWS), EAGER, 13) == 30 * 10
    assert np.mean(done.losses[-10:]) < 0.5 * np.mean(done.losses[:10])
    assert done.seconds > 0


def test_the_folder_says_what_it_is_and_opens_over_its_base_alone(fitted: tuple[Path, AdapterRun]) -> None:
    output, _ = fitted
    assert [path.name for path in output.parent.iterdir()] == ["adapter"]
    note = json.loads((output / NOTE).read_text())
    assert note == {"kind": "linear map of the question", "dimension": SIZE, "base": BASE.fingerprint}
    vectors = AdaptedEncoder(BASE, output).encode(["a saw"], "query")
    assert np.abs(vectors - unit_rows(BASE.encode(["a saw"], "query") @ map_of(output).T)).max() < 1e-6
    with pytest.raises(ModelError, match=BASE.fingerprint):
        AdaptedEncoder(HashEncoder(SIZE + 1), output)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(
    planted: tuple[Vectors, Vectors], fitted: tuple[Path, AdapterRun], tmp_path: Path
) -> None:
    output, done = fitted
    again = fit(planted, tmp_path / "again", EAGER)
    assert replace(again, seconds=done.seconds) == done
    assert file_hash(tmp_path / "again" / WEIGHTS) == file_hash(output / WEIGHTS)
    fit(planted, tmp_path / "other", EAGER, seed=14)
    assert file_hash(tmp_path / "other" / WEIGHTS) != file_hash(output / WEIGHTS)


def test_without_a_learning_rate_to_speak_of_the_map_is_the_identity(
    planted: tuple[Vectors, Vectors], tmp_path: Path
) -> None:
    fit(planted, tmp_path / "adapter", EAGER.model_copy(update={"learning_rate": 1e-9}))
    assert np.abs(map_of(tmp_path / "adapter") - np.eye(SIZE)).max() < 1e-5


def test_a_few_rows_of_nonsense_do_not_wreck_what_the_base_finds(tmp_path: Path) -> None:
    passages = drawn(ROWS + HELD_OUT, 1)
    questions = unit_rows(passages + drawn(ROWS + HELD_OUT, 4))
    before = found((questions, passages), np.eye(SIZE, dtype=np.float32))
    fit((drawn(16, 5), drawn(16, 6)), tmp_path / "adapter", EAGER, count=16)
    assert before > 0.95
    assert found((questions, passages), map_of(tmp_path / "adapter")) > before - 0.08


@pytest.mark.parametrize("count", [0, 15])
def test_too_few_rows_are_refused_before_anything_is_written(
    planted: tuple[Vectors, Vectors], tmp_path: Path, count: int
) -> None:
    with pytest.raises(UsageError, match=f"only {count} questions"):
        fit(planted, tmp_path / "adapter", EAGER, count=count)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lost", ["a question", "a passage", "a dimension"])
def test_vectors_that_are_not_the_rows_own_are_refused(
    planted: tuple[Vectors, Vectors], tmp_path: Path, lost: str
) -> None:
    questions, passages = (vectors[:20] for vectors in planted)
    questions = questions[:-1] if lost == "a question" else questions
    passages = {"a passage": passages[:-1], "a dimension": passages[:, :-1]}.get(lost, passages)
    with pytest.raises(UsageError, match="20 rows have vectors of shapes"):
        fit_adapter(questions, passages, rows(20), tmp_path / "adapter", EAGER, base="b", seed=1)
    assert list(tmp_path.iterdir()) == []


def test_each_step_is_told_to_who_waits(triplets: Sequence[Triplet], tmp_path: Path) -> None:
    steps: list[int] = []
    questions = BASE.encode([row.question for row in triplets], "query")
    passages = BASE.encode([row.passage for row in triplets], "passage")
    settings = TrainSettings(epochs=1, batch_size=8)
    done = fit_adapter(
        questions, passages, triplets, tmp_path / "adapter", settings, base="b", seed=1, advance=steps.append
    )
    assert sum(steps) == done.steps == planned_adapter_steps(triplets, settings, 1) == 30
