"""What the language model is asked for."""

import json
from collections.abc import Callable

from dragoman.models.protocols import Message, Reply
from dragoman.records import Chunk
from dragoman.synth.filter import clean
from dragoman.synth.generate import read_reply
from dragoman.synth.prompts import SCHEMA, STYLES, prompt_version, question_messages

MakeChunk = Callable[..., Chunk]


def examples(chunk: Chunk) -> list[tuple[Message, Message]]:
    messages = question_messages(chunk)[1:-1]
    return list(zip(messages[::2], messages[1::2], strict=True))


def test_the_schema_wants_one_string_of_each_style_and_nothing_else() -> None:
    assert SCHEMA["required"] == list(STYLES) == list(SCHEMA["properties"])
    assert {kind["type"] for kind in SCHEMA["properties"].values()} == {"string"}
    assert SCHEMA["additionalProperties"] is False


def test_the_chat_is_rules_then_examples_then_the_passage(chunks: list[Chunk]) -> None:
    messages = question_messages(chunks[0])
    roles = [message.role for message in messages]
    assert roles == ["system", *["user", "assistant"] * (len(messages) // 2 - 1), "user"]
    assert messages[-1].content == chunks[0].passage
    assert all(f"- {style}: {meaning}" in messages[0].content for style, meaning in STYLES.items())


def test_only_the_last_message_depends_on_the_chunk(chunks: list[Chunk]) -> None:
    assert question_messages(chunks[0])[:-1] == question_messages(chunks[-1])[:-1]


def test_every_example_answers_in_every_style_and_would_pass_our_own_filter(make_chunk: MakeChunk) -> None:
    for passage, answer in examples(make_chunk("Text.")):
        assert list(json.loads(answer.content)) == list(STYLES)
        questions, rejected = read_reply(make_chunk(passage.content), Reply(answer.content, 1, 1, "stop"), "ours")
        assert (len(questions), rejected, clean(questions).rejected) == (len(STYLES), [], ())


def test_the_version_of_the_prompt_is_the_same_at_every_call() -> None:
    assert prompt_version() == prompt_version() != ""
