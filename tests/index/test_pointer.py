import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.errors import MissingArtefact, WorkspaceError
from dragoman.index import open_index
from dragoman.index.pointer import next_name, read_pointer, tables, write_pointer

BuildSmall = Callable[..., tuple[Path, str]]


def test_a_folder_without_an_index_is_a_missing_artefact_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefact, match=r"no index in .*dragoman index"):
        open_index(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"table": 3}', '{"table": "../elsewhere"}', "\x00"])
def test_a_damaged_pointer_is_said_with_the_command(tmp_path: Path, content: str) -> None:
    (tmp_path / "current.json").write_text(content)
    with pytest.raises(WorkspaceError, match=r"current\.json.*dragoman index"):
        open_index(tmp_path)


def test_a_pointer_to_a_table_that_is_gone_is_a_missing_artefact(tmp_path: Path) -> None:
    write_pointer(tmp_path, "abc-000001")
    with pytest.raises(MissingArtefact, match="abc-000001 is gone"):
        open_index(tmp_path)


def test_another_layout_is_refused_by_its_number(build_small: BuildSmall) -> None:
    root, name = build_small(3)
    path = root / name / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    with pytest.raises(WorkspaceError, match=r"layout 99; expected layout 2.*dragoman index"):
        open_index(root)


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 2}', '{"schema": 2, "serving": {"model": "base"}}'])
def test_a_damaged_description_is_refused(build_small: BuildSmall, content: str) -> None:
    root, name = build_small(3)
    (root / name / "meta.json").write_text(content)
    with pytest.raises(WorkspaceError, match=r"meta.json is damaged"):
        open_index(root)


def test_tables_are_ordered_by_their_counter_not_by_their_content(tmp_path: Path) -> None:
    for name in ("zz-000001", "aa-000010", "mm-000002", "not a table", "x-000003.partial"):
        (tmp_path / name).mkdir()
    assert tables(tmp_path) == ["zz-000001", "mm-000002", "aa-000010"]
    assert next_name(tmp_path, "sha:../12 34") == "sha1234-000011"


def test_a_replaced_pointer_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_pointer(tmp_path, "a-000001")
    write_pointer(tmp_path, "b-000002")
    assert read_pointer(tmp_path) == "b-000002"
    assert [path.name for path in tmp_path.iterdir()] == ["current.json"]
