"""From the recipe to an encoder: here or behind an API, whole or adapted, at full length or cut."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.embedding_server import MODEL, EmbeddingServer, embedding

from dragoman.config import ModelSettings
from dragoman.errors import ModelError
from dragoman.models.adapted import NOTE, WEIGHTS, write_adapter
from dragoman.models.encoder import HashEncoder, SentenceEncoder
from dragoman.models.opening import is_adapter, open_base, open_tuned
from dragoman.models.protocols import Encoder, Vectors

TEXTS = ["How do I oil a gate?", "The awl is in the third drawer.", ""]
SIZE = 32


def unheard(line: str) -> None:
    raise AssertionError(f"nothing is fetched here, yet it says: {line}")


@pytest.fixture
def remote() -> Iterator[ModelSettings]:
    """Settings of a model behind an API."""
    with embedding(EmbeddingServer(SIZE)) as server:
        yield ModelSettings(embedding=MODEL, embedding_url=server.url)


@pytest.fixture
def turn() -> Vectors:
    """A map that moves each number of a vector one place on."""
    matrix: Vectors = np.roll(np.eye(SIZE, dtype=np.float32), 1, axis=0)
    return matrix


@pytest.fixture
def adapter(remote: ModelSettings, turn: Vectors, tmp_path: Path) -> Path:
    """An adapter of the model behind the API."""
    folder = tmp_path / "adapter"
    write_adapter(folder, turn, open_base(remote, say=unheard).fingerprint)
    return folder


@pytest.fixture(params=["remote", "remote, cut", "adapted", "adapted, half", "adapted, cut"])
def encoder(request: pytest.FixtureRequest, remote: ModelSettings, adapter: Path) -> Encoder:
    """Each kind in turn."""
    dimension = 8 if "cut" in request.param else None
    if "remote" in request.param:
        return open_base(remote, dimension=dimension, say=unheard)
    return open_tuned(adapter, remote, share=0.5 if "half" in request.param else 1.0, dimension=dimension, say=unheard)


def test_every_kind_gives_unit_vectors_in_order(encoder: Encoder) -> None:
    done: list[int] = []
    vectors = encoder.encode(TEXTS, "query", done.append)
    assert vectors.shape == (3, encoder.dimension)
    assert vectors.dtype == np.float32
    assert sum(done) == 3
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(np.concatenate([encoder.encode([text], "query") for text in TEXTS]) - vectors).max() < 1e-6
    assert encoder.encode([], "passage").shape == (0, encoder.dimension)
    assert encoder.fingerprint == encoder.fingerprint


def test_an_adapter_turns_questions_and_leaves_passages_alone(remote: ModelSettings, adapter: Path) -> None:
    plain = HashEncoder(SIZE).encode(TEXTS, "query")
    adapted = open_tuned(adapter, remote, say=unheard)
    assert np.abs(adapted.encode(TEXTS, "passage") - plain).max() < 1e-6
    assert np.abs(adapted.encode(TEXTS, "query") - np.roll(plain, 1, axis=1)).max() < 1e-6


def test_a_share_of_an_adapter_lies_between_it_and_the_base(remote: ModelSettings, adapter: Path) -> None:
    plain = HashEncoder(SIZE).encode(TEXTS, "query")
    mean = 0.75 * plain + 0.25 * np.roll(plain, 1, axis=1)
    mixed = open_tuned(adapter, remote, share=0.25, say=unheard).encode(TEXTS, "query")
    assert np.abs(mixed - mean / np.linalg.norm(mean, axis=1, keepdims=True)).max() < 1e-6
    none = open_tuned(adapter, remote, share=0.0, say=unheard).encode(TEXTS, "query")
    assert np.abs(none - plain).max() < 1e-6


def test_a_question_is_adapted_at_full_length_before_it_is_cut(remote: ModelSettings, adapter: Path) -> None:
    whole = open_tuned(adapter, remote, say=unheard).encode(TEXTS, "query")[:, :8]
    short = open_tuned(adapter, remote, dimension=8, say=unheard).encode(TEXTS, "query")
    assert np.abs(short - whole / np.linalg.norm(whole, axis=1, keepdims=True)).max() < 1e-6


def test_fingerprints_tell_all_kinds_apart_and_passages_are_shared_by_base_and_adapted(
    remote: ModelSettings, adapter: Path
) -> None:
    every, lengths = [], (None, 16, 8)
    for dimension in lengths:
        base = open_base(remote, dimension=dimension, say=unheard)
        tuned = [
            open_tuned(adapter, remote, share=share, dimension=dimension, say=unheard) for share in (0.25, 0.5, 1.0)
        ]
        assert {encoder.passage_fingerprint for encoder in tuned} == {base.passage_fingerprint}
        assert base.passage_fingerprint == base.fingerprint
        every += [base, *tuned]
    assert len({encoder.fingerprint for encoder in every}) == len(every) == 12
    assert len({encoder.passage_fingerprint for encoder in every}) == len(lengths)


def test_the_whole_length_is_no_cut(remote: ModelSettings) -> None:
    whole = open_base(remote, say=unheard)
    assert open_base(remote, dimension=SIZE, say=unheard).fingerprint == whole.fingerprint


@pytest.mark.parametrize("dimension", [0, -1, SIZE + 1])
def test_a_length_that_vectors_do_not_have_is_refused(remote: ModelSettings, dimension: int) -> None:
    with pytest.raises(ModelError, match=f"vectors of 32 numbers cannot be cut to {dimension}; expected .* 1 to 32"):
        open_base(remote, dimension=dimension, say=unheard)


def test_an_adapter_of_another_base_is_refused_and_both_are_named(
    remote: ModelSettings, adapter: Path, minilm: Path
) -> None:
    note = json.loads((adapter / NOTE).read_text())
    changed = remote.model_copy(update={"query_prompt": "ask: "})
    for settings in (changed, ModelSettings(embedding=str(minilm))):
        base = open_base(settings, say=unheard)
        with pytest.raises(ModelError, match=f"fingerprint {note['base']}; expected .*{base.fingerprint}"):
            open_tuned(adapter, settings, say=unheard)


def _without_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def _cut_weights(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:50])


def _no_note(folder: Path) -> None:
    (folder / NOTE).write_text("{")


def _other_kind(folder: Path) -> None:
    note = json.loads((folder / NOTE).read_text())
    (folder / NOTE).write_text(json.dumps({**note, "kind": "two layers"}))


def _other_size(folder: Path) -> None:
    note = json.loads((folder / NOTE).read_text())
    (folder / NOTE).write_text(json.dumps({**note, "dimension": 7}))


@pytest.mark.parametrize("damage", [_without_weights, _cut_weights, _no_note, _other_kind, _other_size])
def test_a_damaged_adapter_is_one_clear_line(
    remote: ModelSettings, adapter: Path, damage: Callable[[Path], None]
) -> None:
    damage(adapter)
    with pytest.raises(ModelError, match="dragoman train") as caught:
        open_tuned(adapter, remote, say=unheard)
    assert str(adapter) in str(caught.value)


def test_an_adapter_takes_the_place_of_what_was_there(adapter: Path, turn: Vectors) -> None:
    (adapter / "left over").write_text("from before")
    adapter.with_name("adapter.part").mkdir()
    write_adapter(adapter, turn, "another")
    assert sorted(path.name for path in adapter.iterdir()) == [NOTE, WEIGHTS]
    assert [path.name for path in adapter.parent.iterdir()] == ["adapter"]
    assert is_adapter(adapter)


def test_a_model_that_runs_here_gets_its_prompts(minilm: Path) -> None:
    settings = ModelSettings(embedding=str(minilm), query_prompt="question: ")
    asked = open_base(settings, say=unheard)
    plain = SentenceEncoder(minilm)
    same = asked.encode(["tide"], "query") @ plain.encode(["question: tide"], "query").T
    assert float(same[0, 0]) == pytest.approx(1, abs=1e-5)
    assert asked.encode(["tide"], "passage").tobytes() == plain.encode(["tide"], "passage").tobytes()
    assert not is_adapter(minilm)
    assert open_tuned(minilm, settings, say=unheard).fingerprint == asked.fingerprint != plain.fingerprint
    short = open_tuned(minilm, settings, dimension=64, say=unheard).encode(["tide"], "query")
    assert np.abs(short - SentenceEncoder(minilm, dimension=64).encode(["question: tide"], "query")).max() < 1e-6


def test_a_tuned_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="round-7 is not there"):
        open_tuned(tmp_path / "round-7", ModelSettings(), say=unheard)
