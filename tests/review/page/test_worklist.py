"""What is left to do, for whom, and for how long."""

import pytest

from dragoman.review.items import FORMS, Response
from dragoman.review.page.desk import Shown
from dragoman.review.page.worklist import Progress, differs, progress, seconds_each, worklist

FORM = FORMS["triplets"]
YES, NO = {"is_positive_relevant": "yes"}, {"is_positive_relevant": "no"}
SHOWN = [
    Shown("new", ()),
    Shown("draft", (Response("anna", YES, "draft"),)),
    Shown("agreed", (Response("anna", YES), Response("bob", YES))),
    Shown("skipped", (Response("anna", {}, "discarded"), Response("bob", NO))),
    Shown("bob's", (Response("bob", YES),)),
    Shown("differ", (Response("bob", YES), Response("carol", NO))),
]


def test_open_is_what_i_did_not_submit_or_skip() -> None:
    assert worklist(SHOWN, FORM, "anna", "open") == ["new", "draft", "bob's", "differ"]
    assert worklist(SHOWN, FORM, "dora", "open") == [item.id for item in SHOWN]


def test_what_has_its_votes_is_open_to_nobody_else() -> None:
    assert worklist(SHOWN, FORM, "anna", "open", votes=1) == ["new", "draft"]
    assert worklist(SHOWN, FORM, "anna", "open", votes=2) == ["new", "draft", "bob's"]


def test_mine_is_what_i_submitted_or_skipped() -> None:
    assert worklist(SHOWN, FORM, "anna", "mine") == ["agreed", "skipped"]


def test_disagreement_is_where_submitted_options_differ() -> None:
    assert worklist(SHOWN, FORM, "anna", "disagreement") == ["differ"]


def test_a_draft_a_skip_and_another_wording_are_no_disagreement() -> None:
    yes = Response("anna", YES | {"question": "One?"})
    assert not differs([yes, Response("bob", NO, "draft"), Response("carol", NO, "discarded")], FORM)
    assert not differs([yes, Response("bob", YES | {"question": "Another?"})], FORM)
    assert differs([yes, Response("bob", NO)], FORM)


def test_progress_counts_and_tells_the_time_left() -> None:
    assert progress(SHOWN, FORM, "anna", [0, 30, 60, 90]) == Progress(2, 6, 2, 1, minutes=2.0)
    assert progress([], FORM, "anna", []) == Progress(0, 0, 0, 0, None)


@pytest.mark.parametrize(
    ("times", "seconds"),
    [([], None), ([5, 10, 15], None), ([0, 10, 20, 30], 10), ([0, 10, 20, 3000, 3012, 3024], 11), ([9, 8, 7, 6], None)],
)
def test_a_coffee_and_a_clock_put_back_do_not_count(times: list[float], seconds: float | None) -> None:
    assert seconds_each(times) == seconds
