"""A follow-up becomes a question of its own; anything else is left as it is."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.chat.rewrite import TOKENS, by_model, by_words, is_follow_up, leaned_on
from dragoman.errors import LLMError
from dragoman.records import Turn

DIALOGUES = json.loads(Path(__file__).with_name("dialogues.json").read_text(encoding="utf-8"))
SHELF = Turn("How do I add a shelf to the pantry?", "Call `pantry.shelf()` with a name.")
ALARM = Turn("When does the alarm ring?", "When it is too warm.")


@pytest.mark.parametrize(
    "question",
    ["And for jars?", "What about two shelves at once?", "Does it work when the pantry is locked?", "How is that set up?",
     "Why?", "with glass jars", "What does this option change?", "is the second one safer than the first?",
     "Can I change it later?", "How do I turn that off?", "Can I use wood instead?", "Which one is the widest of all?",
     "Only the labels, without their colours?", "How are jars counted there?", "Where do I say how many jars each one holds?"],
)  # fmt: skip
def test_what_leans_on_the_question_before_is_a_follow_up(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question",
    ["How do I add a shelf to the pantry?", "Is it possible to lock the pantry at night?", "Why is my label refused again?",
     "Which temperature range does the alarm use?", "How can the alarm be silenced for an hour?",
     "How do I delete a shelf when it still holds jars?", "With glass jars, how do I set the width?",
     "How do I check that the alarm is set?", "remove shelf force option", "Are there limits for the label of a jar?"],
)  # fmt: skip
def test_a_question_that_names_its_subject_stands_alone(question: str) -> None:
    assert not is_follow_up(question)


def test_our_dialogues_are_whole_and_end_in_follow_ups() -> None:
    assert len({row["id"] for row in DIALOGUES}) == len(DIALOGUES) == 30
    for row in DIALOGUES:
        assert set(row) == {"id", "turns", "follow_up", "oracle", "file", "heading"}
        assert 1 <= len(row["turns"]) <= 3
        assert is_follow_up(row["follow_up"])
        assert not is_follow_up(row["oracle"])
        assert not is_follow_up(row["turns"][0]["question"])


def test_a_follow_up_leans_on_the_turns_back_to_one_that_stands_alone() -> None:
    history = [ALARM, SHELF, Turn("And a jar?", "So.")]
    assert leaned_on("Can it be red?", history) == history[1:]
    assert leaned_on("How do labels get their colour?", history) == []
    assert leaned_on("Why?", []) == []
    assert leaned_on("Why?", [SHELF, *[Turn("And then?", "So.")] * 9]) == [Turn("And then?", "So.")] * 3


def test_the_rule_adds_what_the_questions_were_about_but_not_what_was_to_be_done() -> None:
    assert by_words("And how do I remove it?", [SHELF]) == "And how do I remove it? (shelf pantry)"
    assert by_words("Can the shelf be red?", [SHELF, Turn("And a jar?", "So.")]) == "Can the shelf be red? (pantry jar)"
    assert by_words("Why?", []) == "Why?"


def rewritten(model: Any, question: str = "And how do I remove it?", seconds: float = 5.0) -> str:
    return asyncio.run(by_model(model, question, [SHELF], seconds=seconds))


def test_a_model_is_shown_the_talk_and_its_question_is_taken(scripted: Any) -> None:
    model = scripted(lambda _: ['  Question: "How do I remove a shelf?"', "\nIt is easy."])
    assert rewritten(model) == "How do I remove a shelf?"
    told = model.asked[0][-1].content
    assert told.index(SHELF.question) < told.index("pantry.shelf()") < told.index("And how do I remove it?")


@pytest.mark.parametrize(
    "said",
    ["", "\n \n", "Call `shelf.remove()` on the shelf.", "And how do I remove it?", SHELF.question, "What is the moon made of?",
     "How do I remove a shelf " + "that is full " * 30 + "?"],
)  # fmt: skip
def test_what_is_no_question_about_the_talk_is_not_taken(saying: Any, said: str) -> None:
    assert rewritten(saying(said)) == ""


def test_a_model_that_fails_or_is_slow_gives_none(saying: Any) -> None:
    assert rewritten(saying(LLMError("the connection was lost"))) == ""
    slow = saying("How do I remove a shelf?", delay=0.5)
    assert rewritten(slow, seconds=0.05) == ""
    assert slow.closed == 1


def test_a_model_may_not_write_for_long(saying: Any) -> None:
    model = saying(*["shelf "] * 200, "?")
    assert rewritten(model) == ""
    assert TOKENS < 200
