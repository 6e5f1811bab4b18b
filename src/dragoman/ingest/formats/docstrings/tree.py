"""Python objects of a source tree by their dotted names, by parsing files: no code is imported or run.

In: the folder of the source, and names. Out: griffe's objects, with their files and the lines of their docstrings. Re-exports are
followed inside the tree. Files are found here and not by griffe, whose search heeds ``.pth`` files and so leaves the tree.
"""

import re
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dragoman.ingest.formats.blocks import Line

if TYPE_CHECKING:
    from griffe import Module, Object

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*){0,20}")
_OPENING = re.compile(r"""[rRuUbBfF]{0,2}(?:\"{3}|'{3}|"|')""")
_USUAL: Final = ("", "src", "lib", "python")
_LARGEST: Final = 2_000_000  # bytes of a module that is still parsed
_MOST_FOLDERS: Final = 2000
_MOST_MODULES: Final = 1000
_HOPS: Final = 10  # re-exports that are followed, one after the other
_SKIPPED: Final = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "__pycache__"})


class PythonTree:
    """The Python code below a folder.

    Args:
        base: The folder; no file outside it is read, whatever links lead there.
    """

    def __init__(self, base: Path) -> None:
        self._base = base.resolve()
        self._modules: dict[Path, Module | None] = {}
        self._texts: dict[Path, list[str]] = {}

    def find(self, name: str) -> "Object | None":
        """The object of a dotted name, or ``None`` where the tree has no readable source of it."""
        name = name.strip()
        if len(name) > 500 or not _NAME.fullmatch(name):  # noqa: PLR2004 - no path of a module is as long
            return None
        return self._find(name.split("."), _HOPS)

    def file_of(self, found: "Object") -> Path | None:
        """The file of an object."""
        path = found.module.filepath
        return path if isinstance(path, Path) else None

    def docstring_lines(self, found: "Object", file: str) -> list[Line]:
        """The lines of an object's docstring, at the margin, each with its line in ``file``."""
        docstring = found.docstring
        path = self.file_of(found)
        if docstring is None or path is None:
            return []
        first, last = docstring.lineno or 1, docstring.endlineno or docstring.lineno or 1
        source = self._texts.get(path, [])[first - 1 : last]
        if source:
            opening = _OPENING.match(source[0].strip())
            source = [source[0].strip()[opening.end() if opening else 0 :], *source[1:]]
        blank = next((number for number, line in enumerate(source) if line.strip(" \t\\")), 0)
        texts = docstring.value.split("\n")
        return [Line(text.rstrip(), min(first + blank + number, last), file) for number, text in enumerate(texts)]

    def _find(self, parts: list[str], hops: int) -> "Object | None":
        for folder in self._roots(parts[0]):
            found = self._below(folder, parts, hops)
            if found is not None:
                return found
        return None

    def _roots(self, top: str) -> Iterator[Path]:
        for folder in self._folders:
            if (folder / top).is_dir() or (folder / f"{top}.py").is_file():
                yield folder

    @cached_property
    def _folders(self) -> list[Path]:
        """Where packages may lie: the usual places, then folders up to two levels down."""
        found = [self._base / name for name in _USUAL]
        level = [self._base]
        for _ in range(2):
            level = [folder for parent in level for folder in _folders_in(parent)][:_MOST_FOLDERS]
            found += level
        return list(dict.fromkeys(folder for folder in found if self._inside(folder)))

    def _inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._base)
        except (OSError, RuntimeError):  # a link that leads to itself
            return False

    def _below(self, folder: Path, parts: list[str], hops: int) -> "Object | None":
        """The object: as many parts as possible are folders and a file, the others are names in it."""
        module: Module | None = None
        used = 0
        for number, part in enumerate(parts):
            package, file = folder / part / "__init__.py", folder / f"{part}.py"
            path = package if package.is_file() else file if file.is_file() else None
            if path is None and not (folder / part).is_dir():
                break
            if path is not None:
                parsed = self._module(path, ".".join(parts[: number + 1]), module)
                if parsed is None:
                    return None
                module, used = parsed, number + 1
            folder = folder / part
        return self._member(module, parts[used:], hops) if module is not None else None

    def _member(self, found: "Object", names: list[str], hops: int) -> "Object | None":
        from griffe import Alias

        for number, name in enumerate(names):
            member: Object | Alias | None = found.members.get(name)
            if isinstance(member, Alias):
                return self._follow(member.target_path, names[number + 1 :], hops)
            if member is None:
                stars = [star for key, star in found.members.items() if isinstance(star, Alias) and key.endswith("/*")]
                targets = (self._follow(star.target_path, names[number:], hops) for star in stars)
                return next((target for target in targets if target is not None), None)
            found = member
        return found

    def _follow(self, target: str, rest: list[str], hops: int) -> "Object | None":
        if hops <= 0 or not _NAME.fullmatch(target):
            return None
        return self._find([*target.split("."), *rest], hops - 1)

    def _module(self, path: Path, name: str, parent: "Module | None") -> "Module | None":
        if path not in self._modules:
            self._modules[path] = self._parsed(path, name, parent) if len(self._modules) < _MOST_MODULES else None
        return self._modules[path]

    def _parsed(self, path: Path, name: str, parent: "Module | None") -> "Module | None":
        from griffe import Extensions, GriffeError, visit

        try:
            if not self._inside(path) or path.stat().st_size > _LARGEST:
                return None
            text = path.read_text("utf-8-sig")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the parser's remarks on their strings are not for our user
                short = name.rpartition(".")[2] if parent is not None else name
                module = visit(short, path, text, extensions=Extensions(), parent=parent)
        except (GriffeError, SyntaxError, ValueError, LookupError, AttributeError, TypeError, OSError, RecursionError):
            return None
        self._texts[path] = text.split("\n")
        return module


def _folders_in(parent: Path) -> list[Path]:
    try:
        found = sorted(entry for entry in parent.iterdir() if entry.is_dir() and not entry.is_symlink())
    except OSError:
        return []
    return [entry for entry in found if not entry.name.startswith(".") and entry.name not in _SKIPPED][:_MOST_FOLDERS]
