"""What verdicts do to questions: each rule by a worked example, and what must hold whatever reviewers say."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.records import Chunk, Question, Rejected, Verdict, content_id
from dragoman.review.apply import REASONS, UNUSED, Applied, apply_verdicts


def chunk(name: str, section: str = "", text: str = "", canonical: str = "", url: str = "") -> Chunk:
    text = text or f"About {name}."
    trail = ("Guide", name.title())
    path = f"guides/{name}.md"
    return Chunk(
        name, "docs", path, "Guide", trail, section or f"section of {name}", text, text, 0, len(text), 1, 9, 20, url,
        canonical=canonical,
    )  # fmt: skip


def asked(text: str, about: str, **more: object) -> Question:
    question = Question(content_id(about, text), text, about, "llm", "howto", "tiny", rank=3)
    return replace(question, **more)  # type: ignore[arg-type]


PORTS, LOGS, USERS = chunk("ports"), chunk("logs"), chunk("users")
CHUNKS = [PORTS, LOGS, USERS]
OPEN, READ, ADD = asked("How do I open a port?", "ports"), asked("Where are logs?", "logs"), asked("add user", "users")
QUESTIONS = [OPEN, READ, ADD]


def on(about: Question, decision: str = "kept", **more: object) -> Verdict:
    verdict = Verdict("triplets", about.id, "kept", about.text, (about.chunk_id,), votes=2)
    return replace(verdict, decision=decision, **more)  # type: ignore[arg-type]


def turn(decision: str = "kept", **more: object) -> Verdict:
    verdict = Verdict("conversations", "t1", "kept", "May I close a port?", ("logs", "users"), votes=1)
    return replace(verdict, decision=decision, **more)  # type: ignore[arg-type]


def bad(name: str) -> Verdict:
    return Verdict("chunks", name, "dropped", votes=1)


def by_id(applied: Applied) -> dict[str, Question]:
    return {question.id: question for question in applied.questions}


def test_without_verdicts_nothing_changes_not_even_what_is_there_twice() -> None:
    applied = apply_verdicts([], [OPEN, OPEN, READ], CHUNKS)
    assert applied == Applied((OPEN, OPEN, READ), (), frozenset(), {}, {})


def test_what_was_kept_trains_even_if_the_round_trip_lost_it() -> None:
    lost = replace(OPEN, train=False, rank=40)
    applied = apply_verdicts([on(lost)], [lost, READ], CHUNKS)
    assert applied.questions == (replace(lost, train=True, votes=2), READ)
    assert applied.counts == {"kept": 1}


def test_what_was_dropped_leaves_with_its_reason() -> None:
    applied = apply_verdicts([on(OPEN, "dropped")], QUESTIONS, CHUNKS)
    assert applied.questions == (READ, ADD)
    assert applied.rejected == (Rejected("synth", OPEN.id, "rejected in review", OPEN.text),)


def test_a_corrected_question_is_asked_in_a_persons_name() -> None:
    own = replace(OPEN, passage="without headings", train=False, also=("users",), score=1.5)
    applied = apply_verdicts([on(own, "corrected", question=" open  port \n 80 ")], [own, READ], CHUNKS)
    text = "open port 80"
    expected = Question(
        content_id("ports", text), text, "ports", "person", "howto", "tiny", also=("users",), votes=2
    )  # fmt: skip
    assert applied.questions == (expected, READ)
    assert not applied.rejected


def test_a_disputed_pair_is_asked_in_evaluation_only() -> None:
    applied = apply_verdicts([on(OPEN, "disputed")], QUESTIONS, CHUNKS)
    assert applied.questions[0] == replace(OPEN, train=False)
    assert applied.counts == {"disputed": 1}


def test_a_correction_into_words_that_another_question_of_the_chunk_has_makes_one() -> None:
    other = asked("open port 80", "ports")
    applied = apply_verdicts([on(OPEN, "corrected", question=other.text)], [other, OPEN], CHUNKS)
    assert [(question.id, question.kind, question.votes) for question in applied.questions] == [(other.id, "person", 2)]
    assert applied.rejected == (Rejected("synth", other.id, "same as another in review", other.text),)


def test_questions_of_a_bad_chunk_move_to_another_answer_or_leave() -> None:
    moving = replace(OPEN, also=("gone", "logs", "users"), passage="of ports", negative="What is DNS?")
    applied = apply_verdicts([bad("ports")], [moving, asked("open?", "ports"), READ], CHUNKS)
    moved = replace(moving, chunk_id="logs", also=("users",), passage="", negative="")
    assert applied.questions == (moved, READ)
    assert [row.reason for row in applied.rejected] == ["chunk rejected in review"]
    assert applied.bad_chunks == {"ports"}
    assert applied.counts == {"dropped": 1}


def test_a_bad_chunk_answers_nothing_else() -> None:
    applied = apply_verdicts([bad("ports")], [replace(READ, also=("ports", "users"))], CHUNKS)
    assert applied.questions == (replace(READ, also=("users",)),)


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (bad("gone"), "its chunk is gone since the docs changed"),
        (on(asked("gone?", "gone")), "its chunk is gone since the docs changed"),
        (on(OPEN, "corrected", question=" ?! "), "its question has no words"),
        (on(asked("other", "ports"), "dropped"), "its question is not asked any more"),
        (on(asked("of a published dataset", "x"), chunks=()), "its question is not asked any more"),
        (turn(chunks=()), "nobody said where the answer stands"),
        (turn(chunks=("gone",)), "its chunk is gone since the docs changed"),
        (turn("corrected", chunks=(), source="nowhere.md"), "the place of its answer was not found"),
        (turn("corrected", chunks=(), source="https://["), "the place of its answer was not found"),
        (turn("corrected", chunks=(), source="#Guide"), "the place of its answer was not found"),
        (turn(question="..."), "its question has no words"),
    ],
)
def test_a_verdict_that_cannot_be_used_says_why_and_changes_nothing(verdict: Verdict, reason: str) -> None:
    applied = apply_verdicts([verdict], QUESTIONS, CHUNKS)
    assert applied.counts == {f"unused: {reason}": 1}
    assert applied.questions == tuple(QUESTIONS)
    assert applied.used == 0


def test_a_verdict_on_a_pair_whose_text_was_rejected_is_not_used() -> None:
    moving = replace(OPEN, also=("logs",))
    applied = apply_verdicts([bad("ports"), on(moving)], [moving], CHUNKS)
    assert applied.questions[0].votes == 0
    assert applied.counts == {"dropped": 1, "unused: its chunk was rejected": 1}
    assert applied.used == 1


def test_what_people_vouched_for_outlives_its_question() -> None:
    old, wrong = asked("Which port is it?", "ports"), asked("What is TCP?", "ports")
    verdicts = [on(old), on(wrong, "dropped"), on(asked("Ports", "ports"), "corrected", question="open ports list")]
    applied = apply_verdicts(verdicts, QUESTIONS, CHUNKS)
    new = {question.text: question for question in applied.questions[3:]}
    assert new.keys() == {old.text, "open ports list"}
    assert new[old.text] == Question(old.id, old.text, "ports", "person", "review", votes=2)


def test_a_conversation_becomes_a_question_about_the_first_chunk_that_is_still_there() -> None:
    applied = apply_verdicts([turn(chunks=("gone", "logs", "users")), bad("logs")], QUESTIONS, CHUNKS)
    text = "May I close a port?"
    assert applied.questions[-1] == Question(
        content_id("users", text), text, "users", "person", "conversation", votes=1
    )


def test_the_place_that_a_reviewer_names_decides_where_the_answer_is() -> None:
    applied = apply_verdicts([turn("corrected", chunks=(), source="guides/ports.md#ports")], [], CHUNKS)
    assert [question.chunk_id for question in applied.questions] == ["ports"]


def test_of_a_long_section_the_chunk_with_the_questions_words_is_taken() -> None:
    section = [chunk("a", "s", "Nothing here."), chunk("b", "s", "To close a port, say so."), chunk("c", "s", "End.")]
    section = [replace(one, path="p.md", start=place) for place, one in enumerate(section)]
    applied = apply_verdicts([turn("corrected", chunks=(), source="p.md")], [], section)
    assert applied.questions[0].chunk_id == "b"
    several = [replace(section[0], section="other"), *section[1:]]
    applied = apply_verdicts([turn("corrected", chunks=(), source="p.md")], [], several)
    assert applied.counts == {"unused: the place of its answer fits several sections": 1}
    copies = [section[0], replace(section[1], section="t", canonical="a")]
    applied = apply_verdicts([turn("corrected", chunks=(), source="p.md")], [], copies)
    assert applied.questions[0].chunk_id == "b"


def test_of_two_verdicts_on_one_item_that_with_more_votes_counts() -> None:
    verdicts = [on(OPEN, "dropped", votes=1), on(OPEN, votes=3), turn(item=OPEN.id)]
    applied = apply_verdicts(verdicts, QUESTIONS, CHUNKS)
    assert by_id(applied)[OPEN.id].votes == 3
    assert applied.counts == {"kept": 2, "unused: another verdict on the same item counts": 1}


def test_a_wrong_question_that_the_text_answers_after_all_is_no_ones_hard_negative() -> None:
    applied = apply_verdicts([on(OPEN, negative="where are LOGS ?")], QUESTIONS, CHUNKS)
    assert by_id(applied)[READ.id].also == ("ports",)
    assert applied.wrong_negatives == {OPEN.id: ("logs",), READ.id: ("ports",)}


def test_a_chunk_named_for_a_wrong_question_says_which_one_only_where_it_has_one() -> None:
    sure = apply_verdicts([on(OPEN, negative="logs")], QUESTIONS, CHUNKS)
    assert by_id(sure)[READ.id].also == ("ports",)
    more = asked("log rotation", "logs")
    unsure = apply_verdicts([on(OPEN, negative="logs")], [*QUESTIONS, more], CHUNKS)
    assert by_id(unsure)[READ.id].also == by_id(unsure)[more.id].also == ()
    assert unsure.wrong_negatives == {OPEN.id: ("logs",), READ.id: ("ports",), more.id: ("ports",)}


def test_a_written_negative_that_is_not_wrong_is_taken_out() -> None:
    own = replace(OPEN, negative="What is a port?")
    applied = apply_verdicts([on(own, negative="what is a port")], [own], CHUNKS)
    assert applied.questions[0].negative == ""
    assert not applied.wrong_negatives


def test_wrong_negatives_are_known_by_the_corrected_question_too() -> None:
    verdict = on(OPEN, "corrected", question="open port 80", negative=READ.text)
    applied = apply_verdicts([verdict], QUESTIONS, CHUNKS)
    new = content_id("ports", "open port 80")
    assert {key: applied.wrong_negatives[key] for key in (OPEN.id, new)} == {OPEN.id: ("logs",), new: ("logs",)}


names = st.sampled_from(["ports", "logs", "users", "gone"])
texts = st.sampled_from(["open a port", "Open a port?", "logs", "add user", "?", "close"])
questions = st.lists(
    st.builds(
        lambda text, about, also, kind, negative, train: Question(
            content_id(about, text), text, about, kind, "x", also=tuple(also), negative=negative, train=train
        ),
        texts, names, st.lists(names, max_size=2, unique=True), st.sampled_from(["llm", "structure", "person"]),
        st.one_of(st.just(""), texts), st.booleans(),
    ),
    max_size=6,
)  # fmt: skip
decisions = st.sampled_from(["kept", "corrected", "dropped", "disputed"])
verdict_lists = st.lists(
    st.one_of(
        st.builds(
            lambda text, about, decision, new, negative, votes: Verdict(
                "triplets", content_id(about, text), decision, new, (about,), negative, votes=votes
            ),
            texts, names, decisions, texts, st.one_of(st.just(""), names, texts), st.integers(1, 3),
        ),
        st.builds(lambda item, decision: Verdict("chunks", item, decision, votes=1), names, decisions),
        st.builds(
            lambda item, decision, text, about, source: Verdict(
                "conversations", item, decision, text, tuple(about), source=source, votes=1
            ),
            st.sampled_from("abc"), decisions, texts, st.lists(names, max_size=2),
            st.sampled_from(["", "ports.md", "guides/logs.md#Logs", "users", "nowhere"]),
        ),
    ),
    max_size=6,
)  # fmt: skip


@given(verdict_lists, questions)
def test_every_verdict_is_counted_once_and_every_question_stays_or_is_rejected(
    verdicts: list[Verdict], given_: list[Question]
) -> None:
    applied = apply_verdicts(verdicts, given_, CHUNKS)
    assert sum(applied.counts.values()) == len(verdicts)
    assert {key.removeprefix("unused: ") for key in applied.counts if key.startswith("unused")} <= set(UNUSED)
    assert {row.reason for row in applied.rejected} <= set(REASONS)
    added = len(applied.questions) + len(applied.rejected) - len(given_)
    assert 0 <= added <= len(verdicts)
    for question in applied.questions:
        assert applied.bad_chunks.isdisjoint(question.answers)
    known = Counter(question.id for question in given_)
    twice = [key for key, count in Counter(one.id for one in applied.questions).items() if count > max(1, known[key])]
    assert not twice


@given(verdict_lists, questions, st.randoms())
def test_the_order_of_the_verdicts_does_not_matter(
    verdicts: list[Verdict], given_: list[Question], random: object
) -> None:
    mixed = sorted(verdicts, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert apply_verdicts(mixed, given_, CHUNKS) == apply_verdicts(verdicts, given_, CHUNKS)
