"""What every desk promises, as tests: a desk's own test file subclasses ``DeskContract`` and gives it a ``harness``.

A harness knows one place. It opens it as often as it is asked to, and answers there in the way that the desk's own reviewers do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import pytest

from dragoman.errors import MissingArtefact
from dragoman.records import ReviewKind, content_id
from dragoman.review.items import FORMS, NO, YES, Desk, Form, Item, Pushed, Response, ResponseStatus, Suggestion

CHUNKS, TRIPLETS, CONVERSATIONS = FORMS["chunks"], FORMS["triplets"], FORMS["conversations"]
RIGHT = {"is_positive_relevant": YES, "is_negative_irrelevant": YES}
WRONG = {"is_positive_relevant": NO, "is_negative_irrelevant": YES}
ODD = "naïve café, 日本語, עברית, 👩‍💻, \u2028a line\u00a0apart\u200b, e\u0301"
MARKUP = '<img src=x onerror="alert(1)"> &amp; &lt;b&gt; **bold** [x](javascript:alert(1)) {{ 7*7 }} \\n "q" \'s\''


class Harness(Protocol):
    """One place where reviewers work."""

    def desk(self, kind: ReviewKind) -> Desk:
        """The desk, opened anew: nothing is remembered but what lies in the place. A file holds one kind, so it asks which."""
        ...

    def answer(
        self, form: Form, item_id: str, reviewer: str, values: Mapping[str, str], status: ResponseStatus = "submitted"
    ) -> None:
        """Answer as ``reviewer`` does there (anna, bob or carol); a second answer of the same reviewer replaces the first."""
        ...

    def shown(self, form: Form) -> list[str]:
        """Ids of the items that wait for a reviewer who has answered nothing, in order; those that need no more answers may lack."""
        ...


def triplet(number: int, **fields: str) -> Item:
    """A pair to review, unlike those of other numbers; the smaller the number, the earlier it is shown."""
    texts = {
        "anchor": f"Port {number} is opened with the switch --port.",
        "positive": f"How do I open port {number}?",
        "negative": f"Who may read log {number}?",
    }
    priority = 1 - number / 100
    return Item(
        content_id("triplet", number),
        "triplets",
        texts | fields,
        {
            "kind": "llm",
            "style": "howto",
            "document": "guides/ports.md",
            "url": f"https://docs.test/guides/ports/#{number}",
            "chunk_id": content_id("chunk", number),
            "rank": number,
            "judge": 4.5,
            "priority": priority,
        },
        (Suggestion("is_positive_relevant", YES, 0.75, "round trip"),),
        (0.6, 0.8, number / 7, 0.0),
        priority,
    )


def triplets(*numbers: int) -> list[Item]:
    """Pairs to review, in this order."""
    return [triplet(number) for number in numbers]


def chunk(text: str) -> Item:
    """A chunk to review."""
    fields = {"filename": "guides/a b.md", "chunk": text}
    return Item(
        content_id("chunk", text), "chunks", fields, {"document": "guides/a b.md", "tokens": 12, "questions": 0}
    )


def turn(instruction: str, response: str) -> Item:
    """An exchange to review."""
    metadata: dict[str, str | int | float] = {"conv_id": "c-1", "turn": 0, "chunk_ids": "aa bb"}
    return Item(
        content_id(instruction, response),
        "conversations",
        {"instruction": instruction, "response": response},
        metadata,
    )


def seen(desk: Desk, form: Form) -> dict[str, tuple[Mapping[str, str], Mapping[str, str | int | float]]]:
    """Fields and metadata of what lies on the desk, by id."""
    return {one.item.id: (dict(one.item.fields), dict(one.item.metadata)) for one in desk.pull(form)}


def pushed(items: Sequence[Item]) -> dict[str, tuple[Mapping[str, str], Mapping[str, str | int | float]]]:
    """What ``seen`` should be after these were pushed."""
    return {item.id: (dict(item.fields), dict(item.metadata)) for item in items}


def responses(desk: Desk, form: Form) -> dict[str, tuple[Response, ...]]:
    """The responses to the items that have some."""
    return {one.item.id: one.responses for one in desk.pull(form) if one.responses}


class DeskContract:
    """The tests; a subclass has a fixture ``harness`` whose place is new for each test."""

    @pytest.fixture
    def harness(self) -> Harness:
        raise NotImplementedError

    def test_what_is_pushed_lies_there_for_whoever_opens_it_next(self, harness: Harness) -> None:
        items = sorted(triplets(1, 2, 3), key=lambda item: item.id, reverse=True)
        counted: list[int] = []
        desk = harness.desk("triplets")
        assert desk.push(TRIPLETS, items, counted.append) == Pushed(added=3)
        assert sum(counted) == 3
        assert desk.place
        again = harness.desk("triplets")
        assert again.place == desk.place
        assert seen(again, TRIPLETS) == pushed(items)
        pulled = again.pull(TRIPLETS)
        assert [one.item.id for one in pulled] == sorted(item.id for item in items)
        assert all(one.item.kind == "triplets" and one.responses == () for one in pulled)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(ODD, id="odd unicode"),
            pytest.param("one\n\n    two\ttabs\n- three\n", id="newlines"),
            pytest.param(MARKUP, id="markup"),
            pytest.param("=HYPERLINK(A1), ;|'\"", id="a formula"),
            pytest.param("'-1 with an apostrophe", id="an apostrophe"),
            pytest.param("words of a long text, " * 900, id="20 kB"),
        ],
    )
    def test_any_text_comes_back_as_it_went_in(self, harness: Harness, text: str) -> None:
        for form, item in (
            (CHUNKS, chunk(text)),
            (TRIPLETS, triplet(1, anchor=text, positive=text, negative=text)),
            (CONVERSATIONS, turn(text, text)),
        ):
            harness.desk(form.kind).push(form, [item])
            assert seen(harness.desk(form.kind), form) == pushed([item])
            assert harness.desk(form.kind).push(form, [item]) == Pushed(unchanged=1)

    def test_a_pair_without_another_question_is_shown_too(self, harness: Harness) -> None:
        items = [triplet(1, negative="")]
        harness.desk("triplets").push(TRIPLETS, items)
        assert seen(harness.desk("triplets"), TRIPLETS) == pushed(items)

    def test_items_are_shown_in_the_order_of_the_push(self, harness: Harness) -> None:
        items = triplets(1, 2, 3, 4, 5)
        assert [item.id for item in items] != sorted(item.id for item in items)
        harness.desk("triplets").push(TRIPLETS, items)
        assert harness.shown(TRIPLETS) == [item.id for item in items]
        first = replace(items[4], priority=2.0, metadata=dict(items[4].metadata) | {"priority": 2.0})
        harness.desk("triplets").push(TRIPLETS, [first, *items[:4]])
        assert harness.shown(TRIPLETS) == [item.id for item in (first, *items[:4])]

    def test_pushing_twice_changes_nothing(self, harness: Harness) -> None:
        items = triplets(1, 2, 3)
        harness.desk("triplets").push(TRIPLETS, items)
        harness.answer(TRIPLETS, items[1].id, "anna", RIGHT)
        before = harness.desk("triplets").pull(TRIPLETS)
        counted: list[int] = []
        assert harness.desk("triplets").push(TRIPLETS, items, counted.append) == Pushed(unchanged=3)
        assert sum(counted) == 3
        assert harness.desk("triplets").pull(TRIPLETS) == before

    def test_an_item_that_nobody_answered_takes_what_changed(self, harness: Harness) -> None:
        first, second = triplets(1, 2)
        harness.desk("triplets").push(TRIPLETS, [first, second])
        changed = replace(triplet(1, anchor="Ports open by themselves."), metadata=dict(first.metadata) | {"rank": 9})
        assert harness.desk("triplets").push(TRIPLETS, [changed, second]) == Pushed(updated=1, unchanged=1)
        assert seen(harness.desk("triplets"), TRIPLETS) == pushed([changed, second])

    def test_new_suggestions_are_an_update(self, harness: Harness) -> None:
        item = triplet(1)
        harness.desk("triplets").push(TRIPLETS, [item])
        changed = replace(item, suggestions=(Suggestion("is_positive_relevant", NO, 0.9, "judge"),))
        assert harness.desk("triplets").push(TRIPLETS, [changed]) == Pushed(updated=1)
        assert harness.desk("triplets").push(TRIPLETS, [changed]) == Pushed(unchanged=1)

    def test_responses_outlive_every_push(self, harness: Harness) -> None:
        items = triplets(1, 2)
        harness.desk("triplets").push(TRIPLETS, items)
        harness.answer(TRIPLETS, items[0].id, "anna", WRONG)
        expected = {items[0].id: (Response("anna", WRONG),)}
        for again in (items, triplets(2, 1, 3), triplets(3), [], items):
            harness.desk("triplets").push(TRIPLETS, again)
            assert responses(harness.desk("triplets"), TRIPLETS) == expected

    def test_an_answered_item_keeps_the_texts_it_was_answered_about(self, harness: Harness) -> None:
        item = triplet(1)
        harness.desk("triplets").push(TRIPLETS, [item])
        harness.answer(TRIPLETS, item.id, "anna", RIGHT)
        harness.desk("triplets").push(TRIPLETS, [triplet(1, anchor="Another text.")])
        (one,) = harness.desk("triplets").pull(TRIPLETS)
        assert dict(one.item.fields) == dict(item.fields)
        assert one.responses == (Response("anna", RIGHT),)

    def test_an_unanswered_item_that_is_not_pushed_again_goes(self, harness: Harness) -> None:
        first, second, third = triplets(1, 2, 3)
        harness.desk("triplets").push(TRIPLETS, [first, second])
        assert harness.desk("triplets").push(TRIPLETS, [second, third]) == Pushed(added=1, unchanged=1, retired=1)
        assert seen(harness.desk("triplets"), TRIPLETS) == pushed([second, third])
        assert harness.desk("triplets").push(TRIPLETS, [first, second, third]) == Pushed(added=1, unchanged=2)

    def test_an_answered_item_that_is_not_pushed_again_stays_out_of_the_queue(self, harness: Harness) -> None:
        first, second = triplets(1, 2)
        harness.desk("triplets").push(TRIPLETS, [first, second])
        harness.answer(TRIPLETS, first.id, "anna", RIGHT)
        assert harness.desk("triplets").push(TRIPLETS, [second]) == Pushed(unchanged=1, retired=1)
        assert harness.desk("triplets").push(TRIPLETS, [second]) == Pushed(unchanged=1)
        assert harness.shown(TRIPLETS) == [second.id]
        assert seen(harness.desk("triplets"), TRIPLETS) == pushed([first, second])
        assert responses(harness.desk("triplets"), TRIPLETS) == {first.id: (Response("anna", RIGHT),)}

    def test_a_retired_item_comes_back_with_its_responses(self, harness: Harness) -> None:
        first, second = triplets(1, 2)
        harness.desk("triplets").push(TRIPLETS, [first, second])
        harness.answer(TRIPLETS, first.id, "anna", RIGHT, "draft")
        harness.desk("triplets").push(TRIPLETS, [second])
        back = harness.desk("triplets").push(TRIPLETS, [first, second])
        assert (back.added + back.updated, back.unchanged, back.retired) == (1, 1, 0)
        assert harness.shown(TRIPLETS) == [first.id, second.id]
        assert responses(harness.desk("triplets"), TRIPLETS) == {first.id: (Response("anna", RIGHT, "draft"),)}

    def test_drafts_and_discarded_answers_come_back_as_such(self, harness: Harness) -> None:
        item = triplet(1)
        harness.desk("triplets").push(TRIPLETS, [item])
        harness.answer(TRIPLETS, item.id, "anna", {"is_positive_relevant": YES}, "draft")
        harness.answer(TRIPLETS, item.id, "bob", {}, "discarded")
        harness.answer(TRIPLETS, item.id, "carol", RIGHT, "discarded")
        expected = (
            Response("anna", {"is_positive_relevant": YES}, "draft"),
            Response("bob", {}, "discarded"),
            Response("carol", RIGHT, "discarded"),
        )
        for _ in range(2):
            assert responses(harness.desk("triplets"), TRIPLETS) == {item.id: expected}
            harness.desk("triplets").push(TRIPLETS, [item])

    def test_several_reviewers_are_kept_apart_and_sorted(self, harness: Harness) -> None:
        item, other = triplets(1, 2)
        harness.desk("triplets").push(TRIPLETS, [item, other])
        harness.answer(TRIPLETS, item.id, "carol", RIGHT)
        harness.answer(TRIPLETS, item.id, "anna", WRONG)
        harness.answer(TRIPLETS, item.id, "bob", RIGHT | {"question": f"{ODD} {MARKUP}"})
        harness.answer(TRIPLETS, other.id, "bob", RIGHT)
        assert responses(harness.desk("triplets"), TRIPLETS) == {
            item.id: (
                Response("anna", WRONG),
                Response("bob", RIGHT | {"question": f"{ODD} {MARKUP}"}),
                Response("carol", RIGHT),
            ),
            other.id: (Response("bob", RIGHT),),
        }

    def test_a_reviewer_who_thinks_again_has_one_answer(self, harness: Harness) -> None:
        item = triplet(1)
        harness.desk("triplets").push(TRIPLETS, [item])
        harness.answer(TRIPLETS, item.id, "anna", WRONG, "draft")
        harness.answer(TRIPLETS, item.id, "anna", RIGHT)
        assert responses(harness.desk("triplets"), TRIPLETS) == {item.id: (Response("anna", RIGHT),)}

    def test_two_kinds_do_not_mix(self, harness: Harness) -> None:
        pair, text = triplet(1), chunk("Ports are opened with --port.")
        harness.desk("triplets").push(TRIPLETS, [pair])
        harness.desk("chunks").push(CHUNKS, [text])
        harness.answer(CHUNKS, text.id, "anna", {"good_chunk": NO})
        assert harness.desk("triplets").push(TRIPLETS, [pair]) == Pushed(unchanged=1)
        assert responses(harness.desk("triplets"), TRIPLETS) == {}
        assert harness.desk("chunks").push(CHUNKS, []) == Pushed(retired=1)
        assert seen(harness.desk("triplets"), TRIPLETS) == pushed([pair])
        assert responses(harness.desk("chunks"), CHUNKS) == {text.id: (Response("anna", {"good_chunk": NO}),)}

    @pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
    def test_pulling_what_was_never_pushed_names_the_command(self, harness: Harness, form: Form) -> None:
        with pytest.raises(MissingArtefact) as caught:
            harness.desk(form.kind).pull(form)
        commands = (f"dragoman review push {form.kind}", f"dragoman review export {form.kind}", "dragoman review serve")
        assert any(command in str(caught.value) for command in commands)
