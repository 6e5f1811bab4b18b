"""The addresses of repositories, as people type and paste them.

In: texts like ``github:owner/repo@v2:docs``, a page of GitHub copied from a browser, or ``git+https://...``. Out: the
repository, the ref and the folder that are meant. Nothing is looked up; nothing of Dragoman but its errors is known.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from dragoman.errors import SourceError

GITHUB_FORM: Final = "github:owner/repo@ref:folder or https://github.com/owner/repo/tree/ref/folder"
GIT_FORM: Final = "git+https://host/owner/repo.git@ref#subdirectory=folder (or git+ssh://..., git+file:///...)"

_LONGEST = 2000  # characters; no address is longer, and no pattern below has to be quick on more
_LONGEST_REF = 200
_GITHUB_URL = re.compile(
    r"(?:https?://)?(?P<user>[^/@\s]*@)?(?:www\.)?github\.com(?::443)?(?:/(?P<path>.*))?", re.IGNORECASE | re.DOTALL
)
_SHORT = re.compile(
    r"(?P<owner>[A-Za-z0-9][A-Za-z0-9_-]*)/(?P<repo>[\w.-]+)/?(?:@(?P<ref>[^:]+))?(?::(?P<folder>.+))?",
    re.ASCII | re.DOTALL,
)
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_REPO = re.compile(r"[\w.-]+", re.ASCII)
_NO_REF = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|/\.|^[-./]|[/.]$|\.lock(?:/|$)|^@$"
)  # git check-ref-format's rules
_ARCHIVE = re.compile(r"\.(?:zip|tar\.gz)$")
_GIT_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<user>\w[^/@\s]*@)?(?P<host>\w[\w.-]*(?::\d+)?|\[[\da-f:.]+\](?::\d+)?)?"
    r"(?P<path>/[^#?\x00-\x20\x7f\ud800-\udfff]+)(?:#(?P<fragment>.*))?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_SCP = re.compile(
    r"(?P<user>[\w.-]+)@(?P<host>\w[\w.-]*):(?P<path>[^/#?\s-][^#?\s]*)(?P<rest>#.*)?", re.ASCII | re.DOTALL
)
_GIT_END = re.compile(r"\.git(?=/?(?:[@:]|$))")
_TAIL = re.compile(r"/?(?:@(?P<ref>[^:]+))?(?::(?P<folder>.+))?")
_SCHEMES = ("https", "http", "ssh", "file")


@dataclass(frozen=True, slots=True)
class GitHubName:
    """A repository of GitHub: ``owner/repo``; ``ref`` and ``folder`` are "" when they were not given.

    In the address of a page, a ref with "/" cannot be told from the folders behind it: ``ref`` is then its first part, and
    ``folder`` begins with the others. ``fetch_github`` asks for the branches when there is no such ref.
    """

    repository: str
    ref: str = ""
    folder: str = ""
    host: str = "github.com"


@dataclass(frozen=True, slots=True)
class GitName:
    """A git remote: an address for git, which may hold a user and password; ``ref`` and ``folder`` may be ""."""

    address: str
    ref: str = ""
    folder: str = ""


def parse_github(text: str) -> GitHubName | None:
    """Understand the name of a repository of GitHub.

    Args:
        text: ``github:owner/repo[@ref][:folder]``, or the address of a repository, folder, file, commit, release or
            archive at github.com.

    Returns:
        What is meant; ``None`` when the text is not about GitHub (``git+https://github.com/...`` is git's).

    Raises:
        SourceError: It is about GitHub, but malformed, or about a page that is in no repository.
    """
    typed = text.strip()
    named = typed[:7].lower() == "github:"
    rest = typed[7:].strip() if named else typed
    if len(typed) > _LONGEST:
        if named or _GITHUB_URL.match(rest[:_LONGEST]):
            raise SourceError(f"'{typed[:60]}...' is too long for a repository", expected=GITHUB_FORM)
        return None
    url = _GITHUB_URL.fullmatch(rest)
    if url is None:
        return _short(rest, typed) if named else None
    if url["user"]:
        happened = f"'{shown(typed)}' holds a user name or a token"
        raise SourceError(happened, hint="Take it out, and put a token in the environment variable GITHUB_TOKEN.")
    return _page(re.split(r"[?#]", url["path"] or "", maxsplit=1)[0], typed)


def parse_git(text: str) -> GitName | None:
    """Understand the address of a git remote.

    Args:
        text: ``git+https://host/path[@ref][:folder]``, likewise with ``http``, ``ssh`` and ``file``, with
            ``#subdirectory=folder`` as pip has it; or ``ssh://...`` or ``git@host:path``, as hosts show them.

    Returns:
        What is meant; ``None`` when the text is no such address.

    Raises:
        SourceError: It is meant for git, but malformed.
    """
    typed = text.strip()
    if not re.match(r"git\+|ssh://|git@[\w.-]+:", typed, re.IGNORECASE | re.ASCII):
        return None
    if len(typed) > _LONGEST:
        raise SourceError(f"'{typed[:20]}...' is too long for an address", expected=GIT_FORM)
    address = typed[4:] if typed[:4].lower() == "git+" else typed
    scp = _SCP.fullmatch(address)
    if scp:
        address = f"ssh://{scp['user']}@{scp['host']}/{scp['path']}{scp['rest'] or ''}"
    url = _GIT_URL.fullmatch(address)
    scheme = url["scheme"].lower() if url else ""
    if url is None or scheme not in _SCHEMES or bool(url["host"]) == (scheme == "file"):
        # Of a password with a slash in it, too, nothing is shown.
        plain = re.sub(r"//.*@", "//", typed, flags=re.DOTALL)
        raise SourceError(f"'{plain}' is not the address of a git repository", expected=GIT_FORM)
    path, ref, folder = _git_path(url["path"], typed)
    for part in (url["fragment"] or "").split("&"):
        key, _, value = part.partition("=")
        if key == "subdirectory":
            folder = unquote(value)
        elif key not in {"", "egg"}:
            raise SourceError(f"'{shown(typed)}' ends in '#{part}'", expected="#subdirectory=folder")
    address = f"{scheme}://{url['user'] or ''}{url['host'] or ''}{path}"
    return GitName(address, clean_ref(ref, typed), inside(folder, typed))


def is_commit(ref: str) -> bool:
    """Whether a ref is the full hash of a commit, which never moves."""
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", ref) is not None


def shown(address: str) -> str:
    """An address as it may be shown: without the user and password that it may hold."""
    return re.sub(r"(?<=//)[^/\s]*@", "", address)


def inside(folder: str, typed: str) -> str:
    """A folder of a repository without needless slashes and dots.

    Args:
        folder: As it was given; "" is the whole repository.
        typed: The whole name, for the error.

    Returns:
        The folder with "/" between its parts.

    Raises:
        SourceError: It is not in the repository.
    """
    parts = [part for part in folder.split("/") if part not in {"", "."}]
    if ".." in parts or any(ord(letter) < ord(" ") or "\ud800" <= letter <= "\udfff" for letter in folder):
        raise SourceError(f"'{shown(typed)}': '{folder}' leaves the repository", expected="a folder in it")
    return "/".join(parts)


def clean_ref(ref: str, typed: str) -> str:
    """A ref that git can be asked for.

    Args:
        ref: A branch, tag or commit as it was given; "" and "HEAD" are the default branch.
        typed: The whole name, for the error.

    Returns:
        The ref, "" for the default branch.

    Raises:
        SourceError: git allows no such name.
    """
    if len(ref) > _LONGEST_REF or _NO_REF.search(ref):
        raise SourceError(
            f"'{shown(typed)}': '{ref}' cannot be a branch, tag or commit", expected="one that git allows"
        )
    return "" if ref == "HEAD" else ref


def _short(rest: str, typed: str) -> GitHubName:
    match = _SHORT.fullmatch(rest)
    if match is None:
        if re.match(r"[^/@:]+/[^/@:]+/.", rest):
            return _page(re.split(r"[?#]", rest, maxsplit=1)[0], typed)
        raise SourceError(f"'{typed}' is not a repository of GitHub", expected=GITHUB_FORM)
    return _name(match["owner"], match["repo"], match["ref"] or "", match["folder"] or "", typed)


def _page(path: str, typed: str) -> GitHubName:
    """What the path of an address at github.com means."""
    if re.match(r"[^/]+/[^/@:]+[@:]", path):
        return _short(path, typed)
    parts = [part for part in unquote(path).split("/") if part]
    ref = folder = ""
    match parts[2:]:
        case [] | ["tree" | "blob"]:
            pass
        case ["tree" | "blob" | "raw" | "edit" | "blame" | "commits", "refs", "heads" | "tags", ref, *below]:
            folder = "/".join(below)
        case ["tree" | "blob" | "raw" | "edit" | "blame" | "commits", ref, *below]:
            folder = "/".join(below)
        case ["commit", ref]:
            pass
        case ["releases", "tag", *tag] | ["archive", "refs", "heads" | "tags", *tag] | ["archive", *tag] if tag:
            ref = "/".join(tag)
            ref = _ARCHIVE.sub("", ref) if parts[2] == "archive" else ref
        case _:
            raise SourceError(f"'{typed}' is not a folder or file of a repository of GitHub", expected=GITHUB_FORM)
    if len(parts) < 2:  # noqa: PLR2004 - owner and repository
        raise SourceError(f"'{typed}' names no repository", expected=GITHUB_FORM)
    return _name(parts[0], parts[1], ref, folder, typed)


def _name(owner: str, repo: str, ref: str, folder: str, typed: str) -> GitHubName:
    repo = repo.removesuffix(".git")
    if not _OWNER.fullmatch(owner) or not _REPO.fullmatch(repo) or repo in {".", ".."}:
        raise SourceError(f"'{typed}' is not a repository of GitHub", expected=GITHUB_FORM)
    return GitHubName(f"{owner}/{repo}", clean_ref(ref, typed), inside(folder, typed))


def _git_path(path: str, typed: str) -> tuple[str, str, str]:
    end = _GIT_END.search(path)
    # Without ".git" the last "@" begins the ref, as pip has it.
    place = end.end() if end else path.rfind("@")
    if place < 0:
        place = path.find(":") if ":" in path else len(path)
    tail = _TAIL.fullmatch(path[place:])
    if tail is None or not path[:place].strip("/"):
        raise SourceError(f"'{shown(typed)}' is not the address of a git repository", expected=GIT_FORM)
    return path[:place], tail["ref"] or "", tail["folder"] or ""
