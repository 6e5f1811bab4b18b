"""An index or a sync that is killed at any moment: the old index still answers, and the next run completes.

The moments are not left to chance: the child kills itself at the n-th change that it is about to make to a file of the workspace. What
LanceDB writes is not seen that way, and is not served before a change that is.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dragoman.pipeline.searcher import open_searcher
from dragoman.pipeline.served import need_served
from dragoman.tables import content_hash

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOMENTS = 6
RANDOM = 2  # kills by the clock, beside those
QUESTION = "What does error E17 mean?"
OLD, NEW = "thread ran out", "needle broke"

_CHILD = """
import os, signal, sys
root, moment, log = sys.argv[1], int(sys.argv[2]), sys.argv[3]
count, CHANGES = 0, {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "open"}
def watch(event, args):
    global count
    if event not in CHANGES or not any(isinstance(arg, (str, os.PathLike)) and os.fspath(arg).startswith(root) for arg in args):
        return
    if event == "open" and not (args[2] or 0) & (os.O_WRONLY | os.O_RDWR):
        return
    count += 1
    if count == moment:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
from dragoman.cli import main
try:
    main(sys.argv[4:])
finally:
    with open(log, "w") as file:
        file.write(str(count))
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace that serves an index of the old pages, while the pages are new."""

    docs: Path
    workspace: Path
    command: tuple[str, ...]

    def run(self, moment: int = 0, seconds: float | None = None) -> int:
        """Run the command and kill it before its n-th change, or after some seconds; the number of changes of a whole run."""
        log = self.workspace.parent / "changes"
        log.unlink(missing_ok=True)
        arguments = [str(self.workspace), str(moment), str(log), *self.command, "--workspace", str(self.workspace)]
        command = [sys.executable, "-c", _CHILD, *arguments]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            try:
                _, said = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                _, said = process.communicate()
        assert process.returncode in {0, -signal.SIGKILL}, said
        assert process.returncode == (0 if seconds is None and not moment else -signal.SIGKILL) or seconds, said
        return int(log.read_text(encoding="utf-8")) if log.is_file() else 0

    def answer(self) -> str:
        """What stands in the best hit; a broken index raises."""
        hits = open_searcher(self.workspace).search(QUESTION, 3)
        assert len(hits) == 3
        return hits[0].chunk.text

    def rows(self) -> tuple[str, str]:
        """What the served tables hold: a hash of the chunks, and the model."""
        searcher = open_searcher(self.workspace)
        chunks = searcher._opened.index.chunks()  # all rows, not only those that a question finds
        return content_hash(chunks), searcher.model


@pytest.fixture
def place(built: Any, own_process: Any, tmp_path: Path) -> Callable[[str], Place]:
    """Makes a place for a command."""

    def make(command: str) -> Place:
        shutil.copytree(built.docs, tmp_path / "docs")
        shutil.copytree(built.workspace, tmp_path / "workspace")
        docs, workspace = tmp_path / "docs", tmp_path / "workspace"
        own_process("sync", docs, "--workspace", workspace)
        page = docs / "sacks.md"
        page.write_text(page.read_text(encoding="utf-8").replace(OLD, NEW), encoding="utf-8")
        return Place(docs, workspace, tuple(command.split()))

    return make


def fresh_copy(of: Place, folder: Path) -> Place:
    """The same place again, as it was."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(of.workspace, folder / "workspace")
    return Place(of.docs, folder / "workspace", of.command)


def test_a_killed_sync_leaves_an_index_that_answers(place: Callable[[str], Place], tmp_path: Path) -> None:
    start = place("sync")
    whole = fresh_copy(start, tmp_path / "whole")
    began = time.monotonic()
    changes = whole.run()
    took = time.monotonic() - began
    assert changes > MOMENTS
    assert NEW in whole.answer()
    answers = []
    steps = [(round(1 + number * (changes - 1) / (MOMENTS - 1)), None) for number in range(MOMENTS)]
    for moment, seconds in [*steps, *((0, took * (number + 0.5) / RANDOM) for number in range(RANDOM))]:
        killed = fresh_copy(start, tmp_path / "killed")
        killed.run(moment, seconds)
        answers.append(NEW in killed.answer())
        killed.run()
        assert killed.rows() == whole.rows(), f"after a kill at {moment or seconds}"
        told = json.loads((killed.workspace / "index" / "manifest.json").read_text(encoding="utf-8"))
        assert told["notes"]["tables"] == dict(need_served(killed.workspace / "index").tables)
        assert not list((killed.workspace / "index").rglob("*.partial"))
    assert answers[0] is False
    assert answers[MOMENTS - 1] is True, "the last change comes after the swap"
    assert answers[:MOMENTS] == sorted(answers[:MOMENTS]), "once swapped, the new index serves"


def test_a_killed_index_leaves_one_that_answers(place: Callable[[str], Place], tmp_path: Path) -> None:
    start = place("index --force")
    shipping = json.loads((start.workspace / "evaluate" / "manifest.json").read_text(encoding="utf-8"))
    gate = shipping["notes"]["gate"]
    way = {**gate["tuned"], "model": "tuned", "mode": "dense", "share": 0.5, "epochs": 1}
    shipping["notes"]["gate"] = {**gate, "ships": True, "served": way}
    (start.workspace / "evaluate" / "manifest.json").write_text(json.dumps(shipping), encoding="utf-8")
    whole = fresh_copy(start, tmp_path / "whole")
    changes = whole.run()
    assert whole.rows()[1] == "tuned"
    models = []
    for number in range(MOMENTS):
        moment = round(1 + number * (changes - 1) / (MOMENTS - 1))
        killed = fresh_copy(start, tmp_path / "killed")
        killed.run(moment)
        assert OLD in killed.answer()
        models.append(killed.rows()[1])
        killed.run()
        assert killed.rows() == whole.rows(), f"after a kill at change {moment} of {changes}"
    assert models == sorted(models), "the base's table answers until the tuned model's is served"
    assert models[0] == "base"
