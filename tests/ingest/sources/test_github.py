"""The real client against a GitHub on the loopback, which can be told to misbehave."""

import time
from pathlib import Path
from random import Random

import pytest
from tests.ingest.sources.github_server import NOWHERE, PAGES, Client, Fault, GitHub, client, hub, quick, tarball

from dragoman.errors import SourceError
from dragoman.ingest.sources import github_api

__all__ = ["client", "hub", "quick"]


def test_a_repository_is_one_request_and_its_commit_is_known_from_the_archive(hub: GitHub, client: Client) -> None:
    commit = hub.add().commit(PAGES)
    source = client.take("github:owner/repo")
    assert hub.paths == ["/repos/owner/repo/tarball"]
    assert (source.label, source.ref, source.revision) == ("github:owner/repo@main", "main", commit)
    assert (
        source.base
        == source.root.parent
        == client.cache / "github" / f"127.0.0.1_{hub.api.server_port}+owner+repo" / commit
    )
    assert (source.root / "deep" / "lid.md").read_text() == "# Lid\n"
    assert source.page_url == f"http://{hub.api.host}/owner/repo/blob/{commit}/docs/{{path}}"
    assert (source.repository, source.files) == ("owner/repo", ())
    assert client.said == [
        f"github:owner/repo: downloading from {hub.api.host}",
        "github:owner/repo@main: reading the folder docs",
    ]
    assert not list(client.cache.rglob(".*"))


def test_a_commit_that_is_in_the_cache_needs_no_network(hub: GitHub, client: Client) -> None:
    commit = hub.add().commit(PAGES)
    first = client.take(f"github:owner/repo@{commit}:docs")
    assert first.label == f"github:owner/repo@{commit}:docs"
    asked = len(hub.paths)
    assert client.take(f"github:Owner/Repo@{commit}:docs").root == first.root
    assert len(hub.paths) == asked
    assert client.said[-1] == f"github:Owner/Repo@{commit[:7]}: from the cache"


@pytest.mark.parametrize("ref", ["", "@main"])
def test_a_branch_that_has_not_moved_is_looked_up_and_not_downloaded_again(
    hub: GitHub, client: Client, ref: str
) -> None:
    repository = hub.add()
    old = repository.commit(PAGES)
    assert client.take(f"github:owner/repo{ref}").revision == old
    again = client.take(f"github:owner/repo{ref}")
    assert (again.revision, again.label) == (old, "github:owner/repo@main")
    assert len(hub.codeload.asked) == 1
    new = repository.commit(PAGES | {"docs/new.md": "# New\n"})
    moved = client.take(f"github:owner/repo{ref}")
    assert (moved.revision, (moved.root / "new.md").is_file()) == (new, True)
    assert (again.root / "pour.md").is_file()
    assert len(hub.codeload.asked) == 2


def test_without_network_the_last_commit_of_the_ref_is_taken_and_said(hub: GitHub, client: Client) -> None:
    commit = hub.add().commit(PAGES)
    hub.add().tags["v1"] = commit
    first = client.take("github:owner/repo@v1")
    offline = Client(client.cache, hub.address)
    hub.faults = {"/": [Fault(502)] * 9}
    assert offline.take("github:owner/repo@v1") == first
    assert offline.said[0] == (
        f"github:owner/repo@v1: cannot reach {hub.api.host}: it answers HTTP 502; "
        f"taking commit {commit[:7]}, which was fetched before"
    )
    with pytest.raises(SourceError, match="cannot reach"):
        offline.take("github:owner/repo@main")


def test_without_network_and_cache_the_host_is_named(tmp_path: Path) -> None:
    client = Client(tmp_path, NOWHERE)
    assert "cannot reach 127.0.0.1:9: " in client.fails("github:owner/repo")


