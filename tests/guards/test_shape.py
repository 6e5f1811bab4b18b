"""The house keeps its shape: short files, short functions, honest names, doors that are only doors."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

FILE_LINES, FILE_LINES_AT_MOST = 300, 400
FUNCTION_LINES = 60
NAMELESS = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}

# Files that may have more than 300 lines (never more than 400), each with its reason.
LONG_FILES = {
    "src/dragoman/config.py": "one list of every setting is what a reader of a recipe looks for",
    "src/dragoman/records.py": "one list of every record is what a reader of a doorway looks for",
}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end; a docstring is free, or the good ones would be cut."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        whole -= (first.end_lineno or first.lineno) - first.lineno + 1
    return whole


def public_names(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                return [str(name) for name in ast.literal_eval(node.value)]
    return None


def test_no_file_is_too_long(root: Path, src_trees: dict[str, ast.Module], test_trees: dict[str, ast.Module]) -> None:
    lengths = {path: len((root / path).read_text(encoding="utf-8").splitlines()) for path in src_trees | test_trees}
    too_long = {
        path: lines
        for path, lines in lengths.items()
        if lines > (FILE_LINES_AT_MOST if path in LONG_FILES else FILE_LINES)
    }
    assert not too_long, f"split these files (at most {FILE_LINES} lines): {too_long}"
    excused_for_nothing = [path for path in LONG_FILES if lengths.get(path, 0) <= FILE_LINES]
    assert not excused_for_nothing, f"take these out of LONG_FILES: {excused_for_nothing}"


def test_no_function_is_too_long(src_trees: dict[str, ast.Module], test_trees: dict[str, ast.Module]) -> None:
    too_long = [
        f"{path}:{function.lineno} {function.name} has {lines} lines"
        for path, tree in (src_trees | test_trees).items()
        for function in functions(tree)
        if (lines := code_lines(function)) > FUNCTION_LINES
    ]
    assert not too_long, f"split these functions (at most {FUNCTION_LINES} lines): {too_long}"


def test_every_module_is_named_after_its_job(
    src_trees: dict[str, ast.Module], test_trees: dict[str, ast.Module]
) -> None:
    nameless = [
        path
        for path in src_trees | test_trees
        for part in Path(path).with_suffix("").parts
        if NAMELESS & set(part.lower().strip("_").split("_"))
    ]
    assert not nameless, f"these names say nothing about the job: {nameless}"


def test_every_folder_of_modules_has_a_door(src_trees: dict[str, ast.Module]) -> None:
    folders = {Path(path).parent.as_posix() for path in src_trees} - {"src"}
    without = sorted(folder for folder in folders if f"{folder}/__init__.py" not in src_trees)
    assert not without, f"these folders have no __init__.py: {without}"


def _is_part_of_a_door(node: ast.stmt) -> bool:
    """Imports, ``__dunder__ = ...`` assignments, a lazy ``__getattr__``, imports for type checkers."""
    match node:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name.startswith("_")
        case ast.FunctionDef(name=name):
            return name in {"__getattr__", "__dir__"}
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body, orelse=[]):
            return all(isinstance(inner, ast.Import | ast.ImportFrom) for inner in body)
        case _:
            return False


def test_every_init_is_a_door(src_trees: dict[str, ast.Module]) -> None:
    wrong = []
    for path, tree in src_trees.items():
        if not path.endswith("/__init__.py"):
            continue
        if not ast.get_docstring(tree):
            wrong.append(f"{path}: no docstring")
        if public_names(tree) is None:
            wrong.append(f"{path}: no __all__")
        wrong += [f"{path}:{node.lineno}: not a door's" for node in tree.body[1:] if not _is_part_of_a_door(node)]
    assert not wrong, f"a door is a docstring, imports and a sorted __all__: {wrong}"


def test_every_module_says_what_it_is_for(src_trees: dict[str, ast.Module]) -> None:
    short = [
        path
        for path, tree in src_trees.items()
        if not path.endswith("/__init__.py") and len((ast.get_docstring(tree) or "").splitlines()) < 2
    ]
    assert not short, f"these modules need a docstring of two lines or more: {short}"


def _kind_then_name(name: str) -> tuple[int, str]:
    """Ruff's order: CONSTANTS, then Classes, then the rest."""
    plain = name.lstrip("_")
    return (0 if plain.isupper() and len(plain) > 1 else 1 if plain[:1].isupper() else 2), name


def test_public_names_are_sorted_and_there(src_trees: dict[str, ast.Module]) -> None:
    wrong = []
    for path, tree in src_trees.items():
        names = public_names(tree)
        if names is None:
            continue
        if names not in (sorted(names), sorted(names, key=_kind_then_name)):
            wrong.append(f"{path}: not sorted")
        if len(set(names)) < len(names):
            wrong.append(f"{path}: a name twice")
        dotted = ".".join(Path(path).with_suffix("").parts[1:]).removesuffix(".__init__")
        module = importlib.import_module(dotted)
        wrong += [f"{path}: {name} is not there" for name in names if not hasattr(module, name)]
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("def short():\n    pass\n", 2),
        ('def documented():\n    """One.\n\n    Two.\n    """\n    return 1\n', 2),
        ("async def waiting():\n    a = 1\n\n    return a\n", 4),
    ],
)
def test_the_length_of_a_function_leaves_its_docstring_out(code: str, lines: int) -> None:
    (function,) = functions(ast.parse(code))
    assert code_lines(function) == lines
