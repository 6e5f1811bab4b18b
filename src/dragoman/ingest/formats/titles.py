"""What a link to another page shows when it has no words of its own: that page's title, or its path made readable.

In: the target of a ``:doc:`` or ``:ref:``, and the neighbours. Out: words. Only the top of a page is looked at, and each page once.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from dragoman.ingest.formats.page import Neighbours

_ENDINGS: Final = (".rst", ".md", ".txt")
_MOST_LINES: Final = 200
_MOST_PAGES: Final = 500  # that one page may have opened for their titles
_LONGEST: Final = 200
_ATX = re.compile(r" {0,3}#[ \t]+(.*?)[ \t#]*(?:\{[^{}]*\})?[ \t]*\Z")
_RULE = re.compile(r"([=\-~^\"'#*+`.:_])\1{2,}\Z")
_MARKUP = re.compile(r":[A-Za-z][\w:+.-]*:(?=`)|\{[A-Za-z][\w:+.-]*\}(?=`)|[`*\\]")
_PREFIX = re.compile(r"[A-Za-z][\w.-]*:(?!//)")


@dataclass(slots=True)
class Titles:
    """The titles of the pages beside one page; without neighbours every name is only made readable."""

    path: str = ""
    neighbours: Neighbours | None = None
    _known: dict[str, str] = field(default_factory=dict)

    def of_page(self, target: str) -> str:
        """What a link to a page shows, such as ``../deploying/index``."""
        if target not in self._known:
            asks = self.neighbours is not None and len(self._known) < _MOST_PAGES and not _PREFIX.match(target)
            self._known[target] = (self._looked_up(target) if asks else "") or readable(target)
        return self._known[target]

    def _looked_up(self, target: str) -> str:
        bare = target.strip()
        names = [bare] if bare.endswith(_ENDINGS) else [bare + ending for ending in _ENDINGS]
        for name in names:
            found = self.neighbours.include(name, self.path) if self.neighbours else None
            if found is not None:
                return _first_title(found.text)
        return ""


def readable(target: str) -> str:
    """``/deploying/index`` -> "deploying", ``proxy_fix`` -> "proxy fix"."""
    bare = _PREFIX.sub("", target.strip()).strip("/")
    for ending in _ENDINGS:
        bare = bare.removesuffix(ending)
    last = bare.removesuffix("/index").rstrip("/").rpartition("/")[2]
    return " ".join(re.sub(r"[-_]+", " ", last).split()) or target.strip()


def _first_title(text: str) -> str:
    """The first heading near the top of a page; "" where none is found."""
    lines = [line[:_LONGEST].rstrip() for line in text[: _MOST_LINES * _LONGEST].split("\n")[:_MOST_LINES]]
    for number, line in enumerate(lines):
        atx = _ATX.match(line)
        below = lines[number + 1] if number + 1 < len(lines) else ""
        words = line.strip()
        ruled = words and _RULE.match(below) and len(below) >= len(words) and line[:1] not in ". :-|"
        if atx or (ruled and not _RULE.match(words)):
            return " ".join(_MARKUP.sub("", atx[1] if atx else words).split())
    return ""
