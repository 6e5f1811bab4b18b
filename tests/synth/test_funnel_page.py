"""The funnel's page: every number is there, every word is shown as it is, and nothing is fetched."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.chromium import browser, in_browser

from dragoman.records import Chunk, Question, content_id
from dragoman.synth.filter import REASONS, Funnel, Verdict, clean, judged, round_trip
from dragoman.synth.funnel_page import SAMPLES, funnel_page

__all__ = ["browser"]

MakeChunk = Callable[..., Chunk]
EVIL = '<script>alert(1)</script><img src="https://foreign.example/p.png" onerror=alert(2)> & \'"</bdi></li>'
VOID = {"meta"}


class Reader(HTMLParser):
    """The page as a tree: tags in order, attributes, and text by the tag that it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append((self.open[-1] if self.open else "", data))

    def within(self, tag: str) -> list[str]:
        return [text for place, text in self.text if place == tag]


def ask(text: str, chunk: str = "c", style: str = "howto") -> Question:
    return Question(content_id(chunk, text), text, chunk, "llm", style)


def every_reason() -> Funnel:
    """A funnel in which each reason took one question out, three of them for training only."""
    questions = [ask(f"What is wrong with number {place}?") for place in range(len(REASONS) + 1)]
    whys = [Verdict(question, reason, f"since {reason}") for question, reason in zip(questions, REASONS, strict=False)]
    kept = (*(replace(row.question, train=False) for row in whys[7:]), questions[-1])
    return Funnel(len(questions), kept, tuple(whys[:7]), tuple(whys[7:]))


def rows_of(page: str) -> list[tuple[str, ...]]:
    """The flow's lines: step, taken out, left."""
    cells = r'<th scope="row">([^<]*)</th><td class="number">([^<]*)</td><td class="number">([^<]*)</td>'
    return re.findall(cells, page)


def test_the_flow_counts_down_from_what_was_made_to_what_is_trained_on() -> None:
    made = len(REASONS) + 1
    lines = [(reason, "−1", str(made - place)) for place, reason in enumerate(REASONS, start=1)]
    page = funnel_page(every_reason(), [], "Bakery")
    assert rows_of(page) == [("questions made", "", str(made)), *lines, ("to train on", "", "1")]
    assert f"{made} questions went in; 4 are kept, 1 of them to train on. The other 3" in page


def test_every_reason_is_explained_with_its_question_its_place_and_why(make_chunk: MakeChunk) -> None:
    chunk = replace(make_chunk("Text."), id="c")
    page = Reader(funnel_page(every_reason(), [chunk], "Bakery"))
    shown = page.within("bdi")
    assert page.within("b")[: len(REASONS)] == list(REASONS)
    assert page.tags.count("p") >= len(REASONS) + 2
    for place, reason in enumerate(REASONS):
        start = 3 * place
        assert shown[start : start + 3] == [f"What is wrong with number {place}?", "Bakery > Oven", f"since {reason}"]
    assert not page.open


def test_what_is_kept_is_shown_by_kind_with_all_that_is_known_of_it() -> None:
    questions = [ask("How hot is an oven?"), ask("how hot is an oven", "d"), ask("oven heat now", style="keywords")]
    funnel = clean(questions)
    ids = [question.id for question in funnel.questions]
    page = funnel_page(judged(round_trip(funnel, {ids[0]: 12, ids[1]: 3}, 10), {ids[1]: 4.0}), [], "Bakery")
    assert Reader(page).within("b") == ["duplicate", "not found again", "llm: howto", "llm: keywords"]
    assert "rank 12, also answered by 1 other chunk, not for training" in page
    assert "rank 3, score 4<" in page
    assert "1 of them are answered by several chunks" in page


def test_of_many_only_some_are_shown_and_not_the_first_ones() -> None:
    questions = [ask(f"How hot is oven {place}?", f"c{place}") for place in range(500)]
    page = funnel_page(clean(questions), [], "Bakery")
    asked = [text for text in Reader(page).within("bdi") if text.startswith("How hot")]
    assert len(asked) == SAMPLES
    assert "<b>llm: howto</b> <span>500, 20 shown</span>" in page
    places = [int(re.findall(r"\d+", text)[0]) for text in asked]
    assert places == sorted(places)
    assert max(places) > 250
    assert page == funnel_page(clean(questions), [], "Bakery")


def test_words_are_shown_and_never_markup(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Text.", trail=(EVIL, EVIL))
    question = replace(ask(EVIL, chunk.id, EVIL), rank=3)
    funnel = Funnel(2, (question,), (Verdict(question, "duplicate", EVIL),))
    page = funnel_page(funnel, [chunk], EVIL)
    reader = Reader(page)
    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert reader.within("bdi").count(EVIL) == 3
    assert reader.within("title") == reader.within("h1") == [f"Questions about {EVIL}"]
    assert not reader.open


@given(st.text(), st.text(), st.text())
def test_whatever_the_words_are_the_page_is_whole(text: str, why: str, title: str) -> None:
    question = ask(text)
    page = funnel_page(Funnel(2, (question,), (Verdict(question, REASONS[0], why),)), [], title)
    assert page.encode("utf-8")
    assert not Reader(page).open
    assert {tag for tag, *_ in Reader(page).attributes} <= {"html", "meta", "table", "tr", "th", "td", "div", "span",
                                                            "p", "i", "bdi", "details", "li"}  # fmt: skip


def test_half_a_character_and_an_endless_question_are_shown_shortened() -> None:
    page = funnel_page(clean([ask("How \ud83e hot?"), ask("why " * 2000)]), [], "Bakery")
    assert page.encode("utf-8")
    assert "How ? hot?" in page
    assert max(map(len, Reader(page).within("bdi"))) == 300


def test_an_empty_funnel_is_a_page_too() -> None:
    page = funnel_page(clean([]), [], "Bakery")
    assert rows_of(page) == [("questions made", "", "0"), ("to train on", "", "0")]
    assert Reader(page).within("p").count("Nothing.") == 2


def test_nothing_is_fetched() -> None:
    page = funnel_page(every_reason(), [], "Bakery")
    reader = Reader(page)
    assert not {name for _, name, _ in reader.attributes} & {"src", "href", "srcset", "data", "action", "onclick"}
    assert "script" not in reader.tags
    assert not re.search(r"url\(|@import|https?:", page)


@in_browser
@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (390, "dark")])
def test_a_browser_shows_it_at_any_width_in_its_own_colours(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    questions = [ask(EVIL + "x" * 200), ask("How hot is an oven?"), ask("how hot is an oven", "d"), ask("hot")]
    (tmp_path / "funnel.html").write_text(funnel_page(clean(questions), [], "Bakery " + EVIL), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    fetched: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "funnel.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    red, green, blue = map(
        int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    )
    assert (red + green + blue > 384) is (scheme == "light")
    bars = page.eval_on_selector_all(".track span", "bars => bars.map(bar => bar.getBoundingClientRect().width)")
    assert max(bars) > width / 8
    assert page.get_by_text("How hot is an oven?").first.is_visible()
    assert (len(fetched), said) == (1, [])
    page.close()
