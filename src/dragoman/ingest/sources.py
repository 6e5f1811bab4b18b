"""Sources: what a user names, as folders that can be read.

In: texts like ``docs/`` or ``npm:fastify@5.12.8``. Out: for each a folder on this machine, with a label
that is the same on every machine and the address where its pages are published. It reads no document.
"""

import difflib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from dragoman.errors import SourceError

DOCUMENT_SUFFIXES = (".md", ".markdown", ".mdx", ".txt")
ACCEPTED = "a folder, a file, or npm:package@version"

_GITHUB = re.compile(r"(?:(?:.*@|.*//)(?:www\.)?github\.com[:/]|github:|)([\w.-]+)/([\w.-]+?)(?:\.git)?/?(?:#.*)?")
_LATER = re.compile(r"(github|gitlab|git|git\+\w+|pypi|hf|https?|ssh|file):", re.IGNORECASE)
_NPM = re.compile(
    r"npm:(?P<name>(?:@[\w~-][\w.~-]*/)?[\w~-][\w.~-]*)(?:@(?P<version>[\w][\w.+-]*))?(?::(?P<folder>[^:\0]+))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as it was named.

    ``location`` is a path as typed for ``local`` and a package name for ``npm``. ``version`` is "" for
    the newest; ``folder`` is the folder of the package to read, "" for the usual place.
    """

    kind: Literal["local", "npm"]
    text: str
    location: str
    version: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class FetchedSource:
    """A source that lies on this machine.

    ``label`` names it in every artefact. ``files`` are the paths (relative to ``root``, with "/") to
    read; empty means all below ``root``. ``page_url`` holds ``{path}`` where the quoted path of a file
    goes; "" when it is not known where the pages are published.
    """

    label: str
    root: Path
    revision: str = ""
    files: tuple[str, ...] = ()
    page_url: str = ""


def parse_source(text: str) -> SourceSpec:
    """Understand how a source was named; nothing is looked up yet.

    Args:
        text: A folder, a file, or ``npm:package[@version][:folder]``; without version, the newest.

    Returns:
        The source as named.

    Raises:
        SourceError: The text is empty, malformed, or names a kind of source that is not supported.
    """
    typed = text.strip()
    if not typed:
        raise SourceError("a source is empty", expected=ACCEPTED)
    if typed.lower().startswith("npm:"):
        match = _NPM.fullmatch("npm:" + typed[4:])
        folder = (match["folder"] or "").strip("/") if match else ""
        if not match or ".." in folder.split("/"):
            raise SourceError(
                f"'{typed}' is not a package", expected="npm:package@version or npm:@scope/package@version"
            )
        return SourceSpec("npm", typed, match["name"], match["version"] or "", folder)
    later = _LATER.match(typed)
    if later:
        raise SourceError(f"'{typed}': {later[1].lower()}: sources are not supported yet", expected=ACCEPTED)
    return SourceSpec("local", typed, typed)


def fetch(specs: Sequence[SourceSpec], cache: Path, say: Callable[[str], None]) -> list[FetchedSource]:
    """Bring all sources onto this machine.

    Args:
        specs: What was named. Files of one folder, and the same thing named twice, become one source.
        cache: A folder for what is downloaded; a package that is in it needs no network.
        say: Called with a line about each thing that a user should know, e.g. what is downloaded.

    Returns:
        The sources in the order of their first mention; no two have the same label.

    Raises:
        SourceError: A folder is missing, a package or version is unknown, its content does not match
            its checksum or is unsafe, or the registry cannot be reached.
    """
    found: dict[Path, FetchedSource] = {}
    for spec in specs:
        source = _local(spec) if spec.kind == "local" else _package(spec, cache, say)
        known = found.get(source.root)
        found[source.root] = _joined(known, source) if known else source
    return _labelled(list(found.values()))


def walk(root: Path) -> Iterator[os.DirEntry[str] | OSError]:
    """Everything below a folder but hidden entries and ``node_modules``; links are not followed.

    Args:
        root: The folder.

    Yields:
        An entry for each file and each link, or the error of a folder that cannot be listed
        (its ``filename`` tells which). In no order.
    """
    try:
        with os.scandir(root) as entries:
            listed = list(entries)
    except OSError as error:
        yield error
        return
    for entry in listed:
        if entry.name.startswith(".") or entry.name == "node_modules":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path))
        else:
            yield entry


def _local(spec: SourceSpec) -> FetchedSource:
    try:
        path = Path(os.path.abspath(Path(spec.location).expanduser()))  # noqa: PTH100 - resolve() would rename links
        if path.is_dir():
            return FetchedSource(path.name, path)
        if path.is_file():
            return FetchedSource(path.parent.name, path.parent, files=(path.name,))
        exists = path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(f"cannot look at '{spec.text}': {error}", expected=ACCEPTED) from error
    if exists:
        raise SourceError(f"'{spec.text}' is neither a folder nor a plain file", expected=ACCEPTED)
    near = _nearest(path)
    hint = f"Did you mean '{_as_typed(near, spec.location)}'?" if near else ""
    raise SourceError(f"there is no '{spec.text}'", expected=ACCEPTED, hint=hint)


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


def _as_typed(path: Path, typed: str) -> str:
    return str(path) if Path(typed).is_absolute() else os.path.relpath(path)


def _package(spec: SourceSpec, cache: Path, say: Callable[[str], None]) -> FetchedSource:
    # httpx takes a tenth of a second to import; local folders do without.
    from dragoman.ingest.npm import fetch_package

    package = fetch_package(spec.location, spec.version, cache, say)
    label = f"npm:{package.name}@{package.version}"
    folder = spec.folder
    if folder:
        label += f":{folder}"
        if not (package.root / folder).is_dir():
            folders = sorted(entry.name for entry in package.root.iterdir() if entry.is_dir())
            expected = f"one of its folders ({', '.join(folders)})" if folders else "no folder: it has none"
            raise SourceError(f"{spec.text}: the package has no folder '{folder}'", expected=expected)
    elif any(_is_document(entry, DOCUMENT_SUFFIXES) for entry in walk(package.root / "docs")):
        folder = "docs"
    root = package.root / folder
    # Beside a package's code, .txt files are licences and word lists rather than pages.
    files = () if folder else _paths(root, DOCUMENT_SUFFIXES[:-1])
    return FetchedSource(label, root, package.version, files, _page_url(package.root, package.version, folder))


def _page_url(package: Path, version: str, folder: str) -> str:
    """Where GitHub shows the files of a package's folder; "" when its repository is elsewhere."""
    try:
        repository = json.loads((package / "package.json").read_text(encoding="utf-8"))["repository"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    parts = repository if isinstance(repository, dict) else {"url": repository}
    match = _GITHUB.fullmatch(str(parts.get("url") or ""))
    if not match:
        return ""
    below = str(parts.get("directory") or "").strip("./")
    # Repositories of several packages name their tags in many ways: a link that may have moved beats a dead one.
    place = ["HEAD", quote(below)] if below else [f"v{quote(version)}"]
    steps = [match[1], match[2], "blob", *place, *([quote(folder)] if folder else []), "{path}"]
    return "/".join(["https://github.com", *steps])


def _is_document(entry: os.DirEntry[str] | OSError, suffixes: tuple[str, ...]) -> bool:
    return isinstance(entry, os.DirEntry) and entry.name.lower().endswith(suffixes)


def _paths(root: Path, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    entries = [entry for entry in walk(root) if isinstance(entry, os.DirEntry) and _is_document(entry, suffixes)]
    return tuple(sorted(Path(entry.path).relative_to(root).as_posix() for entry in entries))


def _joined(one: FetchedSource, other: FetchedSource) -> FetchedSource:
    both = {*one.files, *other.files}
    return replace(one, files=tuple(sorted(both)) if one.files and other.files else ())


def _labelled(sources: list[FetchedSource]) -> list[FetchedSource]:
    """Put parents' names in front of equal labels until they differ."""
    depth = [1] * len(sources)
    while True:
        labels = [_label(source, n) for source, n in zip(sources, depth, strict=True)]
        count = Counter(labels)
        if len(count) == len(labels):
            return [replace(source, label=label) for source, label in zip(sources, labels, strict=True)]
        depth = [n + (count[label] > 1) for n, label in zip(depth, labels, strict=True)]


def _label(source: FetchedSource, parts: int) -> str:
    if source.label.startswith("npm:") and source.revision:
        return source.label
    return "/".join(source.root.parts[1:][-parts:]) or "(root)"
