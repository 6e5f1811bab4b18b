from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.index.terms import chunk_terms, question_terms, section_terms
from dragoman.records import Chunk


@pytest.mark.parametrize(
    ("identifier", "whole"),
    [
        ("client.users", "clientusers"),
        ("a.b_c.d", "abcd"),
        ("MAX_BODY_SIZE", "maxbodysize"),
        ("__init__.py", "initpy"),
        ("--dry-run", "dryrun"),
    ],
)
def test_an_identifier_is_one_word_on_both_sides(make_chunk: Callable[..., Chunk], identifier: str, whole: str) -> None:
    assert whole in chunk_terms(make_chunk(f"Call `{identifier}` first.")).split()
    assert whole in question_terms(f"what is {identifier}?").split()


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [("getUserById", ["get", "User", "By", "Id"]), ("HTTPServer2", ["HTTP", "Server", "2"])],
)
def test_a_camel_case_name_is_indexed_with_its_parts(
    make_chunk: Callable[..., Chunk], identifier: str, parts: list[str]
) -> None:
    assert chunk_terms(make_chunk(f"See {identifier}.")).split()[-len(parts) :] == parts


def test_plain_prose_gets_no_extra_words(make_chunk: Callable[..., Chunk]) -> None:
    chunk = make_chunk("Open the gate. Then walk in - slowly, e.g. at noon.")
    assert set(chunk_terms(chunk).split()) - set(chunk.passage.split()) <= {"eg"}


def test_a_section_is_its_trail_once_and_all_of_its_chunks(make_chunk: Callable[..., Chunk]) -> None:
    rows = [make_chunk(text, section="s", trail=("Harbour", "Tides")) for text in ("low water", "high water")]
    assert section_terms(rows).split() == ["Harbour", "Tides", "low", "water", "high", "water"]


def test_a_question_says_each_word_once() -> None:
    assert question_terms("Error error ERROR in line 3, line 4") == "error in line 3 4"


@given(st.text(st.characters(), max_size=200))
def test_a_question_becomes_words_and_blanks_only(question: str) -> None:
    assert all(word.isalnum() for word in question_terms(question).split())
    question_terms(question).encode("utf-8")
