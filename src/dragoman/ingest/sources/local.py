"""Folders, files and archives on this machine.

In: a path as it was typed. Out: the folder to read, the project that it lies in, and the commit that is checked out. Nothing
above the project is ever looked at for content, and no document is read.
"""

import difflib
import glob
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.select import select
from dragoman.ingest.sources.archive import Limits, unpack
from dragoman.ingest.sources.left_out import left_out_below, note_left_out
from dragoman.ingest.sources.members import shown
from dragoman.ingest.sources.spec import ACCEPTED, FetchedSource, Say, SourceSpec
from dragoman.ingest.sources.worktree import Worktree, worktree_of

_HIGHEST: Final = 4  # folders above the docs that may be the project's
_HIGHEST_WORKTREE: Final = 8
_PROJECT: Final = (
    "mkdocs.y*ml",
    "docusaurus.config.*",
    ".vitepress",
    "pyproject.toml",
    "setup.py",
    "package.json",
    ".git",
)
_SHOWN = 5


def fetch_local(spec: SourceSpec, cache: Path, say: Say) -> FetchedSource:
    """Find a folder or a file.

    Args:
        spec: The path as typed. A folder that is named like an archive is a folder.
        cache: Where an archive is unpacked.
        say: Called with a line about what is unpacked.

    Returns:
        The folder, labelled with its own name; of a file, its folder with only that file.

    Raises:
        SourceError: There is no such folder or file, or an archive is unsafe, damaged or too large.
    """
    path = _absolute(spec)
    try:
        if path.is_dir():
            return _in_project(FetchedSource(path.name, path, repository=path.name, settings=spec.settings))
        if path.is_file():
            if spec.kind == "archive":
                return _unpacked(spec, path, cache, say)
            named = admitting(spec.settings, [path.name])
            folder = path.parent
            source = FetchedSource(folder.name, folder, files=(path.name,), repository=folder.name, settings=named)
            return _in_project(source)
        exists = path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(f"cannot look at '{spec.text}': {error}", expected=ACCEPTED) from error
    if exists:
        raise SourceError(f"'{spec.text}' is neither a folder nor a plain file", expected=ACCEPTED)
    raise SourceError(f"there is no '{spec.text}'", expected=ACCEPTED, hint=_meant(path, spec.location))


def place_of(spec: SourceSpec) -> tuple[str, ...]:
    """The folders that lead to a local source, from the top: its parents tell it from others of its name."""
    path = _absolute(spec)
    if spec.kind == "archive" and not path.is_dir():
        return (*path.parts[1:-1], f"{path.name}:{spec.folder}" if spec.folder else path.name)
    return (path.parent if path.is_file() else path).parts[1:]


def admitting(settings: IngestSettings, files: Sequence[str], *, others: bool = False) -> IngestSettings:
    """Settings under which files that the user named one by one are read, even a changelog.

    Args:
        settings: The settings of their source.
        files: Paths relative to the source.
        others: Whether other files of the folder are read, too; then what ``exclude`` says holds for these as well.

    Returns:
        The same settings where they admit the files already.
    """
    if not select(files, settings).rejected:
        return settings
    named = tuple("/" + glob.escape(file) for file in sorted(files))
    if others:
        return settings.model_copy(update={"include": (*(settings.include or ("**",)), *named)})
    return settings.model_copy(update={"include": named, "exclude": ()})


def walk(root: Path) -> Iterator[os.DirEntry[str] | OSError]:
    """Everything below a folder but hidden entries, ``node_modules`` and workspaces; links are not followed.

    Args:
        root: The folder.

    Yields:
        An entry for each file and each link, or the error of a folder that cannot be listed
        (its ``filename`` tells which). In no order.
    """
    top = os.fspath(root)
    folders = [top]  # a list, not a recursion: folders may be nested deeper than Python's stack
    while folders:
        try:
            folder = folders.pop()
            with os.scandir(folder) as entries:
                listed = list(entries)
        except OSError as error:
            yield error
            continue
        # What was made from these docs, and what was fetched for it, would be read as docs the next time.
        if folder != top and _is_workspace(listed):
            continue
        for entry in listed:
            if entry.name.startswith(".") or entry.name == "node_modules":
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry


def _is_workspace(listed: Sequence[os.DirEntry[str]]) -> bool:
    folders = {entry.name for entry in listed if entry.name in {"sources", "ingest"} and entry.is_dir()}
    return bool(folders) and any(entry.name == "workspace.json" for entry in listed)


