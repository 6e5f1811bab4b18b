"""When not to answer: a similarity below which the docs do not answer, chosen on questions whose answers are known.

In: how sure the search was of each held-out question, and of questions that the docs do not answer. Out: the two thresholds, and
how they fare on questions that did not choose them. It knows no model and no search.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.compare import mean_interval, mean_of
from dragoman.evaluate.metrics import Values
from dragoman.records import Interval, Refusal

MINIMUM_CHOOSING = 50  # answerable questions that choose; of fewer, one in twenty is two or less
_CONTRAST = 10  # unanswerable questions from which on they say where off-topic ones end
_STEPS = 40  # points of the curve
_DIGITS = 4
_NORMAL = 1.959964  # of a 95% interval


@dataclass(frozen=True, slots=True)
class Sureness:
    """Questions of one kind: ``confidence`` in the best hit, and all that is needed to judge by it.

    ``right`` is 1 where a section that answers is among those that are read, ``chooses`` is true for the questions that set the
    thresholds: the others test them. Questions of one unit are not independent.
    """

    confidence: Values
    right: Values
    chooses: NDArray[np.bool_]
    weights: Values
    units: Sequence[str]

    @property
    def choosing(self) -> "Sureness":
        """Those that set the thresholds."""
        return self.of(self.chooses)

    @property
    def testing(self) -> "Sureness":
        """Those that had no part in them."""
        return self.of(~self.chooses)

    def joined(self, other: "Sureness") -> "Sureness":
        """These questions and the others."""
        return Sureness(
            np.concatenate([self.confidence, other.confidence]),
            np.concatenate([self.right, other.right]),
            np.concatenate([self.chooses, other.chooses]),
            np.concatenate([self.weights, other.weights]),
            [*self.units, *other.units],
        )

    def of(self, among: NDArray[np.bool_]) -> "Sureness":
        """Some of the questions."""
        units = [unit for unit, kept in zip(self.units, among, strict=True) if kept]
        return Sureness(self.confidence[among], self.right[among], self.chooses[among], self.weights[among], units)


def calibrate(
    answerable: Sureness, unanswerable: Sureness, off_topic: Sureness, rate: float, *, rounds: int, seed: int
) -> tuple[Refusal | None, dict[str, Any]]:
    """Choose the thresholds, and measure them on the questions that did not choose.

    Args:
        answerable: Held-out questions.
        unanswerable: Questions close to the docs that they do not answer; may be empty.
        off_topic: Questions that have nothing to do with them; may be empty.
        rate: Share of the answerable questions that may be refused.
        rounds: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        The thresholds, None where there are too few questions to choose them; and the report's section, whose ``note`` says why.
    """
    chosen = answerable.choosing
    threshold = refusal_threshold(chosen.confidence, chosen.weights, rate)
    if threshold is None:
        count = len(chosen.confidence)
        note = (
            f"{count} held-out questions are too few to choose when to refuse: at least {MINIMUM_CHOOSING} are needed"
        )
        return None, {
            "note": f"{note}." if count < MINIMUM_CHOOSING else f"{note}, more for a rate as small as {rate:g}."
        }
    about = unanswerable.choosing if unanswerable.chooses.sum() >= _CONTRAST else chosen
    low = min(threshold, _apart(off_topic.choosing.confidence, about.confidence))
    tested = answerable.testing
    measured = None
    if len(tested.confidence):
        measured = round(mean_of((tested.confidence < threshold).astype(float), tested.weights), _DIGITS)
    refusal = Refusal(threshold, low, rate, measured)
    kinds = {"answerable": answerable, "unanswerable": unanswerable, "off-topic": off_topic}
    rows = [_row(name, kind.testing, tested, refusal, rounds, seed) for name, kind in kinds.items()]
    section = asdict(refusal) | {
        "choosing": len(chosen.confidence),
        "rows": [row for row in rows if row["questions"]],
        **_curve(tested.joined(unanswerable.testing), threshold, rounds, seed),
    }
    return refusal, section


def refusal_threshold(confidence: Values, weights: Values, rate: float) -> float | None:
    """The largest score that refuses at most ``rate`` of the answerable questions to come.

    The one to come is counted among the refused: as a split conformal quantile, the share then holds on average for any number of
    questions, if those to come are like these (Vovk, Gammerman & Shafer 2005, "Algorithmic Learning in a Random World", chapter 4;
    https://arxiv.org/abs/2107.07511, section 1). With weights, it is counted with the largest of them.

    Args:
        confidence: Of the answerable questions that choose.
        weights: How much each counts.
        rate: In [0, 1).

    Returns:
        The score, cut to four digits; None where there are too few questions for such a rate.
    """
    if len(confidence) < MINIMUM_CHOOSING:
        return None
    order = np.argsort(confidence, kind="stable")
    ascending, heavy = confidence[order], weights[order]
    upto = np.cumsum(heavy) - heavy  # what is refused if this one is the lowest that is answered
    latest = heavy.max()
    fits = upto + latest <= rate * (heavy.sum() + latest) * (1 + 1e-9)
    if not fits.any():
        return None
    scale = 10.0**_DIGITS
    return math.floor(float(ascending[fits][-1]) * scale) / scale


def auroc(answerable: Sureness, others: Sureness, *, rounds: int, seed: int) -> Interval:
    """How often an answerable question is surer than another one: 0.5 is chance, 1 tells all apart.

    Args:
        answerable: At least one question.
        others: At least one question.
        rounds: Of the bootstrap over the units of both.
        seed: Of the bootstrap.

    Returns:
        The share (ties count half) and its 95% interval.
    """
    first, second = answerable.confidence[:, None], others.confidence[None, :]
    wins = (first > second) + 0.5 * (first == second)
    draw = np.random.default_rng(seed)
    rows, columns = (_drawn(kind, rounds, draw) for kind in (answerable, others))
    shares = ((rows @ wins) * columns).sum(axis=1) / (rows.sum(axis=1) * columns.sum(axis=1))
    low, high = np.percentile(shares, (2.5, 97.5))
    mean = float(answerable.weights @ wins @ others.weights / (answerable.weights.sum() * others.weights.sum()))
    return Interval(mean, float(low), float(high))


def wilson(share: float, count: int) -> Interval:
    """A share of so many questions with its 95% interval, good for small numbers (Wilson 1927).

    Args:
        share: Between 0 and 1.
        count: At least 1.

    Returns:
        The share and the ends of its interval.
    """
    square = _NORMAL**2 / count
    middle = (share + square / 2) / (1 + square)
    half = _NORMAL / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def _apart(off_topic: Values, about: Values) -> float:
    """The score that tells best what is off-topic from what is about the docs (largest sum of both shares: Youden 1950)."""
    if not len(off_topic):
        return 0.0
    every = np.unique(np.concatenate([off_topic, about]))
    cuts = np.concatenate([every[:1], (every[1:] + every[:-1]) / 2])
    told = [(off_topic < cut).mean() + (about >= cut).mean() for cut in cuts]
    return round(float(cuts[int(np.argmax(told))]), _DIGITS)


def _row(name: str, kind: Sureness, answerable: Sureness, refusal: Refusal, rounds: int, seed: int) -> dict[str, Any]:
    """What happens to the questions of one kind."""
    count = len(kind.confidence)
    row: dict[str, Any] = {"kind": name, "questions": count}
    if not count:
        return row
    lost = (kind.confidence < refusal.threshold).astype(np.float64)
    if name == "answerable":
        ends = mean_interval(lost, kind.units, rounds=rounds, seed=seed, weights=kind.weights)
    else:
        ends = wilson(float(lost.mean()), count)
        if len(answerable.confidence):
            row["auroc"] = _rounded(auroc(answerable, kind, rounds=rounds, seed=seed))
    row["refused"] = _rounded(ends)
    row["told_off_topic"] = round(mean_of((kind.confidence < refusal.off_topic).astype(float), kind.weights), _DIGITS)
    return row


def _curve(asked: Sureness, threshold: float, rounds: int, seed: int) -> dict[str, Any]:
    """What part of the answered is wrong, the more is answered; at the threshold, and if nothing is refused."""
    if not len(asked.confidence):
        return {}
    order = np.argsort(-asked.confidence, kind="stable")
    weights, wrong = asked.weights[order], 1.0 - asked.right[order]
    covered = np.cumsum(weights) / weights.sum()
    risks = np.cumsum(weights * wrong) / np.cumsum(weights)
    places = np.searchsorted(covered, np.arange(1, _STEPS + 1) / _STEPS - 1e-9)
    curve = [
        {"coverage": round(float(covered[place]), _DIGITS), "risk": round(float(risks[place]), _DIGITS)}
        for place in np.minimum(places, len(covered) - 1)
    ]
    answered = asked.confidence >= threshold
    return {
        "curve": curve,
        "point": _answered(asked, answered, rounds, seed),
        "without": _answered(asked, np.ones_like(answered), rounds, seed),
    }


def _answered(asked: Sureness, among: NDArray[np.bool_], rounds: int, seed: int) -> dict[str, Any]:
    answered = asked.of(among)
    row: dict[str, Any] = {"coverage": round(mean_of(among.astype(np.float64), asked.weights), _DIGITS)}
    if len(answered.confidence):
        wrong = 1.0 - answered.right
        risk = mean_interval(wrong, answered.units, rounds=rounds, seed=seed, weights=answered.weights)
        row["risk"] = _rounded(risk)
    return row


def _drawn(kind: Sureness, rounds: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """How much each question counts in each round of a bootstrap over units, shape ``(rounds, questions)``."""
    names, which = np.unique(np.asarray(kind.units), return_inverse=True)
    times = draw.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rounds)
    return np.asarray(times[:, which] * kind.weights, dtype=np.float64)


def _rounded(interval: Interval) -> dict[str, float]:
    return {key: round(value, _DIGITS) for key, value in asdict(interval).items()}
