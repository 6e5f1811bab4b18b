"""Low-rank additions to a model's weights, trained in their place.

In: a sentence-transformers model. Out: the same model with its weights frozen and additions (LoRA) to train; and, from the trained one,
a plain model that anybody loads. It does not know what is trained on.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import ExtraMissing, UsageError
from dragoman.models.encoder import load_model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LEARNING_RATE = 10.0  # times that of full tuning: the best rate for LoRA (2025, https://thinkingmachines.ai/blog/lora/)
_NAME = "default"
_ALPHA = 32  # divided by the rank, so that the best learning rate is the same for every rank


def add_lora(model: "SentenceTransformer", rank: int) -> None:
    """Freeze a model and give each linear layer of its transformer an addition of a low rank.

    LoRA (2021, https://arxiv.org/abs/2106.09685); on all linear layers, not on attention alone, which learns less.

    Args:
        model: The model; changed in place. Set torch's seed before: the additions start from random numbers.
        rank: Rank of an addition.

    Raises:
        ExtraMissing: peft is not installed.
        UsageError: The model has no transformer to add to.
    """
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise ExtraMissing(f"train.method = 'lora' needs the package '{error.name}'", extra="lora") from error
    if not model.has_peft_compatible_model():
        raise UsageError(
            "train.method = 'lora' needs a model with a transformer, which this one has not",
            hint="Set method in [train] to 'full'",
        )
    model.requires_grad_(requires_grad=False)
    model.add_adapter(LoraConfig(r=rank, lora_alpha=_ALPHA, lora_dropout=0.0, target_modules="all-linear"), _NAME)


def merged(base: Path, tuned: "SentenceTransformer") -> "SentenceTransformer":
    """A plain model: the base's weights with the additions that were trained.

    Args:
        base: Folder of the model that was tuned.
        tuned: The model with its additions; it stays as it is, since taking them out again would not give the same numbers.

    Returns:
        A model of the base's kind and shape, on the processor.
    """
    import torch
    from peft.tuners.lora import Linear

    plain = load_model(base).cpu()
    weights = plain.transformers_model
    with torch.no_grad():
        for name, layer in tuned.transformers_model.named_modules():
            if isinstance(layer, Linear):
                weight = weights.get_submodule(name).weight
                weight += layer.get_delta_weight(_NAME).to(weight)
    return plain
