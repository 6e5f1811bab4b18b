"""The lists of reStructuredText and what else is told by the sign a line begins with: sessions and line blocks.

In: lines, and where such a block begins. Out: its Markdown, and the line after it. Blocks inside an item are read by the reader
of the page.
"""

from collections.abc import Sequence
from typing import Final

from dragoman.ingest.formats.blocks import Line, indented, joined
from dragoman.ingest.formats.rst import lines as form
from dragoman.ingest.formats.rst.inline import paragraph
from dragoman.ingest.formats.rst.reader import Reader

_Blocks = list[list[Line]]


def _begins_bullets(lines: Sequence[Line], at: int) -> bool:
    return bool(form.BULLET.match(lines[at].text))


def _begins_numbers(lines: Sequence[Line], at: int) -> bool:
    if not form.NUMBER.match(lines[at].text):
        return False
    following = lines[at + 1].text if at + 1 < len(lines) else ""
    return not following.strip() or following.startswith(" ") or bool(form.NUMBER.match(following))


def _list(reader: Reader, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
    """A list of bullets or numbers, item by item."""
    numbered = not form.BULLET.match(lines[at].text)
    marker = form.NUMBER if numbered else form.BULLET
    items: _Blocks = []
    number = 0
    while at < len(lines) and (found := marker.match(lines[at].text)):
        end = form.block_end(lines, at)
        number = int(found[0].strip("(.) ")) if not number and found[0].strip("(.) ").isdecimal() else number + 1
        first = Line(lines[at].text[found.end() :], lines[at].line, lines[at].file)
        rest = [
            Line(line.text[min(form.margin(line.text), found.end()) :], line.line, line.file)
            for line in lines[at + 1 : end]
        ]
        body = reader.blocks([first, *rest])
        mark = f"{number}. " if numbered else "- "
        items.append(indented(joined(body), mark, " " * len(mark)))
        at = end
        while at < len(lines) and not lines[at].text.strip():
            at += 1
    return [joined(items, tight=True)], at


def _begins_fields(lines: Sequence[Line], at: int) -> bool:
    return bool(form.FIELD.match(lines[at].text))


def _fields(reader: Reader, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
    """A list of fields: ``:param int size: how large`` becomes an item that begins with ``size (int)``."""
    items: _Blocks = []
    while at < len(lines) and (found := form.FIELD.match(lines[at].text)):
        end = form.block_end(lines, at)
        first = Line(lines[at].text[found.end() :], lines[at].line, lines[at].file)
        body = joined(reader.blocks([first, *form.dedented(lines[at + 1 : end])]))
        name = field_name(found[1])
        if body:
            items.append(indented(body, f"- {name}: ", "  "))
        elif reader.depth > 1:
            items.append([Line(f"- {name}", first.line, first.file)])
        at = end
    return [joined(items, tight=True)], at


def field_name(words: str) -> str:
    """What is shown of a field's name: ``param int size`` is ``size (int)``, ``returns`` is ``Returns``."""
    kind, _, rest = words.partition(" ")
    rest = rest.strip()
    if (
        kind in {"param", "parameter", "arg", "argument", "key", "keyword", "kwarg", "ivar", "cvar", "var", "attribute"}
        and rest
    ):
        kind_of, _, name = rest.rpartition(" ")
        return f"`{name}` ({kind_of})" if kind_of else f"`{name}`"
    if kind in {"raises", "raise", "except", "exception"}:
        return f"Raises `{rest}`" if rest else "Raises"
    return {"returns": "Returns", "return": "Returns", "rtype": "Return type", "type": f"Type of `{rest}`"}.get(
        kind, words
    )


def _begins_options(lines: Sequence[Line], at: int) -> bool:
    return bool(form.OPTION.match(lines[at].text))


def _options(reader: Reader, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
    """A list of command line options with what they do."""
    items: _Blocks = []
    while at < len(lines) and (found := form.OPTION.match(lines[at].text)):
        end = form.block_end(lines, at)
        first = Line(lines[at].text[found.end() :], lines[at].line, lines[at].file)
        body = joined(reader.blocks([first, *form.dedented(lines[at + 1 : end])]))
        words = body or [Line("", first.line, first.file)]
        items.append(indented(words, f"- `{found[1]}`: " if body else f"- `{found[1]}`", "  "))
        at = end
        while at < len(lines) and not lines[at].text.strip():
            at += 1
    return [joined(items, tight=True)], at


def _begins_session(lines: Sequence[Line], at: int) -> bool:
    return lines[at].text.startswith((">>> ", ">>>"))


def _session(reader: Reader, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
    end = at
    while end < len(lines) and lines[end].text.strip():
        end += 1
    return [reader.code(lines[at:end], "pycon", lines[at])], end


def _begins_verse(lines: Sequence[Line], at: int) -> bool:
    return lines[at].text.startswith("| ") or lines[at].text == "|"


def _verse(reader: Reader, lines: Sequence[Line], at: int) -> tuple[_Blocks, int]:
    """A line block: each line stays one."""
    end = at
    while end < len(lines) and lines[end].text.startswith(("|", " ")):
        end += 1
    bare = [Line(line.text.removeprefix("|").strip(), line.line, line.file) for line in lines[at:end]]
    return [paragraph(form.trimmed(bare), reader.names)], end


LISTS: Final = (
    (_begins_bullets, _list),
    (_begins_numbers, _list),
    (_begins_fields, _fields),
    (_begins_options, _options),
    (_begins_session, _session),
    (_begins_verse, _verse),
)
