"""Only the command line prints and exits, tests use real parts, and the drawn error tree is the real one."""

import ast
import re
from collections.abc import Iterator

from dragoman import errors

PRINTS = {"print", "sys.stdout.write", "sys.stderr.write"}
EXITS = {"sys.exit", "os._exit", "exit", "quit"}
MOCKS = {"MagicMock", "AsyncMock", "mocker", "patch"}

# Modules that are also programs, started in a process of their own: what they print is read by another program.
PROGRAMS = {
    "src/dragoman/models/llama_server.py": "the process around llama.cpp tells its parent where it listens",
    "src/dragoman/models/stub.py": "the stub endpoint tells a test or a script where it listens",
}


def is_command_line(path: str) -> bool:
    return path in {"src/dragoman/cli.py", "src/dragoman/__main__.py"} or path.startswith("src/dragoman/cli/")


def prints_and_exits(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=func) if ast.unparse(func) in EXITS | PRINTS:
                yield node.lineno
            case ast.Raise(exc=ast.expr() as raised) if ast.unparse(raised).startswith("SystemExit"):
                yield node.lineno


def test_only_the_command_line_prints_and_exits(src_trees: dict[str, ast.Module]) -> None:
    wrong = [
        f"{path}:{line}"
        for path, tree in src_trees.items()
        if not is_command_line(path) and path not in PROGRAMS
        for line in prints_and_exits(tree)
    ]
    assert not wrong, f"raise an error of errors.py, or take a `say` argument: {wrong}"


def test_what_is_excused_as_a_program_is_one(src_trees: dict[str, ast.Module]) -> None:
    for path in PROGRAMS:
        last = src_trees[path].body[-1]
        assert isinstance(last, ast.If), path
        assert ast.unparse(last.test) == "__name__ == '__main__'", path


def mocked(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any("mock" in alias.name.split(".") for alias in names):
                yield node.lineno
            case ast.ImportFrom(module=str(module), names=names) if "mock" in module.split(".") or any(
                alias.name == "mock" for alias in names
            ):
                yield node.lineno
            case ast.Name(id=name) | ast.arg(arg=name) if name in MOCKS:
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="monkeypatch"), attr="setattr"), args=args):
                # A limit may be made small for a test; behaviour may not be replaced.
                if not any(
                    isinstance(arg, ast.Constant) and str(arg.value).rpartition(".")[2].isupper() for arg in args
                ):
                    yield node.lineno


def test_tests_use_real_parts(src_trees: dict[str, ast.Module], test_trees: dict[str, ast.Module]) -> None:
    wrong = [f"{path}:{line}" for path, tree in (src_trees | test_trees).items() for line in mocked(tree)]
    assert not wrong, f"use the stand-ins that the package ships (HashEncoder, StubServer, ...): {wrong}"


def drawn_tree() -> dict[str, tuple[str, str]]:
    """Parent and words of each error in the drawing at the top of errors.py."""
    drawn, trail = {}, [""]
    for line in (errors.__doc__ or "").splitlines():
        if match := re.fullmatch(r"(    [│├└─ ]*)([A-Z]\w+)  +(.+)", line):
            depth = len(match[1]) // 4 - 1
            trail[depth + 1 :] = [match[2]]
            drawn[match[2]] = trail[depth], match[3]
    return drawn


def test_the_error_tree_is_as_drawn() -> None:
    classes = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    real = {name: kind.__base__.__name__ for name, kind in classes.items() if kind.__base__}
    drawn = {name: parent or "Exception" for name, (parent, _) in drawn_tree().items()}
    assert drawn == real


def test_exit_codes_are_as_drawn() -> None:
    for name, (parent, words) in drawn_tree().items():
        kind = getattr(errors, name)
        said = re.match(r"exit (\d+)", words)
        expected = int(said[1]) if said else getattr(errors, parent).exit_code
        assert kind.exit_code == expected, name
