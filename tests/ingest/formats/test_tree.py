"""What a page may read of its tree, tried on real folders, links and pipes."""

import os
from pathlib import Path

import pytest

from dragoman.ingest.formats.page import Included, Page
from dragoman.ingest.formats.tree import Tree


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    base = tmp_path / "repository"
    files = {
        "docs/guide/a.md": "beside",
        "docs/general.md": "in the docs folder",
        "README.md": "at the top",
        "src/x.py": "x = 1\r\n",
        ".env": "KEY=1",
        "prod.env": "KEY=1",
        "docs/.hidden/x.md": "no",
        "deploy/id_rsa": "no",
        "deploy/server.pem": "no",
        "deploy/mine": "-----BEGIN RSA PRIVATE KEY-----\nno",
        "docs/about-keys.md": "-----BEGIN RSA PRIVATE KEY-----\nan example",
        "large.md": "x" * 2000,
    }
    for name, text in files.items():
        place = base / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    (base / "binary.md").write_bytes(b"a\0b")
    (base / "latin.md").write_bytes(b"\xe9")
    (tmp_path / "outside.md").write_text("secret")
    return base


def tree(base: Path) -> Tree:
    return Tree(base, base / "docs", max_bytes=1000)


@pytest.mark.parametrize(
    "settings",
    [
        "  - pymdownx.snippets:\n      check_paths: true\n      base_path: parts\n  - toc",
        "  - pymdownx.snippets:\n      base_path: ['gone', \"parts/\"]  # where",
        "  - pymdownx.snippets:\n      base_path:\n        - !relative $config_dir\n        - $config_dir/parts\n",
        "  pymdownx.snippets:\n    base_path:\n    - ./parts",
        "  - pymdownx.snippets: {base_path: parts}",
    ],
)
def test_snippets_are_found_where_the_settings_say(repository: Path, settings: str) -> None:
    (repository / "parts").mkdir()
    (repository / "parts" / "cup.md").write_text("a cup")
    assert tree(repository).include("cup.md", "guide/page.md") is None
    (repository / "mkdocs.yml").write_text(f"site_name: Tea\nmarkdown_extensions:\n{settings}\n")
    assert tree(repository).include("cup.md", "guide/page.md") == Included("../parts/cup.md", "a cup")


@pytest.mark.parametrize("folder", ["..", "/", "../..", "gone", "", "deploy", "{", "[", "a: b: c"])
def test_settings_of_snippets_lead_nowhere_out_of_the_tree(repository: Path, folder: str) -> None:
    (repository / "mkdocs.yml").write_text(f"- pymdownx.snippets:\n    base_path: {folder}\n")
    assert tree(repository).include("outside.md", "guide/page.md") is None
    assert tree(repository).include("server.pem", "guide/page.md") is None


@pytest.mark.parametrize(
    ("name", "path", "text"),
    [
        ("a.md", "guide/a.md", "beside"),
        ("./a.md", "guide/a.md", "beside"),
        ("../general.md", "general.md", "in the docs folder"),
        ("general.md", "general.md", "in the docs folder"),
        ("/general.md", "general.md", "in the docs folder"),
        ("@/general.md", "general.md", "in the docs folder"),
        ("@site/docs/general.md", "general.md", "in the docs folder"),
        ("README.md", "../README.md", "at the top"),
        ("../../src/x.py", "../src/x.py", "x = 1\n"),
        ("src/x.py", "../src/x.py", "x = 1\n"),
        ("about-keys.md", "about-keys.md", "-----BEGIN RSA PRIVATE KEY-----\nan example"),
    ],
)
def test_a_file_is_found_beside_the_page_and_above(repository: Path, name: str, path: str, text: str) -> None:
    assert tree(repository).include(name, "guide/page.md") == Included(path, text)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "",
            ".",
            "guide",
            "missing.md",
            "../../../outside.md",
            "../../../../outside.md",
            ".env",
            "../../.env",
            "prod.env",
        ],
        *["/.hidden/x.md", "deploy/id_rsa", "deploy/server.pem", "deploy/mine", "large.md", "binary.md", "latin.md"],
        *["https://example.org/x.md", "a\0b", "x" * 5000, "é\ud800", "/" * 50, "~", "@", "@/"],
    ],
)
def test_what_is_unsafe_or_no_text_is_not_read(repository: Path, name: str) -> None:
    assert tree(repository).include(name, "guide/page.md") is None


def test_an_absolute_path_names_nothing_outside(repository: Path) -> None:
    assert tree(repository).include(str(repository.parent / "outside.md"), "a.md") is None


def test_no_link_leaves_the_tree_or_reaches_a_hidden_file(repository: Path) -> None:
    for name, target in {
        "out.md": "../../outside.md",
        "env.md": "../.env",
        "loop.md": "loop.md",
        "in.md": "general.md",
    }.items():
        (repository / "docs" / name).symlink_to(target)
    (repository / "docs" / "up").symlink_to("../..", target_is_directory=True)
    found = tree(repository)
    assert [found.include(name, "a.md") for name in ("out.md", "env.md", "loop.md", "up/outside.md")] == [None] * 4
    assert found.include("in.md", "a.md") == Included("in.md", "in the docs folder")


def test_a_pipe_is_not_waited_for(repository: Path) -> None:
    os.mkfifo(repository / "docs" / "pipe.md")
    assert tree(repository).include("pipe.md", "a.md") is None


def test_objects_are_described_by_who_was_given(repository: Path) -> None:
    assert tree(repository).describe("a.B", 2) is None
    given = Tree(repository, repository, lambda name, level: Page(f"{'#' * level} {name}"))
    assert given.describe("a.B", 2) == Page("## a.B")
