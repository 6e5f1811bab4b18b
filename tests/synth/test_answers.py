"""Replies of a language model, good and bad."""

import json
from collections.abc import Callable

import pytest

from dragoman.errors import LLMError
from dragoman.models.protocols import Reply
from dragoman.records import Chunk, Rejected
from dragoman.synth.answers import REASONS, read_questions, read_table

MakeChunk = Callable[..., Chunk]
BAD = ["", "no JSON", "[1]", '{"howto": "cut', "[" * 100_000, "9" * 5000, '"text"', "null"]


def reply(text: str) -> Reply:
    return Reply(text, 1, 1, "stop")


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_a_reply_of_another_shape_is_rejected_whole(make_chunk: MakeChunk, text: str) -> None:
    questions, rejected = read_questions(make_chunk("Hot."), reply(text), "m")
    assert questions == []
    assert [row.reason for row in rejected] == [REASONS[1]]


def test_a_failed_request_keeps_its_reason(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Hot.")
    assert read_questions(chunk, LLMError("timed out"), "m") == (
        [],
        [Rejected("synth", chunk.id, REASONS[0], "timed out")],
    )


def test_every_kind_ends_as_a_question_or_a_rejection(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("The stone cracks with OvenError when it is cold.")
    kinds = ("howto", "problem", "error", "api")
    text = json.dumps({"howto": " How do I\nheat it? ", "problem": 3, "error": "OvenError", "api": "fridge.cool()"})
    questions, rejected = read_questions(chunk, reply(text), "m", kinds)
    assert [(question.style, question.text) for question in questions] == [
        ("howto", "How do I heat it?"),
        ("error", "OvenError"),
    ]
    assert [(row.reason, row.detail) for row in rejected] == [(REASONS[2], "problem"), (REASONS[3], "fridge.cool()")]


def test_half_a_surrogate_pair_is_left_out() -> None:
    assert read_table("x", reply('{"a": "b\\ud800c"}'), ("a",)) == {"a": "bc"}
