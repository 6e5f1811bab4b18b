"""Which source describes which version of a product, and which version is the newest."""

from pathlib import Path
from typing import Any

import pytest

from dragoman.config import Recipe
from dragoman.errors import SourceError
from dragoman.pipeline.context import Run
from dragoman.pipeline.ingest import read_sources
from dragoman.pipeline.versions import newest, newest_first, version_labels
from dragoman.workspace import Workspace


class Quiet:
    """Shows nothing; no stage is run here."""

    def say(self, text: str) -> None:
        """Nothing."""

    progress: Any = None


def run_over(workspace: Path, *sources: object) -> Run:
    """A run of these sources."""
    return Run(Recipe.model_validate({"sources": sources}), Workspace(workspace), Quiet())


def page(folder: Path, name: str = "page.md") -> Path:
    """A folder with one page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("# Page\n\nA sentence of its own.\n", encoding="utf-8")
    return folder


def test_labels_are_those_of_the_chunks(tmp_path: Path, workspace: Path) -> None:
    one, two, other = (page(tmp_path / name / "docs") for name in ("1.9", "1.10", "blog"))
    sources = [{"source": str(two), "version": "1.10"}, str(other), {"source": str(one), "version": "1.9"}]
    run = run_over(workspace, *sources)
    labels = version_labels(run)
    assert labels == {"1.10/docs": "1.10", "1.9/docs": "1.9"}
    assert {document.source for document in read_sources(run).documents} == {*labels, "blog/docs"}
    assert newest(labels) == "1.10"


def test_files_of_one_folder_and_one_version_are_one_source(tmp_path: Path, workspace: Path) -> None:
    page(page(tmp_path / "docs"), "other.md")
    files = [{"source": str(tmp_path / "docs" / name), "version": "2.0"} for name in ("page.md", "other.md")]
    assert version_labels(run_over(workspace, *files)) == {"docs": "2.0"}


@pytest.mark.parametrize("other", [{"version": "2.0"}, {}, {"version": "2.0", "exclude": ["old/**"]}])
def test_a_folder_of_two_versions_is_refused(tmp_path: Path, workspace: Path, other: dict[str, Any]) -> None:
    docs = str(page(tmp_path / "docs"))
    run = run_over(workspace, {"source": docs, "version": "1.0"}, {"source": docs, **other})
    with pytest.raises(SourceError, match=r"is a source of two versions, '1\.0' and "):
        version_labels(run)


def test_without_versions_no_source_is_looked_up(workspace: Path) -> None:
    run = run_over(workspace, "there/is/no/such/folder")
    assert version_labels(run) == {}
    assert newest({}) == ""


@pytest.mark.parametrize(
    ("labels", "latest", "ordered"),
    [
        (["2.0", "10.1", "9"], "10.1", ("10.1", "9", "2.0")),
        (["3.0rc1", "3.0"], "3.0", ("3.0", "3.0rc1")),
        (["stable", "2.0", "next"], "next", ("next", "stable", "2.0")),
        (["1.0", "1.0"], "1.0", ("1.0",)),
    ],
)
def test_the_newest_is_the_highest_number_or_the_last_named(labels: list[str], latest: str, ordered: object) -> None:
    by_source = {str(place): label for place, label in enumerate(labels)}
    assert newest(by_source) == latest
    assert newest_first(by_source.values(), latest) == ordered
