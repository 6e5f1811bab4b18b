"""Chooses which files of a source are read, before any is opened.

In: the paths of a source's documents, and its settings. Out: the paths to read, and every other one with the reason why it is
not. What answers no reader's question is left out unless an include glob names it. It opens no file.
"""

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.config import IngestSettings
from dragoman.ingest.translations import translations
from dragoman.records import Rejected

DOCUMENT_SUFFIXES: Final = (".md", ".markdown", ".mdx", ".rst", ".ipynb", ".html", ".htm", ".txt")

REASONS: Final = (
    "boilerplate",
    "build output",
    "changelog",
    "excluded",
    "licence",
    "not included",
    "not prose",
    "tests",
    "translation",
    "vendored",
)

_HTML = (".html", ".htm")
_VENDORED = {"node_modules", "bower_components", "jspm_packages", "vendor", "vendored", "_vendor", "third_party"}
_VENDORED |= {"third-party", "thirdparty", "3rdparty", "3rd_party", "site-packages", "dist-packages"}
BUILT: Final = frozenset({"_build", "dist", "htmlcov", "__pycache__", "_static"})  # folders
_TESTS = {"__tests__", "__fixtures__", "__snapshots__", "testdata"}
_LOGS = {"changelog", "changelogs", "changelog.d", "release-notes", "release_notes", "releasenotes", "newsfragments"}
_TEMPLATES = {"_templates", "templates", "_includes", "_layouts", "layouts", "partials", "overrides"}
_DOCS = {"docs", "doc", "documentation", "source", "website", "site"}
_SITES = {"build", "site", "_site", "out", "public"}  # where generators put HTML, but also names of honest folders

