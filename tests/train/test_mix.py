"""A model between two others: every weight by hand, and nothing where the two do not match."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.errors import ModelError, UsageError
from dragoman.models.encoder import SentenceEncoder, load_model
from dragoman.train.mix import mean, mix

WEIGHTS = "model.safetensors"


def tensors(file: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(file))


@pytest.fixture(scope="module")
def with_dense(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The model with a layer behind it, and the same with other numbers in both and its weights in several files."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense

    folder = tmp_path_factory.mktemp("dense")
    torch.manual_seed(3)
    parts = load_model(minilm)
    model = SentenceTransformer(modules=[parts[0], parts[1], Dense(384, 16)], device="cpu")
    model.save_pretrained(str(folder / "base"), create_model_card=False)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.01)
    model.save_pretrained(str(folder / "tuned"), create_model_card=False)
    model.transformers_model.save_pretrained(str(folder / "tuned"), max_shard_size="50MB")
    (folder / "tuned" / WEIGHTS).unlink(missing_ok=True)
    return folder / "base", folder / "tuned"


def test_every_weight_is_the_weighted_mean(with_dense: tuple[Path, Path], tmp_path: Path) -> None:
    base, tuned = with_dense
    shards = [path.name for path in tuned.glob("*.safetensors")]
    assert len(shards) > 1
    output = mix(base, tuned, 0.25, tmp_path / "mixed")
    assert output == tmp_path / "mixed"
    assert [path.name for path in tmp_path.iterdir()] == ["mixed"]
    files = {name: Path(WEIGHTS) for name in shards} | {f"2_Dense/{WEIGHTS}": Path("2_Dense", WEIGHTS)}
    for name, counterpart in files.items():
        before, after, found = tensors(base / counterpart), tensors(tuned / name), tensors(output / name)
        assert found.keys() == after.keys()
        for key, weight in found.items():
            assert weight.dtype == after[key].dtype
            wanted = 0.75 * before[key].double().numpy() + 0.25 * after[key].double().numpy()
            np.testing.assert_allclose(weight.numpy(), wanted, atol=1e-6)
    others = {path.relative_to(tuned) for path in tuned.rglob("*") if path.is_file() and path.suffix != ".safetensors"}
    assert others
    assert all((output / path).read_bytes() == (tuned / path).read_bytes() for path in others)


def test_the_whole_share_gives_the_tuned_models_vectors(with_dense: tuple[Path, Path], tmp_path: Path) -> None:
    base, tuned = with_dense
    texts = ["a blunt saw", "oil for the plane"]
    vectors = [
        SentenceEncoder(model).encode(texts, "query")
        for model in (tuned, mix(base, tuned, 1.0, tmp_path / "all"), mix(base, tuned, 0.5, tmp_path / "half"))
    ]
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert not np.allclose(vectors[0], vectors[2], atol=1e-3)


def test_weights_keep_the_tuned_models_type(minilm: Path, tmp_path: Path) -> None:
    import torch

    tuned = tmp_path / "tuned"
    load_model(minilm).to(torch.bfloat16).save_pretrained(str(tuned), create_model_card=False)
    mixed = tensors(mix(minilm, tuned, 0.5, tmp_path / "mixed") / WEIGHTS)
    assert {tensor.dtype for tensor in mixed.values() if tensor.is_floating_point()} == {torch.bfloat16}


@pytest.mark.parametrize("share", [0.0, -0.5, 1.01, float("nan")])
def test_a_share_out_of_its_range_is_refused(minilm: Path, tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="above 0 and up to 1"):
        mix(minilm, minilm, share, tmp_path / "mixed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("change", "said"), [("shape", "has the shape"), ("name", "is missing")])
def test_models_of_different_shapes_are_not_mixed(
    with_dense: tuple[Path, Path], tmp_path: Path, change: str, said: str
) -> None:
    from safetensors.torch import save_file

    base, tuned = with_dense
    other = tmp_path / "other"
    shutil.copytree(tuned, other)
    layer = tensors(other / "2_Dense" / WEIGHTS)
    weight = layer.pop("linear.weight")
    layer |= {"linear.weight": weight[:8].clone()} if change == "shape" else {"linear.wait": weight}
    save_file(layer, other / "2_Dense" / WEIGHTS)
    (tmp_path / "mixed").mkdir()
    with pytest.raises(ModelError, match=said):
        mix(base, other, 0.5, tmp_path / "mixed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixed", "other"]
    assert list((tmp_path / "mixed").iterdir()) == []


def test_a_tuned_model_without_weights_is_refused(minilm: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "modules.json").write_text(json.dumps([]), encoding="utf-8")
    with pytest.raises(ModelError, match="empty has no weights"):
        mix(minilm, tmp_path / "empty", 0.5, tmp_path / "mixed")


def test_the_mean_of_models_is_the_mean_of_each_weight_and_of_one_model_itself(
    with_dense: tuple[Path, Path], tmp_path: Path
) -> None:
    base, tuned = with_dense
    thirds = mean([base, base, tuned], tmp_path / "thirds")
    known = tensors(mix(base, tuned, 1 / 3, tmp_path / "third") / "2_Dense" / WEIGHTS)
    for name, tensor in tensors(thirds / "2_Dense" / WEIGHTS).items():
        assert np.allclose(tensor.numpy(), known[name].numpy(), atol=1e-6)
    alone = SentenceEncoder(mean([tuned], tmp_path / "alone")).encode(["a blunt saw"], "query")
    assert np.allclose(alone, SentenceEncoder(tuned).encode(["a blunt saw"], "query"), atol=1e-6)
    with pytest.raises(UsageError, match="no models"):
        mean([], tmp_path / "none")
