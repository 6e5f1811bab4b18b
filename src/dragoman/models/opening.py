"""The embedding model that a recipe names, and one that was tuned from it.

In: the recipe's [models] section, and the folder of a tuned model or of an adapter. Out: encoders with their prompts.
It alone knows which kind of encoder serves which setting.
"""

from collections.abc import Callable
from pathlib import Path

from dragoman.config import ModelSettings
from dragoman.models.adapted import AdaptedEncoder, CutEncoder, is_adapter
from dragoman.models.catalog import resolve
from dragoman.models.encoder import SentenceEncoder
from dragoman.models.prompts import prompts_of
from dragoman.models.protocols import Encoder
from dragoman.models.remote import RemoteEncoder

__all__ = ["is_adapter", "open_base", "open_tuned"]


def open_base(settings: ModelSettings, *, dimension: int | None = None, say: Callable[[str], None]) -> Encoder:
    """Open the model that the recipe names.

    Args:
        settings: The model, where it runs, and its prompts.
        dimension: Length to which vectors are cut; None: they are not.
        say: Told, in one line each, where a model is taken from.

    Returns:
        The encoder, behind the API where the settings name one.

    Raises:
        ModelError: The model cannot be had or loaded, or has fewer dimensions.
        ExtraMissing: sentence-transformers is not installed, and the model is to run here.
    """
    encoder: Encoder
    if settings.embedding_url:
        prompts = prompts_of(None, settings)
        encoder = RemoteEncoder(settings.embedding_url, settings.embedding, settings.embedding_key_env, prompts)
    else:
        encoder = _sentence_encoder(resolve(settings.embedding, mirrors=settings.mirrors, say=say), settings)
    return _cut(encoder, dimension)


def open_tuned(
    folder: Path,
    settings: ModelSettings,
    *,
    share: float = 1.0,
    dimension: int | None = None,
    say: Callable[[str], None],
) -> Encoder:
    """Open what training made: a whole model, or an adapter of the base.

    Args:
        folder: The tuned model or the adapter.
        settings: The base model, where it runs, and the prompts of both.
        share: What part of an adapter's map is its own, the rest being the identity. A whole model takes none: its mean with
            the base is a model of its own.
        dimension: Length to which vectors are cut; None: they are not.
        say: Told, in one line each, where a model is taken from.

    Returns:
        The encoder.

    Raises:
        ModelError: The model or the adapter is missing, damaged, or has fewer dimensions; or the adapter is another model's.
        ExtraMissing: A package that reads it is not installed.
    """
    if is_adapter(folder):
        return _cut(AdaptedEncoder(open_base(settings, say=say), folder, share=share), dimension)
    return _cut(_sentence_encoder(folder, settings), dimension)


def _sentence_encoder(folder: Path, settings: ModelSettings) -> SentenceEncoder:
    query, passage = prompts_of(folder, settings)
    return SentenceEncoder(folder, query_prompt=query, passage_prompt=passage)


def _cut(encoder: Encoder, dimension: int | None) -> Encoder:
    # Asking an API for its dimension costs a request, so only where it matters.
    return encoder if dimension is None or dimension == encoder.dimension else CutEncoder(encoder, dimension)
