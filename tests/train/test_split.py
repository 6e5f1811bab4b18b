"""What is held out stays apart from what is trained on."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.records import Chunk, Split, Triplet
from dragoman.train.split import MANY_DOCUMENTS, check_disjoint, copies, split_chunks

MakeChunk = Callable[..., Chunk]
FEW = 3  # units that a text may join to one


@pytest.fixture(scope="session")
def chunks(make_chunk: MakeChunk) -> list[Chunk]:
    """Six pages of four h2 trees, each of two sections of two chunks."""
    return [
        make_chunk(f"Text {part} of page {page}.", f"{page}.md", (f"Part {part // 4}", f"Piece {part // 2}"))
        for page in range(6)
        for part in range(16)
    ]


def sides(split: Split, chunks: list[Chunk]) -> dict[str, int]:
    return {chunk.id: split.held_out(chunk.id) for chunk in chunks}


def test_a_small_documentation_is_dealt_in_section_trees_and_each_is_held_out_once(chunks: list[Chunk]) -> None:
    split = split_chunks(chunks, 5, 13)
    assert split.rounds == 5
    assert set(split.unit_of) == {chunk.id for chunk in chunks}
    assert len(split.round_of) == 6 * 4
    assert set(split.round_of.values()) == set(range(5))
    for tree in {(chunk.path, chunk.trail[1]) for chunk in chunks}:
        members = [chunk.id for chunk in chunks if (chunk.path, chunk.trail[1]) == tree]
        assert len({split.unit_of[member] for member in members}) == 1


@given(seed=st.integers(0, 10**6), folds=st.integers(2, 8))
def test_whatever_the_seed_a_section_is_never_torn_apart(chunks: list[Chunk], seed: int, folds: int) -> None:
    split = split_chunks(chunks, folds, seed)
    for section in {chunk.section for chunk in chunks}:
        assert len({split.held_out(chunk.id) for chunk in chunks if chunk.section == section}) == 1
    assert set(split.round_of.values()) <= set(range(folds))


def test_the_seed_decides_who_is_held_out_when(chunks: list[Chunk]) -> None:
    one, same, other = (sides(split_chunks(chunks, 5, seed), chunks) for seed in (1, 1, 2))
    assert one == same != other
    assert one == sides(split_chunks(chunks[::-1], 5, 1), chunks)


def test_a_large_documentation_is_split_once_by_document(make_chunk: MakeChunk) -> None:
    chunks = [
        make_chunk(f"Page {page}, part {part}.", f"{page}.md", (f"Part {part}",))
        for page in range(300)
        for part in range(2)
    ]
    split = split_chunks(chunks, 5, 13)
    assert (split.rounds, set(split.round_of.values()), len(split.round_of)) == (1, {0, -1}, 300)
    assert 40 <= list(split.round_of.values()).count(0) <= 80
    assert all(split.unit_of[a.id] == split.unit_of[b.id] for a, b in zip(chunks[::2], chunks[1::2], strict=True))


@pytest.mark.parametrize(("pages", "rounds"), [(MANY_DOCUMENTS - 1, 5), (MANY_DOCUMENTS, 1)])
def test_a_hundred_documents_are_many(make_chunk: MakeChunk, pages: int, rounds: int) -> None:
    assert split_chunks([make_chunk(f"Page {n}.", f"{n}.md") for n in range(pages)], 5, 1).rounds == rounds


@pytest.mark.parametrize("pages", [12, 150])
def test_adding_a_page_keeps_the_side_of_all_others(make_chunk: MakeChunk, pages: int) -> None:
    chunks = [make_chunk(f"Page {page} has a text of its own.", f"{page}.md") for page in range(pages)]
    before = sides(split_chunks(chunks, 5, 13), chunks)
    new = make_chunk("A page that came later.", "0-new.md")
    assert sides(split_chunks([new, *chunks], 5, 13), chunks) == before


def test_an_edit_to_a_section_keeps_the_side_of_its_tree(make_chunk: MakeChunk, chunks: list[Chunk]) -> None:
    edited = make_chunk("Quite another text.", chunks[0].path, chunks[0].trail[1:])
    split = split_chunks([edited, *chunks[1:]], 5, 13)
    assert split.held_out(edited.id) == split_chunks(chunks, 5, 13).held_out(chunks[0].id)


def pages_of(make_chunk: MakeChunk, count: int, trail: tuple[str, ...] = ("Body",)) -> list[Chunk]:
    said = " ".join(trail)
    return [make_chunk(f"{said} of page {page}.", f"{page:03d}.md", trail) for page in range(count)]


def copy_of(chunk: Chunk, copied: Chunk) -> Chunk:
    return replace(chunk, canonical=copied.id)


def test_the_groups_of_copies_are_what_ingest_marked(make_chunk: MakeChunk) -> None:
    one, two, three, four, five, lone = pages_of(make_chunk, 6)
    marked = [one, copy_of(two, one), three, copy_of(four, one), copy_of(five, three), lone]
    assert copies(marked) == [(one.id, two.id, four.id), (three.id, five.id)]
    assert copies(marked[::-1]) == [(five.id, three.id), (four.id, two.id, one.id)]
    assert copies([one, two, lone]) == copies([]) == []


def test_copies_of_a_chunk_that_was_removed_are_copies_of_each_other(make_chunk: MakeChunk) -> None:
    gone, one, two, lone = pages_of(make_chunk, 4)
    left = [copy_of(one, gone), copy_of(two, gone), lone]
    assert copies(left) == [(one.id, two.id)]
    assert copies([left[0], lone]) == []
    assert len(split_chunks(left, 5, 13).round_of) == 2


@pytest.mark.parametrize("count", [12, 150])
def test_copies_stand_on_one_side_with_all_their_kin(make_chunk: MakeChunk, count: int) -> None:
    bodies, notes = pages_of(make_chunk, count), pages_of(make_chunk, count, ("Body", "Note"))
    notes = [note if page % FEW == 0 else copy_of(note, notes[page - page % FEW]) for page, note in enumerate(notes)]
    for seed in range(3):
        split = split_chunks([*bodies, *notes], 5, seed)
        assert len(split.round_of) == count // FEW
        for page in range(count):
            kin = (bodies[page], notes[page], bodies[page - page % FEW])
            assert len({split.unit_of[chunk.id] for chunk in kin}) == 1


@pytest.mark.parametrize("count", [12, 150])
def test_a_text_on_every_page_is_a_unit_by_itself_and_the_pages_stay_apart(make_chunk: MakeChunk, count: int) -> None:
    bodies, notes = pages_of(make_chunk, count), pages_of(make_chunk, count, ("Licence",))
    beside = pages_of(make_chunk, count, ("Licence", "More"))
    marked = [notes[0], *(copy_of(note, notes[0]) for note in notes[1:])]
    split = split_chunks([*bodies, *marked, *beside], 5, 13)
    assert len({split.unit_of[note.id] for note in notes}) == 1
    assert len({split.unit_of[body.id] for body in bodies}) == count
    assert not {split.unit_of[body.id] for body in [*bodies, *beside]} & {split.unit_of[note.id] for note in notes}


@pytest.mark.parametrize(("count", "units"), [(FEW, 1), (FEW + 1, FEW + 2)])
def test_a_text_in_more_than_three_units_is_boilerplate(make_chunk: MakeChunk, count: int, units: int) -> None:
    bodies, notes = pages_of(make_chunk, count), pages_of(make_chunk, count, ("Licence",))
    bodies = [replace(body, trail=note.trail) for body, note in zip(bodies, notes, strict=True)]
    split = split_chunks([*bodies, notes[0], *(copy_of(note, notes[0]) for note in notes[1:])], 5, 13)
    assert len(set(split.unit_of.values())) == units


def test_a_section_is_never_torn_by_the_boilerplate_in_it(make_chunk: MakeChunk) -> None:
    notes = pages_of(make_chunk, 8)
    rest = [make_chunk(f"The rest of section {page}.", note.path, ("Body",)) for page, note in enumerate(notes)]
    split = split_chunks([notes[0], *(copy_of(note, notes[0]) for note in notes[1:]), *rest], 5, 13)
    assert all(split.unit_of[a.id] == split.unit_of[b.id] for a, b in zip(notes, rest, strict=True))


@pytest.mark.parametrize("count", [12, 150])
def test_a_new_page_goes_to_the_side_of_the_page_it_copies_and_moves_nobody(make_chunk: MakeChunk, count: int) -> None:
    pages = pages_of(make_chunk, count)
    before = sides(split_chunks(pages, 5, 13), pages)
    for number, old in enumerate(pages):
        new = [make_chunk(f"Note {number}, {part}.", f"z{number}.md", ("Body",)) for part in "abc"]
        new = [copy_of(new[0], old), new[1], copy_of(new[2], new[1])]
        split = split_chunks([*pages, *new], 5, 13)
        assert sides(split, pages) == before
        assert {split.held_out(chunk.id) for chunk in new} == {before[old.id]}


def test_one_more_page_with_the_boilerplate_moves_nobody(make_chunk: MakeChunk) -> None:
    first, *notes = pages_of(make_chunk, 9, ("Licence",))
    bodies = pages_of(make_chunk, 9)
    old = [first, *(copy_of(note, first) for note in notes), *bodies]
    new = copy_of(make_chunk("The notice again.", "0-new.md", ("Licence",)), first)
    before = split_chunks(old, 5, 13)
    split = split_chunks([new, *old], 5, 13)
    assert sides(split, old) == sides(before, old)
    assert split.held_out(new.id) == before.held_out(first.id)


def test_a_leak_is_a_loud_defect(chunks: list[Chunk]) -> None:
    split = split_chunks(chunks, 5, 13)
    rows = [Triplet("?", chunk.id, chunk.passage, chunk.section, "llm") for chunk in chunks]
    held_out = [chunk.id for chunk in chunks if split.held_out(chunk.id) == 0]
    clean = [row for row in rows if row.chunk_id not in held_out]
    check_disjoint(clean, held_out, split)
    leak = next(row for row in rows if row.chunk_id == held_out[0])
    with pytest.raises(AssertionError, match="1 units are both trained on and held out"):
        check_disjoint([*clean, leak], held_out[-1:] + held_out[:1], split)
