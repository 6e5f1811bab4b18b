"""What is served after a build: the hits that programs read, answers, and a refusal that is said."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.records import Chunk
from dragoman.tables import read_rows

QUESTIONS = {"sewing": "What does error E17 mean?", "ice": "How do I shed ice from the wheel?", "7": "lot number"}


@pytest.fixture(scope="session")
def question_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions") / "asked.jsonl"
    rows = [json.dumps({"qid": qid, "question": text}) for qid, text in QUESTIONS.items()]
    path.write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    return path


def found(done: Any) -> dict[str, list[dict[str, Any]]]:
    """Hits by question id, as a program reads them."""
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(row) == {"qid", "hits"} for row in rows)
    return {row["qid"]: row["hits"] for row in rows}


@pytest.mark.parametrize("mode", ["auto", "dense", "lexical"])
def test_questions_from_a_file_give_a_row_each(built: Any, dragoman: Any, question_file: Path, mode: str) -> None:
    options = ["--questions", question_file, "--json", "--top", "5", "--mode", mode, "--workspace", built.workspace]
    rows = found(dragoman("search", *options))
    assert list(rows) == list(QUESTIONS)
    chunks = {chunk.id: chunk for chunk in read_rows(built.workspace / "ingest" / "chunks.parquet", Chunk)}
    for hits in rows.values():
        assert 0 < len(hits) <= 5
        scores = [hit["score"] for hit in hits]
        assert scores == sorted(scores, reverse=True)
        for hit in hits:
            assert set(hit) == {"source", "file", "start_line", "end_line", "chunk_id", "score", "url"}
            chunk = chunks[hit["chunk_id"]]
            lines = (built.docs / hit["file"]).read_text(encoding="utf-8").split("\n")
            assert 1 <= hit["start_line"] <= hit["end_line"] <= len(lines)
            shown = "\n".join(lines[hit["start_line"] - 1 : hit["end_line"]])
            assert chunk.text.strip() in shown
    assert rows["sewing"][0]["file"] == "sacks.md"
    assert "E17" in chunks[rows["sewing"][0]["chunk_id"]].text


def test_one_question_is_answered_for_people_and_for_programs(built: Any, dragoman: Any) -> None:
    shown = dragoman("search", QUESTIONS["ice"], "--workspace", built.workspace)
    assert "water.md" in shown.stdout
    assert "base model" in shown.stdout
    told = json.loads(dragoman("search", QUESTIONS["ice"], "--json", "--workspace", built.workspace).stdout)
    assert told["question"] == QUESTIONS["ice"]
    assert told["hits"][0]["file"] == "water.md"


def test_the_tuned_model_cannot_be_asked_for_after_a_refusal(built: Any, dragoman: Any) -> None:
    done = dragoman("search", "ice", "--model", "tuned", "--workspace", built.workspace, code=2)
    (line,) = done.stderr.splitlines()
    assert line == "dragoman: there is no tuned model: the gate kept the base. See: dragoman status"


def test_without_a_language_model_the_answer_quotes_the_docs_and_says_so(built: Any, dragoman: Any) -> None:
    question = QUESTIONS["sewing"]
    told = json.loads(dragoman("ask", question, "--llm", "none", "--json", "--workspace", built.workspace).stdout)
    assert told["mode"] == "extractive"
    assert told["note"]
    assert "E17" in told["text"]
    assert told["citations"][0]["file"] == "sacks.md"


def test_a_language_model_answers_with_sources(built: Any, dragoman: Any) -> None:
    asked = len(built.endpoint.requests)
    done = dragoman("ask", QUESTIONS["sewing"], "--llm", built.endpoint.base_url, "--workspace", built.workspace)
    (request,) = built.endpoint.requests[asked:]
    assert "Error `E17` means that the thread ran out." in request["messages"][-1]["content"]
    assert "[1] Sacks > Sewing" in done.stdout
    assert "sacks.md:" in done.stdout
