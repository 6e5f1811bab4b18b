"""Which items reviewers see, and in which order."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.records import Chunk, Question, QuestionKind, Turn, content_id
from dragoman.review.items import FORMS, NO, YES, Item, Suggestion
from dragoman.review.select import NO_NEGATIVE, chunk_items, triplet_items, turn_items


def chunk(name: str, section: str = "", path: str = "", canonical: str = "", tokens: int = 200) -> Chunk:
    text = f"\nAbout {name}.\n"
    return Chunk(
        name, "docs", path or f"{name}.md", "Guide", ("Guide", name.title()), section or f"section of {name}", text, text,
        0, len(text), 1, 9, tokens, f"https://docs.test/{name}", canonical=canonical,
    )  # fmt: skip


def asked(text: str, about: str, rank: int = 1, kind: QuestionKind = "llm", **more: object) -> Question:
    question = Question(content_id(about, text), text, about, kind, "howto", "tiny", rank=rank)
    return replace(question, **more)  # type: ignore[arg-type]


def negatives(items: Sequence[Item]) -> dict[str, str]:
    return {item.fields["positive"]: item.fields["negative"] for item in items}


A, B, C = chunk("a"), chunk("b"), chunk("c")
CHUNKS = [A, B, C]
QA, QB, QC = asked("Of a?", "a"), asked("Of b?", "b"), asked("Of c?", "c")


def test_a_chunk_is_shown_as_the_form_says() -> None:
    (item,) = chunk_items([A], [asked("One?", "a"), asked("Two?", "a", 30, train=False)], vectors={"a": [1, 0]})
    assert item == Item(
        "a",
        "chunks",
        {"filename": "a.md", "chunk": "Guide > A\n\nAbout a."},
        {"document": "a.md", "url": "https://docs.test/a", "tokens": 200, "questions": 1, "priority": 0.3333},
        (Suggestion("good_chunk", YES, 0.5795, "round trip"),),
        (1.0, 0.0),
        0.3333,
    )


def test_chunks_that_look_like_noise_come_first() -> None:
    fine, tiny, lost, bare = chunk("fine"), chunk("tiny", tokens=4), chunk("lost"), chunk("bare", tokens=4)
    questions = [asked(f"{name} {number}?", name) for name in ("fine", "tiny") for number in range(3)]
    questions += [asked(f"lost {number}?", "lost", 0, train=False) for number in range(3)]
    items = chunk_items([fine, tiny, lost, bare], questions)
    assert [item.id for item in items] == ["lost", "bare", "tiny", "fine"]
    assert [suggestion.value for item in items for suggestion in item.suggestions] == [NO, YES, YES]


def test_a_pair_is_shown_as_the_form_says() -> None:
    question = replace(QA, rank=3, score=4.5)
    (item, _) = triplet_items([question, replace(QB, rank=1)], CHUNKS, {question.id: ["b"]}, vectors={QA.id: [0.5]})
    assert item.id == question.id
    assert item.fields == {"anchor": "Guide > A\n\nAbout a.", "positive": "Of a?", "negative": "Of b?"}
    assert item.metadata == {
        "kind": "llm", "style": "howto", "document": "a.md", "trail": "Guide > A", "url": "https://docs.test/a",
        "chunk_id": "a", "negative_id": "b", "rank": 3, "judge": 4.5, "priority": item.priority,
    }  # fmt: skip
    assert item.suggestions == (Suggestion("is_positive_relevant", YES, 0.875, "judge"),)
    assert item.vector == (0.5,)


@pytest.mark.parametrize(
    ("rank", "score", "train", "suggestion"),
    [
        (1, 0.0, True, (YES, 0.9091, "round trip")),
        (10, 0.0, True, (YES, 0.5, "round trip")),
        (30, 0.0, False, (NO, 0.75, "round trip")),
        (0, 0.0, False, (NO, 0.9, "round trip")),
        (1, 1.0, False, (NO, 1.0, "judge")),
        (30, 5.0, False, (YES, 1.0, "judge")),
    ],
)
def test_what_we_would_answer_comes_from_the_round_trip_or_the_judge(
    rank: int, score: float, suggestion: tuple[str, float, str], *, train: bool
) -> None:
    (item,) = triplet_items([replace(QA, rank=rank, score=score, train=train)], [A], {})
    assert [(one.value, one.score, one.agent) for one in item.suggestions] == [suggestion]


def test_a_question_that_nothing_is_known_about_gets_no_suggestion() -> None:
    (item,) = triplet_items([replace(QA, rank=0)], [A], {})
    assert item.suggestions == ()


def test_what_trains_on_weak_evidence_comes_first_and_what_people_vouched_for_last() -> None:
    questions = [
        asked("good", "a", 1),
        asked("weak", "a", 10),
        asked("judged poor", "b", 1, score=1.5),
        asked("lost", "b", 0, train=False),
        asked("found but left out", "b", 2, train=False),
        asked("vouched", "c", 10, votes=2),
    ]
    items = triplet_items(questions, CHUNKS, {})
    order = ["judged poor", "weak", "good", "lost", "found but left out", "vouched"]
    assert [item.fields["positive"] for item in items] == order
    assert items[-1].priority == 0


def test_vectors_tell_pairs_of_one_rank_apart() -> None:
    near, far, odd = asked("near", "a"), asked("far", "a"), asked("odd", "a", 2)
    vectors = {"a": [1.0, 0.0], near.id: [2.0, 0.0], far.id: [-1.0, 0.1], odd.id: [1.0]}
    items = triplet_items([near, far, odd], [A], {}, vectors=vectors)
    assert [item.fields["positive"] for item in items] == ["far", "odd", "near"]


def test_structural_and_peoples_questions_are_shown_only_without_others() -> None:
    structural, person = asked("Heading", "a", kind="structure"), asked("Mine?", "b", kind="person")
    assert [item.id for item in triplet_items([structural, QA, person], CHUNKS, {})] == [QA.id]
    assert {item.id for item in triplet_items([structural, person], CHUNKS, {})} == {structural.id, person.id}


def test_a_written_negative_is_shown_before_a_mined_one() -> None:
    own = replace(QA, negative="What is the weather?")
    items = triplet_items([own, QB], CHUNKS, {own.id: ["b"]})
    (item,) = [item for item in items if item.id == own.id]
    assert item.fields["negative"] == "What is the weather?"
    assert "negative_id" not in item.metadata


def test_the_surest_question_of_the_hardest_wrong_chunk_is_the_negative() -> None:
    more = [asked("B lost?", "b", 0, train=False), asked("B first?", "b", 1), asked("B third?", "b", 3)]
    items = triplet_items([QA, *more, QC, asked("By structure", "b", kind="structure")], CHUNKS, {QA.id: ["b", "c"]})
    assert negatives(items)["Of a?"] == "B first?"


@pytest.mark.parametrize(
    ("other", "question"),
    [
        (B, replace(QA, also=("b",))),
        (replace(B, section=A.section), QA),
        (replace(B, canonical="a"), QA),
        (B, QA),
    ],
    ids=["answers it, too", "same section", "copy", "its question is answered by the text"],
)
def test_no_negative_is_about_what_answers_the_question(other: Chunk, question: Question) -> None:
    own = question != QA or other != B
    theirs = QB if own else replace(QB, also=("a",))
    items = triplet_items([question, theirs, QC], [A, other, C], {question.id: ["b"]})
    assert negatives(items)["Of a?"] == "Of c?"
    items = triplet_items([question, theirs], [A, other, C], {question.id: ["b"]})
    assert negatives(items)["Of a?"] == NO_NEGATIVE


def test_the_same_words_are_no_negative() -> None:
    items = triplet_items([QA, asked("of A", "b"), QC], CHUNKS, {QA.id: ["b"]})
    assert negatives(items)["Of a?"] == "Of c?"


def test_without_mined_negatives_another_document_is_asked_about() -> None:
    chunks = [chunk(f"c{number}", path=f"{number // 5}.md") for number in range(20)]
    questions = [asked(f"Of {one.id}?", one.id) for one in chunks]
    path_of = {f"Of {one.id}?": one.path for one in chunks}
    found = negatives(triplet_items(questions, chunks, {}))
    assert all(path_of[positive] != path_of[negative] for positive, negative in found.items())
    assert len(set(found.values())) > 8
    fewer = negatives(triplet_items(questions[:-1], chunks, {}))
    assert sum(found[positive] != fewer[positive] for positive in fewer) <= 4


def test_in_a_single_document_another_section_is_asked_about() -> None:
    chunks = [chunk("a", "s", "p.md"), chunk("b", "s", "p.md"), chunk("c", "t", "p.md")]
    found = negatives(triplet_items([QA, QB, QC], chunks, {}))
    assert (found["Of a?"], found["Of b?"]) == ("Of c?", "Of c?")


def test_turns_that_readers_disliked_come_first() -> None:
    turns = [
        Turn("liked", "so", "x", 0, ("a", "gone", "a", "b"), "tiny", liked=True),
        Turn("open", "so", "x", 1, ("a",)),
        Turn("no source", "so", "", 2, ("gone",)),
        Turn("disliked", "so", "x", 3, ("a",), liked=False),
    ]
    items = turn_items(turns, CHUNKS)
    assert [item.fields["instruction"] for item in items] == ["disliked", "no source", "open", "liked"]
    assert items[3].metadata == {
        "conv_id": "x", "turn": 0, "chunk_ids": "a b", "model": "tiny", "priority": 0.0,
    }  # fmt: skip
    assert items[1].metadata == {"turn": 2, "priority": 0.6}
    assert items[3].id == content_id("x", 0, "liked", "so")


def test_of_a_turn_that_was_written_twice_the_last_line_counts() -> None:
    (item,) = turn_items([Turn("q", "a", "x", 0), Turn("q", "a", "x", 0, liked=False)], [])
    assert item.priority == 1.0


numbers = st.integers(0, 5)
many = st.lists(
    st.builds(
        lambda text, about, kind, rank, score, train, also: asked(
            f"{text}?", f"c{about}", rank, kind, score=score, train=train, also=tuple(f"c{one}" for one in also)
        ),
        numbers, numbers, st.sampled_from(["llm", "structure", "person"]), st.integers(0, 200),
        st.sampled_from([0.0, 1.0, 3.0, 5.0]), st.booleans(), st.lists(numbers, max_size=2),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)  # fmt: skip
SIX = [chunk(f"c{number}", f"s{number // 2}", f"{number // 3}.md", "c0" if number == 4 else "") for number in range(5)]


@given(many, st.lists(st.tuples(numbers, numbers), max_size=5), st.randoms())
def test_items_fit_their_forms_and_come_from_content_alone(
    questions: list[Question], mined: list[tuple[int, int]], random: object
) -> None:
    wrong = {one.id: [f"c{number}" for number in pair] for one, pair in zip(questions, mined, strict=False)}
    mixed = sorted(questions, key=lambda _: random.random())  # type: ignore[attr-defined]
    for form, items, again in (
        (FORMS["triplets"], triplet_items(questions, SIX, wrong), triplet_items(mixed, SIX[::-1], wrong)),
        (FORMS["chunks"], chunk_items(SIX, questions), chunk_items(SIX[::-1], mixed)),
    ):
        assert items == again
        assert [item.id for item in items] == [item.id for item in sorted(items, key=lambda i: (-i.priority, i.id))]
        for item in items:
            assert item.fields.keys() == {field.name for field in form.fields}
            assert all(item.fields.values())
            assert item.metadata.keys() <= form.metadata.keys()
            assert 0 <= item.priority <= 1
            assert all(0.5 <= suggestion.score <= 1 for suggestion in item.suggestions)
