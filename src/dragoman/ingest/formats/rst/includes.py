"""Directives that take text from beside the page: other files, and the docstrings of the code.

In: a directive taken apart. Out: blocks of Markdown whose lines are those of the other file. Only the page's neighbours are
asked; what they do not have is listed as left out.
"""

from dataclasses import replace

from dragoman.ingest.formats.blocks import Line, continued, is_heading, joined
from dragoman.ingest.formats.page import LeftOut, Page
from dragoman.ingest.formats.rst.inline import paragraph
from dragoman.ingest.formats.rst.lines import Directive, trimmed
from dragoman.ingest.formats.rst.objects import write_object
from dragoman.ingest.formats.rst.reader import Reader

_Blocks = list[list[Line]]


def leave_out(reader: Reader, found: Directive, reason: str) -> _Blocks:
    """No block; the directive is listed with the reason."""
    reader.left_out.append(LeftOut(found.at.line, reason, f"{found.name} {found.words}".strip()[:200]))
    return []


def write_include(reader: Reader, found: Directive) -> _Blocks:
    """``include``: the blocks of another file, or all of it as code."""
    if "literal" in found.options or "code" in found.options:
        return write_literal_include(reader, found)
    lines = included(reader, found)
    if lines is None:
        return []
    return reader.include(
        [Line(line.text.expandtabs(8).rstrip(), line.line, line.file) for line in lines], lines[0].file
    )


def included(reader: Reader, found: Directive) -> list[Line] | None:
    """The lines of the file that a directive names, or ``None`` (and it is listed) where it cannot be taken in."""
    beside = found.at.file or reader.path
    file = reader.neighbours.include(found.words, beside) if found.words else None
    if file is None:
        leave_out(reader, found, "include not found")
        return None
    if file.path in reader.including or file.path == reader.path or len(reader.including) > 8:  # noqa: PLR2004 - deep enough
        leave_out(reader, found, "include in a circle")
        return None
    if not reader.room_for(len(file.text)):
        leave_out(reader, found, "includes too large")
        return None
    return _part([Line(text, number, file.path) for number, text in enumerate(file.text.split("\n"), 1)], found)


def _part(lines: list[Line], found: Directive) -> list[Line]:
    """The part of a file that the options ask for."""
    lines = lines[:-1] if len(lines) > 1 and not lines[-1].text else lines
    for option, after, keep in (
        ("start-after", True, 0),
        ("start-at", True, 1),
        ("end-before", False, 0),
        ("end-at", False, 1),
    ):
        mark = found.option(option)
        place = next((number for number, line in enumerate(lines) if mark in line.text), None) if mark else None
        if place is not None:
            lines = lines[place + 1 - keep :] if after else lines[: place + keep]
    start, end = found.option("start-line"), found.option("end-line")
    if start.isdecimal() or end.isdecimal():
        lines = lines[line_number(start, 0) : line_number(end, len(lines))]
    wanted = found.option("lines")
    if wanted:
        chosen = [_range(part, len(lines)) for part in wanted.split(",")[:100]]
        lines = [lines[number - 1] for first, last in chosen for number in range(first, last + 1)]
    return lines or [Line("", 1)]


def line_number(text: str, otherwise: int) -> int:
    """The number that an option holds."""
    return int(text) if text.isdecimal() and len(text) < 9 else otherwise  # noqa: PLR2004 - a longer one is no line


def _range(text: str, last: int) -> tuple[int, int]:
    first, dash, end = text.strip().partition("-")
    begin = max(line_number(first, 1), 1)
    return begin, min(line_number(end, last) if dash else begin, last)


def write_literal_include(reader: Reader, found: Directive) -> _Blocks:
    """``literalinclude``: a file, or a part of it, as a fence."""
    lines = included(reader, found)
    if lines is None:
        return []
    language = found.option("language") or found.option("code") or _language_of(found.words)
    name = found.option("pyobject")
    if name:
        lines = _definition(lines, name)
    caption = [paragraph([found.options["caption"]], reader.names)] if found.option("caption") else []
    code = reader.code(lines, language, lines[0])
    return [*caption, [Line(code[0].text, found.at.line, found.at.file), *code[1:]]] if code else []


def _language_of(path: str) -> str:
    ending = path.rpartition(".")[2].lower() if "." in path else ""
    return {
        "py": "python",
        "js": "javascript",
        "ts": "typescript",
        "rs": "rust",
        "yml": "yaml",
        "rb": "ruby",
        "txt": "none",
    }.get(ending, ending if ending.isalnum() else "")


def _definition(lines: list[Line], name: str) -> list[Line]:
    """The lines of one function or class of a Python file, found by its indentation."""
    word = name.rpartition(".")[2]
    openings = tuple(f"{keyword} {word}{sign}" for keyword in ("def", "class", "async def") for sign in "(:")
    start = next((number for number, line in enumerate(lines) if line.text.lstrip().startswith(openings)), None)
    if start is None:
        return lines
    width = len(lines[start].text) - len(lines[start].text.lstrip())
    end = start + 1
    while end < len(lines) and (not lines[end].text.strip() or lines[end].text[: width + 1].isspace()):
        end += 1
    return lines[start:end]


def write_documented(reader: Reader, found: Directive) -> _Blocks:
    """What autodoc would take from the code; the names that are looked up are tried with and without the current module."""
    wanted = found.words.split("(")[0].strip()
    names = [f"{reader.module}.{wanted}", wanted] if reader.module and found.name != "automodule" else [wanted]
    if found.name == "automodule":
        reader.module = wanted
    page = next((page for name in names if name and (page := reader.neighbours.describe(name, reader.level + 1))), None)
    if page is None:
        leave_out(reader, found, "no source for directive")
        # What the page itself says of the object needs its name.
        return write_object(reader, replace(found, name=found.name.removeprefix("auto"))) if found.body else []
    written, own = _lines_of(page, found.at), reader.blocks(found.body)
    reader.described = True
    if written and own and is_heading(written[0]):
        own = [[continued(written[0])], *own]  # or else it would go on with the last member
    return [joined([written, *own])]


def _lines_of(page: Page, at: Line) -> list[Line]:
    texts = page.text.split("\n")
    lines = page.lines or tuple(range(1, len(texts) + 1))
    files = page.files or ("",) * len(texts)
    found = [
        Line(text, number, file) if file else Line(text, at.line)
        for text, number, file in zip(texts, lines, files, strict=False)
    ]
    return trimmed(found)
