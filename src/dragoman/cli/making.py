"""Commands that make something: ``init``, ``build`` and each stage by itself.

In: options. Out: calls of the pipeline and what is printed about them.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from dragoman.cli.evaluating import evaluate_command
from dragoman.cli.options import (
    Assign,
    Config,
    Force,
    Json,
    Llm,
    LlmModel,
    Name,
    Requests,
    Sources,
    Verbose,
    Workspace,
)
from dragoman.cli.outcome import print_rejected, print_report, print_skipped
from dragoman.cli.screen import Screen
from dragoman.cli.settings import make_run
from dragoman.errors import UsageError
from dragoman.pipeline.context import Run


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(init)
    app.command()(build)
    app.command("ingest")(ingest_command)
    app.command("synth")(synth_command)
    app.command("train")(train_command)
    app.command("evaluate")(evaluate_command)
    app.command("index")(index_command)


def init(sources: Sources = None, config: Config = None, name: Name = None, verbose: Verbose = False) -> None:
    """Write a commented dragoman.toml.

    Example: dragoman init docs/ --name Fastify
    """
    from dragoman.recipes import FILE_NAME, template

    path = config or Path(FILE_NAME)
    if path.exists():
        raise UsageError(f"{path} is already there", hint="Edit it, or write another with --config NAME.toml")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} to", hint="Make the folder first.")
    path.write_text(template(tuple(sources or ()), name or ""), encoding="utf-8")
    typer.echo(f"Wrote {path}. Next: dragoman build")


def build(
    sources: Sources = None,
    requests: Requests = None,
    llm: Llm = None,
    llm_model: LlmModel = None,
    name: Name = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run the whole chain: docs -> chunks -> questions -> tuned model -> verdict -> index.

    Examples: dragoman build docs/   |   dragoman build npm:fastify@5.12.8 --requests 100   |
    dragoman build docs/ --llm http://127.0.0.1:8000/v1 --llm-model llama-3-70b
    """
    from dragoman.pipeline.build import build as build_all

    overrides = {"synth.requests": requests, "llm.base_url": llm, "llm.model": llm_model, "name": name}
    run = make_run(
        config=config,
        workspace=workspace,
        sources=sources,
        overrides=overrides,
        assignments=assign,
        force=force,
        quiet=as_json,
    )
    run.workspace.check_idle()
    manifests = build_all(run)
    if as_json:
        typer.echo(json.dumps({stage: asdict(manifest) for stage, manifest in manifests.items()}))
        return
    print_skipped(run)
    print_report(run)
    where = f" --workspace {workspace}" if workspace else ""
    Screen().out.print(f"\nAsk it:  dragoman ask 'How do I ...?'{where}   or   dragoman chat{where}", markup=False)


def ingest_command(
    sources: Sources = None,
    preview: Annotated[bool, typer.Option("--preview", help="show how a page is cut, and write nothing")] = False,
    page: Annotated[str | None, typer.Option("--page", help="the page to preview (default: the first)")] = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="with --preview: print all chunks as JSON lines")] = False,
    verbose: Verbose = False,
) -> None:
    """Read the documentation and cut it into chunks.

    Examples: dragoman ingest docs/   |   dragoman ingest github:owner/repo@v2:docs   |
    dragoman ingest docs/ --preview --page guide/install.md --set chunk.tokens=192
    """
    if not preview and (page or as_json):
        raise UsageError("--page and --json are for a preview", hint="Add --preview.")
    options: dict[str, Any] = {
        "sources": sources,
        "config": config,
        "workspace": workspace,
        "assignments": assign,
    }
    if preview:
        _preview(make_run(**options, quiet=as_json), page or "", as_json=as_json)
        return
    run = _stage("ingest", **options, force=force)
    print_skipped(run)


def synth_command(
    requests: Requests = None,
    llm: Llm = None,
    llm_model: LlmModel = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="dragoman, or distilabel (the post's pipeline)")
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="tell what it would take, and send a few requests")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="ask about three chunks, print it, keep nothing")] = False,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Make questions about the chunks; every LLM answer is kept as it arrives.

    Examples: dragoman synth --requests 300   |   dragoman synth --estimate   |
    dragoman synth --requests 2000 --set synth.budget_minutes=60   |   dragoman synth --engine distilabel --dry-run
    """
    overrides = {"synth.requests": requests, "llm.base_url": llm, "llm.model": llm_model, "synth.engine": engine}
    options: dict[str, Any] = {
        "overrides": overrides,
        "config": config,
        "workspace": workspace,
        "assignments": assign,
    }
    if estimate or dry_run:
        _ask_first(make_run(**options), dry_run=dry_run)
        return
    run = _stage("synth", **options, force=force)
    print_rejected(run)
    typer.echo(f"\nThe funnel, as a page: {run.workspace.folder('synth') / 'funnel.html'}")


def train_command(
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Tune the embedding model, once for each fold that is held out.

    Example: dragoman train --set train.epochs=2
    """
    _stage("train", config=config, workspace=workspace, assignments=assign, force=force)


def index_command(
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Train the final model if it ships, and build the searchable index.

    Example: dragoman index
    """
    _stage("refit", "index", config=config, workspace=workspace, assignments=assign, force=force)


def _stage(*stages: str, **options: Any) -> Run:  # noqa: ANN401 - passed on to make_run
    from dragoman.pipeline.build import run_stages

    run = make_run(**options)
    run.workspace.check_idle()
    run_stages(run, *stages)
    return run


def _ask_first(run: Run, *, dry_run: bool) -> None:
    from dragoman.pipeline import asking
    from dragoman.pipeline.ingest import load_chunks

    chunks = load_chunks(run)
    if not asking.asks(run):
        typer.echo("No language model is asked: the recipe has llm.base_url = 'none', or no requests.")
        return
    if not dry_run:
        with run.workspace.writing():
            typer.echo(asking.estimate(run, chunks).line())
        return
    asked = asking.dry_run(run, chunks)
    for question in (*asked.questions, *asked.unanswerable):
        typer.echo(f"{question.style}: {question.text}")
        if question.negative:
            typer.echo(f"  not: {question.negative}")
    for row in asked.rejected:
        typer.echo(f"rejected ({row.reason}): {row.detail}")
    typer.echo(f"{asked.requests} requests, {asked.prompt_tokens:,} prompt and {asked.answer_tokens:,} answer tokens")


def _preview(run: Run, page: str, *, as_json: bool) -> None:
    from dragoman.cli.preview import chosen_page, print_preview
    from dragoman.pipeline.ingest import cut_sources

    cut = cut_sources(run)
    if as_json:
        for chunk in cut.chunks:
            typer.echo(json.dumps(asdict(chunk), ensure_ascii=False))
        return
    chunks = chosen_page(cut.chunks, page)
    paths = {chunk.path for chunk in chunks}
    left_out = [row for row in cut.skipped if row.item.rpartition(":")[0] in paths]
    print_preview(Screen().out, chunks, left_out, run.recipe.chunk.tokens)
