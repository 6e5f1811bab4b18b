"""Importing Dragoman costs nothing, and asking for help costs little."""

import ast
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# What takes a second or more to import, opens connections, or belongs to an extra that may be missing.
HEAVY = {
    "accelerate",
    "argilla",
    "datasets",
    "distilabel",
    "fastapi",
    "gradio",
    "httpx",
    "huggingface_hub",
    "lancedb",
    "matplotlib",
    "openai",
    "pandas",
    "plotly",
    "pyarrow",
    "ray",
    "requests",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "tokenizers",
    "torch",
    "transformers",
    "xllamacpp",
}
HELP_CPU_SECONDS = 3.0  # of processor time, which a busy machine does not stretch; about 0.5 when this was written

_NEW_MODULES = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({module.partition(".")[0] for module in set(sys.modules) - before})))
"""


def imported_by(*modules: str) -> set[str]:
    """Top-level names that a fresh interpreter loads for these modules."""
    command = [sys.executable, "-c", _NEW_MODULES, *modules]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def test_importing_dragoman_loads_nothing_but_the_standard_library() -> None:
    foreign = imported_by("dragoman") - {"dragoman"} - sys.stdlib_module_names
    assert not foreign


def test_importing_the_rooms_loads_nothing_heavy(src_trees: dict[str, ast.Module]) -> None:
    files = [Path(path) for path in src_trees if path.count("/") == 2 or path.endswith("/__init__.py")]
    rooms = {".".join(file.with_suffix("").parts[1:]).removesuffix(".__init__") for file in files}
    loaded = imported_by(*sorted(rooms - {"dragoman.__main__"}))
    assert "dragoman" in loaded
    assert not loaded & HEAVY, f"import these where they are used: {sorted(loaded & HEAVY)}"


def test_help_is_quick_and_explains_itself(record_property: Callable[[str, object], None]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "dragoman", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    record_property("help_cpu_seconds", round(seconds, 2))
    assert done.returncode == 0, done.stderr
    assert "build" in done.stdout
    assert seconds < HELP_CPU_SECONDS, f"`dragoman --help` took {seconds:.1f} s of processor time"
