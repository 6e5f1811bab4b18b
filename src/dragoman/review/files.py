"""The desk that is a file: a table for a spreadsheet (CSV) or lines for a program (JSON Lines), by its suffix.

In: items to show; later the same file with answers filled in, however a spreadsheet left it. Out: the items with their responses, or one
error that names the line. One file holds one kind of item, a row for an item and reviewer. It knows nothing of what answers mean.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, get_args

from dragoman.errors import DragomanError, MissingArtefact, UsageError, WorkspaceError
from dragoman.review.items import NO, YES, Ask, Form, Item, MetadataType, Pushed, Response, ResponseStatus, Reviewed
from dragoman.review.rows import cell_of, read_lines, read_table, shortened, write_lines, write_table
from dragoman.review.verdict import POINTERS

SUFFIXES: Final = (".csv", ".jsonl")
REVIEWER: Final = "file"
_WORDS: Final = {YES: ("yes", "y", "true", "1"), NO: ("no", "n", "false", "0")}
_STATUSES: Final = get_args(ResponseStatus)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the file, and what it says; ``where`` names its line for people."""

    where: str
    cells: Mapping[str, str]
    item: Item
    response: Response | None


class FilesDesk:
    """A file that people fill in.

    Args:
        path: Where it is; its suffix, .csv or .jsonl, says what it is.
        known: Ids that a row may have when answers are read; None: any.
        reviewer: Who answered in the rows that name nobody.

    Raises:
        UsageError: The suffix is another one.
    """

    def __init__(self, path: Path, *, known: Collection[str] | None = None, reviewer: str = REVIEWER) -> None:
        if path.suffix.lower() not in SUFFIXES:
            hint = f"Try: {path.stem or 'answers'}{SUFFIXES[0]}"
            raise UsageError(f"cannot tell what {path} holds", expected=f"a name in {' or '.join(SUFFIXES)}", hint=hint)
        self._path, self._known, self._reviewer = path, None if known is None else frozenset(known), reviewer
        self._table = path.suffix.lower() == SUFFIXES[0]

    @property
    def place(self) -> str:
        """The file."""
        return str(self._path)

    def push(self, form: Form, items: Sequence[Item], advance: Callable[[int], None] | None = None) -> Pushed:
        """Write the file with these items, in this order; answers that are in it stay, and so do columns of people's own.

        Args:
            form: The form of the items.
            items: What to show.
            advance: Told how many items were written.

        Returns:
            What changed.

        Raises:
            DragomanError: What is in the file cannot be read as answers to this form.
            WorkspaceError: It cannot be read or written.
        """
        before: dict[str, list[_Row]] = {}
        with suppress(MissingArtefact):
            for row in self._rows(form):
                before.setdefault(row.item.id, []).append(row)
        rows: list[Mapping[str, str]] = []
        added = updated = retired = 0
        shown = {item.id: item for item in items}
        for item in shown.values():
            old = before.pop(item.id, [])
            new = _shown(form, item, old)
            added += not old
            updated += bool(old) and new != [row.cells for row in old]
            rows += new
        for old in before.values():
            kept = [{**row.cells, "retired": YES} for row in old if row.response]
            retired += kept != [row.cells for row in old]
            rows += kept
        self._write(form, rows)
        if advance is not None:
            advance(len(items))
        return Pushed(added, updated, len(shown) - added - updated, retired)

    def pull(self, form: Form) -> list[Reviewed]:
        """What people filled in.

        Args:
            form: The form of the items that the file holds.

        Returns:
            The items of the file, sorted by id; an answer that lacks something required is a draft.

        Raises:
            MissingArtefact: There is no such file.
            DragomanError: A row cannot be understood; nothing of the file counts.
            WorkspaceError: The file cannot be read.
        """
        items: dict[str, Item] = {}
        answers: dict[str, dict[str, tuple[Response, str]]] = {}
        for row in self._rows(form):
            if self._known is not None and row.item.id not in self._known:
                raise _bad_id(form, row.where, f"nothing to review has the id {shortened(row.item.id)!r}")
            items.setdefault(row.item.id, row.item)
            if row.response is None:
                continue
            reviewer = row.response.reviewer
            first, place = answers.setdefault(row.item.id, {}).setdefault(reviewer, (row.response, row.where))
            if first != row.response:
                raise DragomanError(
                    f"{row.where}: {shortened(reviewer)} answers about {row.item.id} otherwise than at {place}",
                    expected="one row for an item and reviewer",
                    hint="Remove one of them, or write another name in the column 'reviewer'.",
                )
        return [
            Reviewed(items[key], tuple(response for _, (response, _) in sorted(answers.get(key, {}).items())))
            for key in sorted(items)
        ]

    def _rows(self, form: Form) -> list[_Row]:
        text, needed = self._text(form), _needed(form)
        rows: list[_Row] = []
        for row in read_table(text, self._path.name) if self._table else read_lines(text, self._path.name):
            where, cells = row.where, row.cells
            if not any(cell.strip() for cell in cells.values()):
                continue
            missing = [name for name in needed if name not in cells]
            if missing:
                raise DragomanError(
                    f"{where}: there is no '{missing[0]}'",
                    expected=f"for {form.kind}: {', '.join(needed)}",
                    hint=f"Put the column back, or write another file with: dragoman review export {form.kind}",
                )
            if not cells["id"].strip():
                raise _bad_id(form, where, "the id is missing")
            rows.append(_Row(where, cells, _item(form, where, cells), self._response(form, where, cells)))
        return rows

    def _text(self, form: Form) -> str:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            hint = f"Write one with: dragoman review export {form.kind} {self._path}"
            raise MissingArtefact(f"there is no file {self._path}", hint=hint) from None
        except OSError as error:
            raise WorkspaceError(f"cannot read {self._path}: {error.strerror}") from error
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        try:
            text = data.decode("utf-16") if wide else data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise DragomanError(
                f"{self._path} is not in UTF-8 (byte {error.start})",
                hint="Save it again, as CSV UTF-8 (Excel) or with the character set UTF-8 (LibreOffice).",
            ) from None
        return text.removeprefix("\ufeff")

    def _response(self, form: Form, where: str, cells: Mapping[str, str]) -> Response | None:
        values = {ask.name: _answer(ask, where, cells.get(ask.name, "").strip()) for ask in form.asks}
        values = {name: value for name, value in values.items() if value}
        said = cells.get("status", "").strip().casefold()
        if said and said not in _STATUSES:
            raise _unknown(where, "status", said, _STATUSES)
        if not values and said in {"", "submitted"}:
            return None
        status: ResponseStatus = "submitted" if all(ask.name in values for ask in form.required) else "draft"
        status = "discarded" if said == "discarded" else "draft" if said == "draft" else status
        return Response(cells.get("reviewer", "").strip() or self._reviewer, values, status)

    def _write(self, form: Form, rows: Sequence[Mapping[str, str]]) -> None:
        own = [name for name in dict.fromkeys(chain.from_iterable(rows)) if any(row.get(name) for row in rows)]
        names = list(dict.fromkeys((*_columns(form), *own)))
        if self._table:
            text = write_table(names, rows, {name for name, kind in form.metadata.items() if kind != "terms"})
        else:
            typed = [{name: _typed(kind, row.get(name, "")) for name, kind in form.metadata.items()} for row in rows]
            blank = dict.fromkeys(names, "")
            text = write_lines([{**blank, **row, **cells} for row, cells in zip(rows, typed, strict=True)])
        beside = self._path.with_name(f".{self._path.name}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(text.encode("utf-8", "surrogatepass"))
            beside.replace(self._path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            hint = "Close it where it is open, or choose another place."
            raise WorkspaceError(f"cannot write {self._path}: {error.strerror}", hint=hint) from error


def _columns(form: Form) -> list[str]:
    asks = [ask.name for ask in form.asks]
    suggested = [f"suggestion_{ask.name}" for ask in form.asks if ask.options]
    return [
        "id",
        *(one.name for one in form.fields),
        *suggested,
        *asks,
        "reviewer",
        "status",
        "retired",
        *form.metadata,
    ]


def _needed(form: Form) -> list[str]:
    return ["id", *(one.name for one in form.fields), *(ask.name for ask in form.required), *POINTERS[form.kind]]


def _cells(form: Form, item: Item) -> dict[str, str]:
    suggested = {one.ask: f"{one.value} ({one.score:.2f}, {one.agent})" for one in item.suggestions}
    return {
        "id": item.id,
        **{one.name: item.fields.get(one.name, "") for one in form.fields},
        **{f"suggestion_{ask.name}": suggested.get(ask.name, "") for ask in form.asks if ask.options},
        "retired": "",
        **{name: cell_of(_typed(kind, cell_of(item.metadata.get(name)))) for name, kind in form.metadata.items()},
    }


def _shown(form: Form, item: Item, old: Sequence[_Row]) -> list[dict[str, str]]:
    cells = _cells(form, item)
    if any(row.response for row in old):
        cells |= {one.name: old[0].cells[one.name] for one in form.fields}
    return [{**row.cells, **cells} for row in old] or [cells]


def _item(form: Form, where: str, cells: Mapping[str, str]) -> Item:
    metadata: dict[str, str | int | float] = {}
    for name, kind in form.metadata.items():
        try:
            value = _typed(kind, cells.get(name, ""))
        except ValueError:
            raise _unknown(where, name, cells[name], ("a number",)) from None
        if value is not None:
            metadata[name] = value
    return Item(cells["id"].strip(), form.kind, {one.name: cells[one.name] for one in form.fields}, metadata)


def _typed(kind: MetadataType, cell: str) -> str | int | float | None:
    if not cell.strip():
        return None
    if kind == "terms":
        return cell
    number = float(cell.replace(",", "."))
    if not math.isfinite(number) or (kind == "integer" and number != int(number)):
        raise ValueError(cell)
    return int(number) if kind == "integer" else number


def _answer(ask: Ask, where: str, cell: str) -> str:
    if not cell or not ask.options:
        return cell
    for option in ask.options:
        if cell.casefold() in {option, *_WORDS.get(option, ())}:
            return option
    raise _unknown(where, ask.name, cell, ask.options)


def _unknown(where: str, column: str, cell: str, valid: Sequence[str]) -> DragomanError:
    return DragomanError(f"{where}: {shortened(cell)!r} for '{column}'", expected=f"{', '.join(valid)} or nothing")


def _bad_id(form: Form, where: str, happened: str) -> DragomanError:
    return DragomanError(
        f"{where}: {happened}",
        expected=f"an id as dragoman review export {form.kind} writes it",
        hint="Copy it from the file as it was exported, or remove the row.",
    )
