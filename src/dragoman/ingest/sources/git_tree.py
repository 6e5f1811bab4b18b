"""Writes the tree of a commit as plain files: no checkout, so no filter, hook, link or submodule of it acts.

In: a bare repository and a commit. Out: a folder that is complete or absent. What may be written is judged as for an archive.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from dragoman.errors import SourceError
from dragoman.ingest.sources.checkout import put
from dragoman.ingest.sources.git_command import Git, GitRefused
from dragoman.ingest.sources.members import Gate, Limits, Refused, shown
from dragoman.records import Rejected

REPOSITORY: Final = "fetched.git"  # the bare repository, in the folder that git works in

_SECONDS = 600.0
_PIECE = 2**20
_PLAIN = ("100644", "100755", "100664")  # the last is of very old repositories
_TARGETS = {"commit": "another repository, as a submodule"}
_LONGEST_ENTRY = 2**16  # bytes of a path and what stands before it


@dataclass(frozen=True, slots=True)
class _File:
    path: PurePosixPath
    name: str  # git's name for the content
    size: int


def export_tree(git: Git, commit: str, place: Path, limits: Limits) -> tuple[Rejected, ...]:
    """Write the files of a commit.

    Args:
        git: With the commit in its ``REPOSITORY``.
        commit: The full hash.
        place: The folder to make, beside the folder that git works in.
        limits: How large the tree may be.

    Returns:
        What was left out: links, submodules, and names that not every disk can hold.

    Raises:
        SourceError: The tree is unsafe or too large.
        GitRefused: git failed.
        OSError: The disk refused.
    """
    # No ratio to a packed size is known here: the limits alone hold.
    gate = Gate(limits, limits.total_bytes, "skip")
    try:
        files = list(_listed(git, commit, gate))
    except Refused as error:
        expected = f"at most {limits.members} files and {limits.total_bytes / 1_000_000:.0f} MB in all"
        hint = "To allow more: max_files and max_total_mb of [ingest]."
        raise SourceError(f"{git.address} at {commit[:7]} refused: {error}", expected=expected, hint=hint) from None
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=place.parent) as beside:
        tree = Path(beside) / "tree"
        tree.mkdir()
        _write(git, files, tree)
        put(tree, place)
    return tuple(gate.left_out)


def _listed(git: Git, commit: str, gate: Gate) -> Iterator[_File]:
    arguments = (f"--git-dir={REPOSITORY}", "ls-tree", "-r", "-z", "--long", "--full-tree", commit)
    with git.stream(*arguments, seconds=_SECONDS) as output:
        for entry in _entries(output):
            # "<mode> <type> <name> <size, padded>\t<path>"
            facts, _, raw = entry.partition(b"\t")
            mode, kind, name, size = facts.decode("ascii").split()
            try:
                path = raw.decode("utf-8")
            except UnicodeDecodeError:
                gate.leave_out(raw.decode("utf-8", "backslashreplace"), "file name not UTF-8")
                continue
            plain = kind == "blob" and mode in _PLAIN and ".git" not in path.lower().split("/")
            admitted = gate.admit(path, "file" if plain else "link", int(size) if plain else 0, _TARGETS.get(kind, ""))
            if admitted is not None:
                yield _File(admitted, name, int(size))


def _entries(output: IO[bytes]) -> Iterator[bytes]:
    """The entries of a list, each ended by a NUL; read as they come, since a tree can be made to list without end."""
    rest = b""
    while piece := output.read(_PIECE):
        *whole, rest = (rest + piece).split(b"\0")
        yield from whole
        if len(rest) > _LONGEST_ENTRY:
            raise Refused("it holds a name without end")


def _write(git: Git, files: list[_File], tree: Path) -> None:
    with tempfile.TemporaryFile() as wanted:
        wanted.write("".join(f"{file.name}\n" for file in files).encode("ascii"))
        wanted.seek(0)
        with git.stream(f"--git-dir={REPOSITORY}", "cat-file", "--batch", seconds=_SECONDS, given=wanted) as output:
            for file in files:
                answer = output.readline(200).split()
                if answer != [file.name.encode("ascii"), b"blob", str(file.size).encode("ascii")]:
                    raise GitRefused(f"{git.address}: the content of {shown(str(file.path))} is missing")
                path = tree / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as target:
                    _copy(output, target, file.size)
                output.read(1)  # the end of the line


def _copy(output: IO[bytes], target: IO[bytes], size: int) -> None:
    while size:
        piece = output.read(min(size, _PIECE))
        if not piece:
            raise GitRefused("git breaks off in the middle of a file")
        target.write(piece)
        size -= len(piece)
