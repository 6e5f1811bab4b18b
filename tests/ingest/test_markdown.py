"""Sections and blocks of Markdown pages: hand-written ones, and made-up ones of every shape."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.markdown import Block, Section, parse


def headings(text: str) -> list[tuple[int, str]]:
    return [(section.level, section.heading) for section in parse(text) if section.heading]


@given(data=st.data())
def test_every_heading_is_found_and_nothing_else_is_taken_for_one(data: st.DataObject, pages: Any) -> None:
    page = data.draw(pages)
    found = [(section.first, section.level, section.heading) for section in parse(page.text) if section.level]
    assert found == page.headings


@given(data=st.data())
def test_sections_and_their_blocks_stand_in_order_and_do_not_overlap(
    data: st.DataObject, pages: Any, scribbles: Any
) -> None:
    text = data.draw(st.one_of(pages.map(lambda page: page.text), scribbles))
    reached = 0
    for section in parse(text):
        assert reached <= section.first <= section.body <= section.last <= text.count("\n") + 1
        reached = section.body
        for block in section.blocks:
            assert reached <= block.first < block.last
            assert all(block.first < cut < block.last for cut in block.cuts)
            assert list(block.cuts) == sorted(set(block.cuts))
            reached = block.last
        assert reached == section.last


def test_a_page_is_cut_at_its_headings() -> None:
    text = "Before.\n\n# Tea\n\nBoil.\nPour.\n\nGreen\n-----\n- cool\n- steep\n"
    assert parse(text) == [
        Section(0, "", 0, 0, 1, (Block("text", 0, 1),)),
        Section(1, "Tea", 2, 3, 6, (Block("text", 4, 6, (5,)),)),
        Section(2, "Green", 7, 9, 11, (Block("list", 9, 11, (10,)),)),
    ]


def test_a_table_is_cut_between_its_rows_only() -> None:
    (section,) = parse("| a |\n| - |\n| 1 |\n| 2 |\n| 3 |\n")
    assert section.blocks == (Block("table", 0, 5, (2, 3, 4)),)


@pytest.mark.parametrize(
    "text",
    [
        "```sh\n# boil\n```",
        "~~~~\n~~~\n# boil\n~~~~",
        "```\n```sh\n# boil",
        "```\n!!! note\n    ```\n# boil\n```",
        "<div>\n# boil\n</div>",
        "<!--\n\n# boil\n\n-->",
        "    # boil",
        "> # boil",
        "- # boil",
        "#boil",
        "\\# boil",
        "!!! note\n\n    ```sh\n    # boil\n    ```\n\n    More.",
        '=== "A"\n\n    === "B"\n\n        ```\n        # boil\n        ```',
    ],
)
def test_what_only_looks_like_a_heading_is_none(text: str) -> None:
    assert headings(f"# Tea\n\n{text}\n") == [(1, "Tea")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("# Tea `pot` *now*", "Tea pot now"),
        ("# [Tea](tea.md) ![cup](cup.png)", "Tea cup"),
        ("# Tea {#pot .hot}", "Tea"),
        ('# Tea <a id="x"></a>', "Tea"),
        ("# `<Tea>`", ""),
        ("#", ""),
        ("# a &amp; b", "a & b"),
        ("# `{brew}`", "{brew}"),
        ("Tea\n  and cups\n===", "Tea and cups"),
    ],
)
def test_a_heading_is_its_words(line: str, words: str) -> None:
    (section,) = parse(f"{line}\n\nText.\n")
    assert (section.level, section.heading) == (1, words)


@pytest.mark.parametrize("front", ["---\ntitle: Tea\n# no heading\n---\n", "---\n---\n", "---  \na: 1\n...\n"])
def test_front_matter_belongs_to_no_section(front: str) -> None:
    lines = front.count("\n")
    sections = parse(f"{front}# Tea\n\nBoil.\n\n---\n\nPour.\n")
    assert [(section.first, section.heading, section.last) for section in sections] == [(lines, "Tea", lines + 7)]


def test_a_page_of_nothing_but_front_matter_has_no_section() -> None:
    assert parse("---\ntitle: Tea\n---") == parse("---\ntitle: Tea\n---\n") == parse("") == parse("\n\n") == []


def test_a_rule_in_the_middle_of_a_page_starts_no_front_matter() -> None:
    assert headings("Tea\n\n---\n\n# Cups\n\n---\n") == [(1, "Cups")]


def test_the_label_of_an_admonition_is_a_block_of_its_own_and_its_content_is_read_as_markdown() -> None:
    text = '!!! note "Hot"\n\n    - a\n    - b\n\n    ```\n    # c\n    ```\n\nAfter.\n'
    (section,) = parse(text)
    assert [(block.kind, block.first, block.last) for block in section.blocks] == [
        ("label", 0, 1),
        ("list", 2, 4),
        ("fence", 5, 8),
        ("text", 9, 10),
    ]


def test_a_label_may_be_indented_a_little() -> None:
    (section,) = parse("   !!! note\n\n       - a\n       - b\n")
    assert [block.kind for block in section.blocks] == ["label", "list"]


def test_code_in_one_line_hides_no_admonition_below_it() -> None:
    (section,) = parse("``` brew --hot ```\n\n!!! note\n\n    - a\n    - b\n")
    assert [block.kind for block in section.blocks] == ["text", "label", "list"]


def test_an_opening_fence_inside_a_fence_does_not_close_it() -> None:
    (section,) = parse("```\n```js\n!!! note\n    # c\n```\n\nAfter.\n")
    assert [block.kind for block in section.blocks] == ["fence", "text"]
