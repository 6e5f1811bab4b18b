"""Questions that cost nothing: from headings, opening sentences and links."""

from collections.abc import Callable

import pytest

from dragoman.records import Chunk, Question
from dragoman.synth.structure import MODEL, structural_questions

MakeChunk = Callable[..., Chunk]
BODY = "The stone keeps the heat for an hour. Put it on the lowest rack and wait until it is hot all through."


def by_style(questions: list[Question], style: str) -> list[tuple[str, str]]:
    return [(question.text, question.chunk_id) for question in questions if question.style == style]


def test_every_chunk_gets_a_question_made_of_its_headings(chunks: list[Chunk]) -> None:
    questions = structural_questions(chunks)
    assert {question.chunk_id for question in questions} == {chunk.id for chunk in chunks}
    assert by_style(questions, "heading")[0] == ("Loaves 0 Bakery", chunks[0].id)
    assert {(question.kind, question.model, question.train) for question in questions} == {("structure", MODEL, True)}
    assert len({question.id for question in questions}) == len(questions)


def test_markup_stays_out_of_a_question(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Text.", trail=("Bakery", "The `bake()` call", "*Errors* & <b>limits</b>"))
    assert by_style(structural_questions([chunk]), "heading") == [("Errors & limits The bake() call", chunk.id)]


def test_an_opening_sentence_is_taken_out_of_the_passage_that_it_asks_for(make_chunk: MakeChunk) -> None:
    chunk = make_chunk(BODY)
    (opening,) = [question for question in structural_questions([chunk]) if question.style == "opening"]
    assert opening.text == "The stone keeps the heat for an hour."
    assert opening.passage == "Bakery > Oven\nPut it on the lowest rack and wait until it is hot all through."


@pytest.mark.parametrize(
    "text", ["Too short. " + "word " * 20, "The stone keeps the heat for an hour. Only this.", "a" * 300]
)
def test_a_chunk_without_a_proper_opening_gets_no_such_question(make_chunk: MakeChunk, text: str) -> None:
    questions = structural_questions([make_chunk(text)])
    assert [question.style for question in questions if question.text.startswith(text[:10])] == []


def test_a_link_asks_for_the_section_that_it_points_to(make_chunk: MakeChunk) -> None:
    target = make_chunk("Hot.", "guide/oven.md", ("Bakery", "Oven stone & rack"))
    page = make_chunk("Cold.", "guide/oven.md", ("Bakery", "Door"))
    text = "See [how to heat it](../guide/oven.md#oven-stone-rack), [the whole page](../guide/oven.md) and [again it](#here)."
    source = make_chunk(text, "start/first.md", ("Bakery", "Start"))
    links = by_style(structural_questions([target, page, source]), "link")
    assert links == [("how to heat it", target.id), ("the whole page", target.id)]


@pytest.mark.parametrize(
    "link",
    [
        "[to the moon](https://moon.example)",
        "[hot stone](gone.md)",
        "[stone](oven.md)",
        "![a hot stone](oven.md)",
        "[on this page](start.md)",
    ],
)
def test_a_link_that_leads_nowhere_or_says_nothing_asks_nothing(make_chunk: MakeChunk, link: str) -> None:
    questions = structural_questions([make_chunk("Hot."), make_chunk(link, "start.md")])
    assert by_style(questions, "link") == []


def test_a_chunk_is_not_asked_the_same_words_twice(make_chunk: MakeChunk) -> None:
    target = make_chunk("Hot.", "oven.md", ("Bakery", "Oven"))
    links = [make_chunk(f"{place} [hot stones](oven.md) and [Hot Stones](oven.md)", "a.md") for place in "ab"]
    assert by_style(structural_questions([target, *links]), "link") == [("hot stones", target.id)]
