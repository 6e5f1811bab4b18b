"""What is held out stays apart from what is trained on."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.records import Chunk, Split, Triplet
from dragoman.train.split import MANY_DOCUMENTS, check_disjoint, near_duplicates, split_chunks

MakeChunk = Callable[..., Chunk]
LICENCE = "You may copy this text as often as you like as long as you keep our names at the top of every page."


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


@pytest.mark.parametrize("pages", [12, 150])
def test_near_duplicates_stand_on_one_side_with_all_their_kin(make_chunk: MakeChunk, pages: int) -> None:
    chunks = [make_chunk(f"Page {page} is alone.", f"{page}.md", ("Body",)) for page in range(pages)]
    copies = [make_chunk(f"{LICENCE} Page {page}.", f"{page}.md", ("Licence",)) for page in range(pages)]
    splits = [split_chunks([*chunks, *copies], 5, seed) for seed in range(3)]
    assert [len({split.unit_of[copy.id] for copy in copies}) for split in splits] == [1, 1, 1]
    bodies = {splits[0].unit_of[chunk.id] for chunk in chunks}
    assert len(bodies) == (pages if pages < MANY_DOCUMENTS else 1)


def test_pairs_that_say_nearly_the_same_are_found_across_sections_only(make_chunk: MakeChunk) -> None:
    one = make_chunk(LICENCE, "a.md")
    near = make_chunk(f"So be it: {LICENCE.upper()}", "b.md")
    own = make_chunk(f"{LICENCE} Thanks.", "a.md")
    far = make_chunk("You may copy this text as often as you like, but we want to hear of it in a letter.", "c.md")
    short = [make_chunk("See below.", f"{name}.md") for name in "de"]
    assert near_duplicates([one, near, own, far, *short]) == [(one.id, near.id), (near.id, own.id)]


@pytest.mark.parametrize(("shared", "alike"), [(6, False), (7, True)])
def test_seven_runs_of_eight_words_in_ten_make_two_chunks_alike(
    make_chunk: MakeChunk, shared: int, *, alike: bool
) -> None:
    words = [f"word{place}" for place in range(17)]  # ten runs
    other = words[: shared + 7] + [f"other{place}" for place in range(10 - shared)]
    pair = [make_chunk(" ".join(text), f"{text[-1]}.md") for text in (words, other)]
    assert bool(near_duplicates(pair)) is alike


def test_a_text_that_stands_in_very_many_places_joins_them_all(make_chunk: MakeChunk) -> None:
    copies = [make_chunk(LICENCE, f"{place}.md") for place in range(60)]
    split = split_chunks(copies, 5, 13)
    assert len(split.round_of) == 1


def test_a_leak_is_a_loud_defect(chunks: list[Chunk]) -> None:
    split = split_chunks(chunks, 5, 13)
    rows = [Triplet("?", chunk.id, chunk.passage, chunk.section, "llm") for chunk in chunks]
    held_out = [chunk.id for chunk in chunks if split.held_out(chunk.id) == 0]
    clean = [row for row in rows if row.chunk_id not in held_out]
    check_disjoint(clean, held_out, split)
    leak = next(row for row in rows if row.chunk_id == held_out[0])
    with pytest.raises(AssertionError, match="1 units are both trained on and held out"):
        check_disjoint([*clean, leak], held_out[-1:] + held_out[:1], split)
