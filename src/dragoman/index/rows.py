"""The rows of a table as columns: a chunk is made of them when it is asked for.

In: an Arrow table with a column a field of a chunk. Out: chunks, and for each row its id, section, page and
source as numbers. 200,000 chunk objects would cost seconds and a gigabyte before the first question.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dragoman.records import Chunk

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.int64]


class Rows:
    """The chunks of a table, in the order they were built in.

    Args:
        table: A column a field of ``Chunk``.

    Attributes:
        ids: Id of each row's chunk.
        row_of: Row of each chunk's id.
        sections: Each row's section, numbered in order of appearance.
        sources: Each row's source, as a place in ``source_names``.
        source_names: The sources, in order of appearance.
        paths: Each row's path, as a place in ``path_names``.
        path_names: The paths, in order of appearance; sources may share one.
    """

    def __init__(self, table: "pa.Table") -> None:
        self._table = table.combine_chunks()  # rows taken from many pieces cost a copy of whole columns
        self.ids: list[str] = table["id"].to_pylist()
        self.row_of = {chunk_id: row for row, chunk_id in enumerate(self.ids)}
        self.sections, _ = _numbered(table["section"])
        self.sources, self.source_names = _numbered(table["source"])
        self.paths, self.path_names = _numbered(table["path"])

    def __len__(self) -> int:
        return len(self.ids)

    def chunks(self, rows: Iterable[int] | None = None) -> list[Chunk]:
        """The chunks of these rows, in their order; of all rows when none are named."""
        table = self._table if rows is None else self._table.take(np.fromiter(rows, dtype=np.int64))
        return [Chunk(**{**fields, "trail": tuple(fields["trail"])}) for fields in table.to_pylist()]

    def page_of(self, row: int) -> list[Chunk]:
        """All chunks of the row's page, in reading order."""
        rows = np.flatnonzero((self.paths == self.paths[row]) & (self.sources == self.sources[row]))
        return sorted(self.chunks(rows), key=lambda chunk: (chunk.start, chunk.id))

    def same_path(self, path: str) -> list[Chunk]:
        """All chunks of the pages at a path, in any source, in the order they were built in."""
        if path not in self.path_names:
            return []
        return self.chunks(np.flatnonzero(self.paths == self.path_names.index(path)))


def _numbered(column: "pa.ChunkedArray") -> tuple[Numbers, Sequence[str]]:
    """Distinct values in order of appearance, and each row's place among them."""
    encoded: Any = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()
