"""Did tuning on one project's docs make the model worse at everything else?

In: general questions and an encoder, or values of the docs' own questions with the base and with the tuned model. Out: what each set of
questions gained or lost, with its interval, and whether the loss is more than is allowed. It knows no Hub, and trains nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypedDict

import numpy as np

from dragoman.evaluate.compare import mean_of, paired_interval
from dragoman.evaluate.metrics import Values
from dragoman.evaluate.ranking import dense_order
from dragoman.evaluate.spans import ndcg_graded, stacked
from dragoman.models.protocols import Advance, Encoder
from dragoman.records import Interval

HITS: Final = 10  # that count, as in NanoBEIR's published results
GENERAL: Final = "NanoBEIR"
OWN: Final = "the docs' own sources"
ALL: Final = "all"

_DIGITS = 4
_FEWEST_SOURCES = 2
_ROUNDING = 1e-9  # a loss of just the limit is no more than the limit
_NO_CHECK = (
    "Nothing was checked: the general questions are out of reach, and the held-out questions are of one source only. "
    "Let Dragoman reach the Hugging Face Hub once (the questions are kept), or say evaluate.general = 'none'."
)
_STAND_IN = (
    "The general questions are out of reach; these are the held-out questions of each source, "
    "and a loss on what none of them is about does not show."
)


class GeneralQuestions(Protocol):
    """Questions about anything, with texts by their ids, and the ids of the passages that answer each."""

    @property
    def name(self) -> str:
        """What the report calls the set."""
        ...

    @property
    def queries(self) -> Mapping[str, str]:
        """Questions."""
        ...

    @property
    def passages(self) -> Mapping[str, str]:
        """What can be found."""
        ...

    @property
    def relevant(self) -> Mapping[str, frozenset[str]]:
        """For each question, the passages that answer it."""
        ...


@dataclass(frozen=True, slots=True)
class SetScores:
    """The value of each question of a set with both models.

    ``units`` are what a bootstrap draws; the same name in two sets is one unit.
    """

    name: str
    base: Values
    tuned: Values
    units: Sequence[str]


class ForgettingRow(TypedDict):
    """A set of questions; ``low`` and ``high`` are the interval of ``change``, None where nothing is known of it."""

    name: str
    questions: int
    base: float
    tuned: float
    low: float | None
    high: float | None
    change: float


class ForgettingReport(TypedDict):
    """Sets of questions, the mean over them last; ``limit`` is None where any loss is allowed."""

    set: str
    rows: list[ForgettingRow]
    limit: float | None
    refused: bool
    note: str


def general_values(encoder: Encoder, general: GeneralQuestions, advance: Advance | None = None) -> Values:
    """NDCG@10 of each question by dense search, all relevant passages worth the same.

    Args:
        encoder: The model, with its prompts.
        general: A set.
        advance: Told the number of texts just encoded.

    Returns:
        Shape ``(questions,)``, in the order of ``general.queries``; as the evaluator of sentence-transformers has it.
    """
    ids = list(general.passages)
    passages = encoder.encode(list(general.passages.values()), "passage", advance)
    queries = encoder.encode(list(general.queries.values()), "query", advance)
    relevant = [general.relevant[query] for query in general.queries]
    order = dense_order(queries, passages, HITS)
    gains = [[int(ids[row] in answers) for row in rows] for rows, answers in zip(order, relevant, strict=True)]
    return ndcg_graded(stacked(gains), stacked([[1] * len(answers) for answers in relevant]), HITS)


def general_scores(general: GeneralQuestions, base: Values, tuned: Values) -> SetScores:
    """The values of a set's questions, each question a unit.

    Args:
        general: The set.
        base: What ``general_values`` gives with the base model.
        tuned: What it gives with the tuned model.

    Returns:
        A set for ``forgetting_report``.
    """
    return SetScores(general.name, base, tuned, [f"{general.name} {query}" for query in general.queries])


def forgetting_report(sets: Sequence[SetScores], limit: float, *, rounds: int, seed: int) -> ForgettingReport:
    """What tuning did to general questions.

    Args:
        sets: Values of each set.
        limit: The largest loss that is allowed, of the mean over the sets; 1: any.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Returns:
        A row for each set and one for all, in which each set counts the same; no row without sets.
    """
    return _report(GENERAL, sets, limit, "", rounds=rounds, seed=seed)


def source_report(
    sources: Sequence[str],
    base: Values,
    tuned: Values,
    units: Sequence[str],
    limit: float,
    *,
    rounds: int,
    seed: int,
) -> ForgettingReport:
    """The stand-in while no general questions can be had: the held-out questions of each source of the docs.

    Args:
        sources: The source of each question's chunk.
        base: Each question's value by dense search with the base model.
        tuned: The same with the tuned model.
        units: The unit of each question.
        limit: The largest loss that is allowed, of the mean over the sources; 1: any.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Returns:
        A row for each source and one for all; with fewer than two sources no row, and a note that says so.
    """
    named = np.asarray(sources)
    places = {source: np.flatnonzero(named == source) for source in sorted(set(sources))}
    if len(places) < _FEWEST_SOURCES:
        return _report(OWN, (), limit, _NO_CHECK, rounds=rounds, seed=seed)
    sets = [
        SetScores(source, base[among], tuned[among], [units[place] for place in among.tolist()])
        for source, among in places.items()
    ]
    return _report(OWN, sets, limit, _STAND_IN, rounds=rounds, seed=seed)


def _report(
    title: str, sets: Sequence[SetScores], limit: float, note: str, *, rounds: int, seed: int
) -> ForgettingReport:
    rows: list[ForgettingRow] = []
    refused = False
    if sets:
        for each in sets:
            change = paired_interval(each.tuned, each.base, each.units, rounds=rounds, seed=seed)
            rows.append(_row(each, mean_of(each.base), mean_of(each.tuned), change))
        # So that a set of few questions counts as much as another.
        weights = np.concatenate([np.full(len(each.base), 1 / len(each.base)) for each in sets])
        base, tuned = (np.concatenate([getattr(each, key) for each in sets]) for key in ("base", "tuned"))
        every = SetScores(ALL, base, tuned, [unit for each in sets for unit in each.units])
        change = paired_interval(tuned, base, every.units, rounds=rounds, seed=seed, weights=weights)
        rows.append(_row(every, mean_of(base, weights), mean_of(tuned, weights), change))
        refused = -change.mean > limit + _ROUNDING
        if refused:
            lost = f"Tuning cost {-change.mean:.3f} NDCG on {title}; evaluate.forgetting allows {limit:g}."
            note = f"{lost} {note}".strip()
    return {"set": title, "rows": rows, "limit": None if limit >= 1 else limit, "refused": refused, "note": note}


def _row(scores: SetScores, base: float, tuned: float, change: Interval) -> ForgettingRow:
    return {
        "name": scores.name,
        "questions": len(scores.base),
        "base": round(base, _DIGITS),
        "tuned": round(tuned, _DIGITS),
        "low": _end(change.low),
        "high": _end(change.high),
        "change": round(change.mean, _DIGITS),
    }


def _end(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None
