"""A generation that is killed at any moment goes on where it was: the same questions, and no stored answer is asked for again."""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dragoman.models.stub import StubServer
from dragoman.synth.generate import question_jobs
from dragoman.synth.prompts import STYLES
from dragoman.synth.store import CLAIM_SECONDS, AnswerStore
from dragoman.synth.work import Sampling

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = 20
CHUNKS = 60
CONCURRENCY = 4
LATENCY = 0.05
_ASK = """
import asyncio, json, sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from pages import CHUNKS
from dragoman.config import SynthSettings
from dragoman.models.llm import EndpointLLM
from dragoman.synth.generate import generate_questions
from dragoman.synth.store import AnswerStore

url, folder = sys.argv[1], Path(sys.argv[2])

@contextmanager
def endpoint():
    yield EndpointLLM(url, "small")

with AnswerStore(folder / "answers.sqlite") as store:
    made = asyncio.run(generate_questions(
        CHUNKS, "small", endpoint, store, SynthSettings(temperature=0.5), seed=1, concurrency=CONCURRENCY
    ))
rows = [asdict(row) for row in [*made.questions, *made.rejected]]
Path(sys.argv[3]).write_text(json.dumps(rows), encoding="utf-8")
""".replace("CONCURRENCY", str(CONCURRENCY))
_PAGES = """
from dragoman.records import Chunk, content_id

def chunk(place):
    text = f"Loaf {place} bakes at {200 + place} degrees for {place} minutes."
    return Chunk(
        id=content_id("bakery", text), source="bakery", path="oven.md", title="Oven", trail=("Oven",), section="s",
        text=text, passage="Oven\\n" + text, start=0, end=1, start_line=1, end_line=1, tokens=9, url="",
    )

CHUNKS = [chunk(place) for place in range(NUMBER)]
""".replace("NUMBER", str(CHUNKS))


@dataclass(frozen=True, slots=True)
class Generation:
    """Starts generations over one store against one endpoint, which notes each request."""

    folder: Path
    stub: StubServer

    def start(self, out: str) -> subprocess.Popen[str]:
        """A generation in a process of its own."""
        source = Path(__file__).parents[2] / "src"
        places = os.pathsep.join([str(source), str(self.folder)])
        command = [sys.executable, "-c", _ASK, self.stub.base_url, str(self.folder), str(self.folder / out)]
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": places}, stderr=subprocess.PIPE, text=True)

    def finish(self, out: str = "rows.json") -> bytes:
        """What a generation gives that is left alone."""
        with self.start(out) as process:
            _, said = process.communicate()
        assert process.returncode == 0, said
        return (self.folder / out).read_bytes()

    def asked(self) -> list[str]:
        """Hash of each request so far, in order."""
        return [hashlib.sha256(json.dumps(body["messages"]).encode()).hexdigest() for body in list(self.stub.requests)]

    def stored(self) -> int:
        """Answers in the store."""
        scope: dict[str, list[object]] = {}
        exec(_PAGES, scope)  # noqa: S102 - the pages as the process makes them
        jobs = question_jobs(scope["CHUNKS"], "small")  # type: ignore[arg-type]
        with AnswerStore(self.folder / "answers.sqlite") as store:
            return len(store.get(Sampling("small", 0.5, 1).key(job) for job in jobs))


@pytest.fixture
def generation(tmp_path: Path) -> Iterator[Generation]:
    (tmp_path / "pages.py").write_text(_PAGES, encoding="utf-8")
    with StubServer(latency=LATENCY) as stub:
        yield Generation(tmp_path, stub)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a generation gives that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "pages.py").write_text(_PAGES, encoding="utf-8")
    with StubServer(latency=LATENCY) as stub:
        given = Generation(folder, stub).finish()
        assert len(stub.requests) == CHUNKS
    assert len(json.loads(given)) == CHUNKS * len(STYLES)
    return given


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_generation_ends_as_if_nothing_had_happened(
    generation: Generation, undisturbed: bytes, number: int
) -> None:
    rng = random.Random(f"moment {number}")
    moment = (number + rng.random()) / KILLS * CHUNKS / CONCURRENCY * LATENCY
    with generation.start("never.json") as process:
        while not generation.asked() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moment)
        process.kill()
    time.sleep(3 * LATENCY)  # the endpoint answers what was in flight
    before, stored = generation.asked(), generation.stored()
    assert 0 <= len(before) - stored <= CONCURRENCY, "an answer arrived and was not kept"
    assert generation.finish() == undisturbed
    again = generation.asked()[len(before) :]
    assert len(again) == CHUNKS - stored, "a stored answer was asked for again"
    assert len(set(again)) == len(again)
    assert len(set(before) & set(again)) == len(before) - stored


def test_two_processes_over_one_store_ask_nothing_twice(generation: Generation, undisturbed: bytes) -> None:
    with generation.start("one.json") as one, generation.start("two.json") as two:
        assert (one.wait(), two.wait()) == (0, 0)
    assert (generation.folder / "one.json").read_bytes() == undisturbed
    assert (generation.folder / "two.json").read_bytes() == undisturbed
    assert sorted(set(generation.asked())) == sorted(generation.asked())
    assert len(generation.asked()) == CHUNKS


def test_what_a_killed_process_claimed_does_not_hold_up_a_living_one(
    generation: Generation, undisturbed: bytes
) -> None:
    with generation.start("never.json") as victim, generation.start("rows.json") as other:
        while len(generation.asked()) < CHUNKS // 3:
            time.sleep(0.002)
        victim.kill()
        victim.wait()  # until then the system counts it among the living
        start = time.monotonic()
        assert other.wait() == 0
        assert time.monotonic() - start < CLAIM_SECONDS / 2, "it waited for claims to end by themselves"
    assert (generation.folder / "rows.json").read_bytes() == undisturbed
    assert len(generation.asked()) <= CHUNKS + CONCURRENCY
