"""Building: a new table for each build, and the pointer to it replaced last.

In: chunks, their vectors, what they were made with. Out: a table that readers switch to in one step.
A build that is killed leaves the old pointer on the old table. It does not encode or search.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from dragoman.errors import MissingArtefact, UsageError, WorkspaceError
from dragoman.index.lift import QuestionVectors
from dragoman.index.pointer import (
    MODEL,
    PARTIAL,
    RERANKER,
    IndexMeta,
    next_name,
    read_meta,
    read_pointer,
    tables,
    write_meta,
    write_pointer,
)
from dragoman.index.table import write_tables
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk


def build_index(
    root: Path,
    chunks: Sequence[Chunk],
    vectors: Vectors,
    meta: IndexMeta,
    *,
    questions: QuestionVectors | None = None,
    keep: int | None = 2,
    model: Path | None = None,
    reranker: Path | None = None,
) -> str:
    """Write a new table, serve it, and drop tables that are too old.

    One process builds at a time (the workspace's lock sees to it); any number may read.

    Args:
        root: The index folder; made if absent.
        chunks: The rows, in the order they are kept in.
        vectors: A vector a chunk, shape ``(len(chunks), meta.dimension)``; stored at length 1.
        meta: What the rows were made with.
        questions: Known questions with vectors of the same encoder, if they are to be searched.
        keep: Tables kept, the new one included; 1 or more. None: the caller prunes.
        model: Folder of the encoder, kept with the table so that a rollback brings back both; None keeps none.
        reranker: Folder of a cross-encoder, kept likewise.

    Returns:
        The table's name.

    Raises:
        UsageError: Chunks, vectors and ``meta`` do not fit together, or a model is not there.
        WorkspaceError: The folder cannot be written to.
    """
    unit = _unit(chunks, vectors, meta)
    if keep is not None and keep < 1:
        raise UsageError(f"keep = {keep}", expected="1 table or more")
    kept = {name: folder for name, folder in ((MODEL, model), (RERANKER, reranker)) if folder is not None}
    for what, folder in kept.items():
        if not folder.is_dir():
            raise UsageError(f"there is no {what} in {folder}", expected="the folder of one")
    name = next_name(root, meta.content)
    beside = root / (name + PARTIAL)
    try:
        root.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(root)
        write_tables(beside, chunks, unit, questions)
        for what, folder in kept.items():
            shutil.copytree(folder, beside / what, copy_function=_link)
        write_meta(beside, meta)
        beside.rename(root / name)
        before = _served_before(root)
        write_pointer(root, name)
        if keep is not None:
            _remove_old(root, [name, before], keep)
    except OSError as error:
        raise WorkspaceError(f"cannot write the index {root}: {error}") from error
    return name


def rollback(root: Path) -> str:
    """Serve the table that was built before the served one.

    Args:
        root: The index folder.

    Returns:
        The name of the table that is served now.

    Raises:
        MissingArtefact: There is no index, or no older table.
        WorkspaceError: The older table is damaged, or the pointer cannot be written.
    """
    current = read_pointer(root)
    names = tables(root)
    older = names[: names.index(current)] if current in names else names
    if not older:
        raise MissingArtefact(f"no table older than {current} in {root}", hint="Build one with: dragoman index")
    read_meta(root, older[-1])
    try:
        write_pointer(root, older[-1])
    except OSError as error:
        raise WorkspaceError(f"cannot write to {root}: {error}") from error
    return older[-1]


def _unit(chunks: Sequence[Chunk], vectors: Vectors, meta: IndexMeta) -> Vectors:
    if not chunks:
        raise UsageError("no chunks to index", expected="one or more")
    if vectors.shape != (len(chunks), meta.dimension):
        expected = f"{len(chunks)} vectors of {meta.dimension} numbers, one a chunk"
        raise UsageError(f"the vectors have the shape {vectors.shape}", expected=expected)
    if len({chunk.id for chunk in chunks}) < len(chunks):
        raise UsageError("two chunks have the same id", expected="each chunk once")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)) or not np.all(lengths):
        raise UsageError("a vector is zero or not finite", expected="vectors that have a direction")
    unit: Vectors = np.ascontiguousarray(vectors / lengths, dtype=np.float32)
    return unit


def _link(source: str, target: str) -> str:
    """A second name for a file where the disk can give one (and not for a link, which may lead nowhere from here)."""
    try:
        os.link(Path(source).resolve(), target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _remove_leftovers(root: Path) -> None:
    for path in root.glob(f"*{PARTIAL}"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _served_before(root: Path) -> str:
    try:
        return read_pointer(root)
    except WorkspaceError:
        return ""


def _remove_old(root: Path, served: Sequence[str], keep: int) -> None:
    """Keep the tables that are and were served, then the newest: after a rollback, the good one stays."""
    names = [name for name in reversed(tables(root)) if name not in served]
    kept = [name for name in served if (root / name).is_dir()]
    _remove(root, [*kept, *names][keep:])


def prune(root: Path, kept: Collection[str]) -> None:
    """Remove tables that nobody will go back to.

    Args:
        root: The index folder.
        kept: Names of the tables that stay.

    Raises:
        WorkspaceError: A table cannot be removed.
    """
    try:
        _remove(root, [name for name in tables(root) if name not in kept])
    except OSError as error:
        raise WorkspaceError(f"cannot remove an old table of {root}: {error}") from error


def _remove(root: Path, names: Iterable[str]) -> None:
    for name in names:
        if not (root / name).is_dir():
            continue
        # Out of sight first: a rollback must not find half of it, if this is where the process dies.
        gone = (root / name).rename(root / (name + PARTIAL))
        shutil.rmtree(gone)
