"""Our chunker and its peers on the same Markdown, one after the other, in one run.

In: docs from the npm registry, fetched as data and pinned below, or ``--docs FOLDER``. Out: a Markdown table on standard
output; with ``--out`` all figures as JSON. Each system runs in a process of its own, each peer in an environment of its
own (``peers/chunkers.py``); what is good about the chunks is judged for all alike (``peers/quality.py``). The first line
of the table is the tokenizer alone, on all cores unless ``--threads 1``: it is what the others are compared with.

    python benchmarks/chunking.py --cache ~/.cache/dragoman-bench --out chunking.json
    python benchmarks/chunking.py --memory     # ours only, on 33 MB
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

PEERS = Path(__file__).parent / "peers"
BUDGET = 256  # tokens of a passage, [CLS] and [SEP] included
MEMORY_MB = 33
SUFFIXES = {".md", ".mdx", ".markdown"}
TOKENIZER = ("tokenizer-alone", "tokenizer-offsets")  # these cut nothing, so there is nothing to judge
UNDER_BUDGET = 0.0005  # one chunk in 2,000: a sum of the counts of parts is now and then one too small

# Package, version, folder of its Markdown.
CORPUS = (
    ("@mastra/mcp-docs-server", "1.2.27", ".docs"),
    ("@voltagent/docs-mcp", "2.0.3", "docs"),
    ("ai", "7.0.173", "docs"),
    ("next", "16.4.6", "dist/docs"),
    ("npm", "12.2.0", "docs/content"),
)
TOKENIZERS = "tokenizers==0.23.3"
REQUIREMENTS = {
    "langchain": ("langchain-text-splitters==1.1.3", TOKENIZERS),
    "llamaindex": ("llama-index-core==0.14.25", TOKENIZERS),
    "semantic-text-splitter": ("semantic-text-splitter==0.33.1", TOKENIZERS),
    "chonkie": ("chonkie==1.7.0", "tokie==0.1.4", TOKENIZERS),
}
SYSTEMS = {
    "tokenizer-alone": "",
    "tokenizer-offsets": "",
    "dragoman": "",
    "dragoman-one-process": "",
    "langchain": "langchain",
    "llamaindex": "llamaindex",
    "semantic-text-splitter": "semantic-text-splitter",
    "chonkie-recursive": "chonkie",
    "chonkie-recursive-tokie": "chonkie",
    "chonkie-token": "chonkie",
    "chonkie-token-tokie": "chonkie",
}


@dataclass(slots=True)
class Row:
    """Figures of one system: seconds of each round, the most memory of any, and facts about its chunks."""

    system: str
    version: str
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)


def read_docs(folders: list[Path]) -> list[str]:
    """The Markdown files of folders, in the order of their paths; ends of lines are "\\n"."""
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    return [text for text in texts if text.strip()]


def fetch_docs(cache: Path) -> list[Path]:
    """The folders of the corpus; fetched and checked against the registry's sha512 when the cache lacks them."""
    from dragoman.ingest.sources.npm import fetch_package

    return [fetch_package(name, number, cache, say).root / folder for name, number, folder in CORPUS]


