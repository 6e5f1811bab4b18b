"""The rule from responses to verdicts: worked examples of each kind, and what holds for all of them."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dragoman.errors import UsageError
from dragoman.records import Decision, ReviewKind, Verdict
from dragoman.review.items import FORMS, NO, YES, Item, Response, ResponseStatus, Reviewed
from dragoman.review.verdict import OUT_OF_GUARDRAILS, POINTERS, Dispute, Tally, queue, tally, verdicts

PAIR = Item(
    "q1",
    "triplets",
    {"anchor": "Ports open with --port.", "positive": "How to open a port?", "negative": "Who reads logs?"},
    {"chunk_id": "c1", "negative_id": "c2"},
)
TEXT = Item("c1", "chunks", {"filename": "a.md", "chunk": "Ports open with --port."})
TURN = Item("t1", "conversations", {"instruction": "and on Windows?", "response": "So."}, {"chunk_ids": "c1 c2"})
ITEMS: dict[ReviewKind, Item] = {"chunks": TEXT, "triplets": PAIR, "conversations": TURN}


def pair(name: str, positive: str = YES, negative: str = YES, question: str = "") -> Response:
    values = {"is_positive_relevant": positive, "is_negative_irrelevant": negative}
    return Response(name, values | ({"question": question} if question else {}))


def turn(name: str, correct: str = YES, out: str = NO, **texts: str) -> Response:
    return Response(name, {"is_response_correct": correct, "out_of_guardrails": out} | texts)


def text(name: str, good: str) -> Response:
    return Response(name, {"good_chunk": good})


def judged(item: Item, *responses: Response, votes: int = 1) -> Verdict:
    (verdict,) = verdicts([Reviewed(item, responses)], FORMS[item.kind], votes=votes)
    return verdict


@pytest.mark.parametrize(
    ("answers", "decision", "agreement"),
    [
        ([YES], "kept", 1.0),
        ([NO], "dropped", 1.0),
        ([YES, NO], "disputed", 0.5),
        ([NO, YES, NO], "dropped", 2 / 3),
    ],
)
def test_a_chunk_is_kept_or_dropped_by_most(answers: list[str], decision: Decision, agreement: float) -> None:
    names = ("bob", "anna", "carol")
    verdict = judged(TEXT, *(text(name, answer) for name, answer in zip(names, answers, strict=False)))
    reviewers = tuple(sorted(names[: len(answers)]))
    assert verdict == Verdict("chunks", "c1", decision, votes=len(answers), agreement=agreement, reviewers=reviewers)


@pytest.mark.parametrize(
    ("responses", "decision", "question"),
    [
        ([pair("a")], "kept", "How to open a port?"),
        ([pair("a", NO)], "dropped", "How to open a port?"),
        ([pair("a", question=" Which switch\n opens a port? ")], "corrected", "Which switch opens a port?"),
        ([pair("a", NO, question="Which switch?")], "corrected", "Which switch?"),
        ([pair("a", question="  HOW to  open a port ")], "kept", "How to open a port?"),
        ([pair("a", NO, question="how to open a port??")], "dropped", "How to open a port?"),
        ([pair("a", question=" ?")], "kept", "How to open a port?"),
        ([pair("a"), pair("b", NO)], "disputed", "How to open a port?"),
        ([pair("a"), pair("b", question="Which?"), pair("c", NO)], "disputed", "How to open a port?"),
        ([pair("a"), pair("b", question="Which?"), pair("c", NO, question="What?")], "corrected", "Which?"),
        ([pair("c", question="Which?"), pair("b", question="What?")], "corrected", "What?"),
        (
            [pair("a", question="What?"), pair("b", question="which"), pair("c", question="Which?")],
            "corrected",
            "which",
        ),
        ([pair("a"), pair("b"), pair("c", question="Which?"), pair("d", NO)], "kept", "How to open a port?"),
    ],
)
def test_a_pair_is_kept_corrected_or_dropped_by_most(
    responses: list[Response], decision: Decision, question: str
) -> None:
    verdict = judged(PAIR, *responses)
    assert (verdict.item, verdict.decision, verdict.question, verdict.chunks) == ("q1", decision, question, ("c1",))


def test_agreement_is_the_share_of_the_largest_side() -> None:
    assert judged(PAIR, pair("a"), pair("b"), pair("c", question="Which?"), pair("d", NO)).agreement == 0.5
    assert judged(PAIR, pair("a", question="Which?"), pair("b", question="What?")).agreement == 1.0
    assert judged(TURN, turn("a", out=YES), turn("b"), turn("c", out=YES)).agreement == 2 / 3


def test_a_wrong_question_that_is_none_is_named_by_the_text_that_was_read() -> None:
    assert judged(PAIR, pair("a", negative=NO)).negative == "Who reads logs?"
    assert judged(PAIR, pair("a", negative=NO), pair("b")).negative == ""
    assert judged(PAIR, pair("a", negative=NO), pair("b"), pair("c", NO, NO)).negative == "Who reads logs?"
    moved = Item("q1", "triplets", PAIR.fields, {"chunk_id": "c1", "negative_id": "c9"})
    assert judged(moved, pair("a", negative=NO)).negative == "Who reads logs?"
    assert judged(moved, pair("a")).negative == ""


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        ([turn("a")], ("kept", "and on Windows?", ("c1", "c2"), "", "")),
        ([turn("a", question="How on Windows?")], ("corrected", "How on Windows?", ("c1", "c2"), "", "")),
        ([turn("a", question="And on Windows")], ("kept", "and on Windows?", ("c1", "c2"), "", "")),
        ([turn("a", NO, feedback="Too\nshort.")], ("dropped", "and on Windows?", (), "", "Too short.")),
        (
            [turn("a", NO, source=" install.md#win ", question="How on Windows?", feedback="No.")],
            ("corrected", "How on Windows?", (), "install.md#win", "No."),
        ),
        ([turn("a", out=YES)], ("dropped", "and on Windows?", (), "", OUT_OF_GUARDRAILS)),
        ([turn("a", out=YES), turn("b")], ("disputed", "and on Windows?", (), "", "")),
        ([turn("a", NO, source="x.md"), turn("b")], ("disputed", "and on Windows?", (), "", "")),
        (
            [turn("c", NO, source="x.md"), turn("b", NO, source="y.md"), turn("a", question="What?")],
            ("corrected", "and on Windows?", (), "y.md", ""),
        ),
        (
            [turn("a", NO, source="x.md"), turn("b", NO, source="y.md"), turn("c", NO, source="y.md")],
            ("corrected", "and on Windows?", (), "y.md", ""),
        ),
        ([turn("a", NO, source="x.md"), turn("b"), turn("c")], ("kept", "and on Windows?", ("c1", "c2"), "", "")),
        (
            [turn("b", NO, feedback="Wrong."), turn("a", NO, feedback="Old."), turn("c", NO, feedback="Old.")],
            ("dropped", "and on Windows?", (), "", "Old. | Wrong."),
        ),
    ],
)
def test_a_conversation_is_judged_step_by_step(
    responses: list[Response], expected: tuple[Decision, str, tuple[str, ...], str, str]
) -> None:
    found = judged(TURN, *responses)
    assert (found.decision, found.question, found.chunks, found.source, found.note) == expected


def test_drafts_discarded_and_incomplete_answers_do_not_count() -> None:
    responses = (
        Response("anna", pair("").values, "draft"),
        Response("bob", pair("").values, "discarded"),
        Response("carol", {"is_positive_relevant": YES}),
        Response("dora", {"is_positive_relevant": YES, "is_negative_irrelevant": "maybe"}),
    )
    assert verdicts([Reviewed(PAIR, responses)], FORMS["triplets"]) == []
    assert judged(PAIR, *responses, pair("eve", NO)).reviewers == ("eve",)


def test_an_item_with_too_few_answers_is_not_judged() -> None:
    reviewed = [Reviewed(PAIR, (pair("a"), pair("b")))]
    assert verdicts(reviewed, FORMS["triplets"], votes=3) == []
    assert [verdict.votes for verdict in verdicts(reviewed, FORMS["triplets"], votes=2)] == [2]
    with pytest.raises(UsageError, match="votes = 0"):
        verdicts(reviewed, FORMS["triplets"], votes=0)


def test_the_tally_and_the_queue_say_how_a_review_stands() -> None:
    def named(key: str, *responses: Response) -> Reviewed:
        return Reviewed(Item(key, "triplets", PAIR.fields, PAIR.metadata), responses)

    reviewed = [
        named("e", pair("bob"), pair("anna", NO, question="\x1b[31mWhich\nswitch?"), pair("carol", NO)),
        named("a", pair("anna"), pair("bob")),
        named("d", pair("anna", NO)),
        named("c", Response("bob", {}, "discarded"), Response("dora", {"is_positive_relevant": YES}, "draft")),
        named("b", pair("anna", question="Which?")),
    ]
    form = FORMS["triplets"]
    found = verdicts(reviewed, form)
    assert [verdict.item for verdict in found] == ["a", "b", "d", "e"]
    assert tally(reviewed, found) == Tally(
        items=5,
        kept=1,
        corrected=1,
        dropped=1,
        disputed=1,
        undecided=1,
        responses=7,
        drafts=1,
        discarded=1,
        reviewers=("anna", "bob", "carol"),
    )
    assert queue(reviewed, form, found) == [
        Dispute(
            "e",
            "How to open a port?",
            (
                ("anna", "is_positive_relevant: no, is_negative_irrelevant: yes, question: [31mWhich switch?"),
                ("bob", "is_positive_relevant: yes, is_negative_irrelevant: yes"),
                ("carol", "is_positive_relevant: no, is_negative_irrelevant: yes"),
            ),
        )
    ]


def test_what_a_verdict_points_with_is_metadata_of_its_form() -> None:
    assert all(set(POINTERS[kind]) <= set(form.metadata) for kind, form in FORMS.items())


@st.composite
def reviews(draw: st.DrawFn) -> tuple[ReviewKind, list[Reviewed]]:
    """Any review of one kind, its texts few so that they meet."""
    kind = draw(st.sampled_from(sorted(FORMS)))
    required = {ask.name: st.sampled_from(ask.options) for ask in FORMS[kind].asks if ask.required}
    free = {
        ask.name: st.sampled_from(["", " ", "Which?", "which", "What?", "and on windows"])
        for ask in FORMS[kind].asks
        if not ask.required
    }
    values = st.fixed_dictionaries(required, optional=free)
    statuses: tuple[ResponseStatus, ...] = ("submitted", "submitted", "submitted", "draft", "discarded")
    status = st.sampled_from(statuses)
    reviewed = []
    for number in range(draw(st.integers(0, 3))):
        names = draw(st.lists(st.sampled_from("abcdefg"), unique=True, max_size=6))
        responses = tuple(Response(name, draw(values), draw(status)) for name in names)
        reviewed.append(Reviewed(Item(str(number), kind, ITEMS[kind].fields, ITEMS[kind].metadata), responses))
    return kind, reviewed


def shuffled(reviewed: Sequence[Reviewed], seed: int) -> list[Reviewed]:
    order = Random(seed)
    mixed = [Reviewed(one.item, tuple(order.sample(one.responses, len(one.responses)))) for one in reviewed]
    return order.sample(mixed, len(mixed))


@given(reviews(), st.integers(1, 3), st.integers())
def test_order_never_matters_and_every_item_is_counted_once(
    review: tuple[ReviewKind, list[Reviewed]], votes: int, seed: int
) -> None:
    kind, reviewed = review
    found = verdicts(reviewed, FORMS[kind], votes=votes)
    mixed = shuffled(reviewed, seed)
    assert verdicts(mixed, FORMS[kind], votes=votes) == found
    assert queue(mixed, FORMS[kind], found) == queue(reviewed, FORMS[kind], found)
    counts = tally(reviewed, found)
    decided = counts.kept + counts.corrected + counts.dropped + counts.disputed
    assert decided + counts.undecided == counts.items == len(reviewed)
    assert len(queue(reviewed, FORMS[kind], found)) == counts.disputed


def side(verdict: Verdict) -> tuple[Decision, tuple[str, ...], bool]:
    """What was voted for: an answer may be dropped for being wrong and for what it is about, corrected by a rewrite and by a source."""
    return verdict.decision, verdict.chunks, verdict.note == OUT_OF_GUARDRAILS


@given(reviews())
def test_one_more_vote_for_the_winner_never_changes_it(review: tuple[ReviewKind, list[Reviewed]]) -> None:
    kind, reviewed = review
    assume(reviewed)
    one = reviewed[0]
    found = verdicts([one], FORMS[kind])
    assume(found and found[0].decision != "disputed")
    won = found[0]
    for response in one.responses:
        alone = verdicts([Reviewed(one.item, (response,))], FORMS[kind])
        if not alone or side(alone[0]) != side(won):
            continue
        same = alone[0].question == won.question and alone[0].source == won.source
        more = Reviewed(one.item, (*one.responses, Response("z", response.values)))
        (after,) = verdicts([more], FORMS[kind])
        assert side(after) == side(won)
        assert after.agreement >= won.agreement
        if same:
            assert (after.question, after.source) == (won.question, won.source)
