"""Folders, files and archives on this machine: what is found, and what project it lies in."""

import inspect
import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources.fetch import fetch
from dragoman.ingest.sources.local import walk
from dragoman.ingest.sources.spec import ACCEPTED, FetchedSource, parse_source
from dragoman.records import Rejected

Fetch = Callable[..., list[FetchedSource]]


def ignore(line: str) -> None:
    assert line


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """Fetches what is typed, standing in the test's own folder."""
    monkeypatch.chdir(tmp_path)

    def fetch_typed(
        *texts: str, say: Callable[[str], None] = ignore, settings: IngestSettings | None = None
    ) -> list[FetchedSource]:
        return fetch([parse_source(text, settings) for text in texts], tmp_path / "cache", say)

    return fetch_typed


def page(place: Path, text: str = "# Page\n") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("dcos", "docs"), ("docs/gide/a.md", "docs/guide/a.md"), ("dosc/guide", "docs/guide"), ("dcos/none", "docs")],
)
def test_a_missing_folder_is_answered_with_the_nearest_one(
    fetched: Fetch, tmp_path: Path, typed: str, meant: str
) -> None:
    page(tmp_path / "docs" / "guide" / "a.md")
    with pytest.raises(SourceError) as caught:
        fetched(typed)
    wanted = f"there is no '{typed}'; expected {ACCEPTED}. Did you mean '{meant}'?"
    assert str(caught.value) == wanted


def test_a_missing_folder_like_no_other_is_plainly_missing(fetched: Fetch) -> None:
    with pytest.raises(SourceError) as caught:
        fetched("zzz/qqq/www")
    assert caught.value.hint == ""


@pytest.mark.parametrize("typed", ["a\0b", "x" * 300, "~nobody-of-that-name/docs"])
def test_a_path_that_cannot_be_is_one_plain_error(fetched: Fetch, typed: str) -> None:
    with pytest.raises(SourceError, match=r"there is no|cannot look at"):
        fetched(typed)


def test_a_pipe_is_no_source(fetched: Fetch, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(SourceError, match=r"'pipe\.md' is neither a folder nor a plain file"):
        fetched("pipe.md")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("pypi/left", "pypi:left"), ("github/up/left", "github:up/left"), ("up/left", "github:up/left")],
)
def test_a_missing_folder_that_may_be_another_kind_says_how_that_is_named(
    fetched: Fetch, typed: str, meant: str
) -> None:
    with pytest.raises(SourceError) as caught:
        fetched(typed)
    assert meant in caught.value.hint


@pytest.mark.parametrize(
    "marker",
    [
        "mkdocs.yml",
        "mkdocs.yaml",
        "docusaurus.config.ts",
        "pyproject.toml",
        "package.json",
        ".vitepress/config.ts",
        "setup.py",
    ],
)
def test_the_project_is_the_nearest_folder_with_a_project_file(fetched: Fetch, tmp_path: Path, marker: str) -> None:
    page(tmp_path / "top" / "package.json")
    page(tmp_path / "top" / "left" / marker)
    page(tmp_path / "top" / "left" / "a" / "b" / "docs" / "a.md")
    (source,) = fetched("top/left/a/b/docs")
    assert source.base == tmp_path / "top" / "left"
    assert (source.label, source.repository, source.revision) == ("docs", "docs", "")
    (source,) = fetched("top/left/a/b/docs/a.md")
    assert (source.base, source.files) == (tmp_path / "top" / "left", ("a.md",))
    assert fetched("top/left")[0].base is None


def test_a_project_too_far_up_is_none(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "pyproject.toml")
    page(tmp_path / "1" / "2" / "3" / "docs" / "deep" / "a.md")
    assert fetched("1/2/3/docs")[0].base == tmp_path
    assert fetched("1/2/3/docs/deep")[0].base is None


def test_the_home_folder_is_no_project(fetched: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (tmp_path, tmp_path / "ann"):
        page(place / "package.json")
        page(place / ".git" / "HEAD", "a" * 40)
        page(place / "docs" / "a.md")
    (tmp_path / "link").symlink_to(tmp_path / "ann")
    for home in ("ann", "link"):
        monkeypatch.setenv("HOME", str(tmp_path / home))
        for typed in ("ann/docs", "link/docs", "ann", "docs"):
            source = fetched(typed)[0]
            assert (source.base, source.revision) == (None, "")


def test_a_folder_that_everybody_may_write_to_is_no_project(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "shared" / "pyproject.toml")
    page(tmp_path / "shared" / "docs" / "a.md")
    (tmp_path / "shared").chmod(0o1777)
    assert fetched("shared/docs")[0].base is None


def test_a_tree_deeper_than_the_stack_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stack = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 200)
    depth = 300
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    Path("a.md").write_text("# Deep\n")
    try:
        assert [entry.name for entry in walk(tmp_path) if isinstance(entry, os.DirEntry)] == ["a.md"]
    finally:  # pytest's own cleaning up is a recursion
        sys.setrecursionlimit(stack)
        Path("a.md").unlink()
        for _ in range(depth):
            os.chdir("..")
            Path("d").rmdir()


