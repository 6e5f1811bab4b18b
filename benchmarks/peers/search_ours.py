"""Dragoman's search by its library's door, as ``dragoman index`` builds and ``dragoman search`` asks.

In: chunks (``chunks.parquet`` beside the texts), questions. Out: ids, and how many of the exactly best are found. searchers.py
runs it in a process of its own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.config import ModelSettings
from dragoman.index.build import build_index
from dragoman.index.pointer import IndexMeta
from dragoman.index.search import open_index
from dragoman.models.opening import open_base
from dragoman.records import Chunk, Serving
from dragoman.tables import read_rows

TOP = 10
HYBRID, DENSE = Serving("base", "hybrid", 0.3), Serving("base", "dense")
_EQUAL = 1e-5  # similarities that differ by less are equal: the vectors are float32


class Ours:
    """The encoder that ``dragoman index`` opens, and an index as it builds one."""

    def __init__(self, model: str, data: Path) -> None:
        self._chunks = read_rows(data / "chunks.parquet", Chunk)
        self._encoder = open_base(ModelSettings(embedding=model), say=_say)
        self._fingerprint = self._encoder.fingerprint  # reading the weights for it is part of loading them

    def build(self, ids: Sequence[str], texts: Sequence[str], vectors: Any, folder: Path) -> None:  # noqa: ANN401
        """Encode, write the tables, open them."""
        made = self._encoder.encode(texts, "passage") if vectors is None else vectors
        meta = IndexMeta(self._fingerprint, "base", self._encoder.dimension, HYBRID, content="0" * 16)
        build_index(folder, self._chunks, made, meta)
        self._index = open_index(folder, fingerprint=self._fingerprint)
        self._row_of, self._kept = {name: row for row, name in enumerate(ids)}, folder.with_suffix(".npy")
        np.save(self._kept, made)  # for recall; held here, it would count as memory of ours

    def search(self, question: str) -> list[str]:
        """Ids of chunks."""
        hits = self._index.search(question, lambda: self._encoder.encode([question], "query")[0], HYBRID, top=TOP)
        return [hit.chunk.id for hit in hits]

    def recall(self, questions: Sequence[str]) -> float:
        """Of the ten most similar passages by a scan of the float32 vectors, the share that dense search gives."""
        right, vectors = 0, np.load(self._kept)
        for question in questions:
            vector = self._encoder.encode([question], "query")[0]
            exact = np.vecdot(vectors, vector)
            edge = np.sort(exact)[-TOP] if len(exact) > TOP else -1.0
            hits = self._index.search(question, vector, DENSE, top=TOP, collapse=False)
            right += sum(exact[self._row_of[hit.chunk.id]] >= edge - _EQUAL for hit in hits)
        return float(right / (min(TOP, len(self._row_of)) * len(questions)))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
