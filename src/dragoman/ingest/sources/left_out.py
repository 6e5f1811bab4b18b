"""What of a tree was not brought into the cache, noted beside it: who reads it from there later shall be told, too.

In: a tree of the cache, and the links and names that were left out as it came. Out: those below the folder that is read.
It judges nothing, and knows neither archives nor git.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from dragoman.records import Rejected


def note_left_out(tree: Path, rows: Sequence[Rejected]) -> None:
    """Note beside a tree what was left out of it.

    Args:
        tree: A folder of the cache.
        rows: By their paths in the tree; without any, no note is made.

    Raises:
        OSError: It cannot be written.
    """
    if rows:
        note = _note(tree)
        beside = note.with_name(f".{note.name}.{os.getpid()}")
        beside.write_text(json.dumps([[row.item, row.reason, row.detail] for row in rows]), encoding="utf-8")
        beside.replace(note)


def left_out_below(tree: Path, root: Path) -> tuple[Rejected, ...]:
    """What was left out of a folder of a tree.

    Args:
        tree: A folder of the cache.
        root: The folder that is read; the tree, or below it.

    Returns:
        By their paths below ``root``; hidden ones and packages are not among them, as they are never read.
    """
    return tuple(sorted(_below(tree, root), key=lambda row: row.item))


def _below(tree: Path, root: Path) -> Iterator[Rejected]:
    folder = root.relative_to(tree).as_posix()
    try:
        noted = [Rejected("ingest", *map(str, row)) for row in json.loads(_note(tree).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, RecursionError):
        return
    for row in noted:
        path = PurePosixPath(row.item)
        if path.is_relative_to(folder):
            below = path.relative_to(folder)
            if below.parts and not any(part.startswith(".") or part == "node_modules" for part in below.parts):
                yield replace(row, item=below.as_posix())


def _note(tree: Path) -> Path:
    return tree.with_name(f"{tree.name}.left-out.json")
