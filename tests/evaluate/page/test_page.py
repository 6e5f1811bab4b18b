"""The report's page: every figure is the data's, every word is shown as it is, and nothing is fetched."""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evaluate.page.reader import Reader, shown

from dragoman.evaluate.page import report_page

EVIL = (
    '<script>alert(1)</script><img src="https://foreign.example/p.png" onerror=alert(2)> & \'"</bdi></td></svg></title>'
)
SECTIONS = {
    "people": "people",
    "table": "ways",
    "choice": "choice",
    "reranking": "reranking",
    "refusal": "refusal",
    "forgetting": "forgetting",
    "dims": "dimensions",
    "by_style": "kinds",
    "by_document": "documents",
    "changes": "changes",
    "questions": "funnel",
    "training": "training",
}


def test_the_verdict_stands_first_with_its_interval(report: dict[str, Any]) -> None:
    gain = report["gate"]["validation"]
    first = report_page(report).partition("<h1>")[2].partition("</h1>")[0].replace("\N{NO-BREAK SPACE}", " ")
    interval = f"[{shown(gain['low'], '+')}, {shown(gain['high'], '+')}]"
    assert first == f"The tuned model ships: {shown(gain['mean'], '+')} NDCG@10 {interval} on 60 held-out questions."


def test_a_refusal_is_told_as_one(report: dict[str, Any]) -> None:
    report["gate"] |= {
        "ships": False,
        "reason": "the gain on validation could be chance: its interval reaches zero",
        "served": report["gate"]["untuned"],
        "validation": {"mean": 0.004, "low": -0.01, "high": 0.018},
    }
    text = Reader(report_page(report)).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "The base model is served: tuning changed NDCG@10 by +0.004 [−0.010, +0.018] on 60" in text
    assert "✕ Not shipped" in text
    assert "could be chance" in text
    assert "Served nowbase hybrid (words at 0.5)" in text


def test_an_interval_that_is_not_known_is_not_drawn(report: dict[str, Any]) -> None:
    report["gate"]["validation"] |= {"low": float("-inf"), "high": float("inf")}
    assert "[interval unknown]" in Reader(report_page(json.loads(json.dumps(report)))).text.replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_the_numbers_of_the_page_are_those_of_the_data(report: dict[str, Any]) -> None:
    text = Reader(report_page(report)).text
    for row in report["table"]:
        assert f"{shown(row['ndcg'])} [{shown(row['ndcg_low'])}, {shown(row['ndcg_high'])}]{shown(row['mrr'])}" in text
        if row["gain"]:
            assert f"{shown(row['gain'], '+')} [{shown(row['gain_low'], '+')}, {shown(row['gain_high'], '+')}]" in text
    for row in report["ways"]:
        assert f"{shown(row['ndcg'])}{shown(row['mrr'])}{100 * row['recall']:.1f}%" in text
    for row in report["dims"]:
        assert f"{shown(row['ndcg'])} [{shown(row['low'])}, {shown(row['high'])}]" in text
    for row in (*report["by_style"], *report["by_document"]["rows"]):
        assert f"{shown(row['base'])} → {shown(row['tuned'])}{shown(row['tuned'] - row['base'], '+')}" in text
    for row in (*report["changes"]["wins"], *report["changes"]["losses"]):
        before, after = (f"rank {row[key]}" if row[key] else "not found" for key in ("before", "after"))
        assert f" {before} → {after}{row['question']}" in text
        assert row["passage"] in text
    for words in ("made90", "duplicate−17", "too short−3", "kept for evaluation70", "of these, to train on65", "dropped4",
                  "25 verdicts of reviewers were used, 2 were not. Passages thrown out: 1", "Training time7 min",
                  "Questions a round300 to 302", "Seed13", "torch2.13.0", "Requests to a language model31", "Prompt tokens48,211",
                  "Answer tokens6,120", "Money0.37", "Licenceapache-2.0", "Cross-encodercellar/small-cross-encoder"):  # fmt: skip
        assert words in text, words


