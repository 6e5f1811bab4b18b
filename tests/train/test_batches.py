"""Which rows share a batch."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from dragoman.train.batches import SectionBatches


@dataclass(frozen=True)
class Row:
    section: str
    passage: str
    also: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


SECTIONS = st.lists(st.integers(0, 12), min_size=1, max_size=60)


def rows_of(sections: list[int]) -> list[Row]:
    return [Row(f"section {section}", "x" * (place * 37 % 101)) for place, section in enumerate(sections)]


def dealt(batches: SectionBatches, epoch: int = 0) -> list[list[int]]:
    batches.set_epoch(epoch)
    return list(batches)


@given(sections=SECTIONS, size=st.integers(2, 9), seed=st.integers(0, 99), epoch=st.integers(0, 3))
def test_no_batch_holds_two_rows_of_a_section(sections: list[int], size: int, seed: int, epoch: int) -> None:
    rows = rows_of(sections)
    batches = SectionBatches(rows, size, seed)
    for batch in dealt(batches, epoch):
        assert 1 <= len(batch) <= size
        assert len({rows[row].section for row in batch}) == len(batch)
    assert len(dealt(batches, epoch)) == len(batches)


@given(sections=SECTIONS, size=st.integers(2, 9), seed=st.integers(0, 99))
def test_no_row_comes_twice_in_an_epoch_and_what_is_left_out_had_no_partner(
    sections: list[int], size: int, seed: int
) -> None:
    rows = rows_of(sections)
    used = Counter(row for batch in dealt(SectionBatches(rows, size, seed)) for row in batch)
    assert set(used.values()) == {1}
    left_out = [row for row in range(len(rows)) if row not in used]
    # Whoever is left out was alone when its turn came: all of one section, or one odd row at the end.
    assert len({rows[row].section for row in left_out}) <= 1


@given(groups=st.integers(2, 20), each=st.integers(1, 3), size=st.integers(2, 9), epoch=st.integers(0, 3))
def test_every_row_is_used_once_an_epoch_when_sections_fill_the_batches(
    groups: int, each: int, size: int, epoch: int
) -> None:
    rows = rows_of([group for group in range(groups * size) for _ in range(each)])
    batches = dealt(SectionBatches(rows, size, 1), epoch)
    used = Counter(row for batch in batches for row in batch)
    assert set(used.values()) == {1}
    assert len(rows) - len(used) <= each  # rows that were alone at the very end


def test_sections_of_one_row_are_all_dealt_in_every_epoch() -> None:
    batches = SectionBatches(rows_of(list(range(50))), 8, 13)
    for epoch in range(4):
        assert sorted(row for batch in dealt(batches, epoch) for row in batch) == list(range(50))
    assert len(batches) == 7


def test_epochs_differ_and_the_same_seed_deals_the_same_batches() -> None:
    rows = rows_of(list(range(40)))
    one, same, other = SectionBatches(rows, 8, 1), SectionBatches(rows, 8, 1), SectionBatches(rows, 8, 2)
    assert dealt(one) == dealt(same) == dealt(one) != dealt(other)
    assert dealt(one, 1) == dealt(same, 1) != dealt(one, 0)


def test_passages_of_a_batch_are_of_similar_length() -> None:
    rows = rows_of(list(range(64)))
    spread = 0
    for batch in dealt(SectionBatches(rows, 8, 1)):
        lengths = [len(rows[row].passage) for row in batch]
        spread += max(lengths) - min(lengths)
    assert spread / 8 < 50  # of 101; batches drawn at random spread over 80 or more


def test_rows_of_a_single_section_are_dealt_one_by_one_rather_than_not_at_all() -> None:
    assert sorted(dealt(SectionBatches(rows_of([1, 1, 1]), 8, 1))) == [[0], [1], [2]]


def test_no_batch_holds_what_answers_the_question_of_another_row() -> None:
    rows = [Row("a", "x" * 9, ("b",)), Row("b", "x" * 9), *(Row(f"s{number}", "x" * 9) for number in range(6))]
    for epoch in range(5):
        batches = SectionBatches(rows, 4, seed=epoch)
        assert not any({0, 1} <= set(batch) for batch in batches)
        assert len({row for batch in batches for row in batch}) >= 7


def test_no_batch_holds_a_hard_negative_that_answers_another_of_its_questions() -> None:
    rows = [Row("a", "x" * 9, wrong=("b",)), Row("b", "x" * 9), *(Row(f"s{number}", "x" * 9) for number in range(6))]
    for epoch in range(5):
        assert not any({0, 1} <= set(batch) for batch in SectionBatches(rows, 4, seed=epoch))
