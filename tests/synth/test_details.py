"""Questions from lines that define something."""

from collections.abc import Callable

import pytest

from dragoman.records import Chunk
from dragoman.synth.details import details

MakeChunk = Callable[..., Chunk]


def asked(chunk: Chunk) -> list[tuple[str, str]]:
    return [(detail.style, detail.text) for detail in details(chunk)]


@pytest.mark.parametrize(
    ("heading", "line", "question"),
    [
        ("Flags", "- `--force`: bake although the door is open", ("option", "what does --force do")),
        (
            "Flags",
            "| `-f, --force <level>` | off | bake although the door is open |",
            ("option", "what does --force do"),
        ),
        ("Server", "* `OVEN_HEAT_MAX=250`: the highest heat that is allowed", ("option", "what is OVEN_HEAT_MAX for")),
        ("Parameters", "- `heat` (number): how hot the oven gets", ("option", "Oven heat parameter")),
        ("Properties", "| `heat?` | `number` | how hot the oven gets |", ("option", "Oven heat property")),
        (
            "Words",
            "- **Steam Valve**: A valve through which the steam leaves.",
            ("definition", "what is a steam valve"),
        ),
        ("Words", "- **IP rack**: A rack for wet loaves only.", ("definition", "what is an IP rack")),
        (
            "Errors",
            "It ends with OvenError: the stone is not hot enough",
            ("error", "OvenError: the stone is not hot enough"),
        ),
        ("Errors", "`bake()` raises `StoneNotFound` if there is none.", ("error", "why do I get StoneNotFound")),
        ("Errors", "The command fails with an `EDOOR` error then.", ("error", "EDOOR error")),
        ("Errors", "```text\n> Error: Cannot open the oven door\n```", ("error", "Cannot open the oven door")),
    ],
)
def test_a_line_that_defines_something_is_asked_about(
    make_chunk: MakeChunk, heading: str, line: str, question: tuple[str, str]
) -> None:
    assert asked(make_chunk(f"Some words.\n\n{line}", trail=("Oven", heading))) == [question]


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        ("Bake", "Run it with `--force` to bake although the door is open."),
        ("Bake", "- `heat`: how hot the oven gets"),
        ("Parameters", "- `true`: the oven gets very hot"),
        ("Flags", "- `--force`: yes"),
        ("Flags", "| `--force` | --- | --- |"),
        ("Bake", "- **Fast**: The oven is hot in a minute."),
        ("Bake", "- **Remove the loaf**: A loaf is ready when it sounds hollow."),
        ("Bake", "- **Loaves**: A loaf is ready when it sounds hollow."),
        ("Bake", "```ts\nthrow new Error('The sample loaf is burnt');\n```"),
        ("Bake", "```ts\nonError: error => console.error('Error: something', error)\n```"),
        ("Bake", "An error: the oven"),
        ("Bake", "catch(error: Error, info: OvenInfo)"),
        ("Bake", "It raises `ValueError` if the heat is negative."),
        ("Bake", "- `--force`: " + "bake it " * 100),
    ],
)
def test_a_line_that_only_mentions_something_is_not(make_chunk: MakeChunk, heading: str, line: str) -> None:
    assert asked(make_chunk(f"Some words.\n\n{line}", trail=("Oven", heading))) == []


def test_a_parameter_without_a_topic_is_asked_about_only_when_its_name_is_rare(make_chunk: MakeChunk) -> None:
    text = "- `heat`: how hot it gets\n- `heatLimit`: how hot it may get"
    chunk = make_chunk(text, trail=("Welcome to the oven", "Parameters"))
    assert asked(chunk) == [("option", "heatLimit parameter")]


def test_an_option_of_several_commands_can_be_asked_with_its_command(make_chunk: MakeChunk) -> None:
    (detail,) = details(make_chunk("- `--force`: bake although the door is open", trail=("oven-bake", "Flags")))
    assert detail.fuller == "oven-bake --force"


def test_a_chunk_that_begins_inside_code_is_read_as_code(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("```ts\n- `--force`: bake although the door is open\n```")
    assert asked(chunk) == []