def test_marks_stand_where_their_numbers_are(report: dict[str, Any]) -> None:
    """Of two ways, the one that gained more stands further to the right, by as much."""
    plotted = report_page(report).partition('id="ways"')[2].partition("<details>")[0]
    plots = re.findall(r'aria-label="[^"]*: ([+−][\d.]+) \[[^"]*\].*?c?x="([\d.]+)%"[^>]*?(?:r="5"|overflow)', plotted)
    places = {float(gain.replace("−", "-")): float(x) for gain, x in plots}
    assert len(places) > 1
    gains = sorted(places)
    slope = {round((places[b] - places[a]) / (b - a), -1) for a, b in pairwise(gains) if b - a > 0.05}
    assert len(slope) == 1
    assert slope.pop() > 0


def test_the_best_way_comes_first_and_the_served_one_is_marked(report: dict[str, Any]) -> None:
    plotted = report_page(report).partition('id="ways"')[2].partition("<details>")[0]
    names = [re.sub("<[^>]+>", "", name) for name in re.findall(r'role="rowheader">(.*?)</th>', plotted)]
    assert names == [
        "mixed 50% hybrid (words at 0.3), 2 epochs served",
        "mixed 50% dense, 2 epochs",
        "mixed 50% hybrid (words at 0.3), 2 epochs, reranked",
        "tuned hybrid (words at 0.3), 1 epoch",
        "words alone",
        "base hybrid (words at 0.5)",
        "tuned dense, 1 epoch",
        "base dense",
    ]


def check_harmless(page: str, clean: Reader) -> Reader:
    """No tag, attribute or address that the page of harmless data does not have."""
    evil = Reader(page)
    assert set(evil.tags) <= set(clean.tags)
    assert {name for _, name, _ in evil.attributes} <= {name for _, name, _ in clean.attributes}
    assert all(value.startswith("#") for _, name, value in evil.attributes if name == "href")
    assert "<script>alert(1)</script>" in evil.text
    return evil


def test_hostile_texts_are_shown_and_do_nothing(report: dict[str, Any], spoiled: Callable[..., Any]) -> None:
    clean = Reader(report_page(report))
    check_harmless(report_page(spoiled(report, EVIL)), clean)


@pytest.mark.parametrize(
    "key",
    [
        "revisions",
        "versions",
        "cost",
        "documents",
        "steps",
        "verdicts",
        "kinds",
        "dims",
        "table",
        "people",
        "forgetting",
        "refusal",
    ],
)
def test_hostile_names_are_shown_and_do_nothing(report: dict[str, Any], key: str) -> None:
    clean = Reader(report_page(report))
    if key in {"dims", "table"}:
        report[key] = [row | {"model": EVIL} for row in report[key]]
    elif key in {"people", "forgetting", "refusal"}:
        rows = "changes" if key == "people" else "rows"
        report[key][rows] = [row | {"question": EVIL, "name": EVIL, "kind": EVIL} for row in report[key][rows]]
    elif key in {"steps", "verdicts", "kinds"}:
        report["questions"][key] = {EVIL: 3}
    else:
        report[key] = {EVIL: "1"}
    check_harmless(report_page(report), clean)


def test_the_page_needs_nothing_beside_it(report: dict[str, Any]) -> None:
    page = report_page(report)
    reader = Reader(page)
    assert not {"script", "link", "img", "iframe", "object", "use", "image"} & set(reader.tags)
    assert not re.search(r"url\(|@import|https?:|xlink|//\w", page)
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in reader.attributes
    anchors = [value.removeprefix("#") for tag, name, value in reader.attributes if (tag, name) == ("a", "href")]
    assert anchors == reader.ids(), "every section is linked to, in order"


def test_the_same_data_give_the_same_bytes(report: dict[str, Any]) -> None:
    page = report_page(report)
    assert page == report_page(json.loads(json.dumps(report)))
    assert page.encode("utf-8").decode() == page


