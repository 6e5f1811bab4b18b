"""Texts to unit vectors: one contract for every encoder, then what only the real model has."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dragoman.errors import ModelError
from dragoman.models.encoder import HashEncoder, SentenceEncoder
from dragoman.models.processor import has_bf16, physical_cores
from dragoman.models.protocols import Encoder

TEXTS = [
    "How do I open a gate that is rusted shut?",
    "",
    "The tide table lists high water for each harbour. " * 30,
    "Oil the hinges of a rusted gate, wait an hour, then pull.",
    "Ünïcödé ナ 🌊 and \ud800 a lone surrogate",
    "tide",
]


@pytest.fixture(scope="session")
def real(minilm: Path) -> SentenceEncoder:
    """The real model with nothing around it."""
    return SentenceEncoder(minilm)


@pytest.fixture(params=["hash", "sentence", "sentence, cut to 64"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each encoder in turn."""
    if request.param == "hash":
        return HashEncoder()
    real: SentenceEncoder = request.getfixturevalue("real")
    return real if request.param == "sentence" else request.getfixturevalue("short")


@pytest.fixture(scope="session")
def short(minilm: Path) -> SentenceEncoder:
    """The real model, cut to 64 dimensions."""
    return SentenceEncoder(minilm, dimension=64)


def test_vectors_are_float32_of_length_one_in_the_order_of_the_texts(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS, "passage")
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    alone = np.concatenate([encoder.encode([text], "passage") for text in TEXTS])
    assert (vectors * alone).sum(axis=1).min() > 0.999


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([], "query").shape == (0, encoder.dimension)


def test_the_same_call_gives_the_same_bytes(encoder: Encoder) -> None:
    assert encoder.encode(TEXTS, "query").tobytes() == encoder.encode(TEXTS, "query").tobytes()


def test_a_question_is_nearer_to_its_answer_than_to_another_text(encoder: Encoder) -> None:
    question, tides, answer = encoder.encode([TEXTS[0], TEXTS[2], TEXTS[3]], "passage")
    assert question @ answer > question @ tides + 0.1


def test_every_text_is_counted_once_in_the_progress(encoder: Encoder) -> None:
    done: list[int] = []
    encoder.encode(TEXTS * 4, "passage", done.append)
    assert sum(done) == 4 * len(TEXTS)


def test_several_threads_get_what_one_gets(encoder: Encoder) -> None:
    alone = encoder.encode(TEXTS, "query")
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: encoder.encode(TEXTS, "query"), range(8)):
            assert np.abs(vectors - alone).max() < 1e-6


def test_a_cut_vector_is_the_beginning_of_the_whole_one_brought_to_length_one(
    real: SentenceEncoder, short: SentenceEncoder
) -> None:
    whole = real.encode(TEXTS, "query")[:, :64]
    expected = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    assert np.abs(expected - short.encode(TEXTS, "query")).max() < 1e-6


def test_vectors_stay_near_those_of_float32(real: SentenceEncoder, minilm: Path) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(minilm), device="cpu", local_files_only=True)
    texts = [text.encode("utf-8", "replace").decode() for text in TEXTS]
    exact = plain.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    assert (exact * real.encode(texts, "query")).sum(axis=1).min() > 0.999


def test_prompts_are_put_before_texts_by_role_and_change_the_fingerprint(real: SentenceEncoder, minilm: Path) -> None:
    prompted = SentenceEncoder(minilm, query_prompt="question: ", passage_prompt="text: ")
    same = real.encode(["question: tide"], "query")[0] @ prompted.encode(["tide"], "query")[0]
    assert same == pytest.approx(1, abs=1e-6)
    assert prompted.encode(["tide"], "query")[0] @ prompted.encode(["tide"], "passage")[0] < 0.99
    assert prompted.fingerprint != real.fingerprint == SentenceEncoder(minilm).fingerprint


def test_a_fingerprint_follows_the_dimension_and_the_weights(
    real: SentenceEncoder, short: SentenceEncoder, minilm: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(minilm, copy)
    assert SentenceEncoder(copy).fingerprint == real.fingerprint != short.fingerprint
    weights = copy / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    assert SentenceEncoder(copy).fingerprint != real.fingerprint
    assert HashEncoder(8).fingerprint != HashEncoder(9).fingerprint


def _cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:200])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut("model.safetensors"), "cannot be loaded"),
        (_cut("tokenizer.json"), r"tokenizer\.json is damaged"),
        (_cut("modules.json"), r"modules\.json is damaged"),
        (lambda folder: (folder / "config.json").unlink(), "cannot be loaded"),
        (lambda folder: (folder / "modules.json").unlink(), r"no modules\.json"),
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), "safetensors, the one"),
        (shutil.rmtree, "is not there"),
    ],
)
def test_a_damaged_folder_is_one_clear_line(
    damage: Callable[[Path], object], said: str, minilm: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(minilm, folder)
    damage(folder)
    with pytest.raises(ModelError, match=said) as caught:
        SentenceEncoder(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_more_dimensions_than_the_model_has_are_refused(minilm: Path) -> None:
    with pytest.raises(ModelError, match="has 384 dimensions; expected at least 385"):
        SentenceEncoder(minilm, dimension=385)
    with pytest.raises(ModelError, match="0 dimensions"):
        HashEncoder(0)


def test_loading_and_encoding_say_nothing(minilm: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SentenceEncoder(minilm).encode(TEXTS, "query")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_the_processor_is_described_without_a_library() -> None:
    import os

    assert 1 <= physical_cores() <= (os.cpu_count() or 1)
    assert isinstance(has_bf16(), bool)
