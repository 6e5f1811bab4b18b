"""Docs of several versions side by side: which source describes which version, and which is the newest.

In: the sources of a recipe. Out: a version by the label that its chunks carry. It reads no document.
"""

from collections.abc import Iterable, Mapping

from packaging.version import InvalidVersion, Version

from dragoman.config import IngestSettings, SourceSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources.fetch import fetch
from dragoman.ingest.sources.spec import parse_source
from dragoman.pipeline.context import Run


class _Versioned(IngestSettings):
    """Settings of a source that also say its version: sources that differ in it are never taken for one."""

    version: str = ""


def version_labels(run: Run) -> dict[str, str]:
    """The version of each source that says one, by the source's label.

    Args:
        run: The run. Its sources are looked up again where one of them has a version: those that were read are in the cache.

    Returns:
        Versions in the order of the sources.

    Raises:
        SourceError: A source cannot be had, or one folder is said to be of two versions.
    """
    if not stated_versions(run):
        return {}
    specs = []
    for stated in run.recipe.sources:
        named = stated if isinstance(stated, SourceSettings) else SourceSettings(source=stated)
        settings = named.over(run.recipe.ingest)
        specs.append(parse_source(named.source, _Versioned(**settings.model_dump(), version=named.version)))
    found: dict[str, str] = {}
    version_of: dict[str, str] = {}
    for source in fetch(specs, run.workspace.root / "sources", lambda _: None):
        version = getattr(source.settings, "version", "")
        if version_of.setdefault(str(source.root), version) != version:
            both = " and ".join(repr(label or "none") for label in (version_of[str(source.root)], version))
            hint = "Keep each version in a folder of its own, or name its tag: github:owner/repo@v2"
            raise SourceError(f"{source.root} is a source of two versions, {both}", expected="one", hint=hint)
        if version:
            found[source.label] = version
    return found


def stated_versions(run: Run) -> dict[str, str]:
    """The versions of a recipe by its sources as they are named."""
    tables = [source for source in run.recipe.sources if isinstance(source, SourceSettings)]
    return {table.source: table.version for table in tables if table.version}


def newest(versions: Mapping[str, str]) -> str:
    """The version that is searched when none is asked for: the highest, or the last source's where one is no number.

    Args:
        versions: Versions by label, in the order of the sources.

    Returns:
        The version; "" where there are none.
    """
    labels = list(versions.values())
    numbers = _numbers(labels)
    return max(numbers, key=lambda label: numbers[label]) if numbers else (labels[-1] if labels else "")


def newest_first(labels: Iterable[str], latest: str) -> tuple[str, ...]:
    """Each version once, the newest first.

    Args:
        labels: Versions.
        latest: The newest.

    Returns:
        The versions.
    """
    known = set(labels)
    numbers = _numbers(known)
    ordered = sorted(
        known, key=lambda label: (numbers[label], label) if numbers else (Version("0"), label), reverse=True
    )
    return tuple(sorted(ordered, key=lambda label: label != latest))


def _numbers(labels: Iterable[str]) -> dict[str, Version]:
    """Versions as numbers, which compare; empty where one of them is none."""
    try:
        return {label: Version(label) for label in labels}
    except InvalidVersion:
        return {}