@pytest.mark.parametrize(
    ("text", "ref", "folder"),
    [
        ("https://github.com/owner/repo/tree/v1/docs", "v1", "docs"),
        ("https://github.com/owner/repo/tree/feature/steam/docs/deep", "feature/steam", "docs/deep"),
        ("https://github.com/owner/repo/tree/feature/steam", "feature/steam", ""),
        ("github:owner/repo@feature/steam:docs", "feature/steam", "docs"),
    ],
)
def test_a_pasted_address_with_a_slash_in_its_ref_is_understood(
    hub: GitHub, client: Client, text: str, ref: str, folder: str
) -> None:
    repository = hub.add()
    repository.tags["v1"] = repository.commit(PAGES)
    commit = repository.commit(PAGES | {"docs/x.md": "x"}, branch="feature/steam")
    source = client.take(text)
    assert (source.ref, source.revision) == (ref, commit if "/" in ref else repository.tags["v1"])
    assert source.label == f"github:owner/repo@{ref}" + (f":{folder}" if folder else "")
    asked = len(hub.paths)
    assert client.take(text) == source
    assert hub.paths[asked:] == [f"/repos/owner/repo/commits/{ref}"]


def test_a_ref_with_a_slash_that_was_typed_is_not_guessed_at(hub: GitHub, client: Client) -> None:
    hub.add().commit(PAGES, branch="feature/steam")
    message = client.fails("github:owner/repo@feature:steam/docs")
    assert "'owner/repo' has no branch, tag or commit 'feature'" in message


def test_a_file_of_a_pasted_address_is_the_only_one_read(hub: GitHub, client: Client) -> None:
    commit = hub.add().commit(PAGES)
    source = client.take("https://github.com/owner/repo/blob/main/docs/deep/lid.md#steam")
    assert (source.root.name, source.files) == ("deep", ("lid.md",))
    assert source.page_url.endswith(f"/blob/{commit}/docs/deep/{{path}}")
    assert source.label == "github:owner/repo@main:docs/deep/lid.md"


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (PAGES | {"doc/a.md": ""}, "docs"),
        ({"docs/logo.svg": "", "website/docs/a.mdx": ""}, "website/docs"),
        ({"documentation/a.rst": "", "a.py": ""}, "documentation"),
        ({"guide/a.md": "", "docs/theme.css": ""}, ""),
    ],
)
def test_the_usual_folder_is_taken_and_said(hub: GitHub, client: Client, files: dict[str, str], taken: str) -> None:
    hub.add().commit(files)
    source = client.take("github:owner/repo")
    assert source.base is not None
    assert source.root == source.base / taken
    assert client.said[-1].endswith(f"reading the folder {taken}" if taken else "reading the whole repository")
    assert source.label == "github:owner/repo@main"


def test_a_missing_folder_is_answered_with_the_ones_that_are_there(hub: GitHub, client: Client) -> None:
    hub.add().commit(PAGES)
    with pytest.raises(SourceError, match=r"has no folder 'deep'; expected one of its folders \(docs/deep\)"):
        client.take("github:owner/repo:deep")
    with pytest.raises(SourceError, match=r"no folder 'guide'; expected one of its folders \(docs, src\).*git\+http"):
        client.take("github:owner/repo:guide")


def test_links_are_left_out_and_said(hub: GitHub, client: Client) -> None:
    hub.add().commit(PAGES, links={"docs/out.md": "../../../etc/passwd", "docs/in.md": "pour.md"})
    source = client.take("github:owner/repo@main")
    assert sorted(path.name for path in source.root.iterdir()) == ["deep", "pour.md"]
    assert [(row.item, row.reason) for row in source.left_out] == [
        ("in.md", "link not followed"),
        ("out.md", "link not followed"),
    ]
    assert client.take("github:owner/repo@main").left_out == source.left_out
    assert any("left out 2 links" in line and "docs/out.md, docs/in.md" in line for line in client.said)


def test_a_hostile_archive_is_refused_with_its_reason(hub: GitHub, client: Client) -> None:
    repository = hub.add()
    commit = repository.commit({"../../../evil.md": "out"})
    assert "evil.md' leaves the folder" in client.fails("github:owner/repo")
    repository.archives[commit] = tarball({"a.md": "a"}, commit, top="a/../b")
    assert "leaves the folder" in client.fails("github:owner/repo")


def test_the_limits_of_the_settings_hold_and_are_named(hub: GitHub, client: Client) -> None:
    hub.add().commit(PAGES | {"docs/noise.md": Random(13).randbytes(60_000).hex()})
    assert "more than 2 files" in client.fails("github:owner/repo", max_files=2)
    message = client.fails("github:owner/repo", max_total_mb=0.01)
    assert "sends more than 0.01 MB for owner/repo. To allow more: max_total_mb" in message


