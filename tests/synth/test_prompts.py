"""What the language model is asked for."""

import json
from collections.abc import Callable

from dragoman.models.protocols import Message, Reply
from dragoman.records import Chunk, content_id
from dragoman.synth.answers import read_questions
from dragoman.synth.filter import clean
from dragoman.synth.kinds import KINDS
from dragoman.synth.prompts import (
    SCHEMA,
    STYLES,
    persona_of,
    prompt_version,
    question_messages,
    question_schema,
)

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
        questions, rejected = read_questions(make_chunk(passage.content), Reply(answer.content, 1, 1, "stop"), "ours")
        assert (len(questions), rejected, clean(questions).rejected) == (len(STYLES), [], ())


def test_the_version_of_the_prompt_is_the_same_at_every_call() -> None:
    assert prompt_version() == prompt_version() != ""


def test_the_default_prompt_is_the_one_that_stored_answers_were_paid_for(chunks: list[Chunk]) -> None:
    messages = question_messages(chunks[0])
    assert content_id(*(f"{message.role}\n{message.content}" for message in messages[:-1])) == "66981cff814482b6"
    assert content_id(json.dumps(SCHEMA)) == "ecb1019a55839e89"
    assert prompt_version() == "998a02583621bd86"
    assert messages[-1] == Message("user", chunks[0].passage)


def test_other_kinds_have_examples_and_a_schema_of_their_own(make_chunk: MakeChunk) -> None:
    chunk, kinds = make_chunk("Text."), ("error", "keywords")
    messages = question_messages(chunk, kinds)
    assert question_schema(kinds)["required"] == ["keywords", "error"]
    assert all(list(json.loads(answer.content)) == ["keywords", "error"] for answer in messages[2:-1:2])
    assert KINDS["error"].meaning in messages[0].content
    assert KINDS["howto"].meaning not in messages[0].content
    assert "empty string for error." in messages[0].content


def test_what_differs_from_chunk_to_chunk_stands_in_the_last_message_only(make_chunk: MakeChunk) -> None:
    one = question_messages(make_chunk("One."), persona="a nurse\n on night shift", project="Bakes.", language="German")
    other = question_messages(make_chunk("Other."), persona="a baker", project="Bakes.")
    assert one[:-1] == other[:-1]
    assert "About the project: Bakes.\n" in one[0].content
    assert one[-1].content.startswith("[Asked by: a nurse on night shift]\n[Write in German, ")
    assert one[-1].content.endswith(f"\n\n{make_chunk('One.').passage}")


def test_a_language_alone_leaves_all_but_the_last_message_as_it_is(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Text.")
    assert question_messages(chunk, language="French")[:-1] == question_messages(chunk)[:-1]


def test_each_dial_changes_the_version_of_the_prompt() -> None:
    versions = [
        prompt_version(),
        prompt_version(("howto", "api")),
        prompt_version(persona="a baker"),
        prompt_version(persona="a nurse"),
        prompt_version(project="Bakes."),
        prompt_version(language="German"),
    ]
    assert len(set(versions)) == len(versions)
    assert prompt_version(("api", "howto"), project=" Bakes.\n") == prompt_version(("howto", "api"), project="Bakes.")


def test_each_chunk_has_its_persona_and_a_new_persona_moves_no_chunk_between_old_ones(make_chunk: MakeChunk) -> None:
    some = [make_chunk(f"Text {place}.") for place in range(60)]
    two, three = ("a baker", "a nurse"), ("a nurse", "a pilot", "a baker")
    before = [persona_of(chunk, two) for chunk in some]
    after = [persona_of(chunk, three) for chunk in some]
    assert set(before) == set(two)
    assert set(after) == set(three)
    assert all(new in {old, "a pilot"} for old, new in zip(before, after, strict=True))
    assert persona_of(some[0], ()) == ""
