"""Does the tuned model ship?

In: for each way of searching, with the base and with each tuned checkpoint and mixture, one value a question. Out: the
way to serve, and the reasons. What is compared is what would be served: the best tuned way against the
best untuned one, paired, on validation; the test only withdraws, it never chooses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.compare import mean_of, paired_interval
from dragoman.evaluate.metrics import Values
from dragoman.records import Interval, Serving

MINIMUM_QUESTIONS = 30


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's decision.

    ``untuned`` and ``tuned`` are the best ways of each model on validation, ``served`` is one of them.
    ``validation`` and ``test`` are the differences tuned - untuned in mean NDCG.
    """

    ships: bool
    reason: str
    untuned: Serving
    tuned: Serving
    served: Serving
    validation: Interval
    test: Interval
    questions: int


@dataclass(frozen=True, slots=True)
class Panel:
    """Who judges: the questions, as rows of the arrays that are judged.

    ``units`` and ``folds`` (the round that held a question out) stand beside ``weights``, how much each question counts.
    """

    units: Sequence[str]
    folds: Sequence[int]
    weights: Values
    rounds: int  # of the bootstrap
    seed: int

    @property
    def validation(self) -> NDArray[np.bool_]:
        """The questions that choose: all with several folds, with one fold those of half of the units (by name)."""
        if len(set(self.folds)) > 1:
            return np.ones(len(self.units), dtype=bool)
        order = {name: place for place, name in enumerate(sorted(set(self.units)))}
        return np.array([order[name] % 2 == 0 for name in self.units], dtype=bool)

    @property
    def pairs(self) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Who chooses, and who is scored with that choice: for each fold the others, with one fold the two halves."""
        parts = np.asarray(self.folds)
        if len(set(self.folds)) > 1:
            return [(parts != fold, parts == fold) for fold in sorted(set(self.folds))]
        return [(self.validation, ~self.validation)]

    def difference(self, first: Values, second: Values, among: NDArray[np.bool_]) -> Interval:
        """Mean of ``first - second`` over some of the questions, with its interval."""
        names = list(np.asarray(self.units)[among])
        weights = self.weights[among]
        return paired_interval(first[among], second[among], names, rounds=self.rounds, seed=self.seed, weights=weights)


def judge(scores: Mapping[Serving, Values], panel: Panel) -> GateResult:
    """Decide between base and tuned.

    Every value must come from a model that was not trained on the question's unit. With several folds
    all questions are validation, and the test repeats the choice for each fold on the other folds only, so
    that no question is scored with a choice it had a part in. With one fold, half of the units are validation and the
    other half test.

    Args:
        scores: NDCG of each question under each way; arrays of one length and order.
        panel: The questions.

    Returns:
        The decision; a refusal when there are fewer than 30 questions.
    """
    among = panel.validation
    untuned, tuned = (best(scores, model, among, panel.weights) for model in ("base", "tuned"))
    gain = panel.difference(scores[tuned], scores[untuned], among)
    # Each question once, scored with the ways that others chose.
    with_tuned, with_base = np.zeros(len(among)), np.zeros(len(among))
    scored = np.zeros(len(among), dtype=bool)
    for choosing, part in panel.pairs:
        with_tuned[part] = scores[best(scores, "tuned", choosing, panel.weights)][part]
        with_base[part] = scores[best(scores, "base", choosing, panel.weights)][part]
        scored |= part
    test = panel.difference(with_tuned, with_base, scored)
    ships, reason = _decide(gain, test, int(among.sum()))
    return GateResult(ships, reason, untuned, tuned, tuned if ships else untuned, gain, test, int(among.sum()))


def best(scores: Mapping[Serving, Values], model: str, among: NDArray[np.bool_], weights: Values) -> Serving:
    """The way of a model with the largest mean; of equals, the first in ``scores``.

    Args:
        scores: Values of each way.
        model: "base" or "tuned".
        among: Which questions count.
        weights: How much each of them counts.

    Returns:
        The way.
    """
    ways = [serving for serving in scores if serving.model == model]
    return max(ways, key=lambda serving: mean_of(scores[serving][among], weights[among]))


def refuse(result: GateResult, reason: str) -> GateResult:
    """The same figures, and the base is served, for a reason that the questions do not know of."""
    return replace(result, ships=False, reason=reason, served=result.untuned)


def with_fewer_words(result: GateResult, scores: Mapping[Serving, Values], panel: Panel) -> GateResult:
    """Serve with the smallest weight of words that validation cannot tell from the best one.

    Questions that were made from passages reuse their words, so a weight that is no better on them is worse for readers
    (as the one-standard-error rule prefers the simpler of models that are alike: Breiman et al. 1984, section 3.4.3).

    Args:
        result: The decision.
        scores: NDCG of each question under each way.
        panel: The questions.

    Returns:
        The decision with another ``served`` where a smaller weight is not worse than chance, and still gains over the untuned way.
    """
    served, among = result.served, panel.validation

    def alike(way: Serving) -> bool:
        return replace(way, mode=served.mode, lexical_weight=served.lexical_weight) == served

    ways = [way for way in scores if alike(way) and way.lexical_weight < served.lexical_weight]
    for way in sorted(ways, key=lambda way: way.lexical_weight):
        near = panel.difference(scores[way], scores[served], among).high >= 0
        if near and (not result.ships or panel.difference(scores[way], scores[result.untuned], among).low > 0):
            return replace(result, served=way)
    return result


def shorten(
    result: GateResult, scores: Mapping[int, Values], untuned: Values, panel: Panel, tolerance: float
) -> GateResult:
    """Serve the shortest vectors that cost no more than the tolerance and, for a tuned model, still gain.

    Args:
        result: The decision at full length.
        scores: NDCG of each question under the served way, by length of the vectors; the full length is among them.
        untuned: NDCG of each question under the untuned way at full length.
        panel: The questions.
        tolerance: NDCG on validation that may be lost.

    Returns:
        The decision with ``served.dims`` set where shorter vectors will do.
    """
    among, weights = panel.validation, panel.weights
    full = mean_of(scores[max(scores)][among], weights[among])
    for dims in sorted(scores)[:-1]:
        near = mean_of(scores[dims][among], weights[among]) >= full - tolerance
        if near and (not result.ships or panel.difference(scores[dims], untuned, among).low > 0):
            return replace(result, served=replace(result.served, dims=dims))
    return result


def _decide(gain: Interval, test: Interval, questions: int) -> tuple[bool, str]:
    if questions < MINIMUM_QUESTIONS:
        return False, f"only {questions} questions to judge by; at least {MINIMUM_QUESTIONS} are needed"
    if gain.low <= 0:
        return False, "the gain on validation could be chance: its interval reaches zero"
    if test.mean < 0:
        return False, "the test questions lost, though validation gained: the tuning is withdrawn"
    return True, "the gain on validation is larger than chance, and the test agrees"
