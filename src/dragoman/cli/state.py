"""Commands that tell how things stand: ``status``, and ``models``.

In: options. Out: what is printed about the workspace and about the models on this machine.
"""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from dragoman.cli.options import Config, Json, Verbose, Workspace
from dragoman.cli.screen import Screen, status_table
from dragoman.cli.settings import make_run

models_app = typer.Typer(help="The models that Dragoman knows.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(status)
    models_app.command("list")(models_list)
    models_app.command("pull")(models_pull)
    app.add_typer(models_app, name="models")


def status(config: Config = None, workspace: Workspace = None, as_json: Json = False, verbose: Verbose = False) -> None:
    """Show what is fresh, what is stale and why, and which model is served.

    Example: dragoman status
    """
    from dragoman.evaluate.naming import way_name
    from dragoman.pipeline.build import status as all_stages
    from dragoman.pipeline.context import finite
    from dragoman.records import Serving

    run = make_run(config=config, workspace=workspace, quiet=True)
    rows = all_stages(run)
    served = run.workspace.manifest("evaluate")
    gate: Any = served.notes["gate"] if served else None
    review = run.workspace.manifest("review")
    judged = dict(review.rows) if review else {}
    if as_json:
        typer.echo(json.dumps(finite({"stages": [asdict(row) for row in rows], "review": judged, "gate": gate})))
        return
    out = Screen().out
    out.print(status_table(rows))
    if judged:
        out.print(f"\nReview: {judged['verdicts']} verdicts from {judged['responses']} responses.", markup=False)
    if gate:
        way = way_name(Serving(**gate["served"]))
        verdict = "ships" if gate["ships"] else "was refused"
        out.print(f"\nThe tuned model {verdict}: {gate['reason']}.", markup=False)
        out.print(f"Served: {gate['served']['model']} model. Way of searching: {way}.", markup=False)


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
