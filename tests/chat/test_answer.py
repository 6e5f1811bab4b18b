"""Answers, by a language model and without one."""

import asyncio
import re
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from dragoman.chat import Answerer, AnswerPart, asks_model
from dragoman.chat.prompt import NO_ANSWER
from dragoman.config import ChatSettings
from dragoman.errors import LLMError, MissingArtefact
from dragoman.models.embedded import EmbeddedLLM
from dragoman.records import Answer, Chunk, Finding, Hit, Turn

QUESTION = "How do I add a shelf?"


def parts_of(answerer: Answerer, question: str = QUESTION, history: tuple[Turn, ...] = ()) -> list[AnswerPart]:
    async def collect() -> list[AnswerPart]:
        return [part async for part in answerer.stream(question, history)]

    return asyncio.run(collect())


def finished(parts: list[AnswerPart]) -> Answer:
    """The answer at the end, after checking what holds for every stream."""
    assert [part.answer is None for part in parts] == [True] * (len(parts) - 1) + [False]
    assert parts[-1].answer
    answer = parts[-1].answer
    matched = "matched to them by their words" in answer.note  # numbers that the model did not write come at the end
    told = re.sub(r" \[\d+\]", "", answer.text) if matched else answer.text
    assert "".join(part.text for part in parts).strip() == told
    return parts[-1].answer


def test_a_written_answer_cites_the_passages_it_names(answerer: Any, saying: Any) -> None:
    parts = parts_of(answerer(saying("  To add a shelf, call `pantry.", "shelf()` with a name [", "1", "] [8].")))
    answer = finished(parts)
    assert len(parts) > 2
    assert answer.text == "To add a shelf, call `pantry.shelf()` with a name [1]."
    assert answer.mode == "llm"
    assert answer.note == ""
    assert answer.findings == (Finding("citation", "[8]", removed=True),)
    assert [one.cited for one in answer.support] == [(1,)]
    assert [(source.number, source.hit.chunk.trail[-1]) for source in answer.citations] == [(1, "Adding a shelf")]


def test_the_sync_answer_is_the_streamed_one(answerer: Any, saying: Any) -> None:
    one = answerer(saying("It is so [2]."))
    assert one.answer(QUESTION) == finished(parts_of(one))


def test_without_citations_all_passages_are_listed_and_the_note_says_so(answerer: Any, saying: Any) -> None:
    answer = answerer(saying("Just add it."), passages=2).answer(QUESTION)
    assert [source.number for source in answer.citations] == [1, 2]
    assert "cited no passage" in answer.note


def test_a_model_that_says_no_is_a_refusal_whatever_it_cites(answerer: Any, saying: Any) -> None:
    model = saying(f"Sorry, {NO_ANSWER.capitalize()} [1].")
    answer = finished(parts_of(answerer(model, passages=2, contact="https://pantry.example/forum")))
    assert (answer.mode, answer.reason) == ("refusal", "unanswerable")
    assert answer.text.startswith("Sorry, ")
    assert "[Pantry › Shelves › Adding a shelf](https://pantry.example/docs#part-1)" in answer.text
    assert answer.text.endswith("You can ask here: https://pantry.example/forum")
    assert [source.number for source in answer.citations] == [1, 2]


def test_an_answer_that_also_says_no_stays_an_answer(answerer: Any, saying: Any) -> None:
    model = saying("Call `pantry.shelf()` with a name and a size [1]. " * 6, f"For the rest, {NO_ANSWER}.")
    answer = answerer(model).answer(QUESTION)
    assert answer.mode == "llm"
    assert "do not answer all of this" in answer.note


def test_made_up_names_are_pointed_out(answerer: Any, saying: Any) -> None:
    answer = answerer(saying("Call `pantry.buildShelf()` [1].")).answer(QUESTION)
    assert "buildShelf" in answer.note


