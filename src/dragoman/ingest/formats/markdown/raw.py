"""HTML in Markdown that says what Markdown says better: headings on lines of their own, and anchors without text.

In: the lines of a page. Out: the same list, with headings as Markdown's and without such anchors. No line moves; code stays.
"""

import re
from typing import Final

from dragoman.ingest.formats.blocks import Line, heading
from dragoman.ingest.formats.markdown.fences import Fences, code_spans

_HEAD = re.compile(r" {0,3}<h([1-6])((?:\s[^<>]*)?)>(.*)</h\1>[ \t]*\Z", re.IGNORECASE)
_ID = re.compile(r"(?:\A|\s)id\s*=\s*[\"']?([^\s\"'<>]+)", re.IGNORECASE)
_PICTURE = re.compile(r"<img\b[^<>]*\balt\s*=\s*\"([^\"<>]*)\"[^<>]*>", re.IGNORECASE)
_CODE = re.compile(r"<code>([^<>`]+)</code>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_ANCHOR = re.compile(
    r"<a(?:\s+(?:id|name)\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>/]+)){1,2}\s*(?:/>|>\s*</a\s*>)", re.IGNORECASE
)
_LONGEST: Final = 2_000


def has_raw(text: str) -> bool:
    """Whether a page may have such HTML; a look that costs next to nothing."""
    return any(sign in text for sign in ("<h", "<H", "<a ", "<A "))


def plain_raw(texts: list[str], *, loose: bool = False) -> None:
    """Write headings in Markdown's way and take out empty anchors, in place.

    Args:
        texts: The lines of a page.
        loose: As for ``Fences``.
    """
    fences, in_html = Fences(loose=loose), False
    for index, text in enumerate(texts):
        if fences.inside(text):
            in_html = False
            continue
        line = text
        if "<" in line and len(line) <= _LONGEST:
            line = _without_anchors(line)
            found = None if in_html else _HEAD.match(line)
            line = (_heading(found) if found else "") or line
            texts[index] = line
        # Up to a blank line, what follows a tag at the margin is HTML, and a "#" in it no heading.
        in_html = bool(line.strip()) and (in_html or line.lstrip(" ").startswith("<"))


def _heading(found: re.Match[str]) -> str:
    words = _TAG.sub("", _CODE.sub(r"`\1`", _PICTURE.sub(r"\1", found[3])))
    chosen = _ID.search(found[2])
    written = heading(int(found[1]), words, Line("", 1), chosen[1] if chosen else "")
    return written[0].text if written else ""


def _without_anchors(line: str) -> str:
    if "<a" not in line and "<A" not in line:
        return line
    spans = code_spans(line)
    parts, reached = [], 0
    for found in _ANCHOR.finditer(line):
        if not any(start < found.start() < end for start, end in spans):
            parts.append(line[reached : found.start()])
            reached = found.end()
    kept = "".join([*parts, line[reached:]])
    return kept if not parts else kept.rstrip() if not line[reached:].strip() else kept
