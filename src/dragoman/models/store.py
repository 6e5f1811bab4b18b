"""The folder where models are kept, and how one gets into it whole.

In: a model's name and size. Out: an empty folder to fill, then the model's folder in one rename; one process at
a time for a model. It does not know what a model is made of.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from dragoman.errors import ModelError

_MARGIN = 200_000_000


def models_home() -> Path:
    """The folder where models are kept: ``DRAGOMAN_MODELS``, else Dragoman's part of the user's cache."""
    if chosen := os.environ.get("DRAGOMAN_MODELS"):
        return Path(chosen).expanduser()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "dragoman" / "models"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "dragoman" / "models"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "dragoman" / "models"
    return Path.home() / ".cache" / "dragoman" / "models"


@contextmanager
def prepared(name: str, size: int) -> Iterator[Path]:
    """Give an empty folder beside the models, to one process at a time for one model; it is gone afterwards.

    Args:
        name: The model; becomes part of file names.
        size: Bytes that the model will take; 0: not known.

    Yields:
        The folder.

    Raises:
        ModelError: The models' folder cannot be written to, or has too little room.
    """
    home = models_home()
    hint = "Set DRAGOMAN_MODELS to a folder with room."
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / f".{name}.lock").open("w") as lock:
            if _wait_for(lock.fileno()):
                for left in home.glob(f".{name}.tmp-*"):  # by a process that was killed
                    shutil.rmtree(left, ignore_errors=True)
            _check_room(home, name, size, hint)
            beside = Path(mkdtemp(prefix=f".{name}.tmp-", dir=home))
            beside.chmod(0o755)
            try:
                yield beside
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise ModelError(f"cannot keep models in {home}: {error.strerror or error}", hint=hint) from error


def replace_folder(folder: Path, beside: Path) -> None:
    """Put a filled folder in the place of another, or where there was none.

    Args:
        folder: Where it belongs.
        beside: The filled folder, on the same file system.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    beside.rename(folder)


def _check_room(home: Path, name: str, size: int, hint: str) -> None:
    # Twice: a registry's parts lie beside the file that they become.
    need, free = 2 * size + _MARGIN, shutil.disk_usage(home).free
    if size and free < need:
        raise ModelError(
            f"{home} has {free / 1e6:.0f} MB free", expected=f"{need / 1e6:.0f} MB to fetch {name}", hint=hint
        )


def _wait_for(lock: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: two processes may fetch twice, and the rename keeps either whole
        return False
    fcntl.flock(lock, fcntl.LOCK_EX)
    return True
