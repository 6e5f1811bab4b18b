"""What refusing costs is told in the data's figures; what could not be measured is said, with what to do about it."""

import re
from typing import Any

import pytest
from tests.evaluate.page.reader import Reader, shown

from dragoman.evaluate.page.refusal import refusal


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def test_each_kind_is_shown_with_what_is_refused_of_it(report: dict[str, Any]) -> None:
    text = Reader(refusal(report)).text
    assert len(report["refusal"]["rows"]) == 3
    for row in report["refusal"]["rows"]:
        refused = row["refused"]
        ends = f"[{percent(refused['low'])}, {percent(refused['high'])}]"
        assert f"{percent(refused['mean'])} {ends}{percent(row['told_off_topic'])}" in text
    for row in report["refusal"]["rows"][1:]:
        assert f"{shown(row['auroc']['mean'])} [{shown(row['auroc']['low'])}, {shown(row['auroc']['high'])}]" in text


def test_the_first_sentences_say_what_to_take_from_it(report: dict[str, Any]) -> None:
    part = report["refusal"]
    text = Reader(refusal(report)).text
    answerable, unanswerable, off_topic = (percent(row["refused"]["mean"]) for row in part["rows"])
    assert f"similarity below {shown(part['threshold'])} is not answered; below {shown(part['off_topic'])}" in text
    assert f"at most 5.0% of the questions that the docs answer; of those that test it, {answerable} are lost" in text
    assert f"and it stops {unanswerable} of the unanswerable ones and {off_topic} of the off-topic ones." in text
    risks = [percent(part[key]["risk"]["mean"]) for key in ("point", "without")]
    assert (
        f"Of what is answered, {risks[0]} does not have its answer in the first 4 sections; of all questions, {risks[1]}"
        in text
    )


def test_the_curve_stands_where_its_numbers_are(report: dict[str, Any]) -> None:
    page, part = refusal(report), report["refusal"]
    drawn = re.search(r'<polyline class="curve mean" points="([^"]+)"', page)
    assert drawn
    spots = [tuple(map(float, spot.split(","))) for spot in drawn[1].split()]
    assert [x for x, _ in spots] == pytest.approx([1000 * point["coverage"] for point in part["curve"]], abs=0.1)
    # Further down is less risk, by as much.
    risks, heights = [point["risk"] for point in part["curve"]], [y for _, y in spots]
    slope = (heights[-1] - heights[0]) / (risks[-1] - risks[0])
    assert slope < 0
    assert heights == pytest.approx([heights[0] + slope * (risk - risks[0]) for risk in risks], abs=0.2)
    diamonds = re.findall(r'<svg x="([\d.]+)%" y="([\d.]+)" overflow="visible"><rect class="mark other filled"', page)
    x, y = map(float, diamonds[-1])
    assert x == pytest.approx(10 + 88 * part["point"]["coverage"], abs=0.1)
    assert y == pytest.approx(heights[0] + slope * (part["point"]["risk"]["mean"] - risks[0]), abs=0.3)


def test_without_unanswerable_questions_it_says_how_to_make_them(report: dict[str, Any]) -> None:
    assert "synth.unanswerable" not in refusal(report)
    rows = report["refusal"]["rows"]
    report["refusal"]["rows"] = [row for row in rows if row["kind"] != "unanswerable"]
    text = Reader(refusal(report)).text
    assert "Set synth.unanswerable, such as 100, and build again to find out." in text
    assert f"it stops {percent(rows[2]['refused']['mean'])} of the off-topic ones." in text


def test_where_nothing_is_refused_the_reason_stands_alone() -> None:
    page = refusal({"refusal": {"note": "Nothing is refused: chat.false_refusal is 0."}})
    assert Reader(page).text == "When it does not answerNothing is refused: chat.false_refusal is 0."


def test_an_older_report_has_no_such_part() -> None:
    assert refusal({}) == ""
    assert refusal({"refusal": {}}) == ""
    assert refusal({"refusal": [3]}) == ""


@pytest.mark.parametrize(
    "key", ["off_topic", "rate", "measured", "choosing", "rows", "curve", "point", "without", "passages"]
)
@pytest.mark.parametrize("value", [None, "x", [], {}, [None], [{}], -1, float("nan")])
def test_whatever_is_damaged_is_left_out(report: dict[str, Any], key: str, value: object) -> None:
    report["refusal"][key] = value
    reader = Reader(refusal(report))
    assert shown(report["refusal"]["threshold"]) in reader.text
    assert not re.search(r"\bnan\b", reader.text)
