"""The desk that is a file: its contract, and what spreadsheets and people do to a file."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.review.desks import (
    CHUNKS,
    RIGHT,
    TRIPLETS,
    WRONG,
    DeskContract,
    Harness,
    chunk,
    responses,
    triplet,
    triplets,
)

from dragoman.errors import DragomanError, UsageError, WorkspaceError
from dragoman.records import ReviewKind
from dragoman.review.files import FilesDesk
from dragoman.review.items import FORMS, NO, YES, Form, Pushed, Response, ResponseStatus


def load(path: Path) -> list[dict[str, str]]:
    """The rows as any program reads them."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def save(path: Path, rows: list[dict[str, str]], delimiter: str = ",", encoding: str = "utf-8-sig") -> None:
    """The rows as a spreadsheet or a program writes them."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


class Fill:
    """Opens the file as people do and types answers into the first row of the item that is free."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder, self._suffix = folder, suffix

    def path(self, kind: ReviewKind) -> Path:
        return self._folder / f"{kind}{self._suffix}"

    def desk(self, kind: ReviewKind) -> FilesDesk:
        return FilesDesk(self.path(kind))

    def answer(
        self, form: Form, item_id: str, reviewer: str, values: Mapping[str, str], status: ResponseStatus = "submitted"
    ) -> None:
        rows = load(self.path(form.kind))
        own = [row for row in rows if row["id"].removeprefix("'") == item_id]
        row = next((row for row in own if row["reviewer"] in {"", reviewer}), None)
        if row is None:
            row = dict(own[0])
            rows.append(row)
        blank = dict.fromkeys((ask.name for ask in form.asks), "")
        row |= blank | dict(values) | {"reviewer": reviewer, "status": status}
        save(self.path(form.kind), rows)

    def shown(self, form: Form) -> list[str]:
        return [row["id"].removeprefix("'") for row in load(self.path(form.kind)) if not row["retired"]]


@pytest.fixture(params=[".csv", ".jsonl"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestFilesDesk(DeskContract):
    @pytest.fixture
    def harness(self, tmp_path: Path, suffix: str) -> Harness:
        return Fill(tmp_path, suffix)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "triplets.csv"
    FilesDesk(path).push(TRIPLETS, triplets(1, 2, 3))
    return path


def edit(path: Path, number: int, **cells: str) -> list[dict[str, str]]:
    rows = load(path)
    rows[number] |= cells
    return rows


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(word, YES) for word in ("yes", "YES", " y ", "Y", "true", "TRUE", "1")]
    + [(word, NO) for word in ("no", "No", "n", "N\t", "false", "FALSE", "0")],
)
def test_people_say_yes_and_no_in_their_own_way(table: Path, typed: str, meant: str) -> None:
    save(table, edit(table, 0, is_positive_relevant=typed, is_negative_irrelevant="yes"))
    expected = Response("file", {"is_positive_relevant": meant, "is_negative_irrelevant": YES})
    assert responses(FilesDesk(table), TRIPLETS) == {triplet(1).id: (expected,)}


def test_who_answers_in_rows_without_a_name_may_be_said(table: Path) -> None:
    save(table, edit(table, 0, **RIGHT))
    assert responses(FilesDesk(table, reviewer="anna"), TRIPLETS) == {triplet(1).id: (Response("anna", RIGHT),)}


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "utf-8"), ("\t", "utf-16"), (",", "utf-8"), (";", "utf-8-sig")]
)
def test_what_a_spreadsheet_saves_is_read(table: Path, delimiter: str, encoding: str) -> None:
    FilesDesk(table).push(TRIPLETS, [triplet(1, anchor='Zeile\nfür; Zeile, "so"\tund\n\n=2+2'), triplet(2)])
    before = FilesDesk(table).pull(TRIPLETS)
    rows = edit(table, 1, **WRONG, reviewer="bob")
    names = ["my notes", *reversed(rows[0]), ""]
    save(table, [dict.fromkeys(names, "") | row | {"my notes": "hm"} for row in rows], delimiter, encoding)
    after = FilesDesk(table).pull(TRIPLETS)
    assert [one.item for one in after] == [one.item for one in before]
    assert responses(FilesDesk(table), TRIPLETS) == {triplet(2).id: (Response("bob", WRONG),)}


def test_decimal_commas_and_lost_numbers_are_read(table: Path) -> None:
    save(table, edit(table, 0, judge="4,5", rank="1.0", priority=""), ";")
    (one,) = [one for one in FilesDesk(table).pull(TRIPLETS) if one.item.id == triplet(1).id]
    assert (one.item.metadata["judge"], one.item.metadata["rank"]) == (4.5, 1)
    assert "priority" not in one.item.metadata


