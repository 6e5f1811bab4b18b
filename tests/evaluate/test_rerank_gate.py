"""A cross-encoder puts the served hits in order only where validation gains by more than chance."""

import numpy as np
import pytest

from dragoman.evaluate.gate import Panel, judge_rerank
from dragoman.evaluate.metrics import Values

COUNT = 120
PLAIN = np.random.default_rng(7).uniform(0.2, 0.8, COUNT)


def panel(count: int = COUNT, folds: int = 3) -> Panel:
    return Panel([f"u{n % 40}" for n in range(count)], [n % folds for n in range(count)], np.ones(count), 300, 1)


def noise(size: float, seed: int = 1) -> Values:
    return np.random.default_rng(seed).normal(0.0, size, COUNT)


def test_a_gain_beyond_chance_is_kept() -> None:
    found = judge_rerank(PLAIN, {"named": PLAIN + 0.05 + noise(0.05)}, panel())
    assert found.kept
    assert found.reranker == "named"
    assert 0 < found.validation.low < found.validation.mean == pytest.approx(found.test.mean)


def test_a_gain_that_could_be_chance_is_not() -> None:
    found = judge_rerank(PLAIN, {"named": PLAIN + 0.01 + noise(0.3)}, panel())
    assert not found.kept
    assert found.validation.low <= 0 < found.validation.high
    assert "chance" in found.reason


def test_a_loss_is_said() -> None:
    found = judge_rerank(PLAIN, {"named": PLAIN - 0.1 + noise(0.05)}, panel())
    assert not found.kept
    assert "loses" in found.reason


def test_the_better_of_two_is_looked_at() -> None:
    scores = {"named": PLAIN + 0.05 + noise(0.05), "tuned": PLAIN + 0.1 + noise(0.05, 2)}
    assert judge_rerank(PLAIN, scores, panel()).reranker == "tuned"
    assert judge_rerank(PLAIN, dict(reversed(scores.items())), panel()).reranker == "tuned"


def test_questions_are_scored_with_the_choice_of_others() -> None:
    # Each is far better on one fold and worse on the others, so whoever is chosen by others loses where it is scored.
    folds = np.arange(COUNT) % 2
    scores = {name: PLAIN + np.where(folds == number, 0.3, -0.1) for number, name in enumerate(("named", "tuned"))}
    found = judge_rerank(PLAIN, scores, panel(folds=2))
    assert found.validation.mean > 0
    assert found.test.mean == pytest.approx(-0.1)
    assert not found.kept


def test_a_handful_of_questions_decides_nothing() -> None:
    few = PLAIN[:20]
    found = judge_rerank(few, {"named": few + 0.2}, panel(20))
    assert not found.kept
    assert "20 questions" in found.reason
