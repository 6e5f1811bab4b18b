"""What a chunk promises, on made-up pages of every shape and on a few that are worked by hand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.ingest.cutting import cut

from dragoman.config import ChunkSettings
from dragoman.ingest.addresses import line_link
from dragoman.ingest.chunk import Chunked, chunk_documents
from dragoman.ingest.markdown import parse
from dragoman.ingest.parts import REASONS
from dragoman.models.tokens import ModelTokens, TokenCounter, WordTokens
from dragoman.records import Chunk, Document

BUDGETS = st.integers(32, 160)


def missing_lines(text: str, chunked: Chunked) -> list[str]:
    """Lines of the body that hold something and are neither in a chunk nor in a section left out."""
    covered = bytearray(len(text))
    for chunk in chunked.chunks:
        covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    left_out = {int(row.item.rpartition(":")[2]) - 1 for row in chunked.skipped}
    excused = {
        line for section in parse(text) if section.first in left_out for line in range(section.first, section.last)
    }
    begins = sorted(chunk.start_line - 1 for chunk in chunked.chunks)
    for first in left_out:  # or a part of a section, up to where the next chunk begins
        after = next((line for line in begins if line > first), text.count("\n") + 1)
        excused |= set(range(first, after))
    missing, offset = [], 0
    for number, line in enumerate(text.split("\n")):
        whole = all(covered[offset + place] for place, letter in enumerate(line) if not letter.isspace())
        if number not in excused and not whole:
            missing.append(line)
        offset += len(line) + 1
    return missing


def own_part(chunk: Chunk) -> str:
    """What of a passage is the chunk's own text: all but its trail and what a cut fence or table repeats."""
    lines = chunk.passage.split("\n")[1:]
    ranges = [(first, last) for first in range(3) for last in (len(lines), len(lines) - 1) if first < last]
    bodies = ["\n".join(lines[first:last]).strip(" \t\n") for first, last in ranges]
    return next((body for body in bodies if body and chunk.text.endswith(body)), "")


def check_promises(text: str, chunked: Chunked, tokens: TokenCounter, budget: int) -> None:
    for chunk in chunked.chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text.strip()
        assert chunk.text == chunk.text.rstrip(" \t\n")
        assert chunk.tokens == tokens.count([chunk.passage])[0] <= budget
        assert chunk.start_line == text.count("\n", 0, chunk.start) + 1
        assert chunk.end_line == text.count("\n", 0, chunk.end) + 1
        assert own_part(chunk)
    assert all(one.end <= other.start for one, other in pairwise(chunked.chunks))
    assert len({chunk.id for chunk in chunked.chunks}) == len(chunked.chunks)
    assert {row.reason for row in chunked.skipped} <= set(REASONS)


@given(data=st.data(), budget=BUDGETS)
def test_a_page_is_cut_into_chunks_that_lose_nothing(data: st.DataObject, pages: Any, budget: int) -> None:
    page = data.draw(pages)
    chunked = cut(page.text, budget)
    check_promises(page.text, chunked, WordTokens(), budget)
    assert missing_lines(page.text, chunked) == []


@given(data=st.data(), budget=BUDGETS)
@settings(max_examples=100)
def test_no_markup_however_odd_breaks_a_promise(data: st.DataObject, scribbles: Any, budget: int) -> None:
    text = data.draw(scribbles)
    chunked = cut(text, budget)
    check_promises(text, chunked, WordTokens(), budget)
    assert missing_lines(text, chunked) == []


@given(data=st.data(), budget=BUDGETS)
@settings(max_examples=15)
def test_the_real_tokenizer_finds_no_passage_over_the_budget(
    data: st.DataObject, pages: Any, budget: int, minilm: Path
) -> None:
    page, tokens = data.draw(pages), ModelTokens(minilm)
    chunked = cut(page.text, budget, tokens)
    check_promises(page.text, chunked, tokens, budget)
    assert missing_lines(page.text, chunked) == []


class GreedyTokens(WordTokens):
    """As a tokenizer that makes more tokens of a piece than of the same piece inside its text."""

    additive = False

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
    assert missing_lines(page.text, chunked) == []


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


@given(data=st.data(), budget=st.integers(48, 160), overlap=st.integers(1, 40))
def test_an_overlap_repeats_whole_sentences_and_keeps_the_budget(
    data: st.DataObject, pages: Any, budget: int, overlap: int
) -> None:
    text = data.draw(pages).text
    document = Document(source="kitchen", path="kettle.md", text=text, title="Kettles")
    chunks = chunk_documents([document], WordTokens(), ChunkSettings(tokens=budget, overlap=overlap)).chunks
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.tokens == WordTokens().count([chunk.passage])[0] <= budget
    for one, other in pairwise(chunks):
        if other.start < one.end:
            shared = text[other.start : one.end]
            assert WordTokens().count([shared])[0] - 2 <= overlap
            assert one.section == other.section
            assert text[other.start - 1].isspace() or text[other.start - 1] in "。！？」"


