"""Notebooks (``.ipynb``, formats 3 and 4) as Markdown: their text and their code, without what the code put out.

In: the JSON of a notebook. Out: a page whose every line knows the line of the JSON it was written on. Nothing is run, and
widgets, attachments and raw cells are left out.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dragoman.ingest.formats.blocks import Line, as_page, fence, heading, joined
from dragoman.ingest.formats.failure import PageError
from dragoman.ingest.formats.page import LeftOut, Neighbours, Page

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,\n]|[^\s{}\[\]:,"]+')
_OPEN_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
_ATTACHED = re.compile(r"!\[([^\]\n]{0,300})\]\(attachment:[^)\n]{0,300}\)")
_CELL_MAGIC = re.compile(r"%%(?:script[ \t]+)?(\w+)")
_MAGICS: Final = {
    "bash": "bash",
    "cython": "cython",
    "html": "html",
    "javascript": "javascript",
    "js": "javascript",
    "latex": "latex",
    "markdown": "markdown",
    "perl": "perl",
    "r": "r",
    "ruby": "ruby",
    "sh": "sh",
    "sql": "sql",
    "svg": "svg",
    "writefile": "",
}
_LONG: Final = 4  # digits: all numbers that matter here are shorter
_HIDDEN: Final = frozenset({"remove-cell", "remove_cell", "remove-input", "remove_input", "hide-cell", "hide_cell"})


@dataclass(frozen=True, slots=True)
class _Text:
    words: str
    line: int


def convert(text: str, path: str, neighbours: Neighbours) -> Page:  # noqa: ARG001 - the contract of all converters
    """Turn a notebook into Markdown.

    Args:
        text: The JSON of the notebook.
        path: Where it lies; unused.
        neighbours: What lies beside it; unused.

    Returns:
        The page, titled by the notebook's metadata where that has a title.

    Raises:
        PageError: The text is no JSON, or JSON but no notebook.
    """
    notebook = _parse(text)
    cells = _cells(notebook)
    language = _language(notebook)
    left_out: list[LeftOut] = []
    blocks = [_cell(cell, language, left_out) for cell in cells]
    title = _words(_child(_child(notebook, "metadata"), "title"))
    return as_page(joined(blocks), " ".join(title.split()), left_out)


def _parse(text: str) -> Mapping[str, object]:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PageError("no notebook", f"not JSON: {error}") from error
    tree = _tree(text)
    if not isinstance(tree, dict):
        raise PageError("no notebook", "JSON, but not an object")
    return tree


def _tree(text: str) -> object:
    """The JSON with the line of every string; of other values only short numbers are kept."""
    line = 1
    root: list[object] = []
    stack: list[dict[str, object] | list[object]] = [root]
    keys: list[str | None] = [None]
    for match in _TOKEN.finditer(text):
        sign = match.group()
        if sign == "\n":
            line += 1
        elif sign in "}]":
            stack.pop()
            keys.pop()
        elif sign not in ":,":
            value = _value(sign, line)
            top = stack[-1]
            if isinstance(top, list):
                top.append(value)
            elif keys[-1] is None:
                keys[-1] = value.words if isinstance(value, _Text) else ""
                continue
            else:
                top[keys[-1]] = value
                keys[-1] = None
            if isinstance(value, dict | list):
                stack.append(value)
                keys.append(None)
    return root[0] if root else None


def _value(sign: str, line: int) -> "_Text | dict[str, object] | list[object] | None":
    if sign == "{":
        return {}
    if sign == "[":
        return []
    if sign.startswith('"'):
        words: str = json.loads(sign)
        # A lone half of a surrogate pair may stand in JSON, but in no file of text.
        words = words.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
        return _Text(words.replace("\r\n", "\n").replace("\r", "\n"), line)
    return _Text(sign, line) if sign.isdigit() and len(sign) < _LONG else None


def _child(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _words(value: object) -> str:
    return value.words if isinstance(value, _Text) else ""


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _cells(notebook: Mapping[str, object]) -> list[object]:
    if isinstance(notebook.get("cells"), list):
        return _items(notebook["cells"])
    if isinstance(notebook.get("worksheets"), list):  # format 3
        return [cell for sheet in _items(notebook["worksheets"]) for cell in _items(_child(sheet, "cells"))]
    raise PageError("no notebook", "neither 'cells' (format 4) nor 'worksheets' (format 3)")


def _language(notebook: Mapping[str, object]) -> str:
    metadata = notebook.get("metadata")
    named = (
        _child(_child(metadata, "language_info"), "name"),
        _child(_child(metadata, "kernelspec"), "language"),
        _child(_child(metadata, "kernel_info"), "language"),
    )
    found = next((_words(name) for name in named if _words(name)), "python")
    return "python" if found.lower() == "ipython" else found.lower()


def _cell(cell: object, language: str, left_out: list[LeftOut]) -> list[Line]:
    kind = _words(_child(cell, "cell_type"))
    lines = list(_lines(_child(cell, "source") or _child(cell, "input")))
    while lines and not lines[-1].text.strip():
        lines.pop()
    while lines and not lines[0].text.strip():
        lines.pop(0)
    if not lines:
        return []
    tags = {_words(tag) for tag in _items(_child(_child(cell, "metadata"), "tags"))}
    if tags & _HIDDEN:
        left_out.append(LeftOut(lines[0].line, "hidden cell", lines[0].text[:80]))
        return []
    if kind == "code":
        return _code(lines, _words(_child(cell, "language")).lower() or language)
    if kind == "markdown":
        return _markdown(lines, left_out)
    if kind == "heading":  # format 3
        level = _words(_child(cell, "level"))
        return heading(int(level) if level.isdecimal() else 1, " ".join(line.text for line in lines), lines[0])
    left_out.append(LeftOut(lines[0].line, "raw cell", lines[0].text[:80]))
    return []


def _lines(source: object) -> Iterator[Line]:
    """The lines of a cell's source, which is one string, or a list of strings that end with their line breaks."""
    parts = source if isinstance(source, list) else [source]
    begun: list[str] = []
    at = 0
    for part in parts:
        if not isinstance(part, _Text):
            continue
        pieces = part.words.split("\n")
        for number, piece in enumerate(pieces):
            at = at if begun else part.line
            if piece:
                begun.append(piece)
            if number < len(pieces) - 1:
                yield Line("".join(begun), at)
                begun = []
    if begun:
        yield Line("".join(begun), at)


def _code(lines: list[Line], language: str) -> list[Line]:
    magic = _CELL_MAGIC.match(lines[0].text.strip())
    if magic:
        language = _MAGICS.get(magic[1].lower(), language)
    return fence(lines, language, lines[0])


def _markdown(lines: list[Line], left_out: list[LeftOut]) -> list[Line]:
    found = []
    opened = ""
    for line in lines:
        marker = _OPEN_FENCE.match(line.text)
        bare = line.text.strip()
        if opened:
            opened = "" if bare.startswith(opened) and not bare.strip(opened[0]) else opened
        elif marker:
            opened = marker[1]
        text, attached = (line.text, 0) if opened or marker else _ATTACHED.subn(r"\1", line.text)
        if attached:
            left_out.append(LeftOut(line.line, "attachment", line.text.strip()[:80]))
        found.append(Line(text, line.line))
    if opened:  # a cell ends where it ends: the next one is not its code
        found.append(Line(opened, lines[-1].line))
    return found
