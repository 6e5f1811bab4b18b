"""Trackers that are told the loss while a model is trained: TensorBoard, trackio, Weights & Biases, ...

In: names from the recipe. Out: the Hugging Face trainer's callbacks for them. It does not know what is trained.
"""

from collections.abc import Sequence
from typing import Any

from dragoman.errors import ConfigError, ExtraMissing

_PACKAGES = {"azure_ml": "azureml-sdk", "comet_ml": "comet-ml", "flyte": "flytekit", "tensorboard": "tensorboard"}


def build_trackers(names: Sequence[str]) -> list[Any]:
    """The callbacks of the trackers that were asked for.

    Args:
        names: As the Hugging Face trainer names them.

    Returns:
        One callback a tracker, in the same order.

    Raises:
        ConfigError: There is no such tracker.
        ExtraMissing: The tracker is not installed.
    """
    if not names:
        return []
    try:
        from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK as KNOWN
    except ImportError as error:
        raise ExtraMissing(f"training needs the package '{error.name}'", extra="train") from error
    callbacks = []
    for name in names:
        if name not in KNOWN:
            raise ConfigError(f"train.report_to holds '{name}'", expected=f"some of {', '.join(sorted(KNOWN))}")
        try:
            callbacks.append(KNOWN[name]())
        except (ImportError, RuntimeError) as error:
            raise ExtraMissing(
                f"the tracker '{name}' of train.report_to is not installed",
                hint=f"Install it with: pip install {_PACKAGES.get(name, name)}",
            ) from error
    return callbacks
