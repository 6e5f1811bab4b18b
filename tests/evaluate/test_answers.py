"""Rows of answered questions: what part each has in a figure, and the figures with their intervals."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from dragoman.evaluate.answer_figures import Figure, difference, figures, times
from dragoman.evaluate.answer_judge import Judgement
from dragoman.evaluate.answers import MEASURES, AnswerRow, Cited, row_from
from dragoman.records import Finding, Support

OPTIONS = {"rounds": 500, "seed": 13}
BORNE, LOOSE = Support("It hums.", 0.9, 1, (1,)), Support("It sings.", 0.1, 0, ())


def row(number: int, **changes: Any) -> AnswerRow:
    plain = AnswerRow(
        id=str(number),
        question=f"question {number}",
        kind="llm",
        unit=f"page {number}",
        answerable=True,
        answer="It hums [1].",
        mode="llm",
        support=(BORNE,),
        supported=1,
        seconds=2.0,
        first_seconds=0.5,
    )
    return replace(plain, **changes)


def figure(rows: Sequence[AnswerRow], key: str) -> Figure:
    return next(one for one in figures(rows, **OPTIONS) if one.key == key)


def finding(kind: Any, text: str) -> Finding:
    return Finding(kind, text, removed=True)


def test_a_row_comes_back_from_json_as_it_was() -> None:
    cited = Cited(1, "a.md:1-3", "A › B", "https://x.test/a", ("c1", "c2"), "text")
    whole = row(
        1,
        citations=(cited,),
        findings=(finding("link", "http://y"),),
        verdict=Judgement(correct=True, complete=False, grounded=True, why="w"),
    )
    assert row_from(json.loads(json.dumps(asdict(whole)))) == whole


@pytest.mark.parametrize("broken", [{}, {"citations": 1, "support": [], "findings": [], "verdict": None}])
def test_what_is_no_row_is_not_read_as_one(broken: Any) -> None:
    with pytest.raises(TypeError):
        row_from(broken)


def test_a_citation_that_was_taken_out_or_corrected_did_not_hold() -> None:
    unknown, moved = finding("citation", "[9]"), finding("citation", "[2] for [1]")
    both = replace(BORNE, cited=(1, 2))
    rows = [row(1), row(2, findings=(unknown,)), row(3, support=(both,), findings=(moved,))]
    found = figure(rows, "citations")
    # Written: [1]; [1] and [9]; [1] and [1], of which the last should have been [2].
    assert found.value == pytest.approx(3 / 5)
    assert (found.count, found.answers) == (5, 3)


def test_a_share_of_sentences_is_of_all_sentences() -> None:
    rows = [row(1, support=(BORNE, LOOSE, LOOSE, LOOSE), supported=1), row(2)]
    assert figure(rows, "supported").value == pytest.approx(2 / 5)
    assert figure(rows, "unsupported").value == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("kind", "key"), [("link", "links"), ("identifier", "identifiers"), ("flag", "flags"), ("command", "flags")]
)
def test_inventions_are_counted_an_answer(kind: str, key: str) -> None:
    rows = [row(1, findings=(finding(kind, "a"), finding(kind, "b"))), row(2), row(3), row(4)]
    found = {one.key: one.value for one in figures(rows, **OPTIONS)}
    assert found[key] == pytest.approx(0.5)
    assert sum(found[other] or 0 for other in ("links", "identifiers", "flags")) == pytest.approx(0.5)


def test_refusals_are_right_where_the_docs_do_not_answer_and_wrong_where_they_do() -> None:
    refused = {"mode": "refusal", "answer": "I do not know.", "support": (), "supported": 0}
    rows = [row(n, answerable=False, **(refused if n < 3 else {})) for n in range(4)]
    rows += [row(n, **(refused if n == 9 else {})) for n in range(5, 10)]
    assert figure(rows, "refused").value == pytest.approx(3 / 4)
    assert figure(rows, "refused_wrongly").value == pytest.approx(1 / 5)


def test_a_refusal_is_neither_a_miss_nor_a_wrong_answer() -> None:
    judged = Judgement(correct=True, complete=False, grounded=True)
    rows = [row(1, hit=True, verdict=judged), row(2, hit=False, mode="refusal"), row(3, hit=None, verdict=None)]
    assert (figure(rows, "hit").value, figure(rows, "hit").count) == (1.0, 1)
    assert [figure(rows, key).value for key in ("correct", "complete", "grounded")] == [1.0, 0.0, 1.0]


def test_quotations_are_not_measured_as_if_a_model_had_written_them() -> None:
    rows = [row(1, mode="extractive"), row(2, mode="extractive")]
    keys = ("citations", "supported", "unsupported", "links", "identifiers", "flags")
    assert {figure(rows, key).value for key in keys} == {None}
    assert figure(rows, "refused_wrongly").value == 0.0


def test_a_model_that_failed_has_no_part_in_any_figure() -> None:
    failed = row(9, mode="extractive", failed="it timed out", hit=False, seconds=900.0)
    assert figures([row(1), row(2), failed], **OPTIONS) == figures([row(1), row(2)], **OPTIONS)
    assert times([row(1), row(2), failed], **OPTIONS) == times([row(1), row(2)], **OPTIONS)


def test_an_interval_draws_units_and_not_questions() -> None:
    apart = [row(n, hit=n % 2 == 0) for n in range(40)]
    together = [replace(one, unit="even" if one.hit else "odd") for one in apart]
    narrow, wide = figure(apart, "hit"), figure(together, "hit")
    assert narrow.low is not None
    assert narrow.high is not None
    assert 0.3 < narrow.low < 0.5 < narrow.high < 0.7
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_an_interval_agrees_with_the_textbook_where_units_are_single() -> None:
    rows = [row(n, hit=n < 60) for n in range(80)]
    found = figure(rows, "hit")
    spread = 1.96 * np.sqrt(0.75 * 0.25 / 80)
    assert found.low == pytest.approx(0.75 - spread, abs=0.02)
    assert found.high == pytest.approx(0.75 + spread, abs=0.02)


@pytest.mark.parametrize("value", [1.0, 0.0])
def test_where_all_are_alike_the_interval_still_knows_how_few_they_are(value: float) -> None:
    few, many = (figure([row(n, hit=value > 0) for n in range(count)], "hit") for count in (4, 100))
    assert few.value == many.value == value
    widths = [one.high - one.low for one in (few, many) if one.high is not None and one.low is not None]
    assert widths == [pytest.approx(0.49, abs=0.01), pytest.approx(0.037, abs=0.001)]
    assert few.value in {few.low, few.high}


def test_of_one_unit_there_is_a_value_and_no_interval() -> None:
    found = figure([row(1, hit=True), row(2, hit=False, unit="page 1")], "hit")
    assert (found.value, found.low, found.high) == (0.5, None, None)


def test_of_nothing_there_is_no_value() -> None:
    assert {one.value for one in [*figures([], **OPTIONS), *times([], **OPTIONS)]} == {None}


def test_times_are_told_at_the_median_and_where_one_of_twenty_is_slower() -> None:
    rows = [row(n, first_seconds=float(n), seconds=float(2 * n)) for n in range(1, 102)]
    found = {one.key: one for one in times(rows, **OPTIONS)}
    assert {key: one.value for key, one in found.items()} == {
        "first_seconds_p50": 51.0,
        "first_seconds_p95": 96.0,
        "seconds_p50": 102.0,
        "seconds_p95": 192.0,
    }
    assert all(one.low is not None and one.value is not None and one.low <= one.value for one in found.values())


def test_a_difference_is_paired() -> None:
    measure = next(one for one in MEASURES if one.key == "hit")
    first = [row(n, hit=n % 2 == 0) for n in range(40)]
    second = [replace(one, hit=one.hit or index < 8) for index, one in enumerate(first)]
    found = difference(measure, first, second, **OPTIONS)
    assert found is not None
    assert (found.first, found.second, found.pairs) == (0.5, 0.6, 40)
    assert found.gain == pytest.approx(0.1)
    assert found.low is not None
    assert found.low >= 0.0, "no pair got worse, so no draw of pairs can"
    assert difference(measure, [row(1)], [row(1)], **OPTIONS) is None


def test_the_same_seed_gives_the_same_interval() -> None:
    rows = [row(n, hit=n % 3 == 0, seconds=1.0 + n**1.5) for n in range(30)]
    assert figures(rows, **OPTIONS) == figures(rows, **OPTIONS)
    assert times(rows, **OPTIONS) == times(rows, **OPTIONS)
    assert times(rows, **OPTIONS) != times(rows, rounds=500, seed=14)
