"""The real client against a real package index on the loopback: what is chosen, checked, kept and read."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ingest.sources.index_server import (
    PAGES,
    IndexServer,
    config_for,
    fails,
    named,
    release,
    sdist,
    serving,
    take,
    wheel,
)

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources import pypi_index
from dragoman.ingest.sources.pypi import fetch_pypi
from dragoman.ingest.sources.spec import SourceSpec


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pypi_index, "_WAITS", (0.01, 0.01, 0.0))


@pytest.fixture
def index() -> Iterator[IndexServer]:
    server = IndexServer()
    with serving(server):
        yield server


@pytest.mark.parametrize("offers_json", [True, False], ids=["json", "html"])
def test_an_sdist_is_downloaded_once_and_then_read_without_network(tmp_path: Path, *, offers_json: bool) -> None:
    said: list[str] = []
    server = IndexServer(offers_json=offers_json)
    with serving(server):
        release(server, "1.0")
        first = take(server, tmp_path, named("1.0"), said)
        paths = [path for path, _ in server.asked]
    assert paths == ["/simple/left/", "/files/left-1.0.tar.gz"]
    assert (first.root / "start.md").read_text() == "# Start\n"
    assert first.base is not None
    assert (first.base / "src" / "left.py").is_file()
    assert (first.label, first.revision, first.repository) == ("pypi:left@1.0", "1.0", "left")
    offline = config_for("http://127.0.0.1:9/simple")
    assert fetch_pypi(named("1.0"), tmp_path / "cache", said.append, offline) == first
    assert said == [
        f"pypi:left@1.0: downloading from {server.host}",
        "pypi:left@1.0: reading docs/",
        "pypi:left@1.0: from the cache",
        "pypi:left@1.0: reading docs/",
    ]
    assert not list((tmp_path / "cache").rglob(".*"))


def test_no_build_is_run(index: IndexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "built"
    build = f"from pathlib import Path\nPath({str(mark)!r}).write_text('built')\n"
    project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    files = {**PAGES, "setup.py": build, "conftest.py": build, "backend.py": build, "pyproject.toml": project}
    index.publish("left", "left-1.0.tar.gz", sdist(files))
    source = take(index, tmp_path)
    assert source.base is not None
    assert (source.base / "setup.py").read_text() == build
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


@pytest.mark.parametrize(
    ("asked", "resolved"), [("", "1.10"), ("1.9", "1.9"), ("1.9.0", "1.9"), ("v1.9", "1.9"), ("2.0rc1", "2.0rc1")]
)
def test_the_newest_final_version_is_taken_unless_another_is_named(
    index: IndexServer, tmp_path: Path, asked: str, resolved: str
) -> None:
    release(index, "1.9", "1.10", "2.0rc1", "2.0.dev1")
    source = take(index, tmp_path, named(asked))
    assert (source.root / "version.md").read_text() == f"# {resolved}\n"
    assert source.revision == resolved
    assert take(index, tmp_path, named(asked)) == source
    assert sum(path.startswith("/files") for path, _ in index.asked) == 1


@pytest.mark.parametrize(
    ("asked", "resolved", "said_too"),
    [
        ("1.2", "1.2.10", True),
        ("1.2.*", "1.2.10", True),
        ("1", "1.3", True),
        ("2.0", "2.0", False),
        ("2.*", "2.0.1", True),
    ],
)
def test_the_first_numbers_of_a_version_mean_the_newest_that_begins_with_them(
    index: IndexServer, tmp_path: Path, asked: str, resolved: str, *, said_too: bool
) -> None:
    said: list[str] = []
    release(index, "1.2.9", "1.2.10", "1.2.11rc1", "1.3", "2.0", "2.0.1")
    release(index, "1.2.12", yanked="broken")
    assert take(index, tmp_path, named(asked), said).revision == resolved
    assert (f"pypi:left@{asked}: taking {resolved}, the newest of these" in said) is said_too


def test_without_final_version_the_newest_of_all_is_taken(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0a1", "1.0b1")
    assert take(index, tmp_path).revision == "1.0b1"


@pytest.mark.parametrize("offers_json", [True, False], ids=["json", "html"])
def test_a_withdrawn_version_is_taken_only_when_it_is_named(tmp_path: Path, *, offers_json: bool) -> None:
    said: list[str] = []
    server = IndexServer(offers_json=offers_json)
    with serving(server):
        release(server, "1.0")
        release(server, "1.1", yanked="wrong & broken")
        release(server, "1.2", yanked="")
        assert take(server, tmp_path).revision == "1.0"
        assert take(server, tmp_path, named("1.1"), said).revision == "1.1"
        assert take(server, tmp_path, named("1.2"), said).revision == "1.2"
    assert "pypi:left@1.1 was withdrawn by its authors: wrong & broken" in said
    assert "pypi:left@1.2 was withdrawn by its authors" in said


@pytest.mark.parametrize("name", ["../left", "left/pad", "", "left\n", "lëft"])
def test_what_is_no_name_is_refused_before_anything_is_asked(index: IndexServer, tmp_path: Path, name: str) -> None:
    assert "is not a package's name" in fails(index, tmp_path, named(location=name))
    assert not index.asked


def test_what_is_unknown_is_named_with_the_newest_versions(index: IndexServer, tmp_path: Path) -> None:
    assert f"{index.host} has no files of a package 'lefft'" in fails(index, tmp_path, named(location="lefft"))
    release(index, "9.0", "10.0", "2.0", "11.0rc1", "1.0", "3.0", "9.1")
    message = fails(index, tmp_path, named("12"))
    assert "no version '12' of 'left'" in message
    assert "The newest are 10.0, 9.1, 9.0, 3.0, 2.0." in message
    assert "no version 'newest' of 'left'" in fails(index, tmp_path, named("newest"))


@pytest.mark.parametrize("offers_json", [True, False], ids=["json", "html"])
def test_a_release_without_checksum_is_refused(tmp_path: Path, *, offers_json: bool) -> None:
    server = IndexServer(offers_json=offers_json)
    with serving(server):
        release(server, "1.0", sha256="")
        assert "gives no sha256 for left-1.0.tar.gz" in fails(server, tmp_path)
        assert len(server.asked) == 1


def test_content_that_does_not_match_its_checksum_is_refused(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0", sha256=hashlib.sha256(b"something else").hexdigest())
    assert "sent for left-1.0.tar.gz does not match its sha256" in fails(index, tmp_path)


def test_a_hostile_archive_is_refused_even_with_its_right_checksum(index: IndexServer, tmp_path: Path) -> None:
    index.publish("left", "left-1.0.tar.gz", sdist({"../../evil.md": "out"}))
    assert "leaves the folder" in fails(index, tmp_path)


def test_limits_of_the_settings_hold_for_an_sdist(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0")
    spec = SourceSpec("pypi", "pypi:left", "left", settings=IngestSettings(max_files=2))
    assert "more than 2 files" in fails(index, tmp_path, spec)


def test_links_in_an_sdist_are_passed_over(index: IndexServer, tmp_path: Path) -> None:
    index.publish("left", "left-1.0.tar.gz", sdist(PAGES, links={"docs/secret.md": "/etc/hostname"}))
    source = take(index, tmp_path)
    assert sorted(path.name for path in source.root.iterdir()) == ["start.md"]


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["Doc/a.rst", "tests/b.md"], "Doc"),
        (["documentation/a.txt", "README.md"], "documentation"),
        (["doc/a.md", "docs/requirements.txt", "docs/conf.py"], "doc"),
        (["docs/a.html", "doc/a.md"], "docs"),
    ],
)
def test_the_usual_folder_is_read_where_it_holds_documents(
    index: IndexServer, tmp_path: Path, names: list[str], folder: str
) -> None:
    index.publish("left", "left-1.0.tar.gz", sdist(dict.fromkeys(names, "# A\n")))
    source = take(index, tmp_path)
    assert (source.root.name, source.files, source.base) == (folder, (), source.root.parent)


def test_without_usual_folder_the_documents_among_all_files_are_read(index: IndexServer, tmp_path: Path) -> None:
    said: list[str] = []
    names = [
        "README.md",
        "guide/a.rst",
        "left.egg-info/SOURCES.txt",
        "left/page.html",
        "a.txt",
        ".github/b.md",
        ".c.md",
    ]
    index.publish("left", "left-1.0.tar.gz", sdist(dict.fromkeys(names, "# A\n")))
    source = take(index, tmp_path, said=said)
    assert (source.files, source.root) == (("README.md", "guide/a.rst"), source.base)
    assert said[-1] == "pypi:left@1.0: reading the documents among all its files (2)"


def test_a_named_folder_is_read_and_a_missing_one_is_named_with_the_others(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0")
    source = take(index, tmp_path, named(folder="src"))
    assert (source.label, source.root.name) == ("pypi:left@1.0:src", "src")
    for missing in ("guide", "../left-1.0", "README.md", "docs/\0"):
        with pytest.raises(SourceError, match=r"has no folder .*one of its folders \(docs, src\)"):
            take(index, tmp_path, named(folder=missing))


def test_an_sdist_without_documents_is_refused(index: IndexServer, tmp_path: Path) -> None:
    index.publish("left", "left-1.0.tar.gz", sdist({"setup.py": "", "requirements.txt": "x"}))
    with pytest.raises(SourceError, match=r"the sdist of left 1\.0 holds no documents\. .*github:owner/repo"):
        take(index, tmp_path)


def test_a_zipped_sdist_is_read_and_the_tar_is_preferred(index: IndexServer, tmp_path: Path) -> None:
    index.publish("left", "left-1.0.zip", wheel({"left-1.0/docs/a.md": "# zip\n"}))
    assert (take(index, tmp_path).root / "a.md").read_text() == "# zip\n"
    release(index, "1.0")
    assert (take(index, tmp_path).root / "start.md").is_file()


def test_a_wheel_stands_in_where_there_is_no_sdist(index: IndexServer, tmp_path: Path) -> None:
    said: list[str] = []
    files = {"left/docs.md": "# Docs\n", "left-1.0.dist-info/METADATA": "Name: left\n", "left-1.0.dist-info/a.md": "#"}
    index.publish("left", "left-1.0-cp311-cp311-win_amd64.whl", b"not asked for")
    index.publish("left", "left-1.0-py3-none-any.whl", wheel(files))
    source = take(index, tmp_path, said=said)
    assert said[0] == "pypi:left@1.0: there is no sdist, only wheels; taking one"
    assert (source.files, source.page_url) == (("left/docs.md",), "")


def test_a_wheel_without_documents_is_refused(index: IndexServer, tmp_path: Path) -> None:
    files = {"left/a.py": "", "left-1.0.dist-info/METADATA": "", "left-1.0.dist-info/LICENSE.txt": "free"}
    index.publish("left", "left-1.0-py3-none-any.whl", wheel(files))
    with pytest.raises(SourceError, match=r"the wheel of left 1\.0 holds no documents"):
        take(index, tmp_path)


def test_without_network_the_newest_in_the_cache_is_taken_and_said(index: IndexServer, tmp_path: Path) -> None:
    said: list[str] = []
    offline = config_for("http://127.0.0.1:9/")
    with pytest.raises(SourceError, match=r"cannot reach the package index; 127\.0\.0\.1:9: .*refused"):
        fetch_pypi(named(), tmp_path / "cache", said.append, offline)
    release(index, "10.0", "9.0")
    take(index, tmp_path, named("9.0"))
    take(index, tmp_path, named("10.0"))
    (tmp_path / "cache" / "pypi" / "left" / "strange").mkdir()
    assert fetch_pypi(named(), tmp_path / "cache", said.append, offline).revision == "10.0"
    assert said[0] == "pypi:left: the index cannot be reached; taking 10.0, the newest in the cache"
    assert fetch_pypi(named("9.*"), tmp_path / "cache", said.append, offline).revision == "9.0"
    with pytest.raises(SourceError, match="cannot reach the package index"):
        fetch_pypi(named("11"), tmp_path / "cache", said.append, offline)


def test_a_cache_that_cannot_be_written_is_named(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0")
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(SourceError, match="cannot write to the cache"):
        take(index, tmp_path)
