"""Questions and passages read together: a cross-encoder says how well a passage answers.

In: pairs of question and passage. Out: a float32 score a pair, the model's own logit, the same for the same call on
the same machine. It does not know where the passages were found. The model is a folder on this disk, or fetched
into one by the catalog.
"""

import json
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dragoman.errors import ExtraMissing, ModelError
from dragoman.models.catalog import Say, resolve
from dragoman.models.encoder import without_bars
from dragoman.models.processor import has_bf16
from dragoman.models.protocols import Advance, Reranker, Vectors

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH_CPU = 16
_BATCH_GPU = 64
_EXPECTED = "a cross-encoder with one label"
_HINT = "Give the folder or the Hub name of another one, such as cross-encoder/ms-marco-MiniLM-L6-v2"


class CrossReranker:
    """A cross-encoder of sentence-transformers, or any transformers model for sequence classification with one label.

    On a processor with bfloat16 arithmetic, matrices are multiplied in it, the last one excepted. May be called from
    several threads; calls then wait for each other.

    Args:
        name_or_folder: Folder of the model, or its Hub name; only safetensors weights are read, and none of its code
            is run.
        mirrors: Whether a package registry may stand in for the Hub.
        say: Told, in one line each, where the model is taken from.

    Raises:
        ModelError: The model is not there, damaged or no cross-encoder.
        ExtraMissing: sentence-transformers is not installed.
    """

    def __init__(self, name_or_folder: str, *, mirrors: bool, say: Say) -> None:
        folder = obtain_reranker(name_or_folder, mirrors=mirrors, say=say)
        # A path would tell a report's readers about this machine, and nothing about the model.
        self._name = folder.resolve().name if Path(name_or_folder).expanduser().exists() else name_or_folder
        self._model = _load(folder)
        self._on_cpu = self._model.device.type == "cpu"
        self._bf16 = self._on_cpu and has_bf16()
        if self._bf16:
            _keep_heads_exact(self._model)
        # The fast tokenizer refuses ("already borrowed") to serve two threads at once.
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        """The Hub name, or the last part of the folder's path."""
        return self._name

    def score(self, pairs: Sequence[tuple[str, str]], advance: Advance | None = None) -> Vectors:
        """Say how well passages answer questions.

        Args:
            pairs: Question and passage; what is beyond the model's longest input is cut off by its tokenizer.
            advance: Told the number of pairs just done, after each batch.

        Returns:
            Array of shape ``(len(pairs),)``, float32, in the order of the pairs; larger is better, on a scale that is
            the model's own.

        Raises:
            ModelError: The model's answer is no number.
        """
        scores = np.zeros(len(pairs), dtype=np.float32)
        # Pairs of like length share a batch, so that little is padding; ties keep their order, so that runs agree.
        order = sorted(range(len(pairs)), key=lambda place: (-sum(map(len, pairs[place])), place))
        size = _BATCH_CPU if self._on_cpu else _BATCH_GPU
        for start in range(0, len(order), size):
            places = order[start : start + size]
            scores[places] = self._batch([pairs[place] for place in places])
            if advance is not None:
                advance(len(places))
        if not np.isfinite(scores).all():
            raise ModelError(f"the cross-encoder {self._name} gave a score that is no number", hint=_HINT)
        return scores

    def _batch(self, pairs: list[tuple[str, str]]) -> Vectors:
        from torch import nn

        # The tokenizer refuses half a surrogate pair, which badly decoded text may hold.
        texts = [[text.encode("utf-8", "replace").decode() for text in pair] for pair in pairs]
        with self._turn, self._arithmetic():
            rows = self._model.predict(
                texts,
                batch_size=len(texts),
                show_progress_bar=False,
                activation_fn=nn.Identity(),  # a sigmoid would make one of all large scores
                convert_to_tensor=True,
            )
            scores: Vectors = rows.float().cpu().numpy()
            return scores

    def _arithmetic(self) -> AbstractContextManager[object]:
        if not self._bf16:
            return nullcontext()
        import torch

        arithmetic: AbstractContextManager[object] = torch.autocast("cpu", torch.bfloat16)
        return arithmetic


