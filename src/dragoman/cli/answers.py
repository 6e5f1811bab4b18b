"""Commands that answer: ``search``, ``ask``, ``chat``.

In: questions and options. Out: hits and answers on the terminal or as JSON, or the web app.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dragoman.cli.options import Assign, Config, Json, Llm, LlmModel, Verbose, Workspace
from dragoman.cli.screen import Screen, as_markdown, hit_row, hits_table, print_sources
from dragoman.cli.settings import make_run
from dragoman.errors import UsageError
from dragoman.pipeline.context import Run

if TYPE_CHECKING:
    from dragoman.chat.answer import Answerer
    from dragoman.records import Answer

Mode = Annotated[Literal["auto", "dense", "lexical", "hybrid"], typer.Option("--mode", help="how to search")]
Model = Annotated[Literal["auto", "base", "tuned"], typer.Option("--model", help="whose vectors")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(search)
    app.command()(ask)
    app.command()(chat)


def search(
    question: Annotated[str | None, typer.Argument(help="what to look for", show_default=False)] = None,
    questions: Annotated[
        Path | None, typer.Option("--questions", help='JSONL file with rows {"qid", "question"}; needs --json')
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="hits wanted")] = 10,
    mode: Mode = "auto",
    model: Model = "auto",
    collapse: Annotated[
        bool, typer.Option("--collapse/--no-collapse", help="one hit a section, or every chunk")
    ] = True,
    config: Config = None,
    workspace: Workspace = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Search the docs.

    Examples: dragoman search "delete a record"   |
    dragoman search --questions real.jsonl --json --mode dense --model base
    """
    if (question is None) == (questions is None):
        raise UsageError("search takes a question or --questions FILE", expected="one of the two")
    from dragoman.pipeline.serving import DocsSearcher

    rows = _read_questions(questions) if questions else []
    run = make_run(config=config, workspace=workspace, quiet=as_json)
    searcher = DocsSearcher(run, mode, model, collapse=collapse)
    if questions:
        found = searcher.search_many([row["question"] for row in rows], top)
        for row, hits in zip(rows, found, strict=True):
            typer.echo(json.dumps({"qid": row["qid"], "hits": [hit_row(hit) for hit in hits]}))
        return
    hits = searcher.search(question or "", top)
    if as_json:
        typer.echo(json.dumps({"question": question, "hits": [hit_row(hit) for hit in hits]}))
        return
    screen = Screen()
    screen.out.print(hits_table(hits))
    screen.out.print(f"[dim]{searcher.banner}[/]")


def ask(
    question: Annotated[str, typer.Argument(help="a question about the docs")],
    llm: Llm = None,
    llm_model: LlmModel = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Answer one question from the docs, with its sources.

    Example: dragoman ask "How do I add a custom error handler?"
    """
    overrides = {"llm.base_url": llm, "llm.model": llm_model}
    run = make_run(config=config, workspace=workspace, overrides=overrides, assignments=assign, quiet=as_json)
    screen = Screen()
    start = time.perf_counter()
    with _answerer(run) as answerer:
        answer = _streamed(answerer, question, show=not as_json and screen.out.is_terminal)
    seconds = time.perf_counter() - start
    if as_json:
        citations = [{"number": c.number, "trail": c.hit.chunk.trail, **hit_row(c.hit)} for c in answer.citations]
        row = {**asdict(answer), "citations": citations, "banner": answerer.banner, "seconds": round(seconds, 3)}
        typer.echo(json.dumps(row))
        return
    screen.out.print(as_markdown(answer.text))
    screen.out.print()
    print_sources(screen.out, answer)
    screen.out.print(f"[dim]{answerer.banner}; {seconds:.1f} s[/]")


def chat(
    host: Annotated[str | None, typer.Option("--host", help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option("--port", help="port to listen on")] = None,
    llm: Llm = None,
    llm_model: LlmModel = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    verbose: Verbose = False,
) -> None:
    """Serve the chatbot as a web page on this machine.

    Example: dragoman chat --port 7861
    """
    overrides = {"chat.host": host, "chat.port": port, "llm.base_url": llm, "llm.model": llm_model}
    run = make_run(config=config, workspace=workspace, overrides=overrides, assignments=assign)
    run.workspace.need("index")
    from dragoman.chat.app import check_port, create_app, serve
    from dragoman.pipeline.serving import example_questions

    settings = run.recipe.chat
    check_port(settings.host, settings.port)
    with _answerer(run) as answerer:
        app = create_app(answerer, title=f"Ask {answerer.name}", examples=example_questions(run))
        serve(app, settings.host, settings.port, ready=lambda url: run.say(f"Listening on {url} (Ctrl-C ends it)"))


@contextmanager
def _answerer(run: Run) -> "Iterator[Answerer]":
    from dragoman.chat.answer import Answerer
    from dragoman.models.embedded import open_generator
    from dragoman.pipeline.serving import DocsSearcher

    searcher = DocsSearcher(run)
    with open_generator(run.recipe.llm, mirrors=run.recipe.models.mirrors, say=run.say) as generator:
        yield Answerer(searcher, generator, run.recipe.chat, run.recipe.name or "the docs")


def _streamed(answerer: "Answerer", question: str, *, show: bool) -> "Answer":
    """The finished answer; while it is written, a reader at a terminal sees it grow."""

    async def follow() -> "Answer":
        finished: Answer | None = None
        with _live(show) as update:
            text = ""
            async for part in answerer.stream(question):
                text += part.text
                update(text)
                finished = part.answer or finished
        if finished is None:
            raise AssertionError("the answer never ended")
        return finished

    return asyncio.run(follow())


@contextmanager
def _live(show: bool) -> Iterator[Any]:
    if not show:
        yield lambda _: None
        return
    from rich.live import Live

    with Live(console=Screen().out, refresh_per_second=8, transient=True) as live:
        yield lambda text: live.update(as_markdown(text))


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
