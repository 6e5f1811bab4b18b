"""A reviewer's hour on the local page, in a real browser: Debian's Chromium, driven by Playwright."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tests.chromium import IN_BROWSER
from tests.review.page.samples import TRIPLETS
from tests.review.page.walking import RIGHT, on_screen, press, saved

from dragoman.review.items import Response
from dragoman.review.page.desk import PageDesk

pytestmark = [*IN_BROWSER]


def test_a_reviewer_labels_with_the_keyboard_only(url: str, desk: PageDesk, visit: Callable[..., Any]) -> None:
    page = visit(url)
    on_screen(page, 0)
    assert page.title() == "Pantry docs"
    assert page.locator(".hint").inner_text() == "Suggested: No. 83% sure, by round trip"
    assert page.locator('[aria-pressed="true"].choice').count() == 0
    press(page, "y", "n", "Enter")
    on_screen(page, 1)
    press(page, "1", "2", "e")
    assert page.input_value("textarea") == "How do I open port 1?"
    press(page, "Control+a")
    page.keyboard.type("Which key opens port 1?")
    press(page, "Enter")
    on_screen(page, 2)
    press(page, "s")
    on_screen(page, 3)
    press(page, "y", "y", "ArrowUp", "n", "Enter")
    on_screen(page, 4)
    saved(page, desk, "t000", Response("anna", {"is_positive_relevant": "yes", "is_negative_irrelevant": "no"}))
    rewritten = {"is_positive_relevant": "yes", "is_negative_irrelevant": "no", "question": "Which key opens port 1?"}
    saved(page, desk, "t001", Response("anna", rewritten))
    saved(page, desk, "t002", Response("anna", {}, "discarded"))
    saved(page, desk, "t003", Response("anna", {"is_positive_relevant": "no", "is_negative_irrelevant": "yes"}))
    page.get_by_text(re.compile(r"^4 of 5, less than a minute left$")).wait_for()
    press(page, "y", "y", "Enter")
    page.get_by_text("All done.").wait_for()


def test_nothing_is_submitted_before_all_is_answered(url: str, desk: PageDesk, visit: Callable[..., Any]) -> None:
    page = visit(url)
    press(page, "y", "Enter")
    page.wait_for_selector("#ask-1.missing.marked")
    saved(page, desk, "t000", Response("anna", {"is_positive_relevant": "yes"}, "draft"))


def test_a_rewrite_that_changes_nothing_is_none(url: str, desk: PageDesk, visit: Callable[..., Any]) -> None:
    page = visit(url)
    press(page, "y", "y", "e", "Enter")
    on_screen(page, 1)
    saved(page, desk, "t000", Response("anna", RIGHT))
    press(page, "e", "x", "Backspace", "Escape", "y", "y", "Enter")
    on_screen(page, 2)
    saved(page, desk, "t001", Response("anna", RIGHT))


def test_undo_goes_back_level_by_level_and_survives_a_reload(
    url: str, desk: PageDesk, visit: Callable[..., Any]
) -> None:
    page = visit(url)
    for number in range(3):
        on_screen(page, number)
        press(page, "y", "y", "Enter")
    on_screen(page, 3)
    press(page, "u")
    on_screen(page, 2)
    assert page.locator('[aria-pressed="true"].choice').count() == 2, "what was ticked is still ticked"
    saved(page, desk, "t002", Response("anna", RIGHT, "draft"))
    page.reload()
    on_screen(page, 2)
    press(page, "u")
    on_screen(page, 1)
    page.wait_for_function("() => document.querySelector('#figures').textContent.startsWith('1 of 5')")
    press(page, "u")
    on_screen(page, 0)
    page.wait_for_function("() => document.querySelector('#figures').textContent.startsWith('0 of 5')")
    press(page, "u")
    page.wait_for_function("() => document.querySelector('#said').textContent.includes('nothing left')")


def test_a_reload_and_a_restart_resume_with_the_draft(
    desk: PageDesk, serve: Callable[..., str], visit: Callable[..., Any]
) -> None:
    url = serve(desk)
    page = visit(url)
    press(page, "j", "j")
    on_screen(page, 2)
    press(page, "n", "e", "Control+a")
    page.keyboard.type("Half a thou")
    saved(page, desk, "t002", Response("anna", {"is_positive_relevant": "no", "question": "Half a thou"}, "draft"))
    page.keyboard.type("ght")
    page.reload()
    on_screen(page, 2)
    assert page.input_value("textarea") == "Half a thought"
    assert serve(desk, port=urlsplit(url).port) == url
    page.reload()
    on_screen(page, 2)
    assert page.input_value("textarea") == "Half a thought"
    assert page.locator('[aria-pressed="true"].choice').inner_text().startswith("No")


def test_answers_given_while_the_server_is_away_arrive_later(
    desk: PageDesk, url: str, visit: Callable[..., Any]
) -> None:
    page = visit(url)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    press(page, "y", "y", "Enter")
    on_screen(page, 1)
    page.get_by_role("alert").get_by_text("kept here and sent again").wait_for()
    press(page, "y", "y", "Enter")
    on_screen(page, 2)
    assert not any(one.responses for one in desk.pull(TRIPLETS))
    page.context.set_offline(False)
    for item in ("t000", "t001"):
        saved(page, desk, item, Response("anna", RIGHT))
    page.wait_for_selector("#trouble", state="hidden")


def test_two_reviewers_at_once_and_what_they_disagree_about(
    desk: PageDesk, url: str, visit: Callable[..., Any]
) -> None:
    anna, bob = visit(url), visit(url, name="bob")
    press(anna, "y", "y", "Enter")
    on_screen(anna, 1)
    press(bob, "n", "y", "Enter")
    on_screen(bob, 1)
    saved(anna, desk, "t000", Response("anna", RIGHT))
    saved(bob, desk, "t000", Response("bob", RIGHT | {"is_positive_relevant": "no"}), reviewer="bob")
    press(anna, "f", "f")
    on_screen(anna, 0)
    assert anna.locator("#ask-0 .others").inner_text() == "bob No"
    assert "change your answer" in anna.locator(".state").inner_text()
    press(anna, "ArrowUp", "n", "Enter")
    saved(anna, desk, "t000", Response("anna", RIGHT | {"is_positive_relevant": "no"}))
