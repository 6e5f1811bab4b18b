"""A question that the docs do not answer gets a kind no, and the next thing to do."""

from collections.abc import Sequence

import pytest

from dragoman.chat.refusal import confidence, declined, refusal_answer, refused_because
from dragoman.records import Chunk, Hit, Refusal, Signals

REFUSAL = Refusal(threshold=0.4, off_topic=0.2, rate=0.05)


def hits_of(chunks: Sequence[Chunk], *signals: Signals | None) -> list[Hit]:
    return [
        Hit(rank, 1 / rank, chunk, signals=one)
        for rank, (chunk, one) in enumerate(zip(chunks, signals, strict=False), 1)
    ]


def test_the_confidence_is_the_largest_similarity_of_a_passage_or_a_known_question(chunks: list[Chunk]) -> None:
    assert confidence(hits_of(chunks, Signals(dense=0.2), Signals(dense=0.3), Signals())) == 0.3
    assert confidence(hits_of(chunks, Signals(dense=0.2, question=0.7), Signals(dense=0.3))) == 0.7
    assert confidence(hits_of(chunks, Signals(lexical=9.0), None)) is None
    assert confidence([]) is None


@pytest.mark.parametrize(
    ("dense", "reason"),
    [(0.41, ""), (0.4, ""), (0.39, "unanswerable"), (0.2, "unanswerable"), (0.19, "off-topic"), (None, "")],
)
def test_the_threshold_decides(chunks: list[Chunk], dense: float | None, reason: str) -> None:
    hits = hits_of(chunks, Signals(dense=dense))
    assert refused_because(hits, REFUSAL) == reason
    assert refused_because(hits, None) == ""
    assert refused_because([], REFUSAL) == refused_because([], None) == "nothing found"


def test_an_unanswerable_question_is_shown_the_nearest_sections_and_where_to_ask(chunks: list[Chunk]) -> None:
    hits = hits_of(chunks, *[Signals(dense=0.3)] * 4)
    answer = refusal_answer(
        "Why?", hits, "unanswerable", name="Pantry", contact="help@pantry.example", searched="Why so?"
    )
    assert (answer.mode, answer.reason, answer.searched) == ("refusal", "unanswerable", "Why so?")
    assert answer.text.startswith("The documentation of Pantry does not seem to answer this")
    assert "- [Pantry › Shelves › Adding a shelf](https://pantry.example/docs#part-1) [1]\n" in answer.text
    assert answer.text.endswith("You can ask here: help@pantry.example")
    assert [one.number for one in answer.citations] == [1, 2, 3]


def test_an_off_topic_question_is_shown_no_sections(chunks: list[Chunk]) -> None:
    answer = refusal_answer("Why?", hits_of(chunks, None), "off-topic", name="Pantry", contact="")
    assert answer.citations == ()
    assert "question about Pantry" in answer.text
    assert "http" not in answer.text


@pytest.mark.parametrize("reason", ["off-topic", "unanswerable", "nothing found"])
def test_where_to_ask_is_never_made_up_and_a_sentence_of_the_project_stays_as_it_is(
    chunks: list[Chunk], reason: str
) -> None:
    hits = hits_of(chunks, None)
    assert "ask here" not in refusal_answer("Why?", hits, reason, name="", contact=" ").text  # type: ignore[arg-type]
    said = "Come to the kitchen on Mondays."
    told = refusal_answer("Why?", hits, reason, name="", contact=said).text  # type: ignore[arg-type]
    assert told.endswith(f"\n\n{said}")


@pytest.mark.parametrize(
    ("text", "cited", "says_no"),
    [
        ("Sorry, the documentation does not answer this.", (), True),
        ("The documentation does not answer this [1].", (1,), True),
        ("The passages don't mention zeppelins.", (), True),
        ("The passages do not mention zeppelins, but a shelf is added so [1].", (1,), False),
        ("Call `pantry.shelf()` [1].", (1,), False),
        ("The documentation does not answer this. " + "But here is a lot of it. " * 9, (1,), False),
    ],
)
def test_a_model_that_says_no_is_understood(text: str, cited: tuple[int, ...], *, says_no: bool) -> None:
    assert declined(text, cited) == says_no
