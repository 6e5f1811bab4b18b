"""The funnel: which questions are worth training on, and why the others are not.

In: questions; then what a model said about them (ranks, vectors, scores), as plain values. Out: the questions that are left, and a
verdict with its reason on every other one; kept + removed = input.
Steps that look at words alone remove. Steps that ask a model (round trip, near duplicates, judge) only set ``train=False``: what the
base model cannot find yet is what tuning is for, so the evaluation still asks these questions, and no figure of a tuned model rests
on questions that a model picked. Evaluation takes ``Funnel.questions``, training takes those with ``train``.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from dragoman.errors import UsageError
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, Question
from dragoman.synth.funnel import DEFAULTS, REASONS, STEPS, Evidence, Funnel, FunnelSettings, Step, Verdict
from dragoman.synth.wording import leak_of, normalised, points_elsewhere, words_in

__all__ = [
    "DEFAULTS",
    "REASONS",
    "STEPS",
    "Evidence",
    "Funnel",
    "FunnelSettings",
    "Step",
    "Verdict",
    "clean",
    "judged",
    "mark",
    "near_duplicates",
    "round_trip",
]

_EMPTY, _SHORT, _LONG, _ALONE, _LEAK, _DUPLICATE, _MANY, _LOST, _NEAR, _POOR = REASONS
_MOST_CHARACTERS = 1000  # in no script a question
_ROUNDING = 1e-6  # the cosine of a vector with itself may be a little below 1
_KNOWN_FIELDS = frozenset(column.name for column in fields(Question))


def clean(questions: Sequence[Question], chunks: Sequence[Chunk] = (), settings: FunnelSettings = DEFAULTS) -> Funnel:
    """Remove what no reader would ask, and ask the same words once.

    The same words asked about chunks of a few places (a place is a section with the copies of its chunks) are one question that each
    of these chunks answers; asked about more places, they tell none apart. What a person asked, or found right, is not judged by its wording.

    Args:
        questions: Questions in a stable order.
        chunks: The chunks that they are about. One that is not among them is a place of its own, and cannot be leaked.
        settings: The dials.

    Returns:
        The funnel after its first four steps, questions in their order.
    """
    by_id = {chunk.id: chunk for chunk in chunks}
    out: dict[int, Verdict] = {}
    same: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        reason, why = _objection(question, by_id.get(question.chunk_id), settings)
        if reason:
            out[place] = Verdict(question, reason, why)
        else:
            # One id is one question, even where equal words are let through: no evidence could tell the two apart.
            key = question.id if "duplicate" in settings.skip else normalised(question.text)
            same.setdefault(key, []).append(place)
    also = {place: _also(question) for place, question in enumerate(questions)}
    for group in same.values():
        if len(group) > 1:
            _merge(questions, group, by_id, settings.places, also, out)
    left = {place: _filled(question, also=also[place]) for place, question in enumerate(questions) if place not in out}
    return Funnel(
        len(questions),
        tuple(left.values()),
        tuple(out[place] for place in sorted(out)),
        also={question.id: also[place] for place, question in left.items() if also[place]},
    )


def mark(
    funnel: Funnel, evidence: Evidence, chunks: Sequence[Chunk] = (), settings: FunnelSettings = DEFAULTS
) -> Funnel:
    """Keep out of training what models object to: round trip, near duplicates, judge, each unless it is skipped.

    Args:
        funnel: What ``clean`` left.
        evidence: What the models said.
        chunks: The chunks that the questions are about.
        settings: The dials.

    Returns:
        The funnel with the same questions in the same order.
    """
    if "round trip" not in settings.skip:
        funnel = round_trip(funnel, evidence.ranks, settings.round_trip)
    if "near" not in settings.skip:
        funnel = near_duplicates(funnel, evidence.ids, evidence.vectors, chunks, settings.near)
    if "judge" not in settings.skip:
        funnel = judged(funnel, evidence.scores, settings.judge)
    return funnel


def round_trip(funnel: Funnel, ranks: Mapping[str, int], limit: int = DEFAULTS.round_trip) -> Funnel:
    """Keep out of training what the base model does not find again among its first ``limit`` sections.

    Args:
        funnel: What is left so far.
        ranks: Rank (1-based) of the question's own section by question id; 0 when not found at all.
            Questions without a rank are not judged.
        limit: The last rank that is good enough; 0 lets everything through.

    Returns:
        The funnel with ``rank`` and ``train`` set; nothing is removed, since a question that the base
        model cannot answer yet is still a fair test.
    """
    ranked = tuple(
        replace(question, rank=ranks[question.id]) if question.id in ranks else question
        for question in funnel.questions
    )
    lost = {
        question.id: f"rank {question.rank}" if question.rank else "not found at all"
        for question in ranked
        if limit and question.id in ranks and not 0 < question.rank <= limit and not _vouched(question)
    }
    return _marked(replace(funnel, questions=ranked), lost, _LOST)


def near_duplicates(
    funnel: Funnel,
    ids: Sequence[str],
    vectors: Vectors,
    chunks: Sequence[Chunk] = (),
    threshold: float = DEFAULTS.near,
) -> Funnel:
    """Train on one of several questions of a section that say the same; the idea is semhash's, kept within a section.

    A person's question, or one that a person found right, is preferred, then the one that the round trip ranked best, then the longest. Questions that are out of
    training already outrank none.

    Args:
        funnel: What is left so far, after the round trip.
        ids: Ids of the questions that the vectors are of.
        vectors: Shape ``(len(ids), dimension)``, each of length 1.
        chunks: They tell the sections; a chunk that is not among them is a section of its own.
        threshold: Cosine from which on two questions say the same; 0 switches the step off.

    Returns:
        The funnel with ``train`` set; nothing is removed.

    Raises:
        UsageError: There are more or fewer vectors than ids.
    """
    if len(ids) != len(vectors):
        raise UsageError(f"{len(vectors)} vectors were given for {len(ids)} questions", expected="one for each")
    if threshold <= 0:
        return funnel
    row_of = {question_id: row for row, question_id in enumerate(ids)}
    section_of = {chunk.id: chunk.section for chunk in chunks}
    sections: dict[str, list[Question]] = {}
    for question in funnel.questions:
        if question.train and question.id in row_of:
            sections.setdefault(section_of.get(question.chunk_id, question.chunk_id), []).append(question)
    twins: dict[str, str] = {}
    for members in sections.values():
        members.sort(key=_preference)  # stable: of equals, the first
        twins |= _twins(members, vectors[[row_of[question.id] for question in members]], threshold)
    return _marked(funnel, twins, _NEAR)


def judged(funnel: Funnel, scores: Mapping[str, float], lowest: float = DEFAULTS.judge) -> Funnel:
    """Keep out of training what a judge thinks little of.

    Args:
        funnel: What is left so far.
        scores: The judge's score (1 to 5) by question id. Questions without one are not judged.
        lowest: The lowest score that is good enough; 0 lets everything through.

    Returns:
        The funnel with ``train`` and ``scores`` set; nothing is removed.
    """
    left = tuple(
        _filled(question, score=scores[question.id]) if question.id in scores else question
        for question in funnel.questions
    )
    known = {question.id: scores[question.id] for question in left if question.id in scores}
    # What a person asked or found right is a fact, whatever a judge thinks of it.
    vouched = {question.id for question in left if _vouched(question)}
    poor = {
        question_id: f"score {score:g}"
        for question_id, score in known.items()
        if score < lowest and question_id not in vouched
    }
    return _marked(replace(funnel, questions=left, scores={**funnel.scores, **known}), poor, _POOR)


def _objection(question: Question, chunk: Chunk | None, settings: FunnelSettings) -> tuple[str, str]:
    """The reason to remove a question by its own words, and the words."""
    text, skip = question.text, settings.skip
    if not any(sign.isalnum() for sign in text):
        return _EMPTY, ""
    if _vouched(question):
        return "", ""
    words = words_in(text)
    if "length" not in skip and words < settings.minimum_words:
        return _SHORT, "1 word" if words == 1 else f"{words} words"
    if "length" not in skip and (words > settings.maximum_words or len(text) > _MOST_CHARACTERS):
        return _LONG, f"{words} words, {len(text)} characters"
    # A heading is asked for together with the one above it, which is what its "it" may mean.
    if "alone" not in skip and question.style != "heading" and (why := points_elsewhere(text)):
        return _ALONE, why
    # The questions that the structure gives are headings and sentences on purpose.
    judged_by = chunk if "leak" not in skip and question.kind == "llm" else None
    why = leak_of(text, judged_by.trail, question.passage or judged_by.passage, settings.leak) if judged_by else ""
    return (_LEAK, why) if why else ("", "")


def _merge(
    questions: Sequence[Question],
    group: Sequence[int],
    chunks: Mapping[str, Chunk],
    most: int,
    also: MutableMapping[int, tuple[str, ...]],
    out: MutableMapping[int, Verdict],
) -> None:
    """Keep one of the questions with the same words, for all the chunks that it was asked about; or none of them."""
    joint = list(group)
    places = _places([questions[place].chunk_id for place in group], chunks)
    if places > most:
        joint = [place for place in group if _vouched(questions[place])]
        if not joint:
            out.update({place: Verdict(questions[place], _MANY, f"{places} places") for place in group})
            return
    best = min(joint, key=lambda place: (not _vouched(questions[place]), questions[place].rank or np.inf, place))
    answers = dict.fromkeys(chunk for place in joint for chunk in (questions[place].chunk_id, *also[place]))
    also[best] = tuple(chunk for chunk in answers if chunk != questions[best].chunk_id)
    out.update({place: Verdict(questions[place], _DUPLICATE, questions[best].text) for place in group if place != best})


def _places(chunk_ids: Sequence[str], chunks: Mapping[str, Chunk]) -> int:
    """In how many places these chunks are: those of one section, and copies of one another, are in one."""
    places: list[set[tuple[str, str]]] = []
    for chunk_id in dict.fromkeys(chunk_ids):
        chunk = chunks.get(chunk_id)
        place = {("section", chunk.section if chunk else chunk_id), ("copies", (chunk and chunk.canonical) or chunk_id)}
        for other in [other for other in places if other & place]:
            place |= other
            places.remove(other)
        places.append(place)
    return len(places)


def _vouched(question: Question) -> bool:
    """Whether a person asked it, or read it and found it right."""
    return question.kind == "person" or question.votes > 0


def _preference(question: Question) -> tuple[bool, float, int]:
    return not _vouched(question), question.rank or np.inf, -len(question.text)


def _twins(questions: Sequence[Question], vectors: Vectors, threshold: float) -> dict[str, str]:
    """The questions that are too near to an earlier one that stays: by id, the text of the one that stays."""
    stay: list[Question] = []
    rows = np.empty_like(vectors)
    twins: dict[str, str] = {}
    for question, vector in zip(questions, vectors, strict=True):
        near = rows[: len(stay)] @ vector
        if not _vouched(question) and stay and near.max() >= threshold - _ROUNDING:
            twins[question.id] = stay[int(near.argmax())].text
        else:
            rows[len(stay)] = vector
            stay.append(question)
    return twins


def _marked(funnel: Funnel, why: Mapping[str, str], reason: str) -> Funnel:
    """The funnel with these questions, where they are not yet, out of training."""
    marked = list(funnel.marked)
    questions = []
    for question in funnel.questions:
        out = question.train and question.id in why
        questions.append(replace(question, train=False) if out else question)
        if out:
            marked.append(Verdict(questions[-1], reason, why[question.id]))
    return replace(funnel, questions=tuple(questions), marked=tuple(marked))


def _also(question: Question) -> tuple[str, ...]:
    others: tuple[str, ...] = getattr(question, "also", ())
    return others


def _filled(question: Question, **values: Any) -> Question:  # noqa: ANN401
    """The question with those of the values that its record has a place for."""
    known = {name: value for name, value in values.items() if name in _KNOWN_FIELDS}
    return replace(question, **known) if known else question
