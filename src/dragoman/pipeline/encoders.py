"""The embedding models of a run: the base as the recipe names it, and the tuned one of any checkpoint and mixture.

In: a run, and the folder of a tuned model or the description of a table. Out: encoders. It joins the rooms ``models`` and ``train``, which mixes weights.
"""

from pathlib import Path

from dragoman.errors import WorkspaceError
from dragoman.index.pointer import IndexMeta
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


def served_encoder(run: Run, meta: IndexMeta, folder: Path | None) -> Encoder:
    """The model that a table was made with, which is kept with it.

    Args:
        run: The run; a base model is the recipe's.
        meta: What the table was made with.
        folder: The model beside the table; None: the base model.

    Returns:
        The encoder.

    Raises:
        WorkspaceError: What lies there, or what the recipe names, is another model.
    """
    way = meta.serving
    if folder is None:
        encoder = base_encoder(run, dims=way.dims)
    else:
        encoder = tuned_encoder(run, folder, share=way.share, dims=way.dims)
    if encoder.fingerprint != meta.fingerprint:
        raise WorkspaceError(
            f"the index was made with the {meta.model} model {meta.fingerprint}",
            expected=f"the one at hand, {encoder.fingerprint}",
            hint="Run: dragoman build",
        )
    return encoder
