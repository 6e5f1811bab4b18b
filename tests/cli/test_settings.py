"""Which recipe holds: never one that the user does not know of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tell = Callable[..., str]


@pytest.fixture
def ingest(dragoman: Any, docs: Path, minilm: Path) -> Tell:
    """Runs ``dragoman ingest`` beside a recipe; gives the lines about recipes."""
    assert docs.is_dir()
    assert minilm.is_dir()

    def run(*arguments: str) -> str:
        done = dragoman("ingest", *arguments)
        assert done.code == 0, done.err
        return "\n".join(line for line in done.err.splitlines() if line.startswith("using"))

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[int], None]:
    """Writes the recipe here."""

    def recipe(tokens: int) -> None:
        (tmp_path / "dragoman.toml").write_text(f'sources = ["docs"]\n[chunk]\ntokens = {tokens}\n', encoding="utf-8")

    return recipe


def tokens(workspace: str) -> int:
    return int(json.loads(Path(workspace, "recipe.json").read_text(encoding="utf-8"))["chunk"]["tokens"])


def test_a_named_workspace_keeps_the_options_of_its_last_run_and_says_so(
    ingest: Tell, write: Callable[[int], None]
) -> None:
    write(96)
    assert ingest("-w", "w") == ""
    assert ingest("-w", "w", "--set", "chunk.tokens=64") == ""
    said = "using the recipe of w: chunk.tokens is 64, not 96 as in dragoman.toml; to use that: --config dragoman.toml"
    assert ingest("-w", "w") == said
    assert tokens("w") == 64
    assert ingest("-w", "w", "--config", "dragoman.toml") == ""
    assert tokens("w") == 96


def test_an_edit_of_the_file_that_a_workspace_was_made_with_holds_from_then_on(
    ingest: Tell, write: Callable[[int], None]
) -> None:
    write(96)
    ingest("-w", "w", "--set", "chunk.tokens=64")
    write(80)
    assert ingest("-w", "w") == "using dragoman.toml as it is now: chunk.tokens is 80, not 64 as in the last run"
    assert tokens("w") == 80
    assert ingest("-w", "w") == ""


def test_a_comment_is_no_edit(ingest: Tell, write: Callable[[int], None], tmp_path: Path) -> None:
    write(96)
    ingest("-w", "w", "--set", "chunk.tokens=64")
    with (tmp_path / "dragoman.toml").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")
    assert "using the recipe of w" in ingest("-w", "w")
    assert tokens("w") == 64


def test_a_recipe_of_another_project_changes_no_workspace_and_is_told(
    ingest: Tell, write: Callable[[int], None], tmp_path: Path
) -> None:
    ingest("docs", "-w", "w", "--set", "chunk.tokens=64")
    write(80)
    assert "using the recipe of w: chunk.tokens is 64, not 80 as in dragoman.toml" in ingest("-w", "w")
    (tmp_path / "dragoman.toml").write_text("[chunk", encoding="utf-8")
    assert ingest("-w", "w") == "using the recipe of w, not dragoman.toml; to use that: --config dragoman.toml"
    assert tokens("w") == 64


def test_from_elsewhere_only_an_edit_of_the_recipe_is_told(
    ingest: Tell, write: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(96)
    ingest("-w", "w", "--set", "chunk.tokens=64")
    (tmp_path / "elsewhere" / "docs").mkdir(parents=True)
    (tmp_path / "elsewhere" / "docs" / "page.md").write_text("# Page\n\nText.\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert ingest("-w", "../w") == ""
    assert tokens("../w") == 64
    write(80)
    recipe = tmp_path / "dragoman.toml"
    assert f"chunk.tokens is 64, not 80 as in {recipe}; to use that: --config {recipe}" in ingest("-w", "../w")


def test_the_recipe_beside_its_workspace_says_when_options_of_the_last_run_are_gone(
    ingest: Tell, write: Callable[[int], None]
) -> None:
    write(96)
    assert ingest("--set", "chunk.tokens=64") == ""
    assert ingest("--set", "chunk.tokens=64") == "", "an option that is given again is no news"
    assert ingest() == "using dragoman.toml as it is now: chunk.tokens is 96, not 64 as in the last run"
    assert tokens(".dragoman") == 96


def test_a_workspace_made_before_files_were_noted_keeps_its_recipe(ingest: Tell, write: Callable[[int], None]) -> None:
    write(96)
    ingest("-w", "w")
    Path("w", "recipe-file.json").unlink()
    assert ingest("-w", "w") == ""
    write(80)
    assert "using the recipe of w: chunk.tokens is 96, not 80" in ingest("-w", "w")
