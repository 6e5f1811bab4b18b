"""Includes of every dialect, from real files; each line says where it came from."""

from pathlib import Path

import pytest

from dragoman.ingest.formats.markdown.convert import convert
from dragoman.ingest.formats.page import LeftOut, Page
from dragoman.ingest.formats.tree import Tree

PART = "---\ntitle: dropped\n---\nfirst\nsecond\nthird\n"
CODE = """import kettle


class Kettle:
    def boil(self):
        # region heat
        return "```"
        # endregion heat

    def pour(self):
        # --8<-- [start:pour]
        return 0
        # --8<-- [end:pour]
"""
MARKED = "head\n<!-- start -->\none\ntwo\n<!-- end -->\ntail\n\n## Pouring tea\n\nslowly\n\n## Next\nno\n"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    files = {"part.md": PART, "code.py": CODE, "marked.md": MARKED, "guide/near.md": '--8<-- "part.md"\nnear\n'}
    files |= {"loop.md": 'loops\n--8<-- "loop.md"\n', "a.md": '--8<-- "b.md"\n', "b.md": '--8<-- "a.md"\nb\n'}
    files |= {"bomb.md": '--8<-- "fuse.md"\n' * 50, "fuse.md": "x" * 60_000 + "\n", "_part.mdx": "a partial\n"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def read(docs: Path, text: str, path: str = "page.md") -> Page:
    return convert(text, path, Tree(docs, docs, described))


def described(name: str, level: int) -> Page | None:
    if not name.startswith("kettle"):
        return None
    return Page(f"{'#' * level} {name}\n\nBoils.", (4, 5, 5), ("code.py",) * 3)


def rows(page: Page) -> list[tuple[str, int, str]]:
    """Text, line and file of each line that is not blank."""
    texts = page.text.split("\n")
    lines = page.lines or range(1, len(texts) + 1)
    files = page.files or [""] * len(texts)
    return [(text, line, file) for text, line, file in zip(texts, lines, files, strict=True) if text.strip()]


def part(*numbers: int) -> list[tuple[str, int, str]]:
    return [(PART.split("\n")[number - 1], number, "part.md") for number in numbers]


@pytest.mark.parametrize(
    ("call", "numbers"),
    [
        ('--8<-- "part.md"', (4, 5, 6)),
        ('-8<- "part.md"', (4, 5, 6)),
        ("--8<--\npart.md\n; other.md\n\n--8<--", (4, 5, 6)),
        ('--8<-- "part.md:5"', (5, 6)),
        ('--8<-- "part.md:5:5"', (5,)),
        ('--8<-- "part.md::4"', (4,)),
        ('--8<-- "part.md:4:4,6:6"', (4, 6)),
        ('--8<-- "part.md:-1"', (6,)),
        ('{% include-markdown "part.md" %}', (4, 5, 6)),
        ("{%\n  include-markdown 'part.md'\n  comments=false\n%}", (4, 5, 6)),
        ('{% include-markdown "./part.md" start="first\\n" end="third" %}', (5,)),
        ("<!--@include: ./part.md-->", (4, 5, 6)),
        ("<!-- @include: @/part.md{5,} -->", (5, 6)),
        ("<!--@include: ./part.md{4,5}-->", (4, 5)),
        ("{!> part.md !}", (4, 5, 6)),
        ("```{include} part.md\n```", (4, 5, 6)),
        (":::{include} part.md\n:start-after: first\n:end-before: third\n:::", (5,)),
        ("```{include} part.md\n:start-line: 4\n:end-line: 5\n```", (5,)),
    ],
)
def test_lines_of_another_file_take_the_place_of_the_call(docs: Path, call: str, numbers: tuple[int, ...]) -> None:
    page = read(docs, f"# Top\n\n{call}\n\nend")
    end = call.count("\n") + 5
    assert rows(page) == [("# Top", 1, ""), *part(*numbers), ("end", end, "")]
    assert page.left_out == ()


@pytest.mark.parametrize(
    ("call", "numbers"),
    [
        ("<<< @/code.py#heat", (7,)),
        ("<<< ./code.py{1,3 python}", range(1, 14)),
        ("```{literalinclude} code.py\n:lines: 1,4-5\n```", (1, 4, 5)),
        ("```{literalinclude} code.py\n:pyobject: Kettle.boil\n```", (5, 6, 7, 8)),
        ("```{literalinclude} code.py\n:start-at: import\n:end-before: class\n```", (1, 2, 3)),
        ("{* code.py ln[1:2,4] hl[1] *}", (1, 2, 4)),
    ],
)
def test_code_comes_in_a_fence_that_it_cannot_close(docs: Path, call: str, numbers: tuple[int, ...]) -> None:
    found = rows(read(docs, f"{call}\n# Heading\n"))
    marks = {number for number, line in enumerate(CODE.split("\n"), start=1) if "--8<--" in line}
    expected = [number for number in numbers if CODE.split("\n")[number - 1] and number not in marks]
    assert [line for _, line, file in found if file == "code.py"] == expected
    assert found[0][0].rstrip("python") == found[-2][0]
    assert len(found[0][0].rstrip("python")) == (4 if 7 in numbers else 3)
    assert found[-1][0] == "# Heading"


def test_a_snippet_in_a_fence_is_code_and_keeps_its_indentation(docs: Path) -> None:
    page = read(docs, '=== "Py"\n\n    ```py\n    --8<-- "code.py:pour"\n    ```\n')
    assert rows(page)[2] == ("            return 0", 12, "code.py")


def test_an_escaped_snippet_is_shown_as_the_call_it_explains(docs: Path) -> None:
    page = read(docs, '```\n;--8<-- "part.md"\n```\n')
    assert rows(page)[1] == ('--8<-- "part.md"', 2, "")


def test_sections_come_from_between_marks_and_below_headings(docs: Path) -> None:
    between = read(docs, '{% include-markdown "marked.md" start="<!-- start -->" end="<!-- end -->" %}')
    assert [row[1] for row in rows(between)] == [3, 4]
    below = read(docs, "<!--@include: ./marked.md#pouring-tea-->")
    assert [row[1] for row in rows(below)] == [8, 10]
    lower = read(docs, '{% include-markdown "marked.md" heading-offset=1 %}')
    assert ("### Pouring tea", 8, "marked.md") in rows(lower)


def test_includes_in_includes_are_beside_their_own_page(docs: Path) -> None:
    page = read(docs, '--8<-- "guide/near.md"\n')
    assert rows(page) == [*part(4, 5, 6), ("near", 2, "guide/near.md")]


def test_a_partial_of_docusaurus_is_an_include(docs: Path) -> None:
    page = read(docs, "import Part from './_part.mdx';\n\n<Part name=\"x\" />\n", "page.mdx")
    assert rows(page) == [("a partial", 1, "_part.mdx")]


def test_circles_bombs_and_missing_files_are_left_out_and_said(docs: Path) -> None:
    assert read(docs, '\n--8<-- "loop.md"\n').left_out == (LeftOut(2, "include in a circle", "loop.md"),)
    assert read(docs, '--8<-- "a.md"\n', "a.md").left_out == (LeftOut(1, "include in a circle", "a.md"),)
    assert read(docs, '--8<-- "b.md"\n').left_out == (LeftOut(1, "include in a circle", "b.md"),)
    bomb = read(docs, '--8<-- "bomb.md"\n')
    assert {left.reason for left in bomb.left_out} == {"too much included"}
    assert len(bomb.text) < 2_100_000
    missing = read(docs, 'a\n--8<-- "no.md"\nb\n')
    assert (missing.text, missing.lines) == ("a\n\nb\n", None)
    assert missing.left_out == (LeftOut(2, "include not found", "no.md"),)


def test_jinja_in_a_fence_is_an_example_unless_the_file_is_there(docs: Path) -> None:
    text = '```\n{% include "nav.html" %}\n```\n'
    assert read(docs, text) == Page(text)
    assert part(4)[0] not in rows(read(docs, text))
    assert part(4)[0] in rows(read(docs, text.replace("nav.html", "part.md")))


@pytest.mark.parametrize(
    ("call", "heading"),
    [
        ("::: kettle.Kettle", "### kettle.Kettle"),
        ("::: kettle.Kettle\n    options:\n      heading_level: 5\n      members: false", "##### kettle.Kettle"),
        ("[[autodoc]] kettle.Kettle\n    - boil", "### kettle.Kettle"),
        ("```{autoclass} kettle.Kettle\n:members:\n```", "### kettle.Kettle"),
        ("```{eval-rst}\n.. autoclass:: kettle.Kettle\n   :members:\n```", "### kettle.Kettle"),
    ],
)
def test_docstrings_take_the_place_of_a_directive_and_the_section_goes_on(docs: Path, call: str, heading: str) -> None:
    found = rows(read(docs, f"## API\n\n{call}\n\nend\n\nmore"))
    end = call.count("\n") + 5
    described = [(heading, 4, "code.py"), ("Boils.", 5, "code.py")]
    after = [("## API {: .continued}", 1, ""), ("end", end, ""), ("more", end + 2, "")]
    assert found == [("## API", 1, ""), *described, *after]


def test_a_directive_in_a_heading_makes_the_section_that_goes_on(docs: Path) -> None:
    found = rows(read(docs, "## API\n\n#### ::: kettle\n\nend"))
    assert found[1:] == [
        ("#### kettle", 4, "code.py"),
        ("Boils.", 5, "code.py"),
        ("#### kettle {: .continued}", 4, "code.py"),
        ("end", 5, ""),
    ]


@pytest.mark.parametrize("below", ["## Next\n\nend", "Next\n----\n\nend", "<!-- x -->\n\n## Next", "::: kettle", ":::"])
def test_no_section_goes_on_where_no_text_follows_the_object(docs: Path, below: str) -> None:
    assert ".continued" not in read(docs, f"## API\n\n::: kettle.Kettle\n\n{below}\n").text


def test_objects_side_by_side_have_headings_of_one_level(docs: Path) -> None:
    text = read(docs, "## API\n\n::: kettle\n\n::: kettle.Kettle\n").text
    assert [line for line in text.split("\n") if line.startswith("#")] == ["## API", "### kettle", "### kettle.Kettle"]


@pytest.mark.parametrize(
    "text",
    [
        "```{currentmodule} kettle\n```\n\n```{autoclass} Kettle\n```",
        "```{module} kettle\n```\n\n```{eval-rst}\n.. autoclass:: Kettle\n```",
        "```{eval-rst}\n.. currentmodule:: kettle\n```\n\n```{eval-rst}\n.. autoclass:: Kettle\n```",
        "```{eval-rst}\n.. py:currentmodule:: kettle\n```\n\n```{py:autoclass} Kettle\n```".replace(
            "{py:auto", "{auto"
        ),
    ],
)
def test_names_are_looked_up_in_the_module_of_the_page(docs: Path, text: str) -> None:
    page = read(docs, text)
    assert ("# kettle.Kettle", 4, "code.py") in rows(page)
    assert page.left_out == ()


def test_a_fence_of_restructuredtext_is_read_as_such_with_its_own_lines(docs: Path) -> None:
    text = "# Tea\n\n```{eval-rst}\n.. click:example::\n    # boil\n    pour()\n\n.. note:: It is *hot*.\n```\n\nend"
    assert rows(read(docs, text)) == [
        ("# Tea", 1, ""),
        ("```python", 4, ""),
        ("# boil", 5, ""),
        ("pour()", 6, ""),
        ("```", 6, ""),
        ("> [!NOTE]", 8, ""),
        ("> It is *hot*.", 8, ""),
        ("end", 11, ""),
    ]


def test_a_directive_without_source_is_left_out_and_said(docs: Path) -> None:
    page = read(docs, "::: other.Thing\n    options: {}\n\nend")
    assert page == Page("\n\n\nend", left_out=(LeftOut(1, "no source for directive", "other.Thing"),))


@pytest.mark.parametrize(
    "text",
    [
        "::: tip\nboil\n:::\n",
        ":::note\nboil\n:::\n",
        "::: details Click\nboil\n:::\n",
        ":::{note}\nboil\n:::\n",
        "```{note}\nboil\n```\n",
        "::: kettle\nboil\n:::\n",
        "```\n::: kettle.Kettle\n```\n",
        "<<<<<<< HEAD\n",
        "a --8<-- b\n",
        "{* not a file\n",
    ],
)
def test_containers_and_look_alikes_stay(docs: Path, text: str) -> None:
    assert read(docs, text) == Page(text)
