"""One small documentation, built once for all tests: four pages of a mill, and a language model's stand-in on loopback.

The build runs as a user's would, in a process of its own; what is asked of it later runs in this one, where the
libraries are loaded once.
"""

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.argilla_server.live import argilla_server

from dragoman.cli import main
from dragoman.models.stub import StubServer

__all__ = ["argilla_server"]

# A learning rate at which nothing is learned: the gate has to refuse, on every machine.
SETTINGS = ("train.folds=2", "train.epochs=1", "train.batch_size=8", "train.learning_rate=1e-7")

_PAGES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "grinding.md": (
        "Grinding",
        {
            "Choosing a stone": "French burr stones suit wheat, granite suits maize. Set `stone.kind` before the first sack.",
            "Dressing the furrows": "Furrows lose their edge after 40 tonnes. Run `mill dress --depth 4` to cut them again.",
            "Setting the gap": "The gap between runner and bedstone is set with `mill gap 0.3`, in millimetres of clearance.",
            "Feeding the hopper": "The hopper shakes grain through the damsel. A bell rings when fewer than five litres remain.",
            "Stopping in time": "An empty hopper burns the stones within a minute; `guard.empty` lifts the runner by itself.",
            "Cooling": "Flour above 43 degrees spoils. Slow the shaft with `shaft.limit` rather than opening the doors.",
        },
    ),
    "water.md": (
        "Water",
        {
            "Opening the sluice": "`sluice open 30` lifts the gate by thirty percent over a quarter of an hour, never faster.",
            "Reading the gauge": "The pond gauge reports centimetres above the sill, and `-1` while its float is frozen.",
            "Spring floods": "When the pond passes `flood.level`, the bypass opens and milling pauses until it falls again.",
            "Low water": "Below twelve centimetres the wheel stalls. Switch to the electric drive with `drive use motor`.",
            "Eels and leaves": "A rake cleans the trash rack each night. Eels are led around through the brush pass.",
            "Ice": "Break ice at the buckets, not at the shaft: `wheel rock` swings it to and fro to shed the load.",
        },
    ),
    "sacks.md": (
        "Sacks",
        {
            "Weighing": "The scale tares itself before each sack. `sack weigh --net` prints kilograms without the cloth.",
            "Labels": "Each label carries the farmer, the harvest year and a lot number; reprint one with `label again`.",
            "Sewing": "Sacks are sewn with a double chain stitch. Error `E17` means that the thread ran out.",
            "Storing": "Stack sacks five high on pallets, a hand away from the wall, so that air goes round them.",
            "Moths": "Hang one pheromone trap for each thirty pallets and count the catch every Monday morning.",
            "Returns": "A wet sack is taken back within ten days. Record it with `sack return LOT --reason wet`.",
        },
    ),
    "accounts.md": (
        "Accounts",
        {
            "The miller's toll": "The toll is one sixteenth of the grain, or its price; `toll.kind` says which of the two.",
            "Invoices": "Invoices are written on the last day of the month and sent by `invoice send --all` the next.",
            "Discounts": "Bakers that take more than two tonnes a month pay eight percent less from the next month on.",
            "Late payment": "A reminder goes out after three weeks. After the second one the account is set to cash only.",
            "Year end": "`books close 2031` locks the year; a correction needs the key of a second miller.",
            "Export": "Bookings leave as CSV with a semicolon between columns, which the tax office's program wants.",
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build, the endpoint it used, and what it said."""

    docs: Path
    workspace: Path
    endpoint: StubServer
    options: tuple[str, ...]
    said: subprocess.CompletedProcess[str]
    cpu_seconds: float
    requests: int  # that the build sent


Dragoman = Callable[..., subprocess.CompletedProcess[str]]


def write_pages(folder: Path) -> None:
    """Write the pages, each a heading with six sections below it."""
    folder.mkdir(parents=True)
    for name, (title, sections) in _PAGES.items():
        parts = [f"## {heading}\n\n{text}\n" for heading, text in sections.items()]
        (folder / name).write_text(f"# {title}\n\nHow the mill does it.\n\n" + "\n".join(parts), encoding="utf-8")


def children_seconds() -> float:
    """Processor time of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="session")
def own_process() -> Dragoman:
    """Runs the command line in a process of its own; it has to succeed."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dragoman", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def dragoman(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dragoman:
    """Runs the command line in this process; ``code`` is the exit code that is expected."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = list(map(str, arguments))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(command)
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said.err
        return subprocess.CompletedProcess(command, code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def endpoint() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture(scope="session")
def mill_docs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Gives a new copy of the pages; the folder has the same name each time, as it is part of every id."""

    def copy() -> Path:
        folder = tmp_path_factory.mktemp("mill") / "docs"
        write_pages(folder)
        return folder

    return copy


@pytest.fixture(scope="session")
def build(
    minilm: Path, own_process: Dragoman, endpoint: StubServer, mill_docs: Callable[[], Path]
) -> Callable[[], Built]:
    """Builds a new copy of the pages in a new workspace."""
    assert minilm.is_dir()

    def make() -> Built:
        docs = mill_docs()
        workspace = docs.parent / "workspace"
        options = ("--workspace", str(workspace), "--llm", endpoint.base_url)
        settings = [part for setting in SETTINGS for part in ("--set", setting)]
        before, asked = children_seconds(), len(endpoint.requests)
        said = own_process("build", docs, *options, *settings)
        seconds = children_seconds() - before
        return Built(docs, workspace, endpoint, (*options, *settings), said, seconds, len(endpoint.requests) - asked)

    return make


@pytest.fixture(scope="session")
def built(build: Callable[[], Built]) -> Built:
    """The one build; look at it, but change copies only."""
    return build()


@pytest.fixture
def copied(built: Built, tmp_path: Path) -> Built:
    """A copy of the build that a test may change."""
    shutil.copytree(built.docs, tmp_path / "docs")
    shutil.copytree(built.workspace, tmp_path / "workspace")
    options = tuple(str(tmp_path / "workspace") if part == str(built.workspace) else part for part in built.options)
    return Built(
        tmp_path / "docs",
        tmp_path / "workspace",
        built.endpoint,
        options,
        built.said,
        built.cpu_seconds,
        built.requests,
    )


@pytest.fixture
def used_seconds() -> Callable[[], AbstractContextManager[Callable[[], float]]]:
    """Measures the processor time of the child processes of a block."""

    @contextmanager
    def measure() -> Iterator[Callable[[], float]]:
        before = children_seconds()
        yield lambda: children_seconds() - before

    return measure
