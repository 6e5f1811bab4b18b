"""Two runs side by side: figures worked by hand, and what is said when nothing can be said."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.evaluate.asked import AskedRow
from dragoman.evaluate.compare import paired_interval
from dragoman.evaluate.versus import Cost, Differs, Evaluated, Figures, Moved, compare_runs, pair
from dragoman.records import Interval

SECOND = 1 / math.log2(3)  # discount of rank 2
NOTHING = Cost(None, None, None, None)


def question(number: int, served: int = 1, **changed: Any) -> AskedRow:
    row = AskedRow(
        question_id=f"id {number:02}",
        text=f"where is jar {number}?",
        kind="llm",
        style="howto",
        document=f"shelf {number % 6}.md",
        unit=f"unit {number % 6}",
        weight=1.0,
        base=3,
        untuned=2,
        tuned=1,
        served=served,
    )
    return replace(row, **changed)


def run(asked: Sequence[AskedRow], path: str = "one", **changed: Any) -> Evaluated:
    made = Evaluated(path, "", "The base model is served.", 10, 200, 7, tuple(asked), {"seed": 7}, {}, NOTHING)
    return replace(made, **changed)


def test_the_figures_are_means_over_the_common_questions_worked_by_hand() -> None:
    first = [question(number, served=2 if number < 20 else 0) for number in range(40)]
    second = [question(number, served=1, tuned=0) for number in range(10, 45)]
    found = compare_runs(run(first), run(second, "two"))
    assert (found.k, found.common, found.by_text, found.only_first, found.only_second) == (10, 30, 0, 10, 5)
    expected = [
        Figures("base", 0.5, 0.5, 1, 1),
        Figures("untuned", SECOND, SECOND, 1, 1),
        Figures("tuned", 1, 0, 1, 0),
        Figures("served", SECOND / 3, 1, 1 / 3, 1),
    ]
    for row, figures in zip(found.figures, expected, strict=True):
        assert row.way == figures.way
        assert list(asdict(row).values())[1:] == pytest.approx(list(asdict(figures).values())[1:])
    assert found.gains["served"].mean == pytest.approx(1 - SECOND / 3)
    assert found.gains["tuned"] == Interval(-1, -1, -1)


def test_the_interval_is_paired_by_the_units_and_the_weights_of_the_first_run() -> None:
    draw = np.random.default_rng(2)
    before, after = draw.integers(1, 9, 36), draw.integers(1, 9, 36)
    weights = [0.5 + number % 3 for number in range(36)]
    first = [question(number, int(before[number]), weight=weights[number]) for number in range(36)]
    second = [question(number, int(after[number]), unit="other", weight=9.0) for number in range(36)]
    found = compare_runs(run(first), run(second, "two", rounds=999, seed=999))
    values = [1 / np.log2(1.0 + ranks) for ranks in (after, before)]
    units = [row.unit for row in first]
    weighted, alike = (
        paired_interval(values[0], values[1], units, rounds=200, seed=7, weights=given_weights)
        for given_weights in (np.array(weights), None)
    )
    assert found.gains["served"] == weighted != alike
    assert found.figures[3].second_ndcg == pytest.approx(np.average(values[0], weights=weights))


@pytest.mark.parametrize(
    ("served", "said"),
    [
        ([1] * 36, "As served, two is better: NDCG@10 +0.369 [+0.369, +0.369] from the first to the second"),
        ([3] * 36, "As served, one is better: NDCG@10 -0.131 [-0.131, -0.131] from the first to the second"),
        ([2] * 36, "As served, no difference larger than chance: NDCG@10 +0.000 [+0.000, +0.000]"),
        ([1, 3, 2, 3, 1, 2] * 6, "As served, no difference larger than chance: NDCG@10 +0.079 [-0."),
    ],
)
def test_the_difference_is_told_in_a_sentence(served: list[int], said: str) -> None:
    first = [question(number, 2) for number in range(36)]
    second = [question(number, rank, tuned=2) for number, rank in enumerate(served)]
    found = compare_runs(run(first), run(second, "two"))
    assert found.told[0].startswith(said)
    assert found.told[0].endswith(", on 36 questions that both asked.")
    assert found.told[1].startswith("With the tuned model in its best way, one is better: NDCG@10 -0.369")


def test_thirty_common_questions_are_enough_and_one_less_is_not() -> None:
    many = [question(number) for number in range(40)]
    enough = compare_runs(run(many), run([question(number) for number in range(10, 60)], "two"))
    assert (enough.common, len(enough.gains), len(enough.figures)) == (30, 2, 4)
    short = compare_runs(run(many), run([question(number) for number in range(11, 60)], "two"))
    assert (short.common, short.gains, short.figures) == (29, {}, ())
    (told,) = short.told
    assert told.startswith("Nothing can be said: 29 questions were asked by both, and at least 30 are needed; their")
    assert told.endswith("; their questions were made at different times, and are others.")


@pytest.mark.parametrize(
    ("settings", "origins", "keys"),
    [
        ({"seed": 8}, {}, "seed"),
        ({"seed": 8, "synth.requests": 50, "train.epochs": 3}, {}, "seed, synth.requests"),
        ({"seed": 7, "chat.port": 1}, {"revision of npm:jars": "2.0.0"}, "revision of npm:jars"),
    ],
)
def test_why_there_are_too_few_is_told_by_what_decides_the_questions(
    settings: dict[str, Any], origins: dict[str, str], keys: str
) -> None:
    before: dict[str, Any] = {"seed": 7, "synth.requests": 100, "train.epochs": 2, "chat.port": 0}
    first = run([question(number) for number in range(40)], settings=before, origins={"revision of npm:jars": "1.0.0"})
    second = run(
        [question(number) for number in range(50, 90)],
        "two",
        settings=before | settings,
        origins={"revision of npm:jars": "1.0.0"} | origins,
    )
    (told,) = compare_runs(first, second).told
    assert told.startswith("Nothing can be said: 0 questions were asked by both")
    assert told.endswith(f"they ask other questions, since these differ: {keys}.")


def test_a_run_that_asked_few_questions_is_named() -> None:
    few = run([question(number) for number in range(12)], "two", settings={"seed": 8})
    (told,) = compare_runs(run([question(number) for number in range(40)]), few).told
    assert told.endswith("; two asked only 12.")


def test_of_one_part_of_the_docs_nothing_can_be_said_and_the_figures_stay() -> None:
    rows = [question(number, unit="only") for number in range(40)]
    found = compare_runs(run(rows), run(rows, "two"))
    assert found.told[0].startswith("Nothing can be said: the 40 questions that both asked are about one part of")
    assert (len(found.told), found.gains, len(found.figures)) == (1, {}, 4)
    json.dumps(asdict(found), allow_nan=False)


def test_the_smaller_k_counts_for_both_and_this_is_told() -> None:
    rows = [question(number, 3) for number in range(40)]
    found = compare_runs(run(rows, k=10), run(rows, "two", k=2))
    assert found.k == 2
    assert (found.figures[0].first_ndcg, found.figures[3].first_recall) == (0, 0)
    assert found.notes == ("The first run counts 10 hits and the second 2: here the first 2 count.",)


def test_another_base_model_or_cut_is_told() -> None:
    rows = [question(number) for number in range(40)]
    same = {"models.embedding": "mini", "chunk.tokens": 256}
    found = compare_runs(
        run(rows, settings=same), run(rows, settings={"models.embedding": "large", "chunk.tokens": 64})
    )
    assert found.notes[0].startswith("The base models differ (mini, large)")
    assert found.notes[1].startswith("The docs are cut differently")
    assert compare_runs(run(rows, settings=same), run(rows, settings=same)).notes == ()


def test_notes_of_the_runs_themselves_come_first() -> None:
    found = compare_runs(run([], notes=("one is old",)), run([], "two", k=5, notes=("two is old",)))
    assert found.notes[:2] == ("one is old", "two is old")
    assert len(found.notes) == 3


def test_everything_that_differs_is_listed_and_nothing_else() -> None:
    first = run([], settings={"seed": 1, "train.epochs": 2, "train.mixes": [0.5, 1.0]}, origins={"base model": "mini"})
    second = run(
        [], settings={"seed": 1, "train.epochs": 3, "train.mixes": [0.5, 1.0], "x": None}, origins={"torch": "2"}
    )
    assert compare_runs(first, second).differs == (
        Differs("train.epochs", 2, 3),
        Differs("base model", "mini", None),
        Differs("torch", None, "2"),
    )


def test_what_moved_most_comes_first_and_equals_by_id() -> None:
    before, after = (1, 3, 2, 40, 0, 5, 1), (2, 1, 3, 12, 1, 5, 2)
    first = [question(number, rank) for number, rank in enumerate(before)]
    second = [question(number, rank) for number, rank in enumerate(after)]
    found = compare_runs(run(list(reversed(first))), run(second, "two"))
    assert [(row.question, row.before, row.after) for row in found.moved] == [
        ("where is jar 4?", 0, 1),
        ("where is jar 1?", 3, 1),
        ("where is jar 0?", 1, 2),
        ("where is jar 6?", 1, 2),
        ("where is jar 2?", 2, 3),
    ]
    assert found.moved[2] == Moved("where is jar 0?", "shelf 0.md", 1, 2, float(1 / np.log2(3.0)) - 1)
    assert len(compare_runs(run(first), run(second), top=2).moved) == 2


def test_questions_are_paired_by_id_whatever_they_say() -> None:
    pairs = pair([question(1), question(2)], [question(2, text="reworded"), question(3)])
    assert [(one.question_id, other.text) for one, other in zip(pairs.first, pairs.second, strict=True)] == [
        ("id 02", "reworded")
    ]
    assert pairs.by_text == 0


def test_a_question_with_another_id_is_paired_by_its_text_and_document() -> None:
    first = [question(1), question(2), question(3), question(4), question(5)]
    second = [
        question(1),
        question(2, question_id="cut anew"),
        question(3, question_id="of another page", document="cellar.md"),
        question(4, question_id="twice a"),
        question(4, question_id="twice b"),
        question(6, text=question(5).text, document=question(5).document),
        question(5, question_id="id 05 still", text="another"),
    ]
    pairs = pair(first, second)
    assert [other.question_id for other in pairs.second] == ["id 01", "cut anew", "id 06"]
    assert pairs.by_text == 2


def test_a_question_that_has_its_own_pair_is_nobody_elses() -> None:
    first = [question(1), question(2, text="the same", document="d")]
    second = [question(1, text="the same", document="d"), question(3)]
    assert [one.question_id for one in pair(first, second).first] == ["id 01"]


ROWS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 5)).map(
        lambda one: question(one[0], text=f"text {one[1]}", document="d")
    ),
    max_size=9,
    unique_by=lambda row: row.question_id,
)


@given(first=ROWS, second=ROWS)
def test_each_question_is_in_one_pair_at_most_and_the_order_of_the_runs_does_not_matter(
    first: list[AskedRow], second: list[AskedRow]
) -> None:
    there, back = pair(first, second), pair(second, first)
    for rows, given_rows in ((there.first, first), (there.second, second)):
        ids = [row.question_id for row in rows]
        assert len(set(ids)) == len(ids)
        assert set(rows) <= set(given_rows)
    assert set(zip(there.first, there.second, strict=True)) == set(zip(back.second, back.first, strict=True))
    assert there.by_text == back.by_text
