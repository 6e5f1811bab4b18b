"""The benchmark of generators runs: ours asks once for each passage and gives back every question that the endpoint wrote."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PAGES = {
    "tea.md": "# Tea\n\nBoil water and wait for a minute.\n\n## Steep\n\nPour it over the leaves.\n",
    "bread.md": "# Bread\n\nKnead the dough for ten minutes.\n\n## Bake\n\nBake it at 230 degrees.\n",
}


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(docs: Path, tmp_path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [
        sys.executable,
        BENCHMARKS / "generation.py",
        "--docs",
        docs,
        "--cache",
        tmp_path / "c",
    ]
    return subprocess.run([*command, *more], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.usefixtures("minilm")
def test_ours_and_the_endpoint_alone_give_a_table_and_figures(docs: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    done = run(
        docs, tmp_path, "--only", "endpoint-alone", "dragoman", "--chunks", "2", "--repeat", "1", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    report = json.loads(out.read_text(encoding="utf-8"))
    assert (report["passages"], report["bound"]) == (2, 0.2)
    for row in report["rows"]:
        (only,) = row["rounds"]
        assert (only["requests"], only["passages"], only["right"]) == (2, 2, 8), row["system"]
        assert only["generation"] >= 0.2  # the endpoint's latency cannot be beaten
        assert 1 <= only["most"] <= 2


@pytest.mark.usefixtures("minilm")
def test_docs_that_hold_too_few_passages_are_refused(docs: Path, tmp_path: Path) -> None:
    done = run(docs, tmp_path, "--chunks", "500")
    assert done.returncode == 1
    assert "500 asked for" in done.stderr
    assert not done.stdout
