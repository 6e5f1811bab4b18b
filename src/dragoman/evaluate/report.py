"""The report: every way of searching with its figures, and the verdict in one sentence.

In: ranks of each question under each way, and the gate's decision. Out: a JSON-like table, the same
bytes for the same input. It does not print.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dragoman.evaluate.compare import mean_of
from dragoman.evaluate.gate import GateResult, Panel, best
from dragoman.evaluate.metrics import Ranks, Values, ndcg, recall, reciprocal_rank
from dragoman.evaluate.naming import way_name
from dragoman.records import Question, Serving

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was asked and what was found.

    ``panel`` knows the unit, the fold and the weight of each question; ``ranks`` holds one array of the same length for
    each way of searching.
    """

    questions: tuple[Question, ...]
    panel: Panel
    ranks: Mapping[Serving, Ranks]

    @property
    def units(self) -> Sequence[str]:
        """The unit of each question."""
        return self.panel.units


def build_report(comparison: Comparison, gate: GateResult, k: int) -> dict[str, Any]:
    """Put the figures together.

    Args:
        comparison: Questions and ranks.
        gate: The decision.
        k: Hits that count.

    Returns:
        ``verdict``, ``gate``, ``ways`` (a row for each way of searching, all weights), ``table`` (the best
        row of each model and mode, with intervals), ``choice`` (each checkpoint and mixture) and ``by_style`` (base and tuned dense
        by kind of question).
    """
    scores = {serving: ndcg(ranks, k) for serving, ranks in comparison.ranks.items()}
    table = [_detailed(comparison, scores, serving, k) for serving in leaders(comparison, gate, k)]
    return {
        "verdict": verdict(gate, k),
        "words_note": _words_note(scores, gate, comparison.panel),
        "gate": asdict(gate),
        "k": k,
        "asked": len(comparison.questions),
        "asked_kinds": dict(sorted(Counter(question.kind for question in comparison.questions).items())),
        "units": len(set(comparison.units)),
        "people_part": round(_people_part(comparison), _DIGITS),
        "ways": [_row(comparison, serving, k) for serving in comparison.ranks],
        "table": table,
        "choice": {"questions": gate.questions, "rows": _choice(scores, gate, comparison.panel)},
        "by_style": _by_style(comparison.questions, scores, gate),
    }


def verdict(gate: GateResult, k: int) -> str:
    """The decision in one sentence, with its interval."""
    gain = f"{gate.validation.mean:+.3f} NDCG@{k} [{gate.validation.low:+.3f}, {gate.validation.high:+.3f}]"
    versus = f"{way_name(gate.tuned)} against {way_name(gate.untuned)} on {gate.questions} questions: {gain}"
    return f"{'The tuned model ships' if gate.ships else 'The base model is served'}: {gate.reason} ({versus})."


def checkpoint(serving: Serving) -> tuple[str, int, float]:
    """Whose vectors a way compares: the model, the epochs it was trained for and its share in the weights."""
    return serving.model, serving.epochs, serving.share


def _people_part(comparison: Comparison) -> float:
    """How much of the verdict is people's."""
    person = np.array([question.kind == "person" for question in comparison.questions], dtype=np.float64)
    return mean_of(person, comparison.panel.weights)


def _words_note(scores: Mapping[Serving, Values], gate: GateResult, panel: Panel) -> str:
    """Why the tuned way is not the one with the highest figure, where it is not."""
    first = best(
        {way: values for way, values in scores.items() if _comparable(way, gate)},
        "tuned",
        panel.validation,
        panel.weights,
    )
    chosen = gate.tuned.lexical_weight
    if first.lexical_weight <= chosen:
        return ""
    return (
        f"Words count {chosen:g} in the tuned search, not {first.lexical_weight:g}, where the figure is highest: validation "
        "cannot tell the two apart, and made questions flatter words."
    )


def _comparable(way: Serving, gate: GateResult) -> bool:
    """Whether the gate chose among such ways: none that is reranked, and words alone only if they were chosen."""
    return not way.rerank and (way.mode != "lexical" or gate.untuned.mode == "lexical")


def as_dense(serving: Serving) -> Serving:
    """Plain dense search with the same vectors."""
    return replace(serving, mode="dense", lexical_weight=0.0, questions=False, rerank=False, dims=0)


