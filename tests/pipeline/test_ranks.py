"""A held-out question is not helped by questions about its own chunk; others' chunks are raised as when served."""

import numpy as np
import pytest

from dragoman.evaluate.ranking import Catalogue
from dragoman.models.encoder import HashEncoder
from dragoman.pipeline.ranks import Board, Encoded, by_vectors, known_questions, surest
from dragoman.records import Chunk, Question

ENCODER = HashEncoder()
TEXTS = {"a": "shelves hold jars of jam", "b": "the alarm rings at night", "c": "doors close by themselves"}


def chunk(name: str) -> Chunk:
    text = TEXTS[name]
    return Chunk(name, "docs", "page.md", "Page", ("Page",), name, text, text, 0, len(text), 1, 1, 8, "")


def question(text: str, chunk_id: str) -> Question:
    return Question(text, text, chunk_id, "llm", "howto")


def nearest(asked: Question, known: list[Question]) -> tuple[list[str], list[str]]:
    board = Board([chunk(name) for name in TEXTS], [asked], [0], known)
    catalogue = Catalogue(tuple(TEXTS), {name: name for name in TEXTS}, {})
    vectors = [ENCODER.encode(texts, "query") for texts in ([asked.text], [one.text for one in known])]
    passages = ENCODER.encode(board.passages, "passage")
    plain, lifted = by_vectors(board, Encoded([0], vectors[0], passages, vectors[1]), catalogue)
    return plain[0], lifted[0]


def test_a_sibling_does_not_help() -> None:
    asked = question("which colour is the jam", "c")
    plain, lifted = nearest(asked, [asked, question("which colour has the jam", "c")])
    assert lifted == plain
    assert plain[0] == "a"


def test_a_question_about_another_chunk_raises_it() -> None:
    asked = question("which colour is the jam", "a")
    _, lifted = nearest(asked, [question("which colour is the jam", "b")])
    assert lifted[0] == "b"


def test_only_questions_that_passed_are_known() -> None:
    kept = question("how do doors close", "c")
    lost = Question("x", "how", "c", "llm", "howto", train=False)
    free = Question("y", "Doors", "c", "structure", "heading")
    assert known_questions([kept, lost, free]) == [kept]
    assert np.isfinite(ENCODER.encode([kept.text], "query")).all()


def test_shorter_vectors_are_the_first_numbers_brought_to_length_1_again() -> None:
    passages = ENCODER.encode(list(TEXTS.values()), "passage")
    short = Encoded([0], passages[:1], passages, passages[1:]).cut(16)
    assert short.passages.shape == (3, 16)
    assert np.linalg.norm(short.passages, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    kept = passages[:, :16] / np.linalg.norm(passages[:, :16], axis=1, keepdims=True)
    assert short.passages == pytest.approx(kept, abs=1e-6)
    assert short.cut(0) is short


def sure(asked: Question, known: list[Question], hits: list[str], *, questions: bool = False) -> float:
    board = Board([chunk(name) for name in TEXTS], [asked], [0], known)
    catalogue = Catalogue(tuple(TEXTS), {name: name for name in TEXTS}, {})
    vectors = [ENCODER.encode(texts, "query") for texts in ([asked.text], [one.text for one in known])]
    encoded = Encoded([0], vectors[0], ENCODER.encode(board.passages, "passage"), vectors[1])
    return float(surest(board, encoded, catalogue, [hits], questions=questions)[0])


def cosine(first: str, second: str) -> float:
    one, other = ENCODER.encode([first, second], "query")
    return float(one @ other)


def test_a_question_is_as_sure_as_its_nearest_hit() -> None:
    asked = question("which jars hold jam at night", "")
    each = {name: cosine(asked.text, text) for name, text in TEXTS.items()}
    assert each["a"] > each["b"] > 0
    assert sure(asked, [], ["c", "b"]) == pytest.approx(each["b"], abs=1e-6)
    assert sure(asked, [], ["b", "a", "c"]) == pytest.approx(each["a"], abs=1e-6)
    assert sure(asked, [], []) == 0.0


def test_the_known_questions_of_a_hit_make_it_surer_where_they_are_searched() -> None:
    asked, known = question("which colour is the jam", "c"), question("which colour has the jam", "b")
    plain, near = cosine(asked.text, TEXTS["b"]), cosine(asked.text, known.text)
    assert near > plain
    assert sure(asked, [known], ["b"], questions=True) == pytest.approx(near, abs=1e-6)
    assert sure(asked, [known], ["b"]) == pytest.approx(plain, abs=1e-6)
    # One of a chunk that is no hit says nothing, nor does a sibling.
    assert sure(asked, [known], ["a"], questions=True) == pytest.approx(cosine(asked.text, TEXTS["a"]), abs=1e-6)
    sibling = question("which colour has the jam", "c")
    assert sure(asked, [sibling], ["c"], questions=True) == pytest.approx(cosine(asked.text, TEXTS["c"]), abs=1e-6)


def test_a_question_that_no_chunk_answers_is_helped_by_all_that_are_known() -> None:
    stranger = question("which colour is the jam", "")
    _, lifted = nearest(stranger, [question("which colour is the jam", "b")])
    assert lifted[0] == "b"
