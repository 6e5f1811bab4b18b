"""Brings what a user named onto this machine, as folders that can be read.

In: sources as they were named. Out: for each a folder, with a label that is the same on every machine. How each kind is had is
the matter of the modules beside this one; it reads no document.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.config import IngestSettings
from dragoman.ingest.sources.local import admitting, fetch_local, place_of
from dragoman.ingest.sources.overlooked import tell_overlooked
from dragoman.ingest.sources.spec import FetchedSource, Say, SourceSpec


@dataclass(slots=True)
class _Found:
    """A source, the folders that lead to it ("" of a remote one, whose label says all), and its own settings."""

    source: FetchedSource
    place: tuple[str, ...]
    settings: IngestSettings

    def label(self, parts: int) -> str:
        """Its label with this many folders."""
        return "/".join(self.place[-parts:]) or self.source.label or "(root)"


def fetch(specs: Sequence[SourceSpec], cache: Path, say: Say) -> list[FetchedSource]:
    """Bring all sources onto this machine.

    Args:
        specs: What was named. Files of one folder, and the same thing named twice, become one source when their
            settings are the same.
        cache: A folder for what is downloaded; a release or commit that is in it needs no network.
        say: Called with a line about each thing that a user should know, e.g. what is downloaded.

    Returns:
        The sources in the order of their first mention; no two have the same label.

    Raises:
        SourceError: A folder is missing, a repository, package, dataset or version is unknown, its content does not match
            its checksum or is unsafe, or the place it is kept at cannot be reached.
    """
    found: dict[tuple[Path, IngestSettings], _Found] = {}
    for spec in specs:
        source = _fetched(spec, cache, say)
        place = place_of(spec) if spec.kind in {"local", "archive"} else ()
        known = found.setdefault((source.root, spec.settings), _Found(source, place, spec.settings))
        if known.source is not source:
            known.source = _joined(known, source)
    return _labelled(list(found.values()))


def _fetched(spec: SourceSpec, cache: Path, say: Say) -> FetchedSource:
    source = _brought(spec, cache, say)
    # In a folder of the user's own, what is hidden or built is no riddle; of a data set all is read.
    if not spec.folder and spec.kind in {"archive", "github", "git", "npm", "pypi"}:
        tell_overlooked(source, spec.text if spec.kind == "archive" else source.label, say)
    return source


def _brought(spec: SourceSpec, cache: Path, say: Say) -> FetchedSource:
    # Each is imported when it is needed: clients of the network take a tenth of a second, and local folders do without.
    match spec.kind:
        case "local" | "archive":
            return fetch_local(spec, cache, say)
        case "npm":
            from dragoman.ingest.sources.package import fetch_npm

            return fetch_npm(spec, cache, say)
        case "pypi":
            from dragoman.ingest.sources.pypi import fetch_pypi

            return fetch_pypi(spec, cache, say)
        case "github":
            from dragoman.ingest.sources.github import fetch_github

            return fetch_github(spec, cache, say)
        case "git":
            from dragoman.ingest.sources.git import fetch_git

            return fetch_git(spec, cache, say)
        case "hf":
            from dragoman.ingest.sources.hub import fetch_dataset

            return fetch_dataset(spec, cache, say)


def _joined(known: _Found, other: FetchedSource) -> FetchedSource:
    one = known.source
    both = tuple(sorted({*one.files, *other.files}))
    if not both:
        return one
    whole = not (one.files and other.files)
    settings = admitting(known.settings, both, others=whole) if known.place else known.settings
    left_out = one.left_out or other.left_out
    return replace(one, files=() if whole else both, settings=settings, left_out=left_out)


def _labelled(found: list[_Found]) -> list[FetchedSource]:
    """Put parents' names in front of equal labels until they differ; number those that lie in one folder."""
    depth = [1] * len(found)
    while True:
        labels = [each.label(parts) for each, parts in zip(found, depth, strict=True)]
        places: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for each, label in zip(found, labels, strict=True):
            places[label].add(each.place)
        deeper = [
            parts + (len(places[label]) > 1 and parts < len(each.place))
            for each, label, parts in zip(found, labels, depth, strict=True)
        ]
        if deeper == depth:
            break
        depth = deeper
    taken: dict[str, FetchedSource] = {}
    for each, label in zip(found, labels, strict=True):
        numbered = (f"{label}#{number}" for number in itertools.count(2))
        free = next(name for name in itertools.chain([label], numbered) if name not in taken)
        taken[free] = replace(each.source, label=free)
    return list(taken.values())
