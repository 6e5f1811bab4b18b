"""The real client against a real registry on the loopback, which can be told to misbehave."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest

from dragoman.errors import SourceError
from dragoman.ingest.sources import npm
from dragoman.ingest.sources.npm import DEFAULT_REGISTRY, NpmConfig, Package, fetch_package


def archive(files: dict[str, str], top: str = "package/") -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as bundle:
        for name, text in files.items():
            info = tarfile.TarInfo(top + name)
            info.size = len(text.encode())
            bundle.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


def sri(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class Registry(ThreadingHTTPServer):
    """``bodies`` by path; ``cut`` and ``status`` say how often a path fails, and how."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.bodies: dict[str, bytes] = {}
        self.cut: Counter[str] = Counter()
        self.status: dict[str, list[int]] = {}
        self.asked: list[tuple[str, str]] = []  # path and Authorization header

    def publish(self, name: str, *versions: str, content: bytes | None = None, **dist: Any) -> None:
        listed = {}
        for version in versions:
            data = content or archive({"package.json": "{}", "docs/a.md": f"# {name} {version}\n"})
            place = f"/{name}/-/{version}.tgz"
            self.bodies[place] = data
            listed[version] = {"dist": {"tarball": self.address + place, "integrity": sri(data)} | dist}
        tags = {"latest": versions[-1], "next": versions[0]}
        self.bodies["/" + name.replace("/", "%2F")] = json.dumps({"dist-tags": tags, "versions": listed}).encode()


class _Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        path, registry = self.path, self.server
        registry.asked.append((path, self.headers.get("Authorization", "")))
        body = registry.bodies.get(path)
        status = registry.status[path].pop(0) if registry.status.get(path) else 404 if body is None else 200
        self.send_response(status)
        body = body if body is not None and status == 200 else b"{}"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if registry.cut[path]:
            registry.cut[path] -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def config_for(address: str, folder: Path, **env: str) -> NpmConfig:
    return NpmConfig({"npm_config_registry": address, **env}, folder / "project", folder / "home")


def ignore(line: str) -> None:
    assert line


def take(registry: Registry, folder: Path, name: str = "left", version: str = "1.0.0") -> Package:
    return fetch_package(name, version, folder / "cache", ignore, config_for(registry.address, folder))


def fails(registry: Registry, tmp_path: Path, name: str = "left", version: str = "1.0.0") -> str:
    """The message of the failure; asserts that nothing stays in the cache."""
    with pytest.raises(SourceError) as caught:
        take(registry, tmp_path, name, version)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_package_is_downloaded_once_and_then_read_without_network(registry: Registry, tmp_path: Path) -> None:
    said: list[str] = []
    registry.publish("left", "1.0.0", "1.1.0")
    config = config_for(registry.address, tmp_path)
    first = fetch_package("left", "1.0.0", tmp_path / "cache", said.append, config)
    assert (first.root / "docs" / "a.md").read_text() == "# left 1.0.0\n"
    assert [path for path, _ in registry.asked] == ["/left", "/left/-/1.0.0.tgz"]
    offline = config_for("http://127.0.0.1:9", tmp_path)
    assert fetch_package("left", "1.0.0", tmp_path / "cache", said.append, offline) == first
    assert said == [f"npm:left@1.0.0: downloading from {registry.address[7:]}", "npm:left@1.0.0: from the cache"]
    assert not list((tmp_path / "cache").rglob(".*"))


@pytest.mark.parametrize(("asked", "resolved"), [("", "1.1.0"), ("next", "1.0.0"), ("1.1.0", "1.1.0"), ("1", "1.1.0")])
def test_a_version_left_out_or_a_tag_is_resolved(registry: Registry, tmp_path: Path, asked: str, resolved: str) -> None:
    said: list[str] = []
    registry.publish("left", "1.0.0", "1.1.0")
    for _ in range(2):
        package = fetch_package("left", asked, tmp_path, said.append, config_for(registry.address, tmp_path))
        assert package.version == resolved
        assert (package.root / "docs" / "a.md").read_text() == f"# left {resolved}\n"
    assert (f"npm:left@{asked}: taking {resolved}, the newest of these" in said) is (asked == "1")
    assert said[-1] == f"npm:left@{resolved}: from the cache"
    assert sum(path.endswith(".tgz") for path, _ in registry.asked) == 1


