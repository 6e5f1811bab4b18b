"""Which questions are trained on, and in what mixture."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dragoman.records import Chunk, Question, QuestionKind, Triplet
from dragoman.train.rows import training_rows

MakeChunk = Callable[..., Chunk]


@pytest.fixture(scope="session")
def chunks(make_chunk: MakeChunk) -> dict[str, Chunk]:
    return {chunk.id: chunk for chunk in (make_chunk(f"Text {n}.", trail=(f"Tool {n}",)) for n in range(10))}


def questions_of(chunks: dict[str, Chunk], kind: QuestionKind, first: int = 0, last: int = 10) -> list[Question]:
    return [
        Question(f"{kind} {chunk}", f"{kind} about {chunk}", chunk, kind, "howto") for chunk in list(chunks)[first:last]
    ]


def asked(rows: list[Triplet]) -> list[str]:
    return [row.question for row in rows]


def test_a_row_is_a_question_with_the_passage_that_answers_it(chunks: dict[str, Chunk]) -> None:
    question = questions_of(chunks, "llm")[3]
    chunk = chunks[question.chunk_id]
    assert training_rows([question], chunks, 0.5, 1) == [
        Triplet(question.text, chunk.id, chunk.passage, chunk.section, "llm")
    ]
    own = replace(question, passage="Only the rest.")
    assert [row.passage for row in training_rows([own], chunks, 0.5, 1)] == ["Only the rest."]


def test_questions_not_meant_for_training_and_chunks_held_out_are_left_out(chunks: dict[str, Chunk]) -> None:
    questions = [replace(question, train=n % 2 == 0) for n, question in enumerate(questions_of(chunks, "llm"))]
    held_out = list(chunks)[:5]
    rows = training_rows(questions, chunks, 0.5, 1, without=held_out)
    assert asked(rows) == [questions[6].text, questions[8].text]


@pytest.mark.parametrize(("share", "structural"), [(0, 0), (0.5, 2), (1.0, 4), (9.0, 10)])
def test_structural_questions_fill_up_to_their_share(chunks: dict[str, Chunk], share: float, structural: int) -> None:
    questions = [
        *questions_of(chunks, "structure"),
        *questions_of(chunks, "llm", 0, 3),
        *questions_of(chunks, "person", 3, 4),
    ]
    rows = training_rows(questions, chunks, share, 1)
    assert [row.kind for row in rows] == ["structure"] * structural + ["llm"] * 3 + ["person"]
    order = asked(rows)
    assert order == [question.text for question in questions if question.text in order]


def test_structural_questions_go_first_to_chunks_that_nobody_asked_about(chunks: dict[str, Chunk]) -> None:
    written = questions_of(chunks, "llm", 0, 6)
    rows = training_rows([*written, *questions_of(chunks, "structure")], chunks, 4 / 6, 1)
    assert [row.chunk_id for row in rows if row.kind == "structure"] == list(chunks)[6:]


def test_the_seed_decides_which_structural_questions_are_taken(chunks: dict[str, Chunk]) -> None:
    questions = [*questions_of(chunks, "llm", 0, 4), *questions_of(chunks, "structure")]
    one, same, other = (asked(training_rows(questions, chunks, 0.5, seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert sorted(one) == sorted(asked(training_rows(questions[::-1], chunks, 0.5, 1)))


def test_without_any_other_question_all_structural_ones_are_taken(chunks: dict[str, Chunk]) -> None:
    questions = questions_of(chunks, "structure")
    assert asked(training_rows(questions, chunks, 0.0, 1)) == [question.text for question in questions]


def test_no_question_makes_no_row(chunks: dict[str, Chunk]) -> None:
    assert training_rows([], chunks, 0.5, 1) == []
