"""The gate: a planted gain ships, chance does not, and a loss on the test withdraws."""

import numpy as np
import pytest

from dragoman.evaluate.gate import MINIMUM_QUESTIONS, GateResult, Panel, judge, refuse, shorten
from dragoman.evaluate.metrics import Values
from dragoman.records import Serving

BASE, TUNED = Serving("base", "dense"), Serving("tuned", "dense")
BASE_MIXED, TUNED_MIXED = Serving("base", "hybrid", 0.2), Serving("tuned", "hybrid", 0.2)
UNITS = [f"unit {place // 2:03d}" for place in range(120)]
FIVE_FOLDS = [place // 2 % 5 for place in range(120)]
ONE_FOLD = [0] * 120


def noise(seed: int, spread: float = 0.1) -> Values:
    return np.random.default_rng(seed).normal(0, spread, 120)


def panel(folds: list[int], weights: Values | None = None) -> Panel:
    count = len(folds)
    return Panel(UNITS[:count], folds, np.ones(count) if weights is None else weights, rounds=500, seed=1)


def decide(scores: dict[Serving, Values], folds: list[int], weights: Values | None = None) -> GateResult:
    return judge(scores, panel(folds, weights))


@pytest.mark.parametrize("folds", [FIVE_FOLDS, ONE_FOLD])
def test_a_planted_gain_ships(folds: list[int]) -> None:
    base = 0.5 + noise(1)
    result = decide({BASE: base, TUNED: base + 0.1 + noise(2)}, folds)
    assert result.ships
    assert result.served == result.tuned == TUNED
    assert 0 < result.validation.low < 0.1 < result.validation.high
    assert result.test.mean == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("folds", [FIVE_FOLDS, ONE_FOLD])
def test_chance_is_refused_and_the_base_is_served(folds: list[int]) -> None:
    base = 0.5 + noise(1)
    for seed in range(5):
        luck = noise(seed + 10)
        result = decide({BASE: base, TUNED: base + luck - luck.mean()}, folds)
        assert not result.ships
        assert result.served == result.untuned == BASE
        assert "chance" in result.reason


def test_a_loss_is_refused() -> None:
    base = 0.5 + noise(1)
    result = decide({BASE: base, TUNED: base - 0.1 + noise(2)}, FIVE_FOLDS)
    assert (result.ships, result.served) == (False, BASE)
    assert result.validation.high < 0


def test_the_best_tuned_way_has_to_beat_the_best_untuned_one() -> None:
    base = 0.5 + noise(1)
    scores = {BASE: base, BASE_MIXED: base + 0.2, TUNED: base + 0.1, TUNED_MIXED: base + 0.05}
    result = decide(scores, FIVE_FOLDS)
    assert (result.untuned, result.tuned, result.served) == (BASE_MIXED, TUNED, BASE_MIXED)
    assert result.validation.mean == pytest.approx(-0.1)
    better = decide(scores | {TUNED_MIXED: base + 0.3}, FIVE_FOLDS)
    assert (better.ships, better.served) == (True, TUNED_MIXED)


def test_of_equal_ways_the_first_is_taken() -> None:
    base = 0.5 + noise(1)
    assert decide({BASE: base, BASE_MIXED: base, TUNED: base + 1, TUNED_MIXED: base + 1}, FIVE_FOLDS).served == TUNED


def test_with_one_fold_validation_and_test_are_halves_that_share_no_unit() -> None:
    base, tuned = np.full(120, 0.5), np.full(120, 0.5)
    validation = panel(ONE_FOLD).validation
    tuned[validation] += 0.1
    tuned[~validation] -= 0.1
    result = decide({BASE: base, TUNED: tuned}, ONE_FOLD)
    assert (result.validation.mean, result.test.mean) == pytest.approx((0.1, -0.1))
    assert result.questions == validation.sum()
    chosen = {unit for unit, chooses in zip(UNITS, validation, strict=True) if chooses}
    tested = {unit for unit, chooses in zip(UNITS, validation, strict=True) if not chooses}
    assert chosen.isdisjoint(tested)
    assert 15 < len(chosen) < 45


def test_a_loss_on_the_test_withdraws_what_validation_chose() -> None:
    base, tuned = np.full(120, 0.5), np.full(120, 0.5)
    validation = panel(ONE_FOLD).validation
    tuned[validation] += 0.1 + noise(1, 0.02)[validation]
    tuned[~validation] -= 0.01
    result = decide({BASE: base, TUNED: tuned}, ONE_FOLD)
    assert result.validation.low > 0
    assert (result.ships, result.served) == (False, BASE)
    assert "withdrawn" in result.reason


def test_with_several_folds_no_question_is_tested_with_a_choice_that_it_had_a_part_in() -> None:
    """Two tuned ways that win in one fold only: chosen on all, one gains; chosen without its fold, it gains nothing."""
    base = np.full(120, 0.5)
    folds = np.array(FIVE_FOLDS)
    lucky = base + np.where(folds == 0, 0.5, -0.05)
    steady = base + np.where(folds == 0, -0.5, 0.0)
    result = decide({BASE: base, TUNED: lucky, TUNED_MIXED: steady}, FIVE_FOLDS)
    assert result.tuned == TUNED
    assert result.validation.mean == pytest.approx(0.06)
    # Fold 0 is scored with "steady" (-0.5), the four others with "lucky" (-0.05).
    assert result.test.mean == pytest.approx((-0.5 + 4 * -0.05) / 5)
    assert not result.ships


@pytest.mark.parametrize(("asked", "ships"), [(MINIMUM_QUESTIONS - 1, False), (MINIMUM_QUESTIONS, True)])
def test_too_few_questions_are_no_verdict(asked: int, *, ships: bool) -> None:
    base = np.full(asked, 0.5)
    result = decide({BASE: base, TUNED: base + 0.3}, FIVE_FOLDS[:asked])
    assert (result.ships, result.questions) == (ships, asked)
    assert (f"only {asked} questions" in result.reason) is not ships


def test_no_question_at_all_is_refused_too() -> None:
    nothing = np.array([], dtype=np.float64)
    result = decide({BASE: nothing, TUNED: nothing}, [])
    assert (result.ships, result.served, result.questions) == (False, BASE, 0)


def test_the_same_scores_give_the_same_decision() -> None:
    scores = {BASE: 0.5 + noise(1), TUNED: 0.55 + noise(2)}
    assert decide(scores, FIVE_FOLDS) == decide(scores, FIVE_FOLDS)


def test_a_mixture_that_beats_the_tuned_model_is_what_ships() -> None:
    base = 0.5 + noise(1)
    half = Serving("tuned", "dense", epochs=2, share=0.5)
    result = decide({BASE: base, TUNED: base + 0.05, half: base + 0.1}, FIVE_FOLDS)
    assert (result.ships, result.served, result.served.share) == (True, half, 0.5)


def test_a_question_of_more_weight_counts_for_more() -> None:
    """The first half loses by tuning and the second gains; whose half is heavier decides."""
    gain = np.where(np.arange(120) < 60, -0.1, 0.1)
    scores = {BASE: np.full(120, 0.5), TUNED: 0.5 + gain + noise(3, 0.01)}
    heavy = np.where(np.arange(120) < 60, 0.2, 1.8)
    assert decide(scores, FIVE_FOLDS, heavy).ships
    assert not decide(scores, FIVE_FOLDS, heavy[::-1]).ships
    assert decide(scores, FIVE_FOLDS, heavy).validation.mean == pytest.approx(0.08, abs=0.005)


def test_a_refusal_for_another_reason_serves_the_base_and_keeps_the_figures() -> None:
    base = 0.5 + noise(1)
    shipped = decide({BASE: base, TUNED: base + 0.1}, FIVE_FOLDS)
    result = refuse(shipped, "it forgot")
    assert (result.ships, result.served, result.reason) == (False, BASE, "it forgot")
    assert result.validation == shipped.validation


@pytest.mark.parametrize(("tolerance", "dims"), [(0.03, 64), (0.015, 128), (0.005, 0)])
def test_vectors_are_as_short_as_the_tolerance_lets_them(tolerance: float, dims: int) -> None:
    base = 0.5 + noise(1)
    tuned = base + 0.1
    result = decide({BASE: base, TUNED: tuned}, FIVE_FOLDS)
    lengths = {384: tuned, 128: tuned - 0.01, 64: tuned - 0.02}
    short = shorten(result, lengths, base, panel(FIVE_FOLDS), tolerance)
    assert (short.served.dims, short.ships, short.tuned.dims) == (dims, True, 0)


def test_vectors_are_not_cut_so_short_that_nothing_is_gained() -> None:
    base = 0.5 + noise(1)
    tuned = base + 0.02
    result = decide({BASE: base, TUNED: tuned}, FIVE_FOLDS)
    short = shorten(result, {384: tuned, 128: base + 0.01, 64: base - 0.01}, base, panel(FIVE_FOLDS), 0.5)
    assert short.served.dims == 128


def test_no_more_weight_is_given_to_words_than_validation_can_tell_the_use_of() -> None:
    base = 0.5 + noise(1)
    ways = {weight: Serving("tuned", "hybrid", weight) for weight in (0.1, 0.3, 0.5)}
    scores = {BASE: base, TUNED: base + 0.02 + noise(4, 0.01), ways[0.1]: base + 0.05 + noise(5, 0.01)}
    scores |= {ways[0.3]: base + 0.099 + noise(6, 0.01), ways[0.5]: base + 0.1 + noise(7, 0.01)}
    assert decide(scores, FIVE_FOLDS).served == ways[0.5]
    result = judge(scores, panel(FIVE_FOLDS), few_words=True)
    assert (result.tuned, result.served, result.ships) == (ways[0.3], ways[0.3], True)
    assert result.validation.mean == pytest.approx(float((scores[ways[0.3]] - base).mean()))


def test_the_base_is_compared_at_its_best_however_many_words_that_takes() -> None:
    base = 0.5 + noise(1)
    half, tenth = Serving("base", "hybrid", 0.5), Serving("base", "hybrid", 0.1)
    scores = {half: base + 0.01, tenth: base + 0.009 + noise(5, 0.01), TUNED: base + 0.1}
    assert judge(scores, panel(FIVE_FOLDS), few_words=True).untuned == half
