"""What changed, question by question and document by document: the rows that the report shows beside its means.

In: ranks of the same questions under two ways of searching. Out: JSON-like tables, the same for the same input, for the keys
``by_document`` and ``changes`` of the report. It searches nothing and knows no model.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dragoman.evaluate.metrics import Ranks, Values, ndcg
from dragoman.evaluate.report import Comparison
from dragoman.records import Chunk, Question, Serving, content_id

_DIGITS = 4
_HEADING = re.compile(r"#{1,6}\s")
_PASSAGE = 260  # characters of a passage that are kept: enough to see what it is about


def by_document(
    comparison: Comparison,
    base: Serving,
    tuned: Serving,
    k: int,
    *,
    chunks_by_id: Mapping[str, Chunk] | None = None,
    count: int = 40,
) -> dict[str, Any]:
    """Mean NDCG of each document's questions under two ways of searching.

    Args:
        comparison: Questions and ranks.
        base: The way before.
        tuned: The way after.
        k: Hits that count.
        chunks_by_id: Tells the document that a question is about; without it, questions are grouped by unit.
        count: Documents that are listed, those that moved the overall mean most.

    Returns:
        ``base`` and ``tuned`` (the ways), ``documents`` (how many there are) and ``rows``: document, questions, base, tuned, gain.
    """
    before, after = _scores(comparison, base, k), _scores(comparison, tuned, k)
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(_documents(comparison, chunks_by_id)):
        places[name].append(place)
    moved = {name: float((after[found] - before[found]).sum()) for name, found in places.items()}
    rows = [
        {
            "document": name,
            "questions": len(places[name]),
            "base": round(float(before[places[name]].mean()), _DIGITS),
            "tuned": round(float(after[places[name]].mean()), _DIGITS),
            "gain": round(moved[name] / len(places[name]), _DIGITS),
        }
        for name in sorted(places, key=lambda name: (-abs(moved[name]), name))[:count]
    ]
    return {"base": asdict(base), "tuned": asdict(tuned), "documents": len(places), "rows": rows}


def wins_and_losses(
    comparison: Comparison,
    base: Serving,
    tuned: Serving,
    k: int,
    chunks_by_id: Mapping[str, Chunk],
    count: int = 10,
    *,
    first: Mapping[Serving, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The questions whose NDCG changed most, for better and for worse.

    Args:
        comparison: Questions and ranks.
        base: The way before.
        tuned: The way after.
        k: Hits that count.
        chunks_by_id: The chunks that were searched; one that is missing is left out of the row.
        count: Rows of each list.
        first: For each way, the id of the chunk that stood first for each question ("": none); ranks alone do not tell it.

    Returns:
        ``base`` and ``tuned`` (the ways), ``won``, ``lost`` and ``same`` (how many questions), and the rows ``wins`` and
        ``losses``: question, style, kind, document, trail, lines, passage, before and after (ranks, 0: not found), gain and, where
        ``first`` knows it, ``instead``: what stood first before the win, or stands there after the loss.
    """
    gains = _scores(comparison, tuned, k) - _scores(comparison, base, k)
    before, after = comparison.ranks[base], comparison.ranks[tuned]

    def rows(sign: int, way: Serving) -> list[dict[str, Any]]:
        heads = first.get(way, ()) if first else ()
        found = []
        for place in _largest(gains * sign, comparison.questions, before, after)[:count]:
            row = _change(comparison.questions[place], chunks_by_id)
            row |= {
                "before": int(before[place]),
                "after": int(after[place]),
                "gain": round(float(gains[place]), _DIGITS),
            }
            head = heads[place] if place < len(heads) else ""
            if head in chunks_by_id and (row["before"], row["after"])[sign < 0] != 1:
                row["instead"] = _where(chunks_by_id[head])
            found.append(row)
        return found

    return {
        "base": asdict(base),
        "tuned": asdict(tuned),
        "won": int((gains > 0).sum()),
        "lost": int((gains < 0).sum()),
        "same": int((gains == 0).sum()),
        "wins": rows(1, base),
        "losses": rows(-1, tuned),
    }


def _scores(comparison: Comparison, way: Serving, k: int) -> Values:
    return ndcg(comparison.ranks[way], k)


def _documents(comparison: Comparison, chunks_by_id: Mapping[str, Chunk] | None) -> list[str]:
    """The document of each question; with several sources, the source stands before the path."""
    if chunks_by_id is None:
        return list(comparison.units)
    chunks = [chunks_by_id.get(question.chunk_id) for question in comparison.questions]
    several = len({chunk.source for chunk in chunks if chunk}) > 1
    return [
        (f"{chunk.source}: {chunk.path}" if several else chunk.path) if chunk else unit
        for chunk, unit in zip(chunks, comparison.units, strict=True)
    ]


def _largest(gains: Values, questions: Sequence[Question], before: Ranks, after: Ranks) -> list[int]:
    """Places of the questions that gained, largest first.

    Many gain alike ("not found" to the first place): of these, the order is drawn from their ids, or one page would fill the list.
    """
    places = [int(place) for place in np.flatnonzero(gains > 0)]
    moved = np.abs(after - before)
    return sorted(places, key=lambda at: (-float(gains[at]), -int(moved[at]), content_id("change", questions[at].id)))


def _change(question: Question, chunks_by_id: Mapping[str, Chunk]) -> dict[str, Any]:
    row: dict[str, Any] = {"question": question.text, "style": question.style, "kind": question.kind}
    chunk = chunks_by_id.get(question.chunk_id)
    return row | _where(chunk) if chunk else row


def _where(chunk: Chunk) -> dict[str, Any]:
    return {
        "document": chunk.origin,
        "trail": " > ".join(chunk.trail),
        "lines": [chunk.start_line, chunk.end_line],
        "passage": _beginning(chunk.text),
    }


def _beginning(text: str) -> str:
    """The first words below the headings, which the trail tells already."""
    lines = text[: 8 * _PASSAGE].strip().split("\n")
    while len(lines) > 1 and (not lines[0].strip() or _HEADING.match(lines[0])):
        del lines[0]
    words = " ".join(" ".join(lines).split())
    if len(words) <= _PASSAGE and len(text) <= 8 * _PASSAGE:
        return words
    return words[:_PASSAGE].rsplit(" ", 1)[0] + " …"