def leaders(comparison: Comparison, gate: GateResult, k: int) -> list[Serving]:
    """The best way of each model and mode, in the order of the table: base, tuned by itself, mixed; and the one that was chosen.

    Args:
        comparison: Questions and ranks.
        gate: The decision; if it chose a mixture, that is the one shown.
        k: Hits that count.

    Returns:
        Ways among the comparison's.
    """
    ranks, panel = comparison.ranks, comparison.panel
    tuned = [way for way in ranks if way.model == "tuned"]
    mixed = [way for way in tuned if way.share < 1.0]
    if gate.tuned.share < 1.0:
        mixed = [way for way in mixed if checkpoint(way) == checkpoint(gate.tuned)]
    whole = [way for way in tuned if way.share == 1.0]
    found = []
    for ways in ([way for way in ranks if way.model == "base"], whole, mixed):
        for mode in ("lexical", "dense", "hybrid"):
            for asked, rerank in ((False, False), (True, False), (False, True), (True, True)):
                kind = (mode, asked, rerank)
                among = {way: ndcg(ranks[way], k) for way in ways if (way.mode, way.questions, way.rerank) == kind}
                if among:
                    found.append(best(among, ways[0].model, panel.validation, panel.weights))
    return found if gate.tuned in found else [*found, gate.tuned]


def by_length(values: Mapping[tuple[str, int], Values], panel: Panel) -> list[dict[str, Any]]:
    """NDCG by model and length of the vectors.

    Args:
        values: NDCG of each question by the model's name and the length.
        panel: The questions.

    Returns:
        Rows with ``model``, ``dims``, ``ndcg``, ``low`` and ``high``.
    """
    rows = []
    for (model, dims), found in values.items():
        mean = panel.difference(found, np.zeros_like(found), np.ones(len(found), dtype=bool))
        ends = {"ndcg": mean.mean, "low": mean.low, "high": mean.high}
        rows.append({"model": model, "dims": dims} | {key: round(value, _DIGITS) for key, value in ends.items()})
    return rows


def length_note(served: int, full: int, tolerance: float) -> str:
    """Why the vectors that are served are as long as they are, in a sentence."""
    if not tolerance:
        return f"Served: all {full:,} dimensions; evaluate.tolerance, the NDCG that shorter vectors may cost, is 0."
    which = (
        f"the first {served:,} of {full:,} dimensions, the fewest" if served else f"all {full:,} dimensions, as fewer"
    )
    costs = f"that cost no more than {tolerance:g} NDCG" if served else f"cost more than {tolerance:g} NDCG"
    return f"Served: {which} {costs} (evaluate.tolerance)."


def _row(comparison: Comparison, serving: Serving, k: int) -> dict[str, Any]:
    ranks, weights = comparison.ranks[serving], comparison.panel.weights
    found = {"ndcg": ndcg, "mrr": reciprocal_rank, "recall": recall}
    return asdict(serving) | {key: round(mean_of(value(ranks, k), weights), _DIGITS) for key, value in found.items()}


def _detailed(comparison: Comparison, scores: Mapping[Serving, Values], serving: Serving, k: int) -> dict[str, Any]:
    panel = comparison.panel
    every = np.ones(len(scores[serving]), dtype=bool)
    interval = panel.difference(scores[serving], np.zeros_like(scores[serving]), every)
    gain = panel.difference(scores[serving], scores[Serving("base", "dense")], every)
    return _row(comparison, serving, k) | {
        "ndcg_low": round(interval.low, _DIGITS),
        "ndcg_high": round(interval.high, _DIGITS),
        "gain": round(gain.mean, _DIGITS),
        "gain_low": round(gain.low, _DIGITS),
        "gain_high": round(gain.high, _DIGITS),
    }


def _choice(scores: Mapping[Serving, Values], gate: GateResult, panel: Panel) -> list[dict[str, Any]]:
    """What each checkpoint and mixture reaches on validation; the base is the mixture with nothing of the tuned model."""
    among, rows = panel.validation, []
    for kind in dict.fromkeys(checkpoint(way) for way in scores):
        ways = {way: values for way, values in scores.items() if checkpoint(way) == kind and _comparable(way, gate)}
        way = best(ways, kind[0], among, panel.weights)
        dense = scores[as_dense(way)]
        row = {
            "epochs": kind[1],
            "share": kind[2] if kind[0] == "tuned" else 0.0,
            "dense": round(mean_of(dense[among], panel.weights[among]), _DIGITS),
            "best": round(mean_of(scores[way][among], panel.weights[among]), _DIGITS),
            "way": asdict(way),
        }
        rows.append(row | {"chosen": kind == checkpoint(gate.tuned)})
    return rows


def _by_style(
    questions: Sequence[Question], scores: Mapping[Serving, Values], gate: GateResult
) -> list[dict[str, Any]]:
    tuned = as_dense(gate.tuned)
    rows = []
    for style in sorted({question.style for question in questions}):
        among = np.array([question.style == style for question in questions], dtype=bool)
        row: dict[str, Any] = {"style": style, "questions": int(among.sum())}
        for model, way in (("base", Serving("base", "dense")), ("tuned", tuned)):
            row[model] = round(mean_of(scores[way][among]), _DIGITS)
        rows.append(row)
    return rows
