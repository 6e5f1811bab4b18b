"""Notebooks: every line of the Markdown against the line of the JSON it was written on."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.formats.failure import PageError
from dragoman.ingest.formats.notebook import convert
from dragoman.ingest.formats.page import Page


class Alone:
    def include(self, name: str, beside: str) -> None:  # noqa: ARG002 - the contract of neighbours
        return None

    def describe(self, name: str, level: int) -> None:  # noqa: ARG002 - the contract of neighbours
        return None


def page(text: str) -> Page:
    return convert(text, "tea.ipynb", Alone())


def written(found: Page) -> list[tuple[int, str]]:
    texts = found.text.split("\n")
    lines = found.lines or tuple(range(1, len(texts) + 1))
    assert len(lines) == len(texts)
    return [(line, text) for line, text in zip(lines, texts, strict=True) if text]


NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Tea\n", "\n", "Boil \\u0041.\n", "```sh\n", "open"]},
        {"cell_type": "raw", "metadata": {}, "source": ["raw words"]},
        {"cell_type": "code", "metadata": {}, "outputs": [{"text": ["put out"]}], "source": ["pot = 1\n", "pot"]},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": "%%bash\nls {}"},
        {"cell_type": "code", "metadata": {"tags": ["remove-cell"]}, "outputs": [], "source": ["secret"]},
        {"cell_type": "markdown", "metadata": {}, "source": ["![cup](attachment:cup.png) shown"]},
    ],
    "metadata": {"title": "Tea time", "language_info": {"name": "Julia"}},
    "nbformat": 4,
}


@pytest.mark.parametrize("indent", [1, 2, None])
def test_every_line_of_a_notebook_points_at_the_line_of_its_string(indent: int | None) -> None:
    text = json.dumps(NOTEBOOK, indent=indent)
    source = text.split("\n")
    found = page(text)
    for line, words in written(found):
        if not words.startswith("```"):
            assert json.dumps(words.rpartition(" ")[2])[1:-1].removesuffix("}") in source[line - 1]
    assert [words for _, words in written(found)] == [
        "# Tea",
        "Boil \\u0041.",
        "```sh",
        "open",
        "```",
        "```julia",
        "pot = 1",
        "pot",
        "```",
        "```bash",
        "%%bash",
        "ls {}",
        "```",
        "cup shown",
    ]
    assert found.title == "Tea time"
    assert sorted(left.reason for left in found.left_out) == ["attachment", "hidden cell", "raw cell"]


def test_the_third_format_has_worksheets_and_headings() -> None:
    cells = [
        {"cell_type": "heading", "level": 3, "source": ["Tea"]},
        {"cell_type": "code", "language": "ruby", "input": ["boil"], "outputs": []},
    ]
    found = page(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    assert found.text == "### Tea\n\n```ruby\nboil\n```\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "{}", '{"cells": 1}', "[" * 100_000, '{"a": ' + "1" * 5000 + "}"])
def test_what_is_no_notebook_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(PageError) as refused:
        page(text)
    assert refused.value.reason == "no notebook"


def test_half_a_character_in_a_string_becomes_the_replacement_sign() -> None:
    found = page(r'{"cells": [{"cell_type": "markdown", "source": ["a\ud800b\u0000\r\nc"]}]}')
    assert found.text == "a\ufffdb\ufffd\nc\n"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["cells", "source", "cell_type", "metadata", "x"]), inner)
    ),
)


@given(
    cells=st.lists(_JSON)
    | st.lists(st.fixed_dictionaries({"cell_type": st.sampled_from(["code", "markdown", 1]), "source": _JSON}))
)
def test_any_json_is_a_page_whose_lines_exist(cells: list[Any]) -> None:
    text = json.dumps({"cells": cells, "metadata": {"title": cells}}, indent=1)
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in written(page(text)))


@given(text=st.text(), cut=st.integers(0, 900), make=st.sampled_from([str.upper, str.title, lambda text: text[::-1]]))
def test_a_damaged_notebook_raises_our_error_only(text: str, cut: int, make: Callable[[str], str]) -> None:
    whole = json.dumps(NOTEBOOK, indent=1)
    for damaged in (text, whole[:cut] + text + whole[cut:], whole[:cut] + make(whole[cut:])):
        try:
            page(damaged)
        except PageError as error:
            assert error.reason == "no notebook"  # noqa: PT017 - not every damage is one
