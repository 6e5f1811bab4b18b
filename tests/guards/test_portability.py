"""The repository works elsewhere, and the same input gives the same bytes on every machine."""

import os
import re
import subprocess
import sys

# With the dots and alternatives of a pattern, so that this file passes its own tests.
MACHINE_PATHS = re.compile(
    r"(?<![\w.~)}\]/-])/(?:work/|root/|tmp/w|home/\w|Users/\w|opt/pypi|opt/wheels|private/var)"
    r"|[A-Z]:\\Users|\.\./shared"
)
DEFAULTS = (re.compile(r"registry\.npmjs\.org"), re.compile(r"pypi\.org"))
REGISTRIES = re.compile(
    r"registry\.npmjs\.org|pypi\.org|pythonhosted\.org|pytorch\.org|yarnpkg\.com|deb\.debian\.org|anaconda\.org"
)

_IDS = """
import json
from dragoman import config, recipes, records
print(records.content_id("docs", "guide/a.md", "How to start", 2))
print(recipes.template(("docs", "npm:left@1.0.0"), name="Left"))
print(json.dumps(config.Recipe().model_dump(mode="json")))
"""


def lines_with(pattern: re.Pattern[str], files: dict[str, str]) -> list[str]:
    return [
        f"{path}:{number}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_a_folder_of_one_machine(own_files: dict[str, str]) -> None:
    assert "pyproject.toml" in own_files
    found = lines_with(MACHINE_PATHS, own_files)
    assert not found, f"these lines work on one machine only: {found}"


def test_no_file_names_a_registry_but_the_defaults_of_npm_and_pip(own_files: dict[str, str]) -> None:
    known: set[str] = set()
    for default in DEFAULTS:
        places = [place for place in lines_with(default, own_files) if place.startswith("src/dragoman/ingest/")]
        assert len(places) <= 1, f"one constant is enough: {places}"
        known.update(places)
    others = sorted(set(lines_with(REGISTRIES, own_files)) - known)
    assert not others, f"where packages come from is the user's own setting: {others}"


def test_a_path_in_an_address_is_no_path_of_a_machine() -> None:
    assert MACHINE_PATHS.search("open('/" + "home/ann/docs')")
    assert not MACHINE_PATHS.search("see https://example.org/home/start")


def test_ids_and_recipes_do_not_depend_on_the_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _IDS],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()[0]) == 16