def python_of(system: str, cache: Path) -> Path:
    """The Python that a system runs in; a peer's environment is made when it is not there as pinned."""
    peer = SYSTEMS[system]
    if not peer:
        return Path(sys.executable)
    command: list[str | Path] = [sys.executable, PEERS / "environments.py", cache / "peers" / peer, *REQUIREMENTS[peer]]
    return Path(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def run_once(system: str, python: Path, work: Path, *, chunks: bool) -> dict[str, float]:
    """One round of one system; with ``chunks`` what it cut is left in the work folder."""
    files = [work / "texts.jsonl", work / "tokenizer.json"]
    command: list[str | Path] = [python, PEERS / "chunkers.py", system, *files, str(BUDGET)]
    command += ["--chunks", work / f"{system}.jsonl"] if chunks else []
    env = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def judge(system: str, work: Path) -> dict[str, Any]:
    """Facts about the chunks that a system left in the work folder."""
    files = [work / "texts.jsonl", work / f"{system}.jsonl", work / "tokenizer.json"]
    command: list[str | Path] = [sys.executable, PEERS / "quality.py", *files, str(BUDGET)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    files[1].unlink()
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def prepare(work: Path, texts: list[str]) -> None:
    """Lay down the texts, and the model's tokenizer without the truncation and padding that it ships with."""
    from tokenizers import Tokenizer

    from dragoman.models.catalog import resolve

    tokenizer = Tokenizer.from_file(str(resolve("all-MiniLM-L6-v2", mirrors=True, say=say) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(work / "tokenizer.json"))
    with (work / "texts.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(text) + "\n" for text in texts)


def compare(options: argparse.Namespace, work: Path) -> list[Row]:
    """All rounds of all systems; every other round runs them backwards, so that none always comes first."""
    pythons = {system: python_of(system, options.cache) for system in options.only}
    rows = {system: Row(system, version_of(system)) for system in options.only}
    for turn in range(options.repeat):
        for system in options.only if turn % 2 == 0 else reversed(options.only):
            judged = turn == 0 and system not in TOKENIZER
            took = run_once(system, pythons[system], work, chunks=judged)
            row = rows[system]
            row.seconds.append(took["seconds"])
            row.cpu_seconds.append(took["cpu_seconds"])
            row.peak_mb = max(row.peak_mb, took["peak_mb"])
            say(f"round {turn + 1}, {system}: {took['seconds']:.1f} s; load {os.getloadavg()[0]:.1f}")
            if judged:
                row.facts = judge(system, work)
    return list(rows.values())


def version_of(system: str) -> str:
    """What is measured, with its version."""
    if system in TOKENIZER:
        return f"tokenizers {version('tokenizers')}"
    return ", ".join(one.replace("==", " ") for one in REQUIREMENTS.get(SYSTEMS[system], ("this checkout",))[:1])


def table(rows: list[Row], megabytes: float) -> Iterator[str]:
    """Lines of a Markdown table; shares in percent."""
    alone = next((median(row.seconds) for row in rows if row.system == "tokenizer-alone"), None)
    yield (
        "| system | true tokens | MB/s (range) | of the tokenizer | CPU s | peak MB | chunks | median tokens | over budget |"
        " short fences cut | odd fence marks | heading known | offsets right | text kept |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        speeds = [megabytes / seconds for seconds in row.seconds]
        facts, middle = row.facts, megabytes / median(row.seconds)
        true = ("yes" if facts["over_budget"] <= UNDER_BUDGET else "no") if facts else "-"
        cells = [
            f"{row.system} ({row.version})",
            true,
            f"{middle:.2f} ({min(speeds):.2f} to {max(speeds):.2f})",
            f"{alone / median(row.seconds):.2f}" if alone else "-",
            f"{median(row.cpu_seconds):.1f}",
            f"{row.peak_mb:.0f}",
            *(f"{facts[name]:,}" if facts else "-" for name in ("chunks", "median_tokens")),
            *(percent(facts.get(name)) for name in ("over_budget", "short_fences_cut", "odd_fence_marks")),
            *(percent(facts.get(name)) for name in ("heading_known", "offsets_right", "text_kept")),
        ]
        yield f"| {' | '.join(cells)} |"


def percent(share: float | None) -> str:
    """A share as percent; "-" where there is none."""
    return "-" if share is None else f"{share:.2%}"


def memory(options: argparse.Namespace, work: Path, texts: list[str]) -> dict[str, object]:
    """Ours on 33 MB: the corpus again and again, with its sentences changed each time so that no two pages are alike."""
    grown, size, turn = list(texts), sum(len(text.encode()) for text in texts), 0
    while size < MEMORY_MB * 1e6:
        turn += 1
        for text in texts:
            grown.append(text.replace(". ", f" v{turn}. "))
            size += len(grown[-1].encode())
            if size >= MEMORY_MB * 1e6:
                break
    prepare(work, grown)
    took = run_once("dragoman", python_of("dragoman", options.cache), work, chunks=False)
    return {"mb": round(size / 1e6, 1), "documents": len(grown), "repeats_with_edits": turn, **took}


def say(line: str) -> None:
    """Progress goes beside the table, not into it."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Fetch, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "dragoman-bench")
    parser.add_argument("--docs", type=Path, action="append", help="a folder of Markdown in place of the corpus")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of the Rust parts of every system; without it, one a core")
    parser.add_argument("--memory", action="store_true", help=f"only ours, on {MEMORY_MB} MB")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON to this file")
    options = parser.parse_args()
    if options.threads:
        os.environ["RAYON_NUM_THREADS"] = str(options.threads)
    texts = read_docs(options.docs or fetch_docs(options.cache / "docs"))
    size = sum(len(text.encode()) for text in texts)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start"
    say(f"{len(texts)} documents, {size / 1e6:.2f} MB; {machine}")
    report: dict[str, Any] = {"documents": len(texts), "bytes": size, "machine": machine, "budget": BUDGET}
    report["threads"] = options.threads
    with tempfile.TemporaryDirectory() as folder:
        if options.memory:
            report["memory"] = memory(options, Path(folder), texts)
            print(json.dumps(report["memory"], indent=2))
        else:
            prepare(Path(folder), texts)
            rows = compare(options, Path(folder))
            report["load_after"] = os.getloadavg()[0]
            report["rows"] = [{name: getattr(row, name) for name in Row.__slots__} for row in rows]
            print("\n".join(table(rows, size / 1e6)))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
