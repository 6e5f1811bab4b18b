"""Recipes as files: ``dragoman.toml`` read, checked and written.

In: a TOML file, or values that were read from somewhere. Out: a ``Recipe``, or one error that names the key; an unknown key is an
error that names the nearest valid one.
"""

import difflib
import json
import tomllib
from pathlib import Path

from pydantic import BaseModel, ValidationError

from dragoman.config import Recipe, SourceSettings
from dragoman.errors import ConfigError

FILE_NAME = "dragoman.toml"


def load_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file.

    Args:
        path: The file; it must exist.

    Returns:
        The recipe, with defaults for what the file leaves out.

    Raises:
        ConfigError: The file is missing, is not TOML, or holds an unknown key or a bad value.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no recipe at {path}", hint="Write one with: dragoman init") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return parse_recipe(table, where=str(path))


def parse_recipe(table: dict[str, object], where: str = "recipe") -> Recipe:
    """Validate a recipe that was read from somewhere.

    Args:
        table: Keys and values as TOML gives them.
        where: Named in errors.

    Returns:
        The recipe.

    Raises:
        ConfigError: An unknown key (the nearest valid one is named) or a bad value.
    """
    try:
        return Recipe.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        keys = [str(part) for part in first["loc"] if part not in {"text", "table"}]
        dotted = ".".join(keys)
        if first["type"] == "extra_forbidden":
            valid = _valid_keys(keys[:-1])
            near = difflib.get_close_matches(keys[-1], valid, n=1, cutoff=0.5)
            hint = f"Did you mean '{near[0]}'?" if near else f"Valid keys: {', '.join(valid)}."
            raise ConfigError(f"{where}: unknown key '{dotted}'", hint=hint) from None
        message = (first["msg"][:1].lower() + first["msg"][1:]).replace("valid tuple", "list")
        raise ConfigError(f"{where}: {dotted} = {first['input']!r}: {message}") from None


def _valid_keys(path: list[str]) -> list[str]:
    section: type[BaseModel] = Recipe
    for key in path:
        if key == "sources":
            return list(SourceSettings.model_fields)
        kind = section.model_fields[key].annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return []
        section = kind
    return list(section.model_fields)


def template(sources: tuple[str, ...] = (), name: str = "") -> str:
    """The commented ``dragoman.toml`` that ``dragoman init`` writes: every key with its default."""
    lines = ["# Dragoman's recipe: every key with its default. Remove what you do not change.", ""]
    given = {"name": name, "sources": sources}
    sections: list[tuple[str, type[BaseModel]]] = []
    for key, info in Recipe.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            sections.append((key, kind))
        else:
            lines.append(f"{key} = {_toml(given.get(key, info.default))}  # {info.description}")
    for title, kind in sections:
        lines += ["", f"# {(kind.__doc__ or '').strip()}", f"[{title}]"]
        lines += [f"{key} = {_toml(info.default)}  # {info.description}" for key, info in kind.model_fields.items()]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)
