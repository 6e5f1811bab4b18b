"""Citations are checked while the answer streams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.chat.citations import CitationFilter


def checked(text: str, passages: int = 3) -> tuple[str, list[int]]:
    citations = CitationFilter(passages)
    return citations.feed(text) + citations.close(), citations.cited


@pytest.mark.parametrize(
    ("written", "shown", "cited"),
    [
        ("Call it [2].", "Call it [2].", [2]),
        ("Call it [7].", "Call it.", []),
        ("Zero [0] is none.", "Zero is none.", []),
        ("Both [1, 3] say so [1].", "Both [1][3] say so [1].", [1, 3]),
        ("One of two [2, 9].", "One of two [2].", [2]),
        ("A range [1-3].", "A range [1][2][3].", [1, 2, 3]),
        ("A long way [1-900].", "A long way [1].", [1]),
        ("See [Passage 3] and [sources 1 and 2].", "See [3] and [1][2].", [3, 1, 2]),
        ("Use `rows[9]` here [1].", "Use `rows[9]` here [1].", [1]),
        ("```js\nrows[9] = x[1]\n```\nDone [2].", "```js\nrows[9] = x[1]\n```\nDone [2].", [2]),
        ("~~~\na[9]\n```\nb[8]\n~~~\nOut [9].", "~~~\na[9]\n```\nb[8]\n~~~\nOut.", []),
        ("> ```\n> a[9]\n> ```\nQuoted [1].", "> ```\n> a[9]\n> ```\nQuoted [1].", [1]),
        ("A tick ` alone\ndoes not hide [9] this.", "A tick ` alone\ndoes not hide this.", []),
        ("Open ``a`[9]`` shut [9]", "Open ``a`[9]`` shut", []),
        ("[see the page](there.md) [1]", "[see the page](there.md) [1]", [1]),
        ("[[9]] and [[1]]", "[] and [[1]]", [1]),
        ("An open [ bracket\nand [", "An open [ bracket\nand [", []),
        ("~5 jars [1]", "~5 jars [1]", [1]),
    ],
)
def test_only_citations_of_passages_stay(written: str, shown: str, cited: list[int]) -> None:
    assert checked(written) == (shown, cited)


@given(st.text(alphabet="ab1239 [],-`~\n>(", max_size=60), st.lists(st.integers(1, 5), max_size=60))
def test_how_the_answer_is_cut_into_pieces_does_not_matter(text: str, lengths: list[int]) -> None:
    citations, shown, rest = CitationFilter(3), "", text
    for length in lengths:
        shown += citations.feed(rest[:length])
        rest = rest[length:]
    shown += citations.feed(rest) + citations.close()
    assert (shown, citations.cited) == checked(text)


@given(st.text(alphabet="ab .\n`~(*", max_size=60))
def test_a_text_without_brackets_comes_out_as_it_went_in(text: str) -> None:
    shown, cited = checked(text)
    assert shown.rstrip() == text.rstrip()
    assert not cited
    assert text.startswith(shown)


def test_text_is_not_held_back_longer_than_a_citation_could_be() -> None:
    citations = CitationFilter(3)
    assert citations.feed("Words come at once") == "Words come at once"
    assert citations.feed(" [") == ""
    assert citations.feed("2") == ""
    assert citations.feed("]") == " [2]"
    assert citations.feed("[" + "x" * 60) == "[" + "x" * 60
