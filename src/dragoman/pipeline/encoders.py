"""The embedding models of a run: the base as the recipe names it, and the tuned one of any checkpoint and mixture.

In: a run, and the folder of a tuned model. Out: encoders. It joins the rooms ``models`` and ``train``, which mixes weights.
"""

from pathlib import Path

from dragoman.models.opening import is_adapter, open_base, open_tuned
from dragoman.models.protocols import Encoder
from dragoman.pipeline.context import Run
from dragoman.pipeline.ingest import base_model
from dragoman.train.mix import mix


def base_encoder(run: Run, *, dims: int = 0) -> Encoder:
    """The base model.

    Args:
        run: The run.
        dims: Length to which vectors are cut; 0: they are not.

    Returns:
        The encoder.
    """
    return open_base(run.recipe.models, dimension=dims or None, say=run.say)


def tuned_encoder(run: Run, folder: Path, *, share: float = 1.0, dims: int = 0, scratch: Path | None = None) -> Encoder:
    """A tuned model, by itself or mixed with the base.

    Args:
        run: The run.
        folder: The tuned model, or an adapter.
        share: Of the tuned weights.
        dims: Length to which vectors are cut; 0: they are not.
        scratch: Where mixed weights may be written; needed for a share below 1 of a whole model.

    Returns:
        The encoder.
    """
    if share < 1.0 and scratch is not None and not is_adapter(folder):
        folder, share = mix(base_model(run), folder, share, scratch), 1.0
    return open_tuned(folder, run.recipe.models, share=share, dimension=dims or None, say=run.say)
