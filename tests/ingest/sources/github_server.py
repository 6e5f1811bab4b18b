"""A GitHub on the loopback: its API and, on a port of its own, the server that hands out archives; and a client of it."""

import gzip
import io
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources import download
from dragoman.ingest.sources.github import fetch_github, parse_github
from dragoman.ingest.sources.spec import FetchedSource, SourceSpec

PAGES = {
    "README.md": "# Kettle\n",
    "docs/pour.md": "# Pour\n",
    "docs/deep/lid.md": "# Lid\n",
    "src/kettle.py": "pass\n",
}
TOKEN = "ghp_sesame"
NOWHERE = "http://127.0.0.1:9"
TICKET = "one-time-ticket"


def tarball(files: Mapping[str, str], commit: str, top: str = "", links: Mapping[str, str] | None = None) -> bytes:
    """What git makes of a commit; without ``commit`` it is not named inside."""
    top = top or f"owner-repo-{commit[:7]}"
    named = {"comment": commit} if commit else {}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT, pax_headers=named) as bundle:
        for name, text in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(text.encode())
            bundle.addfile(info, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.type, info.linkname = tarfile.SYMTYPE, target
            bundle.addfile(info)
    return gzip.compress(raw.getvalue(), mtime=0)


@dataclass
class Repository:
    """Branches, tags and commits; ``key`` is the token that a private one asks for."""

    default: str = "main"
    heads: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    archives: dict[str, bytes] = field(default_factory=dict)
    key: str = ""

    def commit(self, files: Mapping[str, str], branch: str = "main", links: Mapping[str, str] | None = None) -> str:
        """Put files on a branch; gives the commit."""
        commit = sha1(repr((sorted(files.items()), branch)).encode(), usedforsecurity=False).hexdigest()
        self.archives[commit] = tarball(files, commit, links=links)
        self.heads[branch] = commit
        return commit

    def find(self, ref: str) -> tuple[str, str]:
        """The commit and full name of a ref, "" when there is none."""
        ref = self.default if ref in {"", "HEAD"} else ref
        for kind, names in (("heads", self.heads), ("tags", self.tags)):
            if ref in names:
                return names[ref], f"refs/{kind}/{ref}"
        known = [commit for commit in self.archives if len(ref) >= 7 and commit.startswith(ref)]
        return (known[0], known[0]) if known else ("", "")


@dataclass
class Fault:
    """An answer in place of the right one."""

    status: int
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """One of the two servers; it remembers the path and the Authorization of what it was asked."""

    daemon_threads = True

    def __init__(self, handler: type["_Handler"], hub: "GitHub") -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.hub = hub
        self.host = f"127.0.0.1:{self.server_port}"
        self.asked: list[tuple[str, str]] = []


class GitHub:
    """Both servers. ``faults`` by the beginning of a path are used up one by one; ``cut`` counts broken downloads."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.repositories: dict[str, Repository] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.cut: Counter[str] = Counter()  # by "connection" (less than announced) or "body" (announced, but damaged)
        self.names_branch = True  # whether the place of an archive tells the branch
        self.api, self.codeload = Server(_Api, self), Server(_Codeload, self)
        self.address = f"http://{self.api.host}{prefix}"

    def add(self, name: str = "owner/repo", **settings: Any) -> Repository:
        return self.repositories.setdefault(name, Repository(**settings))

    @property
    def paths(self) -> list[str]:
        """What the API was asked for."""
        return [path for path, _ in self.api.asked]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        hub = self.server.hub
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        for start, faults in hub.faults.items():
            if self.path.startswith(start) and faults:
                fault = faults.pop(0)
                self.answer(fault.status, {"message": fault.message}, fault.headers)
                return
        self.serve()

    def serve(self) -> None:
        raise NotImplementedError

    def answer(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send(status, data, len(data), headers)

    def send(self, status: int, data: bytes, announced: int, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(announced))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Api(_Handler):
    def serve(self) -> None:
        hub = self.server.hub
        path = unquote(urlsplit(self.path).path)
        match = re.fullmatch(re.escape(hub.prefix) + r"/repos/([^/]+/[^/]+)(?:/(.*))?", path)
        repository = hub.repositories.get(match[1]) if match else None
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == "expired":
            self.answer(401, {"message": "Bad credentials"})
        elif match is None or repository is None or (repository.key and repository.key != token):
            self.answer(404, {"message": "Not Found"})
        else:
            self.about(match[1], repository, match[2] or "")

    def about(self, name: str, repository: Repository, path: str) -> None:
        verb, _, rest = path.partition("/")
        commit, full = repository.find(rest)
        if not path:
            self.answer(200, {"full_name": name, "default_branch": repository.default})
        elif verb == "commits":
            self.answer(200, commit.encode()) if commit else self.answer(
                422, {"message": f"No commit found for: {rest}"}
            )
        elif verb == "tarball" and commit:
            hub = self.server.hub
            place = full if hub.names_branch else commit
            ticket = f"?token={TICKET}" if repository.key else ""
            location = f"http://{hub.codeload.host}/{name}/legacy.tar.gz/{place}{ticket}"
            self.answer(302, b"", {"Location": location})
        elif path.startswith("git/matching-refs/"):
            _, _, kind, prefix = path.split("/", 3)
            names = {"heads": repository.heads, "tags": repository.tags}[kind]
            self.answer(200, [{"ref": f"refs/{kind}/{each}"} for each in sorted(names) if each.startswith(prefix)])
        else:
            self.answer(404, {"message": "Not Found"})


class _Codeload(_Handler):
    def serve(self) -> None:
        hub = self.server.hub
        parts = urlsplit(self.path)
        match = re.fullmatch(r"/([^/]+/[^/]+)/legacy\.tar\.gz/(.+)", unquote(parts.path))
        assert match
        repository = hub.repositories[match[1]]
        commit, _ = repository.find(re.sub(r"^refs/(heads|tags)/", "", match[2]))
        if repository.key and TICKET not in parts.query:
            self.answer(404, b"404: Not Found")
            return
        data = announced = repository.archives[commit]
        if hub.cut["connection"]:
            hub.cut["connection"] -= 1
            data = data[: len(data) // 2]
        elif hub.cut["body"]:
            hub.cut["body"] -= 1
            data = announced = data[: len(data) // 2]
        self.send(200, data, len(announced), {"Content-Type": "application/x-gzip"})


@contextmanager
def serving(hub: GitHub) -> Iterator[GitHub]:
    """Run both servers for as long as the block takes."""
    with ExitStack() as stack:
        for server in (hub.api, hub.codeload):
            stack.enter_context(server)
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield hub


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_WAITS", (0.01, 0.01, 0.0))
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with serving(GitHub()) as server:
        yield server


class Client:
    """Fetches into one cache, and keeps what is said."""

    def __init__(self, cache: Path, api: str) -> None:
        self.cache, self.api = cache, api
        self.said: list[str] = []

    def take(self, text: str, **settings: object) -> FetchedSource:
        name = parse_github(text)
        assert name is not None
        chosen = IngestSettings.model_validate({"github_api": self.api, **settings})
        spec = SourceSpec("github", text, name.repository, name.ref, name.folder, chosen)
        return fetch_github(spec, self.cache, self.said.append)

    def fails(self, text: str, **settings: object) -> str:
        """The message of the failure; asserts that no secret is in it and that nothing stays in the cache."""
        with pytest.raises(SourceError) as caught:
            self.take(text, **settings)
        message = str(caught.value)
        assert "\n" not in message
        assert not [secret for secret in (TOKEN, TICKET, "expired-") if secret in message]
        assert not [path for path in self.cache.rglob("*") if path.is_file()]
        return message


@pytest.fixture
def client(hub: GitHub, tmp_path: Path) -> Client:
    return Client(tmp_path / "cache", hub.address)