def test_rows_that_people_delete_are_not_answered(table: Path) -> None:
    rows = edit(table, 2, **RIGHT)
    save(table, [dict.fromkeys(rows[0], ""), rows[2]])
    assert [one.item.id for one in FilesDesk(table).pull(TRIPLETS)] == [triplet(3).id]


def test_an_answer_that_lacks_something_is_a_draft_until_it_is_whole(table: Path) -> None:
    save(table, edit(table, 0, is_positive_relevant="yes", status="submitted"))
    assert responses(FilesDesk(table), TRIPLETS)[triplet(1).id][0].status == "draft"
    FilesDesk(table).push(TRIPLETS, triplets(1, 2, 3))
    save(table, edit(table, 0, is_negative_irrelevant="y"))
    assert responses(FilesDesk(table), TRIPLETS) == {triplet(1).id: (Response("file", RIGHT),)}


def test_a_name_that_is_filled_in_beforehand_is_no_answer(table: Path) -> None:
    save(table, [row | {"reviewer": "anna"} for row in load(table)])
    assert responses(FilesDesk(table), TRIPLETS) == {}
    assert FilesDesk(table).push(TRIPLETS, []) == Pushed(retired=3)


def test_columns_and_names_of_peoples_own_outlive_a_push(table: Path) -> None:
    save(table, [row | {"my notes": f"=note {number}", "reviewer": "anna"} for number, row in enumerate(load(table))])
    assert FilesDesk(table).push(TRIPLETS, triplets(2, 1)) == Pushed(unchanged=2, retired=1)
    assert [(row["my notes"], row["reviewer"]) for row in load(table)] == [("'=note 1", "anna"), ("'=note 0", "anna")]
    assert FilesDesk(table).push(TRIPLETS, triplets(2, 1)) == Pushed(unchanged=2)


def test_one_reviewer_may_stand_twice_only_with_the_same_answer(table: Path) -> None:
    rows = edit(table, 0, **RIGHT, reviewer="anna")
    save(table, [*rows, rows[0]])
    assert responses(FilesDesk(table), TRIPLETS) == {triplet(1).id: (Response("anna", RIGHT),)}
    save(table, [*rows, rows[0] | WRONG])
    with pytest.raises(DragomanError, match=r"triplets\.csv:5: anna answers .* otherwise than at triplets\.csv:2"):
        FilesDesk(table).pull(TRIPLETS)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"is_positive_relevant": "maybe"}, r"'maybe' for 'is_positive_relevant'; expected yes, no or nothing"),
        ({"is_negative_irrelevant": "2"}, r"'2' for 'is_negative_irrelevant'; expected yes, no or nothing"),
        ({"status": "done"}, r"'done' for 'status'; expected submitted, draft, discarded or nothing"),
        ({"id": " "}, r"the id is missing; expected an id as dragoman review export triplets writes it"),
        ({"id": "1.2E+15"}, r"nothing to review has the id '1\.2E\+15'"),
        ({"judge": "nan"}, r"'nan' for 'judge'; expected a number or nothing"),
        ({"rank": "1.5"}, r"'1\.5' for 'rank'"),
        ({"priority": "high"}, r"'high' for 'priority'"),
    ],
    ids=str,
)
def test_a_bad_cell_is_named_with_its_line_and_nothing_is_imported(
    tmp_path: Path, suffix: str, cells: dict[str, str], message: str
) -> None:
    path = tmp_path / f"triplets{suffix}"
    items = triplets(1, 2, 3)
    FilesDesk(path).push(TRIPLETS, items)
    save(path, [load(path)[0] | RIGHT, load(path)[1] | cells, load(path)[2]])
    line = rf"^triplets\{suffix}:{3 if suffix == '.csv' else 2}: "
    with pytest.raises(DragomanError, match=line + message):
        FilesDesk(path, known={item.id for item in items}).pull(TRIPLETS)


def test_a_line_is_counted_as_an_editor_and_as_a_spreadsheet_do(table: Path) -> None:
    FilesDesk(table).push(TRIPLETS, [triplet(1, anchor="one\ntwo\nthree"), triplet(2)])
    save(table, edit(table, 1, status="?"))
    with pytest.raises(DragomanError, match=r"triplets\.csv:5 \(row 3\): '\?' for 'status'"):
        FilesDesk(table).pull(TRIPLETS)


