"""What is asked, what it costs, and what of it reaches training: the synth stage, asked of a stand-in on loopback."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dragoman.cli.settings import make_run
from dragoman.models.stub import StubFault, StubServer
from dragoman.pipeline.synth import load_passages
from dragoman.records import Chunk, Negatives, Question, Rejected
from dragoman.synth.context import Context
from dragoman.tables import read_rows
from dragoman.workspace import Workspace


@pytest.fixture
def mill(tmp_path: Path, mill_docs: Any, dragoman: Any, minilm: Path) -> Path:
    """A workspace with the chunks of the mill and nothing else."""
    workspace = tmp_path / "workspace"
    dragoman("ingest", mill_docs(), "--workspace", workspace, "--set", f"models.embedding={minilm}")
    return workspace


@pytest.fixture
def asked(mill: Path, dragoman: Any, endpoint: StubServer) -> Any:
    """Runs ``synth`` against the stand-in; gives what was printed, and how many requests arrived."""

    def run(*arguments: object) -> tuple[Any, int]:
        before = len(endpoint.requests)
        done = dragoman("synth", "--workspace", mill, "--llm", endpoint.base_url, *map(str, arguments))
        return done, len(endpoint.requests) - before

    return run


def rows(mill: Path, name: str, kind: Any) -> list[Any]:
    return read_rows(mill / "synth" / name, kind)


def test_an_estimate_sends_a_few_requests_that_are_not_sent_again(mill: Path, asked: Any) -> None:
    told, sent = asked("--estimate")
    assert 0 < sent <= 8
    assert "requests to send" in told.stdout
    assert "prompt tokens" in told.stdout
    assert not (mill / "synth").exists()
    _, more = asked()
    chunks = Workspace(mill).need("ingest").rows["chunks"]
    assert sent + more == chunks


def test_a_dry_run_asks_about_three_chunks_and_keeps_nothing(mill: Path, asked: Any) -> None:
    told, sent = asked("--dry-run")
    assert sent == 3
    assert (
        sum(line.startswith(("howto:", "keywords:", "problem:", "concept:")) for line in told.stdout.splitlines()) > 3
    )
    assert not (mill / "synth").exists()
    assert asked("--dry-run")[1] == 3, "the first dry run left answers behind"


def test_a_budget_stops_the_run_says_how_to_go_on_and_the_next_run_goes_on(
    mill: Path, asked: Any, dragoman: Any, endpoint: StubServer
) -> None:
    told, sent = asked("--set", "synth.budget_requests=5")
    assert sent == 5
    assert "budget" in told.stderr
    manifest = Workspace(mill).need("synth")
    chunks = Workspace(mill).need("ingest").rows["chunks"]
    assert manifest.rows["unfinished"] == chunks - 5
    over = [row for row in rows(mill, "rejected.parquet", Rejected) if row.reason == "over budget"]
    assert len(over) == chunks - 5
    status = json.loads(dragoman("status", "--workspace", mill, "--json").stdout)["stages"][1]
    assert (status["stage"], status["state"]) == ("synth", "stale")
    assert f"{chunks - 5} requests failed or were over the budget" in status["reasons"][0]
    before = len(endpoint.requests)
    dragoman("synth", "--workspace", mill, "--set", "synth.budget_requests=0")
    assert len(endpoint.requests) - before == chunks - 5
    assert Workspace(mill).need("synth").rows["unfinished"] == 0


def test_requests_that_failed_are_listed_and_sent_again_next_time(mill: Path, dragoman: Any, tmp_path: Path) -> None:
    failing = {"left": True}

    def script(body: Any) -> StubFault | None:
        return StubFault(400) if failing["left"] and "Eels" in body["messages"][-1]["content"] else None

    with StubServer(script=script) as server:
        options = ("--workspace", mill, "--llm", server.base_url)
        dragoman("synth", *options)
        failed = [row for row in rows(mill, "rejected.parquet", Rejected) if row.reason == "request failed"]
        assert len(failed) == 1
        failing["left"] = False
        before = len(server.requests)
        said = dragoman("synth", *options).stderr
        assert len(server.requests) - before == 1
        assert "1 requests sent" in said
        assert not [row for row in rows(mill, "rejected.parquet", Rejected) if row.reason == "request failed"]
        dragoman("synth", *options)
        assert len(server.requests) - before == 1
    assert tmp_path.exists()


def test_other_kinds_and_unanswerable_questions_are_asked_for_when_the_recipe_wants_them(
    mill: Path, asked: Any, endpoint: StubServer
) -> None:
    wants = ["synth.kinds=['howto', 'api']", "synth.unanswerable=4", "synth.project='A mill.'"]
    before = len(endpoint.requests)
    asked("--requests", 6, *(part for want in wants for part in ("--set", want)))
    systems = Counter(request["messages"][0]["content"] for request in endpoint.requests[before:])
    assert len(systems) == 2, "one system message a kind of request, the same for all, so that a server can keep it"
    assert sum(systems.values()) == 6 + 4
    assert all("A mill." in system for system in systems)
    styles = {question.style for question in rows(mill, "questions.parquet", Question) if question.kind == "llm"}
    assert styles == {"howto", "api"}
    unanswerable = rows(mill, "unanswerable.parquet", Question)
    assert unanswerable
    assert not any(question.train for question in unanswerable)


def test_a_question_about_two_linked_sections_is_answered_by_both(tmp_path: Path, dragoman: Any, minilm: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    sluice = "Open the sluice as in [setting the gap](stones.md#gap), thirty percent at a time, never faster than that."
    (docs / "water.md").write_text(f"# Water\n\n## Sluice\n\n{sluice}\n", encoding="utf-8")
    (docs / "stones.md").write_text(
        "# Stones\n\n## Gap\n\nThe gap is set in millimetres with a key.\n", encoding="utf-8"
    )
    written = {
        "question": "How wide is the gap when the sluice is open?",
        "from_a": "open",
        "from_b": "key",
        "more": "B",
    }

    def script(body: Any) -> str | None:
        shape = body["response_format"]["json_schema"]["schema"]["properties"]
        return json.dumps({key: written[key] for key in shape}) if "from_a" in shape else None

    workspace = tmp_path / "workspace"
    with StubServer(script=script) as server:
        dragoman("ingest", docs, "--workspace", workspace, "--set", f"models.embedding={minilm}")
        options = ("--llm", server.base_url, "--requests", 0, "--set", "synth.pairs=5")
        dragoman("synth", "--workspace", workspace, *options)
        assert len(server.requests) == 1
    chunks = {chunk.id: chunk for chunk in read_rows(workspace / "ingest" / "chunks.parquet", Chunk)}
    (question,) = [row for row in rows(workspace, "questions.parquet", Question) if row.kind == "llm"]
    assert {chunks[chunk].path for chunk in question.answers} == {"water.md", "stones.md"}


def test_the_funnel_is_a_page_and_its_counts_are_those_of_the_manifest(mill: Path, asked: Any) -> None:
    asked()
    manifest = Workspace(mill).need("synth")
    page = (mill / "synth" / "funnel.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f"{manifest.rows['made']:,}" in page
    assert "://" not in page


def test_hard_negatives_are_of_other_sections_and_can_be_trained_with(mill: Path, asked: Any, dragoman: Any) -> None:
    asked("--set", "synth.round_trip=0")
    chunks = {chunk.id: chunk for chunk in read_rows(mill / "ingest" / "chunks.parquet", Chunk)}
    questions = {question.id: question for question in rows(mill, "questions.parquet", Question)}
    found = rows(mill, "negatives.parquet", Negatives)
    assert sum(len(row.chunk_ids) for row in found) > 20
    for row in found:
        own = {chunks[chunk].section for chunk in questions[row.question_id].answers}
        assert own.isdisjoint(chunks[chunk].section for chunk in row.chunk_ids)
        assert list(row.scores) == sorted(row.scores, reverse=True)
    options = ("train.negatives=2", "train.folds=2", "train.epochs=1", "train.batch_size=8")
    dragoman("train", "--workspace", mill, *(part for option in options for part in ("--set", option)))
    assert Workspace(mill).need("train").rows["rounds"] == 2


def test_a_step_of_the_funnel_that_is_skipped_takes_nothing_out(mill: Path, asked: Any) -> None:
    asked()
    with_all = Workspace(mill).need("synth").notes["steps"]
    asked("--set", "synth.skip=['length']")
    without = Workspace(mill).need("synth").notes["steps"]
    assert isinstance(with_all, dict)
    assert isinstance(without, dict)
    assert "too short" in with_all
    assert "too short" not in without


def test_a_judge_keeps_what_it_finds_poor_out_of_training(mill: Path, dragoman: Any) -> None:
    def script(body: Any) -> str | None:
        shape = body["response_format"]["json_schema"]["schema"]["properties"]
        if "howto" in shape:
            return None
        poor = "Why does" in body["messages"][-1]["content"]
        return json.dumps(dict.fromkeys(shape, 1 if poor else 5))

    with StubServer(script=script) as server:
        options = ("--llm", server.base_url, "--requests", 6, "--set", "synth.judge=3", "--set", "synth.round_trip=0")
        dragoman("synth", "--workspace", mill, *options)
    questions = [question for question in rows(mill, "questions.parquet", Question) if question.kind == "llm"]
    poor = {question.id for question in questions if question.text.startswith("Why does")}
    assert poor
    assert {question.id for question in questions if not question.train} == poor
    assert {question.score for question in questions} == {1.0, 5.0}


def test_the_artefact_is_readable_by_others(mill: Path, asked: Any) -> None:
    asked("--requests", 2)
    assert {"text", "chunk_id", "kind", "style", "train", "also", "negative"} <= set(
        pq.read_schema(mill / "synth" / "questions.parquet").names
    )


def test_a_sentence_of_context_is_part_of_the_passage_that_is_trained_and_served(mill: Path, dragoman: Any) -> None:
    sentence = "In the handbook of the mill, what the miller does with the water above the wheel."

    def script(body: Any) -> str | None:
        shape = body["response_format"]["json_schema"]["schema"]["properties"]
        return json.dumps({"context": sentence}) if "context" in shape else None

    with StubServer(script=script) as server:
        dragoman("synth", "--workspace", mill, "--llm", server.base_url, "--set", "synth.context=3")
    contexts = rows(mill, "contexts.parquet", Context)
    assert len(contexts) == 3
    run = make_run(workspace=mill, quiet=True)
    passages = {chunk.id: chunk.passage for chunk in load_passages(run)}
    assert all(sentence in passages[row.chunk_id].split("\n")[1] for row in contexts)
    assert sum(sentence in passage for passage in passages.values()) == 3
