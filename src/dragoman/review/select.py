"""Which things people are shown, in which order, and what we would answer ourselves.

In: chunks, questions as the funnel left them, and turns of conversations. Out: items, the worst first, their ids and their order made
of content alone. It knows no desk, and does not decide how many are shown.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from dragoman.records import Chunk, Question, Turn, content_id
from dragoman.review.items import NO, YES, Item, Suggestion

NO_NEGATIVE = "(there is no other question yet)"

_EVEN = 10  # the rank at which a pair is as likely wrong as right; the funnel trains on nothing beyond it
_NEVER = 9 * _EVEN  # the rank that counts for what was not found at all
_LOWEST, _HIGHEST = 1.0, 5.0  # of a judge's marks
_UNKNOWN = 0.5
_TINY = 128  # tokens from which on a chunk is not small
_DIGITS = 4  # of a priority: what two processors may calculate differently does not show

Vectors = Mapping[str, Sequence[float]]
Metadata = dict[str, str | int | float]
_Row = TypeVar("_Row", Chunk, Question)


def chunk_items(
    chunks: Sequence[Chunk], questions: Sequence[Question], *, vectors: Vectors | None = None
) -> list[Item]:
    """The chunks to review, those first that look like noise.

    The priority is the mean of three signs, each 0 to 1: few questions that train (``1 / (1 + their number)``), few tokens (``1 - tokens
    / 128``, at least 0), and the share of the chunk's judged questions that are likelier wrong than right (0 where none was judged).
    The suggestion is the mean likelihood of its judged questions, see ``triplet_items``.

    Args:
        chunks: All chunks.
        questions: All questions; those about other chunks do not count.
        vectors: Vectors of chunks by their ids.

    Returns:
        An item a chunk, sorted; its id is the chunk's.
    """
    about: dict[str, list[Question]] = {}
    for question in questions:
        for chunk_id in dict.fromkeys(question.answers):
            about.setdefault(chunk_id, []).append(question)
    items = []
    for chunk in _unique(chunks):
        asked = about.get(chunk.id, [])
        known = [value for one in asked if one.kind == "llm" and (value := _likelihood(one)) is not None]
        lost = sum(value < _UNKNOWN for value in known) / len(known) if known else 0.0
        kept = sum(one.train for one in asked)
        priority = (1 / (1 + kept) + max(0.0, 1 - chunk.tokens / _TINY) + lost) / 3
        suggestion = [_suggestion("good_chunk", sum(known) / len(known), "round trip")] if known else []
        metadata: Metadata = {"document": chunk.path, "url": chunk.url, "tokens": chunk.tokens, "questions": kept}
        fields = {"filename": chunk.path, "chunk": _shown(chunk)}
        item = Item(chunk.id, "chunks", fields, _filled(metadata), tuple(suggestion), _vector(vectors, chunk.id))
        items.append(_placed(item, priority))
    return _sorted(items)


def triplet_items(
    questions: Sequence[Question],
    chunks: Sequence[Chunk],
    negatives: Mapping[str, Sequence[str]],
    *,
    vectors: Vectors | None = None,
) -> list[Item]:
    """The pairs of a text and a question to review, each with a question that the text should not answer.

    How likely a pair is right: ``10 / (10 + rank)`` by the round trip (a half at rank 10; what was not found at all counts as rank 90), and
    ``(score - 1) / 4`` by a judge; the lower one where there are both. That is the suggestion ("yes" from a half on), by the judge
    where there is one. Where vectors are given, the mean with their cosine orders the pairs further. What is trained on comes before
    what is not, the less likely right first: ``priority = (1 - likely) / 2``, and a half more for what is trained on. A pair that people
    found right already has priority 0.

    Args:
        questions: All questions. Those of a language model are shown; structural ones and people's only when there are no others.
        chunks: All chunks; a question whose chunk is not among them is left out.
        negatives: Ids of hard negatives by question id, hardest first.
        vectors: Vectors of questions and chunks by their ids.

    Returns:
        An item a question, sorted; its id is the question's.
    """
    by_id = {chunk.id: chunk for chunk in chunks}
    answered = [question for question in _unique(questions) if question.chunk_id in by_id]
    shown = [question for question in answered if question.kind == "llm"] or answered
    others = _Others(shown, by_id)
    items = []
    for question in shown:
        chunk = by_id[question.chunk_id]
        negative, negative_id = others.negative(question, negatives.get(question.id, ()))
        metadata: Metadata = {
            "kind": question.kind,
            "style": question.style,
            "document": chunk.path,
            "trail": " > ".join(chunk.trail),
            "url": chunk.url,
            "chunk_id": chunk.id,
            "negative_id": negative_id,
            "rank": question.rank,
            "judge": question.score,
        }
        fields = {"anchor": _shown(chunk), "positive": question.text, "negative": negative}
        item = Item(question.id, "triplets", fields, _filled(metadata), _vote(question), _vector(vectors, question.id))
        items.append(_placed(item, _doubt(question, item.vector, _vector(vectors, chunk.id))))
    return _sorted(items)


def turn_items(turns: Sequence[Turn], chunks: Sequence[Chunk]) -> list[Item]:
    """The turns of conversations to review, those first that readers disliked.

    The priority is 0.8 for a thumb down, 0.4 for none and 0 for a thumb up, and 0.2 more where none of the chunks that the model was
    shown is there any more, or it was shown none.

    Args:
        turns: Turns in the order in which they were written; of equal ones the last counts.
        chunks: All chunks.

    Returns:
        An item a turn, sorted; its id comes from conversation, number, question and answer.
    """
    known = {chunk.id for chunk in chunks}
    items: dict[str, Item] = {}
    for turn in turns:
        shown = [chunk_id for chunk_id in dict.fromkeys(turn.chunks) if chunk_id in known]
        identity = content_id(turn.conversation, turn.number, turn.question, turn.answer)
        metadata: Metadata = {
            "conv_id": turn.conversation,
            "turn": turn.number,
            "chunk_ids": " ".join(shown),
            "model": turn.model,
        }
        fields = {"instruction": turn.question, "response": turn.answer}
        priority = {False: 0.8, None: 0.4, True: 0.0}[turn.liked] + (0.0 if shown else 0.2)
        item = Item(identity, "conversations", fields, _filled(metadata) | {"turn": turn.number})
        items[identity] = _placed(item, priority)
    return _sorted(items.values())


class _Others:
    """Questions that stand beside a pair as the wrong one; they are of the same sort as those that are shown."""

    def __init__(self, shown: Sequence[Question], by_id: Mapping[str, Chunk]) -> None:
        self._by_id = by_id
        self._of: dict[str, list[Question]] = {}
        for question in sorted(shown, key=_as_wrong):
            self._of.setdefault(question.chunk_id, []).append(question)
        # Stepping round a circle of hashes: a chunk that comes or goes changes the negatives of a few neighbours only.
        self._circle = sorted((content_id("far", chunk_id), chunk_id) for chunk_id in self._of)
        self._several = len({by_id[chunk_id].path for chunk_id in self._of}) > 1
        self._places = {chunk_id: _places([chunk_id], by_id) for chunk_id in by_id}

    def negative(self, question: Question, mined: Sequence[str]) -> tuple[str, str]:
        """The text of a wrong question and the id of the chunk that answers it, "" for a written one."""
        if question.negative.strip():
            return question.negative, ""
        own = _places(question.answers, self._by_id)
        for chunk_id in mined:
            if found := self._first(self._of.get(chunk_id, ()), question, own):
                return found.text, chunk_id
        path = self._by_id[question.chunk_id].path
        for elsewhere in (True, False) if self._several else (False,):
            for chunk_id in self._round(question.id):
                far = (self._by_id[chunk_id].path != path) is elsewhere
                if far and (found := self._first(self._of[chunk_id], question, own)):
                    return found.text, chunk_id
        return NO_NEGATIVE, ""

    def _round(self, question_id: str) -> Iterator[str]:
        start = bisect_left(self._circle, (content_id("far", question_id), ""))
        yield from (chunk_id for _, chunk_id in self._circle[start:])
        yield from (chunk_id for _, chunk_id in self._circle[:start])

    def _first(self, asked: Iterable[Question], question: Question, own: frozenset[str]) -> Question | None:
        """The first question that no chunk answers which is, or says the same as, one that answers ``question``."""
        words = _plain(question.text)
        for other in asked:
            places = [self._places.get(chunk_id, frozenset({chunk_id})) for chunk_id in other.answers]
            if _plain(other.text) != words and all(own.isdisjoint(place) for place in places):
                return other
        return None


def _as_wrong(question: Question) -> tuple[bool, int, str]:
    """A question of which it is surest that its own chunk answers it comes first."""
    return not question.train, question.rank or _NEVER, question.id


def _places(chunk_ids: Iterable[str], by_id: Mapping[str, Chunk]) -> frozenset[str]:
    """The chunks, their sections, and the texts that they are copies of; two chunks with one in common are one place."""
    known = [by_id[chunk_id] for chunk_id in chunk_ids if chunk_id in by_id]
    sections = {f"section {chunk.section}" for chunk in known}
    return frozenset({*chunk_ids, *sections, *(chunk.canonical or chunk.id for chunk in known)})


def _likelihood(question: Question) -> float | None:
    """How likely the pair is right: the lower of what round trip and judge say; ``None`` where neither looked."""
    known = [value for value in (_found_again(question), _judged(question)) if value is not None]
    return min(known, default=None)


def _vote(question: Question) -> tuple[Suggestion, ...]:
    """What is suggested: the judge's word where there is one, since it read the text."""
    judged, found = _judged(question), _found_again(question)
    if judged is not None:
        return (_suggestion("is_positive_relevant", judged, "judge"),)
    return () if found is None else (_suggestion("is_positive_relevant", found, "round trip"),)


