"""Any git remote, by the user's own git: one commit, read as data.

In: a ``SourceSpec`` of kind ``git``. Out: the files of a commit in the cache, and the folder to read. Nothing is checked out, so no
hook, filter, submodule or link of a repository acts; git asks nobody for a password. Without network, what was fetched
before is taken, and that is said.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from dragoman.errors import SourceError
from dragoman.ingest.sources.address import GIT_FORM, GitName, clean_ref, is_commit, parse_git, shown
from dragoman.ingest.sources.checkout import Kept, Origin, Shelf, as_source, short, tell_left_out
from dragoman.ingest.sources.git_command import Git, GitRefused
from dragoman.ingest.sources.git_tree import REPOSITORY, export_tree
from dragoman.ingest.sources.left_out import note_left_out
from dragoman.ingest.sources.members import Limits
from dragoman.ingest.sources.spec import FetchedSource, Say, SourceSpec

__all__ = ["GitName", "fetch_git", "parse_git"]

_LOOK_SECONDS = 90.0
_FETCH_SECONDS = 900.0
_PAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "github.com": "/blob/",
        "gitlab.com": "/-/blob/",
        "codeberg.org": "/src/commit/",
        "gitea.com": "/src/commit/",
        "bitbucket.org": "/src/",
    }
)
_PART_OF_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_SHA256 = 64  # digits
_LONGEST_NAME = 80  # of a repository, in the name of its folder


@dataclass(frozen=True, slots=True)
class _Remote:
    """What a remote says of a ref: its full name ("" when no ref is called so), and how it is shown."""

    full: str
    commit: str
    ref: str


def fetch_git(spec: SourceSpec, cache: Path, say: Say) -> FetchedSource:
    """Bring a commit of a git remote into the cache, unless it is there.

    Args:
        spec: ``location`` is an address as ``parse_git`` gives it, ``version`` a branch, tag or commit ("" for the default
            branch), ``folder`` a folder or file ("" for the usual place).
        cache: The folder for what is fetched. A full commit that is in it needs no network.
        say: Called with a line about what is fetched, or taken from the cache.

    Returns:
        The source; ``revision`` is the full commit.

    Raises:
        SourceError: git is missing, fails or takes too long; ref or folder are unknown; the tree is unsafe or too large;
            the cache cannot be written.
    """
    given = parse_git(spec.location if spec.location.startswith("git+") else f"git+{spec.location}")
    if given is None or given.ref or given.folder:
        raise SourceError(f"'{shown(spec.location)}' is not the address of a git repository", expected=GIT_FORM)
    address, asked = given.address, clean_ref(spec.version, spec.text)
    repository, plain = _repository(address), shown(address)
    name = f"git+{plain}" if urlsplit(plain).netloc else f"git+file:{repository}"
    place = f"{repository.replace('/', '+')[-_LONGEST_NAME:]}-{sha256(plain.encode()).hexdigest()[:12]}"
    shelf = Shelf(cache / "git" / place)
    label = f"{name}@{asked}" if asked else name
    kept = shelf.recall(asked) if is_commit(asked) else None
    if kept:
        say(f"{label}: from the cache")
    else:
        kept = _current(spec, address, asked, shelf, lambda line: say(f"{label}: {line}"))
    origin = Origin(f"{name}@{asked or kept.ref or short(kept.commit)}", repository, _pages(plain, kept.commit))
    return as_source(spec, kept, spec.folder, origin, say)


def _current(spec: SourceSpec, address: str, asked: str, shelf: Shelf, say: Say) -> Kept:
    """The tree of a ref as it is now; without its remote, as it was."""
    known = shelf.recall(asked)
    try:
        shelf.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=shelf.folder) as beside:
            git = Git(address, Path(beside))
            remote = _look_up(git, asked)
            if remote.full and shelf.place(remote.commit).is_dir():
                say(f"from the cache, commit {short(remote.commit)} is still the newest")
                return shelf.remember(asked, remote.commit, remote.ref)
            say(f"fetching from {urlsplit(git.address).netloc or 'this machine'}")
            commit = _fetch(git, remote)
            left_out = export_tree(git, commit, shelf.place(commit), Limits.of(spec.settings))
            note_left_out(shelf.place(commit), left_out)
    except GitRefused as error:
        if known is None:
            raise
        say(f"{error.happened}; taking commit {short(known.commit)}, which was fetched before")
        return known
    except OSError as error:
        raise SourceError(f"cannot write to the cache {shelf.folder}: {error}") from error
    tell_left_out(left_out, say)
    return shelf.remember(asked, commit, remote.ref)


def _look_up(git: Git, asked: str) -> _Remote:
    """What a ref is at its remote now."""
    wanted = [asked] if asked.startswith("refs/") else [f"refs/heads/{asked}", f"refs/tags/{asked}"]
    if asked:
        listed = git.run(
            "ls-remote", "--", git.address, *wanted, *(f"{each}^{{}}" for each in wanted), seconds=_LOOK_SECONDS
        )
    else:
        wanted = ["HEAD"]
        listed = git.run("ls-remote", "--symref", "--", git.address, "HEAD", seconds=_LOOK_SECONDS)
    rows = [line.split("\t", 1) for line in listed.splitlines() if "\t" in line]
    commits = {name: value for value, name in rows if is_commit(value)}
    for full in wanted:
        if full in commits:
            symbolic = next((value for value, name in rows if name == full and value.startswith("ref: ")), "")
            ref = asked or symbolic.removeprefix("ref: ").removeprefix("refs/heads/")
            # Of an annotated tag, the line with ^{} has the commit.
            return _Remote(full, commits.get(f"{full}^{{}}", commits[full]), ref)
    if asked and _PART_OF_COMMIT.fullmatch(asked):
        return _Remote("", asked, asked)
    happened = f"{git.address} has no branch, tag or commit '{asked}'" if asked else f"{git.address} has no commit yet"
    raise SourceError(happened, hint=f"Its refs are listed by: git ls-remote {git.address}" if asked else "")


def _fetch(git: Git, remote: _Remote) -> str:
    """Bring the objects of a commit here; returns its full hash."""
    kind = ["--object-format=sha256"] if len(remote.commit) == _SHA256 else []
    git.run("init", "--quiet", "--bare", "--template=", *kind, REPOSITORY, seconds=_LOOK_SECONDS)
    if remote.full or is_commit(remote.commit):
        try:
            _fetch_refs(git, ["--depth=1"], [remote.full or remote.commit])
            return _resolve(git, "FETCH_HEAD")
        except GitRefused:
            if remote.full:
                raise
    # A server may hand out branches and tags only, and knows no part of a hash: the commit is looked for in all of them.
    _fetch_refs(git, [], ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])
    try:
        return _resolve(git, remote.commit)
    except GitRefused:
        raise SourceError(f"{git.address} has no branch, tag or commit '{remote.commit}'") from None


def _fetch_refs(git: Git, options: Sequence[str], refs: Sequence[str]) -> None:
    fixed = ["--quiet", "--no-tags", "--no-recurse-submodules", *options, "--", git.address]
    git.run(f"--git-dir={REPOSITORY}", "fetch", *fixed, *refs, seconds=_FETCH_SECONDS)


def _resolve(git: Git, name: str) -> str:
    found = git.run(
        f"--git-dir={REPOSITORY}", "rev-parse", "--verify", f"{name}^{{commit}}", seconds=_LOOK_SECONDS
    ).strip()
    if not is_commit(found):
        raise GitRefused(f"git rev-parse of {git.address}: '{name}' is no commit")
    return found


def _repository(address: str) -> str:
    parts = [part for part in unquote(urlsplit(address).path).split("/") if part]
    last = 2 if urlsplit(address).netloc else 1  # on this machine, the folder around it says nothing
    return "/".join(parts[-last:]).removesuffix(".git") or "repository"


def _pages(address: str, commit: str) -> str:
    """Where the host shows the files of a commit; "" when that is not known."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower().removeprefix("www.")
    style = _PAGES.get(host) or ("/-/blob/" if host.startswith("gitlab.") else "")
    return f"https://{host}{parts.path.rstrip('/').removesuffix('.git')}{style}{commit}" if style else ""
