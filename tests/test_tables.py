"""Records survive a Parquet file, whatever they hold."""

import random
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.errors import WorkspaceError
from dragoman.records import Chunk, Document, Interval, Question, Rejected, Serving, Triplet
from dragoman.tables import content_hash, file_hash, read_rows, write_rows

KINDS = [Chunk, Document, Interval, Question, Rejected, Serving, Triplet]
INTEGERS = st.integers(-(2**63), 2**63 - 1)


def rows_of(kind: type[Any]) -> st.SearchStrategy[list[Any]]:
    """Lists of a record, with values that the types allow."""
    plain = {str: st.text(), int: INTEGERS, float: st.floats(allow_nan=False), bool: st.booleans()}
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, hint in get_type_hints(kind).items():
        if get_origin(hint) is Literal:
            fields[name] = st.sampled_from(get_args(hint))
        elif hint in plain:
            fields[name] = plain[hint]
        elif get_origin(hint) is tuple:
            fields[name] = st.lists(plain[get_args(hint)[0]], max_size=3).map(tuple)
        else:
            items = plain[get_args(next(part for part in get_args(hint) if part is not type(None)))[0]]
            fields[name] = st.none() | st.lists(items, max_size=3).map(tuple)
    return st.lists(st.builds(kind, **fields), max_size=4)


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "rows.parquet"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=25)
def test_every_record_comes_back_as_it_was(data: st.DataObject, kind: type[Any], file: Path) -> None:
    rows = data.draw(rows_of(kind))
    write_rows(file, rows, kind)
    back = read_rows(file, kind)
    assert back == rows
    assert content_hash(back) == content_hash(rows)
    assert [hash(row) for row in back] == [hash(row) for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_make_a_readable_file_with_all_columns(kind: type[Any], file: Path) -> None:
    write_rows(file, [], kind)
    assert read_rows(file, kind) == []
    assert pq.read_schema(file).names == list(get_type_hints(kind))


@given(data=st.data(), seed=st.integers())
def test_the_content_hash_ignores_the_order_and_sees_every_change(data: st.DataObject, seed: int) -> None:
    rows: list[Rejected] = data.draw(rows_of(Rejected))
    mixed = rows.copy()
    random.Random(seed).shuffle(mixed)
    assert content_hash(mixed) == content_hash(rows)
    more = [*rows, Rejected("synth", "one", "more")]
    assert len({content_hash(part) for part in (rows, more, [*more, more[-1]])}) == 3


def test_the_content_hash_of_an_example_is_the_same_on_every_machine() -> None:
    rows = [Question("1", "Wie heiß?", "c", "llm", "howto"), Question("2", "hot", "c", "person", "chat", rank=3)]
    assert content_hash(rows) == "9822ce946f983950"


@pytest.mark.parametrize("data", [b"", b"no table", b"PAR1 but no more PAR1"])
def test_a_damaged_file_is_refused_by_name(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    with pytest.raises(WorkspaceError, match=r"rows\.parquet"):
        read_rows(file, Rejected)


def test_a_file_cut_short_or_overwritten_inside_is_refused(file: Path) -> None:
    rows = [Rejected("synth", str(place), "duplicate", "detail " * 20) for place in range(2000)]
    write_rows(file, rows, Rejected)
    whole = file.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:8] + bytes(200) + whole[208:]):
        file.write_bytes(broken)
        with pytest.raises(WorkspaceError):
            read_rows(file, Rejected)


def test_a_file_of_other_records_is_refused(file: Path) -> None:
    write_rows(file, [Interval(0.5, 0.25, 0.75)], Interval)
    with pytest.raises(WorkspaceError):
        read_rows(file, Rejected)
    with pytest.raises(WorkspaceError):
        read_rows(file, Question)


def test_a_missing_file_and_a_folder_that_cannot_be_written_are_workspace_errors(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError):
        read_rows(tmp_path / "nothing.parquet", Rejected)
    with pytest.raises(WorkspaceError, match="cannot write"):
        write_rows(tmp_path / "nowhere" / "rows.parquet", [], Rejected)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights")
    (tmp_path / "b").write_bytes(b"weights")
    assert file_hash(tmp_path / "a") == file_hash(tmp_path / "b") == "9a129038d9a00aed"
