"""The judge: what it is asked, and which replies count."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.protocols import Reply
from dragoman.records import Chunk, Question
from dragoman.synth.judge import MARKS, SCHEMA, judge_jobs, judge_messages, judge_version, read_marks, read_score

MakeChunk = Callable[..., Chunk]
FAIR = {"answered": 5, "alone": 4, "natural": 3}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MARKS, "other"]), inner, max_size=4),
    max_leaves=8,
)


def test_the_chat_is_rules_then_examples_then_the_passage_before_the_question() -> None:
    messages = judge_messages("How hot is an oven?", "Bakery\nAn oven has 200 degrees.")
    assert [message.role for message in messages] == ["system", *["user", "assistant"] * 3, "user"]
    assert all(f"- {mark}: {meaning}" in messages[0].content for mark, meaning in MARKS.items())
    last = messages[-1].content
    assert last.index("An oven has 200 degrees.") < last.index("How hot is an oven?")
    assert messages[:-1] == judge_messages("another", "and another")[:-1]


def test_the_schema_wants_one_mark_of_each_kind_and_nothing_else() -> None:
    assert SCHEMA["required"] == list(MARKS) == list(SCHEMA["properties"])
    assert all(kind["enum"] == [1, 2, 3, 4, 5] for kind in SCHEMA["properties"].values())
    assert SCHEMA["additionalProperties"] is False


def test_the_examples_can_be_read_and_show_both_ends_of_the_scale() -> None:
    scores = [read_score(message.content) for message in judge_messages("q", "p") if message.role == "assistant"]
    assert scores == [5, 1, 1]


def test_the_score_is_the_lowest_mark() -> None:
    assert read_marks(json.dumps(FAIR)) == FAIR
    assert read_score(json.dumps(FAIR)) == 3
    assert read_score(json.dumps({**FAIR, "answered": 1, "other": 0})) == 1


@pytest.mark.parametrize(
    "reply",
    [
        'Sure! {"answered": 5, "alone": "4", "natural": 3.0} I hope that helps.',
        '```json\n{"answered": 5, "alone": 4, "natural": 3}\n```',
        ' {"answered":5,"alone":4,"natural":" 3 "}',
    ],
)
def test_a_reply_with_words_around_it_is_read(reply: str) -> None:
    assert read_marks(reply) == FAIR


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "5",
        "[5, 5, 5]",
        '{"answered": 5, "alone": 4}',
        '{"answered": 5, "alone": 4, "natural": 6}',
        '{"answered": 5, "alone": 4, "natural": 2.5}',
        '{"answered": 5, "alone": 4, "natural": true}',
        '{"answered": 5, "alone": 4, "natural": NaN}',
        '{"answered": 5, "alone": 4, "natural": "٣"}',
        '{"answered": 5, "alone": 4, "natural": ' + "1" * 5000 + "}",
        '{"answered": 5, "alone": 4, "natural"',
        "[" * 200_000,
        "{" * 1_000_000,
    ],
)
def test_half_a_judgement_is_none(reply: str) -> None:
    assert read_marks(reply) == {}
    assert read_score(reply) is None


@given(JSON | st.text())
def test_whatever_the_reply_a_score_is_one_to_five_or_none(value: object) -> None:
    score = read_score(value if isinstance(value, str) else json.dumps(value))
    assert score is None or score in {1, 2, 3, 4, 5}


def test_the_version_of_the_prompt_is_the_same_at_every_call() -> None:
    assert judge_version() == judge_version() != ""


def test_a_job_asks_about_one_question_and_reads_its_score_or_a_rejection(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("An oven has 200 degrees.")
    own = Question("q2", "oven heat", chunk.id, "structure", "opening", passage="Bakery\nThe rest of it.")
    jobs = judge_jobs([Question("q1", "How hot?", chunk.id, "llm", "howto"), own, replace(own, chunk_id="?")], [chunk])
    assert [job.item for job in jobs] == ["q1", "q2"]
    assert chunk.passage in jobs[0].messages[-1].content
    assert chunk.passage not in jobs[1].messages[-1].content
    assert "The rest of it." in jobs[1].messages[-1].content
    assert jobs[0].read(Reply(json.dumps(FAIR), 9, 9, "stop")) == ([("q1", 3.0)], [])
    results, (row,) = jobs[0].read(Reply("I would say " + "4" * 500, 9, 9, "length"))
    assert (results, row.item, row.reason, len(row.detail)) == ([], "q1", "not the JSON asked for", 200)
