"""Models between models: the base and a tuned one, or several that were tuned from one base.

In: models of one kind, and a share. Out: a model whose weights are their weighted mean. Between base and tuned, it keeps much of what tuning
taught and more of what the base knew (LM-Cocktail, 2023, https://arxiv.org/abs/2311.13534; WiSE-FT, 2021,
https://arxiv.org/abs/2109.01903). It does not know which share is best.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import ModelError, UsageError
from dragoman.models.encoder import load_model, without_bars

if TYPE_CHECKING:
    from torch import Tensor

_WEIGHTS = "*.safetensors"


def mix(base: Path, tuned: Path, share: float, output: Path) -> Path:
    """Write a model whose weights are ``(1 - share) * base + share * tuned``.

    Args:
        base: Folder of the model that was tuned.
        tuned: Folder of what became of it; all but the weights is taken from here.
        share: Of the tuned model, above 0 and up to 1.
        output: Folder to write; it appears only when whole.

    Returns:
        The output.

    Raises:
        UsageError: The share is out of its range.
        ModelError: A model cannot be loaded, or the two are not of one shape.
    """
    if not 0 < share <= 1:
        raise UsageError(f"a share of {share} of the tuned model", expected="above 0 and up to 1")
    if not any(tuned.rglob(_WEIGHTS)):
        raise ModelError(f"{tuned} has no weights", expected="safetensors, the one format that is read")
    beside = output.with_name(f"{output.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="dragoman-") as scratch:
            # Saved again by the library that saved the tuned one: older models name and place their tensors otherwise.
            with without_bars():
                load_model(base).save_pretrained(scratch, create_model_card=False)
            shutil.copytree(tuned, beside)
            for file in sorted(beside.rglob(_WEIGHTS)):
                _mix_file(Path(scratch) / file.relative_to(beside), file, share)
        shutil.rmtree(output, ignore_errors=True)
        return beside.replace(output)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def mean(models: Sequence[Path], output: Path) -> Path:
    """Write a model whose weights are the mean of several, each tuned from the same base.

    Such a mean does as well as the best of them or better, and depends less on the luck of one training (model soups, 2022,
    https://arxiv.org/abs/2203.05482).

    Args:
        models: Folders of models of one shape, at least one.
        output: Folder to write; it appears only when whole.

    Returns:
        The output.

    Raises:
        UsageError: There is no model.
        ModelError: A model cannot be loaded, or they are not of one shape.
    """
    if not models:
        raise UsageError("a mean of no models", expected="at least one")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mean-", dir=output.parent) as scratch:
        so_far = models[0]
        for count, model in enumerate(models[1:], start=2):
            so_far = mix(so_far, model, 1 / count, Path(scratch) / str(count))
        return mix(so_far, so_far, 1.0, output)


def _mix_file(base: Path, file: Path, share: float) -> None:
    """Change the tuned weights in ``file``."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    known = _tensors(base.parent)
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata()
    mixed = load_file(file)
    for name, tensor in mixed.items():
        if name not in known or known[name].shape != tensor.shape:
            found = f"has the shape {tuple(known[name].shape)}" if name in known else "is missing"
            raise ModelError(f"the tensor {name} of {file.name} {found} in the base", expected=f"{tuple(tensor.shape)}")
        if tensor.is_floating_point():
            mixed[name] = ((1 - share) * known[name].float() + share * tensor.float()).to(tensor.dtype)
    save_file(mixed, file, metadata=metadata)


def _tensors(folder: Path) -> "dict[str, Tensor]":
    """All tensors of a folder by name: a large model's are in several files, and not always the same way."""
    from safetensors.torch import load_file

    return {name: tensor for file in sorted(folder.glob(_WEIGHTS)) for name, tensor in load_file(file).items()}
