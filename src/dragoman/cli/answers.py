"""Commands that answer: ``ask``, ``chat``.

In: questions and options. Out: answers on the terminal or as JSON, or the web app.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli.finds import answer_row, as_markdown, print_answer
from dragoman.cli.options import Assign, AtPath, Config, FromSource, Json, Llm, LlmModel, OfVersion, Verbose, Workspace
from dragoman.cli.screen import Screen
from dragoman.cli.settings import make_run
from dragoman.pipeline.context import Run
from dragoman.records import Answer, SearchFilter, Turn

if TYPE_CHECKING:
    from dragoman.chat.answer import Answerer


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(ask)
    app.command()(chat)


def ask(
    question: Annotated[
        str | None, typer.Argument(help="a question about the docs; without one, a conversation", show_default=False)
    ] = None,
    source: FromSource = "",
    version: OfVersion = "",
    path: AtPath = "",
    llm: Llm = None,
    llm_model: LlmModel = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Answer a question from the docs, with its sources; without a question, hold a conversation, a line a question.

    Examples: dragoman ask "How do I add a custom error handler?"   |
    dragoman ask   |   dragoman ask --json < questions.txt
    """
    overrides = {"llm.base_url": llm, "llm.model": llm_model}
    run = make_run(config=config, workspace=workspace, overrides=overrides, assignments=assign, quiet=as_json)
    screen, where = Screen(), SearchFilter(source, version, path)
    with _answerer(run) as answerer:
        turns: list[Turn] = []
        for asked in [question] if question is not None else _lines(screen):
            start = time.perf_counter()
            show = not as_json and screen.out.is_terminal
            answer, first = _streamed(answerer, asked, turns, where, show=show)
            seconds = time.perf_counter() - start
            turns.append(Turn(asked, answer.text, number=len(turns)))
            if as_json:
                times = {"first_seconds": round(first, 3), "seconds": round(seconds, 3)}
                typer.echo(json.dumps({**answer_row(answer), "banner": answerer.banner, **times}))
                continue
            print_answer(screen.out, answer)
            screen.out.print(f"[dim]{answerer.banner}; {seconds:.1f} s[/]")


def _lines(screen: Screen) -> Iterator[str]:
    """What is typed, or piped in, a question a line; an empty line at a terminal ends it."""
    watched = sys.stdin.isatty()
    while True:
        if watched:
            screen.err.print("\n[bold]>[/] ", end="")
        line = sys.stdin.readline()
        if not line or (watched and not line.strip()):
            return
        if line.strip():
            yield line.strip()


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
    from dragoman.pipeline.answering import open_answerer
    from dragoman.pipeline.searcher import DocsSearcher

    with open_answerer(run, DocsSearcher(run)) as answerer:
        yield answerer


def _streamed(
    answerer: "Answerer", question: str, history: Sequence[Turn], where: SearchFilter, *, show: bool
) -> tuple[Answer, float]:
    """The finished answer, and seconds to its first words; while it is written, a reader at a terminal sees it grow."""

    async def follow() -> tuple[Answer, float]:
        finished, first, start = None, 0.0, time.perf_counter()
        with _live(show) as update:
            text = ""
            async for part in answerer.stream(question, history, where=where):
                if part.text and not text:
                    first = time.perf_counter() - start
                text += part.text
                update(text)
                finished = part.answer or finished
        if finished is None:
            raise AssertionError("the answer never ended")
        return finished, first

    return asyncio.run(follow())


@contextmanager
def _live(show: bool) -> Iterator[Any]:
    if not show:
        yield lambda _: None
        return
    from rich.live import Live

    with Live(console=Screen().out, refresh_per_second=8, transient=True) as live:
        yield lambda text: live.update(as_markdown(text))