@given(data=st.data(), budget=BUDGETS, least=st.integers(1, 100))
def test_joining_small_sections_loses_nothing(data: st.DataObject, pages: Any, budget: int, least: int) -> None:
    page = data.draw(pages)
    document = Document(source="kitchen", path="kettle.md", text=page.text, title="Kettles")
    settings = ChunkSettings(tokens=budget, min_tokens=least)
    chunked = chunk_documents([document], WordTokens(), settings)
    check_promises(page.text, chunked, WordTokens(), budget)
    assert missing_lines(page.text, chunked) == []


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
    text = "\n\n\nFill it.\n\n# Kettles\n\n## Lids {#lid}\n\nClose it.\n\n- hot\n"
    first, second = cut(text, url="https://docs.example/kettle").chunks
    assert (first.text, first.passage, first.trail) == ("Fill it.", "Kettles\nFill it.", ("Kettles",))
    assert (first.start_line, first.end_line, first.url) == (4, 4, "https://docs.example/kettle")
    assert second.text == "# Kettles\n\n## Lids {#lid}\n\nClose it.\n\n- hot"
    assert second.passage == "Kettles > Lids\nClose it.\n\n- hot"
    assert (second.start_line, second.end_line, second.tokens) == (6, 12, 2 + 3 + 5)
    assert (second.source, second.path, second.title) == ("kitchen", "kettle.md", "Kettles")


def test_headings_that_stand_twice_get_anchors_of_their_own() -> None:
    text = "# Kettles\n\nA.\n\n## On fire, & off!\n\nB.\n\n## On fire & off\n\nC.\n\n### `on_fire()`\n\nD.\n"
    chunks = cut(text, url="https://docs.example/kettle", style="mkdocs").chunks
    urls = [chunk.url.partition("#")[2] for chunk in chunks]
    assert urls == ["kettles", "on-fire-off", "on-fire-off_1", "on_fire"]


def test_without_a_site_a_link_points_at_the_lines_of_the_file() -> None:
    address = "https://github.com/tea/pot/blob/0123/kettle.md"
    first, second = cut("# Kettles\n\nFill it.\n\n## Lids\n\nA.\nB.\n", url=address, style="lines").chunks
    assert [first.url, second.url] == [line_link(address, 1, 3), line_link(address, 5, 8)]
    assert "L5-L8" in second.url


def test_a_page_without_an_address_gives_chunks_without_one() -> None:
    assert [chunk.url for chunk in cut("# Kettles\n\nFill it.\n").chunks] == [""]


def test_a_chunk_that_was_mostly_included_names_that_file_and_its_lines() -> None:
    text = "# Kettles\n\nFill it.\n\n## Lids\n\nSee:\nopen the lid slowly\nshut the lid slowly\n"
    lines, files = (1, 2, 3, 4, 5, 6, 7, 40, 41, 10), ("", "", "", "", "", "", "", "../lid.md", "../lid.md", "")
    first, second = cut(text, lines=lines, files=files, url="https://docs.example/kettle", style="lines").chunks
    assert (first.file, first.start_line, first.end_line) == ("", 1, 3)
    assert (second.file, second.start_line, second.end_line) == ("../lid.md", 40, 41)
    assert second.url == "https://docs.example/kettle"


def test_a_chunk_of_an_included_file_links_to_the_lines_of_that_file() -> None:
    text = "# Kettles\n\nopen the lid slowly\nshut the lid slowly\n"
    address = "https://github.com/tea/pot/blob/0123/docs/kettle.md"
    lines, files = (1, 2, 40, 41, 5), ("", "", "../lid.md", "../lid.md", "")
    (chunk,) = cut(text, lines=lines, files=files, url=address, style="lines").chunks
    assert chunk.url == line_link("https://github.com/tea/pot/blob/0123/lid.md", 40, 41)


def test_what_came_from_another_file_is_a_chunk_of_its_own_when_it_is_more_than_a_line() -> None:
    own, other = "Fill the kettle with water. " * 7, "Open the lid of the pot slowly. " * 7
    text = f"# Kettles\n\n{own}\n\n{other}\n"
    files = ("", "", "", "", "lid.md", "")
    chunks = cut(text, 200, lines=(1, 2, 3, 4, 9, 6), files=files).chunks
    assert [(chunk.file, chunk.start_line, chunk.end_line) for chunk in chunks] == [("", 1, 3), ("lid.md", 9, 9)]


def test_progress_is_told_document_by_document() -> None:
    done: list[int] = []
    page = Document(source="kitchen", path="a.md", text="Fill it.", title="A")
    empty = replace(page, path="b.md", text="# B\n")
    chunked = chunk_documents([page, empty], WordTokens(), ChunkSettings(), done.append)
    assert done == [1, 1]
    assert ([chunk.path for chunk in chunked.chunks], [row.item for row in chunked.skipped]) == (["a.md"], ["b.md:1"])
