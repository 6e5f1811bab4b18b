"""Figures of answered questions: shares and means with 95% intervals, times, and the difference of two runs.

In: rows of answers. Out: figures. What a bootstrap draws are units, as in ``compare``: questions about one unit are not independent. A
share is of sums over all rows, so an answer with many sentences counts as many times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dragoman.evaluate.answers import MEASURES, AnswerRow, Measure, Part
from dragoman.evaluate.metrics import Values

_PERCENTILES = (2.5, 97.5)
_NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure of some rows with the ends of its 95% interval; ``value`` is None where no row has a say, ``low`` also where nothing tells.

    ``count`` is what it is a share of, ``answers`` how many rows had a say.
    """

    key: str
    label: str
    of: str
    value: float | None
    low: float | None
    high: float | None
    count: int
    answers: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure in two runs, over the ``pairs`` of answers to the same question that both have a say; ``gain`` is second - first.

    The ends of its 95% interval are None where fewer than two units were asked about.
    """

    key: str
    label: str
    first: float
    second: float
    gain: float
    low: float | None
    high: float | None
    pairs: int

    @property
    def is_sure(self) -> bool:
        """Whether it is more than chance."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def figures(rows: Sequence[AnswerRow], *, rounds: int, seed: int) -> list[Figure]:
    """Every measure over some rows.

    Args:
        rows: Answered questions; those whose model failed are left out.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Returns:
        A figure for each of ``MEASURES``, in their order.
    """
    found = []
    for measure in MEASURES:
        units, parts = _parts(measure, rows)
        value, ends = _mean(parts), _ends(parts, units, rounds, seed)
        found.append(Figure(measure.key, measure.label, measure.of, value, *ends, int(parts[:, 1].sum()), len(parts)))
    return found


def times(rows: Sequence[AnswerRow], *, rounds: int, seed: int) -> list[Figure]:
    """Seconds to the first word and to the end of an answer, at the median and where one of twenty is slower.

    Args:
        rows: Answered questions; those whose model failed are left out.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Returns:
        Four figures.
    """
    usable = [row for row in rows if not row.failed]
    found = []
    for key, label in (("first_seconds", "first word after"), ("seconds", "whole answer after")):
        values = np.array([getattr(row, key) for row in usable], dtype=np.float64)
        for percent in (50, 95):
            ends: tuple[float | None, float | None] = (None, None)
            if len(values) > 1:
                draws = np.random.default_rng(seed).integers(0, len(values), size=(rounds, len(values)))
                low, high = np.percentile(np.percentile(values[draws], percent, axis=1), _PERCENTILES)
                ends = float(low), float(high)
            value = float(np.percentile(values, percent)) if len(values) else None
            name = f"{label}, p{percent}"
            found.append(Figure(f"{key}_p{percent}", name, "seconds", value, *ends, len(values), len(values)))
    return found


def difference(
    measure: Measure, first: Sequence[AnswerRow], second: Sequence[AnswerRow], *, rounds: int, seed: int
) -> Difference | None:
    """How much larger a measure is in the second of two runs, over the questions where both have a say.

    Args:
        measure: What is measured.
        first: Rows of the first run.
        second: Rows of the second, of the same questions in the same order.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap, which draws units of the first run.

    Returns:
        The difference; None where there is no such question.
    """
    pairs = [
        (mine.unit, one, other)
        for mine, theirs in zip(first, second, strict=True)
        if (one := _part(measure, mine)) and (other := _part(measure, theirs))
    ]
    if not pairs:
        return None
    units = [unit for unit, _, _ in pairs]
    before, after = _table([one for _, one, _ in pairs]), _table([other for _, _, other in pairs])
    low = high = None
    if len(set(units)) > 1:
        drawn = _drawn(after, units, rounds, seed) - _drawn(before, units, rounds, seed)
        low, high = (float(end) for end in np.percentile(drawn, _PERCENTILES))
    was, is_ = (float(_shares(parts.sum(axis=0))) for parts in (before, after))
    return Difference(measure.key, measure.label, was, is_, is_ - was, low, high, len(pairs))


def _parts(measure: Measure, rows: Sequence[AnswerRow]) -> tuple[list[str], Values]:
    told = [(row.unit, part) for row in rows if (part := _part(measure, row))]
    return [unit for unit, _ in told], _table([part for _, part in told])


def _part(measure: Measure, row: AnswerRow) -> Part | None:
    return None if row.failed else measure.part(row)


def _table(parts: Sequence[Part]) -> Values:
    return np.array(parts, dtype=np.float64).reshape(-1, 2)


def _mean(parts: Values) -> float | None:
    return float(_shares(parts.sum(axis=0))) if len(parts) else None


def _shares(sums: Values) -> Values:
    return np.asarray(sums[..., 0] / sums[..., 1], dtype=np.float64)


def _drawn(parts: Values, units: Sequence[str], rounds: int, seed: int) -> Values:
    """The share in each round of a bootstrap over units; the same seed and units draw the same."""
    names, which = np.unique(np.asarray(units), return_inverse=True)
    sums = np.zeros((len(names), 2))
    np.add.at(sums, which, parts)
    draws = np.random.default_rng(seed).integers(0, len(names), size=(rounds, len(names)))
    return _shares(sums[draws].sum(axis=1))


def _ends(parts: Values, units: Sequence[str], rounds: int, seed: int) -> tuple[float | None, float | None]:
    """The ends of the interval: nothing is known of what varies between units where there is one only."""
    count = len(set(units))
    if count < 2:  # noqa: PLR2004
        return None, None
    low, high = (float(end) for end in np.percentile(_drawn(parts, units, rounds, seed), _PERCENTILES))
    # Where all say the same a bootstrap sees no doubt at all; Wilson's interval (1927) does, and knows how few they are.
    doubt = _NORMAL**2 / (count + _NORMAL**2)
    if high == 0.0:
        return 0.0, doubt
    return (1.0 - doubt, 1.0) if low == high == 1.0 else (low, high)
