import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dragoman.errors import UsageError, WorkspaceError
from dragoman.index import Index, IndexMeta, build_index, collapse, fuse, open_index
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk, Serving

BuildSmall = Callable[..., tuple[Path, str]]
IndexOf = Callable[..., Index]

DENSE, LEXICAL = Serving("base", "dense"), Serving("base", "lexical")
HYBRID = Serving("base", "hybrid", 0.5)


@pytest.fixture(scope="module")
def index(built: Path) -> Index:
    return open_index(built)


@pytest.fixture
def index_of(tmp_path: Path, make_chunk: Callable[..., Chunk], meta: IndexMeta) -> IndexOf:
    """An index over these texts; each is a section of its own unless sections are named."""

    def build(*texts: str, sections: tuple[str, ...] = ()) -> Index:
        names = sections or tuple(f"section {place}" for place in range(len(texts)))
        rows = [make_chunk(text, section=name) for text, name in zip(texts, names, strict=True)]
        build_index(tmp_path, rows, np.ones((len(rows), meta.dimension), np.float32), meta)
        return open_index(tmp_path)

    return build


def found(index: Index, question: str) -> list[str]:
    """Texts that the words of the question find, best first."""
    text_of = {chunk.id: chunk.text for chunk in index.chunks()}
    return [text_of[chunk_id] for chunk_id, _ in index.lexical(question, 100)]


@pytest.mark.parametrize("depth", [1, 7, 55, 60, 1000])
def test_dense_search_is_exact(index: Index, chunks: list[Chunk], vectors: Vectors, depth: int) -> None:
    wide = vectors.astype(np.float64)
    question = np.random.default_rng(9).standard_normal((1, 8))[0]
    lengths = np.sqrt((wide * wide).sum(axis=1) * (question * question).sum())
    similarity: NDArray[np.float64] = (wide * question).sum(axis=1) / lengths
    ids = [chunk.id for chunk in chunks]
    rows = sorted(range(len(ids)), key=lambda row: (-round(float(similarity[row]), 5), ids[row]))[:depth]
    ranked = index.dense(question.astype(np.float32), depth)
    assert [chunk_id for chunk_id, _ in ranked] == [ids[row] for row in rows]
    assert [score for _, score in ranked] == pytest.approx(similarity[rows], abs=2e-6)


def test_equal_vectors_are_ordered_by_id_wherever_the_list_is_cut(
    index: Index, chunks: list[Chunk], vectors: Vectors
) -> None:
    pair = sorted([chunks[3].id, chunks[53].id])
    (first, score), (second, other) = index.dense(vectors[3], 2)
    assert ([first, second], score) == (pair, other)
    assert index.dense(vectors[3], 1) == [(pair[0], score)]


def test_equal_texts_are_ordered_by_id_wherever_the_list_is_cut(index_of: IndexOf) -> None:
    index = index_of("the tide is low", "the tide is low", "the tide is low", "the sea is calm")
    ids = sorted(chunk.id for chunk in index.chunks() if "tide" in chunk.text)
    for depth in (1, 2, 3, 9):
        assert [chunk_id for chunk_id, _ in index.lexical("tide", depth)] == ids[:depth]


def test_a_vector_of_another_length_is_refused(index: Index) -> None:
    with pytest.raises(UsageError, match="3 numbers; expected 8"):
        index.dense(np.ones(3, np.float32), 5)


def test_a_vector_may_come_as_a_row(index: Index, vectors: Vectors) -> None:
    assert index.dense(vectors[2:3], 5) == index.dense(vectors[2], 5)


def test_words_are_found_in_another_form_case_and_accent(index_of: IndexOf) -> None:
    index = index_of("Running a café", "Closing the shop")
    assert found(index, "how do I run it") == ["Running a café"]
    assert found(index, "CAFES") == ["Running a café"]


def test_a_rare_word_counts_more_than_a_common_one(index_of: IndexOf) -> None:
    index = index_of("boat boat rope", "boat boat anchor", "boat boat sail", "tiller boat sail")
    assert found(index, "boat tiller")[0] == "tiller boat sail"


def test_an_exact_identifier_comes_before_its_lookalikes(index_of: IndexOf) -> None:
    wanted = "ERR_BODY_TOO_LARGE"
    texts = [f"{name} is raised." for name in ("ERR_BODY_LARGE", wanted, "ERR_TOO_LARGE_BODY", "ERR_TOO_LARGE")]
    assert found(index_of(*texts), f"what does {wanted} mean")[0] == f"{wanted} is raised."


def test_a_part_of_a_camel_case_name_finds_it(index_of: IndexOf) -> None:
    assert found(index_of("Call getHarbourById.", "Call listBoats."), "harbour") == ["Call getHarbourById."]


@pytest.mark.parametrize("helped", ["crane", "winch"])
def test_a_chunk_is_found_better_when_its_section_holds_the_other_words(index_of: IndexOf, helped: str) -> None:
    other = {"crane": "winch", "winch": "crane"}[helped]
    texts = ("the crane lifts a load", "the winch lifts a load", "grease it in spring", "paint it in summer")
    index = index_of(*texts, sections=("crane", "winch", helped, other))
    ranked = found(index, "lifts a load, grease")
    assert ranked.index(f"the {helped} lifts a load") < ranked.index(f"the {other} lifts a load")


def test_a_question_without_a_known_word_finds_nothing(index: Index, vectors: Vectors) -> None:
    assert index.lexical("zyzzyva", 10) == []
    assert index.search("zyzzyva", None, LEXICAL) == []
    assert len(index.search("zyzzyva", vectors[0], HYBRID, collapse=False)) == 10


