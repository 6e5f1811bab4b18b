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


def figures_of(card: str) -> dict[str, Any]:
    return {result.metric_type: result.metric_value for result in data_of(card).eval_results or []}


def expected(row: dict[str, Any]) -> dict[str, Any]:
    return {f"cosine_{key}@10": row[key] for key in ("ndcg", "mrr", "recall")}


def dense_row(report: dict[str, Any], epochs: int, share: float) -> dict[str, Any]:
    wanted = {"model": "tuned", "mode": "dense", "epochs": epochs, "share": share}
    (row,) = [row for row in report["ways"] if wanted.items() <= row.items()]
    return dict(row)


def test_the_model_index_holds_the_figures_of_dense_search_by_the_served_weights(report: dict[str, Any]) -> None:
    data = data_of(model_card(report))
    assert data.model_name == "all-MiniLM-L6-v2 tuned to Pantry"
    assert figures_of(model_card(report)) == expected(dense_row(report, 2, 0.5))
    assert {result.task_type for result in data.eval_results} == {"information-retrieval"}
    assert {result.dataset_name for result in data.eval_results} == {"Held-out questions about Pantry"}


def test_other_weights_or_shorter_vectors_have_other_figures(report: dict[str, Any]) -> None:
    report["gate"]["served"] |= {"epochs": 1, "share": 1.0, "dims": 64, "rerank": True}
    assert figures_of(model_card(report)) == expected(dense_row(report, 1, 1.0)), (
        "whole vectors, without a cross-encoder"
    )
    report["gate"]["served"] = report["gate"]["untuned"]
    assert figures_of(model_card(report)) == expected(dense_row(report, 2, 0.5)), "the tuned model that was judged"
    report["gate"]["tuned"]["share"] = 0.123
    assert not figures_of(model_card(report)), "rather none than those of other weights"


def test_a_card_of_an_older_report_has_the_figures_of_tuned_dense_search(report: dict[str, Any]) -> None:
    row = {
        "model": "tuned",
        "mode": "dense",
        "lexical_weight": 0.0,
        "questions": False,
        "ndcg": 0.7,
        "mrr": 0.6,
        "recall": 0.9,
    }
    gate = {"served": {"model": "tuned", "mode": "hybrid", "lexical_weight": 0.3, "questions": False}}
    assert figures_of(model_card({"table": [*report["table"], row], "gate": gate})) == expected(row)


def test_the_card_says_verdict_figures_and_limits(report: dict[str, Any]) -> None:
    page = rendered(model_card(report))
    assert "The tuned model ships: +" in page
    ways, people, forgot = report["table"], report["people"]["table"], report["forgetting"]["rows"]
    assert page.count("<tr>") == 3 + len(ways) + len(people) + len(forgot)
    assert "Its weights are a mean: 50% of the tuned model's and the rest of the base's." in page
    assert "Kept: 2 epochs, mixed 50%." in page
    assert "<td>mixed 50% hybrid (words at 0.3), 2 epochs</td>" in page
    assert "10 questions that people asked took part in the choice" in page
    assert "One seed" in page
    assert "first 128, 64 numbers" in page


def test_the_card_shows_people_and_forgetting_as_the_data_have_them(report: dict[str, Any]) -> None:
    card = model_card(report).replace("\N{MINUS SIGN}", "-")
    for row in report["people"]["table"]:
        ends = f"[{row['ndcg_low']:.3f}, {row['ndcg_high']:.3f}]"
        shares = " | ".join(f"{row[key]:.3f}" for key in ("mrr", "recall", "answered"))
        assert f"| {row['ndcg']:.3f} {ends} | {shares} |" in card
    for row in report["forgetting"]["rows"]:
        ends = f"{row['change']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
        assert f"| {row['name']} | {row['questions']} | {row['base']:.3f} | {row['tuned']:.3f} | {ends} |" in card
    del report["people"], report["forgetting"]
    assert "## Questions that people asked" not in model_card(report)
    assert "## What it forgot" not in model_card(report)


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
    assert not [row for row in report["people"]["changes"] if row["question"] in card]


@pytest.mark.parametrize("key", ["name", "base_model", "table", "gate", "questions", "training", "dims", "k", "seed", "people",
                                 "forgetting", "license", "choice"])  # fmt: skip
def test_any_key_may_be_missing(report: dict[str, Any], key: str) -> None:
    del report[key]
    assert data_of(model_card(report)).library_name == "sentence-transformers"


@given(text=st.text(max_size=40))
def test_any_name_gives_a_header_that_can_be_read(whole_report: dict[str, Any], text: str) -> None:
    card = model_card(whole_report | {"name": text, "base_model": text, "license": text})
    assert data_of(card).model_name
    card.encode("utf-8")
