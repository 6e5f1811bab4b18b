"""Records: frozen, slotted, and with ids that come from content alone."""

import dataclasses
import hashlib
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import records
from dragoman.records import Chunk, Hit, Split, content_id

RECORDS = [kind for kind in vars(records).values() if inspect.isclass(kind) and dataclasses.is_dataclass(kind)]
parts = st.lists(st.text(st.characters(exclude_characters="\x1f")) | st.integers(), min_size=1, max_size=4)

CHUNK = Chunk(
    id="c1",
    source="docs",
    path="guide.md",
    title="Guide",
    trail=("Guide", "Start"),
    section="s1",
    text="Run it.",
    passage="Guide > Start\n\nRun it.",
    start=10,
    end=17,
    start_line=3,
    end_line=3,
    tokens=9,
    url="",
)


def test_an_id_is_the_hash_of_its_parts() -> None:
    assert content_id("docs", "a.md", 2) == hashlib.sha256(b"4:docs4:a.md1:2").hexdigest()[:16]


@given(parts)
def test_an_id_is_sixteen_hex_digits_and_repeatable(values: list[str | int]) -> None:
    first = content_id(*values)
    assert len(first) == 16
    assert int(first, 16) >= 0
    assert content_id(*values) == first


@given(parts, parts)
def test_different_content_has_different_ids(one: list[str | int], other: list[str | int]) -> None:
    same = [str(value) for value in one] == [str(value) for value in other]
    assert (content_id(*one) == content_id(*other)) is same


def test_moving_a_word_from_one_part_to_the_next_changes_the_id() -> None:
    assert content_id("ab", "c") != content_id("a", "bc")


def test_a_lone_surrogate_has_an_id_too() -> None:
    assert content_id("\ud800") != content_id("?")


@pytest.mark.parametrize("kind", RECORDS)
def test_every_record_is_frozen_and_slotted(kind: type) -> None:
    assert vars(kind)["__dataclass_params__"].frozen
    assert "__slots__" in vars(kind)


def test_a_record_does_not_gain_fields_on_its_way() -> None:
    with pytest.raises((AttributeError, TypeError)):
        CHUNK.score = 1.0  # type: ignore[attr-defined]
    with pytest.raises(dataclasses.FrozenInstanceError):
        CHUNK.text = "other"  # type: ignore[misc]


def test_records_are_equal_by_content_and_survive_pickling() -> None:
    hit = Hit(rank=1, score=0.5, chunk=CHUNK)
    assert hit == Hit(rank=1, score=0.5, chunk=dataclasses.replace(CHUNK))
    assert pickle.loads(pickle.dumps(hit)) == hit  # noqa: S301 - our own bytes


def test_a_split_knows_the_round_that_holds_a_chunk_out() -> None:
    split = Split(rounds=2, unit_of={"c1": "u1", "c2": "u2", "c3": "u3"}, round_of={"u1": 0, "u2": 1, "u3": -1})
    assert [split.held_out(chunk) for chunk in ("c1", "c2", "c3")] == [0, 1, -1]


def test_a_split_does_not_guess_about_a_chunk_it_never_saw() -> None:
    with pytest.raises(KeyError):
        Split(rounds=1, unit_of={}, round_of={}).held_out("c1")