_VERSION = r"(?:[-_. ]*v?\d[\w.+-]*)?"
_LOG = re.compile(rf"(?:change[-_ ]?logs?|release[-_ ]?notes?|whats[-_]?new){_VERSION}", re.IGNORECASE)
# In small letters, or deeper down, these may be pages about a browser's history or a bus of events.
_LOUD_LOG = re.compile(rf"(?:CHANGES|HISTORY|NEWS|RELEASES?){_VERSION}")
_QUIET_LOG = re.compile(rf"(?:changes|history|news|releases){_VERSION}", re.IGNORECASE)
_LICENCE = re.compile(
    r"(?:un)?licen[cs]es?|copying|third[-_ ]?party[-_ ]?(?:notices?|licen[cs]es?)"
    r"|licen[cs]e[-_.](?:mit|apache|bsd|a?gpl|lgpl|mpl|isc|cc|zlib)[\w.+-]*",
    re.IGNORECASE,
)
_LOUD_LICENCE = re.compile(
    r"(?:LICEN[CS]ES?|COPYING|COPYRIGHT|NOTICES?|PATENTS)(?:[-_.][\w.+-]*)?|[\w.+]+[-_.]LICEN[CS]E"
)
_BOILERPLATE = re.compile(
    r"(?:code[-_ ]of[-_ ]conduct|(?:pull[-_]request|issue)[-_]template)(?:[-_.][\w-]+)?", re.IGNORECASE
)
_NUMBER = re.compile(r"v?\d+(?:\.[\dx]+)+")
_LIST = re.compile(  # .txt files that programs read
    r"(?:(?:dev|docs?|tests?|build|ci|lint|rtd|base|prod)[-_.])?requirements(?:[-_.][\w.-]+)?|constraints[-_.]\d[\w.-]*"
    r"|cmakelists|robots|humans|sitemap|sources|top_level|entry_points|dependency_links|requires|llms(?:-[\w-]+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Selected:
    """The paths to read, and those left out, both sorted by path; together they are what was given.

    ``unmatched`` are the globs of ``include`` and ``exclude`` that match no path that was given: a misspelling is seen by it.
    """

    kept: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    unmatched: tuple[str, ...] = ()


def select(paths: Iterable[str], settings: IngestSettings) -> Selected:
    """Choose which documents of a source are read.

    A glob is as in ``.gitignore``: without "/" it holds at any depth, ``**`` spans folders, a folder's name holds for all that is
    in it, and a later ``!glob`` takes back what an earlier one said.

    Args:
        paths: The documents of one source, relative to its folder, with "/"; in any order.
        settings: ``exclude`` wins over ``include``; ``include``, where it names a usual exclude (``CHANGELOG.md``, but
            not ``**/*.md``), over that; ``usual_excludes`` switches those off.

    Returns:
        Each path once: kept, or left out with a reason from ``REASONS``.
    """
    include, exclude = Globs(settings.include), Globs(settings.exclude)
    left: dict[str, tuple[str, str]] = {}
    kept: list[str] = []
    everything = sorted(set(paths))
    for path in everything:
        if exclude.holds(path):
            left[path] = ("excluded", "")
        elif settings.include and not include.holds(path):
            left[path] = ("not included", "")
        else:
            kept.append(path)
    if settings.usual_excludes:
        usual = {path: found for path, found in _usual(kept).items() if not _is_named(path, found, settings.include)}
        pages = [path for path in kept if path not in usual]
        foreign = {path: ("translation", language) for path, language in translations(pages).items()}
        usual |= {path: found for path, found in foreign.items() if not _is_named(path, found, settings.include)}
        kept = [path for path in kept if path not in usual]
        left |= usual
    rows = (Rejected("ingest", path, reason, detail) for path, (reason, detail) in sorted(left.items()))
    return Selected(tuple(kept), tuple(rows), _unmatched((*settings.include, *settings.exclude), everything))


class Globs:
    """Globs in the manner of ``.gitignore``; the last one that matches a path decides.

    Args:
        globs: With "/" between folders; ``!`` in front takes back.
    """

    def __init__(self, globs: Sequence[str]) -> None:
        self._rules = [(not glob.startswith("!"), _parts(glob.removeprefix("!"))) for glob in globs]

    def holds(self, path: str) -> bool:
        """Whether the globs mean this path, or a folder that it is in."""
        steps = path.split("/")
        return next((meant for meant, parts in reversed(self._rules) if parts and _matches(parts, steps)), False)


def _unmatched(globs: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
    rules = {glob: Globs([glob.removeprefix("!")]) for glob in globs}
    return tuple(glob for glob, rule in rules.items() if not any(map(rule.holds, paths)))


def _parts(glob: str) -> list[str]:
    body = glob.strip().removeprefix("./")
    steps = [step for step in body.split("/") if step not in {"", "."}]
    parts = steps if "/" in body.rstrip("/") or not steps else ["**", *steps]
    # A row of "**" means what one means.
    return [part for place, part in enumerate(parts) if part != "**" or parts[place - 1 : place] != ["**"]]


def _matches(parts: Sequence[str], steps: Sequence[str]) -> bool:
    """Whether the glob matches the path or one of its folders; time grows with the product of their lengths."""
    places = {0}
    for step in steps:
        reached = set()
        for place in _through(places, parts):
            if parts[place] == "**":
                reached.add(place)
            elif fnmatch.fnmatchcase(step, parts[place]):
                reached.add(place + 1)
        if len(parts) in reached or (parts[-1] == "**" and len(parts) - 1 in reached & {*_through(places, parts)}):
            return True
        places = reached
    return False


def _through(places: set[int], parts: Sequence[str]) -> Iterator[int]:
    """The places in a glob from which a step can be matched: a ``**`` may also stand for nothing."""
    for place in places:
        yield place
        if parts[place] == "**" and place + 1 < len(parts):
            yield place + 1


def _usual(paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What answers no question, with its reason and the part of the path that tells."""
    docs = {
        path[: place.end()].lower()
        for path in paths
        for place in re.finditer(r"(?:^|(?<=/))docs(?=/)", path, re.IGNORECASE)
    }
    logs = _folders_of_versions(paths)
    mixed = len({path.lower().endswith(_HTML) for path in paths}) > 1
    found = {}
    for path in paths:
        *above, name = path.split("/")
        reason = _by_folders(above, name, docs, mixed=mixed)
        if not reason and "/".join(above) in logs:
            reason = ("changelog", f"{above[-1]}/")
        if not reason and (by_name := _by_name(name, top=not above) or _by_place(above, name)):
            reason = (by_name, name)
        if reason:
            found[path] = reason
    return found


def _folders_of_versions(paths: Sequence[str]) -> set[str]:
    """The folders called ``changes`` in which every page but the front page is named after a version."""
    stems: dict[str, set[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder.rpartition("/")[2].lower() == "changes":
            stems.setdefault(folder, set()).add(_stem_and_suffix(name)[0].lower())
    named = {folder: pages - {"index", "readme", "_index"} for folder, pages in stems.items()}
    return {folder for folder, pages in named.items() if pages and all(map(_NUMBER.fullmatch, pages))}


def _by_folders(above: Sequence[str], name: str, docs: set[str], *, mixed: bool) -> tuple[str, str] | None:
    html = name.lower().endswith(_HTML)
    for depth, folder in enumerate(above):
        low = folder.lower()
        reason = _by_folder(low)
        if low == "tests" and "/".join([*above[:depth], "docs"]).lower() in docs:
            reason = "tests"
        elif html and low in _TEMPLATES:
            reason = "not prose"
        elif mixed and (low == "_sources" or (html and depth <= 1 and low in _SITES)):
            reason = "build output"
        elif depth == len(above) - 1:
            reason = reason or _by_parent(folder, name)
        if reason:
            return reason, f"{folder}/"
    return None


def _by_folder(folder: str) -> str:
    if folder in _VENDORED:
        return "vendored"
    if folder in BUILT or folder.endswith((".egg-info", ".dist-info")):
        return "build output"
    if folder in _LOGS:
        return "changelog"
    return "tests" if folder in _TESTS else ""


def _by_parent(parent: str, name: str) -> str:
    stem, suffix = _stem_and_suffix(name)
    if parent.lower() in {"changes", "releases", "whatsnew"} and _NUMBER.fullmatch(stem):
        return "changelog"
    if parent == "LICENSES":
        return "licence"
    return "not prose" if parent == "requirements" and suffix == ".txt" else ""


def _by_name(name: str, *, top: bool) -> str:
    stem, suffix = _stem_and_suffix(name)
    quiet = suffix in {".rst", ".txt"} or (top and stem[:1].isupper())
    if _LOG.fullmatch(stem) or _LOUD_LOG.fullmatch(stem) or (quiet and _QUIET_LOG.fullmatch(stem)):
        return "changelog"
    if _LICENCE.fullmatch(stem) or _LOUD_LICENCE.fullmatch(stem):
        return "licence"
    if _BOILERPLATE.fullmatch(stem):
        return "boilerplate"
    listed = _LIST.fullmatch(stem) or (top and stem == "constraints")
    return "not prose" if suffix == ".txt" and listed else ""


def _by_place(above: Sequence[str], name: str) -> str:
    """A page ``changes.md`` is a changelog at the root of the docs only: deeper down it may tell of an event."""
    at_root = all(folder.lower() in _DOCS for folder in above)
    return "changelog" if at_root and _stem_and_suffix(name)[0].lower() == "changes" else ""


def _stem_and_suffix(name: str) -> tuple[str, str]:
    suffix = next((each for each in DOCUMENT_SUFFIXES if name.lower().endswith(each)), "")
    return name[: len(name) - len(suffix)].strip("-_. "), suffix


def _is_named(path: str, found: tuple[str, str], include: Sequence[str]) -> bool:
    """Whether an include glob that holds for the path says, in plain letters, what would leave the path out."""
    reason, told = found[0], found[1].strip("/").lower()
    for glob in include:
        parts = [re.sub(r"[*?!\[\]]", "", part) for part in glob.split("/")]
        words = {word.lower() for part in parts for word in (part, *part.split("."))}
        said = told in words or any(_by_name(part, top=False) == reason for part in parts)
        if said and Globs([glob]).holds(path):
            return True
    return False
