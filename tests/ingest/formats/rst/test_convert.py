"""reStructuredText: each construct, and the line of every line."""

import pytest
from tests.ingest.formats.rst.beside import PAGE, Beside, page, written

from dragoman.ingest.formats.page import Page


def test_every_line_points_at_its_own_line() -> None:
    assert written(PAGE) == [
        (4, "# Tea {: #making-tea}"),
        (7, "Boil the *water* in a"),
        (8, "`Pot`, see [the"),
        (9, "guide](https://x.example/a) and [pots](https://pots.example/):"),
        (11, "```"),
        (11, "kettle.boil()"),
        (12, "# ``x``"),
        (12, "```"),
        (14, "## Steps"),
        (17, "1. Lift the lid."),
        (19, "   ```sh"),
        (22, "   ls"),
        (22, "   ```"),
        (24, "2. Pour."),
        (26, "> [!WARNING]"),
        (26, "> It is"),
        (27, "> hot."),
        (27, ">"),
        (29, "> - a"),
        (30, "> - b"),
        (33, "| A | B |"),
        (33, "| --- | --- |"),
        (35, "| 1 | 2\\|3 |"),
        (39, "| X | Y |"),
        (39, "| --- | --- |"),
        (41, "| 1 | one more |"),
        (43, "| 2 | two |"),
        (46, "- **Pot**"),
        (47, "  What holds"),
        (48, "  tea."),
        (52, "```pycon"),
        (52, ">>> kettle.pour()"),
        (53, "'tea'"),
        (53, "```"),
    ]


@pytest.mark.parametrize(
    ("rst", "markdown"),
    [
        (":func:`~a.b.c`", "`c`"),
        (":py:meth:`a.b`", "`a.b`"),
        (":ref:`the text <x>`", "the text"),
        (":doc:`/guide/pots`", "pots"),
        (":doc:`Pots </guide/pots>`", "Pots"),
        (":doc:`/guide/index`, :doc:`x:hot_water`", "guide, hot water"),
        (
            "See :ref:`big-pots` and :ref:`x`.\n\n.. _x:\n\nThe *pots*\n----------",
            "See big pots and The *pots*.\n\n# The *pots* {: #x}",
        ),
        (":tocdepth: 2\n:orphan:\n\nTea\n===", "# Tea"),
        (":author: me\n\nTea\n===", "# Tea"),
        (".. module:: tea\n\n.. autofunction:: boil\n\n   Heats.", "# `boil` {: #tea.boil}\n\nHeats."),
        (".. click:run::\n   boil()\n\n   pour()", "```python\nboil()\n\npour()\n```"),
        (":unknown:`words`", "`words`"),
        (":pep:`8`", "PEP 8"),
        ("``a *b*``", "`a *b*`"),
        ("a\\ b <T>", "ab \\<T>"),
        (".. |x| replace:: tea\n\nA |x|.", "A tea."),
        (".. a comment\n   of two lines", ""),
        (
            ".. list-table::\n   :header-rows: 1\n\n   * - A\n     - B\n   * - 1\n     - 2",
            "| A | B |\n| --- | --- |\n| 1 | 2 |",
        ),
        ('.. csv-table::\n   :header: A, B\n\n   1, "2, 3"', "| A | B |\n| --- | --- |\n| 1 | 2, 3 |"),
        (".. versionadded:: 2.1\n   The lid.", "> [!NOTE]\n> **Added in version 2.1**\n>\n> The lid."),
        (".. admonition:: Mind\n\n   Hot.", "> [!NOTE]\n> **Mind**\n>\n> Hot."),
        (".. figure:: a.png\n   :alt: steam\n\n   Caption.", "![steam](a.png)\n\nCaption."),
        (".. math::\n\n   a = b", "```math\na = b\n```"),
        (".. highlight:: c\n\nSo::\n\n  x", "So:\n\n```c\nx\n```"),
        (".. tab-set::\n\n   .. tab-item:: One\n\n      text", "**One**\n\ntext"),
        (".. only:: html\n\n   kept", "kept"),
        (".. strange:: thing\n\n   kept", "kept"),
        (":param int size: how large\n:returns: tea", "- `size` (int): how large\n- Returns: tea"),
        ("-v, --verbose  say more", "- `-v, --verbose`: say more"),
        (".. module:: kettle\n\n.. function:: boil(x)\n\n   Heats.", "# `boil(x)` {: #kettle.boil}\n\nHeats."),
        (
            ".. py:class:: Pot\n\n   .. method:: pour()\n\n      Out.",
            "# `class Pot` {: #Pot}\n\n## `pour()` {: #Pot.pour}\n\nOut.",
        ),
        ("| one\n| two", "one\ntwo"),
        ("::\n\n  ```", "````\n```\n````"),
        ("[1]_\n\n.. [1] Foot.", "[1]\n\n[1] Foot."),
    ],
)
def test_a_construct_becomes_its_markdown(rst: str, markdown: str) -> None:
    assert page(rst).text.strip() == markdown


