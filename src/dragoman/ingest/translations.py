"""Finds the pages of a source that say in another language what a page of it says already.

In: the paths of a source's pages. Out: those that are translations, with their language. It goes by names only, and never
takes a page for a translation without its original: docs that exist in one language only keep all their pages.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

_CODES = (
    "af am ar az be bg bn bs ca cn cs cy da de el en eo es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja jp ka kk km "
    "kn ko kr ky lt lv mk ml mn mr ms my nb ne nl nn no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tl tr tw ua uk ur uz vi "
    "zh"
)
# Words of English, and of programming: a folder of this name is a language only among others.
_WORDS = "am be cs da el et fa ga he hi id is it ml mk ms my ne no pa ps si sk sl te ta"
_LANGUAGES: Final = frozenset(_CODES.split())
_AMBIGUOUS: Final = frozenset(_WORDS.split())
_CONTAINERS: Final = frozenset(
    ("i18n", "l10n", "locale", "locales", "lang", "langs", "languages", "translations", "translated")
)
_REGION = r"(?:[-_](?P<region>[A-Za-z]{2}|[Hh]an[st]|[Ll]atn|[Cc]yrl|419))?"
_CODE = re.compile(rf"(?P<language>[A-Za-z]{{2,3}}){_REGION}", re.ASCII)
_DOTTED = re.compile(rf"(?P<base>.+)\.(?P<language>[A-Za-z]{{2,3}}){_REGION}", re.ASCII)
_DASHED = re.compile(rf"(?P<base>.+?)[-_](?P<language>[A-Za-z]{{2,3}}){_REGION}", re.ASCII)
_SUFFIX = re.compile(r"\.(?:md|markdown|mdx|rst|ipynb|html?|txt)$", re.IGNORECASE)
_FRONT_PAGES: Final = frozenset(("index", "readme", "_index"))
_DOCUSAURUS = re.compile(r"docusaurus-plugin-content-(?P<kind>docs|blog|pages)(?:-(?P<name>[\w-]+))?/(?P<rest>.+)")
_ENOUGH = 0.5  # of the pages of a folder, to take it for a translation


def translations(paths: Sequence[str]) -> dict[str, str]:
    """Find translated pages.

    Args:
        paths: All pages of one source, with "/".

    Returns:
        The language, as its folder or file name gives it, of each path that is a translation of another. English never is.
    """
    keys = {_key(path) for path in paths}
    found = {}
    for path in paths:
        language = _of_file(path, keys)
        if language:
            found[path] = language
    trees: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for path in paths:
        for before, code, rest in _tree_steps(path):
            trees[before, code].append((path, rest))
    codes: dict[str, set[str]] = defaultdict(set)
    for before, code in trees:
        codes[before].add(code)
    for (before, code), pages in trees.items():
        if not _is_english(code) and _is_translated(before, code, [rest for _, rest in pages], codes[before], keys):
            found |= {path: code for path, _ in pages}
    return found


def _key(path: str) -> str:
    return _SUFFIX.sub("", path).lower()


def _is_english(code: str) -> bool:
    return code.lower().split("-")[0].split("_")[0] == "en"


def _tree_steps(path: str) -> Iterator[tuple[str, str, str]]:
    """The folders of a path that may be of a language: what is before, the folder, and what is below."""
    steps = path.split("/")
    for place, step in enumerate(steps[:-1]):
        match = _CODE.fullmatch(step)
        if match and match["language"].lower() in _LANGUAGES:
            yield "/".join(steps[:place]), step, "/".join(steps[place + 1 :])


def _is_translated(before: str, code: str, pages: Sequence[str], siblings: set[str], keys: set[str]) -> bool:
    english = [sibling for sibling in siblings if _is_english(sibling)]
    sure = [sibling for sibling in siblings if sibling.lower() not in _AMBIGUOUS and sibling != code]
    contained = before.rpartition("/")[2].lower() in _CONTAINERS
    evident = bool(english) or contained or len(code) > len("fil") or len(sure) > 1
    if not evident:
        if code.lower() in _AMBIGUOUS:
            return False
        # Every folder has an index: that this one has it, too, says nothing.
        pages = [page for page in pages if _key(page).rpartition("/")[2] not in _FRONT_PAGES]
    originals = [_originals(before, page, english, contained=contained) for page in pages]
    hits = sum(any(_key(each) in keys for each in each_page) for each_page in originals)
    return hits > 0 and hits >= _ENOUGH * len(pages)


def _originals(before: str, page: str, english: Sequence[str], *, contained: bool) -> list[str]:
    """Where the page may be that a translated one was made from."""
    places = [_below(before, page), *(_below(before, f"{sibling}/{page}") for sibling in english)]
    if contained:
        outside = before.rpartition("/")[0]
        places += [_below(outside, page), _below(outside, f"docs/{page}")]
        match = _DOCUSAURUS.fullmatch(page)
        if match:
            name = match["name"] or {"pages": "src/pages"}.get(match["kind"], match["kind"])
            version, _, rest = match["rest"].partition("/")
            places += [_below(outside, f"{name}/{match['rest']}"), _below(outside, f"{name}/{rest}")]
            places.append(_below(outside, f"versioned_{name}/{version}/{rest}"))
    return places


def _below(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path


def _of_file(path: str, keys: set[str]) -> str:
    """The language in a file's name when the page without it is there, too; "" otherwise."""
    folder, _, name = path.rpartition("/")
    stem = _SUFFIX.sub("", name)
    match = _DOTTED.fullmatch(stem) or _DASHED.fullmatch(stem)
    if match is None or match["language"].lower() not in _LANGUAGES or match["language"].lower() == "en":
        return ""
    base = match["base"]
    code = stem[len(base) + 1 :]
    front = base.lower() in _FRONT_PAGES
    # "sign-it" may be a page about signing it; a region, or a name in capitals, is a habit of translators.
    loud = front or base.isupper() or (match["region"] or "").isupper() or match["language"].lower() in {"zh", "pt"}
    if stem[len(base)] != "." and not loud:
        return ""
    places = [_below(folder, base), _below(folder, f"{base}.en")]
    while front and folder:
        folder = folder.rpartition("/")[0]
        places.append(_below(folder, base))
    return code if any(place.lower() in keys for place in places) else ""
