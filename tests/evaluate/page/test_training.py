"""How the training went: validation is drawn where there is a course of it, and what is told is shown."""

from typing import Any

import pytest
from tests.evaluate.page.reader import Reader

from dragoman.evaluate.page.training import training


def drawn(report: dict[str, Any], values: list[Any]) -> str:
    report["training"]["rounds"] = [{"validation": value} for value in values]
    return training(report)


def test_validation_is_drawn_when_a_round_has_two_epochs(report: dict[str, Any]) -> None:
    page = drawn(report, [[0.5], [0.6, 0.7]])
    assert "NDCG@10 of dense search on validation, after each epoch" in page
    assert page.count("<polyline") == 3, "two rounds and their mean"


@pytest.mark.parametrize("values", [[[0.5], [0.6]], [[]], [None], ["0.5"], [[True, None, float("nan")]]])
def test_one_epoch_is_no_course(report: dict[str, Any], values: list[Any]) -> None:
    assert "<svg" not in drawn(report, values)


def test_the_mean_ends_where_the_first_round_stopped(report: dict[str, Any]) -> None:
    text = Reader(drawn(report, [[0.5, 0.7, 0.9], [0.6, 0.8]])).text
    assert "the mean is 0.550 after one epoch, 0.750 after 2; some rounds stopped there" in text
    assert "stopped" not in Reader(drawn(report, [[0.5, 0.7], [0.6, 0.8]])).text


def test_epochs_stand_below_the_course_a_few_of_many(report: dict[str, Any]) -> None:
    page = drawn(report, [[0.5 + place / 1000 for place in range(40)]])
    assert [f'text-anchor="{anchor}">' in page for anchor in ("start", "end")] == [True, False]
    assert ">37</text>" in page
    assert ">38</text>" not in page


def test_method_teacher_and_times_are_told(report: dict[str, Any]) -> None:
    text = Reader(training(report)).text
    assert "What was tunedlow-rank additions to the weights (LoRA)" in text
    assert report["training"]["teacher"] in text
    assert "Epochs a round2 to 3" in text
    assert "Time a round2 min" in text
    report["training"]["method"] = "something <new>"
    assert "What was tunedsomething <new>" in Reader(training(report)).text
