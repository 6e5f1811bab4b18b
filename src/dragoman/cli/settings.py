"""From the command line's options to a run: which recipe holds, in which workspace.

In: options. Out: a ``Run``. A workspace keeps the recipe of its last run, options included, and notes the file it
came from, so that later commands on it need no options. Which recipe holds, before the options of this run:

1. a file named with ``--config``, as it is;
2. ``dragoman.toml`` here, for the ``.dragoman`` beside it and for a workspace without a recipe;
3. for another workspace its own recipe; but once the file here that it came from has been edited, that file.

A line tells it when what holds is not what the file here, or the last run, says.
"""

import json
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragoman.cli.screen import Screen
from dragoman.config import Recipe
from dragoman.errors import ConfigError, UsageError
from dragoman.models.processor import physical_cores
from dragoman.pipeline.context import Run
from dragoman.recipes import FILE_NAME, load_recipe, parse_recipe
from dragoman.records import content_id
from dragoman.workspace import RECIPE, RecipeFile, Workspace

DEFAULT_WORKSPACE = ".dragoman"
_NAMED = 3  # settings that a line names; the others are counted
_VALUE = 40  # characters of a value in such a line


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
        config: A recipe file that holds as it is; else see the module.
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
    changes = {key: value for key, value in (overrides or {}).items() if value is not None}
    if sources:
        changes["sources"] = sources
    for text in assignments or []:
        key, value = _assignment(text)
        changes[key] = value
    place = workspace or (config or Path()).parent / DEFAULT_WORKSPACE
    choice = _named(config) if config else _found(Path(FILE_NAME), place)
    screen = Screen(quiet=quiet)
    line = choice.line(changes)
    if line:
        screen.say(line)
    recipe = _changed(choice.recipe, changes) if changes else choice.recipe
    return Run(recipe, Workspace(place, choice.file), screen, force, physical_cores())


@dataclass(frozen=True, slots=True)
class _Choice:
    """The recipe that holds, the file it came from, and the one that does not hold though a user may think so."""

    recipe: Recipe
    file: RecipeFile | None = None
    other: Recipe | None = None
    used: str = ""  # as a line calls the one that holds
    left: str = ""  # and the other

    def line(self, options: Collection[str]) -> str:
        """What a user should know; "" when both say the same but for the options of this run."""
        if self.other is None:
            return f"using {self.used}, not {self.left}" if self.left else ""
        mine, others = dict(_flat(self.recipe)), dict(_flat(self.other))
        parts = [
            f"{key} is {_short(mine[key])}, not {_short(others[key])}"
            for key in mine
            if mine[key] != others[key] and key not in options
        ]
        more = f", and {len(parts) - _NAMED} more" if len(parts) > _NAMED else ""
        return f"using {self.used}: {', '.join(parts[:_NAMED])}{more} as in {self.left}" if parts else ""


def _named(path: Path) -> _Choice:
    recipe = load_recipe(path)
    return _Choice(recipe, _note(path, recipe))


def _found(here: Path, place: Path) -> _Choice:
    saved = place / RECIPE
    if not saved.is_file():
        return _named(here) if here.is_file() else _Choice(Recipe())
    note = Workspace(place).kept_recipe_file()
    own = place.resolve() == (here.parent / DEFAULT_WORKSPACE).resolve()
    if here.is_file() and (own or (note and note.path == str(here.resolve()))):
        choice = _named(here)
        if own or choice.file != note:
            last = _readable(saved)
            return replace(choice, other=last, used=f"{here} as it is now", left="the last run") if last else choice
    choice = _Choice(_saved_recipe(saved), note, used=f"the recipe of {place}")
    if here.is_file():
        return replace(choice, other=_readable(here), left=f"{here}; to use that: --config {here}")
    # Away from its file, a recipe differs from it by the options of the last run: only an edit is news there.
    stated = _readable(Path(note.path)) if note else None
    if note and stated and _note(Path(note.path), stated) != note:
        return replace(choice, other=stated, left=f"{note.path}; to use that: --config {note.path}")
    return choice


def _note(path: Path, recipe: Recipe) -> RecipeFile:
    # What the file sets, not its bytes: a comment changes nothing.
    return RecipeFile(str(path.resolve()), content_id(recipe.model_dump_json(exclude_unset=True)))


def _readable(path: Path) -> Recipe | None:
    """A recipe that is only compared with: one that cannot be read must not stop the run."""
    if not path.is_file():
        return None
    try:
        return _saved_recipe(path) if path.name == RECIPE else load_recipe(path)
    except ConfigError:
        return None


def _flat(recipe: Recipe) -> Iterator[tuple[str, Any]]:
    for key, value in recipe.model_dump(mode="json").items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", setting) for inner, setting in value.items())
        else:
            yield key, value


def _short(value: Any) -> str:  # noqa: ANN401 - JSON-like values
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 3]}..."


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
