"""What verdicts change: which questions are trained on, which chunks are thrown out, which wrong passages are not wrong.

In: verdicts, and the questions and chunks that there are now. Out: the questions as reviewers left them. Every verdict is counted once, as
used, by its decision, or as unused, with the reason. It knows no desk; the order of the verdicts does not matter.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dragoman.records import Chunk, Question, Rejected, Verdict, content_id
from dragoman.review.turns import find_source

__all__ = ["REASONS", "UNUSED", "Applied", "apply_verdicts", "find_source"]

REASONS = ("rejected in review", "chunk rejected in review", "same as another in review")
_REJECTED, _CHUNK, _SAME = REASONS
UNUSED: Final = (
    "its chunk is gone since the docs changed",
    "its chunk was rejected",
    "its question is not asked any more",
    "its question has no words",
    "nobody said where the answer stands",
    "the place of its answer was not found",
    "the place of its answer fits several sections",
    "another verdict on the same item counts",
)
_GONE, _BAD, _UNASKED, _WORDLESS, _UNPLACED, _NOT_FOUND, _SEVERAL, _OUTVOTED = UNUSED
_STYLES = {"triplets": "review", "conversations": "conversation"}  # of questions that were no question before
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Applied:
    """The questions as reviewers left them, and what else their verdicts say.

    ``rejected`` are the questions that left, ``wrong_negatives`` the chunks, by question id, that are not to be mined as its hard
    negatives. ``counts`` has a key for each decision that was used and "unused: ..." for each reason of ``UNUSED`` that applied.
    """

    questions: tuple[Question, ...]
    rejected: tuple[Rejected, ...]
    bad_chunks: frozenset[str]
    wrong_negatives: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]

    @property
    def used(self) -> int:
        """How many verdicts changed something, or confirmed it."""
        return sum(count for key, count in self.counts.items() if not key.startswith("unused"))


def apply_verdicts(verdicts: Iterable[Verdict], questions: Sequence[Question], chunks: Sequence[Chunk]) -> Applied:
    """Do what the reviewers decided.

    Args:
        verdicts: In any order; of several on one item that with the most votes counts.
        questions: The questions as the funnel left them.
        chunks: All chunks that there are now.

    Returns:
        The questions in their order, new ones at the end, sorted by id. A verdict on a question that is not asked any more still adds
        it when reviewers vouched for it and its chunk is there.
    """
    counts: Counter[str] = Counter()
    deciding: dict[tuple[str, str], Verdict] = {}
    for verdict in sorted(verdicts, key=lambda one: (-one.votes, -one.agreement, repr(one))):
        if (verdict.kind, verdict.item) in deciding:
            counts[f"unused: {_OUTVOTED}"] += 1
        deciding.setdefault((verdict.kind, verdict.item), verdict)
    ordered = [deciding[key] for key in sorted(deciding)]
    bad = {one.item for one in ordered if one.kind == "chunks" and one.decision == "dropped"}
    work = _Work(questions, chunks, bad)
    for verdict in ordered:
        reason = {"chunks": work.chunk, "triplets": work.triplet, "conversations": work.turn}[verdict.kind](verdict)
        counts[f"unused: {reason}" if reason else verdict.decision] += 1
    work.merge()
    for verdict in ordered:
        if verdict.kind == "triplets" and verdict.negative:
            work.not_wrong(verdict)
    return Applied(
        tuple(work.left.values()),
        tuple(work.rejected),
        frozenset(work.bad),
        {key: tuple(sorted(found)) for key, found in sorted(work.wrong_negatives.items())},
        {key: counts[key] for key in sorted(counts, key=lambda key: (key.startswith("unused"), key))},
    )


class _Work:
    """The questions while verdicts are applied, by their places; new ones stand behind them in the end.

    Before the funnel, two places may have the same id: what is decided about one, is about both.
    """

    def __init__(self, questions: Sequence[Question], chunks: Sequence[Chunk], bad: Iterable[str]) -> None:
        self.chunks, self.by_id = chunks, {chunk.id: chunk for chunk in chunks}
        self.before = dict(enumerate(questions))
        self.bad = self.by_id.keys() & set(bad)
        self.left: dict[int, Question] = {}
        self.changed: set[int] = set()
        self.new: dict[str, Question] = {}
        self.places: dict[str, list[int]] = {}
        self.known_as: dict[str, set[int]] = {}  # places by the words and the chunks that they have, or had
        self.rejected: list[Rejected] = []
        self.wrong_negatives: dict[str, set[str]] = {}
        for place, question in self.before.items():
            self.places.setdefault(question.id, []).append(place)
            if moved := self._moved(question):
                self.left[place] = moved
            else:
                self._reject(question, _CHUNK)

    def chunk(self, verdict: Verdict) -> str:
        """Count a verdict on a chunk; dropped ones are ``bad`` already. As of the others, returns why it cannot be used, or ""."""
        return "" if verdict.item in self.by_id else _GONE

    def triplet(self, verdict: Verdict) -> str:
        """Do what was decided about a question."""
        own = self._own(verdict)
        if own in self.bad:
            return _BAD
        if verdict.item not in self.places:
            return self._again(verdict, own)
        text = _wording(verdict)
        if verdict.decision == "corrected" and not text:
            return _WORDLESS
        for place in [place for place in self.places[verdict.item] if place in self.left]:
            question = self.left[place]
            if verdict.decision == "dropped":
                self._reject(self.left.pop(place), _REJECTED)
            elif verdict.decision == "disputed":
                self.left[place] = replace(question, train=False)
            elif verdict.decision == "kept":
                self.left[place] = replace(question, train=True, votes=verdict.votes)
            else:
                # What models said was about the other wording, and a passage without some headings was made for it.
                fresh = _asked(text, question.chunk_id, question.style, verdict.votes, question.also)
                self.left[place] = replace(fresh, model=question.model, negative=question.negative)
            self.changed.add(place)
        return ""

    def turn(self, verdict: Verdict) -> str:
        """Do what was decided about a turn of a conversation."""
        if verdict.decision in {"dropped", "disputed"}:
            return ""
        text = _wording(verdict)
        if not text:
            return _WORDLESS
        chunk, reason = self._place(verdict, text)
        if chunk:
            self.new[f"turn {verdict.item}"] = _asked(text, chunk, _STYLES["conversations"], verdict.votes)
        return reason

    def merge(self) -> None:
        """Put new questions behind the others, and make one of those that got the id of another: people's before others'."""
        ordered = sorted(self.new, key=lambda key: (self.new[key].id, key))
        for place, key in enumerate(ordered, start=len(self.before)):
            self.left[place] = self.new[key]
            self.places.setdefault(key, []).append(place)
            self.changed.add(place)
        same: dict[str, list[int]] = {}
        for place, question in self.left.items():
            same.setdefault(question.id, []).append(place)
        for group in same.values():
            if len(group) > 1 and not self.changed.isdisjoint(group):
                self._make_one(group)
        for place, question in self.left.items():
            old = self.before.get(place, question)
            for name in (_plain(old.text), _plain(question.text), old.chunk_id):
                self.known_as.setdefault(name, set()).add(place)

    def _make_one(self, group: Sequence[int]) -> None:
        rows = [self.left[place] for place in group]
        best = min(group, key=lambda place: (self.left[place].kind != "person", -self.left[place].votes, place))
        also = dict.fromkeys(chunk for one in (self.left[best], *rows) for chunk in one.also)
        votes, train = max(one.votes for one in rows), any(one.train for one in rows)
        self.left[best] = replace(self.left[best], also=tuple(also), votes=votes, train=train)
        for place in group:
            if place != best:
                del self.left[place]
                if place in self.before:
                    self._reject(self.before[place], _SAME)

    def not_wrong(self, verdict: Verdict) -> None:
        """Note that the text answers the other question, too: neither is the other's hard negative."""
        own = self._own(verdict)
        mine = [place for place in self.places.get(verdict.item, ()) if place in self.left]
        for place in mine:
            if _plain(self.left[place].negative) == _plain(verdict.negative):
                self.left[place] = replace(self.left[place], negative="")
        if own not in self.by_id or own in self.bad:
            return
        others, sure = self._others(verdict.negative, mine)
        answering = {chunk for place in others for chunk in self.left[place].answers}
        answering |= {verdict.negative} & self.by_id.keys()
        self._note(mine, answering - {own})
        for place in others:
            self._note([place], {own})
            if sure and own not in self.left[place].answers:
                also = (*self.left[place].also, own)
                self.left[place] = replace(self.left[place], also=also)

    def _others(self, negative: str, mine: Sequence[int]) -> tuple[list[int], bool]:
        """Where the questions are that a text, or a chunk's id, stands for, and whether it can be no others."""
        a_chunk = negative in self.by_id
        found = self.known_as.get(negative if a_chunk else _plain(negative), set()) - set(mine)
        if not a_chunk:
            return sorted(found), True
        # Reviewers were shown one of its questions, and which one is not said.
        found = {place for place in found if self.left[place].kind != "structure"}
        return sorted(found), len({self.left[place].id for place in found}) == 1

    def _note(self, places: Iterable[int], chunk_ids: set[str]) -> None:
        for place in places if chunk_ids else ():
            for question_id in {self.left[place].id, self.before.get(place, self.left[place]).id}:
                self.wrong_negatives.setdefault(question_id, set()).update(chunk_ids)

    def _again(self, verdict: Verdict, own: str) -> str:
        """A question that is not asked any more: people vouched for it, so it is asked in their name."""
        if own not in self.by_id:
            return _GONE if own else _UNASKED
        if verdict.decision in {"dropped", "disputed"}:
            return _UNASKED
        text = _wording(verdict)
        if text:
            also = [chunk for chunk in verdict.chunks[1:] if chunk in self.by_id and chunk not in self.bad]
            self.new[verdict.item] = _asked(text, own, _STYLES["triplets"], verdict.votes, also)
        return "" if text else _WORDLESS

    def _place(self, verdict: Verdict, text: str) -> tuple[str, str]:
        """The chunk with the answer, or why there is none."""
        shown = [chunk for chunk in verdict.chunks if chunk in self.by_id and chunk not in self.bad]
        found = find_source(verdict.source, self.chunks) if verdict.source.strip() else []
        good = [chunk for chunk in found if chunk not in self.bad]
        both = [chunk for chunk in shown if chunk in good]
        if both:
            return both[0], ""
        if len({self._section(chunk) for chunk in good}) == 1:
            words = set(_WORD.findall(text.casefold()))
            # Of the chunks of one section, the one that says most of the question's words.
            return max(good, key=lambda one: len(words & set(_WORD.findall(self.by_id[one].text.casefold())))), ""
        if shown:
            return shown[0], ""
        if verdict.source.strip():
            return "", _SEVERAL if good else _BAD if found else _NOT_FOUND
        return "", _UNPLACED if not verdict.chunks else _BAD if self.bad & set(verdict.chunks) else _GONE

    def _section(self, chunk_id: str) -> str:
        """The section that says it first, of this chunk or of what it is a copy of."""
        chunk = self.by_id[chunk_id]
        return self.by_id.get(chunk.canonical, chunk).section

    def _own(self, verdict: Verdict) -> str:
        """The chunk that reviewers read beside the question."""
        places = self.places.get(verdict.item, ())
        own = [self.before[place].chunk_id for place in places if place in self.before]
        return own[0] if own else verdict.chunks[0] if verdict.chunks else ""

    def _moved(self, question: Question) -> Question | None:
        """The question with good chunks only, about another one where its own is bad; ``None`` when no good one is left."""
        if self.bad.isdisjoint(question.answers):
            return question
        good = tuple(chunk for chunk in question.also if chunk not in self.bad)
        if question.chunk_id not in self.bad:
            return replace(question, also=good)
        good = tuple(chunk for chunk in good if chunk in self.by_id)
        return replace(question, chunk_id=good[0], also=good[1:], passage="", negative="") if good else None

    def _reject(self, question: Question, reason: str) -> None:
        self.rejected.append(Rejected("synth", question.id, reason, question.text))


def _asked(text: str, chunk_id: str, style: str, votes: int, also: Iterable[str] = ()) -> Question:
    return Question(content_id(chunk_id, text), text, chunk_id, "person", style, also=tuple(also), votes=votes)


def _wording(verdict: Verdict) -> str:
    """The question as it is asked from now on, on one line; "" when it has no words."""
    text = " ".join(verdict.question.encode("utf-8", "replace").decode("utf-8").split())
    return text if _WORD.search(text) else ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip("?.! ")
