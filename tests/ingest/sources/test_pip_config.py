"""pip's settings, read where pip reads them."""

import os
from pathlib import Path

import pytest

from dragoman.errors import SourceError
from dragoman.ingest.sources.pip_config import DEFAULT_INDEX, PipConfig, config_files


def test_pips_settings_are_found_where_pip_finds_them(tmp_path: Path) -> None:
    everyone, user = tmp_path / "everyone.conf", tmp_path / "user.conf"
    everyone.write_text("[global]\nindex-url = http://a/simple\nextra_index_url =\n  http://b/\n  file:///c\n")
    user.write_text("[download]\nindex_url = http://u/simple/\n[install]\nindex-url = http://never/\n")
    missing = tmp_path / "missing.conf"
    assert [str(url) for url in PipConfig({}, [everyone]).indexes()] == ["http://a/simple/", "http://b/", "file:/c/"]
    assert str(PipConfig({}, [user, everyone, missing]).indexes()[0]) == "http://u/simple/"
    assert str(PipConfig({"PIP_INDEX_URL": "http://e"}, [user]).indexes()[0]) == "http://e/"
    assert [str(url) for url in PipConfig({"PIP_INDEX_URL": ""}, []).indexes()] == [DEFAULT_INDEX]


def test_the_places_of_pips_settings_follow_its_rules(tmp_path: Path) -> None:
    home, prefix, own = tmp_path / "home", tmp_path / "prefix", tmp_path / "own.conf"
    own.write_text("")
    usual = config_files({}, home, prefix)
    assert any(home in file.parents for file in usual)
    assert usual[-1].parent == prefix
    assert config_files({"PIP_CONFIG_FILE": os.devnull}, home, prefix) == []
    with_own = config_files({"PIP_CONFIG_FILE": str(own)}, home, prefix)
    assert with_own[-1] == own
    assert not any(home in file.parents for file in with_own)


@pytest.mark.parametrize(
    "text", ["ann:secret", "http://ann:secret@", "https://ann:secret@host:port/", "ftp://ann:secret@h/"]
)
def test_an_address_that_is_none_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(SourceError, match="pip's index is") as caught:
        PipConfig({"PIP_INDEX_URL": text}, []).indexes()
    assert "//" not in text or "secret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"index-url = http://ann:secret@h/\n", b"\xff\xfe\xff", b"[global]\n[global]\n"])
def test_settings_that_cannot_be_read_are_named_without_their_content(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "pip.conf"
    file.write_bytes(content)
    with pytest.raises(SourceError, match=r"cannot read .*pip\.conf") as caught:
        PipConfig({}, [file])
    assert "secret" not in str(caught.value)


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    config = PipConfig({"PIP_CERT": str(tmp_path / "none.pem")}, [])
    with pytest.raises(SourceError, match=r"cannot read the certificates in .*none\.pem"):
        config.trust()
