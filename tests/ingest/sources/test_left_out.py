"""What of a tree was left out is told to everyone who reads it, also from the cache."""

from pathlib import Path

import pytest

from dragoman.ingest.sources.left_out import left_out_below, note_left_out
from dragoman.records import Rejected


def link(path: str) -> Rejected:
    return Rejected("ingest", path, "link not followed", "to 'a.md'")


def test_what_was_noted_is_told_by_its_path_below_the_folder(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    note_left_out(tree, [link("docs/b.md"), link("./docs/a.md"), link("docsy/c.md"), link("d.md"), link("docs")])
    assert left_out_below(tree, tree / "docs") == (link("a.md"), link("b.md"))
    assert [row.item for row in left_out_below(tree, tree)] == ["d.md", "docs", "docs/a.md", "docs/b.md", "docsy/c.md"]


def test_what_is_never_read_is_not_told(tmp_path: Path) -> None:
    note_left_out(tmp_path / "tree", [link(".github/a.md"), link("x/node_modules/a.md")])
    assert left_out_below(tmp_path / "tree", tmp_path / "tree") == ()


def test_without_links_no_note_is_made(tmp_path: Path) -> None:
    note_left_out(tmp_path / "tree", [])
    assert list(tmp_path.iterdir()) == []
    assert left_out_below(tmp_path / "tree", tmp_path / "tree") == ()


@pytest.mark.parametrize("text", ["", "{", "3", "[3]", '[["a"]]', '[["a", "b", "c", "d", "e"]]', "[" * 100_000])
def test_a_damaged_note_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "tree.left-out.json").write_text(text)
    assert left_out_below(tmp_path / "tree", tmp_path / "tree") == ()
