"""Questions that the docs do not answer."""

import json
from collections.abc import Callable

import pytest

from dragoman.errors import LLMError
from dragoman.models.protocols import Reply
from dragoman.records import Chunk, Question
from dragoman.synth.answers import REASONS as UNREAD
from dragoman.synth.filter import clean
from dragoman.synth.unanswerable import (
    REASONS,
    SCHEMA,
    STYLE,
    answered_score,
    page_headings,
    read_unanswerable,
    unanswerable_job,
    unanswerable_messages,
    unanswerable_version,
    unanswered,
)

MakeChunk = Callable[..., Chunk]


def reply(question: object) -> Reply:
    return Reply(json.dumps({"missing": "steam", "question": question}), 1, 1, "stop")


def test_the_headings_of_a_page_are_listed_once_in_reading_order(make_chunk: MakeChunk) -> None:
    chunks = [make_chunk("x", trail=("Bakery", "Oven", "Door")), make_chunk("y", trail=("Bakery", "Rack"))]
    other = make_chunk("z", "other.md", ("Rolls",))
    headings = page_headings([*chunks, other])
    assert headings == {
        chunks[0].id: ("Bakery", "Oven", "Door", "Rack"),
        chunks[1].id: ("Bakery", "Oven", "Door", "Rack"),
        other.id: ("Rolls",),
    }


def test_the_chat_ends_with_headings_and_passage_and_begins_alike_for_all(make_chunk: MakeChunk) -> None:
    one, other = make_chunk("Hot."), make_chunk("Cold.")
    messages = unanswerable_messages(one, ["Bakery", "Hot\nracks"] + ["Door"] * 500, project="Bakes.")
    assert messages[:-1] == unanswerable_messages(other, [], persona="a baker", project="Bakes.")[:-1]
    assert "- Bakery\n- Hot racks\n- Door\n" in messages[-1].content
    assert messages[-1].content.count("- Door") < 100
    assert messages[-1].content.endswith(f"Passage:\n{one.passage}")
    assert unanswerable_version("Bakes.") != unanswerable_version()


def test_the_worked_examples_read_as_questions_that_our_own_filter_keeps(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Hot.")
    for answer in unanswerable_messages(chunk, [])[2:-1:2]:
        assert list(json.loads(answer.content)) == SCHEMA["required"]
        ((found,), rejected) = read_unanswerable(chunk, [], Reply(answer.content, 1, 1, "stop"), "m")
        assert rejected == []
        assert len(clean([found]).questions) == 1


def test_an_unanswerable_question_is_never_trained_on(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Hot.")
    ((found,), rejected) = read_unanswerable(chunk, ["Door"], reply("Is there steam?"), "m")
    assert rejected == []
    assert (found.text, found.style, found.train, found.chunk_id) == ("Is there steam?", STYLE, False, chunk.id)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (reply(" "), UNREAD[2]),
        (reply(None), UNREAD[2]),
        (reply("is there  STEAM"), REASONS[1]),
        (Reply("steam", 1, 1, "stop"), UNREAD[1]),
        (LLMError("timed out"), UNREAD[0]),
    ],
)
def test_a_reply_without_such_a_question_is_rejected(make_chunk: MakeChunk, bad: Reply | LLMError, reason: str) -> None:
    (found, (row,)) = read_unanswerable(make_chunk("Hot."), ["Is there steam?"], bad, "m")
    assert found == []
    assert row.reason == reason


def test_what_word_search_answers_as_well_as_an_answerable_question_is_taken_out() -> None:
    questions = [Question(name, name, "c", "llm", STYLE, train=False) for name in ("low", "level", "high", "unknown")]
    limit = answered_score([9.0, 1.0, 5.0, 3.0], share=0.5)
    kept, rejected = unanswered(questions, {"low": 2.9, "level": 3.0, "high": 8.0}, limit)
    assert limit == 3.0
    assert [question.id for question in kept] == ["low", "unknown"]
    assert [(row.item, row.reason) for row in rejected] == [("level", REASONS[0]), ("high", REASONS[0])]


@pytest.mark.parametrize(("share", "limit"), [(0.0, 9.0), (1.0, 1.0)])
def test_the_share_goes_from_the_best_score_to_the_worst(share: float, limit: float) -> None:
    assert answered_score([9.0, 1.0, 5.0], share) == limit


def test_without_scores_nothing_counts_as_answered() -> None:
    assert answered_score([]) == float("inf")


def test_a_job_asks_with_the_chat_and_reads_with_the_reader(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Hot.")
    job = unanswerable_job(chunk, ["Door"], "m", project="Bakes.", language="German")
    assert list(job.messages) == unanswerable_messages(chunk, ["Door"], project="Bakes.", language="German")
    assert (job.item, job.schema, job.may_be_empty) == (chunk.id, SCHEMA, False)
    assert job.read(reply("Is there steam?")) == read_unanswerable(chunk, ["Door"], reply("Is there steam?"), "m")
