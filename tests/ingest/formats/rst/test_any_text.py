"""Any text is a page whose lines exist, and no page takes longer than it is long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.formats.rst.beside import PAGE, Beside, page, written

_PARTS = st.sampled_from(
    [
        "- ",
        "1. ",
        "   ",
        "\n",
        "\n\n",
        "::",
        ".. ",
        ".. note:: ",
        ".. _a: b",
        ".. |x| replace:: ",
        "|x|",
        "`",
        "``",
        ":a:`",
        "`_",
        "a",
        "=====",
        "---",
        "+--+",
        "|",
        "=== ===",
        ".. list-table::\n\n",
        ".. csv-table::\n   :header: a\n\n",
        ".. include:: x",
        ":x: ",
        ">>> ",
        "\\",
        "__ a",
        ".. function:: f()",
        '"',
        "-v  ",
    ]
)


@given(parts=st.lists(st.one_of(_PARTS, st.text(max_size=4)), max_size=60))
def test_any_text_is_a_page_whose_lines_exist(parts: list[str]) -> None:
    text = "".join(parts)
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in written(text, Beside({"x": "- y"})))


@given(start=st.integers(0, 700), length=st.integers(0, 40), inserted=st.one_of(_PARTS, st.text(max_size=5)))
def test_a_damaged_page_is_still_one(start: int, length: int, inserted: str) -> None:
    text = PAGE[:start] + inserted + PAGE[start + length :]
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in written(text))


@pytest.mark.parametrize(
    "unit", ["- a\n", "--a=b,", "`", "* ", ":a:", "a-", "[", ".. a::\n", "\n", "a\n-\n", "+-", "== ==\n"]
)
def test_reading_takes_time_in_proportion_to_the_page(unit: str) -> None:
    began = time.process_time()
    page(unit * (100_000 // len(unit)))
    assert time.process_time() - began < 4
