"""The whole chain on a small documentation, and what a later run does again: only what changed."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.ingest.parts import HEADING_ALONE
from dragoman.records import Chunk, Question, Rejected
from dragoman.synth.filter import REASONS as FUNNEL
from dragoman.synth.prompts import STYLES
from dragoman.tables import read_rows
from dragoman.workspace import STAGES, Workspace


def contents(workspace: Path) -> dict[str, str]:
    """Content hash of each stage's artefact."""
    return {stage: Workspace(workspace).need(stage).content for stage in STAGES}


def test_a_build_ends_with_every_stage_and_its_verdict(built: Any) -> None:
    manifests = {stage: Workspace(built.workspace).need(stage) for stage in STAGES}
    assert manifests["ingest"].rows["documents"] == 4
    assert manifests["train"].rows["rounds"] == 2
    assert manifests["evaluate"].rows["questions"] >= 16
    assert manifests["index"].rows == {"chunks": manifests["ingest"].rows["chunks"], "tables": 1}
    report = json.loads((built.workspace / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] in " ".join(built.said.stdout.split())
    page = built.workspace / "evaluate" / "report.html"
    assert str(page) in built.said.stdout
    assert str(report["asked"]) in page.read_text(encoding="utf-8")


def test_what_is_kept_and_what_is_rejected_add_up(built: Any) -> None:
    synth, ingest = (Workspace(built.workspace).need(stage) for stage in ("synth", "ingest"))
    questions = read_rows(built.workspace / "synth" / "questions.parquet", Question)
    rejected = read_rows(built.workspace / "synth" / "rejected.parquet", Rejected)
    by_reason = Counter(row.reason for row in rejected)
    taken_out = sum(by_reason[reason] for reason in FUNNEL)
    assert synth.rows["kept"] == len(questions)
    assert synth.rows["rejected"] == len(rejected)
    assert synth.rows["made"] == len(questions) + taken_out
    assert synth.rows["trainable"] == sum(question.train for question in questions)
    assert taken_out > 0, "these pages give something to reject, or this test shows nothing"
    written = [row for row in rejected if row.reason in FUNNEL and row.item not in {q.id for q in questions}]
    assert len(written) == taken_out, "a question was both kept and rejected"
    chunks = read_rows(built.workspace / "ingest" / "chunks.parquet", Chunk)
    assert synth.rows["requests"] == built.requests == len(chunks) == ingest.rows["chunks"]
    by_kind = Counter(question.kind for question in questions)
    assert by_kind["llm"] <= len(STYLES) * len(chunks)
    assert {question.chunk_id for question in questions} <= {chunk.id for chunk in chunks}


def test_every_file_is_a_document_or_is_listed(copied: Any, dragoman: Any) -> None:
    (copied.docs / "map.md").write_bytes(b"# Map\0")
    (copied.docs / "ruin.md").write_text("# Only a heading\n", encoding="utf-8")
    (copied.docs / "photo.jpg").write_bytes(b"\xff\xd8")
    dragoman("ingest", copied.docs, "--workspace", copied.workspace)
    chunks = read_rows(copied.workspace / "ingest" / "chunks.parquet", Chunk)
    skipped = read_rows(copied.workspace / "ingest" / "rejected.parquet", Rejected)
    reasons = {row.item.partition(":")[0]: row.reason for row in skipped}
    assert reasons == {"map.md": "binary", "ruin.md": HEADING_ALONE, "*.jpg": "not a document"}
    files = {path.name for path in copied.docs.iterdir()}
    assert {chunk.path for chunk in chunks} | {"map.md", "ruin.md", "photo.jpg"} == files


def test_a_second_build_asks_nothing_and_says_that_all_is_fresh(
    built: Any, own_process: Any, used_seconds: Any
) -> None:
    before, asked = contents(built.workspace), len(built.endpoint.requests)
    with used_seconds() as seconds:
        done = own_process("build", built.docs, *built.options)
    assert [line for line in done.stderr.splitlines() if line.endswith(": fresh")] == [
        f"{stage}: fresh" for stage in STAGES
    ]
    assert len(built.endpoint.requests) == asked
    assert contents(built.workspace) == before
    assert seconds() < 5, f"{seconds():.1f} s of processor time for nothing"


def test_what_a_build_prints_for_programs_is_json_and_nothing_else(built: Any, dragoman: Any) -> None:
    done = dragoman("build", built.docs, *built.options, "--json")
    told = json.loads(done.stdout)
    assert {stage: row["content"] for stage, row in told.items()} == contents(built.workspace)
    assert done.stderr == ""
    report = json.loads(dragoman("evaluate", "--workspace", built.workspace, "--json").stdout)
    assert report["asked"] == told["evaluate"]["rows"]["questions"]
    assert report["gate"]["ships"] is False
    assert report["gate"]["untuned"]["mode"] != "lexical", "written questions flatter word search"


def test_a_forced_build_pays_for_no_answer_twice(copied: Any, dragoman: Any) -> None:
    asked = len(copied.endpoint.requests)
    done = dragoman("synth", "--workspace", copied.workspace, "--force")
    assert "0 requests sent" in done.stderr
    assert len(copied.endpoint.requests) == asked


def test_an_edited_page_is_all_that_is_asked_about_again(copied: Any, dragoman: Any) -> None:
    page = copied.docs / "sacks.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("thread ran out", "needle broke").replace("Monday", "Friday"), encoding="utf-8")
    asked = len(copied.endpoint.requests)
    dragoman("ingest", copied.docs, "--workspace", copied.workspace)
    done = dragoman("synth", "--workspace", copied.workspace)
    new = copied.endpoint.requests[asked:]
    passages = sorted(request["messages"][-1]["content"] for request in new)
    assert len(passages) == 2, done.stderr
    assert passages[0].startswith("Sacks > Moths")
    assert "Friday" in passages[0]
    assert passages[1].startswith("Sacks > Sewing")
    assert "needle broke" in passages[1]
    assert f"2 requests sent, {built_chunks(copied.workspace) - 2} answered from the store" in done.stderr


def built_chunks(workspace: Path) -> int:
    return Workspace(workspace).need("ingest").rows["chunks"]


def test_a_forced_ingest_gives_the_same(copied: Any, dragoman: Any) -> None:
    first = contents(copied.workspace)["ingest"]
    dragoman("ingest", copied.docs, "--workspace", copied.workspace, "--force")
    assert contents(copied.workspace)["ingest"] == first


def test_two_builds_in_two_folders_have_the_same_content(built: Any, build: Callable[[], Any]) -> None:
    other = build()
    assert other.workspace != built.workspace
    assert other.requests == built.requests
    assert contents(other.workspace) == contents(built.workspace)


def test_status_says_fresh_and_after_a_change_why_not(copied: Any, dragoman: Any) -> None:
    def told() -> dict[str, dict[str, Any]]:
        done = dragoman("status", "--workspace", copied.workspace, "--json")
        return {row["stage"]: row for row in json.loads(done.stdout)["stages"]}

    recipe_file = copied.workspace / "recipe.json"
    recipe = json.loads(recipe_file.read_text(encoding="utf-8"))
    recipe["sources"] = [str(copied.docs)]
    recipe_file.write_text(json.dumps(recipe), encoding="utf-8")
    assert {row["state"] for row in told().values()} == {"fresh"}
    recipe["train"]["epochs"] = 2
    recipe_file.write_text(json.dumps(recipe), encoding="utf-8")
    rows = told()
    assert [rows[stage]["state"] for stage in STAGES] == ["fresh", "fresh", "stale", "stale", "stale", "stale"]
    assert rows["train"]["reasons"] == ["epochs was 1, is 2"]
    assert rows["train"]["command"] == "dragoman train"
    assert rows["evaluate"]["reasons"] == ["'train' before it is stale"]
    (copied.docs / "water.md").write_text("# Water\n\nThe pond is dry.\n", encoding="utf-8")
    rows = told()
    assert rows["ingest"]["reasons"] == ["input 'documents' changed"]
    assert {rows[stage]["state"] for stage in STAGES} == {"stale"}
    shown = dragoman("status", "--workspace", copied.workspace).stdout
    assert "input 'documents' changed; dragoman ingest" in " ".join(shown.split())
    assert "The tuned model was refused" in shown
    assert "Served: base model" in shown


@pytest.mark.parametrize("stage", ["train", "index"])
def test_an_artefact_without_its_manifest_is_absent(copied: Any, dragoman: Any, stage: str) -> None:
    (copied.workspace / stage / "manifest.json").unlink()
    done = dragoman("status", "--workspace", copied.workspace, "--json")
    states = {row["stage"]: row["state"] for row in json.loads(done.stdout)["stages"]}
    assert states[stage] == "absent"
    assert states["synth"] == "fresh"
