"""The benchmark of search grows a corpus of distinct passages, and its figures are of what the systems found."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.records import Chunk, content_id
from dragoman.tables import read_rows, write_rows

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TOOLS = ("saw", "plane", "chisel", "clamp", "drill", "file", "hammer", "router", "lathe", "mallet", "rasp", "vice")
SAID = "Keep the {tool} dry, oil its handle on Mondays, and hang it on the wall beside the window after every use."

pytestmark = pytest.mark.timeout(300)


def run(script: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, BENCHMARKS / script, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


def chunk_of(tool: str, text: str) -> Chunk:
    return Chunk(
        id=content_id("workshop", tool),
        source="workshop",
        path=f"{tool}.md",
        title=tool,
        trail=("Workshop", tool),
        section=content_id("section", tool),
        text=text,
        passage=f"Workshop > {tool}\n{text}",
        start=0,
        end=len(text),
        start_line=1,
        end_line=1,
        tokens=30,
        url="",
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "ingest").mkdir(parents=True)
    chunks = [chunk_of(tool, SAID.format(tool=tool)) for tool in TOOLS]
    chunks += [chunk_of("bits", "Bits."), chunk_of("marks", "->")]
    write_rows(folder / "ingest" / "chunks.parquet", chunks, Chunk)
    return folder


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "asked.jsonl"
    rows = [{"question": f"how do I keep the {tool}"} for tool in TOOLS[:4]] + [{"text": "when is the saw oiled?"}]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def grown(workspace: Path, size: int, out: Path) -> list[Chunk]:
    done = run("peers/search_corpus.py", workspace, str(size), out, "--model", "none is loaded")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["chunks"] == size
    return read_rows(out / "chunks.parquet", Chunk)


def test_copies_are_distinct_keep_their_headings_and_have_a_quarter_of_their_words_changed(
    workspace: Path, tmp_path: Path
) -> None:
    chunks = grown(workspace, 700, tmp_path / "data")
    for name in ("id", "passage"):
        assert len({getattr(chunk, name) for chunk in chunks}) == 700, name
    lines = (tmp_path / "data" / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [[chunk.id, chunk.passage] for chunk in chunks]
    first = len(TOOLS) + 2
    assert chunks[:first] == read_rows(workspace / "ingest" / "chunks.parquet", Chunk)
    for place, copy in enumerate(chunks[first:], start=first):
        real = chunks[place % first]
        assert copy.passage == f"Workshop > {real.title}\n{copy.text}"
        assert copy.section != real.section
        assert copy.end - copy.start == len(copy.text)
    changed = []
    for place in range(first, first + len(TOOLS)):
        words = [re.findall(r"\w+", one.text) for one in (chunks[place - first], chunks[place])]
        changed.append(sum(a != b for a, b in zip(*words, strict=True)))
    assert 3 <= np.mean(changed) <= 5  # of 17 words of three letters or more, less a word drawn in its own place


def test_a_larger_corpus_begins_with_the_smaller_one(workspace: Path, tmp_path: Path) -> None:
    small, large = (grown(workspace, size, tmp_path / str(size)) for size in (20, 45))
    assert large[:20] == small
    assert grown(workspace, 5, tmp_path / "5") == small[:5]


@pytest.mark.slow
@pytest.mark.usefixtures("minilm")
def test_ours_is_built_from_texts_and_from_ready_vectors_and_finds_what_an_exact_scan_finds(
    workspace: Path, questions: Path, tmp_path: Path
) -> None:
    out, cache = tmp_path / "figures.json", tmp_path / "cache"
    options: list[str | Path] = [
        "--workspace",
        workspace,
        "--questions",
        questions,
        "--cache",
        cache,
        "--systems",
        "dragoman",
    ]
    sizes = ["--sizes", "14,40", "--encode-up-to", "14", "--rounds", "2", "--ask", "5"]
    done = run("search.py", *options, *sizes, "--json", out)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text(encoding="utf-8"))
    encoded, given = report["sizes"]
    assert (encoded["chunks"], encoded["real"], encoded["shared_vectors"]) == (14, 14, False)
    assert (given["chunks"], given["real"], given["shared_vectors"]) == (40, 14, True)
    assert [len(one["rows"][0]["build"]) for one in (encoded, given)] == [2, 1]
    for size in (encoded, given):
        (row,) = size["rows"]
        check(row)
        assert f"{row['p95_ms']:.1f}" in done.stdout
    vectors = [np.load(path) for path in cache.glob("vectors/*/*.npy")]
    assert [found.shape for found in vectors] == [(40, 384)]
    assert "build from ready vectors" in done.stdout


def check(row: dict[str, Any]) -> None:
    assert not row["failure"]
    assert [len(asked) for asked in row["asked"]] == [5, 5]
    every = sorted(row["asked"][0] + row["asked"][1])
    assert every[4] <= row["p50_ms"] / 1000 <= every[5]
    assert every[8] <= row["p95_ms"] / 1000 <= every[9]
    assert row["recall"] == 1.0
    assert row["peak_mb"] > 100
    assert len(row["found"]) == 5
    assert all(0 < len(set(found)) == len(found) <= 10 for found in row["found"])


@pytest.mark.usefixtures("minilm")
def test_a_system_that_takes_too_long_is_ended_and_the_table_says_so(
    workspace: Path, questions: Path, tmp_path: Path
) -> None:
    options: list[str | Path] = [
        "--workspace",
        workspace,
        "--questions",
        questions,
        "--cache",
        tmp_path,
        "--systems",
        "dragoman",
    ]
    done = run("search.py", *options, "--sizes", "14", "--limit", "0.01")
    assert done.returncode == 0, done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("| dragoman")]
    assert row.endswith("| loading: ended after the limit of 0.01 s |")
    assert row.count("| - ") == 5


def test_a_workspace_without_questions_is_refused(workspace: Path, minilm: Path, tmp_path: Path) -> None:
    options: list[str | Path] = [
        "--workspace",
        workspace,
        "--model",
        minilm,
        "--cache",
        tmp_path,
        "--systems",
        "dragoman",
    ]
    done = run("search.py", *options, "--quick")
    assert done.returncode == 1
    assert "there are no questions" in done.stderr
    assert not done.stdout
