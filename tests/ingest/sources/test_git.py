"""Real repositories on this disk, read by the real git through file:// addresses."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources import git as git_source
from dragoman.ingest.sources.git import fetch_git, parse_git
from dragoman.ingest.sources.git_command import Git, GitRefused
from dragoman.ingest.sources.spec import FetchedSource, SourceSpec

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

PAGES = {
    "README.md": "# Kettle\n",
    "docs/pour.md": "# Pour\r\n",
    "docs/deep/lid.md": "# Lid\n",
    "src/kettle.py": "pass\n",
}


class Remote:
    """A repository with a work tree."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)
        self.address = f"file://{folder}"

    def git(self, *arguments: str) -> str:
        named = {f"GIT_{who}_{what}": "ann@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | named, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str] | None = None) -> str:
        for name, text in (files or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """A git without a developer's settings; also when the tests are run by a hook of git's."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    made = Remote(tmp_path / "remote" / "kettle")
    made.commit(PAGES)
    return made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def take(tmp_path: Path, said: list[str]) -> Callable[..., FetchedSource]:
    def fetch(text: str, **settings: object) -> FetchedSource:
        name = parse_git(f"git+{text}")
        assert name is not None
        chosen = IngestSettings.model_validate(settings)
        spec = SourceSpec("git", f"git+{text}", name.address, name.ref, name.folder, chosen)
        return fetch_git(spec, tmp_path / "cache", said.append)

    return fetch


Take = Callable[..., FetchedSource]


def test_the_default_branch_is_read_from_its_usual_folder(remote: Remote, take: Take, said: list[str]) -> None:
    source = take(remote.address)
    assert (source.label, source.ref) == ("git+file:kettle@main", "main")
    assert source.revision == remote.git("rev-parse", "main")
    assert source.base is not None
    assert source.root == source.base / "docs"
    assert (source.repository, source.page_url, source.files) == ("kettle", "", ())
    assert (source.root / "pour.md").read_bytes() == b"# Pour\r\n"
    assert said == ["git+file:kettle: fetching from this machine", "git+file:kettle@main: reading the folder docs"]
    assert not list(source.base.parent.glob(".*"))


def test_a_branch_a_tag_and_a_commit_are_found(remote: Remote, take: Take) -> None:
    first = remote.git("rev-parse", "HEAD")
    remote.git("tag", "light")
    remote.git("-c", "user.name=a", "-c", "user.email=a@localhost", "tag", "--annotate", "v1", "--message", "one")
    remote.git("switch", "--quiet", "--create", "feature/steam")
    steam = remote.commit({"docs/steam.md": "# Steam\n"})
    for ref in ("light", "v1", "refs/tags/v1", "main", first, first[:9]):
        source = take(f"{remote.address}@{ref}")
        assert (source.revision, source.ref, source.label) == (first, ref, f"git+file:kettle@{ref}")
    source = take(f"{remote.address}@feature/steam:docs/deep")
    assert (source.revision, source.root.name) == (steam, "deep")
    assert source.label == "git+file:kettle@feature/steam:docs/deep"
    assert take(f"{remote.address}@feature/steam#subdirectory=docs/steam.md").files == ("steam.md",)


def test_a_branch_that_moved_is_fetched_and_one_that_did_not_is_not(
    remote: Remote, take: Take, said: list[str]
) -> None:
    first = take(f"{remote.address}@main")
    assert take(f"{remote.address}@main") == first
    assert said[-2] == f"git+file:kettle@main: from the cache, commit {first.revision[:7]} is still the newest"
    new = remote.commit({"docs/new.md": "# New\n"})
    moved = take(f"{remote.address}@main")
    assert (moved.revision, (moved.root / "new.md").is_file()) == (new, True)
    assert not (first.root / "new.md").exists()


def test_without_its_remote_what_was_fetched_is_taken_and_said(remote: Remote, take: Take, said: list[str]) -> None:
    first = take(f"{remote.address}@main")
    shutil.rmtree(remote.folder)
    assert take(f"{remote.address}@main") == first
    assert said[-2].endswith(f"; taking commit {first.revision[:7]}, which was fetched before")
    assert take(f"{remote.address}@{first.revision}").root == first.root
    assert said[-2] == f"git+file:kettle@{first.revision}: from the cache"
    with pytest.raises(GitRefused, match=r"git ls-remote of file://.*kettle: .*Check the address"):
        take(f"{remote.address}@other")


def test_a_server_that_hands_out_no_single_commits_is_asked_for_all(
    remote: Remote, take: Take, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = remote.git("rev-parse", "HEAD")
    remote.commit({"docs/new.md": "# New\n"})
    settings = tmp_path / "gitconfig"
    settings.write_text("[protocol]\n\tversion = 0\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert take(f"{remote.address}@{old}").revision == old
    with pytest.raises(SourceError, match="has no branch, tag or commit 'abcdef0123'"):
        take(f"{remote.address}@abcdef0123")


def test_links_submodules_and_filters_do_not_act(
    remote: Remote, take: Take, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.md").write_text("secret")
    (remote.folder / "docs" / "out.md").symlink_to(tmp_path / "secret.md")
    (remote.folder / "docs" / "up").symlink_to("../..")
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[filter "run"]\n\tsmudge = touch {tmp_path}/ran; cat\n\trequired = true\n')
    (remote.folder / ".gitattributes").write_text("*.md filter=run export-ignore\n*.txt export-subst\n")
    (remote.folder / "docs" / "hash.txt").write_text("$Format:%H$")
    remote.git("add", "docs", ".gitattributes")
    remote.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},docs/module")
    remote.git("-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "--message", "links")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    source = take(remote.address)
    kept = sorted(path.relative_to(source.root).as_posix() for path in source.root.rglob("*"))
    assert kept == ["deep", "deep/lid.md", "hash.txt", "pour.md"]
    assert (source.root / "hash.txt").read_text() == "$Format:%H$"
    assert "left out 3 links" in said[1]
    assert [row.item for row in source.left_out] == ["module", "out.md", "up"]
    assert not (tmp_path / "ran").exists()


def test_a_git_folder_inside_a_repository_and_unreadable_names_are_left_out(
    remote: Remote, take: Take, said: list[str]
) -> None:
    blob = remote.git("hash-object", "-w", "README.md")
    inner = subprocess.run(
        ["git", "mktree", "-z"],
        cwd=remote.folder,
        input=f"100644 blob {blob}\thooks\0".encode() + f"100644 blob {blob}\t".encode() + b"\xff.md\0",
        capture_output=True,
        check=True,
    ).stdout.decode()
    tree = subprocess.run(
        ["git", "mktree", "-z"],
        cwd=remote.folder,
        input=f"040000 tree {inner.strip()}\t.GIT\0".encode() + f"100644 blob {blob}\ta.md\0".encode(),
        capture_output=True,
        check=True,
    ).stdout.decode()
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    remote.git("tag", "odd", remote.git(*who, "commit-tree", tree.strip(), "-m", "odd"))
    source = take(f"{remote.address}@odd")
    assert [path.name for path in source.root.iterdir()] == ["a.md"]
    assert "left out 2 links" in said[1]


def test_a_tree_that_leaves_its_folder_is_refused(remote: Remote, take: Take, tmp_path: Path) -> None:
    blob = remote.git("hash-object", "-w", "README.md")
    raw = b"100644 ..\\evil.md\0" + bytes.fromhex(blob)
    made = subprocess.run(
        ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        cwd=remote.folder,
        input=raw,
        capture_output=True,
        check=True,
    ).stdout.decode()
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    remote.git("tag", "evil", remote.git(*who, "commit-tree", made.strip(), "-m", "evil"))
    with pytest.raises(SourceError, match="leaves the folder"):
        take(f"{remote.address}@evil")
    assert not list((tmp_path / "cache").rglob("*evil*"))


def test_the_limits_of_the_settings_hold_and_are_named(remote: Remote, take: Take) -> None:
    with pytest.raises(SourceError, match=r"more than 2 files.*max_files"):
        take(remote.address, max_files=2)
    with pytest.raises(SourceError, match=r"takes 8 bytes|over 10 bytes"):
        take(remote.address, max_total_mb=0.00001)


def test_what_is_not_there_is_said(remote: Remote, take: Take, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no branch, tag or commit 'v9'.*git ls-remote"):
        take(f"{remote.address}@v9")
    with pytest.raises(SourceError, match=f"has no branch, tag or commit '{'1' * 40}'"):
        take(f"{remote.address}@{'1' * 40}")
    with pytest.raises(SourceError, match=r"no folder 'deep'; expected one of its folders \(docs/deep\)"):
        take(f"{remote.address}:deep")
    with pytest.raises(SourceError, match="has no commit yet"):
        take(Remote(tmp_path / "empty").address)


def test_a_repository_with_long_hashes_is_read(take: Take, tmp_path: Path) -> None:
    try:
        made = Remote(tmp_path / "long", "--object-format=sha256")
    except subprocess.CalledProcessError:
        pytest.skip("this git knows no sha256")
    commit = made.commit(PAGES)
    assert len(commit) == 64
    assert take(made.address).revision == commit


def test_git_that_is_missing_or_slow_is_one_line(
    remote: Remote, take: Take, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 30 & wait\n")
    slow.chmod(0o755)
    monkeypatch.setattr(git_source, "_LOOK_SECONDS", 0.2)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    began = time.monotonic()
    with pytest.raises(GitRefused, match=r"git ls-remote of .* took more than 0 s"):
        take(remote.address)
    assert time.monotonic() - began < 20, "what git had started was waited for"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="git is not installed"):
        take(remote.address)


def test_git_asks_nobody_and_says_no_secret(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TRACE", "1")
    with pytest.raises(GitRefused) as caught:
        take("http://me:open%20sesame@127.0.0.1:9/o/r.git")
    assert "git ls-remote of http://127.0.0.1:9/o/r.git: " in str(caught.value)
    assert "sesame" not in str(caught.value)
    git = Git("https://me:open%20sesame@host/r.git", tmp_path)
    assert git.address == "https://host/r.git"
    assert (
        git.run("config", "--get", "url.https://me:open%20sesame@host/r.git.insteadof", seconds=9).strip()
        == git.address
    )


def test_a_repository_around_the_cache_is_not_looked_at(remote: Remote, take: Take, tmp_path: Path) -> None:
    outer = Remote(tmp_path / "cache")
    outer.git("config", f"url.file://{tmp_path}/elsewhere.insteadOf", remote.address)
    assert take(remote.address).ref == "main"


@pytest.mark.parametrize(
    ("address", "start"),
    [
        ("https://github.com/o/r.git", "https://github.com/o/r/blob/"),
        ("ssh://git@gitlab.com/g/s/r.git", "https://gitlab.com/g/s/r/-/blob/"),
        ("https://gitlab.example:8443/o/r", "https://gitlab.example/o/r/-/blob/"),
        ("https://codeberg.org/o/r", "https://codeberg.org/o/r/src/commit/"),
        ("https://example.org/o/r", ""),
        ("file:///srv/github.com/r", ""),
    ],
)
def test_pages_are_linked_to_where_the_host_shows_them(address: str, start: str) -> None:
    assert git_source._pages(address, "1" * 40) == (start + "1" * 40 if start else "")
