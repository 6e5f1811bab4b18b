"""A small Hugging Face Hub on the loopback: what huggingface_hub asks when it describes, lists and downloads.

Repositories of any type are added from files; they may be private, gated or disabled, have branches, and keep large files on
another address, as the Hub's own storage does. Faults come when told. It takes no uploads.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_sesame"

_KINDS = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}  # prefix of a file's address
_API = re.compile(r"/api/(models|datasets|spaces)/([^/]+/[^/]+)(?:/(revision|tree|refs)(?:/([^/]+)(?:/(.*))?)?)?")
_FILE = re.compile(r"/(?:(datasets|spaces)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Repository:
    """Files by path at each commit, and commits by branch or tag."""

    kind: str
    name: str
    private: bool = False
    gated: bool = False
    disabled: bool = False
    card: dict[str, Any] = field(default_factory=dict)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    large: frozenset[str] = frozenset()  # paths whose content lies on the storage's address

    def commit(self, files: Mapping[str, bytes], ref: str = "main") -> str:
        """Make these the files of a branch or tag; the commit's id."""
        state = json.dumps([[path, hashlib.sha256(data).hexdigest()] for path, data in sorted(files.items())])
        sha = hashlib.sha1(f"{self.name} {len(self.commits)} {state}".encode(), usedforsecurity=False).hexdigest()
        self.commits[sha] = dict(files)
        self.refs[ref] = sha
        return sha


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class HubServer(ThreadingHTTPServer):
    """``cut`` and ``status`` say how often an address (without query) fails, and how; ``replies`` replaces its answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self.server_port}"
        self.address = f"http://{self.host}"
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.storage: dict[str, bytes] = {}
        self.cut: Counter[str] = Counter()
        self.status: dict[str, list[int]] = {}
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, str, str]] = []  # method, path and Authorization header

    def add(self, kind: str, name: str, files: Mapping[str, bytes], **settings: Any) -> Repository:
        """Add a repository (``kind`` is models, datasets or spaces) with these files on its main branch."""
        repository = Repository(kind, name, **settings)
        repository.commit(files)
        self.repositories[kind, name] = repository
        return repository

    def answer(self, address: str, token: str, wanted: str) -> Reply:
        """The reply to a GET or HEAD; ``wanted`` is the Range header."""
        parts = urlsplit(address)
        path, query = parts.path, parse_qs(parts.query)
        if path in self.replies:
            return self.replies[path]
        if path.startswith("/storage/"):
            return self._stored(path.removeprefix("/storage/"), token, wanted)
        if path == "/api/whoami-v2":
            return (
                _json({"name": "ann", "type": "user", "orgs": []}) if token == TOKEN else _refusal(401, "", "Invalid")
            )
        if match := _API.fullmatch(path):
            return self._api(match, query, token)
        if match := _FILE.fullmatch(path):
            return self._file(match, token, wanted)
        return _refusal(404, "", "no such page")

    def _found(self, kind: str, name: str, token: str) -> Repository | Reply:
        if token and token != TOKEN:
            return _refusal(401, "", "Invalid credentials in Authorization header")
        repository = self.repositories.get((kind, name))
        if repository is None or (repository.private and not token):
            # As the Hub does: to whom is not known, it does not tell what there is.
            return _refusal(404 if token else 401, "RepoNotFound", "Repository not found")
        if repository.disabled:
            return _refusal(403, "", "Access to this resource is disabled.")
        return repository

    def _api(self, match: re.Match[str], query: Mapping[str, list[str]], token: str) -> Reply:
        kind, name, what, ref, below = match.groups()
        repository = self._found(kind, unquote(name), token)
        if isinstance(repository, Reply):
            return repository
        if what == "refs":
            branches = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c} for n, c in repository.refs.items()]
            return _json({"branches": branches, "converts": [], "tags": []})
        sha = _commit_of(repository, unquote(ref or "main"))
        if not sha:
            return _refusal(404, "RevisionNotFound", f"Invalid rev id: {ref}")
        files = repository.commits[sha]
        if what == "tree":
            prefix = f"{unquote(below)}/" if below else ""
            return _json([_entry(path, data) for path, data in sorted(files.items()) if path.startswith(prefix)])
        blobs = "blobs" in query
        listed = [{"rfilename": path} | ({"size": len(data)} if blobs else {}) for path, data in sorted(files.items())]
        gated = "manual" if repository.gated else False
        facts = {"id": repository.name, "sha": sha, "private": repository.private, "gated": gated, "siblings": listed}
        return _json(facts | {"disabled": False, "cardData": repository.card, "tags": [], "downloads": 0, "likes": 0})

    def _file(self, match: re.Match[str], token: str, wanted: str) -> Reply:
        kind, name, ref, path = match[1] or "models", match[2], unquote(match[3]), unquote(match[4])
        repository = self._found(kind, name, token)
        if isinstance(repository, Reply):
            return repository
        if repository.gated and not token:
            return _refusal(401, "GatedRepo", f"Access to {kind} {name} is restricted.")
        sha = _commit_of(repository, ref)
        if not sha:
            return _refusal(404, "RevisionNotFound", f"Invalid rev id: {ref}")
        data = repository.commits[sha].get(path)
        if data is None:
            return _refusal(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": sha})
        if path not in repository.large:
            return _content(data, wanted, {"X-Repo-Commit": sha, "ETag": f'"{_blob_id(data)}"'})
        digest = hashlib.sha256(data).hexdigest()
        self.storage[digest] = data
        # Another host's name of the same loopback: the token must not follow.
        place = f"http://localhost:{self.server_port}/storage/{digest}"
        linked = {"X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{digest}"', "Location": place}
        return Reply(302, b"", {"X-Repo-Commit": sha, **linked})

    def _stored(self, digest: str, token: str, wanted: str) -> Reply:
        if token or digest not in self.storage:
            return Reply(400 if token else 404)
        return _content(self.storage[digest], wanted, {"ETag": f'"{digest}"'})


def _commit_of(repository: Repository, ref: str) -> str:
    return ref if ref in repository.commits else repository.refs.get(ref, "")


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _entry(path: str, data: bytes) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": len(data), "oid": _blob_id(data)}


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    words = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    return Reply(status, json.dumps({"error": message}).encode(), {**words, **(headers or {})})


def _content(data: bytes, wanted: str, headers: Mapping[str, str]) -> Reply:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if not match:
        return Reply(200, data, {**headers, "Accept-Ranges": "bytes"})
    first, last = int(match[1]), min(int(match[2] or len(data) - 1), len(data) - 1)
    return Reply(206, data[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(data)}"})


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(with_body=True)

    def do_HEAD(self) -> None:
        self._serve(with_body=False)

    def _serve(self, *, with_body: bool) -> None:
        hub, path = self.server, urlsplit(self.path).path
        given = self.headers.get("Authorization", "")
        hub.asked.append((self.command, path, given))
        reply = hub.answer(self.path, given.removeprefix("Bearer "), self.headers.get("Range", ""))
        if hub.status.get(path):
            reply = Reply(hub.status[path].pop(0), b"told to fail")
        digest = b64encode(hashlib.sha256(reply.body).digest()).decode()
        self.send_response(reply.status)
        for name, value in {"X-Request-Id": digest[:12], **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        body = reply.body if with_body else b""
        if with_body and hub.cut[path]:
            hub.cut[path] -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def hub_serving() -> Iterator[HubServer]:
    """A Hub that answers while the block runs; ``HF_ENDPOINT`` is to be set to its ``address``."""
    with HubServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
