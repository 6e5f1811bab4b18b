"""Known questions raise their chunks, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from dragoman.index import IndexMeta, build_index, open_index
from dragoman.index.lift import lift, question_vectors
from dragoman.models.encoder import HashEncoder
from dragoman.records import Chunk, Serving


def test_a_chunk_rises_to_the_mean_with_its_nearest_question() -> None:
    passages = np.array([[0.2, 0.5, 0.1]], dtype=np.float32)
    questions = np.array([[0.4, 0.8, 0.3]], dtype=np.float32)
    raised = lift(passages, questions, np.array([0, 0, 1]))
    assert raised == pytest.approx(np.array([[0.5, 0.5, 0.1]]))


def test_without_questions_nothing_changes() -> None:
    passages = np.array([0.3, -0.2], dtype=np.float32)
    assert (lift(passages, np.zeros(0), np.zeros(0, dtype=np.int64)) == passages).all()


def test_a_question_left_out_raises_nothing() -> None:
    passages = np.array([0.3, -0.2], dtype=np.float32)
    raised = lift(passages, np.array([-np.inf, 0.9]), np.array([0, 1]))
    assert raised == pytest.approx(np.array([0.3, 0.35]))


def test_questions_are_sorted_by_the_row_of_their_chunk() -> None:
    vectors = np.eye(3, dtype=np.float32)
    questions = question_vectors(["b", "a", "b"], vectors, {"a": 0, "b": 1})
    assert questions.owners.tolist() == [0, 1, 1]
    assert (questions.vectors == vectors[[1, 0, 2]]).all()


def test_an_index_finds_a_chunk_by_a_question_in_other_words(tmp_path: Path) -> None:
    encoder = HashEncoder()
    texts = ("alpha beta gamma delta", "red green blue yellow")
    chunks = [_chunk(name, text) for name, text in zip("ab", texts, strict=True)]
    known = question_vectors(["b"], encoder.encode(["which colours are there"], "query"), {"a": 0, "b": 1})
    meta = IndexMeta(encoder.fingerprint, "base", encoder.dimension, Serving("base", "dense", questions=True), "c")
    build_index(tmp_path, chunks, encoder.encode(texts, "passage"), meta, questions=known)
    index = open_index(tmp_path)
    vector = encoder.encode(["which colours are there"], "query")[0]
    plain = dict(index.dense(vector, 2))
    lifted = dict(index.dense(vector, 2, questions=True))
    assert plain["b"] == pytest.approx(0.0, abs=0.3)
    assert lifted["b"] == pytest.approx((plain["b"] + 1) / 2, abs=1e-4)
    assert lifted["a"] == pytest.approx(plain["a"])
    assert index.search("which colours are there", vector, meta.serving)[0].chunk.id == "b"


def _chunk(name: str, text: str) -> Chunk:
    return Chunk(name, "docs", "page.md", "Page", ("Page",), name, text, f"Page\n{text}", 0, len(text), 1, 1, 8, "")
