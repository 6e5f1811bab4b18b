"""Without the libraries: importing the room costs nothing, and an adapter says what to install."""

import subprocess
import sys

import pytest

_WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None  # as if it were not installed
import dragoman.integrations
assert not {"langchain_core", "llama_index", "lancedb", "torch"} & {name for name in sys.modules if sys.modules[name]}
from dragoman.errors import ExtraMissing
try:
    __import__("dragoman.integrations." + sys.argv[2])
except ExtraMissing as error:
    print(error)
"""


@pytest.mark.parametrize(("package", "adapter"), [("langchain_core", "langchain"), ("llama_index", "llamaindex")])
def test_a_missing_library_is_named_with_the_command_that_installs_it(package: str, adapter: str) -> None:
    command = [sys.executable, "-c", _WITHOUT, package, adapter]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"pip install 'dragoman[{adapter}]'" in done.stdout
    assert package in done.stdout
