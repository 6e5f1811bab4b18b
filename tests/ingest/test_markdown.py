"""Sections and blocks of Markdown pages: hand-written ones, and made-up ones of every shape."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.markdown import Block, Section, parse


def check_children(block: Block) -> None:
    reached = block.first
    for child in block.children:
        assert reached <= child.first < child.last <= block.last
        check_children(child)
        reached = child.last


def kinds(blocks: Sequence[Block]) -> list[Any]:
    """Blocks as nested lists of kind and lines."""
    return [
        [block.kind, block.first, block.last, *([kinds(block.children)] if block.children else [])] for block in blocks
    ]


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
            check_children(block)
            reached = block.last
        assert reached == section.last


@given(data=st.data())
def test_every_line_that_holds_something_is_in_a_section(data: st.DataObject, pages: Any, scribbles: Any) -> None:
    text = data.draw(st.one_of(pages.map(lambda page: page.text), scribbles))
    sections = parse(text)
    lines = text.split("\n")
    covered = {line for section in sections for line in range(section.first, section.last)}
    inside = {line for section in sections for block in section.blocks for line in range(block.first, block.last)}
    heads = {line for section in sections for line in range(section.first, section.body)}
    front = sections[0].first if sections else len(lines)
    filled = {line for line in range(front, len(lines)) if lines[line].strip()}
    assert filled <= covered
    assert filled <= inside | heads


def test_a_page_is_cut_at_its_headings() -> None:
    text = "Before.\n\n# Tea\n\nBoil.\nPour.\n\nGreen *leaf*\n-----\n- cool\n- steep\n"
    items = (Block("item", 9, 10, (Block("text", 9, 10),)), Block("item", 10, 11, (Block("text", 10, 11),)))
    assert parse(text) == [
        Section(0, "", "", 0, 0, 1, (Block("text", 0, 1),)),
        Section(1, "Tea", "Tea", 2, 3, 6, (Block("text", 4, 6),)),
        Section(2, "Green leaf", "Green *leaf*", 7, 9, 11, (Block("list", 9, 11, items),)),
    ]


def test_a_fence_inside_a_list_item_is_a_block_of_the_item() -> None:
    (section,) = parse("- Fill:\n\n  ```sh\n  kettle fill\n  ```\n\n- Boil.\n")
    assert kinds(section.blocks) == [
        ["list", 0, 7, [["item", 0, 5, [["text", 0, 1], ["fence", 2, 5]]], ["item", 6, 7, [["text", 6, 7]]]]]
    ]


def test_link_definitions_at_the_end_of_a_section_are_told_apart_and_those_in_the_middle_stay() -> None:
    (section,) = parse("Tea.\n\n[pot]: pot.md\n\nCups.\n\n[cup]: cup.md\n[mug]: <mug.md>\n")
    assert kinds(section.blocks) == [["text", 0, 3], ["text", 4, 5], ["links", 6, 8]]
    (alone,) = parse("# Tea\n\n[pot]: pot.md\n")
    assert kinds(alone.blocks) == [["links", 2, 3]]


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
        ":::note\n```sh\n# boil\n```\n:::",
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


def test_a_page_that_begins_with_a_rule_loses_nothing() -> None:
    sections = parse("---\n\n# Tea\n\nBoil.\n\n---\n\nPour.\n")
    assert [(section.first, section.heading, section.last) for section in sections] == [(0, "", 1), (2, "Tea", 9)]


def test_an_empty_page_has_no_section() -> None:
    assert parse("") == parse("\n\n") == []


def test_a_rule_in_the_middle_of_a_page_is_a_rule() -> None:
    assert headings("Tea\n\n---\n\n# Cups\n\n---\n") == [(1, "Cups")]


@pytest.mark.parametrize(
    ("opening", "indent", "closing"),
    [
        ('!!! note "Hot"', "    ", ""),
        ("??? tip", "    ", ""),
        ('=== "Gas"', "    ", ""),
        (":::tip Hot", "", ":::"),
        ("::::{note} Hot", "", "::::"),
        ("```{warning} Hot", "", "```"),
        ("~~~{admonition} Hot", "", "~~~"),
    ],
)
def test_a_container_is_one_block_and_its_content_is_read_as_markdown(opening: str, indent: str, closing: str) -> None:
    inner = ["- a", "- b", "", "~~~~sh", "# c", "~~~~"]
    lines = ["Before.", "", opening, "", *(indent + line if line else "" for line in inner), *filter(None, [closing])]
    (section,) = parse("\n".join([*lines, "", "After.", ""]))
    end = len(lines)
    items = [["item", 4, 5, [["text", 4, 5]]], ["item", 5, 6, [["text", 5, 6]]]]
    assert kinds(section.blocks) == [
        ["text", 0, 1],
        ["container", 2, end, [["list", 4, 6, items], ["fence", 7, 10]]],
        ["text", end + 1, end + 2],
    ]


def test_containers_stand_inside_each_other() -> None:
    (section,) = parse('=== "A"\n\n    !!! note\n\n        Hot.\n\n    Cold.\n')
    inner = [["container", 2, 5, [["text", 4, 5]]], ["text", 6, 7]]
    assert kinds(section.blocks) == [["container", 0, 7, inner]]


def test_a_directive_of_code_is_a_fence() -> None:
    (section,) = parse("```{code-block} sh\n# boil\n```\n")
    assert kinds(section.blocks) == [["fence", 0, 3]]


def test_a_label_may_be_indented_a_little() -> None:
    (section,) = parse("   !!! note\n\n       - a\n       - b\n")
    assert [block.kind for block in section.blocks[0].children] == ["list"]


def test_a_fence_that_its_container_cuts_off_does_not_swallow_the_page() -> None:
    sections = parse("!!! note\n\n    ```sh\n    boil\n\n# Tea\n\nPour.\n")
    assert [section.heading for section in sections] == ["", "Tea"]


def test_code_in_one_line_hides_no_admonition_below_it() -> None:
    (section,) = parse("``` brew --hot ```\n\n!!! note\n\n    - a\n    - b\n")
    assert [block.kind for block in section.blocks] == ["text", "container"]


def test_an_opening_fence_inside_a_fence_does_not_close_it() -> None:
    (section,) = parse("```\n```js\n!!! note\n    # c\n```\n\nAfter.\n")
    assert [block.kind for block in section.blocks] == ["fence", "text"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("mark", [">", "- ", ":::a\n", "!!! a\n", "    a\n", "`", "[", "|", "```{note}\n", "1. "])
def test_a_megabyte_of_one_mark_is_read_in_a_moment(mark: str) -> None:
    assert parse(mark * (1_000_000 // len(mark)))
