"""Datasets of chunks on the Hugging Face Hub, read as the documents that the chunks were cut from.

In: ``user/dataset`` and a revision. Out: a folder in the cache with one Markdown file for each ``filename`` of the dataset, its
chunks in the order of the rows. Where the Hub is and with which token it is asked is huggingface_hub's own affair.
"""

import fnmatch
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from dragoman.errors import SourceError
from dragoman.ingest.sources.hub_rows import FORMATS, read_rows
from dragoman.ingest.sources.spec import FetchedSource, Say, SourceSpec

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

MAIN: Final = "main"  # the Hub's own name for the newest

_WAITS = (0.2, 0.8, 0.0)  # seconds after each failed attempt; after the last there is none
_SECONDS = 20.0  # that the Hub may take to describe a dataset
_SHA = re.compile(r"[0-9a-f]{40}", re.ASCII)
_DATASET = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*", re.ASCII)
_REPOSITORY = re.compile(r"[\w.-]+(?:/[\w.-]+)*", re.ASCII)
_NO_ROWS = {"dataset_info.json", "dataset_infos.json", "state.json"}
_BUSY, _BROKEN = 429, 500  # HTTP statuses after which another attempt may succeed
# What else comes of an answer of another shape, and httpx's word for a proxy variable that it cannot use.
_ODD = (AttributeError, ArithmeticError, RecursionError, ImportError)
_HINT = "Check the network and HF_ENDPOINT; a dataset that was fetched once is read from the cache."


class _NotNow(SourceError):
    """Another attempt may succeed."""


class _Unreachable(_NotNow):
    """The Hub did not answer."""


@dataclass(frozen=True, slots=True)
class _Dataset:
    """A dataset at one commit: sizes of its files by their paths (``None`` where unknown), and its card's settings."""

    sha: str
    sizes: Mapping[str, int | None]
    card: Mapping[str, Any]


def fetch_dataset(spec: SourceSpec, cache: Path, say: Say) -> FetchedSource:
    """Bring a dataset of chunks onto this machine, as documents, unless it is in the cache.

    Args:
        spec: ``user/dataset``, its revision (branch, tag or commit; "" is the main branch), and as folder the name of a
            configuration or a folder of data files ("" is the default configuration).
        cache: The folder for what is downloaded. A commit that is in it needs no network.
        say: Called with a line that says where the dataset comes from, and what was resolved.

    Returns:
        The documents; the commit is the revision.

    Raises:
        SourceError: The Hub cannot be reached or refuses; dataset, revision or configuration are unknown; no file has a
            ``chunks`` column, or one is damaged or too large; the cache cannot be written.
    """
    if not _DATASET.fullmatch(spec.location):
        raise SourceError(f"'{spec.location}' is not a dataset's name", expected="hf:user/dataset")
    shelf = cache / "hf" / spec.location.replace("/", "--")
    shown, asked = f"hf:{spec.location}", spec.version or MAIN
    try:
        sha = asked if _SHA.fullmatch(asked) and _place(shelf, asked, spec.folder).is_dir() else ""
        if not sha:
            sha = _resolved(spec, shelf, asked, say)
        else:
            say(f"{shown}@{sha[:7]}: from the cache")
        place = _place(shelf, sha, spec.folder)
        repository = json.loads((place / "about.json").read_text(encoding="utf-8"))["repository"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"cannot use the cache {shelf}: {error}", hint="Make it writable, or remove it.") from error
    label = f"{shown}@{sha[:7]}" + (f":{spec.folder}" if spec.folder else "")
    return FetchedSource(
        label,
        place / "documents",
        revision=sha,
        ref=spec.version if spec.version != sha else "",
        repository=str(repository),
        settings=spec.settings,
    )


def _place(shelf: Path, sha: str, folder: str) -> Path:
    return shelf / (f"{sha}-{quote(folder, safe='')}" if folder else sha)


