"""Passages are cut and cleaned without breaking their Markdown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dragoman.chat.excerpt import outside_code, parted, quotable, shorten

PAGE = "First line.\n\n```js\nconst jar = 1\njar.open()\n```\n\nLast line, which is quite long."


def test_a_short_text_stays_as_it_is() -> None:
    assert shorten(PAGE, len(PAGE)) == PAGE


def test_a_cut_falls_between_lines() -> None:
    cut = shorten("one\ntwo\nthree\nfour", 9)
    assert cut == "one\ntwo\n\n…"


def test_a_code_block_that_is_cut_is_closed() -> None:
    assert shorten(PAGE, 35) == "First line.\n\n```js\nconst jar = 1\n```\n\n…"


def test_no_empty_code_block_is_left_at_the_cut() -> None:
    assert shorten(PAGE, 20) == "First line.\n\n…"


def test_a_single_long_line_is_cut_between_words() -> None:
    assert shorten("jars and lids and shelves", 12) == "jars and\n\n…"


@given(
    st.lists(st.sampled_from(["words", "```", "~~~~", "  ```py", "> quoted", "> ```", "", "a[0]"]), max_size=14),
    st.integers(5, 80),
)
def test_a_cut_text_leaves_no_code_block_open(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    cut = shorten(text, limit)
    if cut.endswith("\n\n…"):
        tokens = MarkdownIt().parse(cut + "\n\nafter")
        assert [token.content for token in tokens[-2:]] == ["after", ""], cut
        assert not any("…" in token.content for token in tokens if token.type == "fence"), cut


def test_a_quotation_leaves_the_page_behind() -> None:
    text = (
        "## Labels\n\nSee [jars](./jars.md#top), [the site](https://pantry.example/a) and ![a jar](jar.png).\n"
        "<a id='x'></a><!-- note -->\n### Colours\n\n`<b>` stays, [this too](`x`)\n\n```html\n<img src='a'>\n# no heading\n```"
    )
    quoted = quotable(text, heading="labels")
    assert not quoted.startswith("## Labels")
    assert "See jars, [the site](https://pantry.example/a) and a jar." in quoted
    assert "<a id" not in quoted
    assert "note" not in quoted
    assert "**Colours**" in quoted
    assert "`<b>` stays" in quoted
    assert "```html\n<img src='a'>\n# no heading\n```" in quoted


def test_a_heading_of_another_name_stays_in_the_quotation() -> None:
    assert quotable("# Jars\n\nText.", heading="Labels") == "**Jars**\n\nText."


@given(st.text(alphabet="a`~\n[]()>< ", max_size=60))
def test_prose_and_code_together_are_the_text(text: str) -> None:
    assert outside_code(text, lambda part: part) == text


def test_code_is_not_changed() -> None:
    changed = outside_code("one `two` three\n\n```\nfour\n```\nfive\n\n````\nsix ```", str.upper)
    assert re.findall(r"[a-z]+", changed) == ["two", "four", "six"]


@given(st.text(alphabet="a`~\n >", max_size=60))
def test_prose_and_code_take_turns(text: str) -> None:
    parts = list(parted(text))
    assert "".join(part for part, _ in parts) == text
    assert [is_code for _, is_code in parts] == [bool(place % 2) for place in range(len(parts))]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            '!!! note "Mind the gap"\n\n    It is narrow.\n\n    - and deep\n\nGo on.',
            "**Mind the gap**\n\nIt is narrow.\n\n- and deep\n\nGo on.",
        ),
        ("??? tip\n    Be quick.", "**Tip**\n\nBe quick."),
        ('=== "pip"\n\n    ```sh\n    pip install pantry\n    ```', "**pip**\n\n```sh\npip install pantry\n```"),
        ('!!! warning\n    === "new"\n        Inner.\n\nOuter.', "**Warning**\n\n**new**\n\nInner.\n\nOuter."),
        (":::note Read this\nOnce.\n:::\nThen go.", "**Read this**\n\nOnce.\nThen go."),
        (":::{danger}\nHot.\n:::", "**Danger**\n\nHot."),
        ('```text\n!!! note "code"\n    stays\n```', '```text\n!!! note "code"\n    stays\n```'),
        ("Heading\n===\n\n=== a rule ===", "Heading\n===\n\n=== a rule ==="),
    ],
)
def test_boxes_and_tabs_are_titles_with_their_text_below(written: str, read: str) -> None:
    shown = re.sub(r"\n{3,}", "\n\n", quotable(written))
    assert shown == read


@pytest.mark.parametrize("text", [" " * 40, "\t" * 40 + "word"])
def test_blanks_alone_are_cut_to_nothing(text: str) -> None:
    assert len(shorten(text, 10).strip()) <= 10