def test_what_is_included_keeps_its_own_file_and_lines() -> None:
    beside = Beside(
        {
            "part.txt": "Skip.\n.. start\n\nPart\n----\n\nWords.\n",
            "pot.py": "a = 1\n\ndef pour():\n    return 1\n\nb = 2\n",
        }
    )
    text = "Tea\n===\n\n.. include:: part.txt\n   :start-after: .. start\n\n.. literalinclude:: pot.py\n   :pyobject: pour\n"
    found = page(text, beside)
    assert found.lines is not None
    assert found.files is not None
    rows = [row for row in zip(found.files, found.lines, found.text.split("\n"), strict=True) if row[2]]
    assert rows == [
        ("", 1, "# Tea"),
        ("part.txt", 4, "## Part"),
        ("part.txt", 7, "Words."),
        ("", 7, "```python"),
        ("pot.py", 3, "def pour():"),
        ("pot.py", 4, "    return 1"),
        ("pot.py", 4, "```"),
    ]


def test_documented_code_is_asked_for_with_the_module_it_is_in() -> None:
    described = Page("## Pot\n\nHolds tea.", (5, 5, 6), ("../pot.py",) * 3)
    found = page(
        ".. currentmodule:: kettle\n\n.. autoclass:: Pot\n.. autofunction:: gone\n",
        Beside(objects={"kettle.Pot": described}),
    )
    assert found.text == "## Pot\n\nHolds tea.\n"
    assert found.files is not None
    assert set(found.files) == {"../pot.py"}
    assert [(left.line, left.reason) for left in found.left_out] == [(4, "no source for directive")]


def test_text_after_an_object_is_under_the_heading_of_the_page_once_more() -> None:
    text = """\
Tea
===

.. autoclass:: Pot

   More of it.

.. function:: boil()

   Heats.

Words of the page.

And more.

.. class:: Cup

   .. method:: fill()

      Fills.

   Of the cup.

Next
----
"""
    described = Page("## Pot\n\n### pour\n\nPours.", (5, 5, 6, 6, 7), ("../pot.py",) * 5)
    assert written(text, Beside(objects={"Pot": described})) == [
        (1, "# Tea"),
        (5, "## Pot"),
        (6, "### pour"),
        (7, "Pours."),
        (5, "## Pot {: .continued}"),
        (6, "More of it."),
        (8, "## `boil()` {: #boil}"),
        (10, "Heats."),
        (1, "# Tea {: .continued}"),
        (12, "Words of the page."),
        (14, "And more."),
        (16, "## `class Cup` {: #Cup}"),
        (18, "### `fill()` {: #Cup.fill}"),
        (20, "Fills."),
        (16, "## `class Cup` {: .continued}"),
        (22, "Of the cup."),
        (24, "## Next"),
    ]


def test_a_link_to_a_page_shows_the_title_that_the_page_has() -> None:
    beside = Beside(
        {"deploying/index.rst": ".. _a:\n\n=======\nGo live\n=======\n", "pots.rst": "Pots & *lids*\n-------------\n"}
    )
    assert (
        page("See :doc:`deploying/index`, :doc:`pots`, :doc:`gone`.", beside).text
        == "See Go live, Pots & lids, gone.\n"
    )


def test_what_is_missing_or_goes_in_a_circle_is_listed() -> None:
    found = page(
        ".. include:: gone\n.. include:: loop\n.. toctree::\n\n   a\n", Beside({"loop": ".. include:: loop\n"})
    )
    assert [left.reason for left in found.left_out] == ["include not found", "include in a circle", "toctree"]


def test_includes_that_multiply_come_to_an_end() -> None:
    files = {f"f{n}": f".. include:: f{n + 1}\n" * 40 + "x" * 1000 for n in range(8)}
    found = page(".. include:: f0\n", Beside(files | {"f8": "y" * 100_000}))
    assert "includes too large" in {left.reason for left in found.left_out}
    assert len(found.text) < 40_000_000