def rerank_orders(
    reranker: Reranker,
    questions: Sequence[str],
    candidates: Sequence[Sequence[str]],
    advance: Advance | None = None,
) -> list[list[int]]:
    """Put the candidates of each question in a reranker's order.

    Args:
        reranker: Who judges.
        questions: Any number of questions.
        candidates: The passages found for each, as many lists as there are questions.
        advance: Told the number of pairs just done.

    Returns:
        For each question the places of its candidates, best first; candidates of one score stay in the order given.

    Raises:
        ModelError: The reranker cannot judge.
    """
    asked = zip(questions, candidates, strict=True)
    scores = reranker.score([(question, passage) for question, found in asked for passage in found], advance)
    ends = np.cumsum([len(found) for found in candidates], dtype=np.int64)
    return [np.argsort(-own, kind="stable").tolist() for own in np.split(scores, ends)[: len(candidates)]]


def obtain_reranker(name_or_folder: str, *, mirrors: bool, say: Say) -> Path:
    """A cross-encoder's folder, fetched if need be; nothing is loaded.

    Args:
        name_or_folder: Folder of the model, or its Hub name.
        mirrors: Whether a package registry may stand in for the Hub.
        say: Told, in one line each, where the model is taken from.

    Returns:
        The folder.

    Raises:
        ModelError: The model is not there, or no cross-encoder.
    """
    folder = resolve(name_or_folder, mirrors=mirrors, say=say)
    _check(folder)
    return folder


def _check(folder: Path) -> None:
    """Refuse what is no cross-encoder before the library, which would give any model a head of random weights."""
    if not (folder / "config.json").is_file():
        state = "has no config.json" if folder.is_dir() else "is no folder"
        raise ModelError(f"the cross-encoder {folder} {state}", expected="a model's folder", hint=_HINT)
    if not any(folder.rglob("*.safetensors")):
        raise ModelError(f"{folder} has no weights", expected="safetensors, the one format that is read", hint=_HINT)
    settings = {path.name: _settings(path) for path in sorted(folder.glob("*.json"))}
    kind = ", ".join(settings["config.json"].get("architectures") or ["none"])
    saved_as = settings.get("config_sentence_transformers.json", {}).get("model_type")
    if saved_as != "CrossEncoder" and not kind.endswith("ForSequenceClassification"):
        raise ModelError(f"{folder} is no cross-encoder (its architecture is {kind})", expected=_EXPECTED, hint=_HINT)


def _settings(path: Path) -> dict[str, Any]:
    # Here, since the library's tokenizer raises a bare Exception for a damaged file.
    try:
        settings = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"the cross-encoder's {path} is damaged: {error}", hint=_HINT) from error
    return settings if isinstance(settings, dict) else {}  # modules.json is a list


def _load(folder: Path) -> "CrossEncoder":
    try:
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
    except ImportError as error:
        raise ExtraMissing(f"cross-encoders need the package '{error.name}'", extra="train") from error
    try:
        with without_bars():
            model = CrossEncoder(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                # Weights kept in half precision are slow on a CPU, and their scores tie.
                model_kwargs={"use_safetensors": True, "dtype": "float32"},
            ).eval()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ModelError(f"the cross-encoder {folder} cannot be loaded: {reason}", hint=_HINT) from error
    if model.num_labels != 1:
        raise ModelError(f"{folder} tells {model.num_labels} labels apart", expected=_EXPECTED, hint=_HINT)
    return model


def _keep_heads_exact(model: "CrossEncoder") -> None:
    """Compute the layer that gives the score in float32: bfloat16 has 8 bits, so that near scores would be ties."""
    from torch import nn

    heads = [name for name, part in model.named_modules() if type(part) is nn.Linear and part.out_features == 1]
    model.set_keep_in_fp32_modules([*model.keep_in_fp32_modules, *heads])
