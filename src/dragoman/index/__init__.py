"""Index: chunks and their vectors in, a searchable table out.

``build_index`` writes a new table and swaps the pointer to it; ``open_index`` serves the table that the
pointer names. Importing this costs nothing: LanceDB is loaded when a table is written or opened.
"""

from dragoman.index.build import build_index, rollback
from dragoman.index.fusion import collapse, fuse
from dragoman.index.pointer import SCHEMA, IndexMeta
from dragoman.index.search import Index, open_index

__all__ = ["SCHEMA", "Index", "IndexMeta", "build_index", "collapse", "fuse", "open_index", "rollback"]
