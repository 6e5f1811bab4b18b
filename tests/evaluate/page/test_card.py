"""The model card: what the Hub reads is there and right, and no text of the data breaks out of its place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dragoman.evaluate.page import model_card

EVIL = "`` ]|\n---\n# Head\n![p](https://foreign.example/p.png) <script>alert(1)</script>\n* {{ x }} 'y' \"z\": &"


def data_of(card: str) -> Any:
    from huggingface_hub import ModelCard

    return ModelCard(card).data


def rendered(card: str) -> str:
    return str(MarkdownIt("commonmark").enable("table").render(card.split("\n---\n", 1)[1]))


def test_the_hub_reads_what_the_model_is(report: dict[str, Any]) -> None:
    data = data_of(model_card(report))
    assert data.library_name == "sentence-transformers"
    assert data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    assert data.license == "apache-2.0"
    assert data.pipeline_tag == "sentence-similarity"
    assert "sentence-transformers" in data.tags
    assert data.metrics == ["cosine_ndcg@10", "cosine_mrr@10", "cosine_recall@10"]


def test_the_model_index_holds_the_figures_of_tuned_dense_search(report: dict[str, Any]) -> None:
    (row,) = [row for row in report["table"] if (row["model"], row["mode"]) == ("tuned", "dense")]
    data = data_of(model_card(report))
    assert data.model_name == "all-MiniLM-L6-v2 tuned to Pantry"
    assert {result.metric_type: result.metric_value for result in data.eval_results} == {
        "cosine_ndcg@10": row["ndcg"],
        "cosine_mrr@10": row["mrr"],
        "cosine_recall@10": row["recall"],
    }
    assert {result.task_type for result in data.eval_results} == {"information-retrieval"}
    assert {result.dataset_name for result in data.eval_results} == {"Held-out questions about Pantry"}


def test_the_card_says_verdict_figures_and_limits(report: dict[str, Any]) -> None:
    page = rendered(model_card(report))
    assert "The tuned model ships: +" in page
    assert page.count("<tr>") == 1 + len(report["table"])
    assert "No person asked these questions" in page
    assert "One seed" in page
    assert "first 128, 64 numbers" in page


def test_a_card_of_little_data_is_still_a_card() -> None:
    card = model_card({})
    data = data_of(card)
    assert data.eval_results is None
    assert data.base_model is None
    assert data.license is None
    assert "This report holds no verdict." in rendered(card)


def test_a_base_model_of_a_folder_is_no_name_on_the_hub(report: dict[str, Any], tmp_path: Path) -> None:
    data = data_of(model_card(report | {"base_model": str(tmp_path / "tuned-before")}))
    assert data.base_model is None
    assert data.model_name == "tuned-before tuned to Pantry"
    assert data_of(model_card(report | {"base_model": "owner/some-model", "license": "mit"})).license == "mit"


def test_the_same_data_give_the_same_card(report: dict[str, Any]) -> None:
    assert model_card(report) == model_card(json.loads(json.dumps(report)))


def test_hostile_texts_stay_texts(report: dict[str, Any], spoiled: Callable[..., Any]) -> None:
    report = spoiled(report, EVIL) | {"revisions": {EVIL: "1"}, "versions": {EVIL: EVIL}}
    card = model_card(report)
    assert data_of(card).library_name == "sentence-transformers"
    page = rendered(card)
    assert "<script" not in page
    assert "<img" not in page
    assert "<hr" not in page
    assert page.count("<h1>") == 1


def test_no_question_and_no_passage_is_in_the_card(report: dict[str, Any]) -> None:
    card = model_card(report)
    for row in (*report["changes"]["wins"], *report["changes"]["losses"]):
        assert row["question"] not in card
        assert row["passage"] not in card


@pytest.mark.parametrize("key", ["name", "base_model", "table", "gate", "questions", "training", "dims", "k", "seed"])
def test_any_key_may_be_missing(report: dict[str, Any], key: str) -> None:
    del report[key]
    assert data_of(model_card(report)).library_name == "sentence-transformers"


@given(text=st.text(max_size=40))
def test_any_name_gives_a_header_that_can_be_read(whole_report: dict[str, Any], text: str) -> None:
    card = model_card(whole_report | {"name": text, "base_model": text, "license": text})
    assert data_of(card).model_name
    card.encode("utf-8")
