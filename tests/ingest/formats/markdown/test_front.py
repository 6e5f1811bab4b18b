"""The block at the top of a page, in the shapes that people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.formats.markdown.front import FrontMatter, emptied, front_matter


@pytest.mark.parametrize(
    ("block", "title", "slug"),
    [
        ("title: Kettles", "Kettles", ""),
        ('title: "A \\"hot\\" lid"  # said so', 'A "hot" lid', ""),
        ("title: 'It''s hot'\nslug: /hot", "It's hot", "/hot"),
        ("title: Boil # to the end\nid: boil", "Boil", "boil"),
        ("sidebar_label: Short\nid: not a word", "Short", ""),
        ("sidebar_label: Short\ntitle: Long", "Long", ""),
        ("title: >-\n  Two\n  lines\nslug: x", "Two lines", "x"),
        ("title: |\n  One\n", "One", ""),
        ("title:\n  Below its key", "Below its key", ""),
        ('title: "Goes\n  on"', "Goes on", ""),
        ("title: [a, b]\nslug: &ref", "", ""),
        ("title:\n  - a\n  - b", "", ""),
        ("title:\n  en: Kettle", "", ""),
        ("tags:\n  title: nested\n", "", ""),
        ("title: ~\nslug: null", "", ""),
        ("title: http://a.b#c", "http://a.b#c", ""),
        ("# why\ntitle: Kettles", "Kettles", ""),
        ('"title": Kettles', "Kettles", ""),
    ],
)
def test_yaml_says_title_and_slug(block: str, title: str, slug: str) -> None:
    found = front_matter(f"---\n{block}\n---\n# Text\n")
    assert (found.title, found.slug) == (title, slug)
    assert found.lines == block.count("\n") + 3


def test_toml_says_title_and_slug_above_its_tables() -> None:
    text = '+++\ntitle = "Kettles"\nslug = \'hot\'\n[extra]\ntitle = "Other"\n+++\ntext\n'
    assert front_matter(text) == FrontMatter("Kettles", "hot", 6)


@pytest.mark.parametrize(
    "text",
    [
        "# Title\n\n---\ntitle: x\n---\n",
        "---\n\n# After a rule\n\n---\n",
        "---\ntitle: never closed\n",
        "---\nA sentence between two rules.\n---\n",
        "----\ntitle: x\n----\n",
        "",
        "---",
    ],
)
def test_a_rule_is_no_front_matter(text: str) -> None:
    assert front_matter(text) == FrontMatter()


def test_an_empty_block_and_dots_end_a_block() -> None:
    assert front_matter("---\n---\ntext").lines == 2
    assert front_matter("---\ntitle: x\n...\ntext").lines == 3


@given(st.text(alphabet="-+.=:|>\"'#[]{}&\n ax", max_size=80))
def test_emptying_keeps_every_other_line_at_its_number(body: str) -> None:
    text = "---\ntitle: a\n" + body
    lines = front_matter(text).lines
    kept = emptied(text, lines).split("\n")
    assert len(kept) == len(text.split("\n"))
    assert kept[lines:] == text.split("\n")[lines:]
    assert not any(kept[:lines])
