"""Which training was chosen: each checkpoint and mixture with both of its figures, beside the base."""

import re
from typing import Any

import pytest
from tests.evaluate.page.reader import Reader, shown

from dragoman.evaluate.page.choice import choice


def names(page: str) -> list[str]:
    return [re.sub("<[^>]+>", "", name) for name in re.findall(r'role="rowheader">(.*?)</th>', page)]


def test_the_base_comes_first_and_the_chosen_one_is_marked(report: dict[str, Any]) -> None:
    report["choice"]["rows"].reverse()
    assert names(choice(report)) == [
        "base",
        "mixed 50%, 1 epoch",
        "tuned, 1 epoch",
        "mixed 50%, 2 epochs chosen",
        "tuned, 2 epochs",
    ]


def test_the_figures_and_the_best_ways_are_those_of_the_data(report: dict[str, Any]) -> None:
    text = Reader(choice(report)).text
    for row in report["choice"]["rows"]:
        assert f"{shown(row['dense'])}{shown(row['best'])}hybrid (words at {row['way']['lexical_weight']:g})" in text
    assert "on 60 validation questions" in text


def test_marks_stand_in_the_order_of_their_figures(report: dict[str, Any]) -> None:
    page = choice(report)
    drawn = re.findall(r'aria-label="[^"]*: dense ([\d.]+), best way ([\d.]+)".*?</title>(.*?)</svg></td>', page)
    assert len(drawn) == len(report["choice"]["rows"])
    places: dict[float, float] = {}
    for dense, best, marks in drawn:
        line = re.search(r'<line class="(?:base|tuned|other)" x1="([\d.]+)%" x2="([\d.]+)%"', marks)
        assert line
        places |= {float(dense): float(line[1]), float(best): float(line[2])}
    assert [places[value] for value in sorted(places)] == sorted(places.values())
    reference = {at for _, _, marks in drawn for at in re.findall(r'class="zero" x1="([\d.]+)%"', marks)}
    best = round(report["choice"]["rows"][0]["best"], 3)
    assert [float(at) for at in reference] == pytest.approx([places[best]], abs=0.1), "the base's"


def test_without_a_base_there_is_no_reference(report: dict[str, Any]) -> None:
    del report["choice"]["rows"][0]
    page = choice(report)
    assert 'class="zero"' not in page
    assert "dotted line" not in page


@pytest.mark.parametrize("missing", ["epochs", "share", "way", "chosen"])
def test_a_row_may_lack_what_it_is_about(report: dict[str, Any], missing: str) -> None:
    for row in report["choice"]["rows"]:
        del row[missing]
    assert len(names(choice(report))) == len(report["choice"]["rows"])


def test_nothing_to_choose_between_is_no_section() -> None:
    assert choice({"choice": {"rows": [{"epochs": 1}]}}) == choice({}) == ""
