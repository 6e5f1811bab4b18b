"""Questions that need two sections."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from dragoman.errors import LLMError
from dragoman.models.protocols import Reply
from dragoman.records import Chunk
from dragoman.synth.answers import REASONS as UNREAD
from dragoman.synth.filter import clean
from dragoman.synth.pairs import (
    REASONS,
    SCHEMA,
    Pair,
    linked_pairs,
    pair_job,
    pair_messages,
    pair_version,
    read_pair,
)

MakeChunk = Callable[..., Chunk]
GOOD = {"from_a": "the heat", "from_b": "the time", "question": "How hot and how long?", "more": "B"}


@pytest.fixture
def pair(make_chunk: MakeChunk) -> Pair:
    return Pair(make_chunk("Hot.", trail=("Oven", "Heat")), make_chunk("Long.", trail=("Oven", "Time")), "link")


def reply(**changes: object) -> Reply:
    return Reply(json.dumps(GOOD | changes), 1, 1, "stop")


def test_linked_sections_and_neighbours_with_a_word_in_common_are_pairs(make_chunk: MakeChunk) -> None:
    start = make_chunk("Then [heat the oven](oven.md#heat).", "start.md", ("Start",))
    heat = make_chunk("Hot.", "oven.md", ("Oven", "Heat"))
    create = make_chunk("New.", "loaf.md", ("Loaf", "Shape a loaf"))
    delete = make_chunk("Gone.", "loaf.md", ("Loaf", "Eat your loaf"))
    other = make_chunk("Old.", "loaf.md", ("Loaf", "Shape a roll"))
    found = linked_pairs([start, heat, create, delete, other])
    assert [(one.first.id, one.second.id, one.reason) for one in found] == [
        (start.id, heat.id, "link"),
        (create.id, delete.id, "beside"),
    ]


def test_two_chunks_are_a_pair_once_and_a_chunk_is_in_no_more_pairs_than_allowed(make_chunk: MakeChunk) -> None:
    text = "See [heat it](b.md), [heat it well](b.md) and [bake it](c.md)."
    a = make_chunk(text, "a.md", ("A",))
    b = make_chunk("Back to [the start](a.md).", "b.md", ("B",))
    c = make_chunk("Baked.", "c.md", ("C",))
    assert [(one.first.id, one.second.id) for one in linked_pairs([a, b, c])] == [(a.id, b.id)]
    assert [(one.first.id, one.second.id) for one in linked_pairs([a, b, c], each=2)] == [(a.id, b.id), (a.id, c.id)]


def test_copies_are_in_no_pair(make_chunk: MakeChunk) -> None:
    a = make_chunk("See [heat it](b.md).", "a.md", ("A",))
    b = make_chunk("Hot.", "b.md", ("B",))
    assert linked_pairs([a, replace(b, canonical="first")]) == []


def test_only_the_last_message_depends_on_the_pair(pair: Pair) -> None:
    other = Pair(pair.second, pair.first, "link")
    one, two = pair_messages(pair, project="Bakes.", persona="a baker"), pair_messages(other, project="Bakes.")
    assert one[:-1] == two[:-1]
    assert one[-1].content.index(pair.first.passage) < one[-1].content.index(pair.second.passage)
    assert pair_version("Bakes.") != pair_version()


def test_the_worked_example_reads_as_a_question_that_our_own_filter_keeps(pair: Pair) -> None:
    answer = pair_messages(pair)[2]
    assert list(json.loads(answer.content)) == SCHEMA["required"]
    ((found,), rejected) = read_pair(pair, Reply(answer.content, 1, 1, "stop"), "m")
    assert rejected == []
    assert len(clean([found.question]).questions) == 1


@pytest.mark.parametrize(("more", "main"), [("A", 0), ("B", 1), ("b", 1), ("", 0), ("C", 0), (7, 0)])
def test_the_question_is_at_home_where_more_of_its_answer_is(pair: Pair, more: object, main: int) -> None:
    ids = (pair.first.id, pair.second.id)
    ((found,), rejected) = read_pair(pair, reply(more=more), "m")
    assert rejected == []
    assert (found.question.chunk_id, found.also) == (ids[main], (ids[1 - main],))
    assert (found.question.text, found.question.style, found.question.kind) == ("How hot and how long?", "both", "llm")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"question": ""}, REASONS[0]),
        ({"from_a": " "}, REASONS[0]),
        ({"from_b": None}, REASONS[0]),
        ({"question": "What do both passages say?"}, REASONS[1]),
        ({"question": "How does passage A use the heat?"}, REASONS[1]),
    ],
)
def test_a_question_that_does_not_need_both_is_rejected_with_its_reason(
    pair: Pair, changes: dict[str, object], reason: str
) -> None:
    (found, (row,)) = read_pair(pair, reply(**changes), "m")
    assert found == []
    assert (row.item, row.reason) == (pair.id, reason)


@pytest.mark.parametrize(
    ("bad", "reason"), [(LLMError("timed out"), UNREAD[0]), (Reply("{", 1, 1, "length"), UNREAD[1])]
)
def test_a_reply_that_cannot_be_read_is_rejected(pair: Pair, bad: Reply | LLMError, reason: str) -> None:
    (found, (row,)) = read_pair(pair, bad, "m")
    assert found == []
    assert row.reason == reason


def test_a_job_asks_with_the_chat_and_reads_with_the_reader(pair: Pair) -> None:
    job = pair_job(pair, "m", persona="a baker", project="Bakes.", language="German")
    assert list(job.messages) == pair_messages(pair, persona="a baker", project="Bakes.", language="German")
    assert (job.item, job.schema, job.may_be_empty) == (pair.id, SCHEMA, True)
    assert job.read(reply()) == read_pair(pair, reply(), "m")
