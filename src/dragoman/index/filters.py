"""Which rows a search may find: those of a source, of a version of the docs, of pages at a path.

In: a filter, the rows and what versions their sources describe. Out: a mask over the rows, or an error that
says what there is. Filtering comes before ranking, so that as many hits are found as without.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import UsageError
from dragoman.index.pointer import IndexMeta
from dragoman.index.rows import Rows
from dragoman.records import SearchFilter

Mask = NDArray[np.bool_]
_ANY = "all"
_SHOWN = 10  # folders that a message names
_MOST_RANGES = 64
_GLOB = re.compile(r"(\*\*/)|(\*\*)|(\*)|(\?)|(.)", re.DOTALL)
_MEANS = ("(?:.*/)?", ".*", "[^/]*", "[^/]")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Rows that may be found.

    ``ranges`` and ``section_ranges`` are first and last numbers that hold all of them, and perhaps some others between.
    """

    rows: Mask
    ranges: Sequence[tuple[int, int]]
    section_ranges: Sequence[tuple[int, int]]


def allowed(where: SearchFilter, rows: Rows, meta: IndexMeta) -> Allowed | None:
    """The rows that a filter lets pass.

    A source that is named is searched whatever version it describes, unless a version is named too.

    Args:
        where: The filter.
        rows: All rows.
        meta: Which versions the sources describe, and which is the latest.

    Returns:
        The rows; None when all pass.

    Raises:
        UsageError: The source or the version is unknown, or nothing passes.
    """
    sources = [name for name in rows.source_names if _source_passes(name, where, meta)]
    _check(where, rows, meta)
    mask = np.isin(rows.sources, [place for place, name in enumerate(rows.source_names) if name in sources])
    if where.path:
        pattern = _pattern(where.path)
        mask &= np.isin(rows.paths, [place for place, path in enumerate(rows.path_names) if pattern.fullmatch(path)])
    if mask.all():
        return None
    if not mask.any():
        raise UsageError(_nothing(where), expected=_there(where, rows, meta))
    return Allowed(mask, _ranges(mask), _ranges(np.bincount(rows.sections[mask]) > 0))


def _source_passes(name: str, where: SearchFilter, meta: IndexMeta) -> bool:
    if where.source and name != where.source:
        return False
    if where.version == _ANY or (not where.version and (where.source or not meta.latest)):
        return True
    label = meta.versions.get(name, "")
    return label == where.version if where.version else label in {"", meta.latest}


def _check(where: SearchFilter, rows: Rows, meta: IndexMeta) -> None:
    if where.source and where.source not in rows.source_names:
        raise UsageError(f"no source is called {where.source!r}", expected=_listed(rows.source_names))
    labels = sorted(set(meta.versions.values()))
    if where.version not in {"", _ANY, *labels}:
        there = _listed([*labels, _ANY]) if labels else "none: these docs say no version"
        raise UsageError(f"there is no version {where.version!r}", expected=there)


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names) if len(names) < 3 else ", ".join(names[:-1]) + f" or {names[-1]}"  # noqa: PLR2004


def _within(where: SearchFilter) -> str:
    return "".join(
        f" in the {kind} {name}" for kind, name in (("source", where.source), ("version", where.version)) if name
    )


def _nothing(where: SearchFilter) -> str:
    return f"no page is at {where.path!r}{_within(where)}" if where.path else f"there are no pages{_within(where)}"


def _there(where: SearchFilter, rows: Rows, meta: IndexMeta) -> str:
    if where.path:
        return f"a glob over {_folders(rows)}"
    labels = {name: meta.versions.get(name, "no version") for name in rows.source_names}
    return _listed([f"{name} ({label})" for name, label in labels.items()])


def _folders(rows: Rows) -> str:
    folders = list(
        dict.fromkeys(path.rpartition("/")[0] + "/**" if "/" in path else path for path in sorted(rows.path_names))
    )
    return ", ".join(folders[:_SHOWN]) + (" and more" if len(folders) > _SHOWN else "")


def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` and ``?`` stay within a folder, ``**`` goes through any; a folder's name with "/" is all that it holds."""
    whole = re.sub(r"(?:\*\*/)+", "**/", glob + "**" if glob.endswith("/") else glob)
    parts = (
        next(mean for mean, part in zip((*_MEANS, ""), found.groups(), strict=True) if part is not None)
        or re.escape(found.group())
        for found in _GLOB.finditer(whole)
    )
    return re.compile("".join(parts), re.DOTALL)


def _ranges(mask: Mask) -> list[tuple[int, int]]:
    """First and last numbers of the runs; where there are too many, the nearest ones are joined."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    firsts, lasts = edges[::2], edges[1::2] - 1
    gaps = firsts[1:] - lasts[:-1]
    if len(gaps) >= _MOST_RANGES:
        kept = np.sort(np.argpartition(gaps, -_MOST_RANGES + 1)[-_MOST_RANGES + 1 :])
        firsts, lasts = firsts[np.r_[0, kept + 1]], lasts[np.r_[kept, len(lasts) - 1]]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
