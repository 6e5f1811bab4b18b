"""What the words of a question tell: whether it stands alone, and whether it repeats its passage."""

import time

import pytest

from dragoman.synth.wording import leak_of, normalised, points_elsewhere, words_in

TRAIL = ("Bakery", "Working with a sourdough starter", "Feed the starter every morning")
PASSAGE = (
    " > ".join(TRAIL)
    + "\nUse equal parts of flour and water. The jar stays `open`!\n- Rye wakes it up\nEat within 3.5 days"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What does this example do?", "this example"),
        ("What does the example above print?", "example above"),
        ("What does the code above do?", "code above"),
        ("Which flag is in the following command?", "the following"),
        ("How does the above configuration work?", "the above"),
        ("What is the provided code for?", "the provided code"),
        ("According to the documentation, how hot is the oven?", "According to the documentation"),
        ("How is the heat described in the text?", "described in the text"),
        ("What is the main idea of the passage?", "of the passage"),
        ("What does the snippet return?", "does the snippet"),
        ("Which options are listed below?", "listed below"),
        ("What happens here?", "here?"),
        ("How do I use this?", "this"),
        ("What does this function return?", "this function"),
        ("How do I install it with pip?", "it"),
        ("What does it do?", "it"),
        ("Why do they fail?", "they"),
        ("How can I fix that?", "that"),
        ("What are these used for?", "these"),
        ("What do these do?", "these"),
        ("Is it safe to use this without a key?", "this"),
    ],
)
def test_a_question_that_leans_on_what_its_reader_does_not_see_is_found_out(text: str, words: str) -> None:
    assert points_elsewhere(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "Where is the text stored?",
        "How do I make an example recipe?",
        "How do I keep values above 10 out of a chart?",
        "Is it possible to bake without steam?",
        "How long does it take to heat the oven?",
        "What does it mean when the lamp blinks?",
        "My oven gets hot but it never stops, how do I fix that?",
        "How do I write a function and call this function from a shell?",
        "How do I fix the following error: JobNotFound?",
        "I know that the oven is hot",
        "Which documents does the search cover?",
        "oven stone rack",
        "¿Cómo lo uso?",
        "Wie benutze ich das hier genannte Werkzeug?",
        "如何安装这个",
        "",
    ],
)
def test_a_question_that_names_what_it_is_about_stands_alone(text: str) -> None:
    assert points_elsewhere(text) == ""


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("Feed the starter every morning", TRAIL[2]),
        ("feed the *starter*, every morning?", TRAIL[2]),
        ("Bakery", TRAIL[0]),
        ("Feed the starter every morning Working with a sourdough starter", f"{TRAIL[2]} {TRAIL[1]}"),
        ("The jar stays open", "The jar stays `open`!"),
        ("rye wakes it up", "- Rye wakes it up"),
        ("Eat within 3.5 days", "Eat within 3.5 days"),
        ("sourdough starters feed morning", " > ".join(TRAIL)),
        ("How do I feed my sourdough starter every morning?", ""),
        ("feed starter", ""),
        ("The jar stays", ""),
        ("How much flour and water goes into the jar?", ""),
        ("morning feed starter sourdough", ""),
    ],
)
def test_a_leak_is_a_heading_a_sentence_or_the_headings_words_in_order(text: str, leak: str) -> None:
    assert leak_of(text, TRAIL, PASSAGE, 0.9) == leak


def test_the_share_of_the_headings_words_is_a_dial() -> None:
    text = "feed the starter every cold morning"  # feed, starter, every, cold, morning without "every": 3 of 4 in order
    assert leak_of(text, TRAIL, PASSAGE, 0.75) == ""
    assert leak_of(text, TRAIL, PASSAGE, 0.7) == " > ".join(TRAIL)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("hot", 1),
        ("hot  oven\n", 2),
        ("rg.Dataset?", 1),
        ("如何安装", 2),
        ("如何安装 Argilla", 3),
        ("パンの焼き方は", 4),
    ],
)
def test_words_are_counted_where_they_are_not_spaced_too(text: str, words: int) -> None:
    assert words_in(text) == words


def test_texts_without_words_are_not_all_alike() -> None:
    assert normalised("How HOT,\nis it?") == "how hot is it"
    assert normalised(" ?! ") == "?!"


@pytest.mark.parametrize(
    "sign", [*"a .:?!\n`*_#[(<{|\\。这", "the ", "it ", "the following ", "here ", "does the ", "\ud83e"]
)
def test_a_million_of_any_sign_take_no_time(sign: str) -> None:
    text = sign * (1_000_000 // len(sign))
    started = time.perf_counter()
    points_elsewhere(text)
    words_in(text)
    leak_of(text, (text,), text + "x", 0.9)
    assert time.perf_counter() - started < 5
