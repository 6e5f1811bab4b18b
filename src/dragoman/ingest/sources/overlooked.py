"""Tells of a folder that is skipped by its name but holds far more pages than what is read.

In: a source that was published by others, and lies on this machine. Out: a line that names the folder, and how it is read.
Some packages keep their docs where programs look (``.docs``), or beside what was built (``dist/docs``). It opens no file.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dragoman.ingest.select import BUILT, DOCUMENT_SUFFIXES, select
from dragoman.ingest.sources.local import walk
from dragoman.ingest.sources.spec import FetchedSource, Say

_PAGES: Final = (".md", ".markdown", ".mdx", ".rst", ".ipynb")
_NO_DOCS: Final = frozenset(
    (".git", ".github", ".gitlab", ".changeset", ".yarn", ".venv", ".tox", ".vscode", "node_modules")
)
_DOCS: Final = frozenset(("docs", "doc", "documentation"))
_FEW = 10  # pages that are worth no line
_TIMES = 2
_NEARLY_ALL = 0.9


def tell_overlooked(source: FetchedSource, name: str, say: Say) -> None:
    """Say which skipped folder may be the one that is meant.

    Args:
        source: As it is read; the user named no folder of it.
        name: What the source is called when it is named again, to which ``:folder`` is added.
        say: Called with a line, where there is such a folder.
    """
    base = source.base or source.root
    read = len(select(source.files or tuple(_walked(source.root)), source.settings).kept)
    skipped: dict[str, list[str]] = {}
    for folder, path in _skipped(base):
        skipped.setdefault(folder, []).append(path)
    largest = max(skipped, key=lambda folder: (len(skipped[folder]), folder), default="")
    pages = skipped.get(largest, [])
    if len(pages) < _FEW or len(pages) <= _TIMES * read:
        return
    folder, count = _gathered(largest, pages)
    why = "is hidden" if Path(largest).name.startswith(".") else "has the name of a build folder"
    documents = "1 document is" if read == 1 else f"{read} documents are"
    say(f"{source.label}: {documents} read; {folder}/ {why}, and holds {count}: to read it, name {name}:{folder}")


def _walked(root: Path) -> Iterator[str]:
    for entry in walk(root):
        if isinstance(entry, os.DirEntry) and entry.name.lower().endswith(DOCUMENT_SUFFIXES):
            yield Path(entry.path).relative_to(root).as_posix()


def _skipped(base: Path) -> Iterator[tuple[str, str]]:
    """Each page that lies in a hidden or a build folder, after the topmost such folder."""
    for place, folders, names in os.walk(base):
        folders[:] = [name for name in folders if name.lower() not in _NO_DOCS]
        parts = Path(place).relative_to(base).parts
        depth = next((d for d, part in enumerate(parts, start=1) if part.startswith(".") or part.lower() in BUILT), 0)
        if depth:
            for name in names:
                if name.lower().endswith(_PAGES):
                    yield "/".join(parts[:depth]), "/".join((*parts, name))


def _gathered(folder: str, pages: Sequence[str]) -> tuple[str, int]:
    """The folder in which nearly all of the pages are, and their number there."""
    while folder.rpartition("/")[2].strip("._").lower() not in _DOCS:
        start = len(folder) + 1
        below = Counter(page[start:].partition("/")[0] for page in pages if "/" in page[start:])
        name, count = max(below.items(), key=lambda pair: (pair[1], pair[0]), default=("", 0))
        if count < _NEARLY_ALL * len(pages):
            break
        folder = f"{folder}/{name}"
        pages = [page for page in pages if page.startswith(f"{folder}/")]
    return folder, len(pages)