@pytest.mark.parametrize(("beside", "read"), [("sources", []), ("ingest", []), ("guide", ["guide/a.md"])])
def test_a_workspace_inside_the_docs_is_not_read_as_docs(tmp_path: Path, beside: str, read: list[str]) -> None:
    page(tmp_path / "work" / "workspace.json")
    page(tmp_path / "work" / beside / "a.md")
    found = [Path(entry.path) for entry in walk(tmp_path) if isinstance(entry, os.DirEntry)]
    pages = [place.relative_to(tmp_path / "work").as_posix() for place in found if place.suffix == ".md"]
    assert pages == read
    assert any(isinstance(entry, os.DirEntry) for entry in walk(tmp_path / "work")), "named itself, it is read"


def zipped(place: Path, **files: str) -> Path:
    with zipfile.ZipFile(place, "w") as bundle:
        for name, text in files.items():
            bundle.writestr(name if "MACOSX" in name else name.replace("__", "/") + ".md", text)
    return place


def test_an_archive_is_unpacked_once_and_labelled_with_its_name(fetched: Fetch, tmp_path: Path) -> None:
    zipped(tmp_path / "docs.zip", left__guide__a="# A\n", left__b="# B\n", **{"__MACOSX/x": ""})
    (source,) = fetched("docs.zip")
    assert (source.label, source.repository, source.revision) == ("docs.zip", "docs.zip", "")
    assert (source.root / "guide" / "a.md").read_text() == "# A\n"
    assert source.base == source.root
    (source.root / "b.md").unlink()
    assert not (fetched("docs.zip")[0].root / "b.md").exists()
    (guide,) = fetched("docs.zip:guide/")
    assert (guide.label, guide.root, guide.base) == ("docs.zip:guide", source.root / "guide", source.root)
    with pytest.raises(SourceError, match=r"no folder 'gide'; expected one of its folders \(guide\)"):
        fetched("docs.zip:gide")
    zipped(tmp_path / "docs.zip", c="# C\n", d="# D\n")
    assert sorted(path.name for path in fetched("docs.zip")[0].root.iterdir()) == ["c.md", "d.md"]


def test_a_folder_of_an_archive_may_be_named_as_the_archive_has_it(fetched: Fetch, tmp_path: Path) -> None:
    zipped(tmp_path / "left.zip", docs__guide__a="# A\n", docs__b="# B\n")
    (whole,) = fetched("left.zip:docs")
    assert whole.root == fetched("left.zip")[0].root
    (guide,) = fetched("left.zip:docs/guide")
    assert guide.root == fetched("left.zip:guide")[0].root == whole.root / "guide"
    for typed in ("left.zip:doc", "left.zip:docs/gide"):
        with pytest.raises(SourceError, match=r"no folder '.*'; expected one of its folders \(guide\)"):
            fetched(typed)


def test_archives_of_equal_name_get_their_parents_names(fetched: Fetch, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        zipped(tmp_path / name / "docs.zip", **{name: name})
    assert [source.label for source in fetched("one/docs.zip", "two/docs.zip")] == ["one/docs.zip", "two/docs.zip"]


def test_a_folder_named_like_an_archive_is_a_folder(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "docs.zip" / "a.md")
    assert fetched("docs.zip")[0].root == tmp_path / "docs.zip"


def test_the_limits_of_a_source_hold_for_its_archive(fetched: Fetch, tmp_path: Path) -> None:
    zipped(tmp_path / "docs.zip", a="A", b="B", c="C")
    with pytest.raises(SourceError, match=r"more than 2 files.*max_files"):
        fetched("docs.zip", settings=IngestSettings(max_files=2))
    with pytest.raises(SourceError, match=r"grows over 2 bytes|takes"):
        fetched("docs.zip", settings=IngestSettings(max_total_mb=2e-6))
    assert fetched("docs.zip", settings=IngestSettings(max_files=3))


def test_links_of_an_archive_are_left_out_and_said(fetched: Fetch, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "docs.tar", "w") as bundle:
        link = tarfile.TarInfo("docs/passwd.md")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        bundle.addfile(link)
        info = tarfile.TarInfo("docs/a.md")
        info.size = 4
        bundle.addfile(info, io.BytesIO(b"# A\n"))
    said: list[str] = []
    (source,) = fetched("docs.tar", say=said.append)
    assert [path.name for path in source.root.iterdir()] == ["a.md"]
    assert said == ["docs.tar: links or doubtful names left out: 'docs/passwd.md'"]
    assert source.left_out == (Rejected("ingest", "passwd.md", "link not followed", "to '/etc/passwd'"),)
    assert fetched("docs.tar")[0].left_out == source.left_out


def test_an_sdist_is_data(fetched: Fetch, tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w').write('ran')\n"
    with tarfile.open(tmp_path / "left-1.0.tar.gz", "w:gz") as bundle:
        for name, text in (("setup.py", trap), ("conftest.py", trap), ("docs/index.rst", "Left\n====\n")):
            info = tarfile.TarInfo(f"left-1.0/{name}")
            info.size = len(text)
            bundle.addfile(info, io.BytesIO(text.encode()))
    (source,) = fetched("left-1.0.tar.gz")
    assert (source.root / "setup.py").read_text() == trap
    assert not (tmp_path / "ran").exists()


def test_an_archive_that_is_none_is_one_plain_error(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "docs.zip", "words")
    with pytest.raises(SourceError, match=r"docs\.zip refused: it is neither a zip nor a tar"):
        fetched("docs.zip")
    with pytest.raises(SourceError, match=r"there is no 'none\.zip'"):
        fetched("none.zip")