def test_an_archive_that_does_not_name_its_commit_is_asked_about(hub: GitHub, client: Client) -> None:
    repository = hub.add()
    commit = repository.commit(PAGES)
    repository.archives[commit] = tarball(PAGES, "", top="owner-repo-x")
    assert client.take("github:owner/repo").revision == commit
    assert hub.paths == ["/repos/owner/repo/tarball", "/repos/owner/repo/commits/HEAD"]


def test_a_default_branch_that_nobody_names_is_shown_by_its_commit(hub: GitHub, client: Client) -> None:
    hub.names_branch = False
    commit = hub.add().commit(PAGES)
    assert client.take("github:owner/repo").label == f"github:owner/repo@{commit[:7]}"


def test_another_commit_than_the_one_asked_for_is_refused(hub: GitHub, client: Client) -> None:
    repository = hub.add()
    commit = repository.commit(PAGES)
    repository.archives[commit] = tarball(PAGES, "f" * 40)
    assert f"sent the commit {'f' * 40}" in client.fails(f"github:owner/repo@{commit}")


@pytest.mark.parametrize("kind", ["connection", "body"])
def test_a_download_that_breaks_off_is_begun_again(hub: GitHub, client: Client, kind: str) -> None:
    # Larger than what is written at once, so that the first try leaves something behind.
    commit = hub.add().commit(PAGES | {"docs/noise.md": Random(13).randbytes(700_000).hex()})
    hub.cut[kind] = 1
    assert client.take("github:owner/repo").revision == commit
    assert len(hub.codeload.asked) == 2


@pytest.mark.parametrize(
    ("kind", "words"), [("connection", "cannot reach"), ("body", "is damaged, or is no gzip file")]
)
def test_a_download_that_always_breaks_off_ends_in_one_line(hub: GitHub, client: Client, kind: str, words: str) -> None:
    hub.add().commit(PAGES)
    hub.cut[kind] = 99
    assert words in client.fails("github:owner/repo")


def test_a_server_that_fails_at_first_is_asked_again(hub: GitHub, client: Client) -> None:
    commit = hub.add().commit(PAGES)
    hub.faults = {"/repos": [Fault(502)], "/owner": [Fault(500)]}
    assert client.take("github:owner/repo").revision == commit


def test_a_used_up_rate_limit_says_until_when_and_how_to_raise_it(hub: GitHub, client: Client) -> None:
    hub.add().commit(PAGES)
    reset = int(time.time()) + 37 * 60 - 20
    limited = Fault(403, "API rate limit exceeded", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)})
    hub.faults = {"/repos": [limited]}
    message = client.fails("github:owner/repo")
    until = time.strftime("%H:%M", time.localtime(reset + 1))
    assert f"the rate limit of {hub.api.host} is used up until {until} (37 min from now)" in message
    assert "or set GITHUB_TOKEN" in message
    assert len(hub.paths) == 1
    client.take("github:owner/repo")
    hub.faults = {"/repos": [limited]}
    client.take("github:owner/repo")
    assert "used up until" in client.said[-2]
    assert "fetched before" in client.said[-2]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"retry-after": "0"}),
        (429, {"retry-after": "0"}),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}),
    ],
)
def test_a_short_rate_limit_is_waited_for_and_said(
    hub: GitHub, client: Client, status: int, headers: dict[str, str]
) -> None:
    commit = hub.add().commit(PAGES)
    hub.faults = {"/repos": [Fault(status, "You have exceeded a secondary rate limit", headers)]}
    assert client.take("github:owner/repo").revision == commit
    assert any("s for the rate limit of" in line for line in client.said)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(403, "You have exceeded a secondary rate limit"),
        Fault(429),
        Fault(403, headers={"retry-after": "120"}),
        Fault(429, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 10}),
    ],
)
def test_a_long_rate_limit_is_not_waited_for(hub: GitHub, client: Client, fault: Fault) -> None:
    hub.add().commit(PAGES)
    hub.faults = {"/repos": [fault]}
    assert "is used up until" in client.fails("github:owner/repo")


def test_a_rate_limit_that_never_ends_is_given_up(hub: GitHub, client: Client) -> None:
    hub.faults = {"/repos": [Fault(429, headers={"retry-after": "0"})] * 99}
    assert "is used up until" in client.fails("github:owner/repo")
    assert len(hub.paths) == github_api._TRIES + 1
