"""The funnel: what goes in comes out, kept or rejected with a reason."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import UsageError
from dragoman.models.encoder import HashEncoder
from dragoman.records import Chunk, Question, QuestionKind, content_id
from dragoman.synth.filter import (
    DEFAULTS,
    REASONS,
    STEPS,
    Evidence,
    Funnel,
    Step,
    clean,
    judged,
    mark,
    near_duplicates,
    round_trip,
)

MakeChunk = Callable[..., Chunk]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["How hot?", "how  HOT", "", "hot", "what does this passage say", "hot " * 51, "hot " * 50]),
)


def ask(text: str, place: int | str = 0, kind: QuestionKind = "llm", style: str = "howto") -> Question:
    chunk = place if isinstance(place, str) else f"chunk-{place}"
    return Question(content_id(chunk, text, style), text, chunk, kind, style)


def near(texts: list[str], threshold: float, **fields: Mapping[str, object]) -> Funnel:
    """Questions of one section, with the vectors of their words."""
    questions = [replace(ask(text), **fields.get(text, {})) for text in texts]  # type: ignore[arg-type]
    funnel = Funnel(len(questions), tuple(questions))
    vectors = HashEncoder().encode(texts, "query")
    return near_duplicates(funnel, [question.id for question in questions], vectors, (), threshold)


@given(st.lists(st.tuples(TEXTS, st.integers(0, 6)), max_size=30), st.frozensets(st.sampled_from(STEPS)))
def test_kept_and_rejected_are_the_input_and_every_rejection_has_a_known_reason(
    asked: list[tuple[str, int]], skip: frozenset[Step]
) -> None:
    questions = [ask(text, place) for text, place in asked]
    settings = replace(DEFAULTS, skip=skip)
    funnel = clean(questions, settings=settings)
    kept, dropped = [row.id for row in funnel.questions], [row.item for row in funnel.rejected]
    assert sorted([*kept, *dropped]) == sorted(question.id for question in questions)
    assert funnel.asked == len(questions) == funnel.trainable + len(dropped)
    assert {row.reason for row in funnel.rejected} <= set(REASONS[:7])
    assert funnel.steps == Counter(row.reason for row in funnel.rejected)
    assert list(funnel.steps) == sorted(funnel.steps, key=REASONS.index)
    assert all(row.stage == "synth" for row in funnel.rejected)
    assert clean(funnel.questions, settings=settings).questions == funnel.questions


def test_a_funnel_that_lost_a_question_cannot_be_made() -> None:
    with pytest.raises(AssertionError, match="of 2 questions, 1"):
        Funnel(2, (ask("How hot is it inside?"),))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("How hot is an oven", "duplicate"),
        ("HOW hot: is an oven??", "duplicate"),
        ("hot", "too short"),
        ("   ", "empty"),
        ("?!", "empty"),
        ("why " * 51, "too long"),
        ("why " + "y" * 1000, "too long"),
        ("What does this passage say about heat?", "does not stand alone"),
        ("Which flag is in the following example?", "does not stand alone"),
    ],
)
def test_a_question_that_no_reader_would_ask_is_rejected(text: str, reason: str) -> None:
    funnel = clean([ask("How hot is an oven?"), ask(text)])
    assert [(row.reason, row.detail) for row in funnel.rejected] == [(reason, text)]
    assert funnel.steps == {reason: 1}


@pytest.mark.parametrize(
    "text", ["Where is the text stored?", "How do I make an example recipe?", "why " * 50, "oven heat", "如何安装"]
)
def test_a_fair_question_is_kept(text: str) -> None:
    assert clean([ask(text)]).questions == (ask(text),)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("length", "hot"),
        ("alone", "How do I use this?"),
        ("leak", "Working with a sourdough starter"),
        ("duplicate", "How hot is an oven?"),
    ],
)
def test_each_step_can_be_left_out(make_chunk: MakeChunk, step: Step, text: str) -> None:
    chunk = make_chunk("Feed it.", trail=("Bakery", "Working with a sourdough starter"))
    questions = [ask("How hot is an oven?", chunk.id), ask(text, chunk.id, style="problem")]
    assert len(clean(questions, [chunk]).questions) == 1
    settings = replace(DEFAULTS, skip=frozenset({step}))
    assert clean(questions, [chunk], settings).questions == tuple(questions)


def test_a_question_that_came_twice_is_one_though_duplicates_are_let_through() -> None:
    funnel = clean([ask("How hot is an oven?")] * 2, settings=replace(DEFAULTS, skip=frozenset({"duplicate"})))
    assert (len(funnel.questions), funnel.steps, funnel.also) == (1, {"duplicate": 1}, {})


def test_only_what_a_model_wrote_can_leak(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("The stone keeps the heat. Put it on the rack.", trail=("Bakery", "Oven stone"))
    texts = ["Oven stone", "The stone keeps the heat."]
    written = clean([ask(text, chunk.id) for text in texts], [chunk])
    assert [(row.reason, row.why) for row in written.removed] == [
        ("leaks its heading or text", "Oven stone"),
        ("leaks its heading or text", "The stone keeps the heat."),
    ]
    kinds: tuple[QuestionKind, ...] = ("structure", "person")
    for kind in kinds:
        assert clean([ask(text, chunk.id, kind) for text in texts], [chunk]).removed == ()


def test_what_a_person_asked_is_not_judged_by_its_wording() -> None:
    texts = ["hot", "What does it do here?", "why " * 80]
    funnel = clean([ask(text, kind="person") for text in [*texts, " "]])
    assert [row.text for row in funnel.questions] == texts
    assert funnel.steps == {"empty": 1}


def test_a_heading_may_point_at_the_one_above_it() -> None:
    heading = ask("How to test it Adding a language", kind="structure", style="heading")
    assert clean([heading]).questions == (heading,)
    assert clean([replace(heading, style="opening")]).steps == {"does not stand alone": 1}


def test_of_equal_questions_the_first_is_kept_and_both_chunks_answer_it() -> None:
    funnel = clean([ask("How hot?", 4), ask("how hot", 2), ask("HOW HOT?", 4)])
    (kept,) = funnel.questions
    assert (kept.text, kept.chunk_id) == ("How hot?", "chunk-4")
    assert funnel.also == {kept.id: ("chunk-2",)}
    assert [(row.reason, row.why) for row in funnel.removed] == [("duplicate", "How hot?")] * 2


def test_of_equal_questions_a_persons_is_kept_and_then_the_best_ranked() -> None:
    ranked = [replace(ask("How hot?", place), rank=rank) for place, rank in enumerate((0, 7, 2))]
    assert clean(ranked).questions[0].chunk_id == "chunk-2"
    assert clean([*ranked, ask("how hot", 9, "person")]).questions[0].chunk_id == "chunk-9"


@pytest.mark.parametrize(
    ("places", "kept"),
    [
        ("abc", 1),  # three sections
        ("abcd", 0),  # four
        ("aaaaa", 1),  # five chunks of one section
        ("abcA", 1),  # the fourth is a copy of the first
        ("abcdA", 0),
        ("aAbBcC", 1),
    ],
)
def test_the_same_words_asked_about_many_places_tell_none_apart(make_chunk: MakeChunk, places: str, kept: int) -> None:
    chunks: list[Chunk] = []
    for part, letter in enumerate(places):
        chunk = make_chunk("Text.", trail=("Bakery", letter), part=part)
        first = next((other.id for other in chunks if letter.isupper() and other.trail[-1] == letter.lower()), "")
        chunks.append(replace(chunk, canonical=first))
    questions = [ask("How hot is an oven?", chunk.id) for chunk in chunks]
    funnel = clean(questions, chunks)
    assert len(funnel.questions) == kept
    if kept:
        assert funnel.also == {questions[0].id: tuple(chunk.id for chunk in chunks[1:])}
        assert funnel.steps == {"duplicate": len(places) - 1}
    else:
        assert (funnel.also, funnel.steps) == ({}, {"asked of many": len(places)})
        assert clean(questions, chunks, replace(DEFAULTS, places=4)).steps == {"duplicate": len(places) - 1}


def test_a_persons_question_outlives_words_asked_of_many_but_answers_to_its_own_chunk_alone() -> None:
    person = ask("How hot is an oven?", 7, "person")
    funnel = clean([*(ask("how hot is an oven", place) for place in range(5)), person])
    assert (funnel.questions, funnel.also, funnel.steps) == ((person,), {}, {"duplicate": 5})


def test_the_round_trip_marks_what_was_not_found_again_and_removes_nothing() -> None:
    questions = [ask(f"How hot is oven {place}?", place) for place in range(5)]
    funnel = clean([*questions, ask("hot")])
    ranks = {questions[0].id: 1, questions[1].id: 3, questions[2].id: 4, questions[3].id: 0}
    judged = round_trip(funnel, ranks, 3)
    assert [(row.rank, row.train) for row in judged.questions] == [
        (1, True),
        (3, True),
        (4, False),
        (0, False),
        (0, True),
    ]
    assert [replace(row, rank=0, train=True) for row in judged.questions] == questions
    assert (judged.asked, judged.rejected, judged.trainable) == (6, funnel.rejected, 3)
    assert judged.steps == {"too short": 1, "not found again": 2}
    assert [row.why for row in judged.marked] == ["rank 4", "not found at all"]


def test_a_round_trip_without_a_limit_lets_everything_train() -> None:
    funnel = clean([ask("How hot is an oven?")])
    judged = round_trip(funnel, {funnel.questions[0].id: 90}, 0)
    assert [(row.rank, row.train) for row in judged.questions] == [(90, True)]
    assert judged.steps == {}


def test_of_near_duplicates_the_better_ranked_and_then_the_longer_trains() -> None:
    texts = ["bake bread in a stone oven", "bake the bread in a stone oven", "cool the butter"]
    assert [row.train for row in near(texts, 0.5).questions] == [False, True, True]
    ranked = near(texts, 0.5, **{texts[0]: {"rank": 1}, texts[1]: {"rank": 2}})
    assert [row.train for row in ranked.questions] == [True, False, True]
    assert [(row.reason, row.why) for row in ranked.marked] == [("near duplicate", texts[0])]
    person = near(texts, 0.5, **{texts[0]: {"kind": "person"}})
    assert [row.train for row in person.questions] == [True, False, True]


def test_a_question_out_of_training_keeps_no_other_out_and_near_zero_is_off() -> None:
    texts = ["bake bread in a stone oven", "bake the bread in a stone oven"]
    assert near(texts, 0.5, **{texts[1]: {"train": False}}).questions[0].train
    assert near([texts[0]] * 2, 0).trainable == 2
    assert [row.train for row in near([texts[0], texts[0].upper()], 1.0).questions] == [True, False]


def test_near_duplicates_of_different_sections_both_train(chunks: list[Chunk]) -> None:
    texts = ["bake bread in an oven", "bake bread in one oven"]
    for places, trained in (((0, 3), 1), ((0, 4), 2)):
        questions = [ask(text, chunks[place].id) for text, place in zip(texts, places, strict=True)]
        vectors = HashEncoder().encode(texts, "query")
        found = near_duplicates(Funnel(2, tuple(questions)), [row.id for row in questions], vectors, chunks, 0.5)
        assert found.trainable == trained


@given(st.lists(st.sampled_from(["oven", "stone", "heat", "rack", "bread", "steam"]), min_size=1, max_size=40))
def test_what_trains_is_far_apart_and_what_does_not_is_near_to_something_better(words: list[str]) -> None:
    texts = list(dict.fromkeys(" ".join(words[start : start + 3]) for start in range(len(words))))
    found = near(texts, 0.6)
    vectors = HashEncoder().encode(texts, "query")
    similar = vectors @ vectors.T >= 0.6 - 1e-6
    trained = [place for place, row in enumerate(found.questions) if row.train]
    assert not np.any(np.triu(similar[np.ix_(trained, trained)], 1))
    for place, row in enumerate(found.questions):
        better = [other for other in trained if len(texts[other]) >= len(texts[place])]
        assert row.train or similar[place, better].any()


def test_vectors_and_ids_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="2 vectors were given for 1"):
        near_duplicates(Funnel(0, ()), ["a"], np.zeros((2, 3), np.float32))


def test_the_judge_marks_what_it_scored_low_but_overrules_no_person() -> None:
    questions = (ask("How hot is an oven?"), ask("oven heat", 1), ask("hot oven", 2, "person"), ask("stone heat", 3))
    scores = {questions[0].id: 3.0, questions[1].id: 2.0, questions[2].id: 1.0, "gone": 1.0}
    found = judged(Funnel(4, questions), scores, 3)
    assert [row.train for row in found.questions] == [True, False, True, True]
    assert found.scores == {question.id: scores[question.id] for question in questions[:3]}
    assert [(row.reason, row.why) for row in found.marked] == [("judged poor", "score 2")]
    assert judged(Funnel(4, questions), scores, 0).trainable == 4


def test_every_question_is_marked_once_and_each_model_step_can_be_left_out() -> None:
    questions = tuple(ask(text) for text in ("bake bread in an oven", "bake bread in one oven", "cool butter"))
    ids = [question.id for question in questions]
    vectors = HashEncoder().encode([question.text for question in questions], "query")
    evidence = Evidence({ids[0]: 40, ids[2]: 1}, ids, vectors, {ids[0]: 1.0, ids[2]: 2.0})
    settings = replace(DEFAULTS, near=0.5)
    funnel = Funnel(3, questions)
    assert mark(funnel, evidence, (), settings).steps == {"not found again": 1, "judged poor": 1}
    without = {
        step: mark(funnel, evidence, (), replace(settings, skip=frozenset({step}))).steps
        for step in ("round trip", "near", "judge")
    }
    assert without == {
        "round trip": {"near duplicate": 1, "judged poor": 1},
        "near": {"not found again": 1, "judged poor": 1},
        "judge": {"not found again": 1},
    }
