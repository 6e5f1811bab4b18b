"""What the tuning cost elsewhere: the data's figures, its limit, and its note where nothing could be asked."""

from typing import Any

import pytest
from tests.evaluate.page.reader import Reader, shown

from dragoman.evaluate.page.forgetting import forgetting


def test_each_set_is_shown_with_its_change(report: dict[str, Any]) -> None:
    text = Reader(forgetting(report)).text
    for row in report["forgetting"]["rows"]:
        ends = f"[{shown(row['low'], '+')}, {shown(row['high'], '+')}]"
        assert f"{shown(row['change'], '+')} {ends}{shown(row['base'])} → {shown(row['tuned'])}" in text
    assert "base against mixed 50%" in text
    assert "NanoBEIR" in text


@pytest.mark.parametrize(
    ("limit", "refused", "said"),
    [
        (0.02, False, "The mean may fall by 0.020. It stayed within that."),
        (0.02, True, "The mean may fall by 0.020. It cost more, and is refused."),
        (None, False, "no limit is set"),
        (1.0, False, "no limit is set"),
    ],
)
def test_the_limit_is_told(report: dict[str, Any], limit: float | None, refused: bool, said: str) -> None:  # noqa: FBT001 - pytest names it
    report["forgetting"] |= {"limit": limit, "refused": refused}
    assert said in Reader(forgetting(report)).text


def test_without_rows_the_note_stands_alone(report: dict[str, Any]) -> None:
    report["forgetting"] |= {"rows": [], "note": "Nothing was checked: the Hub is out of reach."}
    assert Reader(forgetting(report)).text == "What it forgotNothing was checked: the Hub is out of reach."
    report["forgetting"]["note"] = ""
    assert forgetting(report) == ""


def test_a_change_that_is_not_told_is_that_of_the_figures() -> None:
    page = forgetting({"forgetting": {"rows": [{"name": "general", "base": 0.5, "tuned": 0.25, "low": None}]}})
    assert "−0.250 [interval unknown]" in Reader(page).text