def test_the_settings_reach_the_model(answerer: Any, saying: Any) -> None:
    model = saying(*("word " for _ in range(50)))
    answer = answerer(model, passages=1, answer_tokens=16).answer(QUESTION)
    assert answer.text.split() == ["word"] * 16
    assert '<passage number="1">' in model.asked[0][-1].content
    assert '<passage number="2">' not in model.asked[0][-1].content


def test_a_follow_up_finds_what_the_question_before_was_about(answerer: Any, saying: Any) -> None:
    model = saying("It is silent [1].")
    history = (Turn("When does the alarm ring?", "When it is too warm [1]."),)
    answer = answerer(model, passages=1, rewrite="words").answer("And after a start?", history)
    assert answer.citations[0].hit.chunk.trail[-1] == "Alarm"
    assert answer.question == "And after a start?"
    assert answer.searched == "And after a start? (alarm ring)"
    assert "When does the alarm ring?" in [message.content for message in model.asked[0]]
    assert model.asked[0][-1].content.endswith(
        "Question: And after a start?\nIt means: And after a start? (alarm ring)"
    )


@pytest.mark.parametrize(
    ("settings", "embedded", "calls"),
    [({}, False, 2), ({}, True, 0), ({"rewrite": "llm"}, True, 1), ({"rewrite": "words"}, False, 1)],
)
def test_a_follow_up_is_written_anew_by_whom_the_settings_name(
    answerer: Any, scripted: Any, settings: dict[str, str], calls: int, *, embedded: bool
) -> None:
    meant = "When is the alarm silent?"
    model = scripted(lambda messages: [meant if "Rewrite" in messages[0].content else "At first [1]."])
    history = (Turn("When does the alarm ring?", "When it is too warm."),)
    answer = answerer(model, embedded=embedded, **settings).answer("And when is it silent?", history)
    assert len(model.asked) == calls
    assert (answer.searched == meant) == (calls == 2 or settings == {"rewrite": "llm"})
    assert answer.mode == ("extractive" if embedded else "llm")


@pytest.mark.parametrize("question", ["How do I remove a shelf?", "Which colours may a label have?"])
def test_a_question_that_stands_alone_is_searched_as_it_is(answerer: Any, saying: Any, question: str) -> None:
    model = saying("So [1].")
    answer = answerer(model).answer(question, (Turn("When does the alarm ring?", "Never."),))
    assert answer.searched == ""
    assert len(model.asked) == 1


def test_without_a_model_the_documentation_is_quoted_with_its_links(answerer: Any) -> None:
    answer = finished(parts_of(answerer()))
    assert answer.mode == "extractive"
    assert "No language model" in answer.note
    assert "[1] **[Pantry › Shelves › Adding a shelf](https://pantry.example/docs#part-1)**" in answer.text
    assert "`shelves-adding-a-shelf.md:10-20`" in answer.text
    assert "> ```js\n> const top" in answer.text
    assert "./jars.md" not in answer.text
    assert 1 <= len(answer.citations) <= 3


def test_a_section_without_an_address_is_quoted_without_a_link(answerer: Any) -> None:
    assert "[1] **Pantry › Temperature › Alarm** (" in answerer().answer("When does the alarm ring?").text


def test_a_model_that_fails_at_once_leaves_a_quotation_and_the_reason(answerer: Any, saying: Any) -> None:
    answer = finished(parts_of(answerer(saying(LLMError("the endpoint refused the key", hint="Set it.")))))
    assert answer.mode == "extractive"
    assert answer.text.startswith("[1] **[Pantry")
    assert "gave no answer (the endpoint refused the key. Set it)" in answer.note
    assert "\n" not in answer.note


def test_a_model_that_breaks_off_keeps_its_words_and_citations(answerer: Any, saying: Any) -> None:
    model = saying("At first [4], then", LLMError("the connection was lost"))
    answer = finished(parts_of(answerer(model, passages=4), "shelf label alarm range jars pantry"))
    assert answer.text.startswith("At first [4], then\n\n…\n\n[1] **")
    assert "broke off (the connection was lost)" in answer.note
    assert [source.number for source in answer.citations] == [1, 2, 3, 4]


