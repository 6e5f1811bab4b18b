"""Package indexes that misbehave, hide behind a password, or are several."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ingest.sources.index_server import (
    JSON,
    PAGES,
    IndexServer,
    config_for,
    fails,
    ignore,
    named,
    release,
    sdist,
    serving,
    take,
)

from dragoman.errors import SourceError
from dragoman.ingest.sources import pypi_index
from dragoman.ingest.sources.pypi import fetch_pypi


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pypi_index, "_WAITS", (0.01, 0.01, 0.0))


@pytest.fixture
def index() -> Iterator[IndexServer]:
    server = IndexServer()
    with serving(server):
        yield server


@pytest.mark.parametrize("path", ["/simple/left/", "/files/left-1.0.tar.gz"])
def test_a_connection_that_is_cut_is_tried_again(index: IndexServer, tmp_path: Path, path: str) -> None:
    release(index, "1.0")
    index.cut[path] = 1
    assert take(index, tmp_path).revision == "1.0"
    assert Counter(asked for asked, _ in index.asked)[path] == 2


def test_a_busy_index_is_asked_again(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0")
    index.status = {"/simple/left/": [503], "/files/left-1.0.tar.gz": [429]}
    assert take(index, tmp_path).revision == "1.0"


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [(401, "does not let us read /simple/left/ (HTTP 401)", 1), (403, ".netrc", 1), (500, "answers HTTP 500", 3)],
)
def test_a_refusal_of_the_index_is_reported(
    index: IndexServer, tmp_path: Path, status: int, words: str, requests: int
) -> None:
    release(index, "1.0")
    index.status = {"/simple/left/": [status] * 3}
    assert words in fails(index, tmp_path)
    assert len(index.asked) == requests


def test_a_file_that_is_listed_but_gone_is_reported(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0")
    index.status = {"/files/left-1.0.tar.gz": [404]}
    assert "lists left-1.0.tar.gz but does not have it" in fails(index, tmp_path)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b"<html>please log in</html>"),
        (JSON, b"[]"),
        (JSON, b'{"files": 3}'),
        (JSON, b'{"files": [{"filename": "left-1.0.tar.gz"}]}'),
        (JSON, b'{"files": [{"filename": "left-1.0.tar.gz", "url": "x", "hashes": null}]}'),
        (JSON, b"[" * 100_000),
        ("text/html", b"\xff\xfe\x00"),
    ],
)
def test_nonsense_of_an_index_is_refused(index: IndexServer, tmp_path: Path, kind: str, body: bytes) -> None:
    index.pages["/simple/left/"] = (kind, body)
    assert "did not answer with a list of the files of 'left'" in fails(index, tmp_path)


@pytest.mark.parametrize("link", ["http://[", "file:///etc/hostname", "ftp://127.0.0.1/x", "//:99999/", "mailto:x"])
def test_links_that_lead_nowhere_are_passed_over(index: IndexServer, tmp_path: Path, link: str) -> None:
    page = f'<a href="{link}/left-9.0.tar.gz#sha256={"0" * 64}">x</a><a>left-8.0.tar.gz</a><a href="left-.zip"></a>'
    index.pages["/simple/left/"] = ("text/html", page.encode())
    assert "has no files of a package 'left'" in fails(index, tmp_path)


def test_an_index_that_sends_too_much_is_stopped(
    index: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(index, "1.0")
    monkeypatch.setattr(pypi_index, "MAX_DOWNLOAD", 100)
    assert "sends more than 100 bytes" in fails(index, tmp_path)


def test_credentials_go_to_their_index_and_into_no_line(tmp_path: Path) -> None:
    said: list[str] = []
    closed, other = IndexServer(user="ann:p@ss"), IndexServer()
    with serving(closed), serving(other):
        release(closed, "1.0")
        far = other.publish("left", "left-2.0.tar.gz", sdist(PAGES))
        page = '<a href="../../files/left-1.0.tar.gz#sha256={}">x</a><a href="http://{}{}#sha256={}">y</a>'
        near = closed.packages["left"][0].sha256
        page = page.format(near, other.host, far.path, far.sha256)
        closed.pages["/simple/left/"] = ("text/html", page.encode())
        config = config_for(f"http://ann:p%40ss@{closed.host}/simple")
        fetch_pypi(named("1.0"), tmp_path, said.append, config)
        fetch_pypi(named("2.0"), tmp_path, said.append, config)
        with pytest.raises(SourceError) as caught:
            fetch_pypi(named("3.0"), tmp_path, said.append, config_for(f"http://ann:wr%40ng@{closed.host}/simple"))
    assert {path for path, given in closed.asked if given == closed.allowed} >= {
        "/simple/left/",
        "/files/left-1.0.tar.gz",
    }
    assert other.asked == [(far.path, "")]
    assert f"{closed.host} does not let us read" in str(caught.value)
    everything = " ".join([*said, str(caught.value)])
    assert "p@ss" not in everything
    assert "p%40ss" not in everything
    assert "ng@" not in everything


def test_further_indexes_are_read_too(index: IndexServer, tmp_path: Path) -> None:
    said: list[str] = []
    other = IndexServer(offers_json=False)
    with serving(other):
        release(index, "1.0")
        release(other, "2.0")
        both = config_for(index.address, other.address)
        assert fetch_pypi(named(), tmp_path, said.append, both).revision == "2.0"
        half = config_for("http://127.0.0.1:9/", other.address)
        assert fetch_pypi(named(), tmp_path, said.append, half).revision == "2.0"
    assert any("127.0.0.1:9" in line and line.endswith("reading the other indexes") for line in said)


def test_an_index_may_be_a_folder(tmp_path: Path) -> None:
    content = sdist(PAGES)
    shelf = tmp_path / "simple" / "left"
    shelf.mkdir(parents=True)
    (tmp_path / "left-1.0.tar.gz").write_bytes(content)
    link = f'<a href="../../left-1.0.tar.gz#sha256={hashlib.sha256(content).hexdigest()}">left</a>'
    (shelf / "index.html").write_text(link)
    config = config_for((tmp_path / "simple").as_uri())
    assert fetch_pypi(named(), tmp_path / "cache", ignore, config).revision == "1.0"
    with pytest.raises(SourceError, match="has no files of a package 'right'"):
        fetch_pypi(named(location="right"), tmp_path / "cache", ignore, config)


@pytest.mark.parametrize("character", '<&"#;-!\n ')
def test_a_page_of_one_character_takes_no_time(index: IndexServer, tmp_path: Path, character: str) -> None:
    index.pages["/simple/left/"] = ("text/html", character.encode() * 200_000)
    assert "has no files" in fails(index, tmp_path)


def test_a_name_is_looked_up_in_its_normal_form(index: IndexServer, tmp_path: Path) -> None:
    index.publish("left-pad", "Left.Pad-1.0.tar.gz", sdist(PAGES, top="Left.Pad-1.0/"))
    index.publish("left-pad", "left-pad-extras-9.0.tar.gz", sdist(PAGES))
    assert take(index, tmp_path, named(location="Left__PAD")).label == "pypi:left-pad@1.0"
    assert index.asked[0][0] == "/simple/left-pad/"
