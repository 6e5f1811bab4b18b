"""From the command line's options to a run: which recipe holds, in which workspace.

In: options. Out: a ``Run``. The resolved recipe is kept in the workspace, so that later commands on the
same workspace need no options.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from dragoman.cli.screen import Screen
from dragoman.config import FILE_NAME, Recipe, load_recipe, parse_recipe
from dragoman.errors import ConfigError, UsageError
from dragoman.models.processor import physical_cores
from dragoman.pipeline.context import Run
from dragoman.workspace import RECIPE, Workspace

DEFAULT_WORKSPACE = ".dragoman"


def make_run(
    *,
    config: Path | None = None,
    workspace: Path | None = None,
    sources: list[str] | None = None,
    overrides: dict[str, Any] | None = None,
    assignments: list[str] | None = None,
    force: bool = False,
    quiet: bool = False,
) -> Run:
    """Find the recipe and the workspace that the options mean.

    Args:
        config: A recipe file; else ``dragoman.toml`` here, unless a workspace is named that has its own.
        workspace: The workspace; else ``.dragoman`` beside the recipe.
        sources: Sources that replace the recipe's.
        overrides: Dotted keys with values that replace the recipe's; ``None`` values are left out.
        assignments: ``key=value`` texts of ``--set``.
        force: Build what is fresh, too.
        quiet: Say nothing.

    Returns:
        The run.

    Raises:
        ConfigError: The recipe is unreadable or invalid.
        UsageError: An assignment is no ``key=value``.
    """
    here = config or Path(FILE_NAME)
    saved = (workspace or here.parent / DEFAULT_WORKSPACE) / RECIPE
    if config or (here.is_file() and not (workspace and saved.is_file())):
        recipe = load_recipe(here)
    elif saved.is_file():
        recipe = _saved_recipe(saved)
    else:
        recipe = Recipe()
    changes = {key: value for key, value in (overrides or {}).items() if value is not None}
    if sources:
        changes["sources"] = sources
    for text in assignments or []:
        key, value = _assignment(text)
        changes[key] = value
    if changes:
        recipe = _changed(recipe, changes)
    return Run(recipe, Workspace(saved.parent), Screen(quiet=quiet), force, physical_cores())


def _saved_recipe(path: Path) -> Recipe:
    try:
        return parse_recipe(json.loads(path.read_text(encoding="utf-8")), where=str(path))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot read {path}: {error}", hint="Remove the file and name the sources again: dragoman build ..."
        ) from error


def _assignment(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {text}", expected="section.key=value, e.g. --set train.epochs=1")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _changed(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    table = recipe.model_dump(mode="json")
    for dotted, value in changes.items():
        *path, key = dotted.split(".")
        section = table
        for part in path:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                raise UsageError(f"command line: '{part}' in '{dotted}' is a setting", expected="section.key=value")
        section[key] = value
    return parse_recipe(table, where="command line")
