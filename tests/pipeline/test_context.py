"""A stage whose files are not as they were written is made anew, and says why."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dragoman.config import Recipe
from dragoman.models.protocols import Advance
from dragoman.pipeline.context import Outcome, Plan, Run, run_stage
from dragoman.workspace import Workspace

PLAN = Plan("train", {"epochs": 1}, {"chunks": "abc"}, 13)


class Told:
    """Keeps the lines of a run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        self.lines.append(f"{label}: {total}")
        yield lambda _: None


@pytest.fixture
def make(workspace: Path) -> Callable[..., list[str]]:
    """Runs a stage that writes two files, one in a folder; gives what it said, and how it was at work."""

    def run(plan: Plan = PLAN, *, in_place: bool = False) -> list[str]:
        told = Told()

        def work(folder: Path) -> Outcome:
            told.lines.append("made beside the old one" if Workspace(workspace).manifest(plan.stage) else "made")
            (folder / "round-1").mkdir(parents=True, exist_ok=True)
            (folder / "round-1" / "model.safetensors").write_bytes(b"weights")
            (folder / "notes.json").write_text("{}", encoding="utf-8")
            return Outcome("content")

        run_stage(Run(Recipe(), Workspace(workspace), told), plan, work, in_place=in_place)
        return told.lines

    return run


def test_an_artefact_that_is_as_it_was_written_is_fresh(make: Callable[..., list[str]], workspace: Path) -> None:
    assert make() == ["made"]
    (workspace / "train" / "a note of mine.txt").write_text("keep", encoding="utf-8")
    assert make() == ["train: fresh"]


def test_a_missing_file_is_told_and_made_anew(make: Callable[..., list[str]], workspace: Path) -> None:
    make()
    (workspace / "train" / "round-1" / "model.safetensors").unlink()
    assert make() == ["train: round-1/model.safetensors is missing; it is made anew", "made"]
    assert make() == ["train: fresh"]


def test_a_changed_file_is_told_and_made_anew_and_further_ones_are_counted(
    make: Callable[..., list[str]], workspace: Path
) -> None:
    make()
    (workspace / "train" / "notes.json").write_text("x", encoding="utf-8")
    (workspace / "train" / "round-1" / "model.safetensors").unlink()
    said = make()
    assert said == ["train: notes.json has changed (and 1 more); it is made anew", "made"]


def test_a_stage_takes_nothing_over_from_a_damaged_artefact_even_when_it_is_stale(
    make: Callable[..., list[str]], workspace: Path
) -> None:
    make()
    assert make(Plan("train", {"epochs": 3}, {"chunks": "abc"}, 13)) == ["made beside the old one"]
    (workspace / "train" / "notes.json").unlink()
    other = Plan("train", {"epochs": 2}, {"chunks": "abc"}, 13)
    assert make(other) == ["train: notes.json is missing; it is made anew", "made"]


def test_an_artefact_without_a_list_of_files_is_taken_as_it_is(make: Callable[..., list[str]], workspace: Path) -> None:
    make()
    (workspace / "train" / "files.json").unlink()
    (workspace / "train" / "notes.json").unlink()
    assert make() == ["train: fresh"]


def test_an_artefact_that_swaps_its_own_files_is_not_compared(make: Callable[..., list[str]], workspace: Path) -> None:
    plan = Plan("index", {}, {}, 13)
    assert make(plan, in_place=True) == ["made"]
    (workspace / "index" / "notes.json").unlink()
    assert make(plan, in_place=True) == ["index: fresh"]
