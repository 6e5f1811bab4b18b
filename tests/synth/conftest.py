"""Chunks of a documentation of our own (a bakery's), as the chunker would cut them."""

from collections.abc import Callable

import pytest

from dragoman.records import Chunk, content_id

MakeChunk = Callable[..., Chunk]


@pytest.fixture(scope="session")
def make_chunk() -> MakeChunk:
    """Makes a chunk of a section: text first, then where it stands."""

    def make(text: str, path: str = "oven.md", trail: tuple[str, ...] = ("Bakery", "Oven"), part: int = 0) -> Chunk:
        return Chunk(
            id=content_id("bakery", path, text, part),
            source="bakery",
            path=path,
            title=trail[0],
            trail=trail,
            section=content_id(path, *trail),
            text=text,
            passage=" > ".join(trail) + "\n" + text,
            start=0,
            end=len(text),
            start_line=1,
            end_line=1,
            tokens=10,
            url="",
        )

    return make


@pytest.fixture(scope="session")
def chunks(make_chunk: MakeChunk) -> list[Chunk]:
    """Three pages of 12, 3 and 1 chunks; four chunks a section on the first page."""
    large = [
        make_chunk(f"Loaf {place} bakes at {200 + place} degrees.", "loaves.md", ("Bakery", f"Loaves {place // 4}"))
        for place in range(12)
    ]
    small = [make_chunk(f"Roll {place} needs butter.", "rolls.md", ("Bakery", f"Rolls {place}")) for place in range(3)]
    return [*large, *small, make_chunk("Heat the oven before the dough is ready.")]
