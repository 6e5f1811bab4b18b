from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from dragoman.errors import SourceError
from dragoman.ingest.sources.npm import DEFAULT_REGISTRY, NpmConfig, fetch_package


def test_settings_are_found_where_npm_finds_them(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    for folder, text in (
        (home, "registry=http://home.test\ncafile='home.pem'\n; registry=http://no.test\n"),
        (project, "# ours\nregistry = http://project.test/npm/\n@up:registry=${SCOPE}\n@no:registry=${NONE?}\n\n"),
    ):
        folder.mkdir()
        (folder / ".npmrc").write_text(text)
    env = {"SCOPE": "http://scope.test"}
    found = NpmConfig(env, project, home)
    assert found.registry("left") == "http://project.test/npm/"
    assert found.registry("@up/left") == "http://scope.test/"
    assert found.registry("@no/left") == "http://project.test/npm/"
    assert found.get("cafile") == "home.pem"
    assert NpmConfig({}, tmp_path, home).registry("left") == "http://home.test/"
    assert NpmConfig({"NPM_CONFIG_REGISTRY": "http://env.test"}, project, home).registry("left") == "http://env.test/"
    assert NpmConfig({}, tmp_path, tmp_path).registry("left") == DEFAULT_REGISTRY
    elsewhere = {"npm_config_userconfig": str(project / ".npmrc")}
    assert NpmConfig(elsewhere, tmp_path, home).registry("left") == "http://project.test/npm/"


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("https://a.test/npm/left", "Bearer deep"),
        ("https://a.test/other", "Basic b2s="),
        ("https://a.test:8443/npm/left", ""),
        ("https://b.test/npm/left", ""),
        ("https://unset.test/left", ""),
        ("http://a.test/npm/left", ""),
    ],
)
def test_credentials_belong_to_a_host_and_path(tmp_path: Path, address: str, header: str) -> None:
    lines = ["//a.test/npm/:_authToken=deep", "//a.test/:_auth=b2s=", "//unset.test/:_authToken=${NOT_SET}"]
    (tmp_path / ".npmrc").write_text("\n".join(lines))
    headers = NpmConfig({}, tmp_path, tmp_path / "home").headers(httpx.URL(address), httpx.URL("https://a.test/npm/"))
    assert headers.get("Authorization", "") == header


def test_an_npmrc_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_bytes(b"\xff\xfe=")
    with pytest.raises(SourceError, match=r"cannot read .*\.npmrc"):
        NpmConfig({}, tmp_path, tmp_path)


def test_the_default_registry_is_reached_safely() -> None:
    assert urlsplit(DEFAULT_REGISTRY).scheme == "https"


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "words.pem").write_text("no certificate")
    for env, name in (
        ({"npm_config_cafile": str(tmp_path / "none.pem")}, "none.pem"),
        ({"NODE_EXTRA_CA_CERTS": str(tmp_path / "words.pem")}, "words.pem"),
    ):
        with pytest.raises(SourceError) as caught:
            NpmConfig(env, tmp_path, tmp_path).trust()
        assert name in str(caught.value)


def ignore(line: str) -> None:
    assert line


@pytest.mark.parametrize("address", ["nonsense", "ftp://127.0.0.1", "http://", "http://[::"])
def test_an_address_that_is_no_registry_is_named(tmp_path: Path, address: str) -> None:
    config = NpmConfig({"npm_config_registry": address}, tmp_path, tmp_path)
    with pytest.raises(SourceError, match="npm's registry is"):
        fetch_package("left", "", tmp_path, ignore, config)
