"""Hard negatives: near to the question, and known to be wrong."""

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import UsageError
from dragoman.models.encoder import HashEncoder
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk
from dragoman.synth.negatives import REASONS, MiningSettings, mine_negatives

MakeChunk = Callable[..., Chunk]


def chunk_of(number: int, section: str = "", canonical: str = "", trail: tuple[str, ...] = ("Page", "")) -> Chunk:
    name = f"c{number}"
    trail = trail if trail[-1] else (*trail[:-1], section or name)
    place: dict[str, Any] = {"start": 0, "end": 1, "start_line": 1, "end_line": 1, "tokens": 1, "url": ""}
    return Chunk(name, "docs", "a.md", "Page", trail, section or name, name, name, **place, canonical=canonical)


def on_a_line(scores: list[float]) -> Vectors:
    """Passages whose similarity to the question (1, 0) is as given."""
    return np.array([[score, 0.0] for score in scores], dtype=np.float32)


QUESTION = np.array([[1.0, 0.0]], dtype=np.float32)


def mined(
    scores: list[float], chunks: list[Chunk] | None = None, **options: Any
) -> tuple[tuple[str, ...], dict[str, int]]:
    chunks = chunks or [chunk_of(number) for number in range(len(scores))]
    linked = options.pop("linked", None)
    answers = options.pop("answers", ("c0",))
    settings = MiningSettings(**{"count": 3, **options})
    found = mine_negatives(QUESTION, on_a_line(scores), [answers], chunks, linked=linked, settings=settings)
    return found.ids[0], dict(found.excluded)


def test_what_scores_above_the_margin_is_left_out_and_what_is_on_it_is_not() -> None:
    scores = [1.0, 0.51, 0.5, 0.25, 1.5, -0.25, 0.0]
    assert mined(scores, margin=0.5) == (("c2", "c3", "c6"), {"answers it": 1, "too near": 2})
    assert mined([0.8, 0.77, 0.75]) == (("c2",), {"answers it": 1, "too near": 1})


def test_the_margin_of_a_negative_score_lies_below_it_too() -> None:
    # 95% of -0.4 would be -0.38, above the passage itself; the margin is -0.42.
    assert mined([-0.4, -0.39, -0.41, -0.43, -0.5]) == (("c3", "c4"), {"answers it": 1, "too near": 2})


def test_without_a_margin_only_what_is_above_the_passage_is_left_out() -> None:
    assert mined([0.5, 0.5, 0.75, 0.25], margin=0.0) == (("c1", "c3"), {"answers it": 1, "too near": 1})


def test_the_most_similar_come_first_and_equals_in_their_order() -> None:
    assert mined([1.0, 0.25, 0.5, 0.25, 0.5, 0.75])[0] == ("c5", "c2", "c4")


def test_the_section_its_copies_and_linked_sections_are_left_out() -> None:
    chunks = [
        chunk_of(0, "oven"),
        chunk_of(1, "oven"),
        chunk_of(2, "old oven", canonical="c0"),
        chunk_of(3, "old rack", canonical="c1"),
        chunk_of(4, "stone"),
        chunk_of(5, "bread"),
        chunk_of(6, "butter"),
    ]
    scores = [1.0, *[0.5] * 6]
    left_out = {"answers it": 1, "same section": 1, "copy": 2}
    assert mined(scores, chunks, linked={"oven": ["stone", "gone"], "bread": ["oven"]}) == (
        ("c6",),
        {**left_out, "linked": 2},
    )
    assert mined(scores, chunks) == (("c4", "c5", "c6"), left_out)


def test_every_chunk_that_answers_it_is_guarded_and_the_first_gives_the_margin() -> None:
    chunks = [chunk_of(0), chunk_of(1, "oven"), chunk_of(2, "oven"), chunk_of(3), chunk_of(4)]
    scores = [0.5, 1.0, 0.25, 0.75, 0.25]
    assert mined(scores, chunks, answers=("c0", "c1")) == (
        ("c4",),
        {"answers it": 2, "same section": 1, "too near": 1},
    )
    assert mined(scores, chunks, answers=("c1", "c0"))[0] == ("c3", "c4")


