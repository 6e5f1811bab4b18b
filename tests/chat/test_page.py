"""What a browser gets to see is safe, and can be read back."""

from typing import Any

import pytest

from dragoman.chat.page import answer_markdown, draft_markdown, turns_of
from dragoman.records import Answer, Chunk, Citation, Hit, Turn


@pytest.fixture
def written(chunks: list[Chunk]) -> Any:
    def make(text: str, **changes: Any) -> Answer:
        citations = tuple(Citation(number, Hit(number, 1.0, chunk)) for number, chunk in enumerate(chunks, 1))
        return Answer("How?", text, changes.pop("citations", citations), changes.pop("mode", "llm"), **changes)

    return make


def test_a_citation_links_to_its_section(written: Any) -> None:
    shown = answer_markdown(written("So it is [2]: yes.\n\n`rows[2]`"))
    assert "So it is [[2]](<https://pantry.example/docs#part-2>): yes." in shown
    assert "`rows[2]`" in shown


def test_a_citation_without_an_address_cannot_become_a_link_definition(written: Any) -> None:
    assert "\\[4\\]: as said" in answer_markdown(written("[4]: as said"))


@pytest.mark.parametrize(
    "text",
    ["![x](https://foreign.example/x.png)", "<img src='https://foreign.example/x.png'>", "[x](https://foreign.example)",
     "[x](javascript:alert(1))", "<script>alert(1)</script>", "<a href='https://foreign.example'>x</a>"],
)  # fmt: skip
def test_nothing_foreign_is_loaded_or_linked(written: Any, text: str) -> None:
    for shown in (answer_markdown(written(text)).partition("<div")[0], draft_markdown(text)):
        assert "<" not in shown
        assert "](" not in shown


def test_a_bare_foreign_address_is_shown_but_not_linked(written: Any) -> None:
    assert "see `https://foreign.example/a` there" in answer_markdown(written("see https://foreign.example/a there"))


def test_links_that_a_passage_holds_stay(written: Any, make_chunk: Any) -> None:
    chunk = make_chunk(("Pantry", "Links"), "See https://pantry.example/more for more.")
    shown = answer_markdown(written("At https://pantry.example/more.", citations=(Citation(1, Hit(1, 1.0, chunk)),)))
    assert shown.startswith("At https://pantry.example/more.")


def test_sources_are_numbered_with_trail_place_and_excerpt(written: Any) -> None:
    shown = answer_markdown(written("So [1].", note="Mind <the> gap."))
    assert "Mind &lt;the&gt; gap." in shown
    assert 'href="https://pantry.example/docs#part-1"' in shown
    assert "Pantry › Shelves › Adding a shelf" in shown
    assert "shelves-adding-a-shelf.md:10-20" in shown
    assert "<details>" in shown
    assert "<img" not in shown
    assert "\n\n" not in shown.partition("<div")[2]


def test_a_quotation_needs_no_excerpts(written: Any) -> None:
    assert "<details>" not in answer_markdown(written("So [1].", mode="extractive"))


def test_an_address_that_is_no_web_page_is_not_linked(written: Any, make_chunk: Any) -> None:
    chunk = make_chunk(("Pantry", "Sly"), "Text.", url='javascript:alert("1")')
    assert "javascript" not in answer_markdown(written("So [1].", citations=(Citation(1, Hit(1, 1.0, chunk)),)))


def test_a_shown_conversation_reads_back_as_its_turns(written: Any) -> None:
    text = "If a < b & c [1], use `x < y` [4]:\n\n```html\n<p>&amp;</p>\n```"
    shown = answer_markdown(written(text, note="A note."))
    messages = [
        ("user", "How?"),
        ("assistant", shown),
        ("user", "Stopped?"),
        ("user", "Why?"),
        ("assistant", "Because."),
    ]
    assert turns_of(messages) == [Turn("How?", text), Turn("Why?", "Because.")]
