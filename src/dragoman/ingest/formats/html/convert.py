"""HTML pages as Markdown: the main content, with the lines of the file it was on.

In: the text of a page, well-formed or not. Out: a page with explicit heading ids, fences, tables, lists and alerts. What
belongs to the site around the content (navigation, sidebars, controls, scripts) is left out.
"""

import re
from typing import Final

from dragoman.ingest.formats.blocks import (
    Line,
    Row,
    admonition,
    as_page,
    code,
    fence,
    heading,
    indented,
    joined,
    table,
    word_set,
)
from dragoman.ingest.formats.html.content import admonition_kind, is_chrome, language_of, main_content
from dragoman.ingest.formats.html.tree import HEADINGS, Element, Text, parse_html
from dragoman.ingest.formats.html.words import first_line, one_line, paragraphs, verbatim
from dragoman.ingest.formats.page import LeftOut, Neighbours, Page

_SEPARATORS: Final = (" — ", " – ", " | ", " · ", " • ", " :: ", " « ", " » ")
_WIDEST: Final = 30  # columns that one cell may take
_TITLES: Final = frozenset(
    {"admonition-title", "custom-block-title", "markdown-alert-title", "starlight-aside__title", "callout-title"}
)

_Blocks = list[list[Line]]


def convert(text: str, path: str, neighbours: Neighbours) -> Page:  # noqa: ARG001 - the contract of all converters
    """Turn an HTML page into Markdown; any text will do.

    Args:
        text: The page.
        path: Where it lies; unused.
        neighbours: What lies beside it; unused.

    Returns:
        The page, titled by ``<title>`` without the name of the site.
    """
    root = parse_html(text)
    content = main_content(root)
    writer = _Writer()
    lines = joined(writer.blocks(content))
    return as_page(lines, _title(root, content), writer.left_out)


def _title(root: Element, content: Element) -> str:
    title = next((element for element in root.walk() if element.tag == "title"), None)
    words = " ".join(title.words().split()) if title else ""
    h1 = next((element for element in content.walk() if element.tag == "h1"), None)
    name = " ".join("".join(one_line(h1.children)).replace("`", "").split()) if h1 else ""
    if name and words.startswith(name) and re.match(r"\s\W+\s", words[len(name) :] + " "):
        return name
    for separator in _SEPARATORS:
        if separator in words:
            return words.rpartition(separator)[0].strip() or words
    return words


class _Writer:
    """Writes the blocks of a tree. Its depth is that of the tree, which is bounded."""

    def __init__(self) -> None:
        self.left_out: list[LeftOut] = []
        self._language = ""  # of code that names none
        self._level = 1  # of the last heading: what a library documents is headed one deeper

    def blocks(self, element: Element, anchor: str = "") -> _Blocks:
        found: _Blocks = []
        run: list[Element | Text] = []
        anchor = _section_id(element) or anchor
        for child in element.children:
            if isinstance(child, Text) or not (child.blocky or child.tag in _BLOCK_WRITERS or child.tag in _PLAIN):
                run.append(child)
                continue
            found.append(paragraphs(run))
            run = []
            if not is_chrome(child):
                found.extend(self._block(child, anchor))
                anchor = "" if child.tag in HEADINGS or child.headed else anchor
        found.append(paragraphs(run))
        return [block for block in found if block]

    def _block(self, element: Element, anchor: str) -> _Blocks:
        kind = admonition_kind(element)
        if kind:
            return [self._admonition(element, kind)]
        if element.tag in HEADINGS:
            return [self._heading(element, anchor)]
        writer = _BLOCK_WRITERS.get(element.tag)
        return writer(self, element) if writer else self.blocks(element, anchor)

    def _heading(self, element: Element, anchor: str) -> list[Line]:
        self._level = int(element.tag[1])
        inner = next((part.get("id") or part.get("name") for part in element.descendants() if part.tag == "a"), "")
        at = Line("", first_line(element.children, element.line))
        return heading(self._level, one_line(element.children), at, element.get("id") or anchor or inner)

    def _admonition(self, element: Element, kind: str) -> list[Line]:
        title, rest = "", Element(element.tag, element.line)
        for child in element.children:
            named = isinstance(child, Element) and (
                not _TITLES.isdisjoint(child.classes) or any("admonitionheading" in name for name in child.classes)
            )
            if named and not title and isinstance(child, Element):
                title = one_line(child.children)
            else:
                rest.children.append(child)
        return admonition(kind, title, joined(self.blocks(rest)), Line("", element.line))

    def _pre(self, element: Element) -> _Blocks:
        inner = [part for part in element.descendants() if part.tag == "code"]
        language = language_of(element) or (language_of(inner[0]) if inner else "") or self._language
        return [fence(verbatim(element), language, Line("", element.line))]

    def _container(self, element: Element) -> _Blocks:
        """A ``<div>``, which may name the language of the code in it."""
        outer, self._language = self._language, language_of(element) or self._language
        found = self.blocks(element)
        self._language = outer
        return found

    def _list(self, element: Element) -> _Blocks:
        items: _Blocks = []
        start = element.get("start")
        number = int(start) if start.isdecimal() and len(start) < 8 else 1  # noqa: PLR2004 - a longer one is no number
        for child in element.children:
            if isinstance(child, Text) or is_chrome(child):
                continue
            loose = any(
                isinstance(part, Element) and part.tag in {"p", "pre", "table", "div"} for part in child.children
            )
            lines = joined(self.blocks(child) if child.tag == "li" else self._block(child, ""), tight=not loose)
            mark = f"{number}. " if element.tag == "ol" else "- "
            if lines:
                items.append(indented(lines, mark, " " * len(mark)))
                number += 1
        return [joined(items, tight=True)]

    def _definitions(self, element: Element) -> _Blocks:
        """A list of definitions; what a library documents (Sphinx gives it ids) becomes headings."""
        found: _Blocks = []
        level = self._level
        for child in _unwrapped(element):
            if is_chrome(child):
                continue
            if child.tag == "dt" and (child.get("id") and "sig" in child.classes):
                self._level = level + 1
                at = Line("", first_line(child.children, child.line))
                found.append(
                    heading(
                        level + 1, code(one_line(child.children).replace("*", "").replace("`", "")), at, child.get("id")
                    )
                )
            elif child.tag == "dt":
                found.append([Line(f"**{line.text}**", line.line) for line in paragraphs(child.children)])
            elif {"py", "c", "cpp", "js"} & set(element.classes):
                found.extend(self.blocks(child))
            else:
                found.append(indented(joined(self.blocks(child)), "- ", "  "))
        self._level = level
        return found

    def _table(self, element: Element) -> _Blocks:
        if any(part.tag in {"pre", "table"} for part in element.walk()):
            return [block for cell in _outer_cells(element) if not is_chrome(cell) for block in self.blocks(cell)]
        inner = element.descendants()
        rows = [part for part in inner if part.tag == "tr"]
        caption = [paragraphs(part.children) for part in inner if part.tag == "caption"]
        first = [part.tag for part in rows[0].children if isinstance(part, Element)] if rows else []
        head = bool(first) and all(tag == "th" for tag in first)
        return [*caption, table(_rows(rows), head=head or any(part.tag == "thead" for part in inner))]

    def _quote(self, element: Element) -> _Blocks:
        return [indented(joined(self.blocks(element)), "> ", "> ")]

    def _summary(self, element: Element) -> _Blocks:
        return [[Line(f"**{line.text}**", line.line) for line in paragraphs(element.children)]]

    def _nothing(self, element: Element) -> _Blocks:  # noqa: ARG002 - one of several writers
        return []