@pytest.mark.parametrize("key", sorted(SECTIONS))
def test_a_section_without_data_is_left_out(report: dict[str, Any], key: str) -> None:
    assert SECTIONS[key] in Reader(report_page(report)).ids()
    del report[key]
    if key == "table":
        del report["ways"]
    reader = Reader(report_page(report))
    assert SECTIONS[key] not in reader.ids()
    assert "Not in this report: " in reader.text


@pytest.mark.parametrize("key", ["gate", "verdict", "k", "asked", "units", "ways", "base_model", "revisions", "documents",
                                 "seed", "versions", "cost", "name", "license", "reranker", "dims_note"])  # fmt: skip
def test_any_key_may_be_missing(report: dict[str, Any], key: str) -> None:
    before = set(Reader(report_page(report)).ids())
    del report[key]
    assert set(Reader(report_page(report)).ids()) == before


def test_an_empty_report_is_still_a_page() -> None:
    reader = Reader(report_page({}))
    assert "This report holds no verdict." in reader.text
    assert reader.ids() == ["limits"]


def test_an_older_verdict_stands_by_itself() -> None:
    assert "<h1>The base model is served: so it is.</h1>" in report_page(
        {"verdict": "The base model is served: so it is."}
    )


def test_losses_that_are_no_numbers_are_counted(report: dict[str, Any]) -> None:
    report["training"]["rounds"][0]["losses"][3] = float("nan")
    assert "Steps whose loss was no number1" in Reader(report_page(report)).text


@pytest.mark.parametrize(
    ("people", "said"),
    [(0, "No person asked these questions"), (12, "At most 12 of the 60 questions are people's"), (200, "")],
)
def test_who_asked_is_said(report: dict[str, Any], people: int, said: str) -> None:
    report["asked_kinds"] = {"person": people, "llm": 60}
    del report["people"]
    text = Reader(report_page(report)).text
    assert said in text
    assert ("reuse the words of the passage" in text) == bool(said)


def test_several_seeds_are_not_called_one(report: dict[str, Any]) -> None:
    assert "One seed" in report_page(report)
    report["seeds"] = [1, 2, 3]
    page = Reader(report_page(report)).text
    assert "One seed" not in page
    assert "Seeds1, 2, 3" in page


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just("\ud800\x00")
    | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
def test_no_data_break_the_page(whole_report: dict[str, Any], data: st.DataObject) -> None:
    report = json.loads(json.dumps(whole_report))
    for _ in range(3):
        place: Any = report
        while True:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if isinstance(place[key], dict | list) and place[key] and data.draw(st.integers(0, 3)):
                place = place[key]
                continue
            place[key] = data.draw(JSON)
            break
    Reader(report_page(report)).text.encode("utf-8")


@pytest.mark.parametrize("text", ["<", "&", '"', "\u202e", "\x00", "\u200b", "a", " ", "`", "\n"])
def test_long_texts_are_cut(report: dict[str, Any], text: str) -> None:
    for row in (*report["changes"]["wins"], *report["by_document"]["rows"], *report["by_style"]):
        row |= {
            "question": text * 1_000_000,
            "passage": text * 1_000_000,
            "document": text * 1_000_000,
            "style": text * 99,
        }
    assert len(report_page(report)) < 200_000


def test_large_reports_stay_readable(report: dict[str, Any]) -> None:
    report["training"]["rounds"] = [{"losses": [1.0] * 20_000, "steps": 20_000}] * 30
    report["by_document"]["rows"] *= 1000
    report["ways"] *= 1000
    for part, key in (("choice", "rows"), ("forgetting", "rows"), ("people", "changes"), ("people", "table")):
        report[part][key] *= 1000
    report["people"]["lost"] = ["line 1: q: lost"] * 100_000
    for row in report["training"]["rounds"]:
        row["validation"] = [0.5, 0.6] * 10_000
    report["dims"] = [{"model": f"m{n}", "dims": n + 1, "ndcg": 0.5} for n in range(500)]
    assert len(report_page(report)) < 450_000