@given(st.one_of(st.text(st.characters(), max_size=300), st.text("\"'()[]{}*~^:\\/+-!&|<>=%_ ANDORNOT", max_size=60)))
@example("")
@example("  \n\t ")
@example('"ferries')
@example("ferries AND (NOT")
@example("ferries' OR 1=1; DROP TABLE chunks")
@example("🙂🙃 \ud800 \x00")
@example("ferry " * 1700)
@example("".join(chr(0x4E00 + place) + " " for place in range(5000)))
@example("x" * 10_000)
def test_no_question_is_syntax(index: Index, question: str) -> None:
    ranked = index.lexical(question, 10)
    assert ranked == sorted(ranked, key=lambda scored: (-scored[1], scored[0]))
    assert all(score > 0 for _, score in ranked)


def test_operators_and_quotes_around_words_change_nothing(index: Index) -> None:
    plain = index.lexical("ferries mended", 10)
    assert plain
    assert index.lexical('("ferries") +mended~ -*', 10) == plain


def test_each_mode_gives_its_own_ranking_and_hybrid_their_fusion(index: Index, vectors: Vectors) -> None:
    question, vector = "how are ferries mended", vectors[7]
    dense, words = index.dense(vector, 40), index.lexical(question, 40)
    fused = fuse([i for i, _ in dense], [i for i, _ in words], 0.5)
    for serving, ranking in ((DENSE, dense), (LEXICAL, words), (HYBRID, fused)):
        hits = index.search(question, vector, replace(serving, depth=40), top=8, collapse=False)
        assert [(hit.chunk.id, hit.score) for hit in hits] == ranking[:8]
        assert [hit.rank for hit in hits] == list(range(1, 9))


def test_collapsed_hits_are_of_different_sections(index: Index, vectors: Vectors) -> None:
    section_of = {chunk.id: chunk.section for chunk in index.chunks()}
    hits = index.search("", vectors[7], DENSE)
    assert [(hit.chunk.id, hit.score) for hit in hits] == collapse(index.dense(vectors[7], 100), section_of)[:10]
    assert len({hit.chunk.section for hit in hits}) == len(hits) == 10


def test_more_hits_may_be_asked_for_than_the_depth(index: Index, vectors: Vectors) -> None:
    assert len(index.search("", vectors[0], replace(DENSE, depth=5), top=30, collapse=False)) == 30
    assert index.search("", vectors[0], DENSE, top=0) == []


@pytest.mark.parametrize("serving", [DENSE, HYBRID])
def test_only_lexical_search_can_do_without_a_vector(index: Index, serving: Serving) -> None:
    assert index.search("ferries", None, LEXICAL)
    with pytest.raises(UsageError, match="without a vector"):
        index.search("ferries", None, serving)


def test_another_encoder_is_refused_by_name_with_the_command(built: Path, meta: IndexMeta) -> None:
    assert open_index(built, fingerprint=meta.fingerprint).meta == meta
    with pytest.raises(WorkspaceError, match=r"base model fingerprint-of-base.*expected.*other.*dragoman index"):
        open_index(built, fingerprint="other")


def test_a_reader_switches_when_the_pointer_does(build_small: BuildSmall) -> None:
    root, first = build_small(5)
    index = open_index(root)
    assert not index.reload_if_swapped()
    _, second = build_small(6)
    assert index.name == first
    assert index.reload_if_swapped()
    assert (index.name, len(index.chunks())) == (second, 6)
    assert not index.reload_if_swapped()


def test_a_reader_stays_on_its_table_when_the_new_one_is_another_models(
    build_small: BuildSmall, meta: IndexMeta, vectors: Vectors
) -> None:
    root, first = build_small(5)
    index = open_index(root, fingerprint=meta.fingerprint)
    build_small(6, fingerprint="tuned since")
    with pytest.raises(WorkspaceError, match="tuned since"):
        index.reload_if_swapped()
    assert index.name == first
    assert index.search("kettles", vectors[0], HYBRID)


def test_threads_may_share_a_reader_while_tables_are_swapped(build_small: BuildSmall, vectors: Vectors) -> None:
    root, _ = build_small(5)
    index, stop, sizes = open_index(root), threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            index.reload_if_swapped()
            sizes.add(len(index.search("kettles", vectors[0], HYBRID, collapse=False)))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for size in (6, 7, 8):
        build_small(size, keep=3)
    stop.set()
    for reader in readers:
        reader.join()
    index.reload_if_swapped()
    sizes.add(len(index.search("kettles", vectors[0], HYBRID, collapse=False)))
    assert sizes <= {5, 6, 7, 8}
    assert 8 in sizes


def test_a_reader_still_answers_when_its_table_was_removed(build_small: BuildSmall, vectors: Vectors) -> None:
    root, name = build_small(20)
    index, witness = open_index(root), open_index(root)
    before = witness.search("where are ferries mended", vectors[3], HYBRID)
    shutil.rmtree(root / name)
    assert index.search("where are ferries mended", vectors[3], HYBRID) == before


def test_an_index_with_a_missing_part_is_one_line_with_the_command(build_small: BuildSmall) -> None:
    root, name = build_small(5)
    shutil.rmtree(root / name / "sections.lance")
    with pytest.raises(WorkspaceError, match="dragoman index") as caught:
        open_index(root)
    assert "\n" not in str(caught.value)


def test_an_index_without_its_full_text_part_is_refused(build_small: BuildSmall) -> None:
    root, name = build_small(5)
    shutil.rmtree(root / name / "chunks.lance" / "_indices")
    with pytest.raises(WorkspaceError, match="dragoman index"):
        open_index(root)
