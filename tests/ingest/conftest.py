"""Made-up Markdown pages of every shape, which know what they are made of."""

from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st

_WORDS = st.sampled_from(
    [
        "kettle",
        "lid",
        "steam.",
        "boils!",
        "`pour()`",
        "**hot**",
        "水は沸く。",
        "чай",
        "☕️",
        "👩‍🍳",
        "a\tb",
        "x" * 300,
        "湯" * 90,
    ]
)
_CODE = st.sampled_from(
    [
        "# no heading",
        "no heading\n===",
        "!!! note",
        '=== "Tab"',
        "| a | b |",
        "",
        "\tkettle.boil()",
        "> 1",
        "- [ ] x",
        "<div>",
    ]
)
_LEVELS = st.integers(1, 6)


@dataclass
class Page:
    """A page under construction; lines count from 0."""

    lines: list[str] = field(default_factory=list)
    headings: list[tuple[int, int, str]] = field(default_factory=list)  # (line, level, words)
    wholes: list[tuple[int, int]] = field(default_factory=list)  # fences and table rows: [first, last)

    @property
    def text(self) -> str:
        """The page as it is read."""
        return "\n".join(self.lines) + "\n"

    def add(self, *block: str) -> int:
        """Append a block and a blank line; gives the line where it starts."""
        start = len(self.lines)
        self.lines += [line for part in block for line in part.split("\n")]
        self.lines.append("")
        return start


def _prose(draw: st.DrawFn, mark: str, most: int = 30) -> str:
    rows = draw(st.lists(st.lists(_WORDS, min_size=1, max_size=most), min_size=1, max_size=3))
    return f"Part {mark} " + "\nand ".join(" ".join(row) for row in rows) + draw(st.sampled_from(["", ":", "."]))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))


def _fence(draw: st.DrawFn, mark: str) -> str:
    marker = draw(st.sampled_from(["```", "````", "~~~", "~~~~~"]))
    body = draw(st.lists(_CODE, min_size=0, max_size=12))
    return "\n".join([f"{marker}js", f"code_{mark}()", *body, marker])


def _add_heading(draw: st.DrawFn, page: Page, mark: str) -> None:
    words = f"Kettle {mark} " + " ".join(draw(st.lists(st.sampled_from(["lid", "水", "spout"]), max_size=25)))
    words = words.strip()
    level = draw(_LEVELS)
    if level <= 2 and draw(st.booleans()):
        line = page.add(words, "===" if level == 1 else "---")
    else:
        dressed = draw(st.sampled_from(["{}", "{} ##", "{} {{#own-id}}", "**{}**", "<a name='x'></a>{}"]))
        line = page.add("#" * level + " " + dressed.format(words))
    page.headings.append((line, level, words))


def _add_table(draw: st.DrawFn, page: Page, mark: str) -> None:
    rows = draw(st.lists(st.lists(_WORDS, min_size=1, max_size=12), min_size=1, max_size=15))
    start = page.add("| name | meaning |", "| --- | :-: |", *(f"| {mark} | {' '.join(row)} |" for row in rows))
    page.wholes += [(start + 2 + place, start + 3 + place) for place in range(len(rows))]


def _add_block(draw: st.DrawFn, page: Page, kind: str, mark: str) -> None:
    prose = _prose(draw, mark)
    if kind == "heading":
        _add_heading(draw, page, mark)
    elif kind == "table":
        _add_table(draw, page, mark)
    elif kind == "fence":
        start = page.add(_fence(draw, mark))
        page.wholes.append((start, len(page.lines) - 1))
    elif kind == "list":
        bullet = draw(st.sampled_from(["- ", "* ", "1. ", "2) "]))
        page.add(*(f"{bullet}{_prose(draw, f'{mark}{letter}', 8)}".replace("\n", "\n      ") for letter in "abc"))
    elif kind == "html":
        page.add(
            draw(st.sampled_from(["<div>\n# no heading\n{}\n</div>", "<!-- {} -->", "<details>\n{}"])).format(prose)
        )
    elif kind == "container":
        label = draw(st.sampled_from(["!!! note", '!!! warning "Hot"', "??? tip", '=== "Gas"', '===! "Wood"']))
        inner = draw(st.sampled_from([prose, _fence(draw, mark), f'=== "Inner"\n\n{_indented(prose)}']))
        page.add(label, *draw(st.sampled_from([[""], []])), _indented(inner))
    else:
        shapes = {"quote": "> " + prose.replace("\n", "\n> ") + "\n> # no heading", "rule": "***", "text": prose}
        page.add(shapes[kind])


@st.composite
def _pages(draw: st.DrawFn) -> Page:
    page = Page()
    kinds = ["heading", "heading", "text", "text", "fence", "table", "list", "html", "container", "quote", "rule"]
    for place, kind in enumerate(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=12))):
        _add_block(draw, page, kind, str(place))
    if draw(st.integers(0, 4)) == 0:
        page.add("```text", "# no heading", "this fence never ends", "", "## nor is this one")
    return page


@pytest.fixture(scope="session")
def pages() -> st.SearchStrategy[Page]:
    """Pages that know their headings, and which of their lines belong together."""
    return _pages()


@pytest.fixture(scope="session")
def scribbles() -> st.SearchStrategy[str]:
    """Lines of markup in no order at all, such as no person would write."""
    pieces = st.sampled_from(
        [
            "#",
            "##",
            " ",
            "    ",
            "\t",
            "```",
            "~~~",
            "===",
            "---",
            "...",
            "|",
            "| a | b |",
            "|--|--|",
            "- ",
            "1. ",
            ">",
            "<p>",
            "<!--",
            "-->",
            "!!! note",
            '=== "T"',
            "word",
            "two words.",
            "ends:",
            "水。",
            "😀",
            "\u2028",
            "\x0c",
            "\xa0",
            "{#a}",
            "&amp;",
            "\\",
        ]
    )
    line = st.lists(pieces, max_size=5).map("".join)
    return st.lists(line, max_size=25).map("\n".join)
