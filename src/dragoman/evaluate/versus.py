"""Two evaluated runs side by side: does the second find more than the first, and what is different about it?

In: of each run its verdict, its questions with their ranks, its settings, origins and cost. Out: figures on the questions that both asked,
the paired differences with a sentence each, the questions that moved most, and what differs. It reads no file and prints nothing.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from dragoman.evaluate.asked import AskedRow
from dragoman.evaluate.compare import mean_of, paired_interval
from dragoman.evaluate.gate import MINIMUM_QUESTIONS
from dragoman.evaluate.metrics import Ranks, Values, ndcg, recall
from dragoman.records import Interval

WAYS: Final = {
    "base": "base, dense",
    "untuned": "untuned, best way",
    "tuned": "tuned, best way",
    "served": "as served",
}
_COMPARED: Final = {"served": "As served", "tuned": "With the tuned model in its best way"}
_ASKING: Final = ("sources", "seed", "ingest.", "chunk.", "llm.", "synth.", "evaluate.questions", "train.folds")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took; None where nobody noted it."""

    training_seconds: float | None
    requests: int | None
    prompt_tokens: int | None
    answer_tokens: int | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluated run; ``path`` is its workspace as the user calls it.

    ``settings`` are those that were evaluated, by dotted key; ``origins`` say what else went in: revisions, models, versions. ``rounds``
    and ``seed`` are the bootstrap's. ``notes`` are what a reader should know of this run.
    """

    path: str
    name: str
    verdict: str
    k: int
    rounds: int
    seed: int
    asked: tuple[AskedRow, ...]
    settings: Mapping[str, Any]
    origins: Mapping[str, str]
    cost: Cost
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """The questions that both runs asked, in the same order; ``by_text`` of them have other ids in the two."""

    first: tuple[AskedRow, ...]
    second: tuple[AskedRow, ...]
    by_text: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the questions that both asked, in one way of searching."""

    way: str
    first_ndcg: float
    second_ndcg: float
    first_recall: float
    second_recall: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A question with the ranks at which the two find its section as served, and the difference in NDCG."""

    question: str
    document: str
    before: int
    after: int
    difference: float


@dataclass(frozen=True, slots=True)
class Differs:
    """A setting, or something else that went in, that is not the same in the two runs."""

    key: str
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class Versus:
    """What the comparison found; differences and gains are second - first.

    ``gains`` holds an interval for "served" and "tuned", or nothing where nothing can be said; ``told`` says it in words. ``moved`` are
    the largest changes, of equals in the order of the questions' ids.
    """

    k: int
    common: int
    by_text: int
    only_first: int
    only_second: int
    figures: tuple[Figures, ...]
    gains: Mapping[str, Interval]
    told: tuple[str, ...]
    differs: tuple[Differs, ...]
    notes: tuple[str, ...]
    moved: tuple[Moved, ...]


def compare_runs(first: Evaluated, second: Evaluated, top: int = 10) -> Versus:
    """Compare two runs on the questions that both asked.

    A question counts as much as it does in the first run, and what the bootstrap draws are the first run's units.

    Args:
        first: What is compared with.
        second: What is compared.
        top: How many of the questions that moved most are wanted.

    Returns:
        The comparison; without figures and gains where fewer than 30 questions were asked by both.
    """
    k = min(first.k, second.k)
    pairs = pair(first.asked, second.asked)
    differs = _differences(first, second)
    enough = len(pairs.first) >= MINIMUM_QUESTIONS
    gains = {way: _gain(pairs, way, k, first) for way in _COMPARED} if enough else {}
    if not enough:
        told = [_too_few(len(pairs.first), first, second, differs)]
    elif not all(math.isfinite(gain.low) for gain in gains.values()):
        told = [_one_unit(len(pairs.first))]
        gains = {}
    else:
        told = [_sentence(way, gain, first, second, k, len(pairs.first)) for way, gain in gains.items()]
    return Versus(
        k=k,
        common=len(pairs.first),
        by_text=pairs.by_text,
        only_first=len(first.asked) - len(pairs.first),
        only_second=len(second.asked) - len(pairs.second),
        figures=tuple(_figures(pairs, way, k) for way in WAYS) if enough else (),
        gains=gains,
        told=tuple(told),
        differs=differs,
        notes=(*first.notes, *second.notes, *_notes(first, second)),
        moved=_moved(pairs, k)[:top],
    )


def pair(first: Sequence[AskedRow], second: Sequence[AskedRow]) -> Pairs:
    """Find the questions that both runs asked.

    A question's id has the id of its chunk in it, so docs that were cut differently give the same question another one. A question whose id
    the other run does not know is therefore looked up by its text and document, if that is of one question only in either run.

    Args:
        first: The questions of the first run.
        second: The questions of the second run.

    Returns:
        The pairs, in the order of the first run.
    """
    by_id = {row.question_id: row for row in second}
    known = {row.question_id for row in first}
    once = _only_ones(first)
    twins = {text: row for text, row in _only_ones(second).items() if row.question_id not in known}
    pairs: list[tuple[AskedRow, AskedRow]] = []
    by_text = 0
    for row in first:
        twin = by_id.get(row.question_id)
        if twin is None and _wording(row) in once:
            twin = twins.get(_wording(row))
            by_text += twin is not None
        if twin is not None:
            pairs.append((row, twin))
    return Pairs(tuple(one for one, _ in pairs), tuple(other for _, other in pairs), by_text)


def _wording(row: AskedRow) -> tuple[str, str]:
    return row.text, row.document


def _only_ones(rows: Sequence[AskedRow]) -> dict[tuple[str, str], AskedRow]:
    times = Counter(map(_wording, rows))
    return {_wording(row): row for row in rows if times[_wording(row)] == 1}


def _ranks(rows: Sequence[AskedRow], way: str) -> Ranks:
    return np.array([getattr(row, way) for row in rows], dtype=np.int64)


def _weights(pairs: Pairs) -> Values:
    return np.array([row.weight for row in pairs.first], dtype=np.float64)


def _figures(pairs: Pairs, way: str, k: int) -> Figures:
    before, after, weights = _ranks(pairs.first, way), _ranks(pairs.second, way), _weights(pairs)
    values = (ndcg(before, k), ndcg(after, k), recall(before, k), recall(after, k))
    return Figures(way, *(mean_of(value, weights) for value in values))


def _gain(pairs: Pairs, way: str, k: int, first: Evaluated) -> Interval:
    before, after = ndcg(_ranks(pairs.first, way), k), ndcg(_ranks(pairs.second, way), k)
    units = [row.unit for row in pairs.first]
    return paired_interval(after, before, units, rounds=first.rounds, seed=first.seed, weights=_weights(pairs))


def _moved(pairs: Pairs, k: int) -> tuple[Moved, ...]:
    before, after = _ranks(pairs.first, "served"), _ranks(pairs.second, "served")
    differences = (ndcg(after, k) - ndcg(before, k)).tolist()
    rows = [
        (row.question_id, Moved(row.text, row.document, row.served, twin.served, difference))
        for row, twin, difference in zip(pairs.first, pairs.second, differences, strict=True)
        if difference
    ]
    return tuple(moved for _, moved in sorted(rows, key=lambda one: (-abs(one[1].difference), one[0])))


def _sentence(way: str, gain: Interval, first: Evaluated, second: Evaluated, k: int, count: int) -> str:
    figures = f"NDCG@{k} {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    if gain.low > 0:
        said = f"{second.path} is better"
    elif gain.high < 0:
        said = f"{first.path} is better"
    else:
        said = "no difference larger than chance"
    return f"{_COMPARED[way]}, {said}: {figures} from the first to the second, on {count} questions that both asked."


def _too_few(count: int, first: Evaluated, second: Evaluated, differs: Sequence[Differs]) -> str:
    said = f"Nothing can be said: {count} questions were asked by both, and at least {MINIMUM_QUESTIONS} are needed"
    small = [f"{run.path} asked only {len(run.asked)}" for run in (first, second) if len(run.asked) < MINIMUM_QUESTIONS]
    others = [row.key for row in differs if row.key.startswith((*_ASKING, "revision of ", "content of "))]
    if small:
        return f"{said}; {' and '.join(small)}."
    if others:
        return f"{said}; they ask other questions, since these differ: {', '.join(others)}."
    return f"{said}; their questions were made at different times, and are others."


def _one_unit(count: int) -> str:
    return (
        f"Nothing can be said: the {count} questions that both asked are about one part of the docs, and what is better there may be worse "
        "elsewhere."
    )


def _differences(first: Evaluated, second: Evaluated) -> tuple[Differs, ...]:
    rows: list[Differs] = []
    for mine, others in ((first.settings, second.settings), (first.origins, second.origins)):
        keys = dict.fromkeys([*mine, *others])
        rows += [Differs(key, mine.get(key), others.get(key)) for key in keys if mine.get(key) != others.get(key)]
    return tuple(rows)


def _notes(first: Evaluated, second: Evaluated) -> list[str]:
    notes = []
    if first.k != second.k:
        notes.append(
            f"The first run counts {first.k} hits and the second {second.k}: here the first {min(first.k, second.k)} count."
        )
    bases = [run.settings.get("models.embedding") for run in (first, second)]
    if bases[0] != bases[1]:
        notes.append(f"The base models differ ({bases[0]}, {bases[1]}): so does what 'base' and 'untuned' stand for.")
    if any(first.settings[key] != second.settings.get(key) for key in first.settings if key.startswith("chunk.")):
        notes.append("The docs are cut differently: a rank is that of a question's section, whatever its chunks.")
    return notes
