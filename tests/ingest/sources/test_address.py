"""What people type and paste for a repository, and what they must not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import SourceError
from dragoman.ingest.sources.address import GitHubName, GitName, parse_git, parse_github, shown

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "ref", "folder"),
    [
        ("github:owner/repo", "", ""),
        (" GitHub:owner/repo.git ", "", ""),
        ("github:owner/repo@v2.1", "v2.1", ""),
        ("github:owner/repo:docs/guide/", "", "docs/guide"),
        ("github:owner/repo@v2:docs", "v2", "docs"),
        ("github:owner/repo@feature/x:/docs//a/.", "feature/x", "docs/a"),
        ("github:owner/repo@pkg@1.0.0:docs", "pkg@1.0.0", "docs"),
        ("github:owner/repo@HEAD", "", ""),
        (f"github:owner/repo@{HASH}", HASH, ""),
        ("github:owner/repo/tree/main/docs", "main", "docs"),
        ("github:https://github.com/owner/repo", "", ""),
        ("https://github.com/owner/repo", "", ""),
        ("http://www.github.com/owner/repo/", "", ""),
        ("github.com/owner/repo.git", "", ""),
        ("https://github.com/owner/repo.git/", "", ""),
        ("https://GitHub.com/owner/repo?tab=readme-ov-file#install", "", ""),
        ("https://github.com/owner/repo@v2:docs", "v2", "docs"),
        ("https://github.com/owner/repo/tree/", "", ""),
        ("https://github.com/owner/repo/tree/v2", "v2", ""),
        ("https://github.com/owner/repo/tree/HEAD/docs", "", "docs"),
        ("https://github.com/owner/repo/tree/v2/docs/?tab=x", "v2", "docs"),
        ("https://github.com/owner/repo/tree/feature/x/docs", "feature", "x/docs"),
        ("https://github.com/owner/repo/tree/refs/heads/main/docs", "main", "docs"),
        ("https://github.com/owner/repo/tree/main/my%20docs/%C3%BC", "main", "my docs/ü"),
        ("https://github.com/owner/repo/blob/main/docs/a.md?plain=1#L10-L20", "main", "docs/a.md"),
        ("https://github.com/owner/repo/edit/main/docs/a.md", "main", "docs/a.md"),
        (f"https://github.com/owner/repo/commit/{HASH}", HASH, ""),
        ("https://github.com/owner/repo/releases/tag/pkg/v1", "pkg/v1", ""),
        ("https://github.com/owner/repo/archive/refs/tags/v1.0.tar.gz", "v1.0", ""),
        ("https://github.com/owner/repo/archive/main.zip", "main", ""),
    ],
)
def test_a_repository_of_github_is_understood(text: str, ref: str, folder: str) -> None:
    assert parse_github(text) == GitHubName("owner/repo", ref, folder, "github.com")


@pytest.mark.parametrize(
    "text",
    [
        "docs",
        "owner/repo",
        "",
        "npm:left",
        "git+https://github.com/owner/repo",
        "git@github.com:owner/repo.git",
        "https://gitlab.com/owner/repo",
        "https://notgithub.com/owner/repo",
        "https://github.com.example/owner/repo",
        "https://docs.github.com/en/rest",
        "x" * 100_000,
    ],
)
def test_what_is_not_about_github_is_left_to_others(text: str) -> None:
    assert parse_github(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "github:",
        "github:owner",
        "github:/repo",
        "github:owner/",
        "github:owner/..",
        "github:-owner/repo",
        "github:owner/repo@",
        "github:owner/repo:",
        "github:owner/repo@-x",
        "github:owner/repo@a..b",
        "github:owner/repo@a b",
        "github:owner/repo@a\x00b",
        "github:owner/repo@x.lock",
        "github:owner/repo@refs/",
        "github:owner/repo@" + "x" * 300,
        "github:owner/repo@\ud800",
        "github:owner/repo:../x",
        "github:owner/repo:a\x00",
        "github:owner/re po",
        "github:öwner/repo",
        "github:" + "x" * 100_000,
        "https://github.com",
        "https://github.com/owner",
        "https://github.com/owner/repo/issues/3",
        "https://github.com/owner/repo/wiki",
        "https://github.com/owner/repo/tree/main/../../x",
        "https://github.com/owner/repo/tree/main/%2e%2e/x",
        "https://github.com/owner/repo/tree/--upload-pack=x",
    ],
)
def test_a_malformed_repository_of_github_is_refused(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_github(text)
    assert "\n" not in str(caught.value)


def test_a_token_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(SourceError, match="put a token in the environment variable") as caught:
        parse_github("https://sesame@github.com/owner/repo")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("git+https://host/o/r.git", GitName("https://host/o/r.git")),
        ("git+https://host/o/r.git@v1#subdirectory=docs/a", GitName("https://host/o/r.git", "v1", "docs/a")),
        ("git+https://host/o/r@feature/x:docs", GitName("https://host/o/r", "feature/x", "docs")),
        ("git+https://host/o/r.git@pkg@1.0", GitName("https://host/o/r.git", "pkg@1.0")),
        ("git+https://host/o/r:docs", GitName("https://host/o/r", "", "docs")),
        ("git+https://host:8443/r.git/", GitName("https://host:8443/r.git")),
        ("git+https://me:secret@host/r.git@v1", GitName("https://me:secret@host/r.git", "v1")),
        ("git+ssh://git@host/o/r.git@main", GitName("ssh://git@host/o/r.git", "main")),
        ("ssh://git@host:22/o/r.git", GitName("ssh://git@host:22/o/r.git")),
        ("git@host:o/r.git", GitName("ssh://git@host/o/r.git")),
        ("git+file:///srv/r.git@v1#egg=r&subdirectory=a%20b", GitName("file:///srv/r.git", "v1", "a b")),
        ("git+file:///srv/r", GitName("file:///srv/r")),
        ("GIT+HTTPS://host/r", GitName("https://host/r")),
        ("git+http://[::1]:80/r", GitName("http://[::1]:80/r")),
        ("docs", None),
        ("github:owner/repo", None),
        ("https://host/o/r", None),
    ],
)
def test_a_git_remote_is_understood(text: str, expected: GitName | None) -> None:
    assert parse_git(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "git+",
        "git+https://",
        "git+https://host",
        "git+https://host/",
        "git+ext::sh -c id",
        "git+ext://sh/x",
        "git+git://host/r",
        "git+--upload-pack=x",
        "git+file://host/r",
        "git+file:///",
        "git+ssh://-oProxyCommand=id/r",
        "git+ssh://-oProxyCommand=id@host/r",
        "git@-host:o/r",
        "git+https://host/r.git@-x",
        "git+https://host/r.git@a..b",
        "git+https://host/r.git@",
        "git+https://host/r.git#subdirectory=../x",
        "git+https://host/r.git#docs",
        "git+https://host/r?x=1",
        "git+https://host/r\nx",
        "git+https://me:sesame@host/r.git@-x",
        "git+https://me:a/b@sesame@host/r.git",
        "git+https://me:sesame/b@host/r.git",
        "git+https://me:a@sesame@host/r.git",
        "git+" + "x" * 100_000,
    ],
)
def test_a_malformed_git_remote_is_refused(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_git(text)
    assert "\n" not in str(caught.value)
    assert "sesame" not in str(caught.value)


@given(text=st.text(st.sampled_from("aZ0/@:.#?%-_ ~\\\n\x00é\ud800"), max_size=40), known=st.booleans())
def test_no_text_does_more_than_be_refused(text: str, *, known: bool) -> None:
    for start in ("github:", "https://github.com/", "github:o/r@", "git+https://", "git@h:", "git+file:///r.git", ""):
        for parse in (parse_github, parse_git):
            try:
                name = parse(start + ("o/r" if known else "") + text)
            except SourceError:
                continue
            if name is not None:
                assert ".." not in name.folder.split("/")
                assert not name.ref.startswith("-")
                assert not name.folder.startswith("/")


@pytest.mark.parametrize("letter", "@:/.#?%a-\\[(\n\u202e")
def test_no_long_text_takes_long(letter: str) -> None:
    began = time.process_time()
    for start in ("github:o/r", "git+https://h/r", "https://github.com/o/r/", "git@h:", "git+https://h/r.git@x", ""):
        for text in (letter * 1_000_000, letter * 1_900, f"x.git{letter}x" * 200 + ":"):
            for parse in (parse_github, parse_git):
                try:
                    parse(start + text)
                except SourceError:
                    continue
    assert time.process_time() - began < 2


def test_an_address_is_shown_without_its_password() -> None:
    assert shown("https://me:sesame@host/r and ssh://git@host/r") == "https://host/r and ssh://host/r"
