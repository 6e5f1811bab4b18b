"""What git's own files tell about a folder: the commit that is checked out, and the repository it came from.

In: a folder on this machine. Out: a ``Worktree``, or ``None``. It reads a few small files of ``.git`` and never runs git, which
would run what a stranger's repository configures.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOST = 2**20  # bytes read of a small file
_MOST_INDEX = 64 * 2**20
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"refs/[\w./@+-]+")
_ORIGIN = re.compile(r'\[remote "origin"\][^\n]*\n(?P<lines>(?:[ \t]*(?:[^\[\s][^\n]*)?\n)*)')
_URL = re.compile(r"^[ \t]*url[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_ADDRESS = re.compile(
    r"(?:\w[\w+.-]*://(?:[^@/\s]*@)?(?P<host>[\w.-]+)(?::\d+)?/|(?:[^@/\s:]*@)?(?P<scp>[\w.-]+):)(?P<path>[\w./~-]+)"
)
_INDEX_WITH_WHOLE_PATHS: Final = (2, 3)
_LENGTH = 0xFFF


@dataclass(frozen=True, slots=True)
class Worktree:
    """A checked out repository.

    ``commit`` is "" when it cannot be told, or does not hold the folder that was asked about. ``repository`` is the path of its
    origin (``owner/repo``), ``host`` the origin's host; both are "" without one.
    """

    top: Path
    commit: str
    repository: str
    host: str


def worktree_of(folder: Path, top: Path) -> Worktree | None:
    """Read what git knows about a folder.

    Args:
        folder: The folder.
        top: The folder itself or one above it, where ``.git`` may be.

    Returns:
        What was found; ``None`` when ``top`` is no work tree.
    """
    git = top / ".git"
    if git.is_file():  # a submodule, or one of several work trees
        pointer = _text(git).removeprefix("gitdir:").strip()
        git = top / pointer if pointer and "\0" not in pointer else git
    if not (git / "HEAD").is_file():
        return None
    shared = _text(git / "commondir").strip()
    common = git / shared if shared and "\0" not in shared else git
    host, repository = _origin(_text(common / "config"))
    commit = _commit(git, common) if _is_tracked(git / "index", folder.relative_to(top).as_posix()) else ""
    return Worktree(top, commit, repository, host)


def _text(file: Path, most: int = _MOST) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(most).decode("utf-8", "replace")
    except OSError:
        return ""


def _commit(git: Path, common: Path) -> str:
    head = _text(git / "HEAD").strip()
    name = head.removeprefix("ref:").strip()
    if head.startswith("ref:"):
        if not _REF.fullmatch(name) or ".." in name:
            return ""
        head = _text(git / name).strip() or _text(common / name).strip() or _packed(common, name)
    return head if _COMMIT.fullmatch(head) else ""


def _packed(common: Path, name: str) -> str:
    lines = (line.partition(" ") for line in _text(common / "packed-refs", _MOST_INDEX).split("\n"))
    return next((commit for commit, _, ref in lines if ref.strip() == name), "")


def _origin(config: str) -> tuple[str, str]:
    """Host and path of the origin, without ``.git``."""
    section = _ORIGIN.search(config + "\n")
    url = _URL.search(section["lines"]) if section else None
    match = _ADDRESS.fullmatch(url[1]) if url else None
    if match is None:
        return "", ""
    return (match["host"] or match["scp"]).lower(), match["path"].strip("/").removesuffix(".git")


def _is_tracked(index: Path, folder: str) -> bool:
    """Whether git keeps files of a folder; the address of one that it ignores would lead nowhere."""
    if folder == ".":
        return True
    try:
        with index.open("rb") as file:
            data = file.read(_MOST_INDEX)
    except OSError:
        return False
    if int.from_bytes(data[4:8], "big") not in _INDEX_WITH_WHOLE_PATHS:
        return True
    name = folder.encode("utf-8", "surrogateescape") + b"/"
    place = data.find(name)
    while place >= 0:
        # The length of a path stands before it, with two more bytes between in newer entries: so this is a whole path.
        length = data.find(b"\0", place) - place
        if any(int.from_bytes(data[place - gap : place - gap + 2], "big") & _LENGTH == length for gap in (2, 4)):
            return True
        place = data.find(name, place + 1)
    return False
