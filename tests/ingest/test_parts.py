"""Which sections of a page are cut, and which are left out."""

from tests.ingest.cutting import cut

from dragoman.config import ChunkSettings
from dragoman.ingest.chunk import chunk_documents
from dragoman.models.tokens import WordTokens
from dragoman.records import Document


def test_what_gives_no_chunk_is_reported_once_each_with_its_line() -> None:
    text = "# Kettles\n\nFill it.\n\n## Lids\n\n***\n\n## Spouts\n\n### Long\n"
    chunked = cut(text)
    assert [chunk.text for chunk in chunked.chunks] == ["# Kettles\n\nFill it."]
    assert [(row.item, row.reason, row.detail) for row in chunked.skipped] == [
        ("kettle.md:5", "nothing but markup", "Lids"),
        ("kettle.md:9", "heading without text", "Spouts"),
        ("kettle.md:11", "heading without text", "Long"),
    ]


def test_small_sections_side_by_side_are_joined_under_their_parent() -> None:
    text = "# Kettles\n\n## Lids\n\n### Open\n\nUp.\n\n### Shut\n\nDown.\n\n## Spouts\n\nLong.\n"
    document = Document(source="kitchen", path="kettle.md", text=text, title="Kettles")
    plain = chunk_documents([document], WordTokens(), ChunkSettings(tokens=64)).chunks
    joined = chunk_documents([document], WordTokens(), ChunkSettings(tokens=64, min_tokens=20)).chunks
    assert [chunk.trail[-1] for chunk in plain] == ["Open", "Shut", "Spouts"]
    assert [chunk.passage for chunk in joined] == [
        "Kettles > Lids\n### Open\n\nUp.\n\n### Shut\n\nDown.",
        "Kettles > Spouts\nLong.",
    ]


def test_link_definitions_are_left_out_and_listed() -> None:
    chunked = cut("# Kettles\n\nFill [it][pot].\n\n[pot]: pot.md\n")
    assert [chunk.text for chunk in chunked.chunks] == ["# Kettles\n\nFill [it][pot]."]
    assert [(row.item, row.reason) for row in chunked.skipped] == [("kettle.md:5", "link definitions")]
