"""Small chunks and vectors for the index, and one index that is built once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.index import IndexMeta, build_index
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, Serving, content_id

DIMENSION = 8
TOPICS = ("kettles", "lanterns", "ferries", "orchards", "bridges", "clocks")


def _chunk(text: str, section: str = "", trail: tuple[str, ...] = ("Guide",)) -> Chunk:
    passage = " > ".join(trail) + "\n" + text
    return Chunk(
        id=content_id(text, section),
        source="docs",
        path="guide.md",
        title=trail[0],
        trail=trail,
        section=section or content_id("section", text),
        text=text,
        passage=passage,
        start=0,
        end=len(text),
        start_line=1,
        end_line=1 + text.count("\n"),
        tokens=len(passage.split()) + 2,
        url="",
    )


@pytest.fixture(scope="session")
def make_chunk() -> Callable[..., Chunk]:
    """A chunk of a text; each text is a section of its own unless one is named."""
    return _chunk


@pytest.fixture(scope="session")
def meta() -> IndexMeta:
    """What the small tables are made with."""
    return IndexMeta(
        fingerprint="fingerprint-of-base",
        model="base",
        dimension=DIMENSION,
        serving=Serving("base", "hybrid", 0.5),
        content="c0ffee",
        docs="guide 1.0",
    )


@pytest.fixture(scope="session")
def chunks() -> list[Chunk]:
    """Sixty chunks, ten on each topic, two in a section."""
    found = []
    for place in range(60):
        topic = TOPICS[place % 6]
        text = f"Note {place} on {topic}: " + "they are mended here. " * (place % 4 + 1)
        found.append(_chunk(text, section=f"{topic}-{place // 12}", trail=("Guide", topic.title())))
    return found


@pytest.fixture(scope="session")
def vectors(chunks: list[Chunk]) -> Vectors:
    """Random directions; the last ten rows repeat the first ten."""
    rows = np.random.default_rng(5).standard_normal((len(chunks), DIMENSION)).astype(np.float32)
    rows[-10:] = rows[:10]
    return rows


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, chunks: list[Chunk], vectors: Vectors, meta: IndexMeta) -> Path:
    """Folder of an index over all of them; nobody writes to it."""
    root = tmp_path_factory.mktemp("index")
    build_index(root, chunks, vectors, meta)
    return root


@pytest.fixture
def build_small(
    tmp_path: Path, chunks: list[Chunk], vectors: Vectors, meta: IndexMeta
) -> Callable[..., tuple[Path, str]]:
    """Build the first so many chunks into a folder of the test's own: ``(root, table name)``."""

    def build(size: int, keep: int = 2, fingerprint: str = meta.fingerprint) -> tuple[Path, str]:
        root = tmp_path / "index"
        made = replace(meta, fingerprint=fingerprint, content=f"{size:06d}")
        return root, build_index(root, chunks[:size], vectors[:size], made, keep=keep)

    return build
