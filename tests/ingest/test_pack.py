"""Where a section is cut, worked by hand: fences, tables, lists, sentences, and words without end."""

from itertools import pairwise

import pytest
import regex
from tests.ingest.cutting import LetterTokens, cut

from dragoman.config import ChunkSettings
from dragoman.ingest.chunk import chunk_documents
from dragoman.models.tokens import WordTokens
from dragoman.records import Chunk, Document


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
    assert all(chunk.passage.startswith("Kettles\n| n | what |\n| - | - |\n| ") for chunk in chunks)


def test_a_long_fence_is_cut_between_lines_and_each_part_is_a_fence_again() -> None:
    code = [f"kettle fill --cup {number}" for number in range(20)]
    chunks = cut("\n".join(["- Fill:", "", "  ```sh", *(f"  {line}" for line in code), "  ```"]), 48).chunks
    assert len(chunks) > 2
    assert [chunk.passage.count("```") for chunk in chunks] == [2] * len(chunks)
    assert all("```sh\n" in chunk.passage for chunk in chunks)
    lines = [line.strip() for chunk in chunks for line in chunk.text.split("\n")]
    assert [line for line in lines if line.startswith("kettle")] == code


def test_a_list_over_the_budget_is_cut_between_its_items_and_a_fence_in_an_item_stays_whole() -> None:
    item = "- Fill it:\n\n  ```sh\n  kettle fill\n\n  kettle boil\n  ```\n"
    chunks = cut(item * 6, 40).chunks
    assert len(chunks) > 2
    assert all(chunk.text.startswith("- Fill it:") and chunk.text.endswith("```") for chunk in chunks)


def test_an_admonition_stays_whole_when_it_fits() -> None:
    note = "!!! note\n\n    Hot. Hot.\n\n    - lid\n    - spout"
    chunks = cut(f"{'Steam rises. ' * 9}\n\n{note}\n\n{'Steam falls. ' * 9}\n", 40).chunks
    assert any(note in chunk.text for chunk in chunks)


@pytest.mark.parametrize(
    "word", ["湯" * 400, "ゆをわかす" * 90, "👩‍🍳a🇩🇪b" * 90, "e\u0301" * 400, "น้ำร้อน" * 90, "مرحبا" * 90, "x" * 900]
)
def test_a_word_without_end_is_cut_between_what_a_reader_sees_as_characters(word: str) -> None:
    text = f"Tea.{word}"
    chunks = cut(text, 40, LetterTokens()).chunks
    assert len(chunks) > 5
    assert "".join(chunk.text for chunk in chunks) == text
    whole = regex.findall(r"\X", text)
    assert [cluster for chunk in chunks for cluster in regex.findall(r"\X", chunk.text)] == whole
    assert all(chunk.tokens <= 40 for chunk in chunks)


def test_an_overlap_is_the_last_sentences_of_the_chunk_before() -> None:
    text = " ".join(f"Sentence {number} is about a kettle." for number in range(20))
    document = Document(source="kitchen", path="kettle.md", text=text, title="Kettles")
    chunks = chunk_documents([document], WordTokens(), ChunkSettings(tokens=48, overlap=10)).chunks
    for one, other in pairwise(chunks):
        assert one.text.endswith(other.text[: one.end - other.start])
        assert other.text.startswith("Sentence")
        assert one.end - other.start > 10
