"""What reviewers decided: one rule, from their responses to verdicts; the same responses give the same verdicts, in any order.

In: items with their responses, from any desk. Out: a verdict for each item that enough people answered, counts, and what is in dispute.
It neither shows nor stores anything, and does not know what a verdict changes.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dragoman.errors import UsageError
from dragoman.records import Decision, ReviewKind, Verdict
from dragoman.review.items import NO, YES, Form, Item, Response, Reviewed

POINTERS: Final[Mapping[ReviewKind, tuple[str, ...]]] = {
    "chunks": (),
    "triplets": ("chunk_id",),
    "conversations": ("chunk_ids",),
}
"""The metadata that a verdict needs, by kind: without them it would not say what it is about."""
OUT_OF_GUARDRAILS: Final = "not for the chatbot to talk about"
"""The note of a conversation that was dropped for what it is about."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How a review stands: items by decision and ``undecided`` ones (with too few answers); ``reviewers`` are those whose answers count."""

    items: int
    kept: int
    corrected: int
    dropped: int
    disputed: int
    undecided: int
    responses: int
    drafts: int
    discarded: int
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A disputed item: what it is about, and who said what, sorted by name."""

    item: str
    text: str
    said: tuple[tuple[str, str], ...]


def verdicts(reviewed: Sequence[Reviewed], form: Form, *, votes: int = 1) -> list[Verdict]:
    """Judge items by what people answered; drafts and discarded answers do not count.

    Each response is a vote for one outcome, the outcome with most votes wins, and a tie for the first place is a dispute. A pair is
    kept (it fits), corrected (its question was rewritten) or dropped (it does not fit); a chunk is kept or dropped. Of conversations, what
    the chatbot should not talk about is dropped by a majority; else a right answer is kept, or corrected where the question was
    rewritten, and a wrong one is corrected where somebody said where the answer stands, else dropped.

    Args:
        reviewed: Items with their responses, in any order.
        form: What was asked.
        votes: Submitted responses that an item needs before it is judged, at least 1.

    Returns:
        A verdict an item that has enough of them, sorted by item.

    Raises:
        UsageError: ``votes`` is below 1.
    """
    if votes < 1:
        raise UsageError(f"votes = {votes}", expected="at least 1")
    rule = _RULES[form.kind]
    counting = [(one.item, _submitted(one, form)) for one in reviewed]
    found = [
        replace(
            rule(item, answers),
            votes=len(answers),
            reviewers=tuple(sorted({answer.reviewer for answer in answers})),
        )
        for item, answers in counting
        if len(answers) >= votes
    ]
    return sorted(found, key=lambda verdict: verdict.item)


def tally(reviewed: Sequence[Reviewed], found: Sequence[Verdict]) -> Tally:
    """Count how a review stands.

    Args:
        reviewed: All items, with their responses.
        found: The verdicts on them.

    Returns:
        The counts; kept, corrected, dropped, disputed and undecided items are all items.
    """
    by = Counter(verdict.decision for verdict in found)
    status = Counter(response.status for one in reviewed for response in one.responses)
    return Tally(
        items=len(reviewed),
        kept=by["kept"],
        corrected=by["corrected"],
        dropped=by["dropped"],
        disputed=by["disputed"],
        undecided=len(reviewed) - len(found),
        responses=status["submitted"],
        drafts=status["draft"],
        discarded=status["discarded"],
        reviewers=tuple(sorted({reviewer for verdict in found for reviewer in verdict.reviewers})),
    )


def queue(reviewed: Sequence[Reviewed], form: Form, found: Sequence[Verdict]) -> list[Dispute]:
    """What reviewers do not agree about, for somebody to settle.

    Args:
        reviewed: All items, with their responses.
        form: What was asked.
        found: The verdicts on them.

    Returns:
        The disputed items, sorted by item; texts are of one line, without control characters.
    """
    disputed = {verdict.item for verdict in found if verdict.decision == "disputed"}
    return [
        Dispute(
            one.item.id,
            _line(one.item.fields.get(_ABOUT[form.kind], "")),
            tuple((_line(answer.reviewer), _said(answer, form)) for answer in _submitted(one, form)),
        )
        for one in sorted(reviewed, key=lambda one: one.item.id)
        if one.item.id in disputed
    ]


def _said(answer: Response, form: Form) -> str:
    return ", ".join(
        f"{ask.name}: {_line(answer.values[ask.name])}" for ask in form.asks if answer.values.get(ask.name)
    )


def _line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _submitted(one: Reviewed, form: Form) -> list[Response]:
    """The responses that count, in an order that comes from what they say."""
    whole = [
        response
        for response in one.responses
        if response.status == "submitted" and all(response.values.get(ask.name) in ask.options for ask in form.required)
    ]
    return sorted(whole, key=lambda response: (response.reviewer, sorted(response.values.items())))


def _lead(sides: Sequence[str]) -> tuple[str, float]:
    """The side with most votes ("" for a tie), and the share of votes that the largest side has."""
    (first, most), *rest = Counter(sides).most_common(2)
    return ("" if rest and rest[0][1] == most else first), most / len(sides)


def _chosen(texts: Sequence[str]) -> str:
    """The text most often given, however it is spaced or cased; of equals the first one, so that names break ties."""
    alike = Counter(_plain(text) for text in texts)
    exact = Counter(texts)
    return max(texts, key=lambda text: (alike[_plain(text)], exact[text]), default="")


def _plain(text: str) -> str:
    return " ".join(text.replace("?", " ").casefold().split())


def _rewrite(answer: Response, question: str) -> str:
    text = " ".join(answer.values.get("question", "").split())
    return text if _plain(text) not in {"", _plain(question)} else ""


def _of_chunk(item: Item, answers: Sequence[Response]) -> Verdict:
    winner, share = _lead([answer.values["good_chunk"] for answer in answers])
    decisions: Mapping[str, Decision] = {YES: "kept", NO: "dropped", "": "disputed"}
    return Verdict("chunks", item.id, decisions[winner], agreement=share)


def _of_triplet(item: Item, answers: Sequence[Response]) -> Verdict:
    question = item.fields.get("positive", "")
    rewrites = [_rewrite(answer, question) for answer in answers]
    sides = [
        "corrected" if rewrite else answer.values["is_positive_relevant"]
        for rewrite, answer in zip(rewrites, answers, strict=True)
    ]
    decisions: Mapping[str, Decision] = {"corrected": "corrected", YES: "kept", NO: "dropped", "": "disputed"}
    winner, share = _lead(sides)
    fits, _ = _lead([answer.values["is_negative_irrelevant"] for answer in answers])
    return Verdict(
        "triplets",
        item.id,
        decisions[winner],
        question=_chosen([text for text in rewrites if text]) if winner == "corrected" else question,
        chunks=tuple(str(item.metadata.get("chunk_id", "")).split()),
        # The text that was read; a desk may have moved the chunk's id since.
        negative=item.fields.get("negative", "") if fits == NO else "",
        agreement=share,
    )


def _of_turn(item: Item, answers: Sequence[Response]) -> Verdict:
    asked = Verdict("conversations", item.id, "disputed", question=item.fields.get("instruction", ""))
    winner, share = _lead([answer.values["out_of_guardrails"] for answer in answers])
    if winner == YES:
        return replace(asked, decision="dropped", agreement=share, note=OUT_OF_GUARDRAILS)
    if not winner:
        return replace(asked, agreement=share)
    winner, share = _lead([answer.values["is_response_correct"] for answer in answers])
    if not winner:
        return replace(asked, agreement=share)
    side = [answer for answer in answers if answer.values["is_response_correct"] == winner]
    rewrite = _chosen([text for answer in side if (text := _rewrite(answer, asked.question))])
    asked = replace(asked, question=rewrite or asked.question, agreement=share, note=_feedback(side))
    if winner == YES:
        chunks = tuple(str(item.metadata.get("chunk_ids", "")).split())
        return replace(asked, decision="corrected" if rewrite else "kept", chunks=chunks)
    source = _chosen([text for answer in side if (text := answer.values.get("source", "").strip())])
    return replace(asked, decision="corrected" if source else "dropped", source=source)


def _feedback(answers: Sequence[Response]) -> str:
    said = (" ".join(answer.values.get("feedback", "").split()) for answer in answers)
    return " | ".join(dict.fromkeys(text for text in said if text))


_RULES: Final[Mapping[ReviewKind, Callable[[Item, Sequence[Response]], Verdict]]] = {
    "chunks": _of_chunk,
    "triplets": _of_triplet,
    "conversations": _of_turn,
}
_ABOUT: Final[Mapping[ReviewKind, str]] = {"chunks": "chunk", "triplets": "positive", "conversations": "instruction"}
