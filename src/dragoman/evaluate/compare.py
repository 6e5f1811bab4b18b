"""Is the difference between two systems more than chance?

In: two values a question, and the unit that each question's chunk belongs to. Out: the mean
difference with a 95% interval by paired bootstrap over units (Efron & Tibshirani 1993, chapter 13):
questions about one unit are not independent, so units are drawn, not questions.
"""

from collections.abc import Sequence

import numpy as np

from dragoman.evaluate.metrics import Values
from dragoman.records import Interval

_PERCENTILES = (2.5, 97.5)


def paired_interval(
    first: Values, second: Values, units: Sequence[str], *, rounds: int, seed: int, weights: Values | None = None
) -> Interval:
    """Mean of ``first - second`` with the percentile interval of a bootstrap over units.

    Args:
        first: Shape ``(questions,)``.
        second: Shape ``(questions,)``, of the same questions in the same order.
        units: The unit of each question.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.
        weights: How much each question counts, larger than 0; None: all alike.

    Returns:
        Mean and interval; with fewer than two units the interval is infinite, since nothing is known of
        what varies between units.
    """
    difference = first - second
    heavy = np.ones_like(difference) if weights is None else weights
    names, which = np.unique(np.asarray(units), return_inverse=True)
    if len(names) < 2:  # noqa: PLR2004
        return Interval(mean_of(difference, heavy), float("-inf"), float("inf"))
    sums = np.bincount(which, weights=heavy * difference, minlength=len(names))
    counts = np.bincount(which, weights=heavy, minlength=len(names))
    draws = np.random.default_rng(seed).integers(0, len(names), size=(rounds, len(names)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.percentile(means, _PERCENTILES)
    return Interval(mean_of(difference, heavy), float(low), float(high))


def mean_of(values: Values, weights: Values | None = None) -> float:
    """The weighted mean; 0 of nothing."""
    if not len(values):
        return 0.0
    return float(values.mean() if weights is None else np.average(values, weights=weights))


def mean_interval(
    values: Values, units: Sequence[str], *, rounds: int, seed: int, weights: Values | None = None
) -> Interval:
    """A mean with its 95% bootstrap interval over units; arguments as in ``paired_interval``.

    Args:
        values: Shape ``(questions,)``.
        units: The unit of each question.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.
        weights: How much each question counts.

    Returns:
        Mean and interval.
    """
    return paired_interval(values, np.zeros_like(values), units, rounds=rounds, seed=seed, weights=weights)
