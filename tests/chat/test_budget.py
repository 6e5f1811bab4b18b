"""What is shown fits, and a passage that was cut says so."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.chat.budget import cut, fitting, passage_text, recent, shares
from dragoman.records import Chunk, Hit, Turn

MakeChunk = Callable[..., Chunk]


def words(text: str) -> int:
    return len(text.split())


def hits_of(make_chunk: MakeChunk, *lengths: int) -> list[Hit]:
    """Hits whose passages are of so many words, the heading trail among them."""
    return [
        Hit(rank, 1 / rank, make_chunk(("Pantry", f"Part{rank}"), "Text\n" * (length - 3)))
        for rank, length in enumerate(lengths, 1)
    ]


def test_passages_fill_the_budget_in_their_order(make_chunk: MakeChunk) -> None:
    hits = hits_of(make_chunk, 60, 50, 40)
    assert [words(passage_text(hit)) for hit in hits] == [60, 50, 40]
    assert fitting(hits, 100, words) == [hits[0], hits[2]]
    assert fitting(hits, 150, words) == hits


def test_a_hit_gives_up_its_context_before_it_is_left_out(make_chunk: MakeChunk) -> None:
    first, second = hits_of(make_chunk, 50, 30)
    wide = replace(second, context=(replace(first.chunk, start=900, end=950),))
    assert fitting([first, wide], 90, words) == [first, second]
    assert fitting([first, wide], 200, words) == [first, wide]


def test_a_first_passage_over_the_budget_is_cut_not_dropped(make_chunk: MakeChunk) -> None:
    hits = hits_of(make_chunk, 200, 50)
    (only,) = fitting(hits, 60, words)
    assert only.chunk.id == hits[0].chunk.id
    assert 30 < words(only.chunk.passage) <= 60
    assert only.chunk.passage.endswith("…")


def test_a_passage_has_its_trail_once_and_its_parts_in_reading_order(make_chunk: MakeChunk) -> None:
    trail = ("Pantry", "Shelves")
    parts = [
        replace(make_chunk(trail, text), start=start, end=start + 10)
        for start, text in [(0, "One."), (11, "Two."), (50, "Four.")]
    ]
    other = replace(make_chunk(("Pantry", "Jars"), "Five."), start=61, end=70)
    hit = Hit(1, 1.0, parts[1], context=(other, parts[2], parts[0]))
    assert passage_text(hit) == "Pantry > Shelves\nOne.\nTwo.\n…\nFour.\n\nPantry > Jars\nFive."
    assert passage_text(Hit(1, 1.0, parts[0])) == parts[0].passage


@pytest.mark.parametrize(
    ("context", "passages", "history"),
    [(0, 1100, 300), (8192, 1100, 300), (2048, 1100, 300), (1700, 1100, 36), (1500, 936, 0), (300, 64, 0)],
)
def test_a_small_model_is_shown_less_and_the_history_gives_way_first(context: int, passages: int, history: int) -> None:
    share = shares(1100, 300, fixed=200, answer=300, context=context)
    assert (share.passages, share.history) == (passages, history)


def test_the_last_turns_go_along_without_their_old_citations() -> None:
    history = [Turn(f"Question {number}?", f"Answer {number} [{number}].") for number in range(1, 6)]
    assert recent(history, 300, words) == [Turn(f"Question {n}?", f"Answer {n}.") for n in (3, 4, 5)]
    assert recent(history, 9, words) == [Turn(f"Question {n}?", f"Answer {n}.") for n in (4, 5)]
    assert recent(history, 0, words) == []


def test_a_long_answer_is_cut_to_its_share_of_the_history() -> None:
    turns = recent([Turn("Long?", "word " * 4000), Turn("Longer?", "more\n" * 4000)], 100, words)
    assert [turn.question for turn in turns] == ["Long?", "Longer?"]
    assert words(turns[0].answer) < words(turns[1].answer)
    assert 50 < sum(words(turn.question) + words(turn.answer) for turn in turns) <= 100
    assert all(turn.answer.endswith("…") for turn in turns)


@given(st.text(max_size=400), st.integers(0, 60))
def test_what_is_cut_fits_and_begins_as_before(text: str, tokens: int) -> None:
    def count(part: str) -> int:
        return (len(part) + 2) // 3

    short = cut(text, tokens, count)
    assert count(short) <= tokens
    assert short in {text, ""} or short.rstrip("`~ \t>").endswith("…")
