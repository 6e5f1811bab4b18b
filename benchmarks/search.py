"""Our search beside its peers': the same chunks, the same model, the same questions, taking turns in one run.

In: an ingested workspace (``--workspace``), its synthesised questions or ``--questions FILE`` (JSONL with "question" or "text").
Out: Markdown tables on standard output, one a size; with ``--json`` all figures. Each system has a process of its own, each peer an
environment of its own (``peers/searchers.py``), and all have the same cores. Corpora that are larger than the workspace are its
chunks and copies of them with distinct edits (``peers/search_corpus.py``). Up to ``--encode-up-to`` chunks each system builds its index
from the texts, encoding included; beyond, vectors are made once and given to all. A system that takes longer than ``--limit`` over
a build or a turn of questions is ended, and the table (``peers/search_table.py``) says so.

    python benchmarks/search.py --workspace .dragoman --cache ~/.cache/dragoman-bench --sizes 1000,20000 --json search.json
"""

import argparse
import json
import os
import platform
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

PEERS = Path(__file__).parent / "peers"
CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
OURS, TOP = "dragoman", 10
QUESTIONS, TURN, WARM = 100, 20, 10  # questions a round, a turn, and before the clock runs
BUILDS_UP_TO = 2000  # chunks: up to here a build is short enough to be repeated each round

ENGINE = ("sentence-transformers==6.2.0", "torch==2.13.0")
LANGCHAIN = ("langchain-classic==1.0.8", "langchain-community==0.4.2", "langchain-chroma==1.1.0", "chromadb==1.5.9")
INSTALL: dict[str, list[str | Path]] = {
    "llamaindex": [
        *("llama-index-core==0.14.25", "llama-index-embeddings-huggingface==0.8.0"),
        *("llama-index-retrievers-bm25==0.8.0", *ENGINE, "--constraints", CONSTRAINTS),
    ],
    # Alone: it asks for huggingface-hub < 2, and needs nothing of it beyond sentence-transformers.
    "langchain": [
        *(*LANGCHAIN, "rank-bm25==0.2.2", *ENGINE),
        *("--alone", "langchain-huggingface==1.2.3", "--constraints", CONSTRAINTS),
    ],
    "txtai": ["txtai==9.14.0", *ENGINE, "--constraints", CONSTRAINTS],
}
VERSIONS = {
    OURS: "this checkout",
    "llamaindex": "llama-index-core 0.14.25, bm25s",
    "langchain": "langchain-chroma 1.1.0, chromadb 1.5.9, rank-bm25",
    "txtai": "txtai 9.14.0, faiss",
}
QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGSMITH_TRACING": "false",
    "PYTHONWARNINGS": "ignore",
    "TOKENIZERS_PARALLELISM": "true",
}
# Threads that wait do not spin: so our command sets it, and txtai, with two OpenMPs in one process, has its best p95 with it. The
# other two are faster without.
OWN = {system: {"OMP_WAIT_POLICY": "PASSIVE"} for system in (OURS, "txtai")}


@dataclass(slots=True)
class Row:
    """One system at one size; seconds by its own clock."""

    system: str
    version: str
    build: list[float] = field(default_factory=list)
    asked: list[list[float]] = field(default_factory=list)  # of each round, a question each
    found: list[list[str]] = field(default_factory=list)  # of the first round
    loads: list[float] = field(default_factory=list)  # of the machine, after each turn
    peak_mb: int = 0
    recall: float | None = None
    failure: str = ""


