"""A question is refused below a score that answerable questions seldom fall below, and what that costs is measured on others."""

from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.evaluate.off_topic import CHOOSING, TESTING
from dragoman.evaluate.refusal import MINIMUM_CHOOSING, Sureness, auroc, calibrate, refusal_threshold, wilson
from dragoman.records import Refusal

SCORES = st.lists(st.integers(0, 9999).map(lambda value: value / 10_000), min_size=MINIMUM_CHOOSING, max_size=200)
NOBODY = Sureness(*(np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0)), [])


def questions(confidence: list[float] | np.ndarray, *, right: float = 1.0, chooses: bool | None = None) -> Sureness:
    """Every other one chooses, unless told; each is of a unit of its own."""
    count = len(confidence)
    halves = np.arange(count) % 2 == 0 if chooses is None else np.full(count, chooses)
    return Sureness(
        np.array(confidence, dtype=float),
        np.full(count, right),
        halves,
        np.ones(count),
        [f"u{n}" for n in range(count)],
    )


def spread(low: float, high: float, count: int = 200) -> np.ndarray:
    return np.random.default_rng(3).permutation(np.linspace(low, high, count))


def measure(
    answerable: Sureness, unanswerable: Sureness = NOBODY, off_topic: Sureness = NOBODY, rate: float = 0.1
) -> tuple[Refusal | None, dict[str, Any]]:
    return calibrate(answerable, unanswerable, off_topic, rate, rounds=200, seed=1)


@given(SCORES, st.sampled_from([0.02, 0.05, 0.1, 0.25, 0.5]))
def test_the_threshold_refuses_no_more_than_its_share_with_one_to_come_counted_as_refused(
    scores: list[float], rate: float
) -> None:
    confidence = np.array(scores)
    found = refusal_threshold(confidence, np.ones(len(scores)), rate)
    most = int(rate * (len(scores) + 1) + 1e-9)
    if found is None:
        assert most == 0
        return
    assert (confidence < found).sum() + 1 <= most
    # And it is the largest such score: above the next question it would be one too many.
    assert (confidence <= found + 1e-4).sum() >= most


def test_questions_to_come_are_refused_no_more_than_the_share_on_average() -> None:
    draw = np.random.default_rng(11)
    refused = []
    for _ in range(2000):
        scores = draw.beta(5, 3, 80)
        found = refusal_threshold(scores[:-1], np.ones(79), 0.05)
        refused.append(found is not None and scores[-1] < found)
    # Four of 80 are below it, less what the cut to four digits lets through: the mean's own error is half a percent.
    assert 0.03 < np.mean(refused) < 0.0625


def test_few_questions_or_a_small_share_give_no_threshold() -> None:
    few = np.linspace(0.1, 0.9, MINIMUM_CHOOSING - 1)
    assert refusal_threshold(few, np.ones(len(few)), 0.5) is None
    enough = np.linspace(0.1, 0.9, MINIMUM_CHOOSING)
    assert refusal_threshold(enough, np.ones(len(enough)), 0.01) is None
    assert refusal_threshold(enough, np.ones(len(enough)), 0.02) == pytest.approx(0.1)


def test_a_question_that_counts_more_is_harder_to_refuse() -> None:
    scores, alike = np.linspace(0.1, 0.9, 101), np.ones(101)
    heavy = np.where(np.arange(101) == 2, 4.0, 1.0)
    plain, careful = (refusal_threshold(scores, weights, 0.05) for weights in (alike, heavy))
    assert plain is not None
    assert careful is not None
    assert careful < plain
    assert careful <= scores[2]


def test_no_refusal_says_how_many_questions_are_missing() -> None:
    refusal, section = measure(questions(spread(0.3, 0.9, 40)))
    assert refusal is None
    assert section == {"note": "20 held-out questions are too few to choose when to refuse: at least 50 are needed."}
    refusal, section = measure(questions(spread(0.3, 0.9, 120)), rate=0.001)
    assert refusal is None
    assert "60 held-out questions" in section["note"]
    assert "0.001" in section["note"]


def test_the_questions_that_test_have_no_part_in_the_choice() -> None:
    answerable, far = questions(spread(0.3, 0.9)), questions(spread(0.0, 0.2, 40))
    chosen, _ = measure(answerable, NOBODY, far)
    lower = replace(answerable, confidence=np.where(answerable.chooses, answerable.confidence, 0.0))
    other, section = measure(lower, NOBODY, far)
    assert chosen is not None
    assert other is not None
    assert (other.threshold, other.off_topic) == (chosen.threshold, chosen.off_topic)
    assert chosen.measured == pytest.approx(0.1, abs=0.05)
    assert other.measured == 1.0
    assert section["choosing"] == 100


