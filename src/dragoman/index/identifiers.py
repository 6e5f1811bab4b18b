"""Names of code in a text, whole: what a question about ``--port`` must find, and a passage about a port need not.

In: any text. Out: ``client.users``, ``--port``, ``$HOME``, ``E0502``, ``snake_case``, ``camelCase``, ``@scope/name``,
``std::vec``, ``Class#method`` and ``src/main.py`` as they are written. It knows no table and no score.
"""

import re
from collections.abc import Iterator

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
_PIECE = re.compile(r"[^\s`'\"(),;=|\[\]<]+")
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
    return [name for name, _ in _found(text)]


def indexed_identifiers(text: str) -> list[str]:
    """What a text is found by: its identifiers, and of a joined one its shorter runs.

    ``client.users.list`` is found by ``client.users`` as well, and ``rg.from_hub`` by ``from_hub``.

    Args:
        text: Any text.

    Returns:
        Names without blanks.
    """
    return [part for name, joined in _found(text) for part in (_runs(name) if joined else [name])]


def _found(text: str) -> Iterator[tuple[str, bool]]:
    """Each identifier, and whether it is joined of several names."""
    for match in (match for piece in _PIECE.findall(text) if _may_be(piece) for match in _IDENTIFIER.finditer(piece)):
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


def _may_be(piece: str) -> bool:
    plain = piece.isalpha() and piece[1:].islower()  # most words are: asked first, it takes a third of the time
    return not plain and len(piece) <= _LONGEST and "://" not in piece


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
