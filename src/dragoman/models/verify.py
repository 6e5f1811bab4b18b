"""Is a model's folder, byte for byte, what the catalog says?

In: a folder and the files it must hold. Out: nothing, or a ``ModelError`` that names the file. What was hashed
once is remembered beside the files by size and time, so that the next look costs a few ``stat`` calls. It does
not know where files come from.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dragoman.errors import ModelError

STATE_NAME = ".verified.json"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model: path with ``/`` in the model's folder, size in bytes, sha256 in hex."""

    path: str
    size: int
    sha256: str


def sha256_of(path: Path) -> str:
    """Hash a file without holding it in memory.

    Args:
        path: The file.

    Returns:
        The sha256, 64 hex digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: Path, files: Iterable[ModelFile], *, name: str, hint: str) -> None:
    """Compare a model's folder with the catalog, hashing only what changed since it was last found good.

    Args:
        folder: The model's folder.
        files: What it must hold; other files in it are ignored.
        name: The model, for messages.
        hint: What mends it, for messages.

    Raises:
        ModelError: A file is missing, of another size, or of another hash.
    """
    known = _read_state(folder)
    found: dict[str, list[object]] = {}
    for file in files:
        path = folder / file.path
        try:
            stat = path.stat()
        except OSError as error:
            raise ModelError(f"{name}: {path} is missing", hint=hint) from error
        if stat.st_size != file.size:
            raise ModelError(f"{name}: {path} has {stat.st_size} bytes", expected=f"{file.size}", hint=hint)
        mark: list[object] = [stat.st_size, stat.st_mtime_ns, file.sha256]
        if known.get(file.path) != mark:
            actual = sha256_of(path)
            if actual != file.sha256:
                raise ModelError(
                    f"{name}: {path} has sha256 {actual[:12]}...", expected=f"{file.sha256[:12]}...", hint=hint
                )
        found[file.path] = mark
    if found != known:
        _write_state(folder, found)


def _read_state(folder: Path) -> dict[str, object]:
    try:
        state = json.loads((folder / STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _write_state(folder: Path, state: dict[str, list[object]]) -> None:
    beside = folder / f"{STATE_NAME}.{os.getpid()}"
    try:
        beside.write_text(json.dumps(state), encoding="utf-8")
        beside.replace(folder / STATE_NAME)
    except OSError:  # a read-only folder is hashed each time, which is slow but right
        beside.unlink(missing_ok=True)
