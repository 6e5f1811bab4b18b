"""The documentation says what the program does: the reference is generated, and the README's commands exist."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dragoman.cli.main import app
from dragoman.cli.reference import reference
from dragoman.recipes import parse_recipe

_ROOT = Path(__file__).parents[1]
_PAGES = ("README.md", "CONTRIBUTING.md", "docs/cli.md")
_BLOCK = re.compile(r"^```(?:sh|shell|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of each line of the shell blocks, without the comment at its end."""
    for block in _BLOCK.findall(text):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words:
                yield words


def objections(words: list[str]) -> list[str]:
    """What is wrong with a call of dragoman: a command, or an option, that it does not have."""
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while rest and getattr(command, "commands", None):
        if rest[0] not in command.commands:
            return [f"{' '.join(words)}: there is no command '{rest[0]}'"]
        command, rest = command.commands[rest[0]], rest[1:]
    known = {"-h", "--help"}
    for parameter in command.params:
        known |= {*parameter.opts, *parameter.secondary_opts}
    used = [word.partition("=")[0] for word in rest if word.startswith("-")]
    return [f"{' '.join(words)}: there is no option '{option}'" for option in used if option not in known]


def make_targets() -> set[str]:
    """Targets of the Makefile that are for people."""
    return set(re.findall(r"^([a-z]+):.*## ", (_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_reference_of_the_command_line_is_the_one_the_program_gives() -> None:
    committed = (_ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert committed == reference(), "write it again: python -m dragoman.cli.reference > docs/cli.md"


def test_the_reference_has_every_command_with_an_example() -> None:
    text = reference()
    sections = re.findall(r"^## (dragoman .+)$", text, re.MULTILINE)
    assert {"dragoman build", "dragoman models pull"} <= set(sections)
    examples = [" ".join(words) for words in commands_in(text)]
    assert not [name for name in sections if not any(example.startswith(name) for example in examples)]


@pytest.mark.parametrize("page", _PAGES)
def test_shell_blocks_name_only_what_exists(page: str) -> None:
    calls = list(commands_in((_ROOT / page).read_text(encoding="utf-8")))
    assert calls, "no shell block was found"
    wrong = [objection for words in calls if words[0] == "dragoman" for objection in objections(words)]
    targets = [word for words in calls if words[0] == "make" for word in words[1:] if "=" not in word]
    wrong += [f"there is no make {word}" for word in targets if word not in make_targets()]
    assert not wrong, wrong


def test_a_command_that_does_not_exist_would_be_seen() -> None:
    assert objections(["dragoman", "bild", "docs/"]) == ["dragoman bild docs/: there is no command 'bild'"]
    assert objections(["dragoman", "models", "fetch"]) != []
    assert objections(["dragoman", "build", "docs/", "--qick"]) != []
    assert objections(["dragoman", "search", "--no-collapse", "--top", "5"]) == []


def test_the_recipes_of_the_readme_are_recipes() -> None:
    blocks = re.findall(
        r"^```toml\n(.*?)^```", (_ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert blocks
    for block in blocks:
        parse_recipe(tomllib.loads(block), where="README.md")
