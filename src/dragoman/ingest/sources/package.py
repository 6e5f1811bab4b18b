"""Packages of npm as sources: which folder of a package holds its docs, and where they can be seen.

In: a package as it was named. Out: the unpacked package as a source. How it comes here is ``npm``'s matter.
"""

import json
import os
import re
from pathlib import Path
from urllib.parse import quote

from dragoman.errors import SourceError
from dragoman.ingest.select import DOCUMENT_SUFFIXES
from dragoman.ingest.sources.archive import Limits
from dragoman.ingest.sources.local import walk
from dragoman.ingest.sources.spec import FetchedSource, Say, SourceSpec

# Beside a package's code, the other formats are licences, word lists and examples rather than pages.
_PAGES = (".md", ".markdown", ".mdx")
# A folder of HTML alone is what a program wrote about the code: its README tells more.
_IN_DOCS = tuple(suffix for suffix in DOCUMENT_SUFFIXES if not suffix.startswith(".htm"))
_GITHUB = re.compile(r"(?:(?:.*@|.*//)(?:www\.)?github\.com[:/]|github:|)([\w.-]+)/([\w.-]+?)(?:\.git)?/?(?:#.*)?")


def fetch_npm(spec: SourceSpec, cache: Path, say: Say) -> FetchedSource:
    """Bring a package of npm onto this machine, unless it is in the cache.

    Args:
        spec: The package, its version, and the folder to read; "" is ``docs`` where it holds documents, else all Markdown.
        cache: A folder for what is downloaded.
        say: Called with a line that says where the package comes from.

    Returns:
        The source, labelled with the version that was found.

    Raises:
        SourceError: The package cannot be had, or has no such folder.
    """
    # httpx takes a tenth of a second to import; local folders do without.
    from dragoman.ingest.sources.npm import fetch_package

    package = fetch_package(spec.location, spec.version, cache, say, limits=Limits.of(spec.settings))
    label = f"npm:{package.name}@{package.version}"
    folder = spec.folder
    if folder:
        label += f":{folder}"
        if not (package.root / folder).is_dir():
            folders = sorted(entry.name for entry in package.root.iterdir() if entry.is_dir())
            expected = f"one of its folders ({', '.join(folders)})" if folders else "no folder: it has none"
            raise SourceError(f"{spec.text}: the package has no folder '{folder}'", expected=expected)
    elif _documents(package.root / "docs", _IN_DOCS):
        folder = "docs"
    root = package.root / folder
    repository, pages = _repository(package.root, package.version, folder)
    return FetchedSource(
        label,
        root,
        package.root,
        revision=package.version,
        ref=spec.version if spec.version != package.version else "",
        files=() if folder else _documents(root, _PAGES),
        page_url=pages,
        repository=repository or package.name,
        settings=spec.settings,
    )


def _documents(root: Path, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    entries = [
        entry for entry in walk(root) if isinstance(entry, os.DirEntry) and entry.name.lower().endswith(suffixes)
    ]
    return tuple(sorted(Path(entry.path).relative_to(root).as_posix() for entry in entries))


def _repository(package: Path, version: str, folder: str) -> tuple[str, str]:
    """The repository of a package, and where GitHub shows the files of a folder; "" when it is elsewhere."""
    try:
        repository = json.loads((package / "package.json").read_text(encoding="utf-8"))["repository"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "", ""
    parts = repository if isinstance(repository, dict) else {"url": repository}
    match = _GITHUB.fullmatch(str(parts.get("url") or ""))
    if not match:
        return "", ""
    below = str(parts.get("directory") or "").strip("./")
    # Repositories of several packages name their tags in many ways: a link that may have moved beats a dead one.
    place = ["HEAD", quote(below)] if below else [f"v{quote(version)}"]
    steps = [match[1], match[2], "blob", *place, *([quote(folder)] if folder else []), "{path}"]
    return f"{match[1]}/{match[2]}", "/".join(["https://github.com", *steps])
