import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import UsageError
from dragoman.index import Index, IndexMeta, build_index, open_index
from dragoman.index.filters import _pattern, _ranges
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, SearchFilter, Serving

VERSIONS = {"old": "1.0", "new": "2.0"}
DENSE, LEXICAL, HYBRID = Serving("base", "dense"), Serving("base", "lexical"), Serving("base", "hybrid", 0.5)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, chunks: list[Chunk], vectors: Vectors, meta: IndexMeta) -> Index:
    """Sixty chunks of three sources; the blog says no version."""
    root = tmp_path_factory.mktemp("versions")
    paths = ("guide/start.md", "guide/deep/more.md", "faq.md")
    rows = [
        replace(chunk, source=("old", "new", "blog")[place // 20], path=paths[place % 3])
        for place, chunk in enumerate(chunks)
    ]
    build_index(root, rows, vectors, replace(meta, versions=VERSIONS, latest="2.0"))
    return open_index(root)


def sources(index: Index, where: SearchFilter, serving: Serving = DENSE) -> set[str]:
    hits = index.search(
        "where are ferries mended", np.ones(8, np.float32), serving, top=60, collapse=False, where=where
    )
    return {hit.chunk.source for hit in hits}


@pytest.mark.parametrize("serving", [DENSE, LEXICAL, HYBRID])
@pytest.mark.parametrize(
    ("where", "found"),
    [
        (SearchFilter(), {"new", "blog"}),
        (SearchFilter(version="1.0"), {"old"}),
        (SearchFilter(version="all"), {"old", "new", "blog"}),
        (SearchFilter(source="old"), {"old"}),
        (SearchFilter(source="blog", version="all"), {"blog"}),
    ],
)
def test_a_version_or_a_source_lets_its_own_pass(
    index: Index, serving: Serving, where: SearchFilter, found: set[str]
) -> None:
    assert sources(index, where, serving) == found


@pytest.mark.parametrize("serving", [DENSE, LEXICAL, HYBRID])
def test_filtering_comes_before_ranking(index: Index, serving: Serving) -> None:
    way = replace(serving, depth=5)
    hits = index.search(
        "where are ferries mended",
        np.ones(8, np.float32),
        way,
        top=5,
        collapse=False,
        where=SearchFilter(path="faq.md"),
    )
    assert len(hits) == 5
    assert {hit.chunk.path for hit in hits} == {"faq.md"}


@pytest.mark.parametrize(
    ("glob", "paths"),
    [
        ("faq.md", {"faq.md"}),
        ("*.md", {"faq.md"}),
        ("guide/*", {"guide/start.md"}),
        ("guide/**", {"guide/start.md", "guide/deep/more.md"}),
        ("guide/", {"guide/start.md", "guide/deep/more.md"}),
        ("**/more.md", {"guide/deep/more.md"}),
        ("**/*.md", {"faq.md", "guide/start.md", "guide/deep/more.md"}),
        ("fa?.md", {"faq.md"}),
    ],
)
def test_a_glob_stays_within_a_folder_unless_it_has_two_stars(index: Index, glob: str, paths: set[str]) -> None:
    hits = index.search("", np.ones(8, np.float32), DENSE, top=60, collapse=False, where=SearchFilter(path=glob))
    assert {hit.chunk.path for hit in hits} == paths


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (SearchFilter(source="wiki"), "no source is called 'wiki'; expected old, new or blog"),
        (SearchFilter(version="3.0"), "there is no version '3.0'; expected 1.0, 2.0 or all"),
        (SearchFilter(path="api/**"), r"no page is at 'api/\*\*'.*faq.md, guide/deep/\*\*, guide/\*\*"),
        (SearchFilter(source="old", version="2.0"), r"no pages in the source old in the version 2.0; .*old \(1.0\)"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(index: Index, where: SearchFilter, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sources(index, where)


def test_docs_without_versions_say_so(built: Path) -> None:
    with pytest.raises(UsageError, match="these docs say no version"):
        sources(open_index(built), SearchFilter(version="1.0"))


def test_a_glob_has_no_other_signs() -> None:
    assert _pattern("a+(b).md").fullmatch("a+(b).md")
    assert not _pattern("a.md").fullmatch("axmd")


@given(st.lists(st.booleans(), max_size=400))
def test_ranges_hold_all_that_pass_and_are_few(passing: list[bool]) -> None:
    mask = np.array(passing, dtype=np.bool_)
    ranges = _ranges(mask)
    held = {row for first, last in ranges for row in range(first, last + 1)}
    assert held >= set(np.flatnonzero(mask).tolist())
    assert len(ranges) <= 64
    if len(ranges) < 64:
        assert held == set(np.flatnonzero(mask).tolist())


def test_a_glob_of_many_stars_is_no_trap() -> None:
    began = time.process_time()
    assert not _pattern("**/" * 12 + "x").fullmatch("a/" * 40 + "y")
    assert _pattern("**/" * 12 + "x").fullmatch("a/" * 40 + "x")
    assert time.process_time() - began < 2
