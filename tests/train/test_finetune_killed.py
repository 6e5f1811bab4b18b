"""A training in a process of its own, killed without a word, and started again."""

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from dragoman.config import TrainSettings
from dragoman.records import Triplet
from dragoman.tables import file_hash
from dragoman.train.finetune import epoch_folder, finetune

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SETTINGS = TrainSettings(epochs=3, batch_size=8, dims=(384, 64))
STEPS = 9

CHILD = """
import json, os, signal, sys
from pathlib import Path
from dragoman.config import TrainSettings
from dragoman.records import Triplet
from dragoman.train import course
from dragoman.train.finetune import finetune

base, rows, output, settings, last = sys.argv[1:]
course.CHECKPOINT_SECONDS = 0.0
done = 0

def advance(count):
    global done
    done += count
    if done == int(last):
        os.kill(os.getpid(), signal.SIGKILL)

lists = ("negatives", "also", "wrong")
read = [Triplet(**{**row, **{key: tuple(row[key]) for key in lists}}) for row in json.loads(Path(rows).read_text())]
finetune(Path(base), read, Path(output), TrainSettings.model_validate_json(settings), seed=13, advance=advance)
"""


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(
    minilm: Path, triplets: list[Triplet], tmp_path: Path, method: str
) -> None:
    if method == "lora":
        pytest.importorskip("peft")
    settings = SETTINGS.model_copy(update={"method": method})
    rows, output = tmp_path / "rows.json", tmp_path / "killed" / "model"
    rows.write_text(json.dumps([asdict(row) for row in triplets]), encoding="utf-8")
    output.parent.mkdir()
    kills = sorted(random.sample(range(2, STEPS + 1), 2))
    for step in kills:
        command = [
            sys.executable,
            "-c",
            CHILD,
            str(minilm),
            str(rows),
            str(output),
            settings.model_dump_json(),
            str(step),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400, env=os.environ)
        assert done.returncode == -signal.SIGKILL, f"killed at {kills}: {done.stderr}"
        assert not output.exists()
        assert (output.parent / "model.resume").is_dir()
    seen: list[int] = []
    resumed = finetune(minilm, triplets, output, settings, seed=13, advance=seen.append)
    assert seen[0] >= kills[-1] - 1 > 0, f"nothing was kept of what was killed at {kills}"
    whole = finetune(minilm, triplets, tmp_path / "whole", settings, seed=13)
    assert resumed.losses == whole.losses, f"killed at {kills}"
    for epoch in (1, 2, 3):
        files = [epoch_folder(place, epoch) / "model.safetensors" for place in (output, tmp_path / "whole")]
        assert file_hash(files[0]) == file_hash(files[1]), f"epoch {epoch}, killed at {kills}"
    assert [path.name for path in output.parent.iterdir()] == ["model"]