def _doubt(question: Question, own: Sequence[float], chunk: Sequence[float]) -> float:
    """The priority of a pair; that of one that people vouched for is 0."""
    if question.votes:
        return 0.0
    likely, cosine = _likelihood(question), _cosine(own, chunk)
    likely = _UNKNOWN if likely is None else likely
    likely = likely if cosine is None else (likely + max(0.0, cosine)) / 2
    return (1 - likely) / 2 + (0.5 if question.train else 0.0)


def _found_again(question: Question) -> float | None:
    if not question.rank and question.train:
        return None  # not looked up
    return _EVEN / (_EVEN + (question.rank or _NEVER))


def _judged(question: Question) -> float | None:
    if not question.score:
        return None
    return min(1.0, max(0.0, (question.score - _LOWEST) / (_HIGHEST - _LOWEST)))


def _suggestion(ask: str, likely: float, agent: str) -> Suggestion:
    sure = round(max(likely, 1 - likely), _DIGITS)
    return Suggestion(ask, YES if likely >= _UNKNOWN else NO, sure, agent)


def _vector(vectors: Vectors | None, identity: str) -> tuple[float, ...]:
    return tuple(float(value) for value in (vectors or {}).get(identity, ()))


def _cosine(first: Sequence[float], second: Sequence[float]) -> float | None:
    """The cosine of two vectors; ``None`` where it has none."""
    size = sum(x * x for x in first) * sum(x * x for x in second)
    if len(first) != len(second) or not size > 0:
        return None
    return float(sum(x * y for x, y in zip(first, second, strict=True)) / size**0.5)


def _shown(chunk: Chunk) -> str:
    """A chunk as reviewers read it: its heading trail, then its text."""
    text = chunk.text.strip("\n")
    return f"{' > '.join(chunk.trail)}\n\n{text}" if chunk.trail else text


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip("?.! ")


def _filled(metadata: Metadata) -> Metadata:
    return {key: value for key, value in metadata.items() if value}


def _unique(rows: Iterable[_Row]) -> list[_Row]:
    """Of rows with one id the first."""
    found: dict[str, _Row] = {}
    for row in rows:
        found.setdefault(row.id, row)
    return list(found.values())


def _placed(item: Item, priority: float) -> Item:
    priority = round(priority, _DIGITS)
    return replace(item, priority=priority, metadata={**item.metadata, "priority": priority})


def _sorted(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (-item.priority, item.id))
