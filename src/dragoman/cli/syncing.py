"""Commands for docs that change: ``sync``, and ``rollback`` for when that went wrong.

In: options. Out: calls of the pipeline, and what has changed.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from dragoman.cli.options import Assign, Config, Force, Json, Sources, Verbose, Workspace
from dragoman.cli.screen import Screen
from dragoman.cli.settings import make_run

if TYPE_CHECKING:
    from dragoman.pipeline.sync import Difference, Synced


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(sync)
    app.command()(rollback)


def sync(
    sources: Sources = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Read the docs again and index what has changed, without asking a language model and without training.

    Examples: dragoman sync   |   dragoman sync github:owner/repo@v2.1:docs
    """
    from dragoman.pipeline.sync import sync as sync_index

    run = make_run(config=config, workspace=workspace, sources=sources, assignments=assign, force=force, quiet=as_json)
    run.workspace.check_idle()
    done = sync_index(run)
    if as_json:
        typer.echo(json.dumps(asdict(done)))
        return
    out = Screen().out
    for line in _lines(done):
        out.print(line, markup=False, soft_wrap=True)


def rollback(
    config: Config = None, workspace: Workspace = None, as_json: Json = False, verbose: Verbose = False
) -> None:
    """Serve the index that was served before the present one, with its model.

    Example: dragoman rollback
    """
    from dragoman.pipeline.sync import rollback as roll_back

    run = make_run(config=config, workspace=workspace, quiet=as_json)
    run.workspace.check_idle()
    now = roll_back(run)
    if as_json:
        typer.echo(json.dumps(asdict(now)))
        return
    line = f"Served now: the {now.model} model's table {now.table}, {now.chunks} chunks of {now.docs}."
    Screen().out.print(line, markup=False, soft_wrap=True)


def _lines(done: "Synced") -> list[str]:
    if not done.built:
        lines = [f"nothing changed: {done.chunks.kept} chunks are indexed as they are ({done.seconds:.1f} s)"]
    else:
        # The base model's table is brought up to date beside the served one: both models encode the same passages.
        encoded = max(done.encoded.values(), default=0)
        lines = [
            f"pages: {_told(done.pages)}",
            f"chunks: {_told(done.chunks)}",
            f"passages encoded: {encoded}; searched by the {done.model} model as before ({done.seconds:.1f} s)",
        ]
    if done.built and done.questions_left_out:
        lines.append(f"{done.questions_left_out} known questions are left out: the chunks that answered them are gone")
    if done.retrain and done.since_training is not None:
        share = f"{done.since_training:.0%} of the passages have changed since training"
        lines.append(f"{share}. Training again may pay: dragoman build")
    return lines


def _told(difference: "Difference") -> str:
    counts = asdict(difference)
    return ", ".join(f"{counts[key]} {key}" for key in ("added", "changed", "removed", "kept") if counts[key])
