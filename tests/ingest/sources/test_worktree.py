"""What git's own files tell about a folder: real work trees, and damaged ones."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.config import IngestSettings
from dragoman.ingest.sources.fetch import fetch
from dragoman.ingest.sources.spec import FetchedSource, parse_source

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


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=Ann", "-c", "user.email=ann@left.test", "-c", "init.defaultBranch=main"]
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(folder), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=clean).stdout.strip()


needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


@needs_git
def test_a_work_tree_tells_its_commit_and_where_its_pages_are_seen(fetched: Fetch, tmp_path: Path) -> None:
    top = tmp_path / "left"
    page(top / "web site" / "docs" / "a.md")
    page(top / "build" / "docs" / "a.md")
    page(top / "docs" / "a.md")
    page(top / ".gitignore", "/build\n/docs\n")
    git(top, "init")
    assert fetched("left/web site/docs")[0].revision == ""
    git(top, "remote", "add", "origin", "https://ann:sesame@github.com/up/left.git")
    git(top, "add", ".")
    git(top, "commit", "-m", "docs")
    commit = git(top, "rev-parse", "HEAD")
    address = f"https://github.com/up/left/blob/{commit}"
    for packed in (False, True):
        if packed:
            git(top, "pack-refs", "--all")
        (source,) = fetched("left/web site/docs")
        assert source == FetchedSource(
            "docs",
            top / "web site" / "docs",
            top,
            commit,
            page_url=f"{address}/web%20site/docs/{{path}}",
            repository="up/left",
        )
        assert fetched("left")[0].page_url == f"{address}/{{path}}"
    for ignored in ("left/build/docs", "left/docs"):
        (source,) = fetched(ignored)
        assert (source.revision, source.page_url, source.repository) == ("", "", "up/left")
    git(top, "checkout", "--detach")
    assert fetched("left/web site/docs")[0].revision == commit
    git(top, "worktree", "add", "../second")
    (source,) = fetched("second/web site/docs")
    assert (source.revision, source.repository) == (commit, "up/left")
    git(top, "update-index", "--index-version", "4")
    assert fetched("left/web site/docs")[0].revision == commit


@needs_git
@pytest.mark.parametrize(
    ("origin", "repository", "start"),
    [
        ("git@github.com:up/left.js.git", "up/left.js", "https://github.com/up/left.js/blob/"),
        ("ssh://git@github.com:22/up/left", "up/left", "https://github.com/up/left/blob/"),
        ("https://code.test/up/group/left.git", "up/group/left", ""),
        ("/srv/git/left.git", "docs", ""),
        ("https://notgithub.com/up/left", "up/left", ""),
    ],
)
def test_the_repository_is_that_of_the_origin(
    fetched: Fetch, tmp_path: Path, origin: str, repository: str, start: str
) -> None:
    page(tmp_path / "docs" / "a.md")
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "other", "https://github.com/other/other")
    git(tmp_path, "remote", "add", "origin", origin)
    git(tmp_path, "add", "docs")
    git(tmp_path, "commit", "-m", "docs")
    (source,) = fetched("docs")
    assert source.repository == repository
    assert source.page_url.startswith(start)
    assert bool(source.page_url) == bool(start)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("HEAD", b"ref: ../../../secret\n"),
        ("HEAD", b"ref: refs/../../secret\n"),
        ("HEAD", b"ref: refs/heads/none\n"),
        ("HEAD", b"\xff\xfe" * 99),
        ("HEAD", b""),
        ("config", b'[remote "origin"]\n\turl = ' + b" " * 300_000),
        ("config", b'[remote "origin"]' + b"\n" * 300_000),
        ("config", b'[remote "origin"]\nurl=' + b"a:" * 100_000),
        ("packed-refs", b"\0" * 100_000),
        ("commondir", b"\0"),
    ],
)
def test_damaged_files_of_git_tell_nothing(fetched: Fetch, tmp_path: Path, file: str, content: bytes) -> None:
    page(tmp_path / "left" / "a.md")
    page(tmp_path / "secret", "a" * 40)
    page(tmp_path / "left" / ".git" / "HEAD", "ref: refs/heads/main\n")
    (tmp_path / "left" / ".git" / file).write_bytes(content)
    (source,) = fetched("left")
    assert (source.revision, source.page_url, source.repository) == ("", "", "left")


def test_a_pointer_to_git_that_leads_nowhere_tells_nothing(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "docs" / "a.md")
    for content in ("gitdir: ../none", "gitdir: \0", "", "nonsense"):
        page(tmp_path / "docs" / ".git", content)
        assert fetched("docs")[0].revision == ""
