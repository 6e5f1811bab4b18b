"""Vectors that were made before are not made again.

In: an encoder and texts. Out: their vectors, from a file keyed by the encoder's fingerprint where the
texts were encoded already. The file is a cache: it may be deleted at any time.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dragoman.models.protocols import Advance, Encoder, Role, Vectors
from dragoman.pipeline.context import Reporter
from dragoman.records import content_id


class VectorCache:
    """Vectors on disk, by encoder and text.

    Args:
        folder: Where the files lie.
        reporter: Shows the progress of encoding.
    """

    def __init__(self, folder: Path, reporter: Reporter) -> None:
        self._folder, self._reporter = folder, reporter

    def encode(self, encoder: Encoder, texts: Sequence[str], role: Role, label: str) -> Vectors:
        """Vectors of the texts, in their order.

        Args:
            encoder: Makes what is missing.
            texts: Passages or questions.
            role: Which of the two.
            label: Shown beside the progress.

        Returns:
            Shape ``(len(texts), dimension)``.
        """
        # An adapted model's passages are the base's.
        made_by = encoder.passage_fingerprint if role == "passage" else encoder.fingerprint
        path = self._folder / f"{made_by}.npz"
        known = _read(path)
        keys = [content_id(role, text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            with self._reporter.progress(label, len(missing)) as advance:
                made = encode_all(encoder, list(missing.values()), role, advance)
            known |= dict(zip(missing, made, strict=True))
            _write(path, known)
        return np.stack([known[key] for key in keys]) if keys else np.zeros((0, encoder.dimension), dtype=np.float32)


def encode_all(encoder: Encoder, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
    """Encode and check that nothing was lost on the way.

    Args:
        encoder: Makes the vectors.
        texts: What to encode.
        role: Passages or questions.
        advance: Called with the number of texts just done.

    Returns:
        Shape ``(len(texts), dimension)``.
    """
    vectors = encoder.encode(texts, role, advance)
    if vectors.shape != (len(texts), encoder.dimension):
        raise AssertionError(f"{len(texts)} texts gave vectors of shape {vectors.shape}")
    return vectors


def _read(path: Path) -> dict[str, Vectors]:
    try:
        with np.load(path) as file:
            return dict(zip(file["keys"].tolist(), file["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError):
        return {}  # a cache that cannot be read is an empty cache


def _write(path: Path, known: dict[str, Vectors]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new.npz")
    np.savez(beside, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
    beside.replace(path)