class Process:
    """A system's process and its answers; one that fails or takes too long is ended and never asked again.

    Args:
        row: What it is to tell of goes there.
        command: Starts it.
        limit: Seconds for an answer.
    """

    def __init__(self, row: Row, command: Sequence[str | Path], limit: float) -> None:
        self.row, self._limit = row, limit
        env = os.environ | QUIET | OWN.get(row.system, {})
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._answer("loading")

    def tell(self, **order: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Send an order and wait for its answer; empty once the system has failed."""
        if self.row.failure:
            return {}
        to = self._child.stdin
        with suppress(BrokenPipeError):  # the answer, which does not come, says it
            print(json.dumps(order), file=to, flush=True)
        return self._answer(next(iter(order)))

    def end(self) -> None:
        """End the process, whatever it does."""
        self._child.kill()
        self._child.communicate()

    def _read(self) -> None:
        for line in self._child.stdout or ():
            self._lines.put(line)
        self._lines.put("")

    def _answer(self, doing: str) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=self._limit)
        except queue.Empty:
            self.row.failure = f"{doing}: ended after the limit of {self._limit:g} s"
        else:
            if line:
                answer: dict[str, Any] = json.loads(line)
                self.row.peak_mb = answer.get("peak_mb", self.row.peak_mb)
                self.row.loads.append(round(os.getloadavg()[0], 1))
                return answer
            self.row.failure = f"{doing}: the process ended with {self._child.wait()}"
        say(f"{self.row.system}: {self.row.failure}")
        self._child.kill()
        return {}


def main() -> None:
    """Measure every size, print the tables."""
    options = _options()
    os.environ.pop("OMP_WAIT_POLICY", None)
    if hasattr(os, "sched_setaffinity"):  # children have the same cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    os.environ |= {name: str(options.threads) for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "MKL_NUM_THREADS")}
    pythons = {system: _python_of(system, options.cache) for system in options.systems}
    machine = f"{options.threads} cores of {os.cpu_count()}, Python {platform.python_version()}"
    report: dict[str, Any] = {"machine": machine, "load_before": os.getloadavg()[0], "top": TOP, "sizes": []}
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        figures = options.json or Path(scratch) / "figures.json"
        for size in options.sizes:
            work = Path(scratch) / str(size)
            report["sizes"].append(_measured(size, pythons, options, work))
            figures.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
            shutil.rmtree(work)
        subprocess.run([sys.executable, PEERS / "search_table.py", figures], check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "dragoman-bench")
    parser.add_argument("--scratch", type=Path, help="where indexes are built; left out, the temporary folder")
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="a name of the catalog, or a folder")
    parser.add_argument("--sizes", type=lambda text: [int(one) for one in text.split(",")], default=[1000, 20_000])
    parser.add_argument("--systems", nargs="+", choices=VERSIONS, default=list(VERSIONS))
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ask", type=int, default=QUESTIONS, help="questions a round")
    parser.add_argument("--encode-up-to", type=int, default=20_000, help="chunks; beyond, all share ready vectors")
    parser.add_argument("--limit", type=float, default=3600, help="seconds for a build, or for a turn of questions")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads of every system")
    parser.add_argument("--quick", action="store_true", help="300 chunks, one round of 20 questions")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.rounds, options.ask = [300], 1, 20
    return options


def _python_of(system: str, cache: Path) -> Path:
    """The Python that a system runs in; a peer's environment is made when it is not there as pinned."""
    if system == OURS:
        return Path(sys.executable)
    command: list[str | Path] = [sys.executable, PEERS / "environments.py", cache / "peers" / f"search-{system}"]
    done = subprocess.run([*command, *INSTALL[system]], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


def _measured(size: int, pythons: dict[str, Path], options: argparse.Namespace, work: Path) -> dict[str, Any]:
    from dragoman.models.catalog import resolve

    model, shared = resolve(options.model, say=say), size > options.encode_up_to
    command: list[str | Path] = [
        sys.executable,
        PEERS / "search_corpus.py",
        options.workspace,
        str(size),
        work / "data",
    ]
    command += ["--model", model, "--threads", str(options.threads)]
    command += ["--vectors", options.cache / "vectors"] if shared else []
    corpus = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    questions = _asked(options, work)
    with ExitStack() as stack:
        running = []
        for system, python in pythons.items():
            told: list[str | Path] = [
                PEERS / "searchers.py",
                system,
                model,
                work / "data",
                work,
                "--threads",
                str(options.threads),
            ]
            process = Process(Row(system, VERSIONS[system]), [python, *told], options.limit)
            stack.callback(process.end)
            running.append(process)
        _build(running, 1 if shared or size > BUILDS_UP_TO else options.rounds, corpus.get("vectors"))
        _ask(running, questions, options.rounds)
        for process in running:
            if process.row.system == OURS:
                process.row.recall = process.tell(recall=[one for part in questions for one in part]).get("recall")
    rows = [asdict(process.row) | _figures(process.row, corpus["chunks"]) for process in running]
    return {**corpus, "shared_vectors": shared, "questions": sum(map(len, questions)), "rows": rows}


def _asked(options: argparse.Namespace, work: Path) -> list[list[str]]:
    """The questions of each round, all of them different where there are enough."""
    if options.questions:
        rows = [json.loads(line) for line in options.questions.read_text(encoding="utf-8").splitlines() if line.strip()]
        texts = [row["question"] if "question" in row else row["text"] for row in rows]
    else:
        texts = json.loads((work / "data" / "questions.json").read_text(encoding="utf-8"))
    if not texts:
        raise SystemExit("there are no questions: give a workspace that has been through synth, or --questions FILE")
    wanted = options.rounds * options.ask
    chosen = [texts[int(place * max(1.0, len(texts) / wanted)) % len(texts)] for place in range(wanted)]
    return [chosen[turn :: options.rounds] for turn in range(options.rounds)]


def _turns(running: list[Process], turn: int) -> list[Process]:
    """Who comes first changes from turn to turn."""
    first = turn % len(running)
    return [*running[first:], *running[:first]]


def _build(running: list[Process], rounds: int, vectors: str | None) -> None:
    for turn in range(rounds):
        for process in _turns(running, turn):
            if answer := process.tell(build=vectors):
                process.row.build.append(answer["seconds"])
                say(f"build {turn + 1}, {process.row.system}: {answer['seconds']:.1f} s; load {process.row.loads[-1]}")


def _ask(running: list[Process], questions: list[list[str]], rounds: int) -> None:
    turn = 0
    for process in running:
        process.tell(ask=questions[-1][-WARM:])
    for number in range(rounds):
        for process in running:
            process.row.asked.append([])
        for start in range(0, len(questions[number]), TURN):
            turn += 1
            for process in _turns(running, turn):
                if answer := process.tell(ask=questions[number][start : start + TURN]):
                    process.row.asked[number] += answer["seconds"]
                    process.row.found += answer["found"] if number == 0 else []
        for process in running:
            if process.row.asked[number]:
                figures = (
                    f"p50 {_ms(process.row.asked[number], 50):.1f} ms, p95 {_ms(process.row.asked[number], 95):.1f} ms"
                )
                say(f"round {number + 1}, {process.row.system}: {figures}; load {process.row.loads[-1]}")


def _ms(seconds: Sequence[float], percent: int) -> float:
    return float(np.percentile(seconds, percent)) * 1000


def _figures(row: Row, chunks: int) -> dict[str, Any]:
    rounds = [one for one in row.asked if one]
    every = [one for found in rounds for one in found]
    return {
        "chunks_per_second": chunks / median(row.build) if row.build else None,
        **{f"p{part}_ms": _ms(every, part) if every else None for part in (50, 95)},
        **{f"p{part}_ms_rounds": [_ms(one, part) for one in rounds] for part in (50, 95)},
    }


def say(line: str) -> None:
    """Progress goes beside the table, not into it."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
