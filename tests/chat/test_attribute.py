"""Sentences get the number of the passage that their words stand in, and no other."""

from dragoman.chat.attribute import attributed
from dragoman.records import Chunk, Hit

SHELF = "To add a shelf, call `pantry.shelf()` with a name and a width in centimetres."
ALARM = "The alarm rings when the temperature leaves the range that was set."


def hits(*texts: str) -> list[Hit]:
    chunks = [Chunk(str(n), "s", "p.md", "T", ("T",), "s", t, t, 0, len(t), 1, 1, 9, "") for n, t in enumerate(texts)]
    return [Hit(rank, 1.0, chunk) for rank, chunk in enumerate(chunks, start=1)]


def test_each_sentence_gets_the_number_of_its_passage() -> None:
    text = "Call `pantry.shelf()` with a name and a width. The alarm rings when the temperature leaves its range."
    found, numbers = attributed(text, hits(SHELF, ALARM))
    assert found == (
        "Call `pantry.shelf()` with a name and a width [1]. The alarm rings when the temperature leaves its range [2]."
    )
    assert numbers == (1, 2)


def test_a_sentence_of_other_words_gets_none() -> None:
    text = "Paris is the capital of France and lies on the Seine."
    assert attributed(text, hits(SHELF, ALARM)) == (text, ())


def test_short_sentences_and_code_are_left_alone() -> None:
    text = "Yes.\n\n```js\npantry.shelf(name, width, centimetres)\n```\n"
    assert attributed(text, hits(SHELF)) == (text, ())


def test_a_line_that_leads_into_code_keeps_its_colon() -> None:
    found, numbers = attributed("Call the shelf with a name and a width:\n\n```js\nx\n```", hits(SHELF))
    assert found.startswith("Call the shelf with a name and a width [1]:\n\n```js\nx\n```")
    assert numbers == (1,)


def test_without_passages_nothing_is_added() -> None:
    assert attributed("One two three four five.", []) == ("One two three four five.", ())
