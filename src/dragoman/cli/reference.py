"""The reference of the command line, written from the commands' own help.

In: the commands. Out: Markdown; ``python -m dragoman.cli.reference > docs/cli.md`` keeps the committed page
equal to the program, and a test holds it to that.
"""

import re
from collections.abc import Iterator
from typing import Any

import typer

_HEAD = """# The command line

Written by `python -m dragoman.cli.reference > docs/cli.md` from what `--help` says; do not edit it by hand.

Every command takes `-h` or `--help`. Exit codes: 0 done, 1 something that you can fix, 2 usage, 3 a check failed,
130 interrupted.
"""


def reference() -> str:
    """The whole reference as Markdown, the same on every machine."""
    from dragoman.cli.main import app

    root = typer.main.get_command(app)
    sections = [_section(context, context.command) for context in _contexts(typer.Context(root, info_name="dragoman"))]
    return "\n".join([_HEAD, *sections])


def _contexts(context: typer.Context) -> Iterator[typer.Context]:
    """Each command that does something, below this one, in the order of the help."""
    commands: dict[str, Any] = getattr(context.command, "commands", {})
    if not commands:
        yield context
    for name, command in commands.items():
        yield from _contexts(typer.Context(command, info_name=name, parent=context))


def _section(context: typer.Context, command: Any) -> str:  # noqa: ANN401 - typer keeps its own copy of click's types
    text, _, example = (command.help or "").partition("\n\n")
    examples = re.split(r"\s+\|\s+", re.sub(r"^Examples?:\s*", "", " ".join(example.split())))
    lines = [f"## {context.command_path}", "", text, "", "```sh", *examples, "```", ""]
    lines += [f"`{command.get_usage(context).removeprefix('Usage: ')}`", "", "| | |", "| --- | --- |"]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            name, meaning = (part.replace("|", "\\|") for part in record)
            lines.append(f"| `{name}` | {' '.join(meaning.split())} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
