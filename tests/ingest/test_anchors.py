"""The ids here are those that the generators gave in test_generators.py; GitHub's are those of its own pages."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.anchors import Anchors

STYLES = ("mkdocs", "docusaurus", "vitepress", "sphinx", "github")


def anchors(style: str, *headings: str) -> list[str]:
    page = Anchors(style)
    return [page.of(heading, heading) for heading in headings]


@pytest.mark.parametrize(
    ("source", "mkdocs", "docusaurus", "vitepress", "sphinx"),
    [
        ("Set up the kettle", *["set-up-the-kettle"] * 4),
        ("Call `kettle.boil()` now", *["call-kettleboil-now"] * 2, *["call-kettle-boil-now"] * 2),
        ("Read [the *long* guide](https://left.test/a_b)", *["read-the-long-guide"] * 4),
        ("Read [the guide][long]", *["read-the-guide"] * 4),
        ("Déjà vu", "deja-vu", "déjà-vu", "deja-vu", "deja-vu"),
        ("Straße", "strae", "straße", "straße", "strasze"),
        ("Łódź ærø", "odz-r", "łódź-ærø", "łodz-ærø", "lodz-aero"),
        ("お茶を淹れる", "_1", "お茶を淹れる", "お茶を淹れる", "id1"),
        ("Steam 🚀 up", "steam-up", "steam--up", "steam-🚀-up", "steam-up"),
        ("2024 was good", "2024-was-good", "2024-was-good", "_2024-was-good", "was-good"),
        ("???", "_1", "", "", "id1"),
        ('C++ & "quotes" \\<T\\>', "c-quotes-t", "c--quotes-t", "c-quotes-t", "c-quotes-t"),
        ("A &amp; B", "a-b", "a--b", "a-amp-b", "a-b"),
        ("snake_case and __init__", "snake_case-and-init", "snake_case-and-init", "snake-case-and-init", "snake-case-and-init"),
        ("Press <kbd>Ctrl</kbd>+<kbd>C</kbd>", "press-ctrlc", "press-ctrlc", "press-ctrl-c", "press-ctrl-c"),
        ("![logo](a.png) first", "first", "logo-first", "first", "first"),
        ("Two  gaps -- and dashes", "two-gaps-and-dashes", "two--gaps----and-dashes", "two-gaps-and-dashes", "two-gaps-and-dashes"),
    ],
)  # fmt: skip
def test_a_heading_has_the_anchor_of_its_generator(
    source: str, mkdocs: str, docusaurus: str, vitepress: str, sphinx: str
) -> None:
    made = {style: anchors(style, source)[0] for style in STYLES if style != "github"}
    assert made == {"mkdocs": mkdocs, "docusaurus": docusaurus, "vitepress": vitepress, "sphinx": sphinx}


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("mkdocs", ["tea", "tea_1", "tea_2", "tea-1", "tea_3", "tea_4"]),
        ("docusaurus", ["tea", "tea-1", "tea_1", "tea-1-1", "tea_1-1", "tea-2"]),
        ("github", ["tea", "tea-1", "tea_1", "tea-1-1", "tea_1-1", "tea-2"]),
        ("vitepress", ["tea", "tea-1", "tea-1-1", "tea-1-2", "tea-1-3", "tea-2"]),
        ("sphinx", ["tea", "id1", "tea-1", "id2", "id3", "id4"]),
    ],
)
def test_a_heading_that_comes_again_has_an_anchor_of_its_own(style: str, expected: list[str]) -> None:
    assert anchors(style, "Tea", "TEA", "tea_1", "tea-1", "tea_1", "tea") == expected


@pytest.mark.parametrize(
    ("style", "source", "expected"),
    [
        ("mkdocs", "Tea {#my_Own}", "my_Own"),
        ("mkdocs", "Tea {: .wide #own data-x=1 }", "own"),
        ("mkdocs", "Tea `code` {#own}", "own"),
        ("mkdocs", "Tea {: .wide }", "tea"),
        ("mkdocs", "Tea{#own}", "teaown"),
        ("mkdocs", "Tea {{ cups }}", "tea-cups"),
        ("mkdocs", "[Tea](a.md){ target=_blank } time", "tea-time"),
        ("docusaurus", "Tea {#my_Own}", "my_Own"),
        ("docusaurus", "Tea {/* #own */}", "own"),
        ("docusaurus", "Tea {/* #own and more */}", "own"),
        ("docusaurus", "Tea <!-- #own -->", "own"),
        ("docusaurus", "Tea {/* note */}", "tea--note-"),
        ("vitepress", "Tea{#own .wide}", "own"),
        ("vitepress", "Tea {.wide}", "tea"),
        ("vitepress", "Tea {{ 1 + 1 }}", "tea-1-1"),
        ("sphinx", "Tea {#own}", "tea-own"),
        ("github", "Tea {#own}", "tea-own"),
    ],
)
def test_an_explicit_id_counts_where_the_generator_reads_it(style: str, source: str, expected: str) -> None:
    assert anchors(style, source) == [expected]


@pytest.mark.parametrize("style", STYLES)
def test_an_id_of_our_converters_counts_in_every_style(style: str) -> None:
    assert anchors(style, "Tea {: #my-own}", "pour {: #kettle.Pot.pour}") == ["my-own", "kettle.Pot.pour"]


def test_a_labelled_section_of_sphinx_has_the_id_of_its_words_too_and_an_object_has_not() -> None:
    assert anchors("sphinx", "Tea {: #own}", "Tea") == ["own", "id1"]
    assert anchors("sphinx", "tea {: #kettle.tea}", "Tea") == ["kettle.tea", "tea"]
    assert anchors("sphinx", "`tea()` {: #tea}", "Tea()") == ["tea", "id1"]


@pytest.mark.parametrize("style", STYLES)
def test_a_section_that_goes_on_has_its_first_anchor_and_takes_no_other(style: str) -> None:
    page = anchors(style, "Tea", "Pot {: #x.Pot}", "Tea {: .continued}", "Tea")
    assert page[0] == page[2] == "tea"
    assert page[3] == anchors(style, "Tea", "Tea")[1]
    assert anchors(style, "Tea {: #own}", "Tea {: .continued}", "Gone {: .continued}") == ["own", "own", ""]


def test_an_explicit_id_of_docusaurus_does_not_keep_others_from_having_it() -> None:
    assert anchors("docusaurus", "A {#tea}", "Tea") == ["tea", "tea"]
    assert anchors("mkdocs", "A {#tea}", "Tea") == ["tea", "tea_1"]


def test_the_title_of_a_docusaurus_page_has_no_anchor_and_uses_one_up() -> None:
    page = Anchors("docusaurus")
    assert [page.of("Tea", "Tea", level) for level in (1, 2)] == ["", "tea-1"]
    page = Anchors("mkdocs")
    assert [page.of("Tea", "Tea", level) for level in (1, 2)] == ["tea", "tea_1"]


@pytest.mark.parametrize(
    ("style", "source", "expected"),
    [
        ("mkdocs", "Map<string, int> bare", "map-bare"),
        ("mkdocs", "`Map<string, int>` in code", "mapstring-int-in-code"),
        ("mkdocs", ":material-home: Icon", "icon"),
        ("docusaurus", "Import node:fs now", "import-node-now"),
        ("docusaurus", "a:b:c and key: value at 10:30", "ab-and-key-value-at-1030"),
        ("docusaurus", "x :rocket: y std::vector", "x-rocket-y-stdvector"),
        ("vitepress", ":rocket: Start", "start"),
        ("sphinx", "{func}`kettle.boil` and {ref}`words <label>`", "kettle-boil-and-words"),
        ("docusaurus", "Over\ntwo lines", "overtwo-lines"),
        ("sphinx", "Over\ntwo lines", "over-two-lines"),
        ("github", ":rocket: Start ✨", "rocket-start-"),
        ("github", "Ⅷ half½ ① x²", "ⅷ-half--x"),
    ],
)
def test_what_only_one_generator_reads(style: str, source: str, expected: str) -> None:
    assert anchors(style, source) == [expected]


@pytest.mark.parametrize("style", ["", "lines"])
def test_other_styles_have_no_anchors(style: str) -> None:
    assert anchors(style, "Tea", "Tea {#own}") == ["", ""]


@given(
    st.sampled_from([style for style in STYLES if style != "docusaurus"]),
    st.lists(st.text("ab_-1 `*[]()<>{}#:\\&;!é茶\n\t🚀", max_size=30), max_size=8),
)
def test_any_heading_has_an_anchor_without_spaces_or_none(style: str, headings: list[str]) -> None:
    made = anchors(style, *headings)
    assert len(made) == len(headings)
    assert not any(set(anchor) & set(" \n\t") for anchor in made)
    assert made == anchors(style, *headings)


@given(st.lists(st.sampled_from(["x", "x_1", "x_2", "x-1", "x-2", "", "id1", "x_1_1"]), max_size=30))
def test_no_two_headings_of_a_page_share_an_anchor(headings: list[str]) -> None:
    for style in ("mkdocs", "sphinx", "vitepress", "github"):
        made = anchors(style, *headings)
        assert len(set(made)) == len(made), style


@pytest.mark.parametrize("style", STYLES)
def test_a_hostile_page_costs_no_more_than_a_moment(style: str) -> None:
    started = time.process_time()
    for part in ("![", "[", "{", "<a ", "`", ":a", "&a;", "*a_", " {", "[a]("):
        anchors(style, *[part * 600] * 3)
    anchors(style, *[f"x_{number}" for number in range(3000)] * 2, *["x"] * 3000)
    assert time.process_time() - started < 8