def test_sections_under_the_same_heading_are_left_out_on_demand() -> None:
    trails = (("Page", "Oven", "Heat"), ("Page", "Oven", "Cool"), ("Page", "Bread", "Heat"), ("Page",), ("Other",))
    chunks = [chunk_of(number, trail=trail) for number, trail in enumerate(trails)]
    scores = [1.0, 0.5, 0.5, 0.5, 0.5]
    assert mined(scores, chunks)[0] == ("c1", "c2", "c3")
    assert mined(scores, chunks, siblings=True) == (("c2", "c3", "c4"), {"answers it": 1, "sibling section": 1})
    assert mined(scores, chunks, siblings=True, answers=("c3",), margin=-9)[0] == ("c0", "c1", "c2")


def test_of_several_copies_of_a_wrong_passage_the_first_is_taken() -> None:
    chunks = [chunk_of(0), chunk_of(1), *(chunk_of(n, canonical="c1") for n in (2, 3)), *(chunk_of(n) for n in (4, 5))]
    assert mined([1.0, 0.5, 0.5, 0.75, 0.25, 0.125], chunks) == (
        ("c3", "c4", "c5"),
        {"answers it": 1, "repeats another": 2},
    )
    # Their original is not among the chunks: they are copies of each other all the same.
    strays = [chunk_of(0), *(chunk_of(n, canonical="gone") for n in (1, 2)), chunk_of(3)]
    assert mined([1.0, 0.5, 0.5, 0.25], strays)[0] == ("c1", "c3")


def test_many_copies_do_not_keep_other_negatives_out() -> None:
    chunks = [
        chunk_of(0),
        chunk_of(1),
        *(chunk_of(n, canonical="c1") for n in range(2, 200)),
        chunk_of(200),
        chunk_of(201),
    ]
    assert mined([1.0, *[0.5] * 199, 0.25, 0.125], chunks)[0] == ("c1", "c200", "c201")


def test_a_score_that_is_no_number_is_no_negative() -> None:
    assert mined([1.0, float("nan"), 0.5]) == (("c2",), {"answers it": 1, "too near": 1})
    assert mined([float("nan"), 0.25, 0.5])[0] == ()


def test_a_question_with_too_few_negatives_is_counted_and_none_is_fine() -> None:
    found = mine_negatives(QUESTION, on_a_line([1.0, 0.5]), [["c0"]], [chunk_of(0), chunk_of(1)])
    assert (found.ids, found.scores, found.short) == ((("c1",),), ((0.5,),), 1)
    nothing = mine_negatives(QUESTION[:0], on_a_line([1.0]), [], [chunk_of(0)])
    assert (nothing.ids, nothing.scores, nothing.excluded, nothing.short) == ((), (), {}, 0)
    assert mined([1.0, 0.5], count=0)[0] == ()


