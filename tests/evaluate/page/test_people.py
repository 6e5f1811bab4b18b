"""People's questions on the page: high up, with their figures, what changed, and the places that were not found."""

from typing import Any

import pytest
from tests.evaluate.page.reader import Reader, shown

from dragoman.evaluate.page import report_page


def section_of(report: dict[str, Any]) -> str:
    page = report_page(report)
    return page.partition('<section id="people">')[2].partition("</section>")[0]


def said(report: dict[str, Any]) -> str:
    return Reader(section_of(report)).text


def test_people_come_before_every_other_section(report: dict[str, Any]) -> None:
    assert Reader(report_page(report)).ids()[0] == "people"


def test_their_figures_are_those_of_the_data(report: dict[str, Any]) -> None:
    text = said(report)
    for row in report["people"]["table"]:
        ends = f"[{shown(row['ndcg_low'])}, {shown(row['ndcg_high'])}]"
        shares = "".join(f"{100 * row[key]:.1f}%" for key in ("recall", "answered"))
        assert f"{shown(row['ndcg'])} {ends}{shown(row['mrr'])}{shares}" in text
    assert "within the first 8,000 characters" in text
    assert "hybrid (words at 0.3), 2 epochs served" in text, "the served way is marked"
    assert f"{report['people']['won']} questions rise, 1 fall, {report['people']['same']} stay." in text


def test_the_top_of_the_page_tells_them_too(report: dict[str, Any]) -> None:
    text = Reader(report_page(report)).text
    rows = {row["model"]: row for row in report["people"]["table"] if row["mode"] == "hybrid"}
    figures = f"{shown(rows['base']['ndcg'])} → {shown(rows['tuned']['ndcg'])}"
    assert f"NDCG, 10 questions that people asked, untuned → served{figures}" in text


def test_changes_are_told_both_ways_the_largest_first(report: dict[str, Any]) -> None:
    changes = [
        {"question": f"question {n}", "before": 0.5, "after": 0.5 + n / 20, "difference": n / 20} for n in range(-7, 8)
    ]
    report["people"]["changes"] = changes
    rose, _, fell = said(report).partition("Rose most")[2].partition("Fell most")
    assert [rose.index(f"question {n}") for n in (7, 6, 5, 4, 3)] == sorted(
        rose.index(f"question {n}") for n in range(3, 8)
    )
    assert [fell.index(f"question {-n}") for n in (7, 6, 5, 4, 3)] == sorted(
        fell.index(f"question {-n}") for n in range(3, 8)
    )
    assert "0.500 → 0.850" in rose
    assert "0.500 → 0.150" in fell
    assert "question 0" not in rose + fell


def test_places_that_were_not_found_are_folded_away(report: dict[str, Any]) -> None:
    report["people"]["unplaced"] = 1
    folded = section_of(report).partition("<details>")[2]
    text = Reader(folded.partition("</details>")[0]).text
    assert text.startswith("2 places are not in the docs, and do not count; 1 question could not be asked")
    assert all(line in text for line in report["people"]["lost"])


def test_a_file_of_which_nothing_was_found_says_so(report: dict[str, Any]) -> None:
    report["people"] |= {"asked": 0, "table": [], "changes": [], "note": "none of the 2 questions names a place"}
    text = said(report)
    assert "None of the 2 questions names a place" in text
    assert "Answered" not in text
    assert "took part in the choice" not in Reader(report_page(report)).text


@pytest.mark.parametrize(
    ("counted", "part", "flatters"),
    [
        (True, "They have a weight in the verdict.", True),
        (False, "They had no part in the verdict.", False),
        (None, "", False),
    ],
)
def test_whether_they_took_part_in_the_choice_is_said(
    report: dict[str, Any],
    counted: bool | None,  # noqa: FBT001 - pytest names it
    part: str,
    flatters: bool,  # noqa: FBT001 - pytest names it
) -> None:
    report["people"]["counted"] = counted
    assert part in said(report)
    text = Reader(report_page(report)).text
    assert ("The 10 questions that people asked took part in the choice of what is served" in text) == flatters
    assert "People asked only the questions that are shown as theirs" in text


def test_a_table_without_gains_has_no_marks(report: dict[str, Any]) -> None:
    for row in report["people"]["table"]:
        row |= {"gain": None, "gain_low": None, "gain_high": None}
    assert "<svg role" not in section_of(report)