@pytest.mark.parametrize("column", ["id", "positive", "is_positive_relevant", "chunk_id"])
def test_a_column_that_is_needed_is_missed(table: Path, column: str) -> None:
    rows = load(table)
    save(table, [{name: cell for name, cell in row.items() if name != column} for row in rows])
    with pytest.raises(
        DragomanError, match=rf"triplets\.csv:2: there is no '{column}'.*dragoman review export triplets"
    ):
        FilesDesk(table).pull(TRIPLETS)


def test_columns_that_nobody_needs_may_go(table: Path) -> None:
    save(table, edit(table, 0, **RIGHT))
    kept = {"id", "anchor", "positive", "negative", "chunk_id", *RIGHT}
    save(table, [{name: cell for name, cell in row.items() if name in kept} for row in load(table)])
    assert responses(FilesDesk(table), TRIPLETS) == {triplet(1).id: (Response("file", RIGHT),)}


@pytest.mark.parametrize(
    ("suffix_", "data", "message"),
    [
        (".csv", b'"id","anchor"\r\n"a","never closed', r"t\.csv:2: not CSV"),
        (".csv", b"id,id\r\na,b", r"t\.csv:1: 2 columns are called 'id'"),
        (".csv", b"id,anchor\r\na,b,c", r"t\.csv:2: 3 cells; expected 2"),
        (".csv", "id,anchor\r\nß,".encode("cp1252"), r"is not in UTF-8 \(byte 11\).*CSV UTF-8"),
        (".csv", b"\xff\xfea", r"is not in UTF-8"),
        (".jsonl", b'{"id": 1}\n{"id"', r"t\.jsonl:1: there is no 'anchor'|t\.jsonl:2: not JSON"),
        (".jsonl", b"[1]", r"t\.jsonl:1: '\[1\]' is no object"),
        (".jsonl", b"[" * 200_000, r"t\.jsonl:1: not JSON"),
        (".jsonl", b"9" * 10_000, r"t\.jsonl:1: not JSON"),
    ],
    ids=range(9),
)
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, suffix_: str, data: bytes, message: str) -> None:
    path = tmp_path / f"t{suffix_}"
    path.write_bytes(data)
    for act in (lambda: FilesDesk(path).pull(TRIPLETS), lambda: FilesDesk(path).push(TRIPLETS, triplets(1))):
        with pytest.raises(DragomanError, match=message):
            act()
    assert path.read_bytes() == data
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_file_of_another_kind_is_not_overwritten(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    FilesDesk(path).push(CHUNKS, [chunk("Ports.")])
    before = path.read_bytes()
    with pytest.raises(DragomanError, match="there is no 'anchor'"):
        FilesDesk(path).push(TRIPLETS, triplets(1))
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_or_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(WorkspaceError, match=r"cannot read .*folder\.csv"):
        FilesDesk(tmp_path / "folder.csv").pull(TRIPLETS)
    (tmp_path / "a").write_text("a file")
    with pytest.raises(WorkspaceError):
        FilesDesk(tmp_path / "a" / "t.csv").push(TRIPLETS, triplets(1))
    with pytest.raises(UsageError, match=r"\.csv or \.jsonl"):
        FilesDesk(tmp_path / "answers.xlsx")


def test_a_push_makes_its_folder_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "new" / "t.csv"
    FilesDesk(path).push(TRIPLETS, triplets(1))
    assert [one.name for one in path.parent.iterdir()] == ["t.csv"]
    assert path.read_bytes().startswith(b'\xef\xbb\xbf"id","anchor"')
    assert load(path)[0]["rank"] == "1"


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_no_two_columns_of_a_form_share_a_name(tmp_path: Path, form: Form) -> None:
    FilesDesk(tmp_path / "t.csv").push(form, [])
    head = (tmp_path / "t.csv").read_text(encoding="utf-8-sig").strip().split(",")
    assert len(set(head)) == len(head)


def refusal(path: Path) -> str:
    try:
        assert FilesDesk(path).pull(CHUNKS) == []
    except DragomanError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("letter", ["'", '"', "=", "0", "\n", "\r", ",", " ", "0e", "{", "\\", "\ud800"])
def test_a_megabyte_of_anything_is_read_or_refused_at_once(tmp_path: Path, letter: str) -> None:
    text = letter * 1_000_000
    FilesDesk(tmp_path / "t.csv").push(CHUNKS, [chunk(text)])
    assert FilesDesk(tmp_path / "t.csv").pull(CHUNKS)[0].item.fields["chunk"] == text
    for suffix in (".csv", ".jsonl"):
        path = tmp_path / f"raw{suffix}"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        assert len(refusal(path)) < 400
