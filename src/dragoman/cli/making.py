"""Commands that make something: ``init``, ``build`` and each stage by itself, ``status``, ``models``.

In: options. Out: calls of the pipeline and what is printed about them.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from dragoman.cli.screen import SHOWN, Screen, rejected_table, report_table, skipped_table, status_table
from dragoman.cli.settings import make_run
from dragoman.errors import UsageError
from dragoman.pipeline.context import Run

Config = Annotated[Path | None, typer.Option("--config", "-c", help="recipe file (default: dragoman.toml here)")]
Workspace = Annotated[Path | None, typer.Option("--workspace", "-w", help="artefact folder (default: .dragoman)")]
Sources = Annotated[list[str] | None, typer.Argument(help="folder, file, or npm:package@version", show_default=False)]
Assign = Annotated[list[str] | None, typer.Option("--set", help="change a setting, e.g. --set train.epochs=1")]
Force = Annotated[bool, typer.Option("--force", help="build it even if it is fresh")]
Json = Annotated[bool, typer.Option("--json", help="print JSON for programs")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="show what libraries log, and tracebacks")]
Requests = Annotated[int | None, typer.Option("--requests", help="LLM requests to spend on questions; 0: none")]
Llm = Annotated[str | None, typer.Option("--llm", help="OpenAI-compatible endpoint, or 'none' (default: embedded)")]
LlmModel = Annotated[str | None, typer.Option("--llm-model", help="the endpoint's model, or a GGUF file")]
Name = Annotated[str | None, typer.Option("--name", help="the project's name, as the chatbot says it")]

models_app = typer.Typer(help="The models that Dragoman knows.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(init)
    app.command()(build)
    app.command("ingest")(ingest_command)
    app.command("synth")(synth_command)
    app.command("train")(train_command)
    app.command("evaluate")(evaluate_command)
    app.command("index")(index_command)
    app.command()(status)
    models_app.command("list")(models_list)
    models_app.command("pull")(models_pull)
    app.add_typer(models_app, name="models")


def init(sources: Sources = None, config: Config = None, name: Name = None, verbose: Verbose = False) -> None:
    """Write a commented dragoman.toml.

    Example: dragoman init docs/ --name Fastify
    """
    from dragoman.config import FILE_NAME, template

    path = config or Path(FILE_NAME)
    if path.exists():
        raise UsageError(f"{path} is already there", hint="Edit it, or write another with --config NAME.toml")
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
    _print_skipped(run)
    _print_report(run)
    where = f" --workspace {workspace}" if workspace else ""
    Screen().out.print(f"\nAsk it:  dragoman ask 'How do I ...?'{where}   or   dragoman chat{where}", markup=False)


def ingest_command(
    sources: Sources = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Read the documentation and cut it into chunks.

    Example: dragoman ingest docs/
    """
    run = _stage("ingest", sources=sources, config=config, workspace=workspace, assignments=assign, force=force)
    _print_skipped(run)


def synth_command(
    requests: Requests = None,
    llm: Llm = None,
    llm_model: LlmModel = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Make questions about the chunks; every LLM answer is kept as it arrives.

    Example: dragoman synth --requests 300
    """
    overrides = {"synth.requests": requests, "llm.base_url": llm, "llm.model": llm_model}
    run = _stage("synth", overrides=overrides, config=config, workspace=workspace, assignments=assign, force=force)
    _print_rejected(run)


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


def evaluate_command(
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Compare base and tuned on held-out questions, and decide which is served.

    Example: dragoman evaluate --json
    """
    run = _stage("evaluate", config=config, workspace=workspace, assignments=assign, force=force, quiet=as_json)
    if as_json:
        typer.echo(_report_file(run).read_text(encoding="utf-8"))
    else:
        _print_report(run)


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


def status(config: Config = None, workspace: Workspace = None, as_json: Json = False, verbose: Verbose = False) -> None:
    """Show what is fresh, what is stale and why, and which model is served.

    Example: dragoman status
    """
    from dragoman.pipeline.build import status as all_stages

    run = make_run(config=config, workspace=workspace, quiet=True)
    rows = all_stages(run)
    served = run.workspace.manifest("evaluate")
    gate: Any = served.notes["gate"] if served else None
    if as_json:
        typer.echo(json.dumps({"stages": [asdict(row) for row in rows], "gate": gate}))
        return
    out = Screen().out
    out.print(status_table(rows))
    if gate:
        way = gate["served"]
        verdict = "ships" if gate["ships"] else "was refused"
        out.print(f"\nThe tuned model {verdict}: {gate['reason']}.", markup=False)
        out.print(f"Served: {way['model']} model, {way['mode']} search.", markup=False)


def models_list(as_json: Json = False) -> None:
    """List the models, their sizes, licences and whether they are on this machine.

    Example: dragoman models list
    """
    from rich.table import Table

    from dragoman.models.catalog import list_models

    rows = list_models()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], default=str))
        return
    table = Table("model", "role", "size", "licence", "here", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row.name, row.role, f"{row.size / 1e6:.0f} MB", row.licence, "yes" if row.path else "no")
    Screen().out.print(table)


def models_pull(name: Annotated[str, typer.Argument(help="a name from: dragoman models list")]) -> None:
    """Fetch a model again, replacing a damaged copy.

    Example: dragoman models pull all-MiniLM-L6-v2
    """
    from dragoman.models.catalog import pull

    typer.echo(pull(name, say=Screen().say))


def _stage(*stages: str, **options: Any) -> Run:  # noqa: ANN401 - passed on to make_run
    from dragoman.pipeline.build import run_stages

    run = make_run(**options)
    run.workspace.check_idle()
    run_stages(run, *stages)
    return run


def _report_file(run: Run) -> Path:
    from dragoman.pipeline.tuning import REPORT

    return run.workspace.folder("evaluate") / REPORT


def _print_report(run: Run) -> None:
    out = Screen().out
    report = json.loads(_report_file(run).read_text(encoding="utf-8"))
    out.print()
    out.print(report_table(report))
    out.print(f"\n{report['verdict']}", markup=False, soft_wrap=True)
    _print_rejected(run)
    out.print(f"\nReport: {_report_file(run)}", markup=False, soft_wrap=True)


def _print_skipped(run: Run) -> None:
    from dragoman.pipeline.docs import REJECTED
    from dragoman.records import Rejected
    from dragoman.tables import read_rows

    path = run.workspace.folder("ingest") / REJECTED
    rows = read_rows(path, Rejected)
    if rows:
        out = Screen().out
        out.print()
        out.print(skipped_table(rows))
        more = f"and {len(rows) - SHOWN} more; " if len(rows) > SHOWN else ""
        out.print(f"{more}the whole list: {path}", markup=False, soft_wrap=True)


def _print_rejected(run: Run) -> None:
    notes: Any = run.workspace.need("synth").notes
    if notes["steps"]:
        out = Screen().out
        out.print()
        out.print(rejected_table(notes["steps"], notes["samples"]))
