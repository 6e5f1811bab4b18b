"""The tables of reStructuredText: drawn ones (grid and simple), lists and comma-separated values.

In: the lines of a table. Out: its rows as plain text cells, with the line each row begins on. The inline markup in the cells
is left as it is.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.ingest.formats.blocks import Line, Row

_GRID_RULE = re.compile(r"\+(?:[-=]+\+)+\s*\Z")
_SIMPLE_RULE = re.compile(r"=+(?: +=+)*\s*\Z")
_SPAN_RULE = re.compile(r"-+(?: +-+)*\s*\Z")
_ITEM = re.compile(r"\s*(?:\*|-)\s+(?:\*|-)(?:\s+|\Z)")
_CELL = re.compile(r"\s*(?:\*|-)(?:\s+|\Z)")
_WIDEST: Final = 100  # columns; a drawing with more is no table of a reader


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, of which the first ``heads`` are the header."""

    rows: tuple[Row, ...]
    heads: int


def drawn(lines: Sequence[Line], at: int) -> tuple[Table, int] | None:
    """The drawn table that begins at a line, and the line after it; ``None`` where none begins."""
    text = lines[at].text
    if _GRID_RULE.match(text) and at + 1 < len(lines) and lines[at + 1].text.startswith(("|", "+")):
        end = _grid_end(lines, at)
        return _grid(lines[at:end]), end
    if " " in text.strip() and _SIMPLE_RULE.match(text):
        end = _simple_end(lines, at)
        return _simple(lines[at:end]), end
    return None


def _grid_end(lines: Sequence[Line], at: int) -> int:
    """The first line after a grid table."""
    while at < len(lines) and lines[at].text.startswith(("|", "+")):
        at += 1
    return at


def _simple_end(lines: Sequence[Line], at: int) -> int:
    """The first line after a simple table: after its third rule, or its second where a blank line or the end follows."""
    rules = 0
    start = at
    while at < len(lines):
        text = lines[at].text
        if _SIMPLE_RULE.match(text):
            rules += 1
            ended = at + 1 == len(lines) or not lines[at + 1].text.strip()
            if at > start and (rules >= 3 or ended):  # noqa: PLR2004 - top, header, bottom
                return at + 1
        at += 1
    return at


def _grid(lines: Sequence[Line]) -> Table:
    """A grid table. A cell over several columns is the first of them, one over several rows stands in the first of them."""
    rules = [line for line in lines if _GRID_RULE.match(line.text)]
    edges = sorted({place for line in rules for place, char in enumerate(line.text) if char == "+"})[: _WIDEST + 1]
    rows: list[Row] = []
    heads = 0
    band: list[Line] = []
    for line in lines[1:]:
        if not line.text.startswith("+"):
            band.append(line)
            continue
        if band:
            rows.append(_grid_row(band, edges))
        band = []
        heads = len(rows) if "=" in line.text and _GRID_RULE.match(line.text) else heads
    if band:
        rows.append(_grid_row(band, edges))
    return Table(tuple(rows), heads)


def _grid_row(band: list[Line], edges: list[int]) -> Row:
    cells: list[list[str]] = [[] for _ in edges[1:]]
    for line in band:
        column = 0
        for place, edge in enumerate(edges[1:], 1):
            if line.text[edge : edge + 1] in {"|", "+", ""} or place == len(edges) - 1:
                cells[column].append(line.text[edges[column] + 1 : edge].strip())
                column = place
    return Row(tuple(" ".join(cell) for cell in cells), band[0].line, band[0].file)


def _simple(lines: Sequence[Line]) -> Table:
    """A simple table: a row begins where its first column is not blank."""
    columns = [match.span() for match in re.finditer(r"=+", lines[0].text)][:_WIDEST]
    rows: list[Row] = []
    cells: list[list[str]] = []
    heads, rules = 0, 0
    at = lines[0]

    def finish() -> None:
        if cells:
            rows.append(Row(tuple(" ".join(cell) for cell in cells), at.line, at.file))
            cells.clear()

    for line in lines[1:]:
        if _SIMPLE_RULE.match(line.text) or (cells and _SPAN_RULE.match(line.text)):
            finish()
            rules += line.text.startswith("=")
            heads = len(rows) if rules == 1 and line is not lines[-1] else heads
            continue
        if not line.text.strip():
            continue
        parts = [line.text[start:end].strip() for start, end in columns[:-1]] + [line.text[columns[-1][0] :].strip()]
        if parts[0] or not cells:
            finish()
            at = line
            cells.extend([part] for part in parts)
        else:
            for cell, part in zip(cells, parts, strict=True):
                cell.append(part)
    finish()
    return Table(tuple(rows), heads)


def of_list(lines: Sequence[Line], heads: int) -> Table:
    """A ``list-table``: a list of rows, each a list of cells."""
    rows: list[Row] = []
    cells: list[list[str]] = []
    margin = 0
    at = lines[0] if lines else Line("", 1)
    for line in lines:
        first = _ITEM.match(line.text)
        if first or not cells:
            if cells:
                rows.append(Row(tuple(" ".join(cell) for cell in cells), at.line, at.file))
            cells, at = [[line.text[first.end() :] if first else line.text]], line
            margin = first.end() if first else 0
        elif (cell := _CELL.match(line.text)) and cell.end() <= margin:
            cells.append([line.text[cell.end() :]])
        else:
            cells[-1].append(line.text.strip())
    if cells:
        rows.append(Row(tuple(" ".join(cell) for cell in cells), at.line, at.file))
    return Table(tuple(rows), heads)


def of_values(lines: Sequence[Line], head: Line | None, heads: int, delimiter: str) -> Table:
    """A ``csv-table``, with its ``:header:``; a line that is no CSV is a row of one cell."""
    rows: list[Row] = []
    texts = [line.text for line in lines]
    reader = csv.reader(texts, delimiter=delimiter, skipinitialspace=True)
    reached = 0
    while True:
        try:
            values = next(reader, None)
        except csv.Error:
            values = [texts[min(reader.line_num, len(texts)) - 1]] if texts else None
        if values is None:
            break
        at = lines[min(reached, len(lines) - 1)]
        reached = reader.line_num
        if values:
            rows.append(Row(tuple(values[:_WIDEST]), at.line, at.file))
    if head and rows:
        try:
            names = next(csv.reader([head.text], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            names = [head.text]
        rows.insert(0, Row(tuple(names[:_WIDEST]), head.line, head.file))
        return Table(tuple(rows), 1)
    return Table(tuple(rows), heads)
