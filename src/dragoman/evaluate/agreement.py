"""How far a judge agrees with people, beyond what chance alone would give: Cohen's kappa.

In: what the judge said of some answers and what people said of the same. Out: kappa with a 95% interval, the counts that it rests on, and
what it means in words. J. Cohen, A coefficient of agreement for nominal scales (1960), https://doi.org/10.1177/001316446002000104.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dragoman.evaluate.metrics import Values

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a judge and people agree about the same answers.

    ``kappa`` is 1 when they always agree, 0 when they agree as often as by chance; None when it cannot be told, since both said the same
    of all answers. ``too_kind`` counts the answers that the judge passes and people fail, ``too_strict`` the other way round.
    """

    kappa: float | None
    low: float | None
    high: float | None
    labelled: int
    agreed: int
    too_kind: int
    too_strict: int

    @property
    def line(self) -> str:
        """All of it in one line."""
        told = f"agrees with people on {self.agreed} of {self.labelled} labelled answers"
        differs = f"it passes {self.too_kind} that they fail and fails {self.too_strict} that they pass"
        if self.kappa is None:
            return f"{told}; {differs}; kappa cannot be told, since both said the same of all"
        ends = "" if self.low is None or self.high is None else f" [{self.low:.2f}, {self.high:.2f}]"
        return f"kappa {self.kappa:.2f}{ends}; {told}; {differs}"


def agreement(
    judge: Sequence[bool], people: Sequence[bool], units: Sequence[str], *, rounds: int, seed: int
) -> Agreement:
    """Measure how far a judge agrees with people.

    Args:
        judge: What the judge said of each answer.
        people: What people said of each, in the same order.
        units: What a bootstrap draws: answers to one question are not independent.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Returns:
        The agreement; its interval leaves out the rounds in which kappa cannot be told.
    """
    said = np.array([judge, people], dtype=bool).reshape(2, -1)
    # Both pass, the judge alone, people alone, both fail.
    cells = np.stack([said[0] & said[1], said[0] & ~said[1], ~said[0] & said[1], ~said[0] & ~said[1]], axis=1)
    counts = cells.sum(axis=0)
    kappa = float(_kappa(counts.astype(np.float64))) if len(judge) else float("nan")
    low = high = None
    names, which = np.unique(np.asarray(units), return_inverse=True)
    if not np.isnan(kappa) and len(names) > 1:
        sums = np.zeros((len(names), 4))
        np.add.at(sums, which, cells)
        draws = np.random.default_rng(seed).integers(0, len(names), size=(rounds, len(names)))
        low, high = (float(end) for end in np.nanpercentile(_kappa(sums[draws].sum(axis=1)), _PERCENTILES))
    return Agreement(
        kappa=None if np.isnan(kappa) else kappa,
        low=low,
        high=high,
        labelled=len(judge),
        agreed=int(counts[0] + counts[3]),
        too_kind=int(counts[1]),
        too_strict=int(counts[2]),
    )


def _kappa(counts: Values) -> Values:
    """Kappa of each row of four counts; NaN where both said the same of all, so that chance alone would agree always."""
    both, kind, strict, none = np.moveaxis(counts, -1, 0)
    total = both + kind + strict + none
    agreed = (both + none) / total
    chance = ((both + kind) * (both + strict) + (strict + none) * (kind + none)) / total**2
    room = 1.0 - chance
    told: Values = np.divide(agreed - chance, room, out=np.full_like(room, np.nan), where=room > 0)
    return told
