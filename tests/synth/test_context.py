"""A sentence that says where a chunk stands."""

import json
from collections.abc import Callable

import pytest

from dragoman.errors import LLMError
from dragoman.models.protocols import Reply
from dragoman.records import Chunk
from dragoman.synth.answers import REASONS as UNREAD
from dragoman.synth.context import (
    REASONS,
    SCHEMA,
    Context,
    context_job,
    context_messages,
    context_version,
    contextual_passage,
    page_openings,
    read_context,
)

MakeChunk = Callable[..., Chunk]
SENTENCE = "In the bakery's handbook, how long the stone of the oven stays hot."


def reply(context: object) -> Reply:
    return Reply(json.dumps({"context": context}), 1, 1, "stop")


def test_a_page_begins_with_its_first_paragraph_of_prose(make_chunk: MakeChunk) -> None:
    first = make_chunk("```\ncode\n```\n\n- a list\n\n| a table |\n\n# Oven\n\nThe oven is\nhot.\n\nMore.")
    last = make_chunk("Something else.")
    code = make_chunk("```\ncode\n```", "code.md")
    assert page_openings([first, last, code]) == {
        first.id: "The oven is hot.",
        last.id: "The oven is hot.",
        code.id: "",
    }


def test_the_opening_is_shown_unless_the_passage_holds_it(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("The oven is\nhot. Mind your hands.")
    assert "The page begins" not in context_messages(chunk, "The oven is hot.")[-1].content
    assert "The page begins: Rolls.\n" in context_messages(chunk, "Rolls.")[-1].content
    assert (
        context_messages(chunk, "Rolls.", project="Bakes.")[:-1]
        == context_messages(make_chunk("x"), "", project="Bakes.")[:-1]
    )
    assert context_version("Bakes.") != context_version()


def test_the_worked_example_passes_its_own_reader(make_chunk: MakeChunk) -> None:
    answer = context_messages(make_chunk("Hot."), "")[2]
    assert list(json.loads(answer.content)) == SCHEMA["required"]
    chunk = make_chunk("Hot.")
    sentence = json.loads(answer.content)["context"]
    assert read_context(chunk, Reply(answer.content, 1, 1, "stop")) == ([Context(chunk.id, sentence)], [])


def test_the_sentence_stands_between_headings_and_text(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Hot.\nVery.")
    assert read_context(chunk, reply(f" {SENTENCE}\n")) == ([Context(chunk.id, SENTENCE)], [])
    assert contextual_passage(chunk, SENTENCE) == f"Bakery > Oven\n{SENTENCE}\nHot.\nVery."


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (reply(""), UNREAD[2]),
        (reply("!!!"), UNREAD[2]),
        (reply(["In"]), UNREAD[2]),
        (reply("Hot stones here"), REASONS[0]),
        (reply("very " * 41), REASONS[1]),
        (reply("long" * 100), REASONS[1]),
        (reply("Bakery: oven, oven, oven, oven"), REASONS[2]),
        (Reply("In the bakery", 1, 1, "stop"), UNREAD[1]),
        (LLMError("timed out"), UNREAD[0]),
    ],
)
def test_a_sentence_outside_the_limits_is_rejected(make_chunk: MakeChunk, bad: Reply | LLMError, reason: str) -> None:
    (found, (row,)) = read_context(make_chunk("Hot."), bad)
    assert found == []
    assert row.reason == reason


def test_a_sentence_in_a_script_without_spaces_is_not_too_short(make_chunk: MakeChunk) -> None:
    sentence = "パン屋の手引きのうち、オーブンの石がどれくらい熱いままかを説明する部分。"
    chunk = make_chunk("Hot.")
    assert read_context(chunk, reply(sentence)) == ([Context(chunk.id, sentence)], [])


def test_a_job_asks_with_the_chat_and_reads_with_the_reader(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Hot.")
    job = context_job(chunk, "Rolls.", project="Bakes.")
    assert list(job.messages) == context_messages(chunk, "Rolls.", project="Bakes.")
    assert (job.item, job.schema, job.may_be_empty) == (chunk.id, SCHEMA, True)
    assert job.read(reply(SENTENCE)) == ([Context(chunk.id, SENTENCE)], [])
