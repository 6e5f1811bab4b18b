"""The benchmark of training runs both trainings on the same rows, and its figures hang together."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "training.py"

pytestmark = pytest.mark.timeout(300)


def run(*options: str | Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, BENCHMARK, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.slow
def test_both_trainings_take_the_same_steps_and_give_a_table_and_figures(minilm: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    sizes = ("--made", "18", "--epochs", "1", "--batch", "8", "--rounds", "1")
    done = run(*sizes, "--model", minilm, "--out", out)
    assert done.returncode == 0, done.stderr
    assert [line.split(" | ")[0] for line in done.stdout.splitlines()[2:4]] == ["| plain", "| ours"]
    report = json.loads(out.read_text(encoding="utf-8"))
    rounds: dict[str, dict[str, Any]] = {name: found[0] for name, found in report["rounds"].items()}
    for name, one in rounds.items():
        assert (one["steps"], one["questions"], one["ndcg"]) == (3, 18, None), name
        assert 0 < one["training"] <= one["call"] < one["process"], name
        assert one["peak_mib"] > 100, name
    assert rounds["plain"]["precision"] == "fp32"
    share = rounds["ours"]["training"] / rounds["plain"]["training"]
    assert f"ours/plain, training: {share:.2f}" in done.stdout
    minutes = 1000 / (18 / rounds["ours"]["training"]) / 60
    assert f"1,000 questions, one epoch, ours: {minutes:.1f} minutes" in done.stdout


def test_rows_come_from_a_workspace_or_are_made_up_but_not_both(tmp_path: Path) -> None:
    done = run("--made", "18", "--workspace", tmp_path)
    assert done.returncode == 2
    assert "not allowed with" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["triplet", "mnrl"])
def test_the_plain_script_learns_with_either_loss_and_keeps_each_epoch(loss: str, minilm: Path, tmp_path: Path) -> None:
    texts = [f"part {number} of the mill" for number in range(8)]
    columns = {"anchor": texts, "positive": [f"what is {text}?" for text in texts]}
    if loss == "triplet":
        columns["negative"] = ["who won the race?"] * len(texts)
    facts = {
        "loss": loss,
        "distinct": loss == "mnrl",
        "columns": columns,
        "output": str(tmp_path / "out"),
        "bf16": False,
    }
    sizes = {"epochs": 2, "batch": 2, "accumulation": 2, "steps": 0, "rate": 1e-4, "warmup": 0.1, "seed": 1}
    (tmp_path / "job.json").write_text(json.dumps({"base": str(minilm), **facts, **sizes}), encoding="utf-8")
    command: list[str | Path] = [sys.executable, BENCHMARK.parent / "peers" / "trainers.py", tmp_path / "job.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["steps"] == 4
    weights = (
        load_file(minilm / "model.safetensors"),
        *(load_file(tmp_path / "out" / f"epoch-{epoch}" / "model.safetensors") for epoch in (1, 2)),
    )
    name = "encoder.layer.0.output.dense.weight"
    base, first, second = (table[name] for table in weights)
    assert 0 < np.abs(first - base).max() < np.abs(second - base).max()
