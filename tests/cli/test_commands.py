"""Every command explains itself, and what it prints for programs can be read by one."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from dragoman.cli.main import app
from dragoman.config import Recipe
from dragoman.recipes import load_recipe


def commands(command: Any, *path: str) -> list[tuple[str, ...]]:
    """Every path of words that leads to a command."""
    below = getattr(command, "commands", {})
    return [path, *(found for name, child in below.items() for found in commands(child, *path, name))]


@pytest.mark.parametrize("path", commands(typer.main.get_command(app)), ids=" ".join)
def test_every_command_explains_itself_with_an_example(dragoman: Any, path: tuple[str, ...]) -> None:
    done = dragoman(*path, "--help")
    assert done.code == 0
    assert done.err == ""
    shown = " ".join(done.out.replace("│", " ").split())
    if path in {(), ("models",), ("review",)}:
        assert "Commands" in shown
    else:
        assert f"Usage: dragoman {' '.join(path)}" in shown
        assert "Example" in shown
        assert shown.count(f"dragoman {path[0]}") > 1, "the example shows another command"


def test_help_names_the_defaults_of_the_recipe_and_the_workspace(dragoman: Any) -> None:
    shown = dragoman("status", "--help").out
    assert "default: dragoman.toml here" in shown
    assert "default: .dragoman" in shown


def test_no_command_at_all_shows_the_help(dragoman: Any) -> None:
    done = dragoman()
    assert done.code in {0, 2}
    assert "build" in done.out + done.err


def test_init_writes_a_recipe_of_defaults(dragoman: Any, tmp_path: Path) -> None:
    done = dragoman("init")
    assert done.code == 0
    assert "Wrote dragoman.toml. Next: dragoman build" in done.out
    assert load_recipe(tmp_path / "dragoman.toml") == Recipe()


def test_init_keeps_the_sources_and_the_name_it_is_given(dragoman: Any, tmp_path: Path) -> None:
    done = dragoman("init", "docs", "npm:kettle@1.0.0", "--name", 'Kettle "pro"', "--config", "kettle.toml")
    assert done.code == 0
    made = load_recipe(tmp_path / "kettle.toml")
    assert made == Recipe(name='Kettle "pro"', sources=("docs", "npm:kettle@1.0.0"))


def test_status_for_programs_names_the_command_for_each_missing_stage(dragoman: Any) -> None:
    done = dragoman("status", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert [row["stage"] for row in told["stages"]] == ["ingest", "synth", "train", "evaluate", "refit", "index"]
    assert {row["state"] for row in told["stages"]} == {"absent"}
    assert [row["command"].split()[0] for row in told["stages"]] == ["dragoman"] * 6
    assert told["gate"] is None


def test_models_are_listed_for_people_and_for_programs(dragoman: Any, minilm: Path) -> None:
    rows = {row["name"]: row for row in json.loads(dragoman("models", "list", "--json").out)}
    assert Path(rows["all-MiniLM-L6-v2"]["path"]) == minilm
    assert rows["all-MiniLM-L6-v2"]["licence"] == "Apache-2.0"
    shown = dragoman("models", "list").out
    assert all(name in shown for name in rows)


def test_the_recipe_beside_the_workspace_holds_and_options_win_over_it(dragoman: Any, docs: Path, minilm: Path) -> None:
    assert minilm.is_dir()
    recipe = docs.parent / "dragoman.toml"
    recipe.write_text('name = "Valves"\nsources = ["docs"]\n[chunk]\ntokens = 64\n', encoding="utf-8")
    assert dragoman("ingest").code == 0
    saved = json.loads((docs.parent / ".dragoman" / "recipe.json").read_text(encoding="utf-8"))
    assert (saved["name"], saved["sources"], saved["chunk"]["tokens"]) == ("Valves", ["docs"], 64)
    assert "ingest: fresh" in dragoman("ingest").err
    changed = dragoman("ingest", "--set", "chunk.tokens=80")
    assert "ingest: fresh" not in changed.err
    told = json.loads(dragoman("status", "--json").out)
    assert told["stages"][0]["state"] == "stale"
    assert told["stages"][0]["reasons"] == ["tokens was 80, is 64"]
