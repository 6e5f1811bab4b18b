"""Tokens, private repositories, Enterprise servers, and what is said when GitHub refuses."""

from pathlib import Path

import httpx
import pytest
from tests.ingest.sources.github_server import (
    NOWHERE,
    PAGES,
    TICKET,
    TOKEN,
    Client,
    Fault,
    GitHub,
    client,
    hub,
    quick,
    serving,
)

from dragoman.errors import SourceError
from dragoman.ingest.sources import download

__all__ = ["client", "hub", "quick"]


def test_a_private_repository_is_read_with_a_token_that_no_other_server_sees(
    hub: GitHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.add(key=TOKEN).commit(PAGES)
    monkeypatch.setenv("GITHUB_TOKEN", f" {TOKEN}\n")
    assert client.take("github:owner/repo").revision == commit
    assert {key for _, key in hub.api.asked} == {f"Bearer {TOKEN}"}
    assert hub.codeload.asked == [(f"/owner/repo/legacy.tar.gz/refs/heads/main?token={TICKET}", "")]
    assert not [line for line in client.said if TOKEN in line or TICKET in line]


@pytest.mark.parametrize("text", ["github:owner/repo", "github:owner/repo@main", "github:owner/missing"])
def test_without_a_token_what_is_not_shown_may_be_private(hub: GitHub, client: Client, text: str) -> None:
    hub.add(key=TOKEN).commit(PAGES)
    message = client.fails(text)
    assert f"{hub.api.host} shows no repository '{text[7:].partition('@')[0]}'" in message
    assert "it may be private: set GITHUB_TOKEN" in message


def test_a_token_that_is_not_enough_is_named_by_its_variable(
    hub: GitHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(key=TOKEN).commit(PAGES)
    monkeypatch.setenv("GH_TOKEN", "another")
    assert "the token in GH_TOKEN may not be allowed to read it" in client.fails("github:owner/repo")
    monkeypatch.setenv("GH_TOKEN", "expired")
    message = client.fails("github:owner/repo")
    assert "does not let us read 'owner/repo' (HTTP 401): Bad credentials" in message
    assert "GH_TOKEN may be mistyped or expired" in message


def test_the_variable_of_the_settings_is_the_only_one_read(
    hub: GitHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(key=TOKEN).commit(PAGES)
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    assert "set WORK_TOKEN" in client.fails("github:owner/repo", github_token_env="WORK_TOKEN")
    monkeypatch.setenv("WORK_TOKEN", TOKEN)
    assert client.take("github:owner/repo", github_token_env="WORK_TOKEN").ref == "main"


@pytest.mark.parametrize(
    ("fault", "key", "words"),
    [
        (Fault(401, "Requires authentication"), "", "Set GITHUB_TOKEN to a token that may read it"),
        (Fault(403, "Resource not accessible"), TOKEN, "has to be allowed to read the repository's contents"),
        (Fault(403, "Forbidden", {"x-github-sso": "required; url=x"}), TOKEN, "single sign-on"),
        (Fault(403, f"who is {TOKEN}?\n\x1b[31m"), TOKEN, "who is ***?"),
        (Fault(409, "Git Repository is empty."), "", "Git Repository is empty"),
        (Fault(451, "Repository access blocked"), "", "HTTP 451 for 'owner/repo': Repository access blocked"),
        (Fault(418), "", "answers HTTP 418"),
    ],
)
def test_a_refusal_is_reported_once_with_what_to_do(
    hub: GitHub, client: Client, monkeypatch: pytest.MonkeyPatch, fault: Fault, key: str, words: str
) -> None:
    if key:
        monkeypatch.setenv("GITHUB_TOKEN", key)
    hub.add().commit(PAGES)
    hub.faults = {"/repos": [fault]}
    message = client.fails("github:owner/repo")
    assert words in message
    assert "\x1b" not in message
    assert len(hub.paths) == 1


def test_a_renamed_repository_is_followed_with_the_token(
    hub: GitHub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    commit = hub.add(key=TOKEN).commit(PAGES)
    hub.faults = {"/repos/old": [Fault(301, headers={"Location": "/repos/owner/repo/tarball"})]}
    assert client.take("github:old/name").revision == commit
    assert {key for _, key in hub.api.asked} == {f"Bearer {TOKEN}"}


def test_a_redirect_in_a_circle_or_without_encryption_is_refused(hub: GitHub, client: Client) -> None:
    hub.faults = {"/repos": [Fault(302, headers={"Location": "/repos/owner/repo/tarball"})] * 99}
    assert "redirects more than 5 times" in client.fails("github:owner/repo")
    assert len(hub.paths) == 6
    with pytest.raises(SourceError, match="leads to an address without encryption"):
        download._check_step(httpx.URL("https://a/x"), httpx.URL("http://a/x"))
    download._check_step(httpx.URL("http://a/x"), httpx.URL("https://b/x"))


def test_a_download_that_never_ends_is_given_up(hub: GitHub, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add().commit(PAGES)
    monkeypatch.setattr(download, "_SECONDS", -1.0)
    assert "the download takes more than" in client.fails("github:owner/repo")


def test_an_unknown_ref_is_told_from_an_unknown_repository(hub: GitHub, client: Client) -> None:
    repository = hub.add()
    repository.tags |= dict.fromkeys(("v1.0.0", "v1.1.0", "nightly"), repository.commit(PAGES))
    message = client.fails("github:owner/repo@v1.0")
    assert "'owner/repo' has no branch, tag or commit 'v1.0'" in message
    assert "Did you mean v1.0.0 or v1.1.0?" in message
    assert "the default branch is taken" in client.fails("github:owner/repo@zzz")


def test_an_enterprise_server_is_read_and_linked_to(tmp_path: Path) -> None:
    with serving(GitHub("/api/v3")) as enterprise:
        commit = enterprise.add().commit(PAGES)
        source = Client(tmp_path, enterprise.address + "/").take("github:owner/repo:docs/deep")
        assert enterprise.paths == ["/api/v3/repos/owner/repo/tarball"]
        assert source.page_url == f"http://{enterprise.api.host}/owner/repo/blob/{commit}/docs/deep/{{path}}"


def test_two_servers_do_not_share_what_a_ref_is(hub: GitHub, client: Client) -> None:
    hub.add().commit(PAGES)
    client.take("github:owner/repo")
    with serving(GitHub()) as other:
        commit = other.add().commit({"docs/other.md": "# Other\n"})
        assert Client(client.cache, other.address).take("github:owner/repo").revision == commit


@pytest.mark.parametrize("api", ["", "ftp://127.0.0.1", "github.com", "http://", "http://[::1"])
def test_an_address_that_is_no_api_is_refused(tmp_path: Path, api: str) -> None:
    assert "github_api is no address" in Client(tmp_path, api).fails("github:owner/repo")


def test_a_token_is_not_sent_without_encryption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    assert "would go to ghe.example without encryption" in Client(tmp_path, "http://ghe.example/api/v3").fails(
        "github:owner/repo"
    )


def test_a_token_that_cannot_be_one_is_named_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", f"{TOKEN}\nsecond line")
    assert "GITHUB_TOKEN holds no token" in Client(tmp_path, NOWHERE).fails("github:owner/repo")


def test_a_password_in_the_address_of_the_api_is_in_no_message(tmp_path: Path) -> None:
    message = Client(tmp_path, f"http://me:{TOKEN}@127.0.0.1:9").fails("github:owner/repo")
    assert "cannot reach 127.0.0.1:9" in message


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"", b"\xff" * 99, b"[" * 100_000])
def test_nonsense_in_place_of_a_commit_or_of_refs_is_refused(hub: GitHub, client: Client, body: bytes) -> None:
    repository = hub.add()
    commit = repository.commit(PAGES)
    client.take("github:owner/repo")
    repository.heads = {"main": body.decode("latin-1")}
    with pytest.raises(SourceError, match=r"did not answer with a commit|HTTP 422"):
        client.take("github:owner/repo")
    repository.archives[commit] = body
    with pytest.raises(SourceError, match="is damaged, or is no gzip file"):
        Client(client.cache / "other", hub.address).take(f"github:owner/repo@{commit}")


def test_a_cache_that_cannot_be_written_is_named(hub: GitHub, client: Client) -> None:
    hub.add().commit(PAGES)
    client.cache.write_text("a file")
    with pytest.raises(SourceError, match="cannot write to the cache"):
        client.take("github:owner/repo")
