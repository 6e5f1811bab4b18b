"""The report: every way of searching with its figures, and the verdict in one sentence.

In: ranks of each question under each way, and the gate's decision. Out: a JSON-like table, the same
bytes for the same input. It does not print.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dragoman.config import EvaluateSettings
from dragoman.evaluate.compare import mean_interval, paired_interval
from dragoman.evaluate.gate import GateResult, best
from dragoman.evaluate.metrics import Ranks, Values, ndcg, recall, reciprocal_rank
from dragoman.records import Question, Serving

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was asked and what was found.

    ``units`` and ``folds`` stand beside ``questions``; ``ranks`` holds one array of the same length for
    each way of searching.
    """

    questions: tuple[Question, ...]
    units: tuple[str, ...]
    folds: tuple[int, ...]
    ranks: Mapping[Serving, Ranks]


def build_report(comparison: Comparison, gate: GateResult, settings: EvaluateSettings, seed: int) -> dict[str, Any]:
    """Put the figures together.

    Args:
        comparison: Questions and ranks.
        gate: The decision.
        settings: The ``k`` of the metrics, and the bootstrap's rounds.
        seed: Of the bootstrap.

    Returns:
        ``verdict``, ``gate``, ``ways`` (a row for each way of searching, all weights), ``table`` (the best
        row of each model and mode, with intervals) and ``by_style`` (base and tuned dense by kind of question).
    """
    scores = {serving: ndcg(ranks, settings.k) for serving, ranks in comparison.ranks.items()}
    table = [_detailed(comparison, scores, serving, settings, seed) for serving in _leaders(scores)]
    return {
        "verdict": verdict(gate, settings.k),
        "gate": asdict(gate),
        "k": settings.k,
        "asked": len(comparison.questions),
        "units": len(set(comparison.units)),
        "ways": [_row(serving, comparison.ranks[serving], settings.k) for serving in comparison.ranks],
        "table": table,
        "by_style": _by_style(comparison.questions, scores),
    }


def verdict(gate: GateResult, k: int) -> str:
    """The decision in one sentence, with its interval."""
    gain = f"{gate.validation.mean:+.3f} NDCG@{k} [{gate.validation.low:+.3f}, {gate.validation.high:+.3f}]"
    versus = f"tuned {describe(gate.tuned)} against base {describe(gate.untuned)} on {gate.questions} questions: {gain}"
    return f"{'The tuned model ships' if gate.ships else 'The base model is served'}: {gate.reason} ({versus})."


def describe(serving: Serving) -> str:
    """A way of searching in a few words."""
    way = f"hybrid (words at {serving.lexical_weight:g})" if serving.mode == "hybrid" else serving.mode
    return f"{way} with question vectors" if serving.questions else way


def _leaders(scores: Mapping[Serving, Values]) -> list[Serving]:
    """The best way of each model and mode, in the order of the table."""
    found = []
    for model in ("base", "tuned"):
        for mode in ("lexical", "dense", "hybrid"):
            for asked in (False, True):
                kind = (model, mode, asked)
                ways = {way: values for way, values in scores.items() if (way.model, way.mode, way.questions) == kind}
                if ways:
                    everything = np.ones(len(next(iter(ways.values()))), dtype=bool)
                    found.append(best(ways, model, everything))
    return found


def _row(serving: Serving, ranks: Ranks, k: int) -> dict[str, Any]:
    return {
        "model": serving.model,
        "mode": serving.mode,
        "lexical_weight": serving.lexical_weight,
        "questions": serving.questions,
        "ndcg": _mean(ndcg(ranks, k)),
        "mrr": _mean(reciprocal_rank(ranks, k)),
        "recall": _mean(recall(ranks, k)),
    }


def _detailed(
    comparison: Comparison, scores: Mapping[Serving, Values], serving: Serving, settings: EvaluateSettings, seed: int
) -> dict[str, Any]:
    dial = {"rounds": settings.bootstrap, "seed": seed}
    dense = scores[Serving("base", "dense")]
    interval = mean_interval(scores[serving], comparison.units, **dial)
    gain = paired_interval(scores[serving], dense, comparison.units, **dial)
    return _row(serving, comparison.ranks[serving], settings.k) | {
        "ndcg_low": round(interval.low, _DIGITS),
        "ndcg_high": round(interval.high, _DIGITS),
        "gain": round(gain.mean, _DIGITS),
        "gain_low": round(gain.low, _DIGITS),
        "gain_high": round(gain.high, _DIGITS),
    }


def _by_style(questions: Sequence[Question], scores: Mapping[Serving, Values]) -> list[dict[str, Any]]:
    rows = []
    for style in sorted({question.style for question in questions}):
        among = np.array([question.style == style for question in questions], dtype=bool)
        row: dict[str, Any] = {"style": style, "questions": int(among.sum())}
        for model in ("base", "tuned"):
            dense = Serving("tuned" if model == "tuned" else "base", "dense")
            row[model] = _mean(scores[dense][among])
        rows.append(row)
    return rows


def _mean(values: Values) -> float:
    return round(float(values.mean()), _DIGITS) if len(values) else 0.0
