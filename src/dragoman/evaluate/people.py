"""The report's section about questions that people asked, scored by the places of their answers.

In: located questions, and what each way of searching found for them. Out: a JSON-like table with intervals, and what changed question by
question, the same bytes for the same input. It does not search and does not print.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dragoman.evaluate.compare import mean_interval, mean_of, paired_interval
from dragoman.evaluate.metrics import Values
from dragoman.evaluate.places import Located
from dragoman.evaluate.shelf import Span
from dragoman.evaluate.spans import SpanScores, changes, score_spans
from dragoman.records import Interval, Serving

_DENSE = Serving("base", "dense")
_DIGITS = 4
_SHOWN = 20  # questions whose values changed most


def people_section(  # noqa: PLR0913 - two say what was found, the others how it is told
    located: Located,
    hits: Mapping[Serving, Sequence[Sequence[Span]]],
    base: Serving,
    tuned: Serving,
    file: str,
    k: int,
    *,
    rounds: int,
    seed: int,
    counted: bool,
) -> dict[str, Any]:
    """Put the figures of people's questions together.

    Args:
        located: What was asked, with the places that were found.
        hits: For each way of searching what it found for each of ``located.questions``, best first, with lengths.
        base: The way that changes are told from; one of ``hits``.
        tuned: The way that changes are told to; one of ``hits``.
        file: Where the questions are from.
        k: Hits that count.
        rounds: Bootstrap rounds; what is drawn is the document that a question is about.
        seed: Of the bootstrap.
        counted: Whether the questions had a part in the verdict.

    Returns:
        ``asked`` questions were scored and ``unplaced`` could not be, since none of their places was found; ``lost`` says of each place
        that was not found why. ``table`` has a row for each way, in the order of ``hits``, with gains over dense search by the base model
        where that is among them; ends of an interval that nothing is known of are None. ``won``, ``lost_count`` and ``same`` count the
        questions by what became of their NDCG from ``base`` to ``tuned``, ``changes`` are the largest. Without a question that
        was found, ``note`` says why there is nothing.
    """
    section: dict[str, Any] = {
        "file": file,
        "asked": len(located.questions),
        "unplaced": len(located.lost),
        "lost": [str(missing) for missing in located.missing],
        "k": k,
        "counted": counted,
        "table": [],
        "base": asdict(base),
        "tuned": asdict(tuned),
    }
    if not located.questions:
        return section | _changed([]) | {"note": _nothing(located, file)}
    scores = {way: score_spans(located.questions, found, k) for way, found in hits.items()}
    units = [question.unit for question in located.questions]
    dense = scores[_DENSE].ndcg if _DENSE in scores else None
    section["table"] = [_row(way, of_way, dense, units, rounds, seed) for way, of_way in scores.items()]
    found = changes(scores[base].ndcg, scores[tuned].ndcg, [question.question for question in located.questions])
    rows = [
        asdict(change) | {key: round(getattr(change, key), _DIGITS) for key in ("before", "after", "difference")}
        for change in found
    ]
    return section | _changed(rows)


def _row(
    way: Serving, scores: SpanScores, dense: Values | None, units: Sequence[str], rounds: int, seed: int
) -> dict[str, Any]:
    own = mean_interval(scores.ndcg, units, rounds=rounds, seed=seed)
    gain = None if dense is None else paired_interval(scores.ndcg, dense, units, rounds=rounds, seed=seed)
    return {
        **asdict(way),
        **_ends("ndcg", own),
        **_ends("gain", gain),
        "mrr": round(mean_of(scores.reciprocal_rank), _DIGITS),
        "recall": round(mean_of(scores.recall), _DIGITS),
        "answered": round(mean_of(scores.answered), _DIGITS),
    }


def _ends(key: str, interval: Interval | None) -> dict[str, float | None]:
    """A mean with its interval; an end that is infinite is None, since JSON has no word for it."""
    values = (None, None, None) if interval is None else (interval.mean, interval.low, interval.high)
    known = [None if value is None or not math.isfinite(value) else round(value, _DIGITS) for value in values]
    return dict(zip((key, f"{key}_low", f"{key}_high"), known, strict=True))


def _changed(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    moved = [row for row in rows if row["difference"]]
    won = sum(row["difference"] > 0 for row in moved)
    return {
        "won": won,
        "lost_count": len(moved) - won,
        "same": len(rows) - len(moved),
        "changes": moved[:_SHOWN],
    }


def _nothing(located: Located, file: str) -> str:
    if not located.lost:
        return f"{file} holds no question"
    return f"none of the {len(located.lost)} questions of {file} names a place that is in the docs"
