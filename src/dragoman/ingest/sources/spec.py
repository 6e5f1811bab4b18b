"""The words for a source: as it was named, and as it lies on this machine.

In: texts like ``docs/``, ``npm:fastify@5.12.8`` or ``github:owner/repo@v2:docs``. Out: what kind of source is meant.
Nothing is looked up here.
"""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources.address import inside, parse_git, parse_github, shown
from dragoman.ingest.sources.archive import ARCHIVE_SUFFIXES
from dragoman.records import Rejected

ACCEPTED: Final = (
    "a folder, a file, a .zip or .tar.gz, github:owner/repo@ref:folder, git+https://..., npm:package@version, "
    "pypi:package@version, or hf:user/dataset"
)

SourceKind = Literal["local", "archive", "github", "git", "npm", "pypi", "hf"]
Say = Callable[[str], None]  # called with a line that a user should read


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as it was named.

    ``location`` is a path as typed (``local``, ``archive``), ``owner/repo`` (``github``), an address (``git``), a package
    name (``npm``, ``pypi``) or ``user/dataset`` (``hf``). ``version`` is a version, tag, branch or commit, "" for the newest;
    ``folder`` is the folder to read, "" for the usual place.
    """

    kind: SourceKind
    text: str
    location: str
    version: str = ""
    folder: str = ""
    settings: IngestSettings = field(default_factory=IngestSettings)


@dataclass(frozen=True, slots=True)
class FetchedSource:
    """A source that lies on this machine.

    ``label`` names it in every artefact. Documents are below ``root``; ``base`` is the whole tree that root lies in: what a
    page includes and the code that it documents is looked up there, and nowhere else. ``files`` are the paths (relative to
    ``root``, with "/") to read; empty means all below ``root``. ``revision`` is the commit or version that was read, ``ref``
    the tag or branch it was asked for by. ``page_url`` holds ``{path}`` where the quoted path of a file goes; "" when it is not
    known where the files are shown. ``repository`` is ``owner/repo``, the package, or the folder's name. ``left_out`` is what
    of the tree below ``root`` was never brought here (links, and names that not every disk can hold), by its path.
    """

    label: str
    root: Path
    base: Path | None = None  # None: the root itself
    revision: str = ""
    ref: str = ""
    files: tuple[str, ...] = ()
    page_url: str = ""
    repository: str = ""
    settings: IngestSettings = field(default_factory=IngestSettings)
    left_out: tuple[Rejected, ...] = ()


_LONGEST_KIND = 16
_LONGEST_SHOWN = 200
_FOLDER = r"(?::(?P<folder>[^:\0]+))?"
_PACKAGES = {
    "npm": re.compile(
        rf"(?P<name>(?:@[\w~-][\w.~-]*/)?[\w~-][\w.~-]*)(?:@(?P<version>[~^]?\w[\w.+-]*(?:\.\*)?))?{_FOLDER}", re.ASCII
    ),
    "pypi": re.compile(
        rf"(?P<name>[A-Za-z0-9][\w.-]*)(?:\s*(?:@|==)\s*(?P<version>\w[\w.+!-]*(?:\.\*)?))?{_FOLDER}", re.ASCII
    ),
}
_FORMS = {
    "npm": "npm:package@version or npm:@scope/package@version, with a version like 5.12.8, 5.12, ~5.12.3, ^5.2 or a tag",
    "pypi": "pypi:package, pypi:package@version or pypi:package==version",
}
_DATASET = re.compile(
    rf"(?:datasets/)?(?P<name>(?:\w[\w.-]*/)?\w[\w.-]*)(?:@(?P<revision>\w[\w./-]*))?{_FOLDER}", re.ASCII
)
_ARCHIVE = re.compile(
    rf"(?P<file>.+?(?:{'|'.join(map(re.escape, ARCHIVE_SUFFIXES))})){_FOLDER}", re.IGNORECASE | re.DOTALL
)
_HOSTS = {"gitlab": "gitlab.com", "bitbucket": "bitbucket.org", "codeberg": "codeberg.org"}
_KINDS = ("github", "npm", "pypi", "hf")
_OTHER_NAMES = {"gh": "github", "pip": "pypi", "python": "pypi", "huggingface": "hf", "datasets": "hf", "node": "npm"}
_PAGES = (  # of places that have a name of their own here
    (re.compile(r"(?:www\.)?(?:huggingface\.co|hf\.co)/datasets/(\w[\w.-]*/\w[\w.-]*)", re.ASCII), "hf:{}"),
    (re.compile(r"(?:www\.)?npmjs\.com/package/((?:@[\w.~-]+/)?[\w.~-]+)(?:/v/(\w[\w.+-]*))?", re.ASCII), "npm:{}@{}"),
    (re.compile(r"pypi\.\w+/project/([\w.-]+)(?:/(\d[\w.+!-]*))?", re.ASCII), "pypi:{}=={}"),
    (re.compile(r"([\w.:-]+/[\w./~-]+\.git)/?$", re.ASCII), "git+https://{}.git"),
    (
        re.compile(r"((?:gitlab\.com|bitbucket\.org|codeberg\.org)(?:/(?!-/)[\w.-]+){2,6})", re.ASCII),
        "git+https://{}.git",
    ),
)


def parse_source(text: str, settings: IngestSettings | None = None) -> SourceSpec:
    """Understand how a source was named; nothing is looked up yet.

    Args:
        text: A folder, a file, an archive (``docs.zip``, ``docs.tar.gz:folder``), or one of ``github:owner/repo[@ref][:folder]``
            (also the address of a page at GitHub), ``git+https://...``, ``npm:package[@version][:folder]``,
            ``pypi:package[@version][:folder]`` and ``hf:user/dataset[@revision][:configuration]``. Without version or ref, the newest.
        settings: How this source is read; ``None`` takes the defaults.

    Returns:
        The source as named.

    Raises:
        SourceError: The text is empty, malformed, or names a kind of source that is not supported.
    """
    settings = settings or IngestSettings()
    typed = text.strip()
    if not typed:
        raise SourceError("a source is empty", expected=ACCEPTED)
    repository = parse_github(typed)
    if repository:
        return SourceSpec("github", typed, repository.repository, repository.ref, repository.folder, settings)
    remote = parse_git(typed)
    if remote:
        return SourceSpec("git", shown(typed), remote.address, remote.ref, remote.folder, settings)
    head, colon, rest = typed.partition(":")
    # A single letter is a disk.
    if colon and 1 < len(head) <= _LONGEST_KIND and not re.search(r"[/\\]", head):
        found = _named(head, rest.strip(), typed, settings)
        if found:
            return found
    match = _ARCHIVE.fullmatch(typed)
    if match:
        return SourceSpec("archive", typed, match["file"], folder=_folder(match["folder"], typed), settings=settings)
    return SourceSpec("local", typed, typed, settings=settings)


def _named(head: str, rest: str, typed: str, settings: IngestSettings) -> SourceSpec | None:
    """What ``head:rest`` names; ``None`` when it can only be a path."""
    kind = head.lower()
    if kind in _PACKAGES:
        match = _PACKAGES[kind].fullmatch(rest)
        if match is None or ".." in (match["folder"] or "").split("/"):
            raise SourceError(f"{_cut(typed)} is not a package", expected=_FORMS[kind])
        name: SourceKind = "npm" if kind == "npm" else "pypi"
        return SourceSpec(name, typed, match["name"], match["version"] or "", _folder(match["folder"], typed), settings)
    if kind == "hf":
        match = _DATASET.fullmatch(rest)
        if match is None or ".." in rest:
            raise SourceError(f"{_cut(typed)} is not a dataset", expected="hf:user/dataset or hf:user/dataset@revision")
        return SourceSpec(
            "hf", typed, match["name"], match["revision"] or "", _folder(match["folder"], typed), settings
        )
    if kind in {"http", "https"}:
        raise _no_crawling(rest, typed)
    if kind == "file":
        happened = f"{_cut(typed)} is an address"
        raise SourceError(
            happened, expected="the folder or file itself, or git+file:///...", hint=f"Try /{rest[:200].lstrip('/')}"
        )
    _check_kind(head, rest, typed)
    return None


def _check_kind(head: str, rest: str, typed: str) -> None:
    """Refuse what looks like a kind of source, but is none."""
    kind = re.sub(r"[\s._-]+", "", head.lower())
    if kind in _HOSTS:
        hint = f"Did you mean 'git+https://{_HOSTS[kind]}/{rest[:200].strip('/')}.git'?"
        raise SourceError(f"{_cut(typed)}: {kind} has no short form", expected=ACCEPTED, hint=hint)
    if kind == "git" and rest:
        raise SourceError(
            f"{_cut(typed)} is not the address of a git repository", expected="git+https://... or git+ssh://..."
        )
    swapped = [each for each in _KINDS if sorted(each) == sorted(kind)]
    near = swapped or difflib.get_close_matches(_OTHER_NAMES.get(kind, kind), _KINDS, n=1, cutoff=0.7)
    if near and rest:
        hint = f"Did you mean '{near[0]}:{rest[:200]}'?"
        raise SourceError(f"{_cut(typed)}: '{head}' is not a kind of source", expected=ACCEPTED, hint=hint)
    if rest.startswith("//"):
        raise SourceError(f"{_cut(typed)}: {head.lower()}: sources are not supported", expected=ACCEPTED)


def _no_crawling(rest: str, typed: str) -> SourceError:
    page = rest.lstrip("/")[:500]
    for pattern, form in _PAGES:
        match = pattern.match(page)
        if match:
            name, version = match[1].removesuffix(".git"), match[2] if pattern.groups > 1 else ""
            meant = form.format(name, version or "").rstrip("@=")
            hint = f"Did you mean '{meant}'?"
            return SourceError(f"{_cut(typed)} is a page, and pages are not crawled", expected=ACCEPTED, hint=hint)
    if page.lower().endswith(ARCHIVE_SUFFIXES):
        hint = "Download it, and name the file."
        return SourceError(f"{_cut(typed)}: archives are not downloaded from any address", expected=ACCEPTED, hint=hint)
    hint = "Name the repository or the package that the pages are made from."
    return SourceError(f"{_cut(typed)} is a page, and pages are not crawled", expected=ACCEPTED, hint=hint)


def _folder(folder: str | None, typed: str) -> str:
    return inside(folder or "", typed)


def _cut(typed: str) -> str:
    """What was typed, in quotes, short enough for a message."""
    return f"'{typed if len(typed) <= _LONGEST_SHOWN else typed[:_LONGEST_SHOWN] + '...'}'"
