"""Does the tuned model ship?

In: for each way of searching, with the base and with each tuned checkpoint and mixture, one value a question. Out: the
way to serve, and the reasons. What is compared is what would be served: the best tuned way against the
best untuned one, paired, on validation; the test only withdraws, it never chooses.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.compare import mean_of, paired_interval
from dragoman.evaluate.metrics import Values
from dragoman.records import Interval, Serving, content_id

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
        """The questions that choose: all with several folds; with one fold those of half of the units, by a hash of their names."""
        return np.ones(len(self.units), dtype=bool) if len(set(self.folds)) > 1 else first_half(self.units)

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


@dataclass(frozen=True, slots=True)
class RerankResult:
    """Whether a cross-encoder puts the served hits in order; ``reranker`` is the best one on validation, "" where there is none.

    ``validation`` and ``test`` are the differences reranked - plain in mean NDCG.
    """

    reranker: str
    reason: str
    validation: Interval
    test: Interval
    kept: bool = False


NO_RERANKER = RerankResult("", "there is no cross-encoder", Interval(0.0, 0.0, 0.0), Interval(0.0, 0.0, 0.0))


def first_half(units: Sequence[str]) -> NDArray[np.bool_]:
    """Which questions are of half of the units, by a hash of the units' names: the same on every machine."""
    return np.array([int(content_id("half", name), 16) % 2 == 0 for name in units], dtype=bool)


def judge(scores: Mapping[Serving, Values], panel: Panel, *, few_words: bool = False) -> GateResult:
    """Decide between base and tuned.

    Every value must come from a model that was not trained on the question's unit. With several folds
    all questions are validation, and the test repeats the choice for each fold on the other folds only, so
    that no question is scored with a choice it had a part in. With one fold, half of the units are validation and the
    other half test.

    Args:
        scores: NDCG of each question under each way; arrays of one length and order.
        panel: The questions.
        few_words: Take the tuned way with the smallest weight of words that those who choose cannot tell from the best.

    Returns:
        The decision; a refusal when there are fewer than 30 questions.
    """

    def choose(choosing: NDArray[np.bool_]) -> tuple[Serving, Serving]:
        untuned, tuned = (best(scores, model, choosing, panel.weights) for model in ("base", "tuned"))
        return untuned, _with_few_words(tuned, untuned, scores, panel, choosing) if few_words else tuned

    among = panel.validation
    untuned, tuned = choose(among)
    gain = panel.difference(scores[tuned], scores[untuned], among)
    # Each question once, scored with the ways that others chose.
    with_tuned, with_base = np.zeros(len(among)), np.zeros(len(among))
    scored = np.zeros(len(among), dtype=bool)
    for choosing, part in panel.pairs:
        before, after = choose(choosing)
        with_base[part], with_tuned[part] = scores[before][part], scores[after][part]
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


def _with_few_words(
    way: Serving, untuned: Serving, scores: Mapping[Serving, Values], panel: Panel, among: NDArray[np.bool_]
) -> Serving:
    """The same way with the smallest weight of words that is not worse by more than chance, and still gains.

    Questions that were made from passages reuse their words, so a weight that is no better on them is worse for readers: as in
    the one-standard-error rule, the simpler of models that cannot be told apart is taken (Breiman et al. 1984, section 3.4.3).
    """
    for other in sorted(scores, key=lambda other: other.lexical_weight):
        alike = replace(other, mode=way.mode, lexical_weight=way.lexical_weight) == way
        if alike and other.lexical_weight < way.lexical_weight:
            near = panel.difference(scores[other], scores[way], among).high >= 0
            if near and panel.difference(scores[other], scores[untuned], among).low > 0:
                return other
    return way


def refuse(result: GateResult, reason: str) -> GateResult:
    """The same figures, and the base is served, for a reason that the questions do not know of."""
    return replace(result, ships=False, reason=reason, served=result.untuned)


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
    if result.questions < MINIMUM_QUESTIONS:
        return result
    among, weights = panel.validation, panel.weights
    full = mean_of(scores[max(scores)][among], weights[among])
    for dims in sorted(scores)[:-1]:
        near = mean_of(scores[dims][among], weights[among]) >= full - tolerance
        if near and (not result.ships or panel.difference(scores[dims], untuned, among).low > 0):
            return replace(result, served=replace(result.served, dims=dims))
    return result


def judge_rerank(plain: Values, reranked: Mapping[str, Values], panel: Panel) -> RerankResult:
    """Decide whether the served hits are reranked: only where validation gains by more than chance, and the test does not lose.

    Args:
        plain: NDCG of each question under the served way.
        reranked: The same with its hits in the order of a cross-encoder, by the cross-encoder's name; at least one.
        panel: The questions.

    Returns:
        The decision, about the cross-encoder with the largest mean on validation.
    """

    def choose(choosing: NDArray[np.bool_]) -> str:
        return max(reranked, key=lambda name: mean_of(reranked[name][choosing], panel.weights[choosing]))

    among = panel.validation
    name, asked = choose(among), int(among.sum())
    gain = panel.difference(reranked[name], plain, among)
    changed, scored = np.zeros(len(among)), np.zeros(len(among), dtype=bool)
    for choosing, part in panel.pairs:
        changed[part] = reranked[choose(choosing)][part]
        scored |= part
    test = panel.difference(changed, plain, scored)
    if asked < MINIMUM_QUESTIONS:
        reason = f"only {asked} questions to judge by; at least {MINIMUM_QUESTIONS} are needed"
    elif gain.low <= 0:
        reason = (
            "it loses on validation, by more than chance" if gain.high < 0 else "its gain on validation could be chance"
        )
    elif test.mean < 0:
        reason = "it loses on the test questions, though it gains on validation"
    else:
        return RerankResult(name, "its gain on validation is larger than chance", gain, test, kept=True)
    return RerankResult(name, reason, gain, test)


def _decide(gain: Interval, test: Interval, questions: int) -> tuple[bool, str]:
    if questions < MINIMUM_QUESTIONS:
        return False, f"only {questions} questions to judge by; at least {MINIMUM_QUESTIONS} are needed"
    if gain.high < 0:
        return False, "tuning lost on validation, by more than chance"
    if gain.low <= 0:
        return False, "the gain on validation could be chance: its interval reaches zero"
    if test.mean < 0:
        return False, "the test questions lost, though validation gained: the tuning is withdrawn"
    if not math.isfinite(test.low):
        return True, "the gain on validation is larger than chance, and the test is too small to say anything"
    return True, "the gain on validation is larger than chance, and the test agrees"
