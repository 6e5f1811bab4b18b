"""The app in a real browser: Debian's Chromium, driven by Playwright."""

import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.chromium import IN_BROWSER, browser

from dragoman.chat import Answerer, KeywordSearcher, create_app, running
from dragoman.config import ChatSettings
from dragoman.models.protocols import Message
from dragoman.records import Chunk

QUESTION = "#question textarea"
FOREIGN = "![p](https://foreign.example/p.png) <img src='https://foreign.example/q.png'>"

__all__ = ["browser"]

pytestmark = [*IN_BROWSER]


def answer_of(messages: Sequence[Message]) -> list[Any]:
    """An answer that tells what the model was told; "slowly" makes it a long one."""
    asked = messages[-1].content.rpartition("Question: ")[2]
    topic = asked.partition("\n")[0]
    earlier = [message.content for message in messages[1:-1] if message.role == "user"]
    if "slowly" in topic:
        return ["counting "] * 2000
    return re.findall(r".{1,7}", f"You asked {topic!r} after {earlier} [1]. {FOREIGN} [9]", re.DOTALL)


@pytest.fixture(scope="module")
def model(scripted: Any) -> Any:
    return scripted(answer_of, delay=0.02)


@pytest.fixture(scope="module")
def url(chunks: list[Chunk], model: Any) -> Iterator[str]:
    answerer = Answerer(KeywordSearcher(chunks), model, ChatSettings(answer_tokens=4000), "Pantry")
    app = create_app(answerer, title="Pantry docs", examples=["When does the alarm ring?", "How do I add a shelf?"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with running(app, "127.0.0.1", port) as address:
        yield address


@pytest.fixture
def open_page(browser: Any, url: str) -> Iterator[Any]:
    """Opens the app as a new visitor; at the end, no visitor's browser may have asked another host for anything."""
    contexts: list[Any] = []
    hosts: set[str | None] = set()

    def visit(**options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.goto(url)
        page.wait_for_selector(QUESTION)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert hosts - {None} == {"127.0.0.1"}


def ask(page: Any, question: str, answers: int = 1) -> str:
    """Ask, wait until the ``answers``-th answer has its sources, and give what it says."""
    page.fill(QUESTION, question)
    page.press(QUESTION, "Enter")
    page.wait_for_function("count => document.querySelectorAll('.sources').length === count", arg=answers)
    said: str = page.locator(".bot-row").last.inner_text()
    return said


def test_an_answer_streams_in_and_its_sources_follow(open_page: Any, tmp_path: Path) -> None:
    page = open_page(viewport={"width": 1280, "height": 900})
    assert page.title() == "Pantry docs"
    assert "keyword search" in page.locator(".app-header").inner_text()
    page.fill(QUESTION, "How do I add a shelf?")
    page.press(QUESTION, "Enter")
    page.wait_for_function("document.querySelector('.bot-row')?.innerText.includes('You asked')")
    assert page.locator(".sources").count() == 0, "the beginning is shown before the end is there"
    page.wait_for_selector(".sources")
    link = page.locator(".sources a").first
    assert link.get_attribute("href") == "https://pantry.example/docs#part-1"
    assert link.inner_text() == "Pantry › Shelves › Adding a shelf"
    assert "shelves-adding-a-shelf.md:10-20" in page.locator(".sources").inner_text()
    assert "[9]" not in page.locator(".bot-row").inner_text()
    assert not page.locator(".sources pre").is_visible()
    page.locator(".sources summary").first.click()
    assert "const top = pantry.shelf" in page.locator(".sources pre").inner_text()
    shot = tmp_path / "answer.png"
    page.screenshot(path=str(shot))
    assert shot.stat().st_size > 10_000


def test_a_follow_up_keeps_its_history(open_page: Any, model: Any) -> None:
    page = open_page()
    ask(page, "When does the alarm ring?")
    said = ask(page, "And after a start?", answers=2)
    assert "'And after a start?' after ['When does the alarm ring?']" in said
    told = [message.content for message in model.asked[-1] if message.role == "assistant"]
    assert len(told) == 1
    assert told[0].startswith("You asked 'When does the alarm ring?' after []")
    assert "sources" not in told[0]


def test_two_visitors_do_not_see_each_other(open_page: Any) -> None:
    one, other = open_page(), open_page()
    ask(one, "How do I add a shelf?")
    assert "after []" in ask(other, "Why is a second label refused?")
    assert "after ['How do I add a shelf?']" in ask(one, "And to remove a shelf?", answers=2)
    assert "label" not in one.locator("#chat").inner_text()
    assert "add a shelf" not in other.locator("#chat").inner_text()


def test_an_answer_can_be_stopped_and_the_next_question_asked(open_page: Any, model: Any) -> None:
    page = open_page()
    page.fill(QUESTION, "Count the jars on the shelf slowly")
    page.press(QUESTION, "Enter")
    page.wait_for_function("document.querySelector('.bot-row')?.innerText.includes('counting counting')")
    begun, ended = len(model.asked), model.closed
    page.locator(".stop-button").click()
    page.wait_for_selector(".submit-button")
    for _ in range(50):
        if model.closed > ended:
            break
        page.wait_for_timeout(100)
    assert model.closed == begun, "a stopped model writes no further"
    assert "'How do I add a shelf?'" in ask(page, "How do I add a shelf?")


def test_an_example_is_asked_with_a_click(open_page: Any) -> None:
    page = open_page()
    page.get_by_text("When does the alarm ring?").click()
    page.wait_for_selector(".sources")
    assert "'When does the alarm ring?' after []" in page.locator(".bot-row").inner_text()


def test_an_empty_question_is_met_with_a_hint(open_page: Any, model: Any) -> None:
    page = open_page()
    asked = len(model.asked)
    page.fill(QUESTION, "   ")
    page.press(QUESTION, "Enter")
    page.get_by_text("Ask a question about Pantry.").wait_for()
    assert len(model.asked) == asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_sticks_out(open_page: Any, tmp_path: Path, scheme: str) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    ask(page, "How do I add a shelf?")
    page.screenshot(path=str(tmp_path / f"phone-{scheme}.png"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator(QUESTION).bounding_box()
    assert box["y"] + box["height"] <= 844
    sources = page.locator(".sources").bounding_box()
    assert sources["x"] >= 0
    assert sources["x"] + sources["width"] <= 390
