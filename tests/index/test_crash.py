"""A build that dies at any moment: the old table serves, the next build completes and clears up."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dragoman.errors import MissingArtefact
from dragoman.index import open_index, rollback

BuildSmall = Callable[..., tuple[Path, str]]

MODEL = Path(__file__).parent  # any folder with files

# Builds tables of 21, 22, ... chunks, three kept. With a number, it kills itself at that step of the files.
WRITER = """
import itertools, os, signal, sys
from dataclasses import replace
from pathlib import Path
import lancedb, numpy as np
from dragoman.index import build_index, open_index
root, step = Path(sys.argv[1]), int(sys.argv[2])
index = open_index(root)
chunks = [replace(chunk, id=f"{chunk.id}-{turn}") for turn in range(4) for chunk in index.chunks()]
seen = itertools.count(1)
def watch(event, arguments):
    if event.startswith(("os.", "open", "shutil.")) and str(root) in str(arguments) and next(seen) == step:
        os.kill(os.getpid(), signal.SIGKILL)
if step:
    sys.addaudithook(watch)
print("ready", flush=True)
for size in range(21, 24 if step else 10_000):
    made = replace(index.meta, content=f"{size:06d}")
    build_index(root, chunks[: 21 + size % 40], np.ones((21 + size % 40, 8), np.float32), made, keep=3, model=Path(sys.argv[3]))
"""


@contextmanager
def _writer(root: Path, step: int = 0) -> "Iterator[subprocess.Popen[str]]":
    """Another process that builds from now on; killed when the block ends."""
    command = [sys.executable, "-c", WRITER, str(root), str(step), str(MODEL)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        try:
            yield writer
        finally:
            writer.kill()  # nothing to one that has ended


def _assert_whole(root: Path, build_small: BuildSmall) -> None:
    """Served whole; the next build completes and clears up; a rollback finds a whole table too."""
    index = open_index(root)
    assert len(index.chunks()) >= 20
    assert index.lexical("where are ferries mended", 5)
    _, name = build_small(30, keep=3)
    assert open_index(root).name == name
    assert not list(root.glob("*.partial"))
    older = rollback(root)
    assert open_index(root).name == older != name
    assert len(open_index(root).chunks()) >= 20


@pytest.fixture
def root(build_small: BuildSmall) -> Path:
    """An index of twenty chunks."""
    found, _ = build_small(20, keep=3)
    return found


@pytest.mark.parametrize("pause", [0.0, 0.15, 0.4])
def test_a_build_killed_at_any_time_leaves_a_whole_index(root: Path, build_small: BuildSmall, pause: float) -> None:
    with _writer(root):
        time.sleep(pause)
    _assert_whole(root, build_small)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_build_killed_at_any_step_of_its_files_leaves_a_whole_index(root: Path, build_small: BuildSmall) -> None:
    killed = 0
    while True:
        with _writer(root, killed + 1) as writer:
            status = writer.wait()
        if not status:
            break
        assert status == -signal.SIGKILL
        _assert_whole(root, build_small)
        killed += 1
    assert killed > 20


def test_a_reader_that_opens_while_tables_are_swapped_gets_one_of_them(root: Path) -> None:
    names: set[str] = set()
    with _writer(root):
        end = time.monotonic() + 30
        while len(names) < 3 and time.monotonic() < end:
            index = open_index(root)
            names.add(index.name)
            assert index.lexical("where are ferries mended", 5)
    assert len(names) == 3


def test_a_table_that_was_half_removed_is_not_rolled_back_to(root: Path, build_small: BuildSmall) -> None:
    _, second = build_small(21, keep=3)
    first = next(path for path in root.iterdir() if path.is_dir() and path.name != second)
    first.rename(first.with_name(first.name + ".partial"))  # what a removal does first
    with pytest.raises(MissingArtefact, match="no table older"):
        rollback(root)
    build_small(22, keep=3)
    assert rollback(root) == second
    assert not list(root.glob("*.partial"))
