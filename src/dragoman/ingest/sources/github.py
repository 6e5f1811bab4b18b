"""Repositories of GitHub, or of an Enterprise server: one archive of one commit, no git needed.

In: a ``SourceSpec`` of kind ``github``. Out: the repository's files in the cache, by commit, and the folder to read. It honours
rate limits and says when it has to wait; without network it takes what was fetched before, and says so.
"""

import gzip
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dragoman.errors import SourceError
from dragoman.ingest.sources.address import GitHubName, is_commit, parse_github
from dragoman.ingest.sources.archive import unpack
from dragoman.ingest.sources.checkout import Kept, Origin, Shelf, as_source, put, short, tell_left_out
from dragoman.ingest.sources.left_out import note_left_out
from dragoman.ingest.sources.members import Limits
from dragoman.ingest.sources.spec import FetchedSource, Say, SourceSpec
from dragoman.records import Rejected

if TYPE_CHECKING:
    from dragoman.ingest.sources.github_api import GitHubApi

__all__ = ["GitHubName", "fetch_github", "parse_github"]

_BLOCK = 512  # bytes of a tar header
_COMMENT = re.compile(rb"\d+ comment=([0-9a-f]{40}(?:[0-9a-f]{24})?)\n")
_BRANCH = re.compile(r"/refs/heads/([^?#]+)")
_PASTED = re.compile(r"github\.com/|/(?:tree|blob|raw|edit|blame|commits)/", re.IGNORECASE)
_TRIES = 2  # for an archive that arrives damaged


def fetch_github(spec: SourceSpec, cache: Path, say: Say) -> FetchedSource:
    """Bring a repository into the cache, unless its commit is there.

    Args:
        spec: ``location`` is ``owner/repo``, ``version`` a branch, tag or commit ("" for the default branch), ``folder``
            a folder or file ("" for the usual place). For a pasted address whose ref is unknown, the first parts of the
            folder may belong to the ref.
        cache: The folder for what is downloaded. A full commit that is in it needs no network.
        say: Called with a line about what is downloaded, waited for, or taken from the cache.

    Returns:
        The source; ``revision`` is the full commit.

    Raises:
        SourceError: GitHub cannot be reached or refuses; repository, ref or folder are unknown; the archive is damaged,
            unsafe or too large; the cache cannot be written.
    """
    # httpx takes a tenth of a second to import.
    from dragoman.ingest.sources.download import Unreachable
    from dragoman.ingest.sources.github_api import GitHubApi

    api = GitHubApi(spec.location, spec.settings, say)
    shelf = Shelf(cache / "github" / (api.shelf + spec.location.lower().replace("/", "+")))
    kept = shelf.recall(spec.version) if is_commit(spec.version) else None
    if kept:
        say(f"github:{spec.location}@{short(spec.version)}: from the cache")
        found = _Found(spec.version, spec.folder, kept)
    else:
        try:
            found = _find(spec, api, shelf, say)
        except Unreachable as error:
            found = _fetched_before(spec, shelf, error)
            commit = short(found.kept.commit)
            say(f"{_named(spec, found.asked)}: {error.happened}; taking commit {commit}, which was fetched before")
    ref = found.asked or found.kept.ref or short(found.kept.commit)
    origin = Origin(
        label=f"github:{spec.location}@{ref}",
        repository=spec.location,
        pages=f"{api.web}/{spec.location}/blob/{found.kept.commit}",
        hint=f"It may be a link, or be kept out of archives; git has all: git+{api.web}/{spec.location}.git@{ref}",
    )
    return as_source(spec, found.kept, found.folder, origin, say)


@dataclass(frozen=True, slots=True)
class _Found:
    asked: str
    folder: str
    kept: Kept


def _named(spec: SourceSpec, asked: str) -> str:
    return f"github:{spec.location}" + (f"@{asked}" if asked else "")


def _splits(spec: SourceSpec) -> Iterator[tuple[str, str]]:
    """Each ref and folder that a source may mean, shortest ref first; only a pasted address may mean several."""
    yield spec.version, spec.folder
    if spec.version and spec.folder and _PASTED.search(spec.text):
        parts = spec.folder.split("/")
        for count in range(1, len(parts) + 1):
            yield "/".join([spec.version, *parts[:count]]), "/".join(parts[count:])


