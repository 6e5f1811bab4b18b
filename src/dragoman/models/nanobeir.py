"""General questions to test forgetting with: the sets of NanoBEIR, from the Hugging Face Hub.

In: names of sets. Out: for each its questions, its passages, and which passages answer which question; a set that was fetched once is
read from the folder of models. A Hub out of reach is a ``FetchError``, for the caller to do without. It knows no model and no metric.
"""

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import ModelError, UsageError
from dragoman.models.sources import CONNECT_SECONDS, FetchError
from dragoman.models.store import models_home, prepared, replace_folder

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import DatasetInfo

REPOSITORY: Final = "sentence-transformers/NanoBEIR-en"  # what the evaluator of sentence-transformers reads
SETS: Final = (
    "NanoArguAna",
    "NanoClimateFEVER",
    "NanoDBPedia",
    "NanoFEVER",
    "NanoFiQA2018",
    "NanoHotpotQA",
    "NanoMSMARCO",
    "NanoNFCorpus",
    "NanoNQ",
    "NanoQuoraRetrieval",
    "NanoSCIDOCS",
    "NanoSciFact",
    "NanoTouche2020",
)
# Three kinds of likeness (the same question in other words, an answer from the web, a related paper) in few and short passages: they are
# encoded twice, on a laptop.
USUAL: Final = ("NanoQuoraRetrieval", "NanoMSMARCO", "NanoSCIDOCS")

_PARTS = ("corpus", "queries", "qrels")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class GeneralSet:
    """A set of questions, with texts by their ids; ``relevant`` are the ids of the passages that answer a question.

    Each question has at least one. As in the published results, some of them may be of passages without text, which are left out.
    """

    name: str
    queries: dict[str, str]
    passages: dict[str, str]
    relevant: dict[str, frozenset[str]]


def general_names(setting: str) -> tuple[str, ...]:
    """The sets that ``evaluate.general`` asks for.

    Args:
        setting: "auto", "none", or names with commas or spaces between them; a name may be written without "Nano".

    Returns:
        Names of ``SETS``, each once; empty for "none".

    Raises:
        UsageError: There is no set of such a name.
    """
    words = [word for word in re.split(r"[\s,]+", setting) if word]
    if len(words) == 1 and words[0].lower() in {"auto", "none"}:
        return USUAL if words[0].lower() == "auto" else ()
    return tuple(dict.fromkeys(_known(word) for word in words))


def read_general(names: Sequence[str], *, say: Say) -> list[GeneralSet]:
    """Read sets of NanoBEIR, fetching those that are not on this disk yet.

    Args:
        names: Names of sets.
        say: Told, in one line each, what is fetched.

    Returns:
        The sets, in the order of their names.

    Raises:
        UsageError: There is no set of such a name; nothing was fetched.
        FetchError: A set is not on this disk, and the Hub is out of reach or gave none; the message is the reason.
        ModelError: What is on this disk is damaged, or the folder of models cannot be written to.
    """
    return [_read(name, _obtained(name, say)) for name in [_known(name) for name in names]]


def _known(name: str) -> str:
    match = next((known for known in SETS if name.lower() in {known.lower(), known.lower().removeprefix("nano")}), "")
    if not match:
        expected = f"auto, none, or some of {', '.join(SETS)}"
        hint = "Set evaluate.general to it."
        raise UsageError(f"there is no set '{name}' of general questions", expected=expected, hint=hint)
    return match


def _obtained(name: str, say: Say) -> Path:
    """The set's folder, whole."""
    folder = models_home() / "nanobeir" / name
    if not folder.is_dir():
        with prepared(name, 0) as beside:
            if not folder.is_dir():
                say(f"{name}: taking it from the Hugging Face Hub, to see whether tuning forgets")
                _fetch(name, beside)
                replace_folder(folder, beside)
    return folder


def _fetch(name: str, folder: Path) -> None:
    with _translated():
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
        # No token: the sets are public, and a stale one would be refused.
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=False, library_name="dragoman")
        info = _described(api)
        files = [each.rfilename for each in info.siblings or ()]
        for part in _PARTS:
            wanted = [file for file in files if re.fullmatch(rf"{part}/{name}-[\w-]+\.parquet", file)]
            if not wanted:
                raise FetchError(f"has no {part}/{name} in {REPOSITORY}")
            for file in wanted:
                api.hf_hub_download(
                    REPOSITORY,
                    file,
                    repo_type="dataset",
                    revision=info.sha,
                    local_dir=folder,
                    etag_timeout=CONNECT_SECONDS,
                )
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    try:
        _read(name, folder)
    except ModelError as error:
        raise FetchError(f"gave something else: {error.happened}") from error


def _described(api: "HfApi") -> "DatasetInfo":
    """The newest commit and its files."""
    answers: list[Any] = []

    def ask() -> None:
        import httpx2

        try:
            answers.append(api.dataset_info(REPOSITORY, timeout=CONNECT_SECONDS))
        except (OSError, ValueError, RuntimeError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            answers.append(error)

    # A thread of its own, since no timeout of the client's covers the look-up of the host's name.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CONNECT_SECONDS)
    answer = answers[0] if answers else TimeoutError()
    if not isinstance(answer, Exception):
        return answer
    if getattr(answer, "response", None) is None:
        raise FetchError(f"not reachable ({CONNECT_SECONDS:.0f} s)") from answer
    raise answer


@contextmanager
def _translated() -> Iterator[None]:
    """The Hub's failures as ``FetchError``; those of the disk stay what they are."""
    try:
        import httpx2
        from huggingface_hub import constants
        from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise FetchError(f"needs the package {error.name}") from error
    if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise FetchError("switched off by HF_HUB_OFFLINE")
    try:
        yield
    except HfHubHTTPError as error:
        raise FetchError(f"refused {REPOSITORY} ({error.response.status_code})") from error
    except (httpx2.HTTPError, LocalEntryNotFoundError, FileMetadataError, ConnectionError) as error:
        raise FetchError(f"broke off: {_first_line(error)}") from error


def _read(name: str, folder: Path) -> GeneralSet:
    import pyarrow as pa

    try:
        passages, queries = (_texts(folder / part) for part in _PARTS[:2])
        relevant: dict[str, set[str]] = {query: set() for query in queries}
        for query, passage in _rows(folder / "qrels", "query-id", "corpus-id"):
            if query in relevant:
                relevant[query].add(passage)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(name, folder, _first_line(error)) from error
    answered = {query: frozenset(ids) for query, ids in relevant.items() if ids}
    if not answered or not passages:
        raise _damaged(name, folder, "no question has a passage")
    return GeneralSet(name, {query: queries[query] for query in answered}, passages, answered)


def _texts(folder: Path) -> dict[str, str]:
    return {key: text for key, text in _rows(folder, "_id", "text") if text}


def _rows(folder: Path, first: str, second: str) -> Iterator[tuple[str, str]]:
    import pyarrow.parquet as pq

    for file in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(file) as opened:
            table = opened.read(columns=[first, second], use_threads=False)
        for pair in zip(table[first].to_pylist(), table[second].to_pylist(), strict=True):
            if not all(isinstance(value, str) for value in pair):
                raise TypeError(f"'{first}' or '{second}' of {file.name} holds no text")
            yield pair


def _damaged(name: str, folder: Path, reason: str) -> ModelError:
    hint = "Remove that folder; the set is then fetched again."
    return ModelError(f"the general questions {name} in {folder} cannot be read: {reason}", hint=hint)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "").strip().rstrip(".")[:200] or type(error).__name__
