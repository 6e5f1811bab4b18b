"""Questions that cost nothing: from headings, opening sentences and links."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.records import Chunk, Question
from dragoman.synth.structure import MODEL, STYLES, StructureSettings, structural_questions

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


def test_every_style_is_on_the_list_and_made_by_its_rule(make_chunk: MakeChunk) -> None:
    text = "The stone keeps the heat. See [how to heat it](#why-does-the-stone-crack).\n\n- `--force`: bake although it is cold"
    chunks = [
        make_chunk(text, trail=("Oven", "Preparing the stone")),
        make_chunk("It ends with OvenError: the stone is not hot enough.", trail=("Oven", "Why does the stone crack?")),
        make_chunk("- **Rack**: A rack is a place for loaves.", trail=("Oven", "Racks")),
    ]
    questions = structural_questions(chunks)
    assert {question.style for question in questions} == set(STYLES)
    assert by_style(questions, "phrased") == [("how to prepare the stone", chunks[0].id)]
    assert by_style(questions, "faq") == [("Why does the stone crack?", chunks[1].id)]
    assert [question.text for question in structural_questions(chunks, StructureSettings(styles=("faq",)))] == [
        "Why does the stone crack?"
    ]


def test_a_heading_that_is_a_question_is_not_asked_as_keywords_too(make_chunk: MakeChunk) -> None:
    questions = structural_questions([make_chunk("Cold water.", trail=("Oven", "Why does the stone crack?"))])
    assert [question.style for question in questions] == ["faq"]


def test_a_question_made_of_headings_is_trained_on_the_text_without_them(make_chunk: MakeChunk) -> None:
    chunk = make_chunk(BODY, trail=("Bakery", "Oven", "Preparing the stone"))
    questions = {question.style: question.passage for question in structural_questions([chunk])}
    assert questions["heading"] == f"Bakery\n{BODY}"
    kept = structural_questions([chunk], StructureSettings(leave_out_trail=False))
    assert {question.passage for question in kept if question.style != "opening"} == {""}


def test_too_little_text_keeps_its_headings(make_chunk: MakeChunk) -> None:
    questions = structural_questions([make_chunk("Hot.", trail=("Bakery", "Preparing the stone"))])
    assert {question.passage for question in questions} == {""}


def test_what_several_sections_would_ask_alike_is_asked_with_the_page_or_not_at_all(make_chunk: MakeChunk) -> None:
    chunks = [
        make_chunk("Hot.", "a.md", ("oven.bake", "Create a loaf")),
        make_chunk("Cold.", "b.md", ("oven.cool", "Create a loaf")),
        make_chunk("Old.", "c.md", ("Welcome to the bakery", "Create a loaf")),
    ]
    assert by_style(structural_questions(chunks), "phrased") == [
        ("how to create a loaf in oven.bake", chunks[0].id),
        ("how to create a loaf in oven.cool", chunks[1].id),
    ]


def test_a_copy_leaves_the_questions_to_the_chunk_that_it_is_a_copy_of(make_chunk: MakeChunk) -> None:
    first = make_chunk("Hot.", "a.md", ("Oven", "Create a loaf"))
    copy = replace(make_chunk("Hot.", "b.md", ("Oven", "Create a loaf")), canonical=first.id)
    questions = structural_questions([first, copy])
    assert by_style(questions, "phrased") == [("how to create a loaf", first.id)]
    assert {question.chunk_id for question in questions} == {first.id, copy.id}


def test_only_the_first_chunk_of_a_section_is_asked_what_its_heading_asks(make_chunk: MakeChunk) -> None:
    chunks = [make_chunk(f"Hot {part}.", trail=("Oven", "Create a loaf"), part=part) for part in range(3)]
    assert by_style(structural_questions(chunks), "phrased") == [("how to create a loaf", chunks[0].id)]


def test_no_chunk_gets_more_questions_than_the_caps_allow(make_chunk: MakeChunk) -> None:
    flags = "\n".join(f"- `--flag-{place}`: does what it says very well" for place in range(50))
    target = make_chunk(flags, "oven.md", ("Oven", "Preparing the stone"))
    links = " ".join(f"[hot stone number {place}](oven.md)" for place in range(50))
    chunks = [target, make_chunk(links, "start.md", ("Start",))]
    questions = [question for question in structural_questions(chunks) if question.chunk_id == target.id]
    assert [question.style for question in questions].count("option") == 2
    assert [question.style for question in questions].count("link") == 4
    assert len(questions) == 8
    few = structural_questions(chunks, StructureSettings(each=1, most=3))
    assert [question.style for question in few if question.chunk_id == target.id][:2] == ["heading", "phrased"]
    assert structural_questions(chunks) == structural_questions(chunks)


def test_pages_in_other_languages_are_asked_no_english(make_chunk: MakeChunk) -> None:
    text = (
        "Der Ofen wird vorgeheizt, bevor der Teig hineinkommt. Wenn die Kruste zu hell ist, wird sie gebräunt.\n\n"
        "- `--force`: backen, auch wenn die Tür offen ist"
    )
    chunks = [make_chunk(text, trail=("Ofen", "Installation")), make_chunk("Ja.", trail=("Ofen", "Ist er heiß?"))]
    questions = structural_questions(chunks)
    assert {question.style for question in questions} == {"heading", "opening", "faq"}


@pytest.mark.parametrize(
    "words",
    ["this guide", "see the docs", "read more", "Learn more about this", "the documentation", "in this section"],
)
def test_words_of_a_link_that_name_nothing_ask_nothing(make_chunk: MakeChunk, words: str) -> None:
    chunks = [make_chunk("Hot.", "oven.md", ("Oven",)), make_chunk(f"[{words}](oven.md)", "start.md", ("Start",))]
    assert by_style(structural_questions(chunks), "link") == []


def test_a_link_s_invitation_to_read_is_no_part_of_the_question(make_chunk: MakeChunk) -> None:
    link = make_chunk("[Learn more about hot stones](oven.md)", "start.md", ("Start",))
    target = make_chunk("Hot.", "oven.md", ("Oven",))
    assert by_style(structural_questions([target, link]), "link") == [("hot stones", target.id)]


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("Next.js 15.2 heats the stone, e.g. overnight. " + BODY, "Next.js 15.2 heats the stone, e.g. overnight."),
        ("```\nCode that is long enough to be a sentence.\n```\n\n" + BODY, "The stone keeps the heat for an hour."),
        ("- A list that is long enough for a sentence.\n\n" + BODY, "The stone keeps the heat for an hour."),
        ("This keeps the heat for an hour or two.\n\n" + BODY, "The stone keeps the heat for an hour."),
        ("The stone\nkeeps the heat\nfor an hour. " + BODY, "The stone keeps the heat for an hour."),
    ],
)
def test_an_opening_is_the_first_sentence_that_stands_alone(make_chunk: MakeChunk, text: str, opening: str) -> None:
    questions = structural_questions([make_chunk(text)])
    assert [words for words, _ in by_style(questions, "opening")] == [opening]


@given(st.text(max_size=200), st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_no_text_and_no_heading_is_too_odd(make_chunk: MakeChunk, text: str, trail: list[str]) -> None:
    chunk = make_chunk(text, trail=tuple(trail))
    questions = structural_questions([chunk, make_chunk(f"[a {text}]({text})", "b.md", tuple(trail))])
    assert all(question.text.strip() and question.style in STYLES for question in questions)


@pytest.mark.parametrize(
    "sign", ["[", "](", "`", "- `", "- **", "| ", "<", "{", "\n", "```\n", "(", " ", "Error: ", "A.b ", "_"]
)
def test_no_sign_said_over_and_over_makes_it_slow(make_chunk: MakeChunk, sign: str) -> None:
    large = sign * (200_000 // len(sign))
    chunks = [make_chunk(large, trail=("Oven", "Heat")), make_chunk("Hot.", trail=("Oven", "Add a " + large))]
    start = time.process_time()
    structural_questions(chunks)
    assert time.process_time() - start < 2  # quadratic work would take minutes
