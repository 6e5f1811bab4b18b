"""Texts to unit vectors: a sentence-transformers model, and a small stand-in that needs no model.

In: texts and their role. Out: float32 vectors of length 1, the same for the same call on the same machine.
It does not know what is searched, and never fetches: a model is a folder on this disk.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragoman.errors import ExtraMissing, ModelError
from dragoman.models.processor import has_bf16
from dragoman.models.protocols import Advance, Role, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Measured with all-MiniLM-L6-v2 and passages of 187 tokens, per core: 8 to 16 texts are fastest, 64 are a fifth slower;
# bf16 weights 52 passages/s, bf16 autocast 50, fp32 19; a question of a dozen tokens 5.2 ms, 7.1 ms and 10.6 ms. Autocast
# stays nearer to fp32 (cosine 0.99996, not 0.99992).
_BATCH_CPU = 16
_BATCH_GPU = 128
_DEFINING = ("modules.json", "sentence_bert_config.json", "tokenizer.json", "vocab.txt")
_HINT = "Fetch the model again with: dragoman models pull NAME; or give the folder of another one"


class SentenceEncoder:
    """A sentence-transformers model in a folder.

    On a processor with bfloat16 arithmetic, the weights are held in it; vectors stay within a cosine of 0.999
    of float32's. May be called from several threads; calls then wait for each other.

    Args:
        path: The model's folder; only safetensors weights are read, and none of its code is run.
        query_prompt: Put before each query.
        passage_prompt: Put before each passage.
        dimension: Length to which vectors are cut before they are brought to length 1 again (Matryoshka);
            None: the model's own.

    Raises:
        ModelError: The folder is missing, damaged or no such model, or has fewer dimensions.
        ExtraMissing: sentence-transformers is not installed.
    """

    def __init__(
        self, path: Path, *, query_prompt: str = "", passage_prompt: str = "", dimension: int | None = None
    ) -> None:
        self._path = path
        self._prompts: dict[Role, str] = {"query": query_prompt, "passage": passage_prompt}
        self._model = load_model(path)
        own = self._model.get_embedding_dimension()
        if not own or (dimension is not None and not 0 < dimension <= own):
            raise ModelError(f"{path} has {own or 'no'} dimensions", expected=f"at least {dimension or 1}")
        self._dimension = dimension or own
        self._on_cpu = self._model.device.type == "cpu"
        if self._on_cpu and has_bf16():
            self._model.bfloat16()
        # The fast tokenizer refuses ("already borrowed") to serve two threads at once.
        self._turn = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """Hash of weights, tokenizer, prompts and dimension, 16 hex digits."""
        parts = [self._prompts["query"], self._prompts["passage"], str(self._dimension)]
        return _hash_of(_defining_files(self._path), self._path, parts)

    @property
    def passage_fingerprint(self) -> str:
        """Equal ones make equal vectors of passages."""
        return self.fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        """Embed texts.

        Args:
            texts: Any number of texts; what is beyond the model's longest input is not seen.
            role: Whether they are questions or passages; decides the prompt.
            advance: Told the number of texts just done, after each batch.

        Returns:
            Array of shape ``(len(texts), dimension)``, float32, rows of length 1, in the order of the texts.
        """
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        # The tokenizer refuses half a surrogate pair, which badly decoded text may hold.
        prompted = [(self._prompts[role] + text).encode("utf-8", "replace").decode() for text in texts]
        # Texts of like length share a batch, so that little is padding; ties keep their order, so that runs agree.
        order = sorted(range(len(texts)), key=lambda place: (-len(prompted[place]), place))
        size = _BATCH_CPU if self._on_cpu else _BATCH_GPU
        for start in range(0, len(order), size):
            places = order[start : start + size]
            vectors[places] = self._batch([prompted[place] for place in places])
            if advance is not None:
                advance(len(places))
        return vectors

    def _batch(self, texts: list[str]) -> Vectors:
        with self._turn, one_thread() if self._on_cpu and len(texts) == 1 else nullcontext():
            # An empty prompt, not none: the model's own default must not come on top of ours.
            rows = self._model.encode(
                texts, batch_size=len(texts), prompt="", show_progress_bar=False, convert_to_tensor=True
            )
            return unit_rows(rows.float().cpu().numpy()[:, : self._dimension])


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on this thread alone: a text is too short to share, and waiting for others takes half as long again."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class HashEncoder:
    """Counts of hashed words and pairs of words as vectors: a real, if crude, encoder without a model.

    The hashing trick with signed buckets (Weinberger et al., 2009, https://arxiv.org/abs/0902.2206), counts damped by
    a square root. Texts that share words are near each other, and nothing else is.

    Args:
        dimension: Length of a vector, at least 1.
    """

    _WORD = re.compile(r"\w+")
    _PAIR_WEIGHT = 0.5

    def __init__(self, dimension: int = 256) -> None:
        if dimension < 1:
            raise ModelError(f"a vector of {dimension} dimensions was asked for", expected="at least 1")
        self._dimension = dimension

    @property
    def fingerprint(self) -> str:
        """Hash of the method and the dimension, 16 hex digits."""
        return hashlib.sha256(f"HashEncoder 1 {self._dimension}".encode()).hexdigest()[:16]

    @property
    def passage_fingerprint(self) -> str:
        """Equal ones make equal vectors of passages."""
        return self.fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        """Embed texts.

        Args:
            texts: Any number of texts.
            role: Makes no difference here.
            advance: Told the number of texts done, once.

        Returns:
            Array of shape ``(len(texts), dimension)``, float32, rows of length 1.
        """
        del role
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            words = [word.rstrip("s") or word for word in self._WORD.findall(text.lower())]
            self._add(row, words, 1.0)
            self._add(row, map(" ".join, pairwise(words)), self._PAIR_WEIGHT)
        if advance is not None and texts:
            advance(len(texts))
        return unit_rows(np.sign(vectors) * np.sqrt(np.abs(vectors)))

    def _add(self, row: Vectors, terms: Iterable[str], weight: float) -> None:
        for term in terms:
            value = int.from_bytes(hashlib.blake2b(term.encode("utf-8", "replace"), digest_size=8).digest())
            row[(value >> 1) % self._dimension] += weight if value & 1 else -weight


def unit_rows(rows: Vectors) -> Vectors:
    """Bring vectors to length 1.

    Args:
        rows: A vector a row.

    Returns:
        float32; a row of zeros, which has no direction, becomes the first axis.
    """
    rows = np.array(rows, dtype=np.float32)
    lengths: Vectors = np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float32)
    rows[lengths[:, 0] == 0, 0] = 1.0
    unit: Vectors = (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return unit


def load_model(path: Path) -> "SentenceTransformer":
    """Load a sentence-transformers model from a folder, from safetensors and without remote code.

    Args:
        path: The model's folder.

    Returns:
        The model, in evaluation mode.

    Raises:
        ModelError: The folder is missing, incomplete or damaged.
        ExtraMissing: sentence-transformers is not installed.
    """
    if not (path / "modules.json").is_file():
        state = "is no sentence-transformers model (it has no modules.json)" if path.is_dir() else "is not there"
        raise ModelError(f"the embedding model {path} {state}", expected="a model's folder", hint=_HINT)
    if not any(path.rglob("*.safetensors")):
        raise ModelError(f"{path} has no weights", expected="safetensors, the one format that is read", hint=_HINT)
    _check_settings(path)
    try:
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ExtraMissing(f"embedding models need the package '{error.name}'", extra="train") from error
    try:
        with without_bars():
            return SentenceTransformer(
                str(path), local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
            ).eval()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ModelError(f"the embedding model {path} cannot be loaded: {reason}", hint=_HINT) from error


def _check_settings(path: Path) -> None:
    # Before the library does, since its tokenizer raises a bare Exception for a damaged file.
    for file in (path / name for name in _DEFINING if name.endswith(".json")):
        try:
            if file.exists():
                json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise ModelError(f"the embedding model's {file} is damaged: {error}", hint=_HINT) from error


@contextmanager
def without_bars() -> Iterator[None]:
    """No progress bar while weights are loaded; transformers' own setting is put back."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _defining_files(folder: Path) -> list[Path]:
    weights = list(folder.rglob("*.safetensors"))
    settings = [folder / name for name in _DEFINING if (folder / name).is_file()]
    return sorted({*weights, *settings, *folder.glob("*/config.json")})


def _hash_of(files: list[Path], folder: Path, parts: list[str]) -> str:
    total = hashlib.sha256()
    for text in parts:
        total.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    for path in files:
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]
