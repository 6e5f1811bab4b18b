"""Names of code in a text, whole: what a question about ``--port`` must find, and a passage about a port need not.

In: any text. Out: ``client.users``, ``--port``, ``$HOME``, ``E0502``, ``snake_case``, ``camelCase``, ``@scope/name``,
``std::vec``, ``Class#method`` and ``src/main.py`` as they are written. It knows no table and no score.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

_NAME = r"[^\W\d]\w*"
_LINK = r"\.|::|\#|->"
_WORD = r"\w*[^\W_]_+[^\W_]\w*|__\w+__|(?<!\w)[^\W\d_][^\W_]*?[a-z\d][A-Z][^\W_]*|(?<!\w)[A-Z]{2,}[a-z][^\W_]*"
_IDENTIFIER = re.compile(
    rf"""
      (?P<flag> (?<![\w/.-]) -{{1,2}} [^\W\d_] [\w-]*)
    | (?P<variable> \$ \{{? {_NAME})
    | (?P<scoped> (?<!\w) @ [\w.-]+ / [\w.-]* \w)
    | (?P<path> (?<![\w:/]) (?: ~/ | \.{{0,2}}/ |) (?: [\w.-]+ / )+ [\w.-]* \w)
    | (?P<joined> {_NAME} (?: (?:{_LINK}) {_NAME} )+)
    | (?P<code> (?<!\w) [A-Z]{{1,5}} \d{{2,6}} (?!\w))
    | (?P<word> {_WORD})
    """,
    re.VERBOSE,
)
# Pieces are short, and patterns are tried within one: no text makes them slow.
_BETWEEN = str.maketrans(dict.fromkeys("`'\"(),;=|[]<", " "))
_REMEMBERED = 1 << 16
_LONGEST, _MOST_NAMES = 120, 8
_LINKS = re.compile(rf"({_LINK})")
_SHAPED = re.compile(_WORD)
_SUFFIX = re.compile(r"\.\w{1,5}$")


def identifiers(text: str) -> list[str]:
    """The identifiers of a text, each as often as it is written.

    Args:
        text: Any text.

    Returns:
        Names without blanks, in order.
    """
    return [name for piece in _pieces(text) for name, _ in _within(piece)]


def indexed_identifiers(text: str) -> list[str]:
    """What a text is found by: its identifiers, and of a joined one its shorter runs.

    ``client.users.list`` is found by ``client.users`` as well, and ``rg.from_hub`` by ``from_hub``.

    Args:
        text: Any text.

    Returns:
        Names without blanks.
    """
    return [name for piece in _pieces(text) for name in _indexed(piece)]


def _pieces(text: str) -> list[str]:
    return text.translate(_BETWEEN).split()


@lru_cache(maxsize=_REMEMBERED)  # docs repeat their words: most are looked up
def _indexed(piece: str) -> tuple[str, ...]:
    return tuple(part for name, joined in _within(piece) for part in (_runs(name) if joined else [name]))


def _within(piece: str) -> tuple[tuple[str, bool], ...]:
    """Each identifier of a piece, and whether it is joined of several names."""
    if len(piece) > _LONGEST or "://" in piece:
        return ()
    return tuple(_matched(piece))


def _matched(piece: str) -> Iterator[tuple[str, bool]]:
    for match in _IDENTIFIER.finditer(piece):
        kind, name = match.lastgroup, match.group()
        if kind == "variable":
            yield "$" + name.lstrip("${"), False
        elif kind == "path" and not _is_path(name):
            continue
        elif kind == "joined":
            if max(map(len, _LINKS.split(name)[::2])) > 1:  # "e.g" is none
                yield name, True
        else:
            yield name, False


def _is_path(name: str) -> bool:
    """Prose has "and/or"; a path has a suffix, a root or several folders."""
    return bool(_SUFFIX.search(name)) or name[0] in "~./" or name.count("/") > 1


def _runs(name: str) -> list[str]:
    parts = _LINKS.split(name)
    places = range(0, len(parts), 2)
    if len(places) > _MOST_NAMES:
        return [name]
    runs = ["".join(parts[first : last + 1]) for first in places for last in places if last > first]
    return [*runs, *(part for part in parts[::2] if _SHAPED.fullmatch(part))]
