"""Why a hit was found, what is read with it, and what other versions say."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.index import Index, IndexMeta, build_index, open_index
from dragoman.index.lift import QuestionVectors
from dragoman.index.words import WordSearch
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, Hit, Serving

DENSE, LEXICAL, HYBRID = Serving("base", "dense"), Serving("base", "lexical"), Serving("base", "hybrid", 0.5)
QUESTION = "where are ferries mended"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, chunks: list[Chunk], vectors: Vectors, meta: IndexMeta) -> Index:
    """Six pages of ten chunks, one behind the other, ten tokens each; a known question for the second chunk."""
    root = tmp_path_factory.mktemp("pages")
    rows = [
        replace(chunk, path=f"{place // 10}.md", section=f"{place // 5}", start=place, tokens=10)
        for place, chunk in enumerate(chunks)
    ]
    known = QuestionVectors(np.array([1]), np.eye(1, 8, dtype=np.float32))
    build_index(
        root, rows, vectors, replace(meta, versions={"docs": "1"}), questions=known, model=Path(__file__).parent
    )
    return open_index(root)


@pytest.fixture(scope="module")
def rows(index: Index) -> list[Chunk]:
    return index.chunks()


def test_signals_say_what_each_part_found(index: Index, vectors: Vectors) -> None:
    near, words = index.dense(vectors[7], 100), index.lexical(QUESTION, 100)
    for hit in index.search(QUESTION, vectors[7], HYBRID, top=60, collapse=False):
        assert hit.signals is not None
        at = [found for found, _ in near].index(hit.chunk.id)
        assert hit.signals.dense_rank == at + 1
        assert hit.signals.dense == pytest.approx(near[at][1], abs=2e-6)
        assert hit.signals.lexical == dict(words).get(hit.chunk.id, 0.0)
        assert (hit.signals.lexical_rank > 0) == (hit.chunk.id in dict(words))
        assert (hit.signals.fused, hit.signals.question) == (hit.score, None)


def test_a_hit_of_words_alone_has_its_similarity_too(index: Index, vectors: Vectors) -> None:
    similarity = dict(index.dense(vectors[7], 60))
    for hit in index.search(QUESTION, vectors[7], LEXICAL):
        assert hit.signals is not None
        assert hit.signals.dense_rank == 0
        assert hit.signals.dense == pytest.approx(similarity[hit.chunk.id], abs=2e-6)
    assert all(hit.signals and hit.signals.dense is None for hit in index.search(QUESTION, None, LEXICAL))


def test_the_nearest_known_question_is_a_signal_of_its_chunk(index: Index, rows: list[Chunk]) -> None:
    vector = np.eye(1, 8, dtype=np.float32)[0]
    hits = index.search("", vector, replace(DENSE, questions=True), top=60, collapse=False)
    said = {hit.chunk.id: hit.signals.question for hit in hits if hit.signals}
    assert said.pop(rows[1].id) == pytest.approx(1.0)
    assert set(said.values()) == {None}


def test_the_other_found_chunks_of_a_section_are_context_in_reading_order(index: Index, vectors: Vectors) -> None:
    found = [chunk_id for chunk_id, _ in index.dense(vectors[7], 30)]
    hits = index.search("", vectors[7], replace(DENSE, depth=30))
    assert any(len(hit.context) > 1 for hit in hits)
    for hit in hits:
        same = [chunk for chunk in index.chunks() if chunk.section == hit.chunk.section and chunk.id in found]
        assert list(hit.read) == same
    assert all(not hit.context for hit in index.search("", vectors[7], DENSE, collapse=False))


def _hit(chunk: Chunk, rank: int = 1) -> Hit:
    return Hit(rank, 1.0, chunk)


def test_context_grows_from_the_section_to_the_page_and_stays_within_the_budget(
    index: Index, rows: list[Chunk]
) -> None:
    for budget, read in ((9, [4]), (29, [3, 4]), (50, [0, 1, 2, 3, 4]), (70, [*range(7)]), (1000, [*range(10)])):
        (hit,) = index.expand([_hit(rows[4])], budget)
        assert list(hit.read) == [rows[place] for place in read]


def test_no_chunk_is_read_twice_and_better_hits_come_first(index: Index, rows: list[Chunk]) -> None:
    hits = [_hit(rows[6]), _hit(rows[8], 2), _hit(rows[25], 3)]
    for budget in (0, 30, 40, 55, 90, 200, 10_000):
        read = [chunk for hit in index.expand(hits, budget) for chunk in hit.read]
        assert len({chunk.id for chunk in read}) == len(read)
        assert len(read) == 3 or sum(chunk.tokens for chunk in read) <= budget
    assert [len(hit.context) for hit in index.expand(hits, 40)] == [1, 0, 0]


def test_tokens_may_be_counted_by_another_model(index: Index, rows: list[Chunk]) -> None:
    (hit,) = index.expand([_hit(rows[4])], 3, count=lambda _: 1)
    assert len(hit.read) == 3


def test_a_hit_of_another_table_is_left_as_it_is(index: Index, make_chunk: Callable[..., Chunk]) -> None:
    (hit,) = index.expand([_hit(make_chunk("from another table"))], 1000)
    assert hit.context == ()


def test_counterparts_are_the_same_section_of_other_versions_where_it_differs(
    tmp_path: Path, make_chunk: Callable[..., Chunk], meta: IndexMeta
) -> None:
    def page(source: str, *texts: str) -> list[Chunk]:
        made = [
            make_chunk(text, section=f"{source}-{place}", trail=("Guide", str(place)))
            for place, text in enumerate(texts)
        ]
        return [replace(chunk, id=f"{source}{place}", source=source) for place, chunk in enumerate(made)]

    one, two, blog = page("one", "same", "was so"), page("two", "same", "is so"), page("blog", "other", "words")
    made = replace(meta, versions={"one": "1", "two": "2"}, latest="2")
    build_index(tmp_path, [*one, *two, *blog], np.ones((6, meta.dimension), np.float32), made)
    index = open_index(tmp_path)
    assert index.counterparts(two[1]) == [one[1]]
    assert index.counterparts(one[1]) == [two[1]]
    assert index.counterparts(two[0]) == index.counterparts(blog[1]) == []


def test_a_bounded_search_for_words_ranks_as_one_for_every_row(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [QUESTION, "note on clocks", "mended here ferries 7", "lanterns 31 bridges"]
    whole = [index.lexical(question, 5) for question in questions]
    monkeypatch.setattr("dragoman.index.words._LEAST", 1)
    monkeypatch.setattr("dragoman.index.words._TIMES", 1)
    asked = WordSearch(index._served.tables, index._served.rows, QUESTION, 5)
    assert asked._limit == 5
    for question, ranking in zip(questions, whole, strict=True):
        assert [score for _, score in index.lexical(question, 5)] == [score for _, score in ranking]


def test_a_model_is_kept_with_its_table(index: Index, built: Path) -> None:
    assert open_index(built).model_folder is None
    assert index.model_folder is not None
    assert (index.model_folder / Path(__file__).name).read_bytes() == Path(__file__).read_bytes()