def test_a_silent_model_is_a_failed_one(answerer: Any, saying: Any) -> None:
    answer = finished(parts_of(answerer(saying(" ", "\n"))))
    assert answer.mode == "extractive"
    assert "wrote nothing" in answer.note


@pytest.mark.parametrize("with_model", [True, False])
def test_nothing_found_is_said_and_no_model_is_asked(answerer: Any, saying: Any, *, with_model: bool) -> None:
    model = saying("Invented.")
    answer = finished(parts_of(answerer(model if with_model else None), "zeppelin?"))
    assert answer.citations == ()
    assert (answer.mode, answer.reason) == ("refusal", "nothing found")
    assert "The documentation of Pantry has nothing" in answer.text
    assert not model.asked


@pytest.mark.parametrize(
    ("writer", "embedded", "mode"),
    [("auto", False, "llm"), ("auto", True, "extractive"), ("llm", True, "llm"), ("extractive", False, "extractive")],
)
def test_the_settings_say_who_writes(answerer: Any, saying: Any, writer: str, mode: str, *, embedded: bool) -> None:
    answer = answerer(saying("So [1]."), writer=writer, embedded=embedded).answer(QUESTION)
    assert answer.mode == mode
    assert ("own words" in answer.note) == (mode == "extractive")
    told = ChatSettings.model_validate({"writer": writer, "rewrite": "words"})
    assert asks_model(told, embedded=embedded) == (mode == "llm")


def test_a_model_that_takes_too_long_for_its_first_word_is_not_waited_for(answerer: Any, saying: Any) -> None:
    model = saying("So", " it", " is [1].", delay=0.2)
    answer = finished(parts_of(answerer(model, patience=0.05)))
    assert answer.mode == "extractive"
    assert "nothing within 0.05 seconds" in answer.note
    assert model.closed == 1
    assert answerer(model, patience=0.4).answer(QUESTION).mode == "llm"  # only the first word is timed


def test_a_reader_who_stops_stops_the_model(answerer: Any, saying: Any) -> None:
    model = saying(*("word " for _ in range(100)))

    async def read_a_little() -> int:
        async with aclosing(answerer(model).stream(QUESTION)) as parts:
            async for _ in parts:
                break
        return int(model.closed)

    assert asyncio.run(read_a_little()) == 1


def test_a_failing_search_is_not_hidden(saying: Any) -> None:
    class Gone:
        banner = "gone"

        refusal = None
        versions = ()

        def search(self, question: str, top: int, **more: Any) -> list[Hit]:
            raise MissingArtefact(f"no index for '{question}', {top} and {sorted(more)}")

        def counterparts(self, chunk: Chunk) -> list[Chunk]:
            return [chunk]

        def version_of(self, chunk: Chunk) -> str:
            return chunk.source

    with pytest.raises(MissingArtefact):
        Answerer(Gone(), saying("x"), ChatSettings(), "Pantry").answer(QUESTION)


def test_the_banner_says_what_serves_and_who_writes(answerer: Any, saying: Any) -> None:
    assert answerer(saying("x")).banner == "keyword search, no embedding model · answers by scripted"
    assert "no language model" in answerer().banner
    assert answerer(saying("x"), embedded=True).banner.endswith(" · answers are quotations")


@pytest.mark.llm
def test_the_embedded_model_answers_from_the_passages(answerer: Any, gguf: Path) -> None:
    with EmbeddedLLM(gguf) as generator:
        answer = finished(parts_of(answerer(generator, passages=2, answer_tokens=80), "Which function adds a shelf?"))
    assert answer.mode == "llm"
    assert "pantry.shelf" in answer.text
    assert "Adding a shelf" in [source.hit.chunk.trail[-1] for source in answer.citations]
