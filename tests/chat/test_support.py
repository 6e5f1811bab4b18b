"""Sentences are scored by what the passages say, not by how long they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.chat.support import SUPPORTED, Evidence, pieces, sentences, supports
from dragoman.records import Chunk, Hit


def hits(chunks: list[Chunk]) -> list[Hit]:
    return [Hit(rank, 1.0, chunk) for rank, chunk in enumerate(chunks, 1)]


def score(sentence: str, chunks: list[Chunk]) -> float:
    return max(Evidence(hits(chunks)).scores(sentence), default=0.0)


COPIED = (
    "The alarm rings when the temperature leaves the range set with `pantry.range(low, high)`, both in degrees Celsius."
)


def test_a_copied_sentence_is_borne_out_in_full(chunks: list[Chunk]) -> None:
    (found,) = supports(COPIED, hits(chunks))
    assert (found.score, found.number, found.sentence) == (1.0, 4, COPIED)


@pytest.mark.parametrize(
    "paraphrase",
    [
        "When the temperature leaves its range, the alarm is ringing.",
        "Labels have to be unique: a second jar with the same label gets refused.",
        "An empty shelf can be removed by `shelf.remove()`.",
    ],
)
def test_a_paraphrase_is_supported(paraphrase: str, chunks: list[Chunk]) -> None:
    assert score(paraphrase, chunks) >= SUPPORTED


@pytest.mark.parametrize(
    "stranger",
    ["Paris lies on the river Seine and has many bridges.", "Jars are baked for an hour and then sold at the market.",
     "Every cupboard sends its invoice to the accounting department."],
)  # fmt: skip
def test_a_sentence_of_something_else_is_not(stranger: str, chunks: list[Chunk]) -> None:
    assert score(stranger, chunks) < SUPPORTED


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Set `pantry.shelf('top', { width: 80 })`.", "Set `pantry.shelf('top', { width: 95 })`."),
        ("The width must be a whole number.", "The width must not be a whole number."),
        ("An empty shelf is removed with `shelf.remove()`.", "An empty shelf is removed with `shelf.dropAll()`."),
    ],
)
def test_a_wrong_number_name_or_negation_costs_support(right: str, wrong: str, chunks: list[Chunk]) -> None:
    assert score(wrong, chunks) < score(right, chunks) - 0.2


def test_a_cited_sentence_is_scored_by_what_it_cites(chunks: list[Chunk]) -> None:
    (found,) = supports(f"{COPIED[:-1]} [2].", hits(chunks))
    assert found.cited == (2,)
    assert found.number == 4
    assert found.score < SUPPORTED


def test_code_headings_and_short_words_are_no_sentences(chunks: list[Chunk]) -> None:
    text = "# Shelves\n\nYes.\n\n```js\npantry.shelf('top')\n```\n\nHere is how:\n"
    assert supports(text, hits(chunks)) == ()


def test_sentences_keep_their_citations_and_names_their_dots() -> None:
    text = "Call `pantry.shelf()` e.g. with 3.5 jars [1]. Then wait. [2] It rings!\n\n- One item [1]\n- Another item"
    assert sentences(text) == [
        "Call `pantry.shelf()` e.g. with 3.5 jars [1].",
        "Then wait. [2]",
        "It rings!",
        "- One item [1]",
        "- Another item",
    ]


def test_without_passages_nothing_is_supported() -> None:
    assert supports(COPIED, []) == ()


@given(st.text(alphabet="ab. \n`~[1]#-!", max_size=80))
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(piece for piece, _ in pieces(text)) == text


@given(st.text(max_size=80))
def test_a_score_is_between_none_and_all(text: str) -> None:
    chunk = Chunk("1", "s", "p.md", "T", ("T",), "s", text, text, 0, len(text), 1, 1, 9, "")
    assert all(0 <= value <= 1 for value in Evidence([Hit(1, 1.0, chunk)]).scores(text + " two more words"))
