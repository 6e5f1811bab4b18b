"""Intervals that mean what they say."""

import numpy as np
import pytest

from dragoman.evaluate.compare import mean_interval, paired_interval
from dragoman.records import Interval


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(3)
    units = [f"unit {place // 3}" for place in range(120)]
    covered = 0
    for trial in range(200):
        of_unit = np.repeat(draw.normal(0.2, 0.1, 40), 3)
        found = mean_interval(of_unit + draw.normal(0, 0.05, 120), units, rounds=400, seed=trial)
        covered += found.low <= 0.2 <= found.high
    assert 180 <= covered <= 199


def test_the_mean_is_that_of_the_differences() -> None:
    first, second = np.array([0.5, 1.0, 0.0]), np.array([0.25, 0.5, 0.25])
    found = paired_interval(first, second, ["a", "b", "c"], rounds=200, seed=1)
    back = paired_interval(second, first, ["a", "b", "c"], rounds=200, seed=1)
    assert found.mean == pytest.approx(0.5 / 3)
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))
    assert -0.25 <= found.low <= found.mean <= found.high <= 0.5


def test_questions_of_one_unit_are_worth_less_than_questions_of_many() -> None:
    values = np.tile([0.0, 1.0], 50)
    apart = mean_interval(values, [str(place) for place in range(100)], rounds=1000, seed=1)
    together = mean_interval(np.sort(values), [str(place // 25) for place in range(100)], rounds=1000, seed=1)
    assert together.high - together.low > 3 * (apart.high - apart.low)


def test_a_difference_that_is_everywhere_the_same_has_no_width() -> None:
    found = paired_interval(np.full(9, 0.75), np.full(9, 0.5), [str(n // 2) for n in range(9)], rounds=100, seed=1)
    assert found == Interval(0.25, 0.25, 0.25)


def test_the_seed_decides_and_nothing_else() -> None:
    values, units = np.random.default_rng(1).random(50), [str(place % 20) for place in range(50)]
    one, same, other = (mean_interval(values, units, rounds=200, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert (one.mean, other.mean) == (values.mean(), values.mean())
    assert (one.low, one.high) != (other.low, other.high)


@pytest.mark.parametrize(("values", "mean"), [([], 0.0), ([0.5], 0.5), ([0.25, 0.75], 0.5)])
def test_of_one_unit_or_none_nothing_is_known(values: list[float], mean: float) -> None:
    found = mean_interval(np.array(values), ["only"] * len(values), rounds=100, seed=1)
    assert found == Interval(mean, float("-inf"), float("inf"))
