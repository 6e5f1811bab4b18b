"""A cross-encoder as a tool: with a real one that counts shared words, and one that knows nothing."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.cross_encoders import write_untaught, write_word_counter
from tests.hub_server import hub_serving

from dragoman.errors import ModelError
from dragoman.models.processor import has_bf16
from dragoman.models.reranker import CrossReranker, rerank_orders

QUESTION = "How do I sharpen a blunt chisel?"
PASSAGES = [
    "The chisel hangs on the left wall.",
    "Soup is served at noon in the yard. " * 60,
    "",
    "Sharpen a blunt chisel on the wheel.",
    "Ünïcödé ナ 🌊 and \ud800 a lone surrogate",
    "Ask Ida for the key.",
]
PAIRS = [(QUESTION, passage) for passage in PASSAGES]


def silent(line: str) -> None:
    """Take a line and keep it to itself."""


def load(folder: Path) -> CrossReranker:
    """The cross-encoder in a folder."""
    return CrossReranker(str(folder), mirrors=False, say=silent)


@pytest.fixture(scope="module")
def counter(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cross-encoder that counts shared words."""
    return write_word_counter(tmp_path_factory.mktemp("counter") / "word-counter", minilm)


@pytest.fixture(scope="module")
def untaught(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cross-encoder of random weights."""
    return write_untaught(tmp_path_factory.mktemp("untaught") / "untaught", minilm)


@pytest.fixture(scope="module", params=["counter", "untaught"])
def reranker(request: pytest.FixtureRequest) -> CrossReranker:
    """Each of the two in turn: one as transformers saves it, one as sentence-transformers does."""
    return load(request.getfixturevalue(request.param))


def test_scores_are_float32_in_the_order_of_the_pairs(reranker: CrossReranker) -> None:
    scores = reranker.score(PAIRS)
    assert scores.shape == (len(PAIRS),)
    assert scores.dtype == np.float32
    alone = np.concatenate([reranker.score([pair]) for pair in PAIRS])
    assert scores == pytest.approx(alone, abs=0.05)
    assert reranker.score([]).shape == (0,)


def test_the_same_call_gives_the_same_bytes(reranker: CrossReranker) -> None:
    assert reranker.score(PAIRS).tobytes() == reranker.score(PAIRS).tobytes()


def test_every_pair_is_counted_once_in_the_progress(reranker: CrossReranker) -> None:
    done: list[int] = []
    reranker.score(PAIRS * 4, done.append)
    assert sum(done) == 4 * len(PAIRS)
    assert len(done) > 1


def test_several_threads_get_what_one_gets(reranker: CrossReranker) -> None:
    alone = reranker.score(PAIRS)
    with ThreadPoolExecutor(4) as pool:
        for scores in pool.map(lambda _: reranker.score(PAIRS), range(8)):
            assert scores.tobytes() == alone.tobytes()


def test_scores_are_the_models_own_logits(counter: Path, untaught: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    texts = [[text.encode("utf-8", "replace").decode() for text in pair] for pair in PAIRS]
    for folder in (counter, untaught):
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(str(folder), local_files_only=True).eval()
        with torch.inference_mode():
            # The tokenizer cuts the long passage down to the model's 128 tokens.
            inputs = tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")
            exact = model(**inputs).logits[:, 0].numpy()
        assert load(folder).score(PAIRS) == pytest.approx(exact, abs=0.05)
    assert load(counter).score(PAIRS).max() > 0 > load(counter).score(PAIRS).min()  # no sigmoid over them


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bfloat16 arithmetic: scores are float32's")
def test_near_scores_are_no_ties_where_matrices_are_multiplied_in_bfloat16(untaught: Path) -> None:
    import torch

    scores = load(untaught).score([(QUESTION, f"Shelf {number} is free.") for number in range(40)])
    rounded = torch.from_numpy(scores).to(torch.bfloat16).float().numpy()
    assert len(set(scores.tolist())) > 2 * len(set(rounded.tolist()))


def test_candidates_are_put_in_the_order_of_their_scores(counter: Path) -> None:
    found = [PASSAGES, [], ["The saw is blunt.", "Where is the saw?"]]
    orders = rerank_orders(load(counter), [QUESTION, "Who?", "Where is the saw?"], found)
    assert orders[0][:2] == [3, 0]
    assert sorted(orders[0]) == list(range(len(PASSAGES)))
    assert orders[1:] == [[], [1, 0]]
    assert rerank_orders(load(counter), [], []) == []


def test_candidates_of_one_score_stay_in_the_order_given(counter: Path) -> None:
    same = ["Ask Ida for the key."] * 20
    assert rerank_orders(load(counter), [QUESTION], [[*same, PASSAGES[3], *same]]) == [[20, *range(20), *range(21, 41)]]


def test_a_folder_is_named_by_its_last_part(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(counter).name == "word-counter"
    monkeypatch.chdir(counter)
    assert load(Path()).name == "word-counter"


@pytest.mark.usefixtures("home")
def test_a_hub_name_is_fetched_once_and_said(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {path.name: path.read_bytes() for path in counter.iterdir()}
    said: list[str] = []
    with hub_serving() as hub:
        hub.add("models", "someone/small-ranker", {**files, "pytorch_model.bin": b"never fetched"})
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        fetched = CrossReranker("someone/small-ranker", mirrors=False, say=said.append)
    assert fetched.name == "someone/small-ranker"
    assert fetched.score(PAIRS).tobytes() == load(counter).score(PAIRS).tobytes()
    assert said == ["someone/small-ranker: taking it from the Hugging Face Hub"]
    assert CrossReranker("someone/small-ranker", mirrors=False, say=said.append).name == "someone/small-ranker"
    assert len(said) == 1


def _cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:200])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut("model.safetensors"), "cannot be loaded"),
        (_cut("tokenizer.json"), r"tokenizer\.json is damaged"),
        (_cut("config.json"), r"config\.json is damaged"),
        (lambda folder: (folder / "config.json").write_text("[]"), "its architecture is none"),
        (lambda folder: (folder / "config.json").unlink(), r"has no config\.json"),
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), "safetensors, the one"),
    ],
)
def test_a_damaged_folder_is_one_clear_line(
    damage: Callable[[Path], object], said: str, counter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(counter, folder)
    damage(folder)
    with pytest.raises(ModelError, match=said) as caught:
        load(folder)
    assert str(folder) in str(caught.value)
    assert "such as cross-encoder/" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_embedding_model_is_refused_before_it_gets_a_head_of_random_weights(minilm: Path) -> None:
    with pytest.raises(ModelError, match=r"no cross-encoder \(its architecture is BertModel\)"):
        load(minilm)


def test_a_model_that_tells_labels_apart_is_refused(minilm: Path, tmp_path: Path) -> None:
    folder = write_untaught(tmp_path / "three", minilm, labels=3)
    with pytest.raises(ModelError, match="tells 3 labels apart; expected a cross-encoder with one label"):
        load(folder)


def test_a_file_is_no_cross_encoder(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"model\.gguf is no folder"):
        load(tmp_path / "model.gguf")


@pytest.mark.usefixtures("home")
def test_a_name_that_is_none_is_told_by_the_catalog() -> None:
    with pytest.raises(ModelError, match="there is no model 'no-such-ranker'"):
        CrossReranker("no-such-ranker", mirrors=False, say=silent)


def test_code_beside_the_weights_is_never_run(untaught: Path, tmp_path: Path) -> None:
    folder, ran = tmp_path / "model", tmp_path / "ran"
    shutil.copytree(untaught, folder)
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\nclass Evil: pass\n", encoding="utf-8")
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    evil = json.dumps([{**modules[0], "type": "evil.Evil"}])
    (folder / "modules.json").write_text(evil, encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)
    (folder / "modules.json").unlink()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)
    assert not ran.exists()


def test_a_score_that_is_no_number_is_refused(counter: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = tmp_path / "broken"
    shutil.copytree(counter, folder)
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = np.full_like(weights["classifier.bias"], np.nan)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="the cross-encoder broken gave a score that is no number"):
        load(folder).score(PAIRS)


def test_loading_and_scoring_say_nothing(counter: Path, untaught: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for folder in (counter, untaught):
        load(folder).score(PAIRS)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
