"""Rows of named cells as text, and back: CSV as spreadsheets read and leave it, and JSON Lines.

In: rows, or the text of a file. Out: the text, or each row with the line it stands in. What a strange spreadsheet might run is made harmless
on the way out and is itself again on the way in. It knows no form.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.errors import DragomanError

_LONGEST: Final = 1 << 30  # letters of a cell; the csv module stops at 131,072
_SHOWN: Final = 40  # letters of a value in an error
# A spreadsheet runs the first kind, turns the second into a number, and drops an apostrophe before either.
_TOUCHED: Final = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n]|[0-9][0-9.,:/ -]*(?:[eE][0-9]+)?\Z|(?i:true|false)\Z)")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row by the name of their column; ``where`` names its line for people."""

    where: str
    cells: Mapping[str, str]


def write_table(names: Sequence[str], rows: Sequence[Mapping[str, str]], numbers: Collection[str] = ()) -> str:
    """CSV with these columns, as spreadsheets like it: marked as UTF-8, all cells quoted, Windows line ends.

    Args:
        names: The columns.
        rows: Their cells; one that a row lacks is empty.
        numbers: Columns that hold nothing but numbers.

    Returns:
        All of the file.
    """
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(map(_harmless, names))
    for row in rows:
        writer.writerow(row.get(name, "") if name in numbers else _harmless(row.get(name, "")) for name in names)
    return buffer.getvalue()


def write_lines(rows: Sequence[Mapping[str, object]]) -> str:
    """A JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def shortened(text: str) -> str:
    """A value that came from outside, short enough for an error."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def read_table(text: str, name: str) -> list[Row]:
    """Read CSV with a row of names, separated by commas, semicolons or tabs.

    Args:
        text: All of the file.
        name: How errors call it.

    Returns:
        The rows; where one is shorter than the first, its last cells are empty, and blank rows are left out.

    Raises:
        DragomanError: It is not CSV, a name stands twice, or a row is too long.
    """
    head = re.split(r"[\r\n]", text, maxsplit=1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    line, names, rows = 1, list[str](), list[Row]()
    limit = csv.field_size_limit(_LONGEST)
    try:
        for number, cells in enumerate(reader, 1):
            start, line = line, reader.line_num + 1
            if not any(cells) and number > 1:
                continue
            # A cell may span lines, and a spreadsheet counts rows.
            where = f"{name}:{start}" + (f" (row {number})" if start != number else "")
            if number == 1:
                names = _names(cells, where)
                continue
            if any(cell.strip() for cell in cells[len(names) :]):
                raise DragomanError(f"{where}: {len(cells)} cells", expected=f"{len(names)}, as in the first row")
            rows.append(Row(where, dict.fromkeys(names, "") | dict(zip(names, map(_plain, cells), strict=False))))
    except csv.Error as error:
        raise DragomanError(f"{name}:{line}: not CSV: {error}", hint="Save it again from a spreadsheet.") from None
    finally:
        csv.field_size_limit(limit)
    return rows


def _names(cells: Sequence[str], where: str) -> list[str]:
    names = [_plain(cell).strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
    for name, times in Counter(names).items():
        if times > 1:
            raise DragomanError(f"{where}: {times} columns are called {shortened(name)!r}", expected="one of each name")
    return names


def read_lines(text: str, name: str) -> list[Row]:
    """Read a JSON object a line; what is no text is written as JSON writes it, and null is "".

    Args:
        text: All of the file.
        name: How errors call it.

    Returns:
        The rows.

    Raises:
        DragomanError: A line is no JSON object.
    """
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DragomanError(f"{name}:{number}: not JSON: {error}", expected="an object a line") from None
        if not isinstance(row, dict):
            raise DragomanError(f"{name}:{number}: {shortened(line)!r} is no object", expected="an object a line")
        rows.append(Row(f"{name}:{number}", {key: cell_of(value) for key, value in row.items()}))
    return rows


def cell_of(value: object) -> str:
    """A value as a cell: a text as it is, nothing for None, else JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _harmless(cell: str) -> str:
    return "'" + cell if _TOUCHED.match(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _TOUCHED.match(cell, 1) else cell
