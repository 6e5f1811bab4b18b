"""Whatever a model was talked into saying: a page shows it without loading, running or linking anything of a stranger's."""

import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt
from tests.chromium import browser, in_browser

from dragoman.chat.checks import checked
from dragoman.chat.excerpt import quotable
from dragoman.chat.page import answer_markdown, draft_markdown
from dragoman.records import Answer, Chunk, Citation, Finding, Hit

__all__ = ["browser"]

ATTACKS = json.loads(Path(__file__).with_name("attacks.json").read_text(encoding="utf-8"))["attacks"]
EACH = pytest.mark.parametrize("attack", [pytest.param(row["text"], id=row["name"]) for row in ATTACKS])
OURS = frozenset(
    [
        "div",
        "p",
        "ol",
        "ul",
        "li",
        "a",
        "span",
        "details",
        "summary",
        "pre",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "em",
        "strong",
        "h1",
        "h2",
        "h3",
        "blockquote",
        "hr",
        "br",
        "s",
    ]
)


class Elements(HTMLParser):
    """The elements of a page, and the addresses that they load or link."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.others: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if tag == "a" and name == "href":
                self.links.add(value or "")
            elif name not in {"class", "title", "target", "rel", "align", "start", "style"} or "url" in (value or ""):
                self.others.append((name, value))


def elements(markdown: str) -> Elements:
    """What a browser gets, by a parser that takes HTML as it stands and links bare addresses' Markdown."""
    page = Elements()
    page.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))
    return page


def hits(chunks: list[Chunk]) -> list[Hit]:
    return [Hit(rank, 1.0, chunk) for rank, chunk in enumerate(chunks, 1)]


def shown_answers(
    attack: str, chunks: list[Chunk], make_chunk: Callable[..., Chunk]
) -> Iterator[tuple[str, list[Chunk]]]:
    """Every way in which an attack may come to be shown, and the chunks that it is shown with."""
    said = checked(attack, "How?", hits(chunks), (1,))
    citations = tuple(Citation(hit.rank, hit) for hit in hits(chunks))
    yield (
        answer_markdown(
            Answer("How?", said.text, citations, "llm", said.note, support=said.support, findings=said.findings)
        ),
        chunks,
    )
    findings = (Finding("identifier", "zebra"), Finding("identifier", attack[:30]))
    yield answer_markdown(Answer("How?", attack, citations, "llm", attack, findings=findings)), chunks
    sly = make_chunk(("Pantry", attack), "Text.", url="https://pantry.example/sly")
    yield answer_markdown(Answer("How?", "So [1].", (Citation(1, Hit(1, 1.0, sly)),), "llm", attack)), [sly]
    quoted = "\n".join(f"> {line}" for line in quotable(attack).split("\n"))
    yield answer_markdown(Answer("How?", quoted, citations, "extractive")), chunks
    yield draft_markdown(attack), []


@EACH
def test_nothing_is_loaded_run_or_linked(attack: str, chunks: list[Chunk], make_chunk: Callable[..., Chunk]) -> None:
    for shown, cited in shown_answers(attack, chunks, make_chunk):
        page = elements(shown)
        assert page.tags <= OURS, page.tags - OURS
        assert not page.others
        own = {chunk.url for chunk in cited} | {chunk.url.partition("#")[0] for chunk in cited}
        assert page.links <= own, page.links - own


@EACH
def test_a_page_that_is_an_attack_may_be_quoted(attack: str, make_chunk: Callable[..., Chunk]) -> None:
    sly = make_chunk(("Pantry", "Sly"), attack, url="https://pantry.example/sly")
    quoted = "\n".join(f"> {line}" for line in quotable(attack).split("\n"))
    page = elements(answer_markdown(Answer("How?", quoted, (Citation(1, Hit(1, 1.0, sly)),), "extractive")))
    # The addresses that its readers see there may be linked to; nothing of it is loaded or run.
    assert page.tags <= OURS
    assert not page.others
    assert not [link for link in page.links if not link.startswith(("https://", "http://"))]


@EACH
def test_a_checked_answer_is_sound_wherever_it_is_shown(attack: str, chunks: list[Chunk]) -> None:
    said = checked(attack, "How?", hits(chunks), ())
    page = elements(said.text)
    own = {chunk.url for chunk in chunks} | {chunk.url.partition("#")[0] for chunk in chunks}
    assert page.links <= own
    assert not page.tags & {
        "img",
        "script",
        "iframe",
        "form",
        "style",
        "svg",
        "object",
        "embed",
        "link",
        "meta",
        "base",
    }
    again = checked(said.text, "How?", hits(chunks), said.cited)
    assert elements(again.text).links <= own


@in_browser
def test_a_browser_asks_nobody_and_runs_nothing(
    browser: Any, chunks: list[Chunk], make_chunk: Callable[..., Chunk]
) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))  # type: ignore[func-returns-value]
    render = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render
    sections = [render(shown) for row in ATTACKS for shown, _ in shown_answers(row["text"], chunks, make_chunk)]
    for start in range(0, len(sections), 60):
        page.set_content("".join(f"<section>{section}</section>" for section in sections[start : start + 60]))
        page.wait_for_timeout(50)
        assert (
            page.locator(
                "img, script, iframe, form, svg, object, embed, link, meta, base, style, input, video, audio"
            ).count()
            == 0
        )
        targets = page.evaluate("[...document.querySelectorAll('a')].map(a => a.href)")
        assert {urlsplit(target).scheme for target in targets} <= {"https"}
    context.close()
    assert asked == []
