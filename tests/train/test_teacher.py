"""Who may teach: a real cross-encoder that is right may, one of random weights may not."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.cross_encoders import write_untaught, write_word_counter

from dragoman.evaluate.compare import paired_interval
from dragoman.models.protocols import Advance, Reranker, Vectors
from dragoman.models.reranker import CrossReranker
from dragoman.records import Interval
from dragoman.train.teacher import TeacherVerdict, teacher_check

INTERVAL = partial(paired_interval, rounds=500, seed=13)
TOOLS = ("saw", "plane", "chisel", "clamp", "drill", "file", "hammer", "router", "ladder", "brush", "glue", "sand")
ASKED = ("Where does the {} hang after work?", "Who keeps the {} dry in winter?")
SAID = ("After work the {} hangs on the left wall.", "Ida keeps the {} dry all winter.")


class LongestFirst:
    """Takes the longer passage for the better one."""

    name = "longest first"

    def score(self, pairs: Sequence[tuple[str, str]], advance: Advance | None = None) -> Vectors:
        """The length of each passage."""
        if advance:
            advance(len(pairs))
        return np.array([len(passage) for _, passage in pairs], dtype=np.float32)


@pytest.fixture(scope="module")
def right_one(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> CrossReranker:
    """A cross-encoder that finds the passage with the question's words."""
    folder = write_word_counter(tmp_path_factory.mktemp("right") / "word-counter", minilm)
    return CrossReranker(str(folder), mirrors=False, say=lambda _: None)


@pytest.fixture(scope="module")
def untaught(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> CrossReranker:
    """A cross-encoder of random weights."""
    folder = write_untaught(tmp_path_factory.mktemp("untaught") / "untaught", minilm)
    return CrossReranker(str(folder), mirrors=False, say=lambda _: None)


def check(reranker: Reranker, *, rank: int) -> TeacherVerdict:
    """The check on 24 questions about 12 tools, whose answers the base has at ``rank`` of 6."""
    questions, candidates, right = [], [], []
    for number, tool in enumerate(TOOLS):
        others = [TOOLS[(number + step) % len(TOOLS)] for step in range(1, 6)]
        for asked, said in zip(ASKED, SAID, strict=True):
            found = [said.format(other) for other in others]
            found.insert(rank - 1, said.format(tool))
            questions.append(asked.format(tool))
            candidates.append(found)
            right.append({rank - 1})
    units = [tool for tool in TOOLS for _ in ASKED]
    return teacher_check(reranker, questions, candidates, right, units, k=10, interval=INTERVAL)


def test_one_that_is_right_may_teach_a_base_that_is_not(right_one: CrossReranker) -> None:
    verdict = check(right_one, rank=4)
    assert verdict.base == pytest.approx(1 / math.log2(5))
    assert verdict.teacher > 0.95
    assert verdict.teaches
    assert verdict.gain.low > 0.4
    assert verdict.line().startswith("word-counter ranks with NDCG@10 ")
    assert verdict.line().endswith("the model also learns from this teacher.")


def test_one_that_is_right_has_nothing_to_teach_a_base_that_is_right_too(right_one: CrossReranker) -> None:
    verdict = check(right_one, rank=1)
    assert verdict.base == 1
    assert not verdict.teaches
    assert "no gain beyond chance" in verdict.line()


def test_one_of_random_weights_may_not_teach(untaught: CrossReranker) -> None:
    verdict = check(untaught, rank=2)
    assert not verdict.teaches
    assert verdict.gain.mean < 0
    assert verdict.line().endswith("the model is tuned without this teacher.")


def test_the_figures_are_those_worked_out_by_hand() -> None:
    questions = ["a", "b", "c", "d"]
    candidates = [["x", "yyy", "zz"], ["x", "yy"], ["xxx", "yy", "z"], []]
    right = [{1, 2}, {0}, set(), set()]
    done: list[int] = []
    verdict = teacher_check(
        LongestFirst(), questions, candidates, right, ["u", "v", "v", "w"], k=1, interval=INTERVAL, advance=done.append
    )
    # Base: rank 2 (beyond k), 1, none, none. Teacher: 1, 2 (beyond k), none, none.
    assert (verdict.base, verdict.teacher) == (0.25, 0.25)
    assert verdict.gain.mean == 0
    assert sum(done) == 8
    wider = teacher_check(LongestFirst(), questions, candidates, right, ["u", "v", "v", "w"], k=2, interval=INTERVAL)
    assert wider.base == pytest.approx((1 / math.log2(3) + 1) / 4)
    assert wider.teacher == pytest.approx((1 + 1 / math.log2(3)) / 4)
    # Beyond the first right one there is nothing to win: the second at rank 2 of the first question adds nothing.
    assert wider.gain.mean == pytest.approx(0)


def test_the_interval_is_of_teacher_minus_base_by_units() -> None:
    asked: list[object] = []

    def interval(first: np.ndarray, second: np.ndarray, units: Sequence[str]) -> Interval:
        asked.append((first.tolist(), second.tolist(), list(units)))
        return Interval(0.2, 0.1, 0.3)

    verdict = teacher_check(
        LongestFirst(), ["a", "b"], [["x", "yy"], ["x"]], [{1}, {0}], ["u", "v"], k=1, interval=interval
    )
    assert asked == [([1.0, 1.0], [0.0, 1.0], ["u", "v"])]
    assert verdict.teaches
    assert "0.500 (+0.200, 95% interval +0.100 to +0.300)" in verdict.line()


@pytest.mark.parametrize(("low", "teaches"), [(-0.01, False), (0.0, False), (0.01, True)])
def test_a_gain_counts_only_where_its_interval_stays_above_zero(*, low: float, teaches: bool) -> None:
    assert TeacherVerdict("x", 10, 0.5, 0.6, Interval(0.1, low, 0.2)).teaches is teaches


def test_questions_of_one_unit_or_none_prove_nothing() -> None:
    verdict = teacher_check(LongestFirst(), ["a"], [["x", "yy"]], [{1}], ["u"], k=10, interval=INTERVAL)
    assert not verdict.teaches
    assert "on too few questions to tell" in verdict.line()
    assert "inf" not in verdict.line()
    nothing = teacher_check(LongestFirst(), [], [], [], [], k=10, interval=INTERVAL)
    assert (nothing.base, nothing.teacher, nothing.teaches) == (0, 0, False)
