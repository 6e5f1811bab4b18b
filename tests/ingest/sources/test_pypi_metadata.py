"""What the metadata of a Python package tells of its repository."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ingest.sources.index_server import PAGES, IndexServer, release, sdist, serving, take

from dragoman.ingest.sources.pypi_metadata import repository_of


@pytest.fixture
def index() -> Iterator[IndexServer]:
    server = IndexServer()
    with serving(server):
        yield server


@pytest.mark.parametrize(
    ("metadata", "url"),
    [
        (
            "Project-URL: Source Code, https://github.com/ann/left.git",
            "https://github.com/ann/left/blob/HEAD/docs/{path}",
        ),
        ("Home-page: http://www.github.com/ann/left/", "https://github.com/ann/left/blob/HEAD/docs/{path}"),
        (
            "Project-URL: Homepage, https://github.com/ann/site\nProject-URL: Repository, https://github.com/ann/left",
            "https://github.com/ann/left/blob/HEAD/docs/{path}",
        ),
        (
            "Project-URL: source, https://github.com/ann/mono/tree/main/py/left",
            "https://github.com/ann/mono/blob/HEAD/py/left/docs/{path}",
        ),
        ("Project-URL: Funding, https://github.com/sponsors/ann", ""),
        ("Project-URL: Issues, https://github.com/ann/left/issues", ""),
        (
            "Project-URL: Source, https://gitlab.com/ann/group/left.git",
            "https://gitlab.com/ann/group/left/-/blob/HEAD/docs/{path}",
        ),
        (
            "Project-URL: Source, https://gitlab.com/ann/left/-/tree/main/py",
            "https://gitlab.com/ann/left/-/blob/HEAD/py/docs/{path}",
        ),
        ("Project-URL: \xff\xfe no comma", ""),
        ("\n\nProject-URL: Source, https://github.com/in/description", ""),
    ],
)
def test_the_link_to_a_page_comes_from_the_metadata(
    index: IndexServer, tmp_path: Path, metadata: str, url: str
) -> None:
    index.publish("left", "left-1.0.tar.gz", sdist({**PAGES, "PKG-INFO": f"Name: left\n{metadata}\n"}))
    assert take(index, tmp_path).page_url == url


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/ann/left", "ann/left"),
        ("https://GitHub.com/ann/left.git", "ann/left"),
        ("https://gitlab.com/ann/group/left", "ann/group/left"),
        ("https://code.test/ann/left", ""),
        ("https://gitlab.com/ann", ""),
    ],
)
def test_the_repository_is_its_owner_and_name(tmp_path: Path, address: str, repository: str) -> None:
    (tmp_path / "left.dist-info").mkdir()
    (tmp_path / "left.dist-info" / "METADATA").write_text(f"Name: left\nProject-URL: Source, {address}\n")
    assert repository_of(tmp_path, "")[0] == repository


def test_a_package_without_a_known_repository_goes_by_its_own_name(index: IndexServer, tmp_path: Path) -> None:
    release(index, "1.0")
    assert take(index, tmp_path).repository == "left"
    pages = {**PAGES, "PKG-INFO": "Name: left\nProject-URL: Source, https://github.com/ann/left\n"}
    index.publish("left", "left-1.1.tar.gz", sdist(pages))
    assert take(index, tmp_path).repository == "ann/left"


@pytest.mark.parametrize("letter", ["/", "a/", "-", ".git", "a", "%", "?"])
def test_an_address_without_end_is_read_at_once(tmp_path: Path, letter: str) -> None:
    (tmp_path / "PKG-INFO").write_text("Home-page: https://gitlab.com/ann/left" + letter * 500_000 + "\n")
    start = time.monotonic()
    repository_of(tmp_path, "")
    assert time.monotonic() - start < 1