def _absolute(spec: SourceSpec) -> Path:
    try:
        return Path(os.path.abspath(Path(spec.location).expanduser()))  # noqa: PTH100 - resolve() would rename links
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(f"cannot look at '{spec.text}': {error}", expected=ACCEPTED) from error


def _in_project(source: FetchedSource) -> FetchedSource:
    above = list(_above(source.root))
    # What a folder under /tmp or in the home folder happens to lie beside is no part of its docs.
    base = next((folder for folder in above[: _HIGHEST + 1] if _is_project(folder)), source.root)
    trees = (worktree_of(source.root, folder) for folder in above)
    tree = next((found for found in trees if found), None)
    if tree is None:
        return replace(source, base=None if base == source.root else base)
    return replace(
        source,
        base=None if base == source.root else base,
        revision=tree.commit,
        page_url=_page_url(tree, source.root),
        repository=tree.repository or source.repository,
    )


def _above(folder: Path) -> Iterator[Path]:
    """A folder and those above it that may be a project: not the home folder, what that lies in, or ``/tmp``."""
    homes = {Path.home(), *Path.home().parents}
    homes |= {home.resolve() for home in homes} | {Path(folder.anchor)}
    for step, each in enumerate((folder, *folder.parents)):
        if step > _HIGHEST_WORKTREE or each in homes or each.resolve() in homes or each.stat().st_mode & stat.S_ISVTX:
            return
        yield each


def _is_project(folder: Path) -> bool:
    try:
        return any(next(folder.glob(pattern), None) is not None for pattern in _PROJECT)
    except OSError:
        return False


def _page_url(tree: Worktree, root: Path) -> str:
    if tree.host not in {"github.com", "www.github.com", "ssh.github.com"} or not tree.commit:
        return ""
    below = root.relative_to(tree.top).as_posix()
    steps = [tree.repository, "blob", tree.commit, *([] if below == "." else [quote(below)]), "{path}"]
    return "/".join(["https://github.com", *steps])


def _unpacked(spec: SourceSpec, path: Path, cache: Path, say: Say) -> FetchedSource:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    tree = cache / "archives" / digest[:32]
    if not tree.is_dir():
        left_out = unpack(path, tree, Limits.of(spec.settings), links="skip")
        if left_out:
            note_left_out(tree, left_out)
            names = ", ".join(shown(row.item) for row in left_out[:_SHOWN])
            more = f" and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
            say(f"{path.name}: links or doubtful names left out: {names}{more}")
    base = _top(tree)
    root = base / spec.folder
    # In the archive's own spelling, its one top folder stands before the others.
    if not root.is_dir() and (tree / spec.folder).is_relative_to(base):
        root = tree / spec.folder
    if not root.is_dir():
        folders = sorted(entry.name for entry in base.iterdir() if entry.is_dir())
        expected = f"one of its folders ({', '.join(folders)})" if folders else "no folder: it has none"
        raise SourceError(f"{spec.text}: the archive has no folder '{spec.folder}'", expected=expected)
    label = f"{path.name}:{spec.folder}" if spec.folder else path.name
    left_out = left_out_below(tree, root)
    return FetchedSource(label, root, base, repository=path.name, settings=spec.settings, left_out=left_out)


def _top(tree: Path) -> Path:
    """The one folder that an archive holds, by custom; else the tree itself."""
    entries = [entry for entry in tree.iterdir() if not entry.name.startswith(".") and entry.name != "__MACOSX"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else tree


def _meant(path: Path, typed: str) -> str:
    """The nearest thing that there is, or the other kind of source that the text may be."""
    near = _nearest(path)
    if near:
        return f"Did you mean '{near if Path(typed).is_absolute() else os.path.relpath(near)}'?"
    head, _, rest = typed.partition("/")
    if head.lower() in {"github", "npm", "pypi", "hf", "gitlab"} and rest:
        return f"Did you mean '{head.lower()}:{rest}'?"
    owner_and_name = 2
    parts = typed.split("/")
    plain = all(part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in parts)
    return f"A repository is named as github:{typed}" if len(parts) == owner_and_name and plain else ""


def _nearest(path: Path) -> Path | None:
    """The path with its first missing part replaced by the most similar name beside it, as far as it exists."""
    missing = path
    while not missing.parent.exists():
        missing = missing.parent
    try:
        names = sorted(entry.name for entry in missing.parent.iterdir())
    except OSError:
        return None
    match = difflib.get_close_matches(missing.name, names, n=1, cutoff=0.6)
    if not match:
        return None
    near = missing.with_name(match[0])
    whole = near / path.relative_to(missing)
    return whole if whole.exists() else near
