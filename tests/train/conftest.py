"""Chunks and training rows of a documentation of our own (a workshop's)."""

from collections.abc import Callable

import pytest

from dragoman.records import Chunk, Triplet, content_id

MakeChunk = Callable[..., Chunk]

_TOOLS = ("saw", "plane", "chisel", "clamp", "drill", "file", "hammer", "router")
_CARES = (
    ("keep the {} from rusting", "Wipe the {} with oil after work, and hang it where the air is dry."),
    ("sharpen a blunt {}", "Give the {} to the grinder on Mondays; it comes back with a new edge on Thursday."),
    ("borrow the {} for a weekend", "Write your name beside the {} in the green book before Friday evening."),
)


@pytest.fixture(scope="session")
def make_chunk() -> MakeChunk:
    """Makes a chunk: text first, then its page and its headings below the page's title."""

    def make(text: str, path: str = "tools.md", trail: tuple[str, ...] = ()) -> Chunk:
        return Chunk(
            id=content_id("workshop", path, text),
            source="workshop",
            path=path,
            title="Workshop",
            trail=("Workshop", *trail),
            section=content_id(path, *trail),
            text=text,
            passage=" > ".join(("Workshop", *trail)) + "\n" + text,
            start=0,
            end=len(text),
            start_line=1,
            end_line=1,
            tokens=20,
            url="",
        )

    return make


@pytest.fixture(scope="session")
def triplets() -> list[Triplet]:
    """24 rows, each of a section of its own."""
    return [
        Triplet(f"How do I {asked.format(tool)}?", f"{tool}-{n}", said.format(tool), f"{tool}-{n}", "llm")
        for n, (asked, said) in enumerate(_CARES)
        for tool in _TOOLS
    ]