@pytest.mark.parametrize(
    ("questions", "passages", "answers", "message"),
    [
        (QUESTION, on_a_line([1.0]), [["c0"]], "1 for 2 chunks"),
        (QUESTION, on_a_line([1.0, 0.5]), [], "1 vectors for 0 questions"),
        (np.ones((1, 3), np.float32), on_a_line([1.0, 0.5]), [["c0"]], r"\(3,\)"),
        (QUESTION, on_a_line([1.0, 0.5]), [["c0", "c7"]], "answered by c7"),
        (QUESTION, on_a_line([1.0, 0.5]), [[]], "answered by no chunk"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    questions: Vectors, passages: Vectors, answers: list[list[str]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        mine_negatives(questions, passages, answers, [chunk_of(0), chunk_of(1)])


def brute_force(
    questions: Vectors,
    passages: Vectors,
    answers: list[list[str]],
    chunks: list[Chunk],
    linked: dict[str, list[str]],
    settings: MiningSettings,
) -> tuple[list[list[str]], Counter[str]]:
    """One pair at a time, straight from the rules."""
    by_id = {chunk.id: chunk for chunk in chunks}
    excluded: Counter[str] = Counter()
    found = []
    for vector, answering in zip(questions, answers, strict=True):
        own = [by_id[name] for name in answering]
        sections = {chunk.section for chunk in own}
        originals = {chunk.canonical or chunk.id for chunk in chunks if chunk.section in sections}
        near = {b for a, others in linked.items() for b in others if a in sections}
        near |= {a for a, others in linked.items() if sections & set(others)}
        score = {chunk.id: float(vector @ passage) for chunk, passage in zip(chunks, passages, strict=True)}
        positive = score[answering[0]]
        left: list[str] = []
        seen: set[str] = set()
        for chunk in sorted(chunks, key=lambda chunk: -score[chunk.id]):
            reason = (
                "answers it" if chunk.id in answering
                else "same section" if chunk.section in sections
                else "copy" if (chunk.canonical or chunk.id) in originals
                else "linked" if chunk.section in near
                else "too near" if score[chunk.id] > positive - abs(positive) * settings.margin
                else ""
            )  # fmt: skip
            if reason:
                excluded[reason] += 1
            elif (chunk.canonical or chunk.id) not in seen and len(left) < settings.count:
                seen.add(chunk.canonical or chunk.id)
                left.append(chunk.id)
        found.append(left)
    return found, excluded


@st.composite
def corpora(draw: st.DrawFn) -> tuple[Any, ...]:
    size = draw(st.integers(1, 14))
    chunks: list[Chunk] = []
    for number in range(size):
        originals = [chunk.id for chunk in chunks if not chunk.canonical]
        canonical = draw(st.sampled_from(["", *originals]))
        chunks.append(chunk_of(number, draw(st.sampled_from("abcdefg")), canonical))
    # Small whole numbers: every product is exact, and ties are many.
    value = st.integers(-3, 3).map(float)
    passages = np.array(
        draw(st.lists(st.lists(value, min_size=2, max_size=2), min_size=size, max_size=size)), np.float32
    )
    asked = draw(st.lists(st.lists(value, min_size=2, max_size=2), min_size=1, max_size=4))
    names = st.sampled_from([chunk.id for chunk in chunks])
    answers = [draw(st.lists(names, min_size=1, max_size=2, unique=True)) for _ in asked]
    linked = draw(
        st.dictionaries(st.sampled_from("abcdefg"), st.lists(st.sampled_from("abcdefgz"), max_size=2), max_size=3)
    )
    settings = MiningSettings(
        count=draw(st.integers(0, 6)),
        margin=draw(st.sampled_from([0.0, 0.25, 0.5])),
        block_bytes=draw(st.sampled_from([1, 100, 10**6])),
    )
    return np.array(asked, np.float32), passages, answers, chunks, linked, settings


@given(corpora())
def test_the_blocks_find_what_one_pair_at_a_time_finds(corpus: tuple[Any, ...]) -> None:
    questions, passages, answers, chunks, linked, settings = corpus
    found = mine_negatives(questions, passages, answers, chunks, linked=linked, settings=settings)
    ids, excluded = brute_force(*corpus)
    assert [list(row) for row in found.ids] == ids
    assert {key: count for key, count in found.excluded.items() if key != "repeats another"} == excluded
    assert set(found.excluded) <= set(REASONS)
    assert found.short == sum(len(row) < settings.count for row in ids)
    assert [len(row) for row in found.scores] == [len(row) for row in ids]


def test_with_real_words_the_negatives_are_about_the_same_things(chunks: list[Chunk]) -> None:
    encoder = HashEncoder()
    passages = encoder.encode([chunk.passage for chunk in chunks], "passage")
    questions = encoder.encode(["At how many degrees does loaf 0 bake?"], "query")
    found = mine_negatives(questions, passages, [[chunks[0].id]], chunks, settings=MiningSettings(count=3, margin=0.05))
    by_id = {chunk.id: chunk for chunk in chunks}
    assert {by_id[name].path for name in found.ids[0]} == {"loaves.md"}
    assert chunks[0].section not in {by_id[name].section for name in found.ids[0]}
    assert list(found.scores[0]) == sorted(found.scores[0], reverse=True)


def test_memory_is_bounded_and_the_block_changes_nothing() -> None:
    generator = np.random.default_rng(5)
    chunks = [chunk_of(number, f"s{number // 3}") for number in range(5000)]
    passages = generator.integers(-4, 5, (len(chunks), 16)).astype(np.float32)
    questions = generator.integers(-4, 5, (400, 16)).astype(np.float32)
    answers = [[chunks[int(place)].id] for place in generator.integers(0, len(chunks), len(questions))]
    small, large = (MiningSettings(block_bytes=size) for size in (10**6, 10**9))
    one = mine_negatives(questions, passages, answers, chunks, settings=large)
    tracemalloc.start()
    started = time.perf_counter()
    other = mine_negatives(questions, passages, answers, chunks, settings=small)
    took, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert one == other
    assert peak < 8_000_000 + 10**6, "all similarities at once would be 8 MB, beside 4 MB of tables"
    assert took < 20
