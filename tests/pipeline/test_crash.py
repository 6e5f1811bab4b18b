"""A build that is killed at any moment goes on where it was: same content, and no stored answer is asked for again."""

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dragoman.models.stub import StubServer
from dragoman.workspace import STAGES, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = 10
CONCURRENCY = 4
LATENCY = 0.25
SETTINGS = ("train.folds=2", "train.epochs=1", "train.batch_size=8", f"llm.concurrency={CONCURRENCY}")


@dataclass(frozen=True, slots=True)
class Mill:
    """Starts builds of the pages against an endpoint that notes each request."""

    docs: Path
    workspace: Path
    endpoint: StubServer
    log: Path

    def start(self) -> subprocess.Popen[str]:
        """A build in a process of its own."""
        settings = [part for setting in SETTINGS for part in ("--set", setting)]
        options = ["--workspace", str(self.workspace), "--llm", self.endpoint.base_url, *settings]
        command = [sys.executable, "-m", "dragoman", "build", str(self.docs), *options]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def finish(self) -> None:
        """A build that is left alone."""
        with self.start() as process:
            _, said = process.communicate()
        assert process.returncode == 0, said

    def contents(self) -> dict[str, str]:
        """Content hash of each stage's artefact."""
        return {stage: Workspace(self.workspace).need(stage).content for stage in STAGES}

    def asked(self) -> list[str]:
        """Hash of each request so far, in order."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.is_file() else []
        return [json.loads(line)["hash"] for line in lines]

    def stored(self) -> int:
        """Answers in the store."""
        path = self.workspace / "answers.sqlite"
        if not path.is_file():
            return 0
        database = sqlite3.connect(path)
        try:
            return int(database.execute("SELECT count(*) FROM answers").fetchone()[0])
        except sqlite3.OperationalError:  # killed before the table was made
            return 0
        finally:
            database.close()


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How a build ends that nobody kills."""

    contents: dict[str, str]
    requests: int
    seconds: float


@pytest.fixture(scope="module")
def make_mill(
    minilm: Path, mill_docs: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Mill]]:
    assert minilm.is_dir()
    running: list[StubServer] = []

    def make() -> Mill:
        docs = mill_docs()
        log = tmp_path_factory.mktemp("log") / "requests.jsonl"
        server = StubServer(latency=LATENCY, log=log)
        running.append(server.__enter__())
        return Mill(docs, docs.parent / "workspace", server, log)

    yield make
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def undisturbed(make_mill: Callable[[], Mill]) -> Undisturbed:
    mill = make_mill()
    start = time.monotonic()
    mill.finish()
    return Undisturbed(mill.contents(), len(mill.asked()), time.monotonic() - start)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_build_ends_as_if_nothing_had_happened(
    make_mill: Callable[[], Mill], undisturbed: Undisturbed, number: int
) -> None:
    mill = make_mill()
    share = (number + random.Random(f"moment {number}").random()) / KILLS
    with mill.start() as process:
        try:
            process.wait(share * undisturbed.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    time.sleep(2 * LATENCY)  # the endpoint answers, and notes, what was in flight
    before, stored = mill.asked(), mill.stored()
    assert len(before) - stored <= CONCURRENCY, "an answer arrived and was not kept"
    mill.finish()
    again = mill.asked()[len(before) :]
    assert mill.contents() == undisturbed.contents
    assert len(again) == undisturbed.requests - stored, "a stored answer was asked for again"
    assert len(set(again)) == len(again)
    assert len(set(before) & set(again)) == len(before) - stored, "what was in flight, and nothing else, is asked twice"
    assert mill.stored() == undisturbed.requests
