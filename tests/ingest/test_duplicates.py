"""Chunks that say nearly the same are found, every one of them, and nothing else is."""

import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dragoman.ingest.duplicates import _Comparison, _Texts, mark_duplicates
from dragoman.records import Chunk, content_id

NOTICE = "You may copy this text as often as you like as long as you keep our names at the top of every page."


def make(text: str, section: str = "", number: int = 0, canonical: str = "") -> Chunk:
    section = section or content_id(text, number)
    key = content_id(section, text, number)
    return Chunk(key, "s", "a.md", "A", (), section, text, text, 0, len(text), 1, 1, 9, "", canonical=canonical)


def chunks_of(texts: Sequence[str]) -> list[Chunk]:
    return [make(text, number=number) for number, text in enumerate(texts)]


def groups_of(chunks: Sequence[Chunk]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for chunk in mark_duplicates(chunks):
        groups[chunk.canonical or chunk.id].add(chunk.id)
    return {frozenset(group) for group in groups.values() if len(group) > 1}


def runs(text: str) -> set[tuple[str, ...]]:
    words = "".join(mark if mark.isalnum() or mark == "_" else " " for mark in text.casefold()).split()
    return {tuple(words[start : start + 8]) for start in range(len(words) - 7)}


def exact(chunks: Sequence[Chunk]) -> set[frozenset[str]]:
    """The definition, pair by pair: the oracle."""
    held = {chunk.id: runs(chunk.text) for chunk in chunks}
    group = {chunk.id: {chunk.id} for chunk in chunks}
    for one, other in combinations(chunks, 2):
        a, b = held[one.id], held[other.id]
        if a and b and one.section != other.section and 10 * len(a & b) >= 7 * min(len(a), len(b)):
            joined = group[one.id] | group[other.id]
            for member in joined:
                group[member] = joined
    return {frozenset(members) for members in group.values() if len(members) > 1}


def marks(chunks: Sequence[Chunk]) -> list[str]:
    return [chunk.canonical for chunk in mark_duplicates(chunks)]


def test_a_copy_is_marked_with_the_first_of_its_kind_and_all_stay_in_order() -> None:
    one, near, own = make(NOTICE), make(f"So be it: {NOTICE.upper()}"), make("A page about something else. " * 3)
    far = make("You may copy this text as often as you like, but we want to hear of it in a letter.")
    marked = mark_duplicates([own, one, far, near])
    assert marked == (own, one, far, replace(near, canonical=one.id))
    assert marks([near, own, one]) == ["", "", near.id]


def test_what_was_marked_before_is_forgotten() -> None:
    one, other = make(NOTICE, canonical="gone"), make(f"{NOTICE} Thanks.", canonical="gone")
    assert marks([one, other]) == ["", one.id]
    assert mark_duplicates([one]) == (replace(one, canonical=""),)
    assert mark_duplicates([]) == ()


def test_few_words_are_no_copy_of_anything() -> None:
    assert marks([make("See below for more.", number=number) for number in range(9)]) == [""] * 9


def test_chunks_of_one_section_are_copies_only_when_the_text_stands_elsewhere_too() -> None:
    here = [make(NOTICE, "here", 1), make(NOTICE, "here", 2), make(f"{NOTICE} Thanks.", "here", 3)]
    assert marks(here) == ["", "", ""]
    first = here[0].id
    assert marks([*here, make(NOTICE, "there")]) == ["", first, first, first]
    assert marks([*here[:2], make(f"{NOTICE} Bye.", "there")]) == ["", first, first]


@pytest.mark.parametrize(("shared", "alike"), [(6, False), (7, True)])
def test_seven_runs_of_eight_words_in_ten_make_two_chunks_alike(shared: int, *, alike: bool) -> None:
    words = [f"word{place}" for place in range(17)]  # ten runs
    other = words[: shared + 7] + [f"other{place}" for place in range(10 - shared)]
    assert bool(groups_of([make(" ".join(words)), make(" ".join(other))])) is alike


def test_a_short_text_within_a_long_one_is_a_copy_and_joins_what_holds_it() -> None:
    long = [" ".join(f"{name}{place}" for place in range(400)) for name in "abc"]
    chunks = chunks_of([f"{long[0]} {NOTICE}", long[1], NOTICE, f"{NOTICE} {long[2]}"])
    assert marks(chunks) == ["", "", chunks[0].id, chunks[0].id]


@pytest.mark.parametrize(
    "text", ["この製品を使う前に説明書を読んでください。", "使用本产品之前请先阅读说明书并妥善保管。"]
)
def test_scripts_without_spaces_are_compared_by_their_characters(text: str) -> None:
    chunks = chunks_of([text * 2, f"{text * 2}以上", "水は百度で沸く。だから気をつけて。火を止める。"])
    assert marks(chunks) == ["", chunks[0].id, ""]


_SENTENCES = [" ".join(f"s{number}w{place}" for place in range(6 + number % 7)) for number in range(7)]
_edits = st.lists(
    st.one_of(st.sampled_from(_SENTENCES), st.sampled_from(["and", "so", "a b"]), st.integers(0, 99).map(str)),
    max_size=9,
)


@given(texts=st.lists(st.tuples(_edits, st.integers(0, 5)), max_size=14))
@example(texts=[([_SENTENCES[5]], 0), ([_SENTENCES[5]], 0), ([_SENTENCES[5], "so"], 1)])
def test_whatever_the_texts_the_groups_are_those_of_comparing_each_with_each(
    texts: list[tuple[list[str], int]],
) -> None:
    chunks = [make(" ".join(parts), str(section), number) for number, (parts, section) in enumerate(texts)]
    assert groups_of(chunks) == exact(chunks)


@pytest.mark.parametrize("seed", range(3))
def test_the_groups_are_exact_on_many_pages_with_notices_and_edits(seed: int) -> None:
    draw = random.Random(seed)
    pages = [" ".join(draw.choices([f"w{n}" for n in range(400)], k=draw.randint(5, 120))) for _ in range(120)]
    pages += [f"{draw.choice(pages)} {NOTICE}" for _ in range(60)] + [
        f"{NOTICE} Page {n} of {n + 3}." for n in range(40)
    ]
    for _ in range(80):
        words = draw.choice(pages).split()
        for _ in range(draw.randint(0, 4)):
            words[draw.randrange(len(words))] = draw.choice(["kettle", "lid", ""])
        pages.append(" ".join(["so", *words[draw.randint(0, 20) :]]))
    draw.shuffle(pages)
    chunks = chunks_of(pages)
    found = groups_of(chunks)
    assert found == exact(chunks)
    assert len(found) > 10


def test_the_order_of_the_chunks_decides_the_names_only() -> None:
    chunks = chunks_of([f"{NOTICE} {n} {n}" for n in range(30)] + [f"{' '.join(_SENTENCES)} {n}" for n in range(30)])
    assert groups_of(chunks) == groups_of(chunks[::-1])
    assert len(groups_of(chunks)) == 2


def test_the_marks_are_the_same_in_every_process() -> None:
    code = (
        "from dragoman.ingest.duplicates import _runs; "
        f"print([(len(runs), int(runs[0])) for runs in _runs([{NOTICE!r}, 'zwölf große ' * 9])])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert said == {"[(16, 732947841848970976), (2, 6570344168063615210)]"}


def test_words_that_are_no_text_do_no_harm() -> None:
    odd = chunks_of(["\ud800 " * 12, "\0 " * 99, "\u2028" * 99, "ｗ " * 12, "ẞ " * 12, "ss " * 12])
    assert marks(odd) == ["", "", "", "", "", odd[4].id]


class _Counting(_Comparison):
    """Counts the comparisons of two texts."""

    compared = 0

    def _alike(self, others: NDArray[np.int32], needed: int) -> list[int]:
        self.compared += len(others)
        return super()._alike(others, needed)


@pytest.mark.parametrize(
    ("shape", "most"), [("a notice on every page", 2), ("two words over and over", 512), ("one word", 1)]
)
def test_texts_that_share_nearly_everything_are_not_compared_each_with_each(shape: str, most: int) -> None:
    draw = random.Random(1)
    shapes: dict[str, Callable[[int], str]] = {
        "a notice on every page": lambda n: f"{NOTICE} {NOTICE.replace('copy', 'sell')} Page {n} of {n + 1}.",
        "two words over and over": lambda _: " ".join(draw.choices("01", k=120)),
        "one word": lambda n: "no " * (n + 8),
    }
    comparison = _Counting(_Texts(chunks_of([shapes[shape](number) for number in range(1500)])))
    comparison.labels()
    assert comparison.compared <= most * 1500  # each with each: 750 times as many