def test_a_scoped_package_is_asked_for_as_npm_does(registry: Registry, tmp_path: Path) -> None:
    registry.publish("@up/left", "2.0.0")
    assert take(registry, tmp_path, "@up/left", "2.0.0").name == "@up/left"
    assert registry.asked[0][0] == "/@up%2Fleft"


def test_the_folder_in_an_archive_may_have_any_name(registry: Registry, tmp_path: Path) -> None:
    registry.publish("left", "1.0.0", content=archive({"README.md": "# Left\n"}, top="left/"))
    assert (take(registry, tmp_path).root / "README.md").is_file()


def test_content_that_does_not_match_its_checksum_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.publish("left", "1.0.0", integrity=sri(b"something else"))
    assert "left@1.0.0 does not match its sha512" in fails(registry, tmp_path)


@pytest.mark.parametrize("integrity", ["", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha512-AAAA", "sha512-!"])
def test_a_release_without_a_strong_checksum_is_refused(registry: Registry, tmp_path: Path, integrity: str) -> None:
    registry.publish("left", "1.0.0", integrity=integrity)
    assert "gives no sha512 for left@1.0.0" in fails(registry, tmp_path)
    assert len(registry.asked) == 1


def test_the_strong_checksum_is_found_among_others(registry: Registry, tmp_path: Path) -> None:
    data = archive({"docs/a.md": "# A\n"})
    registry.publish("left", "1.0.0", content=data, integrity=f"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= {sri(data)}?x=1")
    assert take(registry, tmp_path, version="").version == "1.0.0"


def test_a_hostile_archive_is_refused_even_with_its_right_checksum(registry: Registry, tmp_path: Path) -> None:
    registry.publish("left", "1.0.0", content=archive({"../../evil.md": "out"}))
    assert "leaves the folder" in fails(registry, tmp_path)


def test_an_archive_without_folder_is_refused(registry: Registry, tmp_path: Path) -> None:
    registry.publish("left", "1.0.0", content=archive({"README.md": "# Left\n"}, top=""))
    with pytest.raises(SourceError, match="holds no folder"):
        take(registry, tmp_path)


@pytest.mark.parametrize("version", ["../../../evil", ".hidden", "1.0.0/x"])
def test_a_version_that_would_leave_the_cache_is_refused(registry: Registry, tmp_path: Path, version: str) -> None:
    registry.publish("left", version)
    assert "no version 'latest' of 'left'" in fails(registry, tmp_path, version="")


def test_what_is_unknown_is_named_with_the_newest_versions(registry: Registry, tmp_path: Path) -> None:
    assert "knows no package 'lefft'" in fails(registry, tmp_path, "lefft")
    registry.publish("left", "9.0.0", "10.0.0", "2.0.0", "10.0.1-beta.1", "10.0.0-rc.1", "1.0.0", "3.0.0", "9.1.0")
    message = fails(registry, tmp_path, version="11")
    assert "no version '11' of 'left'" in message
    assert "The newest are 10.0.0, 9.1.0, 9.0.0, 3.0.0, 2.0.0; latest is 9.1.0." in message


@pytest.mark.parametrize("path", ["/left", "/left/-/1.0.0.tgz"])
def test_a_connection_that_is_cut_is_tried_again_from_the_beginning(
    registry: Registry, tmp_path: Path, path: str
) -> None:
    # Larger than what is written at once, so that the first try leaves something behind.
    noise = Random(13).randbytes(700_000).hex()
    registry.publish("left", "1.0.0", content=archive({"docs/a.md": noise}), notes=noise)
    registry.cut[path] = 1
    assert (take(registry, tmp_path).root / "docs" / "a.md").is_file()
    assert Counter(asked for asked, _ in registry.asked)[path] == 2


def test_a_connection_that_is_always_cut_ends_in_one_line(registry: Registry, tmp_path: Path) -> None:
    registry.publish("left", "1.0.0")
    registry.cut["/left/-/1.0.0.tgz"] = 99
    assert "cannot reach the npm registry" in fails(registry, tmp_path)
    assert len(registry.asked) == 4


def test_a_busy_registry_is_asked_again(registry: Registry, tmp_path: Path) -> None:
    registry.publish("left", "1.0.0")
    registry.status = {"/left": [503], "/left/-/1.0.0.tgz": [429]}
    assert take(registry, tmp_path).version == "1.0.0"


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [(401, "_authToken", 1), (403, "does not let us read 'left' (HTTP 403)", 1), (500, "answers HTTP 500", 3)],
)
def test_a_refusal_of_the_registry_is_reported(
    registry: Registry, tmp_path: Path, status: int, words: str, requests: int
) -> None:
    registry.publish("left", "1.0.0")
    registry.status = {"/left": [status] * 3}
    assert words in fails(registry, tmp_path)
    assert len(registry.asked) == requests


def test_without_network_the_newest_package_in_the_cache_is_taken_and_said(registry: Registry, tmp_path: Path) -> None:
    said: list[str] = []
    offline = config_for("http://127.0.0.1:9", tmp_path)
    with pytest.raises(SourceError, match=r"cannot reach the npm registry; 127\.0\.0\.1:9: .*refused"):
        fetch_package("left", "", tmp_path / "cache", said.append, offline)
    registry.publish("left", "10.0.0", "9.0.0")
    assert [take(registry, tmp_path, version=each).version for each in ("9.0", "10.0.0")] == ["9.0.0", "10.0.0"]
    assert fetch_package("left", "^9", tmp_path / "cache", ignore, offline).version == "9.0.0"
    assert fetch_package("left", "", tmp_path / "cache", said.append, offline).version == "10.0.0"
    assert said == ["npm:left: the registry cannot be reached; taking 10.0.0, the newest in the cache"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>please log in</html>",
        b"[]",
        b'{"versions": 3}',
        b'{"versions": {"1.0.0": {}}}',
        b'{"versions": {"1.0.0": {"dist": {"integrity": "sha512-A"}}}}',
        b'{"versions": {"1.0.0": null}, "dist-tags": {"1.0.0": ["1.0.0"]}}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
def test_nonsense_of_a_registry_is_refused(registry: Registry, tmp_path: Path, body: bytes) -> None:
    registry.bodies["/left"] = body
    assert "did not answer with npm's description of 'left'" in fails(registry, tmp_path)


def test_a_registry_that_sends_too_much_is_stopped(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish("left", "1.0.0")
    monkeypatch.setattr(npm, "MAX_DOWNLOAD", 100)
    assert "sends more than 100 bytes" in fails(registry, tmp_path)


def test_a_mirror_is_asked_for_archives_that_it_says_are_at_the_public_registry(
    registry: Registry, tmp_path: Path
) -> None:
    registry.publish("left", "1.0.0", tarball=DEFAULT_REGISTRY + "left/-/1.0.0.tgz")
    take(registry, tmp_path)
    assert [path for path, _ in registry.asked] == ["/left", "/left/-/1.0.0.tgz"]


def test_a_token_goes_to_its_registry_and_nowhere_else(registry: Registry, tmp_path: Path) -> None:
    with Registry() as other:
        thread = Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        registry.publish("left", "1.0.0", tarball=other.address + "/left.tgz")
        other.bodies["/left.tgz"] = registry.bodies["/left/-/1.0.0.tgz"]
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / ".npmrc").write_text(f"{registry.address[5:]}/:_authToken = ${{TOKEN}}\n")
        config = config_for(registry.address, tmp_path, TOKEN="sesame")
        fetch_package("left", "1.0.0", tmp_path / "cache", ignore, config)
        other.shutdown()
        thread.join()
    assert (registry.asked, other.asked) == ([("/left", "Bearer sesame")], [("/left.tgz", "")])


def test_a_cache_that_cannot_be_written_is_named(registry: Registry, tmp_path: Path) -> None:
    registry.publish("left", "1.0.0")
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(SourceError, match="cannot write to the cache"):
        take(registry, tmp_path)
