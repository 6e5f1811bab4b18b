"""The options that several commands share, each described once.

They are types of arguments, as typer reads them; they do nothing.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

Config = Annotated[Path | None, typer.Option("--config", "-c", help="recipe file (default: dragoman.toml here)")]
Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        help="artefact folder (default: .dragoman); a named one keeps the recipe and options of its last run "
        "until the recipe file they came from is edited or --config names one",
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Argument(help="folder, file, github:owner/repo@ref:folder, npm:package@version, ...", show_default=False),
]
Assign = Annotated[list[str] | None, typer.Option("--set", help="change a setting, e.g. --set train.epochs=1")]
Force = Annotated[bool, typer.Option("--force", help="build it even if it is fresh")]
Json = Annotated[bool, typer.Option("--json", help="print JSON for programs")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="show what libraries log, and tracebacks")]
Requests = Annotated[int | None, typer.Option("--requests", help="LLM requests to spend on questions; 0: none")]
Llm = Annotated[str | None, typer.Option("--llm", help="OpenAI-compatible endpoint, or 'none' (default: embedded)")]
LlmModel = Annotated[str | None, typer.Option("--llm-model", help="the endpoint's model, or a GGUF file")]
Name = Annotated[str | None, typer.Option("--name", help="the project's name, as the chatbot says it")]
Mode = Annotated[Literal["auto", "dense", "lexical", "hybrid"], typer.Option("--mode", help="how to search")]
Model = Annotated[Literal["auto", "base", "tuned"], typer.Option("--model", help="whose vectors")]
Rerank = Annotated[
    bool | None,
    typer.Option(
        "--rerank/--no-rerank",
        help="whether a cross-encoder puts the hits in order (default: what validation chose)",
        show_default=False,
    ),
]
FromSource = Annotated[str, typer.Option("--source", help="only what is of this source", show_default=False)]
OfVersion = Annotated[
    str,
    typer.Option("--version", help="only what is of this version of the docs; 'all': of any", show_default="latest"),
]
AtPath = Annotated[str, typer.Option("--path", help="only pages at this path, e.g. 'guides/**'", show_default=False)]
