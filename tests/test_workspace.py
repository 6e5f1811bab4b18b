"""The workspace: artefacts complete or absent, and one writer at a time."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.errors import MissingArtefact, WorkspaceBusy, WorkspaceError
from dragoman.records import Manifest
from dragoman.workspace import COMMANDS, MANIFEST, SCHEMA, STAGES, RecipeFile, Workspace

DONE = Manifest("ingest", SCHEMA, "0.1", "print", "content", 13, rows={"chunks": 3}, notes={"list": [1, None, "ß"]})

_HOLD = """
import sys, time
from pathlib import Path
from dragoman.workspace import Workspace
with Workspace(Path(sys.argv[1])).writing():
    print("held", flush=True)
    time.sleep(60)
"""
Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts another process that holds a workspace's lock; gone when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def begin(root: Path) -> "subprocess.Popen[str]":
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
        command = [sys.executable, "-c", _HOLD, str(root)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def build(workspace: Workspace, text: str, fingerprint: str = "print") -> None:
    part = workspace.begin("ingest", fingerprint)
    (part / "rows").write_text(text, encoding="utf-8")
    workspace.finish("ingest", replace(DONE, fingerprint=fingerprint))


def test_a_new_workspace_makes_nothing_until_it_is_written_to(workspace: Path) -> None:
    assert [Workspace(workspace).manifest(stage) for stage in STAGES] == [None] * len(STAGES)
    assert not workspace.exists()


def test_an_artefact_is_there_with_its_manifest_once_it_is_finished(workspace: Path) -> None:
    place = Workspace(workspace)
    build(place, "first")
    assert Workspace(workspace).manifest("ingest") == place.need("ingest") == DONE
    assert (place.folder("ingest") / "rows").read_text(encoding="utf-8") == "first"
    build(place, "second", "other")
    assert place.need("ingest").fingerprint == "other"
    assert (place.folder("ingest") / "rows").read_text(encoding="utf-8") == "second"
    assert sorted(path.name for path in workspace.iterdir()) == ["ingest"]
    names = sorted(path.name for path in place.folder("ingest").iterdir())
    assert names == ["files.json", "fingerprint", MANIFEST, "rows"]


def test_files_that_are_not_as_they_were_written_are_named(workspace: Path) -> None:
    place = Workspace(workspace)
    assert place.damage("ingest") == []
    build(place, "first")
    assert place.damage("ingest") == []
    (workspace / "ingest" / "rows").write_text("x", encoding="utf-8")
    assert place.damage("ingest") == ["rows has changed"]
    (workspace / "ingest" / "rows").unlink()
    assert place.damage("ingest") == ["rows is missing"]
    for text in ("", "[1]", "3"):
        (workspace / "ingest" / "files.json").write_text(text, encoding="utf-8")
        assert place.damage("ingest") == ["files.json has changed"]


def test_a_kept_recipe_remembers_the_file_it_came_from(workspace: Path) -> None:
    file = RecipeFile("here/dragoman.toml", "hash")
    Workspace(workspace, file).keep_recipe("{}")
    assert Workspace(workspace).kept_recipe_file() == file
    Workspace(workspace).keep_recipe("{}")
    assert Workspace(workspace).kept_recipe_file() is None


def test_what_is_being_built_leaves_the_finished_artefact_alone(workspace: Path) -> None:
    place = Workspace(workspace)
    build(place, "first")
    (place.begin("ingest", "other") / "rows").write_text("half", encoding="utf-8")
    assert place.need("ingest") == DONE
    assert (place.folder("ingest") / "rows").read_text(encoding="utf-8") == "first"


def test_an_artefact_without_a_manifest_is_absent_and_the_hint_is_the_command(workspace: Path) -> None:
    place = Workspace(workspace)
    place.begin("refit", "print")
    (workspace / "refit").mkdir()
    assert place.manifest("refit") is None
    with pytest.raises(MissingArtefact, match=f"Run: dragoman {COMMANDS['refit']} "):
        place.need("refit")


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_command_that_makes_it(workspace: Path, stage: str) -> None:
    with pytest.raises(MissingArtefact, match=r"Run: dragoman \w+"):
        Workspace(workspace).need(stage)


def test_an_interrupted_run_finds_its_own_files_again_and_no_others(workspace: Path) -> None:
    place = Workspace(workspace)
    (place.begin("train", "one") / "round-0").write_text("done", encoding="utf-8")
    assert (Workspace(workspace).begin("train", "one") / "round-0").is_file()
    assert not (place.begin("train", "two") / "round-0").exists()
    (workspace / "train.part" / "fingerprint").unlink()
    (workspace / "train.part" / "round-0").write_text("whose?", encoding="utf-8")
    assert not (place.begin("train", "two") / "round-0").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": "ingest"}', '{"unknown": 1}', "\xff"])
def test_a_damaged_manifest_is_refused_with_the_command_that_mends_it(workspace: Path, text: str) -> None:
    place = Workspace(workspace)
    build(place, "first")
    (workspace / "ingest" / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(WorkspaceError, match="dragoman ingest"):
        place.manifest("ingest")


def test_an_artefact_that_swaps_itself_is_stamped_and_unstamped(workspace: Path) -> None:
    place = Workspace(workspace)
    stamped = replace(DONE, stage="index")
    place.stamp("index", stamped)
    assert place.need("index") == stamped
    place.unstamp("index")
    place.unstamp("index")
    assert place.manifest("index") is None


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, "1", None])
def test_another_schema_is_refused_with_a_way_out(workspace: Path, schema: object) -> None:
    workspace.mkdir()
    (workspace / "workspace.json").write_text(json.dumps({"schema": schema}), encoding="utf-8")
    with pytest.raises(WorkspaceError, match=f"expected schema {SCHEMA}.*--workspace"):
        Workspace(workspace)


@pytest.mark.parametrize("text", ["", "[]", "{}", "3"])
def test_an_unreadable_marker_is_refused(workspace: Path, text: str) -> None:
    workspace.mkdir()
    (workspace / "workspace.json").write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"workspace\.json"):
        Workspace(workspace)


def test_the_first_writer_marks_the_workspace_with_its_schema(workspace: Path) -> None:
    with Workspace(workspace).writing():
        assert json.loads((workspace / "workspace.json").read_text(encoding="utf-8")) == {"schema": SCHEMA}
    with Workspace(workspace).writing(need_mb=1):
        assert (workspace / "lock").read_text(encoding="ascii") == str(os.getpid())


def test_a_second_process_is_refused_and_told_whom_to_wait_for(workspace: Path, start: Start) -> None:
    owner = start(workspace)
    place = Workspace(workspace)
    with pytest.raises(WorkspaceBusy, match=rf"process {owner.pid}\)"), place.writing():
        pytest.fail("two writers at once")
    with pytest.raises(WorkspaceBusy, match=str(owner.pid)):
        place.check_idle()


def test_the_lock_of_a_killed_process_is_taken_over(workspace: Path, start: Start) -> None:
    owner = start(workspace)
    os.kill(owner.pid, signal.SIGKILL)
    assert owner.wait() == -signal.SIGKILL
    with Workspace(workspace).writing():
        assert (workspace / "lock").read_text(encoding="ascii") == str(os.getpid())


def test_the_lock_is_given_back_even_when_the_work_fails(workspace: Path) -> None:
    place = Workspace(workspace)
    with pytest.raises(KeyboardInterrupt), place.writing():
        raise KeyboardInterrupt
    place.check_idle()
    with place.writing(), pytest.raises(WorkspaceBusy), Workspace(workspace).writing():
        pytest.fail("two writers at once")


def test_asking_whether_a_workspace_is_idle_makes_none(workspace: Path) -> None:
    Workspace(workspace).check_idle()
    assert not workspace.exists()


def test_too_little_space_is_said_before_the_work_begins(workspace: Path) -> None:
    wanted = shutil.disk_usage(workspace.parent).total // 2**20 + 1
    with pytest.raises(WorkspaceError, match=f"expected {wanted} MB"), Workspace(workspace).writing(need_mb=wanted):
        pytest.fail("the work began")


def test_a_workspace_where_a_file_stands_is_refused(workspace: Path) -> None:
    workspace.write_text("a file", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="cannot make"), Workspace(workspace).writing():
        pytest.fail("the work began")
