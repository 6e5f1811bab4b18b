"""What a chunk promises, on made-up pages of every shape and on a few that are worked by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dragoman.config import ChunkSettings
from dragoman.ingest.chunk import REASONS, Chunked, chunk_documents
from dragoman.ingest.markdown import parse
from dragoman.models.tokens import ModelTokens, TokenCounter, WordTokens
from dragoman.records import Chunk, Document

BUDGETS = st.integers(32, 160)


def cut(text: str, budget: int = 64, tokens: TokenCounter | None = None, **fields: Any) -> Chunked:
    document = Document(source="kitchen", path="kettle.md", text=text, title="Kettles", **fields)
    return chunk_documents([document], tokens or WordTokens(), ChunkSettings(tokens=budget))


def missing_lines(text: str, chunked: Chunked, front: int = 0) -> list[str]:
    """Lines of the body that hold something and are neither in a chunk nor in a section left out."""
    covered = bytearray(len(text))
    for chunk in chunked.chunks:
        covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    left_out = {int(row.item.rpartition(":")[2]) - 1 for row in chunked.skipped}
    excused = {
        line for section in parse(text) if section.first in left_out for line in range(section.first, section.last)
    }
    missing, offset = [], 0
    for number, line in enumerate(text.split("\n")):
        whole = all(covered[offset + place] for place, letter in enumerate(line) if not letter.isspace())
        if number >= front and number not in excused and not whole:
            missing.append(line)
        offset += len(line) + 1
    return missing


def check_promises(text: str, chunked: Chunked, tokens: TokenCounter, budget: int) -> None:
    for chunk in chunked.chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text.strip()
        assert chunk.text == chunk.text.rstrip(" \t\n")
        assert chunk.tokens == tokens.count([chunk.passage])[0] <= budget
        assert chunk.start_line == text.count("\n", 0, chunk.start) + 1
        assert chunk.end_line == text.count("\n", 0, chunk.end) + 1
        assert chunk.passage.partition("\n")[2].strip() in chunk.text
    assert all(one.end <= other.start for one, other in pairwise(chunked.chunks))
    assert len({chunk.id for chunk in chunked.chunks}) == len(chunked.chunks)
    assert {row.reason for row in chunked.skipped} <= set(REASONS)


@given(data=st.data(), budget=BUDGETS)
def test_a_page_is_cut_into_chunks_that_lose_nothing(data: st.DataObject, pages: Any, budget: int) -> None:
    page = data.draw(pages)
    chunked = cut(page.text, budget)
    check_promises(page.text, chunked, WordTokens(), budget)
    assert missing_lines(page.text, chunked, page.front) == []


@given(data=st.data(), budget=BUDGETS)
@settings(max_examples=100)
def test_no_markup_however_odd_breaks_a_promise(data: st.DataObject, scribbles: Any, budget: int) -> None:
    text = data.draw(scribbles)
    chunked = cut(text, budget)
    check_promises(text, chunked, WordTokens(), budget)
    front = min((section.first for section in parse(text)), default=text.count("\n") + 1)
    assert missing_lines(text, chunked, front) == []


@given(data=st.data(), budget=BUDGETS)
@settings(max_examples=15)
def test_the_real_tokenizer_finds_no_passage_over_the_budget(
    data: st.DataObject, pages: Any, budget: int, minilm: Path
) -> None:
    page, tokens = data.draw(pages), ModelTokens(minilm)
    chunked = cut(page.text, budget, tokens)
    check_promises(page.text, chunked, tokens, budget)
    assert missing_lines(page.text, chunked, page.front) == []


class GreedyTokens(WordTokens):
    """As a tokenizer that makes more tokens of a piece than of the same piece inside its text."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """A token more for every five."""
        return [count + count // 5 for count in super().count(texts)]


@given(data=st.data(), budget=BUDGETS)
def test_a_tokenizer_that_counts_pieces_higher_than_the_whole_is_believed(
    data: st.DataObject, pages: Any, budget: int
) -> None:
    page, tokens = data.draw(pages), GreedyTokens()
    chunked = cut(page.text, budget, tokens)
    check_promises(page.text, chunked, tokens, budget)
    assert missing_lines(page.text, chunked, page.front) == []


@given(data=st.data(), budget=BUDGETS)
def test_fences_and_table_rows_that_fit_are_never_cut(data: st.DataObject, pages: Any, budget: int) -> None:
    page = data.draw(pages)
    text, tokens = page.text, WordTokens()
    starts = [0, *(place + 1 for place, letter in enumerate(text) if letter == "\n")]
    for first, last in page.wholes:
        start, end = starts[first], starts[last] - 1
        touched = [chunk for chunk in cut(text, budget).chunks if chunk.start < end and start < chunk.end]
        trail = touched[0].passage.partition("\n")[0]
        if len(touched) > 1:
            assert tokens.count([f"{trail}\n{text[start:end]}"])[0] > budget


@given(data=st.data())
def test_a_chunk_knows_the_headings_above_it(data: st.DataObject, pages: Any) -> None:
    page = data.draw(pages)
    for chunk in cut(page.text).chunks:
        stack: dict[int, str] = {}
        for line, level, words in page.headings:
            if line < chunk.end_line:
                stack = {above: heading for above, heading in stack.items() if above < level} | {level: words}
        assert chunk.trail == ("Kettles", *stack.values())
        assert chunk.passage.startswith("Kettles") or len(chunk.trail) > 1


@given(data=st.data(), budget=BUDGETS)
def test_the_same_page_gives_the_same_chunks_and_an_edit_changes_its_own_section_only(
    data: st.DataObject, pages: Any, budget: int
) -> None:
    page = data.draw(pages)
    before = cut(page.text, budget).chunks
    assert before == cut(page.text, budget).chunks
    assume("never ends" not in page.text)  # or the appendix would be code
    after = cut(f"{page.text}# Appendix\n\nA late remark.\n", budget).chunks
    assert [chunk.id for chunk in after[: len(before)]] == [chunk.id for chunk in before]


def test_an_edit_above_moves_a_chunk_but_keeps_its_id_and_section() -> None:
    page = "# Kettles\n\n## Lids\n\n{}\n\n## Spouts\n\nPour slowly.\n\n## Lids\n\nA second lid.\n"
    before, after = (
        cut(page.format("Closed.")).chunks,
        cut(page.format("Closed.\n\nOr open.\n\n## Handles\n\nHold.")).chunks,
    )
    assert [chunk.id for chunk in before[1:]] == [chunk.id for chunk in after[2:]]
    assert [chunk.section for chunk in before] == [after[0].section, after[2].section, after[3].section]
    assert before[1].start < after[2].start
    assert before[0].id != after[0].id


def test_text_that_stands_twice_in_a_page_has_two_ids() -> None:
    chunks = cut("## Lids\n\nSee below.\n\n## Lids\n\nSee below.\n").chunks
    assert len({chunk.id for chunk in chunks}) == len({chunk.section for chunk in chunks}) == 2


def test_the_source_lines_follow_the_map_of_the_document() -> None:
    text = "# Kettles\n\nFill it.\nBoil it.\n\n## Lids\n\nClose it.\n"
    mapped = cut(text, lines=tuple(range(101, 110))).chunks
    assert [(chunk.start_line, chunk.end_line) for chunk in mapped] == [(101, 104), (106, 108)]
    assert [replace(chunk, start_line=0, end_line=0) for chunk in mapped] == [
        replace(chunk, start_line=0, end_line=0) for chunk in cut(text).chunks
    ]


def test_a_small_page_in_full() -> None:
    text = "---\ntitle: Kettles\n---\nFill it.\n\n# Kettles\n\n## Lids {#lid}\n\nClose it.\n\n- hot\n"
    first, second = cut(text, url="https://docs.example/kettle").chunks
    assert (first.text, first.passage, first.trail) == ("Fill it.", "Kettles\nFill it.", ("Kettles",))
    assert (first.start_line, first.end_line, first.url) == (4, 4, "https://docs.example/kettle")
    assert second.text == "# Kettles\n\n## Lids {#lid}\n\nClose it.\n\n- hot"
    assert second.passage == "Kettles > Lids\nClose it.\n\n- hot"
    assert (second.start_line, second.end_line, second.tokens) == (6, 12, 2 + 3 + 5)
    assert (second.source, second.path, second.title) == ("kitchen", "kettle.md", "Kettles")


def test_headings_that_stand_twice_get_anchors_of_their_own() -> None:
    text = "# Kettles\n\nA.\n\n## On fire, & off!\n\nB.\n\n## On fire & off\n\nC.\n\n### `on_fire()`\n\nD.\n"
    urls = [chunk.url.partition("#")[2] for chunk in cut(text, url="https://docs.example/kettle").chunks]
    assert urls == ["kettles", "on-fire-off", "on-fire-off_1", "on_fire"]


def test_a_page_without_an_address_gives_chunks_without_one() -> None:
    assert [chunk.url for chunk in cut("# Kettles\n\nFill it.\n").chunks] == [""]


def test_what_gives_no_chunk_is_reported_once_each_with_its_line() -> None:
    text = "# Kettles\n\nFill it.\n\n## Lids\n\n***\n\n## Spouts\n\n### Long\n"
    chunked = cut(text)
    assert [chunk.text for chunk in chunked.chunks] == ["# Kettles\n\nFill it."]
    assert [(row.item, row.reason, row.detail) for row in chunked.skipped] == [
        ("kettle.md:5", "nothing but markup", "Lids"),
        ("kettle.md:9", "heading without text", "Spouts"),
        ("kettle.md:11", "heading without text", "Long"),
    ]


def test_a_lead_in_stays_with_the_code_that_it_announces() -> None:
    words = " ".join(["Steam rises."] * 8)
    text = f"{words}\n\n{words}\n\nFill it like this:\n\n```sh\nkettle fill\n```\n"
    assert cut(text, 40).chunks[-1].text == "Fill it like this:\n\n```sh\nkettle fill\n```"


def test_a_lead_in_that_does_not_fit_beside_its_fence_leaves_the_fence_whole() -> None:
    fence = "```sh\n" + "kettle fill\n" * 15 + "```"
    chunks: tuple[Chunk, ...] = cut("Steam. " * 10 + "\n\n" + "Fill it. " * 5 + "Like this:\n\n" + fence, 48).chunks
    assert any(fence in chunk.text for chunk in chunks)


@pytest.mark.parametrize("budget", [32, 48])
def test_a_long_table_is_cut_between_rows(budget: int) -> None:
    rows = [f"| {number} | the kettle of guest number {number} |" for number in range(20)]
    chunks = cut("\n".join(["| n | what |", "| - | - |", *rows]), budget).chunks
    assert len(chunks) > 2
    assert [line for chunk in chunks for line in chunk.text.split("\n")][2:] == rows


def test_progress_is_told_document_by_document() -> None:
    done: list[int] = []
    page = Document(source="kitchen", path="a.md", text="Fill it.", title="A")
    empty = replace(page, path="b.md", text="# B\n")
    chunked = chunk_documents([page, empty], WordTokens(), ChunkSettings(), done.append)
    assert done == [1, 1]
    assert ([chunk.path for chunk in chunked.chunks], [row.item for row in chunked.skipped]) == (["a.md"], ["b.md:1"])
