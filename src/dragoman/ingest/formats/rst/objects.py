"""What Sphinx calls object descriptions: ``.. py:function:: pour(cup)`` and its like, as headings.

In: such a directive. Out: a heading with the signature and, for Python, the id that Sphinx gives it; then its body.
"""

import re
from typing import Final

from dragoman.ingest.formats.blocks import Line, code, heading, joined, word_set
from dragoman.ingest.formats.rst.lines import Directive
from dragoman.ingest.formats.rst.reader import Reader

_PYTHON: Final = word_set(
    "function data exception class attribute property method staticmethod classmethod decorator decoratormethod type"
)
_KINDS: Final = frozenset({"class", "exception", "staticmethod", "classmethod", "decorator", "property"})
OBJECTS: Final = (
    _PYTHON
    | {f"py:{name}" for name in _PYTHON}
    | {f"js:{name}" for name in ("function", "method", "class", "data", "attribute", "module")}
    | {
        f"c:{name}"
        for name in ("function", "member", "macro", "struct", "union", "enum", "enumerator", "type", "var", "alias")
    }
    | {
        f"cpp:{name}"
        for name in ("function", "member", "class", "struct", "enum", "enumerator", "type", "var", "concept")
    }
    | {f"http:{name}" for name in ("get", "post", "put", "patch", "delete", "head", "options", "any")}
    | {"rst:directive", "rst:role", "rst:directive:option"}
    | {
        "option",
        "cmdoption",
        "envvar",
        "confval",
        "setting",
        "describe",
        "object",
        "fixture",
        "hook",
        "event",
        "django-admin",
    }
    | {
        "templatefilter",
        "templatetag",
        "fieldlookup",
        "c:expr",
        "function-like",
        "std:option",
        "std:envvar",
        "std:confval",
    }
)
_NAME = re.compile(r"(?:async\s+|abstract\s+)?([A-Za-z_][\w.]{0,300})")


def write_object(reader: Reader, found: Directive) -> list[list[Line]]:
    """An object description as blocks of Markdown.

    Args:
        reader: The page it is on.
        found: The directive; each line of its argument is a signature.

    Returns:
        One block: a heading for each signature (bold where no heading may stand, as in a docstring), and the body.
    """
    name = found.name.rpartition(":")[2]
    python = name in _PYTHON and found.name in {name, f"py:{name}"}
    outer = reader.level, reader.module, reader.section
    reader.level += 1
    written: list[list[Line]] = []
    inner = ""
    for line in found.argument:
        words = line.text.strip().replace("\\", "")
        if not words:
            continue
        match = _NAME.match(words)
        inner = inner or (match[1] if match else "")
        shown = f"{name} {words}" if python and name in _KINDS else words
        if found.name.startswith("http:"):
            shown = f"{name.upper()} {words}"
        full = f"{reader.module}.{match[1]}" if match and reader.module else (match[1] if match else "")
        anchor = full if python and "noindex" not in found.options else ""
        bold = [Line(f"**{code(shown)}**", line.line, line.file)]
        written.append(bold if reader.plain else heading(reader.level, code(shown), line, anchor))
    if python and name in {"class", "exception"} and inner:
        reader.module = f"{reader.module}.{inner}" if reader.module else inner
    reader.section = written[-1][0] if written and not reader.plain else reader.section
    body = reader.blocks(found.body)
    reader.level, reader.module, reader.section = outer
    reader.described = not reader.plain and bool(written)
    return [joined([*written, *body])]
