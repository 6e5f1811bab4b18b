"""One table as it is held in memory, opened from the folder that the pointer names.

In: the index folder. Out: the table's rows, vectors and full-text search, whole and checked. A reader that opens while
tables are swapped gets one or the other. It does not rank.
"""

from dataclasses import dataclass, field
from pathlib import Path

from dragoman.errors import WorkspaceError
from dragoman.index.filters import Allowed, allowed
from dragoman.index.near import Near
from dragoman.index.pointer import IndexMeta, read_meta, read_pointer
from dragoman.index.rows import Rows
from dragoman.index.table import Tables
from dragoman.records import SearchFilter

_MOST_FILTERS = 64  # remembered; a mask of 200,000 rows takes 200 kB


@dataclass(frozen=True, slots=True)
class Served:
    """One table; replaced as a whole when the pointer moves."""

    name: str
    folder: Path
    meta: IndexMeta
    tables: Tables
    rows: Rows
    near: Near
    _filters: dict[SearchFilter, tuple[Allowed | None]] = field(default_factory=dict)

    def allowed(self, where: SearchFilter) -> Allowed | None:
        """The rows that a filter lets pass, None for all; worked out once for each filter.

        Raises:
            UsageError: The filter names what there is not.
        """
        known = self._filters.get(where)  # in one step: another thread may empty it
        if known is None:
            if len(self._filters) >= _MOST_FILTERS:
                self._filters.clear()
            known = self._filters[where] = (allowed(where, self.rows, self.meta),)
        return known[0]


def load(root: Path, fingerprint: str | None) -> Served:
    """Open the table that the pointer names.

    Args:
        root: The index folder.
        fingerprint: Of the encoder whose vectors will be asked with; ``None`` accepts any.

    Returns:
        The table, loaded.

    Raises:
        MissingArtefact: No index was built there.
        WorkspaceError: The index is damaged, of another layout, or made with another encoder.
    """
    name = read_pointer(root)
    while True:
        try:
            return _open(root, name, fingerprint)
        except WorkspaceError:
            if (now := read_pointer(root)) == name:
                raise
            name = now  # swapped, and the former removed, while it was being opened


def _open(root: Path, name: str, fingerprint: str | None) -> Served:
    meta = read_meta(root, name)
    if fingerprint is not None and fingerprint != meta.fingerprint:
        happened = f"the index {name} was made with the {meta.model} model {meta.fingerprint}"
        raise WorkspaceError(
            happened, expected=f"the model at hand, {fingerprint}", hint="Rebuild it with: dragoman index"
        )
    tables = Tables(root / name)
    return Served(name, root / name, meta, tables, tables.rows(), Near(tables.vectors(), tables.questions()))
