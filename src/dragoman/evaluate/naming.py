"""Ways of searching in words: one wording for the report, the page, the card and whoever else names a way.

In: a ``Serving``. Out: a few words without markup. It knows nothing but that record.
"""

from dragoman.records import Serving

# What "mixed 50%" means, for whoever shows it.
MIXED = (
    "A mixed model's weights are a mean of the tuned model's and the base's; the percentage is the tuned model's part."
)


def model_name(serving: Serving) -> str:
    """The model of a way of searching.

    Args:
        serving: The way.

    Returns:
        "base", "tuned", or "mixed 50%" when only that part of the weights is the tuned model's.
    """
    mixed = serving.model == "tuned" and serving.share < 1
    return f"mixed {100 * serving.share:.3g}%" if mixed else serving.model


def way_name(serving: Serving) -> str:
    """A way of searching, the model first; what is as usual (all epochs, whole vectors, no cross-encoder) is not said.

    Args:
        serving: The way.

    Returns:
        Such as "mixed 50% hybrid (words at 0.3) with question vectors at 128 dimensions, 2 epochs, reranked".
    """
    if serving.mode == "lexical":
        parts = ["words alone"]
    else:
        mode = f"hybrid (words at {serving.lexical_weight:g})" if serving.mode == "hybrid" else serving.mode
        asked = " with question vectors" if serving.questions else ""
        cut = f" at {serving.dims:,} dimensions" if serving.dims else ""
        trained = epochs_name(serving.epochs) if serving.epochs else ""
        parts = [f"{model_name(serving)} {mode}{asked}{cut}".strip(), trained]
    return ", ".join(part for part in [*parts, "reranked" if serving.rerank else ""] if part)


def epochs_name(epochs: int) -> str:
    """How long a model was trained: "1 epoch", "2 epochs", "all epochs" for 0."""
    return "all epochs" if not epochs else f"{epochs:,} epoch{'' if epochs == 1 else 's'}"
