"""The page that teaches a task: short, with examples of the project that cannot act on it."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dragoman.review.guidelines import guidelines
from dragoman.review.items import FORMS, NO, YES, Form, Item, Suggestion

TRIPLETS, CONVERSATIONS = FORMS["triplets"], FORMS["conversations"]
MARKUP = (
    "</code></pre><script>alert(1)</script> ![x](https://evil.test/a.png) www.evil.test **b** ```` ~~~ `a` <b> &lt;"
)


def pair(number: int, value: str = "", score: float = 0.0) -> Item:
    fields = {"anchor": f"Text {number}.", "positive": f"Question {number}?", "negative": f"Other {number}?"}
    suggestions = (Suggestion("is_positive_relevant", value, score, "judge"),) if value else ()
    return Item(f"{number:02}", "triplets", fields, {}, suggestions, (), 1 - number / 10)


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_task_is_taught_in_few_words_and_says_what_is_asked(form: Form) -> None:
    page = guidelines(form, "Kettle", [])
    assert len(page.split()) < 250
    assert "Kettle" in page
    assert all(f"**{ask.title}**" in page.replace("\n", " ") for ask in form.asks)
    assert "```" not in page


def test_the_examples_are_those_we_are_surest_of_either_way() -> None:
    items = [pair(1, YES, 0.8), pair(2, NO, 0.9), pair(3, YES, 0.95), pair(4, NO, 0.6), pair(5)]
    page = guidelines(TRIPLETS, "Kettle", items)
    good, doubtful = page.split("**Probably yes**")[1].split("**Doubtful: look twice**")
    assert good == "\n\n```text\nText: Text 3.\nQuestion: Question 3?\nAnother question: Other 3?\n```\n\n"
    assert "Question: Question 2?" in doubtful
    assert page.count("```") == 4
    for seed in range(5):
        assert guidelines(TRIPLETS, "Kettle", Random(seed).sample(items, len(items))) == page


def test_no_item_is_an_example_of_both() -> None:
    assert "Doubtful" not in guidelines(TRIPLETS, "Kettle", [pair(1, YES, 0.8)])
    assert "Probably" not in guidelines(TRIPLETS, "Kettle", [pair(1, NO, 0.8), pair(2, NO, 0.9)])


def test_without_suggestions_one_item_is_the_example() -> None:
    page = guidelines(TRIPLETS, "Kettle", [pair(3), pair(2), pair(4)])
    assert "**An example**" in page
    assert "Question 4?" in page
    assert page.count("```") == 2


def test_a_long_text_is_cut_and_wrapped() -> None:
    item = Item("a", "triplets", {"anchor": "words of a text " * 500, "positive": "W" * 900, "negative": "\u202eabc"})
    block = guidelines(TRIPLETS, "Kettle", [item]).split("```")[1]
    assert max(len(line) for line in block.splitlines()) <= 92
    assert len(block) < 1200
    assert block.count(" ...") == 2
    assert "\u202e" not in block


def test_a_line_of_a_wrapped_text_does_not_end_its_block() -> None:
    text = f"{'W' * 86} ``` {'V' * 90} <script>alert(1)</script>"
    page = guidelines(TRIPLETS, "Kettle", [Item("a", "triplets", {"anchor": text})])
    assert "\n  ```\n" in page
    assert shown(page)[-1] == "fence"
    assert shown(page).count("fence") == 1


def shown(page: str) -> list[str]:
    """The types of all that a Markdown page is made of, and what stands in its code blocks."""
    found = []
    for token in MarkdownIt("commonmark", {"html": True, "linkify": False}).parse(page):
        found += [token.type, *(child.type for child in token.children or ())]
    return found


@given(st.text(st.characters() | st.sampled_from("`~<>\n #"), max_size=60) | st.just(MARKUP))
def test_an_example_cannot_leave_its_block(text: str) -> None:
    fields = {"instruction": text, "response": f"{text}\n```\n<script>\n````\n{text}"}
    page = guidelines(CONVERSATIONS, "Kettle", [Item("a", "conversations", fields)])
    plain = guidelines(CONVERSATIONS, "Kettle", [Item("a", "conversations", {"instruction": "a", "response": "b"})])
    assert shown(page) == shown(plain)
    assert shown(page)[-1] == "fence"
    assert not {"html_block", "html_inline", "link_open", "image"} & set(shown(page))


@given(st.text(st.characters() | st.sampled_from("`*_[]()<>#&!\n\\|{}"), max_size=30))
def test_a_projects_name_is_plain_text(name: str) -> None:
    page = guidelines(TRIPLETS, name, [])
    assert shown(page) == shown(guidelines(TRIPLETS, "Kettle", []))


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("scikit-learn", "my_project", "C++", "Node.js", "Überblick 2", "owner/repo"):
        assert name in guidelines(TRIPLETS, name, [])
