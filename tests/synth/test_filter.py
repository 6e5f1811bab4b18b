"""The funnel: what goes in comes out, kept or rejected with a reason."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.records import Question, content_id
from dragoman.synth.filter import REASONS, clean, round_trip

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["How hot?", "how  HOT", "", "hot", "what does this passage say", "hot " * 51, "hot " * 50]),
)


def ask(text: str, place: int = 0) -> Question:
    return Question(content_id(place, text), text, f"chunk-{place}", "llm", "howto")


@given(st.lists(TEXTS, max_size=30))
def test_kept_and_rejected_are_the_input_and_every_rejection_has_a_known_reason(texts: list[str]) -> None:
    questions = [ask(text, place) for place, text in enumerate(texts)]
    funnel = clean(questions)
    kept, dropped = [row.id for row in funnel.questions], [row.item for row in funnel.rejected]
    assert sorted([*kept, *dropped]) == sorted(question.id for question in questions)
    assert funnel.asked == len(questions) == funnel.trainable + len(dropped)
    assert {row.reason for row in funnel.rejected} <= set(REASONS)
    assert funnel.steps == Counter(row.reason for row in funnel.rejected)
    assert all(row.stage == "synth" for row in funnel.rejected)
    assert clean(funnel.questions).questions == funnel.questions


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("How hot is it", "duplicate"),
        ("HOW hot: is it??", "duplicate"),
        ("hot", "too short"),
        ("   ", "too short"),
        ("why " * 51, "too long"),
        ("What does this passage say about heat?", "does not stand alone"),
        ("Which flag is in the following example?", "does not stand alone"),
    ],
)
def test_a_question_that_no_reader_would_ask_is_rejected(text: str, reason: str) -> None:
    funnel = clean([ask("How hot is it?"), ask(text, 1)])
    assert [(row.reason, row.detail) for row in funnel.rejected] == [(reason, text)]
    assert funnel.steps == {reason: 1}


@pytest.mark.parametrize(
    "text", ["Where is the text stored?", "How do I make an example recipe?", "why " * 50, "oven heat"]
)
def test_a_fair_question_is_kept(text: str) -> None:
    assert clean([ask(text)]).questions == (ask(text),)


def test_of_equal_questions_the_first_is_kept() -> None:
    assert [row.chunk_id for row in clean([ask("How hot?", 4), ask("how hot", 2)]).questions] == ["chunk-4"]


def test_the_round_trip_marks_what_was_not_found_again_and_removes_nothing() -> None:
    questions = [ask(f"How hot is oven {place}?", place) for place in range(5)]
    funnel = clean([*questions, ask("hot")])
    ranks = {questions[0].id: 1, questions[1].id: 3, questions[2].id: 4, questions[3].id: 0}
    judged = round_trip(funnel, ranks, 3)
    assert [(row.rank, row.train) for row in judged.questions] == [
        (1, True),
        (3, True),
        (4, False),
        (0, False),
        (0, True),
    ]
    assert [replace(row, rank=0, train=True) for row in judged.questions] == questions
    assert (judged.asked, judged.rejected, judged.trainable) == (6, funnel.rejected, 3)
    assert judged.steps == {"too short": 1, "not found again": 2}


def test_a_round_trip_without_a_limit_lets_everything_train() -> None:
    funnel = clean([ask("How hot is it?")])
    judged = round_trip(funnel, {funnel.questions[0].id: 90}, 0)
    assert [(row.rank, row.train) for row in judged.questions] == [(90, True)]
    assert judged.steps == {}
