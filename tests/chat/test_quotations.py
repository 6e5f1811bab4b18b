"""Without a model the docs are quoted, and the sentences that answer stand out."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.chat.quotations import quotations
from dragoman.records import Chunk, Hit

MakeChunk = Callable[..., Chunk]
TRAIL = ("Pantry", "Jars")


def quoted(make_chunk: MakeChunk, question: str, *texts: str, length: Any = "short") -> list[str]:
    hits = [Hit(rank, 1 / rank, make_chunk(TRAIL, text)) for rank, text in enumerate(texts, 1)]
    return [block for block, _ in quotations(question, hits, length)]


def bold(block: str) -> list[str]:
    """What is bold in the quotation; the first is the heading trail."""
    return re.findall(r"\*\*(.+?)\*\*", block, re.DOTALL)[1:]


def test_the_sentence_that_shares_the_rarest_words_is_bold(make_chunk: MakeChunk) -> None:
    first, second = quoted(
        make_chunk,
        "How do I seal a jar?",
        "A jar holds food. To seal a jar, press its lid until it clicks. A jar is round.",
        "Jars are sold in pairs.",
    )
    assert bold(first) == ["To seal a jar, press its lid until it clicks."]
    assert bold(second) == []


def test_code_tables_headings_and_list_markers_stay_as_they_are(make_chunk: MakeChunk) -> None:
    text = (
        "## How to seal a jar\n\n| seal a jar | jar |\n| --- | --- |\n\n```sh\n# Seal a jar. Now.\nseal jar\n```\n\n"
        "1. Seal the jar with `jar.seal('a. B')` and [wax](https://pantry.example/wax). Then wait.\n- Eat."
    )
    (block,) = quoted(make_chunk, "How to seal a jar?", text)
    assert "> 1. **Seal the jar with `jar.seal('a. B')` and [wax](https://pantry.example/wax).** Then wait." in block
    assert "> # Seal a jar. Now.\n> seal jar" in block
    assert "> | seal a jar | jar |" in block


def test_a_sentence_over_two_lines_is_bold_as_a_whole_and_once(make_chunk: MakeChunk) -> None:
    (block,) = quoted(make_chunk, "seal jar wax", "To **seal** a jar\nuse wax. It is hot.")
    assert "> **To seal a jar\n> use wax.** It is hot." in block


def test_a_question_that_shares_no_word_leaves_the_quotation_plain(make_chunk: MakeChunk) -> None:
    (block,) = quoted(make_chunk, "zeppelin?", "A jar holds food. It is round.")
    assert bold(block) == []
    assert "> A jar holds food. It is round." in block


def test_a_long_passage_is_cut_around_the_sentence_that_answers(make_chunk: MakeChunk) -> None:
    text = "\n\n".join(["Jars are round and many."] * 100 + ["Seal them with wax.", "The end."])
    (block,) = quoted(make_chunk, "How do I seal them with wax?", text)
    assert "> …\n>\n> **Seal them with wax.**" in block
    assert len(block) < 1500


def test_a_longer_answer_quotes_the_rest_of_the_section_and_no_other(make_chunk: MakeChunk) -> None:
    chunk = make_chunk(TRAIL, "Second part.")
    before, after = (
        replace(chunk, id="a", text="First part.", start=-9),
        replace(chunk, id="c", text="Third part.", start=99),
    )
    other = replace(make_chunk(("Pantry", "Shelves"), "Another section."), start=200)
    hit = Hit(1, 1.0, chunk, context=(before, after, other))
    (short,), (long,) = (quotations("part?", [hit], length) for length in ("short", "long"))
    assert "Second" in short[0]
    assert "First" not in short[0]
    assert [long[0].index(word) for word in ("First", "Second", "Third")] == sorted(
        long[0].index(word) for word in ("First", "Second", "Third")
    )
    assert "Another" not in long[0]
    assert long[1].hit == hit


@pytest.mark.parametrize(("length", "passages"), [("short", 3), ("medium", 3), ("long", 5)])
def test_the_length_says_how_many_are_quoted(make_chunk: MakeChunk, length: str, passages: int) -> None:
    assert len(quoted(make_chunk, "jar", *[f"Jar {n}." for n in range(9)], length=length)) == passages


@given(
    st.lists(
        st.sampled_from(
            ["seal ", "a jar", ". ", "\n", "\n\n", "`x. Y`", "**", "- ", "```\n", "[w](u)", "| ", "# ", "Jar", "`"]
        ),
        max_size=30,
    )
)
def test_nothing_but_bold_is_added(make_chunk: MakeChunk, parts: list[str]) -> None:
    text = "".join(parts)
    plain, marked = (quoted(make_chunk, question, text)[0] for question in ("zeppelin", "seal a jar"))
    assert marked.replace("**", "") == plain.replace("**", "")
    assert marked.count("**") % 2 == plain.count("**") % 2
