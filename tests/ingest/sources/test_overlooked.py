"""A folder that is skipped by its name but holds the docs is named, with how it is read."""

import shutil
from pathlib import Path

import pytest

from dragoman.config import IngestSettings
from dragoman.ingest.sources.fetch import fetch
from dragoman.ingest.sources.overlooked import tell_overlooked
from dragoman.ingest.sources.spec import FetchedSource, parse_source


def pages(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number}.md").write_text(f"# Page {number}\n")


def told(base: Path, folder: str = "", **settings: object) -> list[str]:
    said: list[str] = []
    chosen = IngestSettings.model_validate(settings)
    tell_overlooked(FetchedSource("npm:left@1", base / folder, base, settings=chosen), "npm:left@1", said.append)
    return said


@pytest.mark.parametrize(
    ("place", "shown", "why"),
    [
        (".docs/guide/deep", ".docs", "is hidden"),
        (".left/guide", ".left/guide", "is hidden"),
        ("dist/docs/guide", "dist/docs", "has the name of a build folder"),
    ],
)
def test_a_folder_with_far_more_pages_is_named(tmp_path: Path, place: str, shown: str, why: str) -> None:
    pages(tmp_path, 1)
    pages(tmp_path / place, 30)
    pages(tmp_path / "dist" / "odd", 1)
    line = f"npm:left@1: 1 document is read; {shown}/ {why}, and holds 30: to read it, name npm:left@1:{shown}"
    assert told(tmp_path) == [line]


def test_a_folder_outside_the_docs_is_named_too(tmp_path: Path) -> None:
    pages(tmp_path / "docs", 2)
    pages(tmp_path / ".docs", 11)
    assert "2 documents are read; .docs/" in told(tmp_path, "docs")[0]


def test_nothing_is_said_when_the_docs_are_read(tmp_path: Path) -> None:
    pages(tmp_path / "docs", 20)
    pages(tmp_path / ".docs", 40)
    pages(tmp_path / ".changeset", 200)
    pages(tmp_path / ".git" / "x", 200)
    pages(tmp_path / "node_modules" / ".docs", 200)
    assert told(tmp_path) == []
    pages(tmp_path / ".docs", 41)
    assert told(tmp_path)


def test_a_few_pages_are_worth_no_line(tmp_path: Path) -> None:
    pages(tmp_path / ".docs", 9)
    assert told(tmp_path) == []
    pages(tmp_path / ".docs", 10)
    assert told(tmp_path)


def test_build_folders_that_are_read_are_not_overlooked(tmp_path: Path) -> None:
    pages(tmp_path / "dist" / "docs", 20)
    assert told(tmp_path, usual_excludes=False) == []


def test_of_an_archive_it_is_said_unless_a_folder_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pages(tmp_path / "tree" / "left", 1)
    pages(tmp_path / "tree" / "left" / ".docs", 12)
    shutil.make_archive("left", "zip", tmp_path / "tree")
    said: list[str] = []
    fetch([parse_source("left.zip")], tmp_path / "cache", said.append)
    assert [line.rpartition("name ")[2] for line in said] == ["left.zip:.docs"]
    (source,) = fetch([parse_source("left.zip:.docs")], tmp_path / "cache", said.append)
    assert (len(list(source.root.iterdir())), len(said)) == (12, 1)
