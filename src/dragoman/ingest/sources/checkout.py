"""Trees of repositories that lie on this machine, kept by commit, and the folder of one that holds its docs.

In: a folder of the cache, commits and the refs they were had by. Out: which commit a ref was last, where its files lie, and the
``FetchedSource`` to read. It asks nobody, and does not know how a tree was had.
"""

import difflib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from dragoman.errors import SourceError
from dragoman.ingest.sources.address import inside, is_commit
from dragoman.ingest.sources.left_out import left_out_below
from dragoman.ingest.sources.spec import FetchedSource, Say, SourceSpec
from dragoman.records import Rejected

USUAL_FOLDERS: Final = ("docs", "doc", "documentation", "website/docs", "site/docs")

_DOCUMENTS = (".md", ".markdown", ".mdx", ".rst", ".ipynb", ".html")  # beside code, .txt files are word lists
_MOST_FOLDERS = 5000  # looked through for one that a misspelt name may mean
_SHOWN = 12
_SHOWN_LINKS = 3
_SHORT = 7  # digits of a commit that are shown


@dataclass(frozen=True, slots=True)
class Kept:
    """A commit that lies in the cache; ``ref`` is the branch or tag it was had by, "" when its name is not known."""

    commit: str
    ref: str
    base: Path


class Shelf:
    """The place of one repository in the cache: a folder a commit, and a note of each ref."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, commit: str) -> Path:
        """Where the tree of a commit lies, or is to be put."""
        return self.folder / commit

    def recall(self, asked: str) -> Kept | None:
        """The commit that a ref was when it was last looked up ("" for the default branch), if its tree is still here."""
        if is_commit(asked):
            return Kept(asked, asked, self.place(asked)) if self.place(asked).is_dir() else None
        try:
            note = json.loads(self._note(asked).read_text(encoding="utf-8"))
            commit, ref = str(note["commit"]), str(note["ref"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        place = self.place(commit)
        return Kept(commit, ref, place) if is_commit(commit) and place.is_dir() else None

    def remember(self, asked: str, commit: str, ref: str) -> Kept:
        """Note which commit a ref is now."""
        if not is_commit(asked):
            note = self._note(asked)
            try:
                beside = note.with_name(f".{note.name}.{os.getpid()}")
                beside.write_text(json.dumps({"asked": asked, "commit": commit, "ref": ref}), encoding="utf-8")
                beside.replace(note)
            except OSError as error:
                raise SourceError(f"cannot write to the cache {self.folder}: {error}") from error
        return Kept(commit, ref, self.place(commit))

    def _note(self, asked: str) -> Path:
        # A ref may hold what a file system does not tell apart or allow.
        return self.folder / f"ref-{hashlib.sha256(asked.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}.json"


def short(commit: str) -> str:
    """A commit as it is shown."""
    return commit[:_SHORT]


def put(folder: Path, place: Path) -> None:
    """Move a finished tree to its place; when another process was faster, its tree stays.

    Raises:
        OSError: It cannot be moved.
    """
    try:
        folder.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def tell_left_out(rows: Sequence[Rejected], say: Say) -> None:
    """Say what of a tree is not kept: links, and names that not every disk can hold."""
    if rows:
        some = ", ".join(row.item for row in rows[:_SHOWN_LINKS]) + (", ..." if len(rows) > _SHOWN_LINKS else "")
        say(f"left out {len(rows)} links and names that not every disk can hold: {some}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a tree came from: its label without folder, its repository, and the address of a file up to its path."""

    label: str
    repository: str
    pages: str = ""
    hint: str = ""  # what to try when a folder is not in the tree


def as_source(spec: SourceSpec, kept: Kept, folder: str, origin: Origin, say: Say) -> FetchedSource:
    """The folder of a tree to read.

    Args:
        spec: How the source was named.
        kept: The tree.
        folder: A folder or a file in it; "" takes the first of ``USUAL_FOLDERS`` that holds documents, else all.
        origin: Where the tree came from.
        say: Told which folder was taken when none was named.

    Returns:
        The source; of a single file, its folder with only that file.

    Raises:
        SourceError: There is no such folder; those that may be meant are named.
    """
    folder = inside(folder, origin.label)
    label = f"{origin.label}:{folder}" if folder else origin.label
    if not folder:
        folder = next((usual for usual in USUAL_FOLDERS if _holds_documents(kept.base / usual)), "")
        say(f"{label}: reading {f'the folder {folder}' if folder else 'the whole repository'}")
    root, files = kept.base / folder, tuple[str, ...]()
    if folder and root.is_file():
        folder, _, name = folder.rpartition("/")
        root, files = root.parent, (name,)
    elif not root.is_dir():
        raise SourceError(
            f"{origin.label} has no folder '{folder}'", expected=_near(kept.base, folder), hint=origin.hint
        )
    below = f"{quote(folder)}/" if folder else ""
    return FetchedSource(
        label=label,
        root=root,
        base=kept.base,
        revision=kept.commit,
        ref=kept.ref,
        files=files,
        page_url=f"{origin.pages}/{below}{{path}}" if origin.pages else "",
        repository=origin.repository,
        settings=spec.settings,
        left_out=() if files else left_out_below(kept.base, root),
    )


def _holds_documents(folder: Path) -> bool:
    return any(name.lower().endswith(_DOCUMENTS) for _, _, names in os.walk(folder) for name in names)


def _near(base: Path, folder: str) -> str:
    folders = [path for path, _ in zip(_folders(base), range(_MOST_FOLDERS), strict=False)]
    name = folder.rpartition("/")[2].lower()
    near = [path for path in folders if path.rpartition("/")[2].lower() == name]
    near = near or difflib.get_close_matches(folder, folders, n=5, cutoff=0.6)
    listed = (near or sorted(path for path in folders if "/" not in path))[:_SHOWN]
    return f"one of its folders ({', '.join(listed)})" if listed else "no folder: it has none"


def _folders(base: Path) -> Iterator[str]:
    for parent, names, _ in os.walk(base):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield from ((Path(parent) / name).relative_to(base).as_posix() for name in names)