def test_each_kind_is_told_with_what_is_refused_of_it() -> None:
    kinds = questions(spread(0.4, 0.9)), questions(spread(0.2, 0.5, 60), right=0.0), questions(spread(0.0, 0.15, 40))
    refusal, section = measure(*kinds)
    assert refusal is not None
    rows = {row["kind"]: row for row in section["rows"]}
    assert list(rows) == ["answerable", "unanswerable", "off-topic"]
    assert [row["questions"] for row in rows.values()] == [100, 30, 20]
    assert rows["answerable"]["refused"]["mean"] == refusal.measured
    assert rows["unanswerable"]["refused"]["low"] < 0.8 < rows["unanswerable"]["refused"]["high"]
    assert rows["off-topic"]["refused"]["mean"] == rows["off-topic"]["told_off_topic"] == 1.0
    assert 0.15 < refusal.off_topic < 0.2 < refusal.threshold
    assert rows["off-topic"]["auroc"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert "auroc" not in rows["answerable"]


def test_without_unanswerable_questions_off_topic_ones_are_told_from_answerable_ones() -> None:
    refusal, section = measure(questions(spread(0.4, 0.9)), NOBODY, questions(spread(0.0, 0.2, 40)))
    assert refusal is not None
    assert 0.2 < refusal.off_topic < 0.4 < refusal.threshold
    assert [row["kind"] for row in section["rows"]] == ["answerable", "off-topic"]


@settings(max_examples=40)
@given(SCORES, SCORES, SCORES)
def test_what_is_off_topic_is_refused(answerable: list[float], close: list[float], far: list[float]) -> None:
    refusal, _ = measure(questions(answerable + answerable), questions(close), questions(far))
    assert refusal is not None
    assert refusal.off_topic <= refusal.threshold


def test_the_curve_falls_to_what_the_surest_questions_risk() -> None:
    # The surer half is right, the other half is wrong.
    confidence = spread(0.2, 1.0)
    answerable = replace(questions(confidence), right=(confidence >= 0.6).astype(float))
    refusal, section = measure(answerable, rate=0.2)
    assert refusal is not None
    coverage, risk = ([point[key] for point in section["curve"]] for key in ("coverage", "risk"))
    assert coverage == sorted(coverage)
    assert coverage[-1] == 1.0
    assert risk[0] == 0.0
    wrong = 1.0 - answerable.testing.right
    assert risk[-1] == section["without"]["risk"]["mean"] == pytest.approx(wrong.mean(), abs=1e-4)
    answered = answerable.testing.confidence >= refusal.threshold
    assert section["point"]["coverage"] == pytest.approx(answered.mean())
    assert section["point"]["risk"]["mean"] == pytest.approx(wrong[answered].mean(), abs=1e-4)
    assert section["point"]["risk"]["mean"] < section["without"]["risk"]["mean"]


def test_an_unanswerable_question_that_is_answered_is_wrong() -> None:
    answerable = questions(spread(0.4, 0.9))
    _, alone = measure(answerable)
    _, among = measure(answerable, questions(spread(0.8, 0.9, 100), right=0.0))
    assert alone["without"]["risk"]["mean"] == 0.0
    assert among["without"]["risk"]["mean"] == pytest.approx(50 / 150, abs=1e-4)
    assert among["point"]["risk"]["mean"] > among["without"]["risk"]["mean"]


def test_auroc_counts_the_pairs_in_the_right_order() -> None:
    found = auroc(questions([0.9, 0.5, 0.3]), questions([0.5, 0.1]), rounds=500, seed=2)
    assert found.mean == pytest.approx((2 + 1.5 + 1) / 6)
    assert 0.0 <= found.low < found.mean < found.high <= 1.0
    same = auroc(questions(np.full(9, 0.5)), questions(np.full(9, 0.5)), rounds=100, seed=2)
    assert (same.low, same.mean, same.high) == (0.5, 0.5, 0.5)


def test_a_share_of_few_questions_has_a_wide_interval() -> None:
    # From Wilson's formula by hand, and as printed in tables of it.
    none, half = wilson(0.0, 10), wilson(0.5, 10)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.2775, abs=1e-4)
    assert half.low == pytest.approx(0.2366, abs=1e-4)
    assert half.high == pytest.approx(0.7634, abs=1e-4)
    assert wilson(0.5, 1000).high - wilson(0.5, 1000).low < 0.07


def test_the_same_questions_give_the_same_section() -> None:
    kinds = questions(spread(0.4, 0.9)), questions(spread(0.2, 0.5, 60), right=0.0), questions(spread(0.0, 0.15, 40))
    assert measure(*kinds) == measure(*kinds)


def test_the_off_topic_questions_choose_and_test_alike() -> None:
    assert len(CHOOSING) == len(TESTING) == 40
    every = [" ".join(text.casefold().split()) for text in chain(CHOOSING, TESTING)]
    assert len(set(every)) == len(every)
