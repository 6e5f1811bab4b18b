"""Published Python packages, read as data from their index; pip is not needed and no build is ever run.

In: a package's name, version and folder. Out: its unpacked sdist in the cache, checked against the sha256 that the index
gives, and which of its files are documents. A wheel stands in where a release has no sdist but the wheel holds documents.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from dragoman.errors import SourceError
from dragoman.ingest.sources.archive import unpack
from dragoman.ingest.sources.left_out import left_out_below, note_left_out
from dragoman.ingest.sources.members import Limits
from dragoman.ingest.sources.pip_config import PipConfig
from dragoman.ingest.sources.published import checked_archive
from dragoman.ingest.sources.pypi_index import IndexUnreachable, ListedFile, PackageIndexes, host_of
from dragoman.ingest.sources.pypi_metadata import repository_of
from dragoman.ingest.sources.spec import FetchedSource, Say, SourceSpec

USUAL_FOLDERS: Final = ("docs", "doc", "documentation")

# Beside a package's code, .txt and .html files are lists, licences and templates rather than pages.
_PAGES = (".md", ".markdown", ".mdx", ".rst", ".ipynb")
_IN_DOCS = (*_PAGES, ".txt", ".html", ".htm")
_NO_FOLDER = re.compile(r"^\.|^node_modules$|\.(?:egg|dist)-info$")
_NO_DOCUMENT = re.compile(r"\.|(?:requirements\b.*|CMakeLists|SOURCES|top_level)\.txt$", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Release:
    """An unpacked release; ``root`` holds all of it."""

    version: str
    root: Path


def fetch_pypi(spec: SourceSpec, cache: Path, say: Say, config: PipConfig | None = None) -> FetchedSource:
    """Bring a published Python package onto this machine, unless it is in the cache.

    Args:
        spec: The package, its version ("" is the newest final one that was not withdrawn; where there is no 1.2, that is the
            newest such of 1.2.*, which may also be written), and the folder to read.
        cache: The folder for what is downloaded. An exact version that is in it needs no network.
        say: Called with a line that says where the package comes from, and what was chosen.
        config: pip's settings; ``None`` reads them from where pip does.

    Returns:
        The sdist; its usual folder of documents where it has one, else the documents among all its files.

    Raises:
        SourceError: The index cannot be reached or refuses; package, version or folder are unknown; there is no sha256, or
            the content does not match it, is damaged or unsafe, or holds no documents; the cache cannot be written.
    """
    try:
        name = canonicalize_name(spec.location, validate=True)
    except InvalidName as error:
        raise SourceError(f"'{spec.location}' is not a package's name", expected="pypi:package@version") from error
    release = _fetched(spec, name, cache / "pypi" / name, say, config)
    try:
        return _source(spec, name, release, say)
    except OSError as error:
        raise SourceError(f"cannot read the cache {release.root}: {error}", hint="Remove that folder.") from error


def _fetched(spec: SourceSpec, name: str, shelf: Path, say: Say, config: PipConfig | None) -> _Release:
    kept = _kept(shelf, spec.version) if spec.version else None
    if kept:
        say(f"pypi:{name}@{kept.version}: from the cache")
        return kept
    indexes = PackageIndexes(config)
    try:
        listed = indexes.files(name, say)
    except IndexUnreachable:
        kept = _kept(shelf, spec.version, series=spec.version.endswith(".*"))
        if not kept:
            raise
        say(f"pypi:{name}: the index cannot be reached; taking {kept.version}, the newest in the cache")
        return kept
    file = _chosen(name, spec.version, listed, say)
    if _is_part(spec.version, file.version):
        say(f"pypi:{name}@{spec.version}: taking {file.version}, the newest of these")
    root = shelf / str(file.version) / file.sha256[:32]
    if root.is_dir():
        say(f"pypi:{name}@{file.version}: from the cache")
    else:
        say(f"pypi:{name}@{file.version}: downloading from {host_of(file.url)}")
        limits = Limits(members=spec.settings.max_files, total_bytes=int(spec.settings.max_total_mb * 2**20))
        _download(indexes, file, root, limits)
    return _Release(str(file.version), root)


def _kept(shelf: Path, version: str, *, series: bool = False) -> _Release | None:
    """The release in the cache ("": the newest); with two of different content the index must be asked."""
    wanted = _parsed(version)
    known = []
    try:
        for folder in shelf.iterdir() if shelf.is_dir() else ():
            contents = [path for path in folder.glob("[!.]*") if path.is_dir()]
            found = _parsed(folder.name)
            if (
                len(contents) == 1
                and found
                and (
                    found == wanted or not version or (series and not found.is_prerelease and _is_part(version, found))
                )
            ):
                known.append((found, contents[0]))
    except OSError:
        return None
    newest = max(known, default=None)
    return _Release(str(newest[0]), newest[1]) if newest else None


def _is_part(version: str, whole: Version) -> bool:
    """Whether these are the first numbers of a version, but not all of them."""
    part = _parsed(version.removesuffix(".*"))
    if part is None or str(part) != part.base_version or (part == whole and not version.endswith(".*")):
        return False
    count = len(part.release)
    return part.epoch == whole.epoch and (*whole.release, *[0] * count)[:count] == part.release


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None


def _chosen(name: str, version: str, listed: Sequence[ListedFile], say: Say) -> ListedFile:
    wanted = _version(name, version, listed)
    files = [file for file in listed if file.version == wanted]
    sdists = [file for file in files if file.sdist]
    if not sdists:
        say(f"pypi:{name}@{wanted}: there is no sdist, only wheels; taking one")
    # Of several the .tar.gz, or the wheel for every machine, so that all machines take the same.
    file = min(sdists or files, key=lambda each: (not each.name.endswith((".tar.gz", "-none-any.whl")), each.name))
    if not _SHA256.fullmatch(file.sha256):
        happened = f"{host_of(file.url)} gives no sha256 for {file.name}"
        raise SourceError(happened, expected="one", hint="What cannot be checked is not read.")
    if file.yanked is not None:
        why = f": {file.yanked}" if file.yanked else ""
        say(f"pypi:{name}@{wanted} was withdrawn by its authors{why}")
    return file


def _version(name: str, version: str, listed: Sequence[ListedFile]) -> Version:
    """The version that is meant; a withdrawn one only when it is asked for by name."""
    everything = {file.version for file in listed}
    offered = {file.version for file in listed if file.yanked is None} or everything
    final = {each for each in offered if not each.is_prerelease} or offered
    if not version:
        return max(final)
    wanted = _parsed(version)
    if wanted in everything:
        return next(each for each in everything if each == wanted)
    series = [each for each in final if not each.is_prerelease and _is_part(version, each)]
    if series:
        return max(series)
    newest = ", ".join(str(each) for each in sorted(final, reverse=True)[:5])
    raise SourceError(f"pypi has no version '{version}' of '{name}'", hint=f"The newest are {newest}.")


def _download(indexes: PackageIndexes, file: ListedFile, root: Path, limits: Limits) -> None:
    what = f"{host_of(file.url)} sent for {file.name}"
    with checked_archive(root, partial(indexes.download, file), "sha256", file.sha256, what) as archive:
        note_left_out(root, unpack(archive, root, limits, links="skip"))


def _top(root: Path) -> Path:
    """The one folder that an sdist holds, by custom; else the root itself, as in a wheel."""
    entries = [entry for entry in root.iterdir() if not entry.name.startswith(".")]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else root


def _source(spec: SourceSpec, name: str, release: _Release, say: Say) -> FetchedSource:
    label, base = f"pypi:{name}@{release.version}", _top(release.root)
    files: tuple[str, ...] = ()
    folder = spec.folder.strip("/")
    if folder:
        _check_folder(spec.text, base, folder)
        label += f":{folder}"
    else:
        folder = _usual_folder(base)
        files = () if folder else _documents(base)
        if not folder and not files:
            kind = "wheel" if any(base.glob("*.dist-info")) else "sdist"
            hint = "Its docs may be in its repository: name that as github:owner/repo."
            raise SourceError(f"the {kind} of {name} {release.version} holds no documents", hint=hint)
        say(f"{label}: reading {folder + '/' if folder else f'the documents among all its files ({len(files)})'}")
    repository, pages = repository_of(base, folder)
    return FetchedSource(
        label,
        base / folder,
        base,
        revision=release.version,
        files=files,
        page_url=pages,
        repository=repository or name,
        settings=spec.settings,
        left_out=left_out_below(release.root, base / folder),
    )


def _check_folder(text: str, base: Path, folder: str) -> None:
    if ".." not in Path(folder).parts and "\0" not in folder and (base / folder).is_dir():
        return
    folders = sorted(entry.name for entry in base.iterdir() if entry.is_dir())
    expected = f"one of its folders ({', '.join(folders)})" if folders else "no folder: it has none"
    raise SourceError(f"{text}: the package has no folder '{folder}'", expected=expected)


def _usual_folder(base: Path) -> str:
    named = {entry.name.lower(): entry.name for entry in base.iterdir() if entry.is_dir()}
    usual = (named[name] for name in USUAL_FOLDERS if name in named)
    return next((name for name in usual if any(_below(base / name, _IN_DOCS))), "")


def _documents(base: Path) -> tuple[str, ...]:
    return tuple(sorted(_below(base, _PAGES)) or sorted(_below(base, (".txt",))))


def _below(root: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Paths of a folder's documents, what is written for installers and builders left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not _NO_FOLDER.search(name)]
        for name in names:
            if name.lower().endswith(suffixes) and not _NO_DOCUMENT.match(name):
                yield Path(folder, name).relative_to(root).as_posix()
