"""What the guards look at: the repository's files, and the syntax trees of its Python modules.

A guard collects every violation before it fails, so that one run shows all of them.
"""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_FOLDERS = (".ci", "bench", "docs", "src", "tests")


def _trees(*folders: str) -> dict[str, ast.Module]:
    files = sorted(file for folder in folders for file in (_ROOT / folder).rglob("*.py"))
    return {file.relative_to(_ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return _ROOT


@pytest.fixture(scope="session")
def src_trees() -> dict[str, ast.Module]:
    """Every module of the package, by its path from the root."""
    return _trees("src")


@pytest.fixture(scope="session")
def test_trees() -> dict[str, ast.Module]:
    """Every module of the tests, by its path from the root."""
    return _trees("tests")


@pytest.fixture(scope="session")
def own_files() -> dict[str, str]:
    """Text of every file that is, or will be, in the repository; binary files left out."""
    git = shutil.which("git")
    if git and (_ROOT / ".git").exists():
        command = [git, "-C", str(_ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
        files = [_ROOT / name for name in names if name]
    else:  # unpacked from an sdist
        files = [file for file in _ROOT.iterdir() if file.is_file()]
        files += [
            file for folder in _FOLDERS for file in (_ROOT / folder).rglob("*") if "__pycache__" not in file.parts
        ]
    texts = {}
    for file in sorted(set(files)):
        if file.is_file() and b"\0" not in (content := file.read_bytes()):
            texts[file.relative_to(_ROOT).as_posix()] = content.decode("utf-8", "replace")
    return texts
