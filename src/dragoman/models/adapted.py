"""Vectors of another encoder, changed after the fact: the question's turned by a linear map, or all of them cut.

In: an encoder, and the folder of an adapter or a length. Out: an encoder. The map is a d x d matrix beside a note of
what it was fitted on; passages stay as they are, so that nothing is embedded anew. It does not know how a map is fitted.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from dragoman.errors import ExtraMissing, ModelError
from dragoman.models.encoder import unit_rows
from dragoman.models.protocols import Advance, Encoder, Role, Vectors
from dragoman.records import content_id

NOTE, WEIGHTS = "adapter.json", "adapter.safetensors"
KIND = "linear map of the question"
_TENSOR = "map"
_HINT = "Run dragoman train again; it fits an adapter on the model that models.embedding names."


@dataclass(frozen=True, slots=True)
class AdapterNote:
    """What an adapter is: its kind, the length of its vectors, and the fingerprint of the encoder that it was fitted on."""

    kind: str
    dimension: int
    base: str


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter, and no model."""
    return (folder / NOTE).is_file()


def write_adapter(folder: Path, matrix: Vectors, base: str) -> None:
    """Write an adapter; its folder appears only when it is whole.

    Args:
        folder: Where to; what is there is replaced.
        matrix: The map, shape ``(dimension, dimension)``: a question's vector is multiplied by it from the left.
        base: Fingerprint of the encoder whose vectors it was fitted on.

    Raises:
        ExtraMissing: safetensors is not installed.
    """
    try:
        from safetensors.numpy import save_file
    except ImportError as error:
        raise _missing(error) from error
    beside = folder.with_name(folder.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    save_file({_TENSOR: np.ascontiguousarray(matrix, dtype=np.float32)}, beside / WEIGHTS)
    note = json.dumps(asdict(AdapterNote(KIND, len(matrix), base)), indent=2)
    (beside / NOTE).write_text(f"{note}\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    beside.replace(folder)


class AdaptedEncoder:
    """An encoder whose questions go through an adapter: ``(1 - share) * I + share * W``, then length 1.

    Args:
        base: The encoder that the adapter was fitted on.
        folder: The adapter.
        share: What part of the map is the adapter's, from 0 (the base itself) to 1.

    Raises:
        ModelError: The adapter is damaged, or was fitted on another encoder.
        ExtraMissing: safetensors is not installed.
    """

    def __init__(self, base: Encoder, folder: Path, *, share: float = 1.0) -> None:
        note, matrix = _read(folder)
        if note.base != base.fingerprint:
            raise ModelError(
                f"the adapter {folder} was fitted on the model with fingerprint {note.base}",
                expected=f"the one at hand, {base.fingerprint}",
                hint=_HINT,
            )
        own = np.eye(note.dimension, dtype=np.float32)
        self._base, self._map = base, (own + np.float32(share) * (matrix - own)).astype(np.float32)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the base's fingerprint and the map, 16 hex digits."""
        return content_id("adapted", self._base.fingerprint, self._map.tobytes().hex())

    @property
    def passage_fingerprint(self) -> str:
        """The base's: so are the vectors of passages."""
        return self._base.passage_fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._base.dimension

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        """Embed texts.

        Args:
            texts: Any number of texts.
            role: Whether they are questions or passages; only questions go through the map.
            advance: Told the number of texts just done.

        Returns:
            Array of shape ``(len(texts), dimension)``, float32, rows of length 1.
        """
        rows = self._base.encode(texts, role, advance)
        return rows if role == "passage" else unit_rows(rows @ self._map.T)


class CutEncoder:
    """An encoder whose vectors are cut to their first numbers and brought to length 1 again (Matryoshka).

    A question goes through an adapter at full length before it is cut.

    Args:
        base: The encoder.
        dimension: Length to cut to, at most the base's.

    Raises:
        ModelError: The base's vectors are shorter.
    """

    def __init__(self, base: Encoder, dimension: int) -> None:
        if not 0 < dimension <= base.dimension:
            raise ModelError(
                f"vectors of {base.dimension} numbers cannot be cut to {dimension}",
                expected=f"a length from 1 to {base.dimension}",
            )
        self._base, self._dimension = base, dimension

    @property
    def fingerprint(self) -> str:
        """Hash of the base's fingerprint and the length, 16 hex digits."""
        return content_id("cut", self._base.fingerprint, self._dimension)

    @property
    def passage_fingerprint(self) -> str:
        """Equal ones make equal vectors of passages."""
        return content_id("cut", self._base.passage_fingerprint, self._dimension)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        """Embed texts.

        Args:
            texts: Any number of texts.
            role: Whether they are questions or passages.
            advance: Told the number of texts just done.

        Returns:
            Array of shape ``(len(texts), dimension)``, float32, rows of length 1.
        """
        return unit_rows(self._base.encode(texts, role, advance)[:, : self._dimension])


def _read(folder: Path) -> tuple[AdapterNote, Vectors]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError as error:
        raise _missing(error) from error
    try:
        note = AdapterNote(**json.loads((folder / NOTE).read_bytes()))
        matrix = load_file(folder / WEIGHTS)[_TENSOR]
    except (OSError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise ModelError(f"the adapter {folder} is damaged: {error}", hint=_HINT) from error
    if note.kind != KIND or matrix.shape != (note.dimension, note.dimension) or not np.isfinite(matrix).all():
        raise ModelError(
            f"the adapter {folder} is a '{note.kind}' of shape {matrix.shape}",
            expected=f"a finite '{KIND}' of shape {(note.dimension, note.dimension)}",
            hint=_HINT,
        )
    return note, matrix


def _missing(error: ImportError) -> ExtraMissing:
    return ExtraMissing(f"adapters need the package '{error.name}'", extra="train")
