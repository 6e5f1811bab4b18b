"""The docstrings of Python code as Markdown, found in the source tree by name and read without running any of it.

In: the folder that the code lies in, and names such as ``kettle.pots.Pot``. Out: pages whose lines are lines of ``.py`` files. A
name whose source is not in the tree gives ``None``, whatever the reason.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dragoman.ingest.formats.blocks import Line, as_page, fence, heading, joined
from dragoman.ingest.formats.docstrings.text import docstring_blocks
from dragoman.ingest.formats.docstrings.tree import PythonTree
from dragoman.ingest.formats.page import Page

if TYPE_CHECKING:
    from griffe import Alias, Class, Function, Object

_MOST: Final = 500  # members on one page; what has more is described up to there
_DEEPEST: Final = 6

Describe = Callable[[str, int], Page | None]


def describer(base: Path, root: Path) -> Describe:
    """What looks up the docstrings of a source's own code.

    Nothing is read before the first call; a module is then parsed once.

    Args:
        base: The whole tree of the source; no file outside it is read.
        root: The docs folder: the pages' ``files`` are relative to it, with ``../`` where they lie above it.

    Returns:
        A function of a dotted name and a heading level, which gives the page or ``None``.
    """
    tree = PythonTree(base)

    def describe(name: str, level: int) -> Page | None:
        found = tree.find(name)
        if found is None:
            return None
        writer = _Writer(tree, root)
        lines = joined(writer.write(found, name.strip(), max(level, 1)))
        return as_page(lines) if lines else None

    return describe


class _Writer:
    """Writes an object and its members; what has no docstring anywhere in it is nothing to read."""

    def __init__(self, tree: PythonTree, root: Path) -> None:
        self._tree = tree
        self._root = root.resolve()
        self._left = _MOST

    def write(self, found: "Object", path: str, level: int) -> list[list[Line]]:
        from griffe import Module

        if self._left <= 0:
            return []
        self._left -= 1
        file = self._file(found)
        members = [] if level >= _DEEPEST + 2 else self._members(found, path, level)
        own = [*self._docstring(found, file), *self._initialiser(found, file)]
        if not own and not members:
            return []
        at = Line("", max(found.lineno or 1, 1), file)
        name = path if isinstance(found, Module) else path.rpartition(".")[2]
        signature = _signature(found, name)
        code = fence([Line(text, at.line, file) for text in signature.split("\n")], "python", at) if signature else []
        return [heading(level, name, at, path), code, *own, *members]

    def _members(self, found: "Object", path: str, level: int) -> list[list[Line]]:
        from griffe import Attribute, Class, Function, Module

        if not isinstance(found, Class | Module):
            return []
        members = [
            member
            for name, member in found.members.items()
            if isinstance(member, Class | Function | Attribute) and not name.startswith("_")
        ]
        members.sort(key=lambda member: member.lineno or 0)
        blocks = []
        for member in members:
            blocks += self.write(member, f"{path}.{member.name}", level + 1)
        return blocks

    def _docstring(self, found: "Object", file: str) -> list[list[Line]]:
        if found.docstring is None:
            return []
        return docstring_blocks(self._tree.docstring_lines(found, file))

    def _initialiser(self, found: "Object", file: str) -> list[list[Line]]:
        from griffe import Class

        initialiser = _own_initialiser(found) if isinstance(found, Class) else None
        return self._docstring(initialiser, file) if initialiser is not None else []

    def _file(self, found: "Object") -> str:
        path = self._tree.file_of(found)
        return Path(os.path.relpath(path, self._root)).as_posix() if path else ""


def _own_initialiser(found: "Class") -> "Function | None":
    from griffe import Function

    member: Object | Alias | None = found.members.get("__init__") or found.members.get("__new__")
    return member if isinstance(member, Function) else None


def _signature(found: "Object", name: str) -> str:
    """How the object is written in code, on several lines where one would be long; "" for a module."""
    from griffe import Attribute, Class, Function

    if isinstance(found, Class):
        initialiser = _own_initialiser(found)
        bases = ", ".join(str(base) for base in found.bases)
        shown = (
            initialiser.signature(return_type=False, name=name)
            if initialiser
            else f"{name}({bases})"
            if bases
            else name
        )
        return _wrapped(f"class {shown}")
    if isinstance(found, Function):
        return _wrapped(("async " if "async" in found.labels else "") + f"def {found.signature(name=name)}")
    if isinstance(found, Attribute):
        kind = f": {found.annotation}" if found.annotation is not None else ""
        value = f" = {found.value}" if found.value is not None and "property" not in found.labels else ""
        return f"{name}{kind}{value[:200]}"
    return ""


def _wrapped(signature: str) -> str:
    if len(signature) <= 100:  # noqa: PLR2004 - about what a page shows
        return signature
    parts: list[str] = []
    depth, begun = 0, 0
    for place, sign in enumerate(signature):
        depth += (sign in "([{") - (sign in ")]}")
        if (sign == "(" and depth == 1 and not parts) or (sign == "," and depth == 1):
            parts.append(signature[begun : place + 1].strip())
            begun = place + 1
        elif sign == ")" and depth == 0 and parts:
            parts += [signature[begun:place].strip() + ",", signature[place:]]
            begun = len(signature)
            break
    if begun < len(signature):
        return signature
    return "\n".join([parts[0], *(f"    {part}" for part in parts[1:-1]), parts[-1]])
