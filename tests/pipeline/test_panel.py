"""Who decides: people's questions before made ones, each asked of the model that never saw where its answer stands."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.errors import UsageError
from dragoman.pipeline.context import Run
from dragoman.pipeline.panel import Hearing, hear, judged_questions, panel_of, people_weight
from dragoman.recipes import parse_recipe
from dragoman.records import Chunk, Question, QuestionKind, Split
from dragoman.workspace import Workspace

HEADINGS = ("Anchors", "Buoys", "Cleats", "Decks")
SPLIT = Split(2, {name: name for name in HEADINGS}, {"Anchors": 0, "Buoys": 0, "Cleats": 1, "Decks": -1})


class Said:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, label: str, total: int) -> Any:
        raise AssertionError(f"nothing here is long work: {label}, {total}")


def chunk(name: str, line: int) -> Chunk:
    text = f"## {name}\n\nAll about {name.lower()}."
    trail = ("The boat", name)
    return Chunk(name, "docs", "boat.md", "The boat", trail, name, text, text, 0, len(text), line, line + 2, 9, "")


CHUNKS = [chunk(name, 10 * place + 1) for place, name in enumerate(HEADINGS)]


def asked(kind: QuestionKind, chunk_id: str, *also: str) -> Question:
    return Question(f"{kind} {chunk_id}", f"what are {chunk_id}", chunk_id, kind, "howto", also=also)


def run_of(folder: Path, **evaluate: object) -> Run:
    return Run(parse_recipe({"evaluate": evaluate}), Workspace(folder), Said())


def write_questions(folder: Path, *headings: str) -> str:
    path = folder / "real.jsonl"
    rows = [
        {
            "qid": f"q{place}",
            "question": f"where is {heading}",
            "relevant": [{"file": "boat.md", "heading": heading, "grade": 2}],
        }
        for place, heading in enumerate(headings)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


def test_structural_questions_judge_only_for_want_of_others() -> None:
    made, free, person = asked("llm", "Anchors"), asked("structure", "Buoys"), asked("person", "Cleats")
    assert judged_questions([free, made, person]) == [person, made]
    assert judged_questions([free]) == [free]


def test_only_what_one_round_holds_out_is_asked_and_of_that_round(tmp_path: Path) -> None:
    questions = [
        asked("llm", "Anchors"),
        asked("llm", "Cleats"),
        asked("llm", "Decks"),
        asked("llm", "Buoys", "Cleats"),
    ]
    hearing = hear(run_of(tmp_path), CHUNKS, questions, SPLIT)
    assert [(one.chunk_id, at) for one, at in zip(hearing.questions, hearing.rounds, strict=True)] == [
        ("Anchors", 0),
        ("Cleats", 1),
    ]
    assert hearing.counts.all()


def test_the_questions_of_the_file_come_last_and_count_where_their_place_was_held_out(tmp_path: Path) -> None:
    file = write_questions(tmp_path, "Cleats", "Decks")
    hearing = hear(run_of(tmp_path, questions=file), CHUNKS, [asked("llm", "Anchors")], SPLIT)
    assert [one.chunk_id for one in hearing.questions] == ["Anchors", "Cleats", "Decks"]
    assert hearing.rounds == (0, 1, 0)
    assert hearing.counts.tolist() == [True, True, False]
    assert [one.kind for one in hearing.counted] == ["llm", "person"]


def test_with_a_share_of_nothing_the_questions_of_the_file_are_asked_and_do_not_count(tmp_path: Path) -> None:
    file = write_questions(tmp_path, "Cleats")
    hearing = hear(run_of(tmp_path, questions=file, people_share=0), CHUNKS, [asked("llm", "Anchors")], SPLIT)
    assert hearing.counts.tolist() == [True, False]


def test_each_question_of_people_counts_a_hundredth_of_the_verdict(tmp_path: Path) -> None:
    questions = [asked("person", "Anchors"), *[asked("llm", "Buoys")] * 3]
    panel = panel_of(run_of(tmp_path), Hearing(tuple(questions), (0,) * 4, np.ones(4, dtype=bool)), SPLIT)
    assert panel.weights.tolist() == pytest.approx([0.01 * 4, *[0.99 / 3 * 4] * 3])
    assert np.average([1.0, 0, 0, 0], weights=panel.weights) == pytest.approx(0.01)
    assert panel_of(
        run_of(tmp_path), Hearing(tuple(questions[1:]), (0,) * 3, np.ones(3, dtype=bool)), SPLIT
    ).weights.tolist() == [1, 1, 1]
    assert (people_weight(1.0, 100), people_weight(1.0, 250), people_weight(0.5, 50)) == (1.0, 1.0, 0.25)


def test_a_hundred_questions_of_people_decide_alone(tmp_path: Path) -> None:
    people = [Question(f"p{n}", f"ask {n}", "Anchors", "person", "real") for n in range(100)]
    assert {one.kind for one in hear(run_of(tmp_path), CHUNKS, [*people, asked("llm", "Buoys")], SPLIT).counted} == {
        "person"
    }
    mixed = hear(run_of(tmp_path), CHUNKS, [*people[1:], asked("llm", "Buoys")], SPLIT)
    assert {one.kind for one in mixed.counted} == {"person", "llm"}


def test_a_place_that_is_not_in_the_docs_is_told_and_a_file_without_any_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path, questions=write_questions(tmp_path, "Cleats", "Masts"))
    hear(run, CHUNKS, [asked("llm", "Anchors")], SPLIT)
    assert isinstance(run.reporter, Said)
    assert any("Masts" in line and "no such heading" in line for line in run.reporter.lines)
    lost = run_of(tmp_path, questions=write_questions(tmp_path, "Masts"))
    with pytest.raises(UsageError, match="none of its 1 questions names a place"):
        hear(lost, CHUNKS, [asked("llm", "Anchors")], SPLIT)
