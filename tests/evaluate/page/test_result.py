"""The top of the page, and what follows from the way that is served."""

from typing import Any

from tests.evaluate.page.reader import Reader, shown

from dragoman.evaluate.page import report_page
from dragoman.records import Serving

MIXED = (
    "A mixed model's weights are a mean of the tuned model's and the base's; the percentage is the tuned model's part."
)


def said(report: dict[str, Any]) -> str:
    return Reader(report_page(report)).text


def ndcg_of(report: dict[str, Any], key: str) -> str:
    way = Serving(**report["gate"][key])
    (row,) = [row for row in report["ways"] if Serving(**{name: row[name] for name in report["gate"][key]}) == way]
    return shown(row["ndcg"])


def test_the_served_way_is_told_with_its_own_figures(report: dict[str, Any]) -> None:
    text = said(report)
    assert "Served nowmixed 50% hybrid (words at 0.3), 2 epochs" in text
    assert f"NDCG@10, untuned → served{ndcg_of(report, 'untuned')} → {ndcg_of(report, 'served')}" in text
    assert MIXED in text


def test_shorter_vectors_are_told_with_the_figures_of_whole_ones(report: dict[str, Any]) -> None:
    figures = f"{ndcg_of(report, 'untuned')} → {ndcg_of(report, 'served')}"
    report["gate"]["served"]["dims"] = 64
    report["dims_note"] = "Served: the first 64 of 384 dimensions."
    text = said(report)
    assert "Served nowmixed 50% hybrid (words at 0.3) at 64 dimensions, 2 epochs" in text
    assert f"NDCG@10, untuned → served, with whole vectors{figures}" in text
    assert "2 epochs served" in text, "the row of whole vectors is marked"
    chosen = "The length of the vectors was chosen on the questions that it is shown with. Served: the first 64 of 384"
    assert chosen in text
    assert text.count(report["dims_note"]) == 2, "below the plot, and among the limits"


def test_ways_of_older_reports_are_found_by_the_keys_that_they_have() -> None:
    rows = [{"model": model, "mode": "dense", "lexical_weight": 0.0, "questions": False} for model in ("base", "tuned")]
    old = {
        "k": 10,
        "gate": {"ships": True, "reason": "it gained", "untuned": rows[0], "tuned": rows[1], "served": rows[1]},
        "ways": [row | {"ndcg": 0.4 + 0.2 * place, "recall": 0.8} for place, row in enumerate(rows)],
    }
    text = said(old)
    assert "Compared: tuned dense, against base dense" in text
    assert "NDCG@10, untuned → served0.400 → 0.600" in text
    assert "mixed" not in text


def test_where_the_base_is_served_there_is_one_figure(report: dict[str, Any]) -> None:
    report["gate"] |= {"ships": False, "served": report["gate"]["untuned"]}
    assert f"NDCG@10{ndcg_of(report, 'untuned')}Found among" in said(report).replace(
        "NDCG, 10 questions that people asked0.739", ""
    )
