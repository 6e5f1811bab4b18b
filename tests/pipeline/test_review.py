"""What reviewers say changes what is trained on and what is served: files are the desk here, the other desks hold the same contract."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.cli.settings import make_run
from dragoman.models.stub import StubServer
from dragoman.pipeline.synth import load_passages, load_questions
from dragoman.pipeline.verdicts import load_verdicts
from dragoman.records import Question
from dragoman.train.rows import training_rows
from dragoman.workspace import Workspace

Row = dict[str, str]
Change = Callable[[list[Row]], None]


@pytest.fixture
def mill(tmp_path: Path, mill_docs: Any, dragoman: Any, endpoint: StubServer, minilm: Path) -> Path:
    """A workspace with the questions of the mill."""
    workspace = tmp_path / "workspace"
    dragoman("ingest", mill_docs(), "--workspace", workspace, "--set", f"models.embedding={minilm}")
    dragoman("synth", "--workspace", workspace, "--llm", endpoint.base_url)
    return workspace


@pytest.fixture
def labelled(mill: Path, tmp_path: Path, dragoman: Any) -> Callable[..., Any]:
    """Exports one kind, has it changed as somebody would in a spreadsheet, and imports it."""

    def label(kind: str, change: Change, *options: str) -> Any:
        path = tmp_path / f"{kind}.csv"
        if not path.exists():
            dragoman("review", "export", kind, path, "--workspace", mill)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        change(rows)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return dragoman("review", "import", kind, path, "--workspace", mill, *options)

    return label


def answer(row: Row, **values: str) -> None:
    row.update({"is_positive_relevant": "yes", "is_negative_irrelevant": "yes", "reviewer": "ada"} | values)


def questions(mill: Path) -> dict[str, Question]:
    return {one.id: one for one in load_questions(make_run(workspace=mill, quiet=True))}


def test_dropped_pairs_leave_training_corrected_ones_enter_it_and_the_counts_add_up(
    mill: Path, labelled: Any, dragoman: Any
) -> None:
    seen: dict[str, list[Row]] = {}

    def change(rows: list[Row]) -> None:
        dropped, corrected, kept = rows[:3], rows[3:5], rows[5:9]
        for row in dropped:
            answer(row, is_positive_relevant="no")
        for number, row in enumerate(corrected):
            answer(row, question=f"How does the miller do part {number} of the work?")
        for row in kept:
            answer(row)
        seen.update(dropped=dropped, corrected=corrected, kept=kept)

    said = labelled("triplets", change).stdout
    assert "4 kept" in said
    assert "2 corrected" in said
    assert "3 dropped" in said
    status = json.loads(dragoman("status", "--workspace", mill, "--json").stdout)["stages"]
    assert [row["state"] for row in status[:2]] == ["fresh", "stale"]
    assert "verdicts" in " ".join(status[1]["reasons"])

    dragoman("synth", "--workspace", mill)
    after = questions(mill)
    assert not {row["id"] for row in seen["dropped"] + seen["corrected"]} & set(after)
    assert all(after[row["id"]].votes == 1 and after[row["id"]].train for row in seen["kept"])
    rewritten = [one for one in after.values() if one.kind == "person"]
    assert {one.text for one in rewritten} == {row["question"] for row in seen["corrected"]}
    assert {one.chunk_id for one in rewritten} == {row["chunk_id"] for row in seen["corrected"]}
    manifest = Workspace(mill).need("synth")
    steps, counts = manifest.notes["steps"], manifest.notes["verdicts"]
    assert isinstance(steps, dict)
    assert steps["rejected in review"] == 3
    assert counts == {"kept": 4, "corrected": 2, "dropped": 3}


def test_a_pair_that_a_person_vouched_for_counts_more_than_once(mill: Path, labelled: Any, dragoman: Any) -> None:
    labelled("triplets", lambda rows: answer(rows[0], question="Who carries the sacks up?"))
    dragoman("synth", "--workspace", mill)
    run = make_run(workspace=mill, quiet=True)
    chunks = {chunk.id: chunk for chunk in load_passages(run)}
    rows = training_rows(load_questions(run), chunks, 1.0, 0, people_weight=run.recipe.train.people_weight)
    assert sum(row.question == "Who carries the sacks up?" for row in rows) == run.recipe.train.people_weight == 2


def test_a_chunk_that_is_thrown_out_is_gone_with_its_questions(mill: Path, labelled: Any, dragoman: Any) -> None:
    bad: list[str] = []

    def change(rows: list[Row]) -> None:
        rows[0].update(good_chunk="no", reviewer="ada")
        rows[1].update(good_chunk="yes", reviewer="ada")
        bad.append(rows[0]["id"])

    labelled("chunks", change)
    dragoman("synth", "--workspace", mill)
    run = make_run(workspace=mill, quiet=True)
    assert bad[0] not in {chunk.id for chunk in load_passages(run)}
    assert not [one for one in load_questions(run) if bad[0] in one.answers]
    assert len(load_passages(run)) == Workspace(mill).need("ingest").rows["chunks"] - 1


def test_a_second_import_replaces_the_first_and_taking_it_back_restores_the_questions(
    mill: Path, labelled: Any, dragoman: Any
) -> None:
    before = questions(mill)
    labelled("triplets", lambda rows: answer(rows[0], is_positive_relevant="no"))
    dragoman("synth", "--workspace", mill)
    assert len(before.keys() - questions(mill).keys()) == 1

    def take_back(rows: list[Row]) -> None:
        rows[0].update(is_positive_relevant="", is_negative_irrelevant="", reviewer="")

    labelled("triplets", take_back)
    assert load_verdicts(make_run(workspace=mill, quiet=True)) == []
    dragoman("synth", "--workspace", mill)
    assert questions(mill) == before


def test_nobody_is_asked_to_pay_again_after_a_review(
    mill: Path, labelled: Any, dragoman: Any, endpoint: StubServer
) -> None:
    labelled("triplets", lambda rows: answer(rows[0], is_positive_relevant="no"))
    before = len(endpoint.requests)
    dragoman("synth", "--workspace", mill)
    assert len(endpoint.requests) == before


def test_two_people_with_files_of_one_name_are_two_people_and_the_latest_answer_of_one_counts(
    mill: Path, tmp_path: Path, dragoman: Any
) -> None:
    def fill(folder: str, **values: str) -> Any:
        path = tmp_path / folder / "review.csv"
        path.parent.mkdir(exist_ok=True)
        dragoman("review", "export", "triplets", path, "--workspace", mill, "--items", "3")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            answer(row, **values)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return dragoman("review", "import", "triplets", path, "--workspace", mill, "--json")

    assert json.loads(fill("ada", reviewer="ada", is_positive_relevant="no").stdout)[0]["tally"]["dropped"] == 3
    both = json.loads(fill("ben", reviewer="ben").stdout)[0]
    assert (both["brought"], both["tally"]["responses"], both["tally"]["disputed"]) == (3, 6, 3)
    changed = json.loads(fill("later", reviewer="ada").stdout)[0]
    assert (changed["tally"]["responses"], changed["tally"]["kept"]) == (6, 3)


def test_an_id_that_nobody_knows_and_a_file_without_answers_are_told(
    mill: Path, labelled: Any, tmp_path: Path, dragoman: Any
) -> None:
    assert "Nobody has answered anything" in labelled("triplets", lambda _: None).stdout

    def change(rows: list[Row]) -> None:
        answer(rows[0], id="1.02E+15")

    path = tmp_path / "triplets.csv"
    with pytest.raises(AssertionError, match=r"1\.02E\+15"):
        labelled("triplets", change)
    assert path.exists()
    assert load_verdicts(make_run(workspace=mill, quiet=True)) == []
    assert (
        "conversations"
        in dragoman("review", "export", "triplets", path, "--turns", path, "--workspace", mill, code=2).stderr
    )


def test_what_was_made_is_what_was_kept_and_rejected(mill: Path, labelled: Any, dragoman: Any) -> None:
    def change(rows: list[Row]) -> None:
        for row in rows[:4]:
            answer(row, is_positive_relevant="no")

    labelled("triplets", change)
    dragoman("synth", "--workspace", mill)
    rows = Workspace(mill).need("synth").rows
    assert rows["made"] == rows["kept"] + rows["rejected"]


def test_chunks_can_be_reviewed_before_there_are_questions(
    tmp_path: Path, mill_docs: Any, dragoman: Any, minilm: Path
) -> None:
    workspace = tmp_path / "workspace"
    dragoman("ingest", mill_docs(), "--workspace", workspace, "--set", f"models.embedding={minilm}")
    chunks = Workspace(workspace).need("ingest").rows["chunks"]
    said = dragoman("review", "export", "chunks", tmp_path / "c.csv", "--workspace", workspace).stdout
    assert f"{chunks} added" in said
    early = dragoman("review", "export", "triplets", tmp_path / "t.csv", "--workspace", workspace, code=1)
    assert "dragoman synth" in early.stderr
