"""Does the tuned model ship?

In: for each way of searching, with the base and with the tuned model, one value a question. Out: the
way to serve, and the reasons. What is compared is what would be served: the best tuned way against the
best untuned one, paired, on validation; the test only withdraws, it never chooses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.compare import paired_interval
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


def judge(
    scores: Mapping[Serving, Values], units: Sequence[str], folds: Sequence[int], *, rounds: int, seed: int
) -> GateResult:
    """Decide between base and tuned.

    Every value must come from a model that was not trained on the question's unit. With several folds
    all questions are validation, and the test repeats the choice for each fold on the other folds only, so
    that no question is scored with a choice it had a part in. With one fold, half of the units (by
    name) are validation and the other half test.

    Args:
        scores: NDCG of each question under each way; arrays of one length and order.
        units: The unit of each question.
        folds: The round that held each question out.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Returns:
        The decision; a refusal when there are fewer than 30 questions.
    """
    names = np.asarray(units)
    parts = np.asarray(folds)
    if len(set(folds)) > 1:
        validation = np.ones(len(names), dtype=bool)
        pairs = [(parts != fold, parts == fold) for fold in sorted(set(folds))]
    else:
        order = {name: place for place, name in enumerate(sorted(set(units)))}
        validation = np.array([order[name] % 2 == 0 for name in units], dtype=bool)
        pairs = [(validation, ~validation)]
    untuned, tuned = best(scores, "base", validation), best(scores, "tuned", validation)
    gain = paired_interval(
        scores[tuned][validation], scores[untuned][validation], list(names[validation]), rounds=rounds, seed=seed
    )
    test = _test(scores, names, pairs, rounds, seed)
    ships, reason = _decide(gain, test, int(validation.sum()))
    return GateResult(ships, reason, untuned, tuned, tuned if ships else untuned, gain, test, int(validation.sum()))


def best(scores: Mapping[Serving, Values], model: str, among: NDArray[np.bool_]) -> Serving:
    """The way of a model with the largest mean; of equals, the first in ``scores``.

    Args:
        scores: Values of each way.
        model: "base" or "tuned".
        among: Which questions count.

    Returns:
        The way.
    """
    ways = [serving for serving in scores if serving.model == model]
    return max(ways, key=lambda serving: float(scores[serving][among].mean()) if among.any() else 0.0)


def _test(
    scores: Mapping[Serving, Values],
    names: NDArray[np.str_],
    pairs: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    rounds: int,
    seed: int,
) -> Interval:
    gained: list[Values] = []
    lost: list[Values] = []
    order: list[str] = []
    for choosing, scored in pairs:
        gained.append(scores[best(scores, "tuned", choosing)][scored])
        lost.append(scores[best(scores, "base", choosing)][scored])
        order += list(names[scored])
    return paired_interval(np.concatenate(gained), np.concatenate(lost), order, rounds=rounds, seed=seed)


def _decide(gain: Interval, test: Interval, questions: int) -> tuple[bool, str]:
    if questions < MINIMUM_QUESTIONS:
        return False, f"only {questions} questions to judge by; at least {MINIMUM_QUESTIONS} are needed"
    if gain.low <= 0:
        return False, "the gain on validation could be chance: its interval reaches zero"
    if test.mean < 0:
        return False, "the test questions lost, though validation gained: the tuning is withdrawn"
    return True, "the gain on validation is larger than chance, and the test agrees"
