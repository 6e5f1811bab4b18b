"""The command that finds: ``search``.

In: a question, or a file of them. Out: hits as a table, with what each part of the search found if asked for, or as JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from dragoman.cli.finds import explained_row, explained_table, hit_row, hits_table
from dragoman.cli.options import AtPath, Config, FromSource, Json, Mode, Model, OfVersion, Rerank, Verbose, Workspace
from dragoman.cli.screen import Screen
from dragoman.cli.settings import make_run
from dragoman.errors import UsageError
from dragoman.records import SearchFilter


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(search)


def search(
    question: Annotated[str | None, typer.Argument(help="what to look for", show_default=False)] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help='JSONL file with rows {"qid", "question"}; needs --json')
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="hits wanted")] = 10,
    mode: Mode = "auto",
    model: Model = "auto",
    rerank: Rerank = None,
    collapse: Annotated[
        bool, typer.Option("--collapse/--no-collapse", help="one hit a section, or every chunk")
    ] = True,
    source: FromSource = "",
    version: OfVersion = "",
    path: AtPath = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="show why each hit stands where it does, and where the base model had it")
    ] = False,
    config: Config = None,
    workspace: Workspace = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Search the docs.

    Examples: dragoman search "delete a record"   |
    dragoman search "delete a record" --explain --path 'guides/**'   |
    dragoman search --questions real.jsonl --json --mode dense --model base
    """
    if (question is None) == (questions is None):
        raise UsageError("search takes a question or --questions FILE", expected="one of the two")
    from dragoman.pipeline.searcher import DocsSearcher

    rows = _read_questions(questions) if questions else []
    run = make_run(config=config, workspace=workspace, quiet=as_json)
    searcher = DocsSearcher(run, mode, model, collapse=collapse, rerank=rerank, explain=explain)
    where = SearchFilter(source, version, path)
    as_row = explained_row if explain else hit_row
    if questions:
        found = searcher.search_many([row["question"] for row in rows], top, where=where)
        for row, hits in zip(rows, found, strict=True):
            typer.echo(json.dumps({"qid": row["qid"], "hits": [as_row(hit) for hit in hits]}))
        return
    start = time.perf_counter()
    hits = searcher.search(question or "", top, where=where)
    seconds = time.perf_counter() - start
    if as_json:
        typer.echo(json.dumps({"question": question, "hits": [as_row(hit) for hit in hits]}))
        return
    screen = Screen()
    screen.out.print(explained_table(hits) if explain else hits_table(hits))
    screen.out.print(f"[dim]{searcher.banner}; {1000 * seconds:.0f} ms[/]")


def _read_questions(path: Path) -> list[dict[str, str]]:
    try:
        lines = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", expected="a JSONL file") from error
    rows = []
    for number, line in enumerate(lines.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append({"qid": str(row["qid"]), "question": str(row["question"])})
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}:{number} is not a question", expected='{"qid": ..., "question": ...}') from error
    return rows