def _unwrapped(element: Element) -> list[Element]:
    """The terms and definitions of ``<dl>``, which may be grouped by ``<div>``."""
    found = []
    for child in element.children:
        if isinstance(child, Element):
            grouped = child.tag == "div" and any(
                isinstance(part, Element) and part.tag == "dt" for part in child.children
            )
            found.extend([part for part in child.children if isinstance(part, Element)] if grouped else [child])
    return found


def _outer_cells(element: Element) -> list[Element]:
    found = []
    pending = [element]
    while pending:
        node = pending.pop()
        if node.tag in {"td", "th"}:
            found.append(node)
        else:
            pending.extend(child for child in reversed(node.children) if isinstance(child, Element))
    return found


def _section_id(element: Element) -> str:
    return element.get("id") if element.tag == "section" or "section" in element.classes else ""


def _rows(rows: list[Element]) -> list[Row]:
    """The cells of a table by column: a cell over several columns leaves the others empty, one over several rows is repeated."""
    found = []
    held: dict[int, tuple[int, str]] = {}  # by column: how many more rows, and what
    for row in rows:
        cells: list[str] = []
        for cell in row.children:
            if not isinstance(cell, Element) or cell.tag not in {"td", "th"}:
                continue
            _fill(cells, held)
            words = one_line(cell.children)
            if _span(cell, "rowspan") > 1:
                held[len(cells)] = (_span(cell, "rowspan") - 1, words)
            cells += [words, *[""] * (_span(cell, "colspan") - 1)]
        _fill(cells, held)
        found.append(Row(tuple(cells), row.line))
    return found


def _fill(cells: list[str], held: dict[int, tuple[int, str]]) -> None:
    while len(cells) in held:
        left, words = held.pop(len(cells))
        if left > 1:
            held[len(cells)] = (left - 1, words)
        cells.append(words)


def _span(cell: Element, name: str) -> int:
    value = cell.get(name)
    return min(max(int(value), 1), _WIDEST) if value.isdecimal() and len(value) < 4 else 1  # noqa: PLR2004 - see _WIDEST


_PLAIN: Final = word_set("p section article main body figure figcaption header footer address center fieldset form")
_BLOCK_WRITERS: Final = {
    **dict.fromkeys(HEADINGS, lambda writer, element: [writer._heading(element, "")]),  # noqa: SLF001 - its own class
    "blockquote": _Writer._quote,  # noqa: SLF001 - its own class
    "div": _Writer._container,  # noqa: SLF001 - its own class
    "dl": _Writer._definitions,  # noqa: SLF001 - its own class
    "hr": _Writer._nothing,  # noqa: SLF001 - its own class
    "ol": _Writer._list,  # noqa: SLF001 - its own class
    "pre": _Writer._pre,  # noqa: SLF001 - its own class
    "summary": _Writer._summary,  # noqa: SLF001 - its own class
    "table": _Writer._table,  # noqa: SLF001 - its own class
    "ul": _Writer._list,  # noqa: SLF001 - its own class
}