def _resolved(spec: SourceSpec, shelf: Path, asked: str, say: Say) -> str:
    """The commit of what was asked for, which lies in the cache afterwards."""
    shown, remembered = f"hf:{spec.location}", shelf / "refs" / quote(asked, safe="")
    hub = _Hub(spec.location)
    try:
        dataset = hub.describe(spec.version)
    except _Unreachable:
        sha = remembered.read_text(encoding="utf-8").strip() if remembered.is_file() else ""
        if not _SHA.fullmatch(sha) or not _place(shelf, sha, spec.folder).is_dir():
            raise
        say(f"{shown}: the Hub cannot be reached; taking {sha[:7]}, {asked} when it was asked last")
        return sha
    place = _place(shelf, dataset.sha, spec.folder)
    if place.is_dir():
        say(f"{shown}@{dataset.sha[:7]}: from the cache")
    else:
        say(f"{shown}@{dataset.sha[:7]}: downloading from {hub.host}")
        _build(hub, dataset, spec, place)
    if asked != dataset.sha:
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(dataset.sha, encoding="utf-8")
    return dataset.sha


def _build(hub: "_Hub", dataset: _Dataset, spec: SourceSpec, place: Path) -> None:
    """Download a dataset's rows and write its documents; ``place`` is complete or absent."""
    files = _data_files(spec, dataset)
    most = int(spec.settings.max_total_mb * 2**20)
    size = sum(dataset.sizes[file] or 0 for file in files)
    if size > most:
        hint = "To allow more: max_total_mb of [ingest]."
        raise SourceError(f"the files of {spec.location} take {size} bytes, the limit is {most}", hint=hint)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".building-", dir=place.parent))
    try:
        rows = beside / "rows"
        documents = read_rows(
            [(f"{spec.location}: {file}", hub.download(dataset.sha, file, rows)) for file in files], most
        )
        if not documents.chunks:
            raise SourceError(f"the dataset {spec.location} holds no text in 'chunks'", expected="rows with text")
        if len(documents.chunks) > spec.settings.max_files:
            happened = f"{spec.location} names {len(documents.chunks)} files, the limit is {spec.settings.max_files}"
            raise SourceError(happened, hint="To allow more: max_files of [ingest].")
        shutil.rmtree(rows)
        for path, text in documents.texts(spec.location.rpartition("/")[2] + ".md"):
            target = beside / "documents" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode("utf-8", "replace"))
        named = documents.repositories()
        one = len(named) == 1 and _REPOSITORY.fullmatch(named[0])
        about = {"repository": named[0] if one else spec.location}
        (beside / "about.json").write_text(json.dumps(about), encoding="utf-8")
        if not place.is_dir():
            beside.rename(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _data_files(spec: SourceSpec, dataset: _Dataset) -> list[str]:
    """The files of the configuration that is meant, in the order of its splits."""
    known = [path for path in sorted(dataset.sizes) if _holds_rows(path)]
    configs = [
        each for each in _items(dataset.card.get("configs")) if isinstance(each, dict) and each.get("data_files")
    ]
    names = [str(each.get("config_name")) for each in configs]
    chosen = [each for each in configs if each.get("config_name") == spec.folder] if spec.folder else configs
    if chosen:
        default = [each for each in chosen if each.get("default") or each.get("config_name") == "default"]
        patterns = list(_patterns((default or chosen)[0]["data_files"]))
        files = [path for pattern in patterns for path in known if fnmatch.fnmatchcase(path, pattern)]
    else:
        files = [path for path in known if not spec.folder or path.startswith(spec.folder.strip("/") + "/")]
    if not files and spec.folder:
        folders = sorted({str(PurePosixPath(path).parent) for path in known} - {"."})
        options = ", ".join(dict.fromkeys([*names, *folders])) or "none"
        raise SourceError(
            f"{spec.text}: the dataset has no configuration '{spec.folder}'", expected=f"one of: {options}"
        )
    if not files:
        there = ", ".join(sorted(dataset.sizes)[:10]) or "nothing"
        happened = f"the dataset {spec.location} has no data files, only {there}"
        raise SourceError(happened, expected="Parquet, JSON Lines or CSV files")
    # Where one format stands beside another, they are usually the same rows.
    first = next(suffix for suffix in FORMATS if any(path.lower().endswith(suffix) for path in files))
    return list(dict.fromkeys(path for path in files if path.lower().endswith(first)))


def _holds_rows(path: str) -> bool:
    parts = PurePosixPath(path).parts
    safe = ".." not in parts and "\\" not in path and not path.startswith("/")
    hidden = any(part.startswith(".") for part in parts)
    return safe and not hidden and path.lower().endswith(FORMATS) and parts[-1] not in _NO_ROWS


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _patterns(data_files: object) -> Iterator[str]:
    """Globs in a card's ``data_files``: one, several, or some for each split."""
    for each in _items(data_files):
        if isinstance(each, dict):
            yield from (str(path) for path in _items(each.get("path")))
        else:
            yield str(each)


class _Hub:
    """The Hub, as far as one dataset needs it; the only place that knows huggingface_hub's errors."""

    def __init__(self, name: str) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
        self.name = name
        # The environment as it is now: huggingface_hub keeps what it was when it was imported.
        self.api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="dragoman")
        self.host = re.sub(r"^\w+://(?:[^/@]*@)?", "", self.api.endpoint).strip("/")

    def describe(self, revision: str) -> _Dataset:
        """The dataset at a revision, "" for the newest."""

        def ask() -> _Dataset:
            info = self.api.dataset_info(self.name, revision=revision or None, files_metadata=True, timeout=_SECONDS)
            if not _SHA.fullmatch(info.sha or "") or info.siblings is None:
                raise ValueError("no commit or no files")
            card = info.card_data.to_dict() if info.card_data is not None else {}
            return _Dataset(info.sha, {each.rfilename: each.size for each in info.siblings}, card)

        for wait in _WAITS:
            try:
                with self._translated(revision):
                    return ask()
            except _NotNow:
                if not wait:
                    raise
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def download(self, sha: str, file: str, folder: Path) -> Path:
        """Where a file of the dataset lies after its download; huggingface_hub itself tries again."""
        with self._translated(sha):
            return Path(self.api.hf_hub_download(self.name, file, repo_type="dataset", revision=sha, local_dir=folder))

    @contextmanager
    def _translated(self, revision: str) -> Iterator[None]:
        import httpx2
        from huggingface_hub import errors

        try:
            yield
        except errors.HfHubHTTPError as error:
            raise self._refused(error, revision) from error
        except errors.HFValidationError as error:
            raise SourceError(f"'{self.name}' is not a dataset's name", expected="hf:user/dataset") from error
        except errors.OfflineModeIsEnabled as error:
            raise _Unreachable("cannot reach the Hub: HF_HUB_OFFLINE switches it off", hint=_HINT) from error
        except (httpx2.TransportError, errors.LocalEntryNotFoundError, errors.FileMetadataError) as error:
            if isinstance(error.__cause__, errors.HfHubHTTPError):
                raise self._refused(error.__cause__, revision) from error
            reason = next(iter(str(error.__cause__ or error).splitlines()), "") or type(error).__name__
            raise _Unreachable(f"cannot reach the Hub; {self.host}: {reason}", hint=_HINT) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError, LookupError, *_ODD) as error:
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
            happened = f"{self.host} does not describe '{self.name}' as the Hub does: {reason[:200]}"
            raise SourceError(happened, expected="the Hugging Face Hub", hint=_HINT) from error

    def _refused(self, error: "HfHubHTTPError", revision: str) -> SourceError:
        """What a refusal of the Hub means."""
        from huggingface_hub import errors

        status = error.response.status_code
        if isinstance(error, errors.GatedRepoError):
            hint = "Ask for access on the dataset's page, and set HF_TOKEN to a token of yours."
            return SourceError(f"the dataset {self.name} is gated: it opens on request only", hint=hint)
        if isinstance(error, errors.RepositoryNotFoundError):
            hint = "Check the spelling. A private dataset opens with HF_TOKEN, of a user who may read it."
            return SourceError(f"{self.host} has no dataset '{self.name}', or does not show it to us", hint=hint)
        if isinstance(error, errors.RevisionNotFoundError):
            hint = f"Leave the revision out for the newest: hf:{self.name}"
            expected = "a branch, a tag or a whole commit"
            return SourceError(f"the dataset {self.name} has no revision '{revision}'", expected=expected, hint=hint)
        if isinstance(error, errors.DisabledRepoError):
            return SourceError(f"the dataset {self.name} was disabled by its Hub", hint="Choose another dataset.")
        if status in {401, 403}:
            hint = "HF_TOKEN must hold a valid token that may read it."
            return SourceError(f"{self.host} does not let us read '{self.name}' (HTTP {status})", hint=hint)
        kind = _NotNow if status == _BUSY or status >= _BROKEN else SourceError
        return kind(f"{self.host} answers HTTP {status} for '{self.name}'", hint=_HINT)
