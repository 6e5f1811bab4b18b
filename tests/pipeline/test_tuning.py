"""Training, verdict and report as a user meets them: people's questions, other ways to tune, and two runs side by side."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.embedding_server import MODEL, EmbeddingServer, embedding

from dragoman.evaluate.asked import AskedRow
from dragoman.models.adapted import is_adapter
from dragoman.tables import read_rows
from dragoman.workspace import Workspace

pytestmark = pytest.mark.timeout(400)

QUESTIONS = (
    ("what do I do when the thread ran out", "sacks.md", "Sewing"),
    ("who gets a reminder after three weeks", "accounts.md", "Late payment"),
    ("how is ice broken", "water.md", "Ice"),
    ("where is the mill's cat", "water.md", "Cats"),
)


def write_questions(folder: Path) -> Path:
    path = folder / "real.jsonl"
    rows = [
        {"qid": str(n), "question": text, "relevant": [{"file": file, "heading": heading, "grade": 2}]}
        for n, (text, file, heading) in enumerate(QUESTIONS)
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def report_of(workspace: Path) -> dict[str, Any]:
    return dict(json.loads((workspace / "evaluate" / "report.json").read_text(encoding="utf-8")))


def test_a_useless_tuning_is_refused_and_the_base_is_named_wherever_one_looks(copied: Any, dragoman: Any) -> None:
    report = report_of(copied.workspace)
    assert report["gate"]["ships"] is False
    assert report["gate"]["served"]["model"] == "base"
    assert "Served: base model" in dragoman("status", "--workspace", copied.workspace).stdout
    assert "The base model is served" in (copied.workspace / "evaluate" / "report.html").read_text(encoding="utf-8")
    assert "base model" in dragoman("search", "ice", "--workspace", copied.workspace).stdout


def test_every_epoch_and_mixture_was_tried_on_the_same_questions(built: Any) -> None:
    report = report_of(built.workspace)
    tried = [(row["epochs"], row["share"]) for row in report["choice"]["rows"]]
    assert tried == [(0, 0.0), (1, 0.5), (1, 1.0)]
    assert sum(row["chosen"] for row in report["choice"]["rows"]) == 1
    assert {row["dims"] for row in report["dims"]} == {384, 256, 128, 64}
    rows = read_rows(built.workspace / "evaluate" / "asked.parquet", AskedRow)
    assert len(rows) == report["asked"]
    assert {row.served for row in rows} != {0}


def test_peoples_questions_are_scored_by_their_places_and_count_a_hundredth_each(copied: Any, dragoman: Any) -> None:
    file = write_questions(copied.docs.parent)
    said = dragoman("evaluate", "--questions", file, "--workspace", copied.workspace)
    people = report_of(copied.workspace)["people"]
    assert (people["asked"], people["unplaced"], people["counted"]) == (3, 1, True)
    assert "Cats" in people["lost"][0]
    assert "line 4" in " ".join(said.stderr.split())
    assert all(0 <= row["ndcg"] <= 1 for row in people["table"])
    assert "3 questions of real.jsonl" in said.stdout
    rows = read_rows(copied.workspace / "evaluate" / "asked.parquet", AskedRow)
    weights = {kind: sum(row.weight for row in rows if row.kind == kind) for kind in ("person", "llm")}
    assert weights["person"] / sum(weights.values()) == pytest.approx(0.03)


def test_a_file_of_questions_that_changes_makes_the_verdict_stale_and_no_model(copied: Any, dragoman: Any) -> None:
    file = write_questions(copied.docs.parent)
    trained = (copied.workspace / "train" / "manifest.json").stat().st_mtime_ns
    dragoman("evaluate", "--questions", file, "--workspace", copied.workspace)
    file.write_text(file.read_text(encoding="utf-8").replace("broken", "split"), encoding="utf-8")
    told = dragoman("status", "--workspace", copied.workspace).stdout
    assert "input 'people's questions' changed" in told
    assert (copied.workspace / "train" / "manifest.json").stat().st_mtime_ns == trained


def test_two_recipes_are_compared_question_by_question(copied: Any, dragoman: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(copied.workspace, other)
    dragoman("evaluate", "--workspace", other, "--set", "train.mixes=[1.0]", "--force")
    told = json.loads(dragoman("compare", copied.workspace, other, "--json").stdout)
    assert told["common"] == report_of(other)["asked"]
    assert [row["key"] for row in told["differs"]] == ["train.mixes"]


def test_a_large_model_is_tuned_by_low_rank_additions(copied: Any, dragoman: Any) -> None:
    dragoman("train", "--workspace", copied.workspace, "--set", "train.method=lora", "--set", "train.lora_rank=4")
    notes: Any = Workspace(copied.workspace).need("train").notes
    assert (notes["method"], len(notes["rounds"])) == ("lora", 2)
    dragoman("evaluate", "--workspace", copied.workspace)
    assert report_of(copied.workspace)["training"]["method"] == "lora"


def test_a_model_behind_an_api_is_tuned_by_a_map_of_its_questions(
    copied: Any, dragoman: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    with embedding(EmbeddingServer(dimension=256)) as server:
        remote = ("--set", f"models.embedding_url={server.url}", "--set", f"models.embedding={MODEL}")
        where = ("--workspace", copied.workspace)
        refused = dragoman("train", *where, *remote, code=2)
        assert "train.method=adapter" in refused.stderr
        dragoman(
            "build", copied.docs, *where, *remote, "--set", "train.method=adapter", "--set", "train.learning_rate=1e-2"
        )
        folder = copied.workspace / "train" / "round-0" / "epoch-1"
        assert is_adapter(folder)
        report = report_of(copied.workspace)
        assert report["training"]["method"] == "adapter"
        assert "ice" in dragoman("search", "ice", *where).stdout.lower()
        texts = [text for texts in server.asked for text in texts]
    passages = [text for text in texts if "\n" in text]
    assert len(passages) == len(set(passages)), "a passage was embedded twice"


@pytest.mark.parametrize(("setting", "changed"), [("seed=7", "seed was"), ("train.folds=3", "folds was 2, is 3")])
def test_models_of_other_rounds_are_not_judged_by_questions_that_they_saw(
    copied: Any, dragoman: Any, setting: str, changed: str
) -> None:
    told = dragoman("evaluate", "--workspace", copied.workspace, "--set", setting, code=1).stderr
    assert changed in told
    assert "dragoman train" in told


def test_the_report_is_json_for_strict_readers_even_where_an_interval_is_unknown(copied: Any, dragoman: Any) -> None:
    file = copied.docs.parent / "one.jsonl"
    place = {"file": "water.md", "heading": "Ice", "grade": 2}
    file.write_text(json.dumps({"qid": "1", "question": "how is ice broken", "relevant": [place]}), encoding="utf-8")
    dragoman("evaluate", "--questions", file, "--workspace", copied.workspace)
    text = (copied.workspace / "evaluate" / "report.json").read_text(encoding="utf-8")
    report = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert report["people"]["table"][0]["ndcg_low"] is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (("train.method=adapter", "train.patience=1"), "train.patience with an adapter"),
        (("train.teacher=cross/encoder",), "train.negatives is 0"),
        (("train.report_to=['pigeon']",), "train.report_to holds 'pigeon'"),
        (("models.embedding_url=http://127.0.0.1:9/v1",), "train.method=adapter"),
    ],
)
def test_what_training_would_refuse_is_refused_before_anything_is_built(
    copied: Any, dragoman: Any, settings: tuple[str, ...], told: str
) -> None:
    options = [part for setting in settings for part in ("--set", setting)]
    code = 1 if "report_to" in settings[0] else 2
    done = dragoman("build", copied.docs, "--workspace", copied.workspace, *options, code=code)
    assert told in done.stderr
    assert "ingest:" not in done.stderr
