"""What a browser gets to see is safe, and can be read back."""

from typing import Any

import pytest

from dragoman.chat.page import answer_markdown, draft_markdown, turns_of
from dragoman.records import Answer, Chunk, Citation, Finding, Hit, Support, Turn


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


def test_what_is_not_in_the_docs_is_marked_and_reads_back(written: Any) -> None:
    text = "Use `openBox` [1] or --lid:\n\n```js\nopenBox('<a>')\n```\n\nDone."
    findings = (Finding("identifier", "openBox"), Finding("flag", "--lid"), Finding("link", "x", removed=True))
    shown = answer_markdown(written(text, findings=findings))
    assert '<code class="unsure" title="not in the docs">openBox</code>' in shown
    assert '<span class="unsure" title="not in the docs">--lid</span>' in shown
    assert '```\n\n<p class="unsure">Not in the docs: <code>openBox</code></p>\n' in shown
    assert turns_of([("user", "How?"), ("assistant", shown)])[0].answer == text


def test_sentences_with_little_support_are_listed_under_the_sources(written: Any) -> None:
    support = (Support("Firm <b>.", 0.9, 1, (1,)), Support("Weak <b>.", 0.2, 1, (1,)))
    shown = answer_markdown(written("Firm. Weak.", support=support))
    assert "<li>Weak &lt;b&gt;.</li>" in shown
    assert "Firm &lt;b" not in shown
    assert "little support" not in answer_markdown(written("Firm.", support=support[:1]))


def test_a_refusal_links_to_where_to_ask_and_names_the_nearest(written: Any) -> None:
    shown = answer_markdown(written("No. You can ask here: https://forum.example/pantry", mode="refusal"))
    assert "ask here: https://forum.example/pantry" in shown
    assert "Nearest sections" in shown


def test_invisible_characters_are_not_shown(written: Any) -> None:
    shown = answer_markdown(written("ze\u200bro \u202edir\x1b[31m", note="a\u202eb\n\nc"))
    assert shown.startswith("zero dir\n")
    assert '<p class="note">ab c</p>' in shown
