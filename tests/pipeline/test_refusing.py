"""Beside the held-out questions, some that the docs do not answer are asked, each of a model that never saw where they came from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.evaluate.gate import Panel, first_half
from dragoman.evaluate.off_topic import CHOOSING, TESTING
from dragoman.pipeline.context import Run
from dragoman.pipeline.refusing import refusal_of, strangers_of
from dragoman.recipes import parse_recipe
from dragoman.records import Question, Split
from dragoman.tables import write_rows
from dragoman.workspace import Workspace

CHUNKS = [f"c{n}" for n in range(12)]
UNITS = {chunk: f"page {chunk}" for chunk in CHUNKS}
# The last page is never held out.
SPLIT = Split(3, UNITS, {unit: place % 3 if place < 11 else -1 for place, unit in enumerate(UNITS.values())})
LISTED = len(CHOOSING) + len(TESTING)


class Silent:
    """A reporter for work that tells nothing."""

    def say(self, text: str) -> None:
        raise AssertionError(text)

    def progress(self, label: str, total: int) -> Any:
        raise AssertionError(f"nothing here is long work: {label}, {total}")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(parse_recipe({"chat": {"passages": 2, "false_refusal": 0.1}}), Workspace(tmp_path), Silent())


@pytest.fixture
def written(run: Run) -> Run:
    """The run with an unanswerable question about each chunk, and about one that is gone."""
    rows = [
        Question(f"q{chunk}", f"does {chunk} float", chunk, "llm", "unanswerable", train=False)
        for chunk in [*CHUNKS, "gone"]
    ]
    folder = run.workspace.folder("synth")
    folder.mkdir(parents=True)
    write_rows(folder / "unanswerable.parquet", rows, Question)
    return run


def test_an_unanswerable_question_is_asked_of_the_model_that_its_chunk_was_held_out_from(written: Run) -> None:
    found = strangers_of(written, SPLIT, [0, 1, 2, 0])
    assert len(found.questions) == len(found.rounds) == len(found.units) == len(found.chooses) == 13 + LISTED
    assert found.off_topic == LISTED
    for chunk, number in zip(CHUNKS[:11], found.rounds, strict=False):
        assert number == SPLIT.held_out(chunk)
    assert set(found.rounds) == {0, 1, 2}
    assert all(question.chunk_id == "" and not question.train for question in found.questions)


def test_only_models_that_are_asked_anyway_are_asked(written: Run) -> None:
    assert set(strangers_of(written, SPLIT, [1, 1]).rounds) == {1}


def test_the_models_share_the_off_topic_questions(run: Run) -> None:
    found = strangers_of(run, SPLIT, [0, 1, 2])
    assert [question.text for question in found.questions] == [*CHOOSING, *TESTING]
    counts = np.bincount(found.rounds)
    assert counts.max() - counts.min() <= 1
    assert found.chooses.tolist() == [True] * len(CHOOSING) + [False] * len(TESTING)


def test_a_page_chooses_or_tests_with_all_of_its_questions(written: Run) -> None:
    found = strangers_of(written, SPLIT, [0, 1, 2])
    pages = list(UNITS.values())
    assert found.chooses[:12].tolist() == first_half(pages).tolist()
    assert 0 < found.chooses[:12].sum() < 12


def test_where_nothing_is_asked_no_stranger_is(written: Run) -> None:
    found = strangers_of(written, SPLIT, [])
    assert found.questions == ()
    assert found.off_topic == 0


def test_refusal_is_calibrated_on_the_questions_that_count(written: Run) -> None:
    strangers = strangers_of(written, SPLIT, [0, 1, 2])
    count = 240
    panel = Panel([f"unit {n % 80}" for n in range(count)], [n % 3 for n in range(count)], np.ones(count), 200, 1)
    confidence, ranks = np.linspace(0.4, 0.9, count), np.tile([1, 2, 3, 0], count // 4)
    unsure = np.concatenate([np.linspace(0.3, 0.5, 13), np.linspace(0.0, 0.2, LISTED)])
    close, far = strangers.sureness(unsure)
    assert close.confidence.tolist() == unsure[:13].tolist()
    assert far.confidence.tolist() == unsure[13:].tolist()
    refusal, section = refusal_of(written, panel, confidence, ranks, (close, far))
    assert refusal is not None
    assert 0.2 < refusal.off_topic < 0.4 < refusal.threshold < 0.5
    assert refusal.rate == 0.1
    # Found among the first two, which is what is read: half of them.
    assert section["passages"] == 2
    tested = ~first_half(panel.units)
    wrong = (tested & ~np.isin(ranks, [1, 2])).sum() + (~close.chooses).sum()
    assert section["without"]["risk"]["mean"] == pytest.approx(
        wrong / (tested.sum() + (~close.chooses).sum()), abs=1e-4
    )
