"""Models small enough to make on the spot, and the sources that would give them."""

import base64
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.models.catalog import ModelCard
from dragoman.models.sources import WheelSource
from dragoman.models.verify import ModelFile

FILES = {"config.json": b'{"small": true}', "1_Pooling/config.json": b"{}", "model.safetensors": bytes(range(256)) * 40}


def model_file(path: str, data: bytes) -> ModelFile:
    """The catalog's line for a file with these bytes."""
    return ModelFile(path, len(data), hashlib.sha256(data).hexdigest())


def write_wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    """Write a wheel, version 1.0, that pip accepts and that holds the members."""
    info = f"{name}-1.0.dist-info"
    every = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, data in every.items():
            wheel.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\n"
        wheel.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")


@pytest.fixture
def small_files() -> dict[str, bytes]:
    """The files of the small model, by path."""
    return dict(FILES)


@pytest.fixture
def describe() -> Callable[[str, bytes], ModelFile]:
    """Makes the catalog's line for a path and bytes."""
    return model_file


@pytest.fixture
def make_wheel(registry: Path) -> Callable[[str, dict[str, bytes]], None]:
    """Puts a wheel, version 1.0, with the given members into the registry."""
    return lambda name, members: write_wheel(registry, name, members)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows of a package registry."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models."""
    monkeypatch.setenv("DRAGOMAN_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def small_card() -> ModelCard:
    """A model of three files in one wheel, ``small_model``."""
    return ModelCard(
        name="small",
        role="embedding",
        licence="Apache-2.0",
        summary="a test's",
        files=tuple(model_file(path, data) for path, data in FILES.items()),
        sources=(WheelSource((("small-model==1.0", "small_model/files/"),)),),
    )


@pytest.fixture
def publish(registry: Path) -> Callable[..., None]:
    """Put the small model into the registry, with some of its files changed."""

    def put(**changed: bytes) -> None:
        files = {**FILES, **{name.replace("__", "."): data for name, data in changed.items()}}
        write_wheel(registry, "small_model", {f"small_model/files/{path}": data for path, data in files.items()})

    return put
