"""What changed by question and by document: hand-worked rows, and an order that does not depend on luck."""

import json
from dataclasses import replace
from math import log2

import numpy as np
import pytest

from dragoman.evaluate.gate import Panel
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.page.data import by_document, wins_and_losses
from dragoman.evaluate.report import Comparison
from dragoman.records import Chunk, Question, Serving, content_id

BASE, TUNED = Serving("base", "dense"), Serving("tuned", "dense")


def chunk(name: str, path: str, text: str = "A jar has one label.", source: str = "pantry") -> Chunk:
    trail = ("Pantry", name)
    return Chunk(name, source, path, "Pantry", trail, name, text, text, 0, len(text), 3, 5, 9, "")


def compared(before: list[int], after: list[int], chunks: list[str]) -> Comparison:
    questions = tuple(
        Question(content_id("q", n), f"question {n}", name, "llm", "howto") for n, name in enumerate(chunks)
    )
    ranks = {BASE: np.array(before, dtype=np.int64), TUNED: np.array(after, dtype=np.int64)}
    units = [f"unit of {name}" for name in chunks]
    return Comparison(questions, Panel(units, [0] * len(chunks), np.ones(len(chunks)), 100, 1), ranks)


CHUNKS = {name: chunk(name, path) for name, path in (("a", "one.md"), ("b", "one.md"), ("c", "two.md"))}


def test_a_document_has_the_mean_of_its_questions() -> None:
    found = by_document(compared([2, 0, 1], [1, 3, 1], ["a", "b", "c"]), BASE, TUNED, 10, chunks_by_id=CHUNKS)
    second = 1 / log2(3)
    assert found["documents"] == 2
    assert Serving(**found["base"]) == BASE
    assert found["rows"] == [
        {
            "document": "one.md",
            "questions": 2,
            "base": round(second / 2, 4),
            "tuned": 0.75,
            "gain": round((1 - second + 0.5) / 2, 4),
        },
        {"document": "two.md", "questions": 1, "base": 1.0, "tuned": 1.0, "gain": 0.0},
    ]


def test_the_documents_that_moved_the_mean_most_come_first() -> None:
    chunks = {"few": chunk("few", "few.md"), "many": chunk("many", "many.md")}
    comparison = compared([0, 3, 3, 3], [2, 1, 1, 1], ["few", "many", "many", "many"])
    found = by_document(comparison, BASE, TUNED, 10, chunks_by_id=chunks, count=1)
    assert [row["document"] for row in found["rows"]] == ["many.md"], "three halves weigh more than one 0.63"
    assert found["documents"] == 2


def test_with_several_sources_the_source_is_named() -> None:
    chunks = {"a": chunk("a", "index.md"), "b": chunk("b", "index.md", source="cellar")}
    found = by_document(compared([1, 1], [1, 2], ["a", "b"]), BASE, TUNED, 10, chunks_by_id=chunks)
    assert [row["document"] for row in found["rows"]] == ["cellar: index.md", "pantry: index.md"]


def test_without_chunks_questions_are_grouped_by_unit() -> None:
    found = by_document(compared([1, 1], [1, 2], ["a", "gone"]), BASE, TUNED, 10)
    assert [row["document"] for row in found["rows"]] == ["unit of gone", "unit of a"]


def test_wins_and_losses_are_told_with_their_ranks_and_passages() -> None:
    comparison = compared([0, 1, 4, 2], [1, 0, 4, 1], ["a", "b", "c", "c"])
    found = wins_and_losses(comparison, BASE, TUNED, 10, CHUNKS)
    assert (found["won"], found["lost"], found["same"]) == (2, 1, 1)
    assert [(row["question"], row["before"], row["after"]) for row in found["wins"]] == [
        ("question 0", 0, 1),
        ("question 3", 2, 1),
    ]
    (loss,) = found["losses"]
    assert (loss["question"], loss["before"], loss["after"], loss["gain"]) == ("question 1", 1, 0, -1.0)
    assert (loss["document"], loss["trail"], loss["lines"]) == ("one.md", "Pantry > b", [3, 5])
    assert loss["passage"] == "A jar has one label."
    assert "instead" not in loss


def test_what_stood_first_instead_is_told_of_the_worse_side() -> None:
    comparison = compared([0, 1], [1, 3], ["a", "b"])
    first = {BASE: ["c", "b"], TUNED: ["a", "c"]}
    found = wins_and_losses(comparison, BASE, TUNED, 10, CHUNKS, first=first)
    assert [row["instead"]["trail"] for row in (*found["wins"], *found["losses"])] == ["Pantry > c", "Pantry > c"]


def test_ranks_beyond_k_count_as_not_found() -> None:
    found = wins_and_losses(compared([50, 50], [20, 10], ["a", "b"]), BASE, TUNED, 10, CHUNKS)
    assert [row["question"] for row in found["wins"]] == ["question 1"]


def test_a_list_holds_no_more_than_asked_for() -> None:
    comparison = compared([0] * 25, [1] * 25, ["a"] * 25)
    found = wins_and_losses(comparison, BASE, TUNED, 10, CHUNKS, count=4)
    assert (len(found["wins"]), found["won"]) == (4, 25)


def test_questions_that_moved_alike_come_in_an_order_of_their_own() -> None:
    comparison = compared([0] * 9, [1] * 9, ["a"] * 9)
    turned = replace(comparison, questions=comparison.questions[::-1])
    rows = [
        [row["question"] for row in wins_and_losses(one, BASE, TUNED, 10, CHUNKS)["wins"]]
        for one in (comparison, turned)
    ]
    assert rows[0] == rows[1] != sorted(rows[0])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("## Labels\n\nOne jar,\n  one label.", "One jar, one label."),
        ("# Only a heading", "# Only a heading"),
        ("", ""),
        ("word " * 100, ("word " * 52).strip() + " …"),
        ("x" * 1_000_000, "x" * 260 + " …"),
    ],
)
def test_a_passage_is_shown_by_its_first_words(text: str, shown: str) -> None:
    chunks = {"a": chunk("a", "one.md", text)}
    (row,) = wins_and_losses(compared([0], [1], ["a"]), BASE, TUNED, 10, chunks)["wins"]
    assert row["passage"] == shown


def test_a_chunk_that_is_gone_leaves_the_question() -> None:
    (row,) = wins_and_losses(compared([0], [1], ["gone"]), BASE, TUNED, 10, CHUNKS)["wins"]
    assert row["question"] == "question 0"
    assert "passage" not in row


def test_the_rows_are_json_and_agree_with_the_overall_means(
    comparison: Comparison, chunks_by_id: dict[str, Chunk]
) -> None:
    base, tuned = (
        next(way for way in comparison.ranks if way.model == model and way.mode == "hybrid")
        for model in ("base", "tuned")
    )
    found = by_document(comparison, base, tuned, 10, chunks_by_id=chunks_by_id)
    changes = wins_and_losses(comparison, base, tuned, 10, chunks_by_id)
    assert json.loads(json.dumps([found, changes])) == [found, changes]
    gained = sum(row["gain"] * row["questions"] for row in found["rows"])
    scores = [ndcg(comparison.ranks[way], 10).sum() for way in (base, tuned)]
    assert gained == pytest.approx(scores[1] - scores[0], abs=0.01)
    assert changes["won"] + changes["lost"] + changes["same"] == len(comparison.questions)
