"""The text of a docstring as Markdown: sections in the manner of Google and NumPy, fields of Sphinx, sessions.

In: the lines of a docstring, with where they stand. Out: blocks of Markdown, line for line. It knows no code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.ingest.formats.blocks import Line, admonition, fence, indented, joined
from dragoman.ingest.formats.page import Included, Page
from dragoman.ingest.formats.rst.convert import converted
from dragoman.ingest.formats.rst.lines import dedented, margin, trimmed

_LISTS: Final = {
    "args": "Parameters",
    "arguments": "Parameters",
    "attributes": "Attributes",
    "exceptions": "Raises",
    "keyword args": "Keyword parameters",
    "keyword arguments": "Keyword parameters",
    "methods": "Methods",
    "other parameters": "Other parameters",
    "parameters": "Parameters",
    "params": "Parameters",
    "raises": "Raises",
    "warns": "Warns",
}
_TEXTS: Final = {
    "example": "Examples",
    "examples": "Examples",
    "receives": "Receives",
    "references": "References",
    "return": "Returns",
    "returns": "Returns",
    "see also": "See also",
    "usage": "Usage",
    "yield": "Yields",
    "yields": "Yields",
}
_NOTES: Final = frozenset(
    {"note", "notes", "warning", "warnings", "tip", "important", "caution", "danger", "hint", "todo"}
)
_GOOGLE = re.compile(r"([A-Za-z][A-Za-z ]{0,30}):\s*\Z")
_RULE = re.compile(r"-{3,}\s*\Z")
_GOOGLE_ITEM = re.compile(
    r"(\*{0,2}[\w.\[\]`, *]{1,80}?)(?:\s*\(([^()\n]{0,200}(?:\([^()\n]{0,100}\)[^()\n]{0,100})?)\))?\s*:(?:\s+|\Z)(.*)"
)
_NUMPY_ITEM = re.compile(r"(\*{0,2}[\w.\[\]`, *]{1,80}?)\s*(?::\s*(.*))?\Z")
_RST = re.compile(
    r":[\w:.+-]{1,40}:`|^[ \t]*:(?:param|type|returns?|rtype|raises?|ivar|var)\b[^\n]{0,200}:|^[ \t]*\.\. [\w-]+::|::[ \t]*$",
    re.MULTILINE,
)
_SESSION: Final = ">>>"


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of a docstring: ``name`` is "" for plain text."""

    name: str
    at: Line
    body: tuple[Line, ...]
    numpy: bool = False


class _Alone:
    """The neighbours of a docstring: none."""

    def include(self, name: str, beside: str) -> Included | None:  # noqa: ARG002 - the contract of neighbours
        """No file."""
        return None

    def describe(self, name: str, level: int) -> Page | None:  # noqa: ARG002 - the contract of neighbours
        """No source."""
        return None


def docstring_blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """A docstring as blocks of Markdown; any text will do.

    Args:
        lines: Its lines, at the margin.

    Returns:
        Its blocks, without headings: sections begin with a bold name.
    """
    is_rst = bool(_RST.search("\n".join(line.text for line in lines)))
    found = []
    for section in _sections(trimmed(lines)):
        found += _written(section, is_rst=is_rst)
    return [block for block in found if block]


def _sections(lines: Sequence[Line]) -> list[_Section]:
    found: list[_Section] = []
    name, at, numpy, begun = "", Line("", 1), False, 0
    number = 0
    while number < len(lines):
        header, taken = _header(lines, number)
        ended = name and not numpy and lines[number].text.strip() and margin(lines[number].text) == 0
        if taken or ended:
            found.append(_Section(name, at, tuple(lines[begun:number]), numpy))
            name, at, numpy, begun = header, lines[number], taken == 2, number + taken  # noqa: PLR2004 - a name and a rule
        number += max(taken, 1)
    found.append(_Section(name, at, tuple(lines[begun:]), numpy))
    return found


def _header(lines: Sequence[Line], at: int) -> tuple[str, int]:
    """The name of the section that begins at a line, and how many lines say so (0: none does)."""
    text = lines[at].text
    following = lines[at + 1].text if at + 1 < len(lines) else ""
    if _RULE.match(following) and text.strip().lower() in _LISTS | _TEXTS | dict.fromkeys(_NOTES, ""):
        return text.strip(), 2
    google = _GOOGLE.match(text)
    if google and following.startswith(" ") and google[1].lower() in _LISTS | _TEXTS | dict.fromkeys(_NOTES, ""):
        return google[1], 1
    return "", 0


def _written(section: _Section, *, is_rst: bool) -> list[list[Line]]:
    body = trimmed(dedented(trimmed(section.body)))
    if not body:
        return []
    name = section.name.lower()
    if not name:
        return _text(body, is_rst=is_rst)
    if name in _NOTES:
        return [admonition(name.rstrip("s"), "", joined(_text(body, is_rst=is_rst)), section.at)]
    label = [Line(f"**{(_LISTS | _TEXTS)[name]}**", section.at.line, section.at.file)]
    if name in _LISTS or (section.numpy and name in {"returns", "yields", "receives"}):
        return [label, _items(body, numpy=section.numpy, is_rst=is_rst)]
    return [label, *_text(body, is_rst=is_rst)]


def _items(lines: Sequence[Line], *, numpy: bool, is_rst: bool) -> list[Line]:
    """Named things with what they are: each begins at the margin, its text goes on indented."""
    groups: list[list[Line]] = []
    for line in lines:
        if groups and (not line.text.strip() or line.text.startswith(" ")):
            groups[-1].append(line)
        else:
            groups.append([line])
    items = []
    for first, *rest in groups:
        match = (_NUMPY_ITEM if numpy else _GOOGLE_ITEM).match(first.text)
        head, words = first.text, ""
        if match and numpy:
            head = f"`{match[1].strip()}`" + (f" ({match[2].strip()})" if match[2] else "")
        elif match:
            head = f"`{match[1].strip('` ')}`" + (f" ({match[2].strip()})" if match[2] else "")
            words = match[3]
        text = [*([Line(words, first.line, first.file)] if words else []), *dedented(trimmed(rest))]
        body = joined(_text(text, is_rst=is_rst)) if text else []
        colon = ": " if match and body else ""
        if body and not words:
            items.append([Line(f"- {head}{colon.rstrip()}", first.line, first.file), *indented(body, "  ", "  ")])
        else:
            items.append(indented(body or [Line("", first.line, first.file)], f"- {head}{colon}", "  "))
    return joined(items, tight=True)


def _text(lines: Sequence[Line], *, is_rst: bool) -> list[list[Line]]:
    """Text with its sessions as fences; Markdown stays as it is."""
    if is_rst:
        return [converted(lines, 0, "", _Alone())]
    found: list[list[Line]] = []
    run: list[Line] = []
    fenced = False
    number = 0
    while number < len(lines):
        line = lines[number]
        fenced ^= line.text.lstrip().startswith(("```", "~~~"))
        if fenced or not line.text.lstrip().startswith(_SESSION):
            run.append(line)
            number += 1
            continue
        end = number
        while end < len(lines) and lines[end].text.strip() and not lines[end].text.lstrip().startswith("```"):
            end += 1
        found += [trimmed(run), fence(dedented(lines[number:end]), "pycon", line)]
        run, number = [], max(end, number + 1)
    return [block for block in [*found, trimmed(run)] if block]