def _find(spec: SourceSpec, api: "GitHubApi", shelf: Shelf, say: Say) -> _Found:
    from dragoman.ingest.sources.github_api import UnknownRef

    splits = list(_splits(spec))
    asked, folder = next((split for split in splits if shelf.recall(split[0])), splits[0])
    try:
        return _Found(asked, folder, _fetch(spec, asked, api, shelf, say))
    except UnknownRef:
        names = set(api.names(spec.version)) if len(splits) > 1 else set()
    for other, below in reversed(splits):
        if other in names and other != asked:
            return _Found(other, below, _fetch(spec, other, api, shelf, say))
    raise api.unknown(asked)


def _fetched_before(spec: SourceSpec, shelf: Shelf, error: SourceError) -> _Found:
    for asked, folder in _splits(spec):
        kept = shelf.recall(asked)
        if kept:
            return _Found(asked, folder, kept)
    raise error


def _fetch(spec: SourceSpec, asked: str, api: "GitHubApi", shelf: Shelf, say: Say) -> Kept:
    """The tree of a ref; it is downloaded only when the commit is not here."""
    label = _named(spec, asked)
    known = shelf.recall(asked)
    if known and shelf.place(commit := api.commit(asked)).is_dir():
        say(f"{label}: from the cache, commit {short(commit)} is still the newest")
        return shelf.remember(asked, commit, known.ref)
    say(f"{label}: downloading from {api.host}")
    limits = Limits.of(spec.settings)
    try:
        shelf.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".downloading-", dir=shelf.folder) as beside:
            archive = Path(beside) / f"{spec.location.replace('/', '-')}.tar.gz"
            branch = _download(api, asked, archive, limits.total_bytes)
            commit = _commit(archive) or api.commit(asked)
            if is_commit(asked) and commit != asked:
                happened = f"{label}: {api.host} sent the commit {commit}"
                raise SourceError(happened, expected="the commit that was asked for; a tag is asked for by its name")
            left_out = _settle(archive, Path(beside) / "tree", shelf.place(commit), limits)
    except OSError as error:
        raise SourceError(f"cannot write to the cache {shelf.folder}: {error}") from error
    tell_left_out(left_out, lambda line: say(f"{label}: {line}"))
    return shelf.remember(asked, commit, asked or branch)


def _download(api: "GitHubApi", ref: str, archive: Path, limit: int) -> str:
    """Write the archive of a ref; returns the branch that the server says it is of, or ""."""
    from dragoman.ingest.sources.download import TooLarge

    for _ in range(_TRIES):
        try:
            with archive.open("w+b") as file:
                reply = api.archive(ref, file, limit)
        except TooLarge as error:
            happened = f"{error.happened} for {api.repository}"
            raise SourceError(happened, hint="To allow more: max_total_mb of [ingest].") from error
        if _is_whole(archive, limit):
            # Without a ref, GitHub leads to the archive of the default branch, and so names it.
            branch = _BRANCH.search(reply.asked[-1])
            return unquote(branch[1]) if branch else ""
    happened = f"what {api.host} sent for {api.repository} is damaged, or is no gzip file; it was not used"
    raise SourceError(happened, hint="Try again; a proxy may answer in GitHub's place.")


def _is_whole(archive: Path, limit: int) -> bool:
    """Whether a gzip file goes on to its own checksum; one that expands over the limit is for ``unpack`` to refuse."""
    try:
        with gzip.open(archive) as content:
            # gzip takes an empty file for a whole one.
            if not content.read(1):
                return False
            while content.read(2**20) and content.tell() <= 2 * limit:
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True


def _commit(archive: Path) -> str:
    """The commit that git writes at the head of an archive, "" if it did not.

    Read by hand: tarfile would take a header of any size into memory.
    """
    with gzip.open(archive) as content:
        header = content.read(_BLOCK)
        comment = _COMMENT.search(content.read(_BLOCK)) if header[156:157] == b"g" else None
    return comment[1].decode() if comment else ""


def _settle(archive: Path, beside: Path, place: Path, limits: Limits) -> tuple[Rejected, ...]:
    """Unpack an archive and put its one folder where it belongs; returns what was left out."""
    if place.is_dir():
        return ()
    left_out = unpack(archive, beside, limits, links="skip")
    folders = list(beside.iterdir())
    if len(folders) != 1 or not folders[0].is_dir():
        raise SourceError(
            f"archive {archive.name} holds {len(folders)} things", expected="one folder, as GitHub makes it"
        )
    put(folders[0], place)
    rows = tuple(replace(row, item=row.item.partition("/")[2]) for row in left_out)
    note_left_out(place, rows)
    return rows
