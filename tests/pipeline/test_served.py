"""The state of the index folder: replaced in one step, with a way back as long as the tables are there."""

from pathlib import Path

import pytest

from dragoman.errors import MissingArtefact, WorkspaceError
from dragoman.index.pointer import read_pointer, write_pointer
from dragoman.pipeline.served import SERVED, Served, need_served, read_served, roll_back, serve, trained_passages
from dragoman.records import ModelChoice


def swap(folder: Path, model: ModelChoice, *numbers: int) -> Served:
    """Serve the tables with these numbers, the base's first, the folders of which stand for tables."""
    tables: dict[ModelChoice, str] = {}
    models: tuple[ModelChoice, ...] = ("base", "tuned")
    for one, number in zip(models, numbers, strict=False):
        tables[one] = f"content-{number:06d}"
        (folder / one / tables[one]).mkdir(parents=True, exist_ok=True)
        write_pointer(folder / one, tables[one])
    served = Served(model, tables, {"verdict": str(numbers)})
    serve(folder, served, [f"passage of {numbers}"], keep=4)
    found = read_served(folder)
    assert found is not None
    assert (found.model, found.tables, found.made_of) == (model, tables, served.made_of)
    return found


def test_nothing_is_served_until_an_index_is_finished(tmp_path: Path) -> None:
    assert read_served(tmp_path) is None
    with pytest.raises(MissingArtefact, match="dragoman build"):
        need_served(tmp_path)
    with pytest.raises(MissingArtefact, match="dragoman build"):
        roll_back(tmp_path)


def test_a_rollback_goes_back_one_state_at_a_time(tmp_path: Path) -> None:
    first, second, third = swap(tmp_path, "base", 1), swap(tmp_path, "tuned", 2, 1), swap(tmp_path, "tuned", 3, 2)
    assert roll_back(tmp_path) == second == read_served(tmp_path)
    assert read_pointer(tmp_path / "tuned") == "content-000001"
    assert read_pointer(tmp_path / "base") == "content-000002"
    assert roll_back(tmp_path) == first
    assert read_pointer(tmp_path / "base") == "content-000001"
    with pytest.raises(MissingArtefact, match="no table before the served one"):
        roll_back(tmp_path)
    fourth = swap(tmp_path, "base", 4)
    assert roll_back(tmp_path) == first, "the one before is the one that was served, not the one built last"
    assert read_served(tmp_path) != fourth
    assert third.trained != first.trained


def test_a_state_whose_table_is_gone_is_passed_over(tmp_path: Path) -> None:
    first = swap(tmp_path, "base", 1)
    swap(tmp_path, "tuned", 2, 1)
    swap(tmp_path, "tuned", 3, 2)
    (tmp_path / "tuned" / "content-000001").rmdir()
    assert roll_back(tmp_path) == first


def test_tables_of_no_state_that_is_kept_are_removed_last(tmp_path: Path) -> None:
    for number in range(1, 7):
        swap(tmp_path, "base", number)
    assert sorted(path.name for path in (tmp_path / "base").glob("content-*")) == [
        f"content-{number:06d}" for number in range(3, 7)
    ]
    alone = Served("base", {"base": "content-000006"})
    serve(tmp_path, alone, [], keep=1)
    assert [path.name for path in (tmp_path / "base").glob("content-*")] == ["content-000006"]
    with pytest.raises(MissingArtefact, match="no table before the served one"):
        roll_back(tmp_path)


def test_a_swap_that_was_cut_short_leaves_the_way_back_to_what_was_served(tmp_path: Path) -> None:
    first, second = swap(tmp_path, "base", 1), swap(tmp_path, "base", 2)
    (tmp_path / "base" / "content-000003").mkdir()
    write_pointer(tmp_path / "base", "content-000003")  # and here the process dies
    assert roll_back(tmp_path) == second
    assert read_pointer(tmp_path / "base") == "content-000002"
    assert roll_back(tmp_path) == first


def test_what_training_saw_is_kept_as_long_as_a_state_names_it(tmp_path: Path) -> None:
    first = swap(tmp_path, "base", 1)
    assert trained_passages(tmp_path, first) == {"passage of (1,)"}
    second = swap(tmp_path, "base", 2)
    assert trained_passages(tmp_path, second) == {"passage of (2,)"}
    assert trained_passages(tmp_path, first)
    (tmp_path / "base" / "content-000001").rmdir()
    swap(tmp_path, "base", 3)
    assert trained_passages(tmp_path, first) == frozenset()
    assert trained_passages(tmp_path, second)


@pytest.mark.parametrize("text", ["", "[]", '{"states": [], "now": 0}', '{"states": [{"model": 3}], "now": 0}'])
def test_a_damaged_state_is_told_with_what_to_do(tmp_path: Path, text: str) -> None:
    swap(tmp_path, "base", 1)
    (tmp_path / SERVED).write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"Remove .* and run: dragoman index"):
        read_served(tmp_path)
