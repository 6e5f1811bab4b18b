"""A package index on the loopback: PEP 503 and PEP 691 pages, archives, credentials, and faults when told."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dragoman.errors import SourceError
from dragoman.ingest.sources.pip_config import PipConfig
from dragoman.ingest.sources.pypi import fetch_pypi
from dragoman.ingest.sources.spec import FetchedSource, SourceSpec

JSON = "application/vnd.pypi.simple.v1+json"
PAGES = {"docs/start.md": "# Start\n", "README.md": "# Left\n", "src/left.py": "x = 1\n"}


def sdist(files: Mapping[str, str], top: str = "left-1.0/", links: Mapping[str, str] | None = None) -> bytes:
    """A ``.tar.gz`` of text files below one folder; ``links`` are symbolic."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as bundle:
        for name, text in files.items():
            info = tarfile.TarInfo(top + name)
            info.size = len(text.encode())
            bundle.addfile(info, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(top + name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            bundle.addfile(info)
    return gzip.compress(raw.getvalue(), mtime=0)


def wheel(files: Mapping[str, str]) -> bytes:
    """A ``.whl``: a zip without a top folder."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as bundle:
        for name, text in files.items():
            bundle.writestr(name, text)
    return raw.getvalue()


@dataclass
class Published:
    """A file as the index lists it; ``sha256`` and ``yanked`` as they stand on the page."""

    path: str
    content: bytes
    sha256: str
    yanked: str | None = None


class IndexServer(ThreadingHTTPServer):
    """``packages`` by normalised name; ``pages`` replaces what a path answers; ``cut`` and ``status`` are faults by path."""

    daemon_threads = True

    def __init__(self, *, offers_json: bool = True, user: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self.server_port}"
        self.address = f"http://{self.host}/simple/"
        self.offers_json = offers_json
        self.allowed = "Basic " + b64encode(user.encode()).decode() if user else ""
        self.packages: dict[str, list[Published]] = {}
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.cut: Counter[str] = Counter()
        self.status: dict[str, list[int]] = {}
        self.asked: list[tuple[str, str]] = []  # path and Authorization header

    def publish(self, name: str, file: str, content: bytes, **listed: Any) -> Published:
        """List a file; ``sha256`` and ``yanked`` may be given."""
        digest = hashlib.sha256(content).hexdigest()
        entry = Published(f"/files/{file}", content, listed.get("sha256", digest), listed.get("yanked"))
        self.packages.setdefault(name, []).append(entry)
        return entry

    def answer(self, path: str, accept: str) -> tuple[str, bytes] | None:
        """Media type and body of a path; ``None`` when there is nothing."""
        if path in self.pages:
            return self.pages[path]
        if path.startswith("/simple/"):
            files = self.packages.get(path.removeprefix("/simple/").strip("/"))
            if files is None:
                return None
            return _json_page(files) if self.offers_json and JSON in accept else _html_page(files)
        every = [file for files in self.packages.values() for file in files if file.path == path]
        return ("application/octet-stream", every[0].content) if every else None


def _json_page(files: list[Published]) -> tuple[str, bytes]:
    listed = [
        {
            "filename": file.path.rpartition("/")[2],
            "url": f"../..{file.path}",
            "hashes": {"sha256": file.sha256} if file.sha256 else {},
            "yanked": file.yanked or file.yanked is not None,
        }
        for file in files
    ]
    return JSON, json.dumps({"meta": {"api-version": "1.1"}, "name": "?", "files": listed}).encode()


def _html_page(files: list[Published]) -> tuple[str, bytes]:
    lines = ["<!DOCTYPE html><html><body><h1>Links</h1>"]
    for file in files:
        digest = f"#sha256={file.sha256}" if file.sha256 else ""
        yanked = f' data-yanked="{escape(file.yanked)}"' if file.yanked is not None else ""
        lines.append(f'<a href="../..{file.path}{digest}"{yanked}>{escape(file.path.rpartition("/")[2])}</a><br>')
    return "text/html; charset=UTF-8", "\n".join([*lines, "</body></html>"]).encode()


class _Handler(BaseHTTPRequestHandler):
    server: IndexServer

    def do_GET(self) -> None:
        index, path = self.server, self.path
        given = self.headers.get("Authorization", "")
        index.asked.append((path, given))
        answer = index.answer(path, self.headers.get("Accept", ""))
        status = 404 if answer is None else 200
        if index.allowed and given != index.allowed:
            status = 401
        if index.status.get(path):
            status = index.status[path].pop(0)
        kind, body = answer if answer and status == 200 else ("text/plain", b"no")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if index.cut[path]:
            index.cut[path] -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """Answer requests while the block runs."""
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield
        server.shutdown()
        thread.join()


def ignore(line: str) -> None:
    assert line


def release(index: IndexServer, *versions: str, **listed: str) -> None:
    for version in versions:
        content = sdist({**PAGES, "docs/version.md": f"# {version}\n"}, top=f"left-{version}/")
        index.publish("left", f"left-{version}.tar.gz", content, **listed)


def named(version: str = "", folder: str = "", location: str = "left") -> SourceSpec:
    return SourceSpec("pypi", f"pypi:{location}", location, version, folder)


def config_for(*addresses: str) -> PipConfig:
    return PipConfig({"PIP_INDEX_URL": addresses[0], "PIP_EXTRA_INDEX_URL": " ".join(addresses[1:])}, [])


def take(
    index: IndexServer, cache: Path, spec: SourceSpec | None = None, said: list[str] | None = None
) -> FetchedSource:
    say = said.append if said is not None else ignore
    return fetch_pypi(spec or named(), cache / "cache", say, config_for(index.address))


def fails(index: IndexServer, tmp_path: Path, spec: SourceSpec | None = None) -> str:
    """The message of the failure; asserts that nothing stays in the cache."""
    with pytest.raises(SourceError) as caught:
        take(index, tmp_path, spec)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    message = str(caught.value)
    assert "\n" not in message
    return message
