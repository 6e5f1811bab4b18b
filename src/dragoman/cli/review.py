"""``dragoman review``: show what was made to people, and bring back what they say.

In: options. Out: items on a desk (Argilla, a local page or a file), verdicts in the workspace, and what is printed about them.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.cli.options import Assign, Config, Json, Verbose, Workspace
from dragoman.cli.screen import Screen
from dragoman.cli.settings import make_run
from dragoman.errors import UsageError
from dragoman.pipeline.context import Run
from dragoman.records import ReviewKind, content_id
from dragoman.review.items import FORMS, Desk, Form, Item, Pushed
from dragoman.review.page.desk import PageDesk

if TYPE_CHECKING:
    from dragoman.review.argilla.desk import ArgillaDesk

app = typer.Typer(help="People's judgement: push, label, pull; the next build learns from it.", no_args_is_help=True)

PAGE = "desk"  # folder of the local page in a workspace
_ARGILLA, _PAGE, _FILE = "argilla", "page", "file"

Kind = Annotated[str, typer.Argument(help="chunks, triplets or conversations", show_default=False)]
Kinds = Annotated[
    list[str] | None, typer.Argument(help="chunks, triplets, conversations (default: all)", show_default=False)
]
Server = Annotated[str | None, typer.Option("--server", help="address of the Argilla server")]
Space = Annotated[str | None, typer.Option("--space", help="Argilla's workspace (default: the first of the key's)")]
Turns = Annotated[
    Path | None, typer.Option("--turns", help="conversations as JSON lines (default: those of this chat)")
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="a published dataset: hf:owner/name (also hf:owner/name@revision:split), Parquet, JSON lines or CSV",
    ),
]
Items = Annotated[int | None, typer.Option("--items", help="most items shown, the worst first")]


def register(main: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("push")(push_command)
    app.command("pull")(pull_command)
    app.command("serve")(serve_command)
    app.command("export")(export_command)
    app.command("import")(import_command)
    main.add_typer(app, name="review")


def push_command(
    kind: Kind,
    server: Server = None,
    space: Space = None,
    published: From = None,
    turns: Turns = None,
    items: Items = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    verbose: Verbose = False,
) -> None:
    """Show chunks, triplets or conversations on an Argilla server; its key is in ARGILLA_API_KEY.

    Examples: dragoman review push triplets --server http://127.0.0.1:6900   |
    dragoman review push chunks --items 200   |   dragoman review push triplets --from hf:owner/dataset
    """
    from dragoman.pipeline.review import push

    overrides = {"review.server": server, "review.space": space, "review.items": items}
    run = make_run(config=config, workspace=workspace, overrides=overrides, assignments=assign)
    form = FORMS[_kind(kind)]
    chosen = _items(run, form.kind, published, turns, vectors=True)
    desk = _argilla(run, chosen)
    _say_pushed(desk, form.kind, push(run, desk, form.kind, chosen))
    where = [f"--server {server}" if server else "", f"--space {space}" if space else ""]
    where += [f"--workspace {workspace}" if workspace else ""]
    then = " ".join(["dragoman review pull", kind, *filter(None, where)])
    typer.echo(f"Label them, the worst first, at {desk.queue(form)}")
    typer.echo(
        "These labels are Argilla's to keep: no workspace holds their texts." if published else f"And then:  {then}"
    )


def pull_command(
    kinds: Kinds = None,
    server: Server = None,
    space: Space = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Bring labels back from Argilla (or, with no server named, the local page), and decide: kept, corrected, dropped or disputed.

    Examples: dragoman review pull   |   dragoman review pull triplets --set review.votes=2
    """
    overrides = {"review.server": server, "review.space": space}
    run = make_run(config=config, workspace=workspace, overrides=overrides, assignments=assign, quiet=as_json)
    page = run.workspace.root / PAGE
    if not run.recipe.review.server and page.is_dir():
        desk: Desk = PageDesk(page)
        name = _PAGE
    else:
        desk, name = _argilla(run, ()), _ARGILLA
    wanted = [_kind(kind) for kind in kinds or ()]
    _say_pulled(run, desk, wanted, name, as_json=as_json)


def serve_command(
    host: Annotated[str, typer.Option("--host", help="address the page listens on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="port the page listens on")] = 7861,
    reviewer: Annotated[str, typer.Option("--reviewer", help="name that the page starts with")] = "",
    turns: Turns = None,
    items: Items = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    verbose: Verbose = False,
) -> None:
    """Review in the browser, with no server but this one; Ctrl-C ends it and brings the labels in.

    Examples: dragoman review serve   |   dragoman review serve --items 100 --reviewer ada
    """
    from dragoman.pipeline.review import push, turns_file
    from dragoman.review.page.server import serve_page

    run = make_run(config=config, workspace=workspace, overrides={"review.items": items}, assignments=assign)
    run.workspace.need("ingest")
    if turns and not turns.is_file():
        raise UsageError(f"there is no file {turns}", expected="conversations as JSON lines")
    kinds: list[ReviewKind] = ["chunks"]
    if run.workspace.manifest("synth"):
        kinds.insert(0, "triplets")
    if (turns or turns_file(run)).is_file():
        kinds.append("conversations")
    desk = PageDesk(run.workspace.root / PAGE)
    shown: list[Item] = []
    for kind in kinds:
        chosen = _items(run, kind, None, turns if kind == "conversations" else None)
        push(run, desk, kind, chosen)
        shown += chosen
    screen = Screen()
    serve_page(
        desk,
        {kind: FORMS[kind] for kind in kinds},
        host=host,
        port=port,
        reviewer=reviewer,
        title=run.recipe.name or "the documentation",
        guidelines=_guidelines(run, shown),
        ready=lambda url: screen.say(f"Review at {url}   (Ctrl-C ends it; nothing is lost)"),
        votes=run.recipe.review.votes,
    )
    _say_pulled(run, desk, kinds, _PAGE)


def export_command(
    kind: Kind,
    path: Annotated[Path, typer.Argument(help="file to write, .csv or .jsonl", show_default=False)],
    published: From = None,
    turns: Turns = None,
    items: Items = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    verbose: Verbose = False,
) -> None:
    """Write what is to be reviewed to a spreadsheet or JSON lines, with empty columns to fill in.

    Example: dragoman review export triplets review.csv
    """
    from dragoman.pipeline.review import push
    from dragoman.review.files import FilesDesk

    run = make_run(config=config, workspace=workspace, overrides={"review.items": items}, assignments=assign)
    desk, form = FilesDesk(path), FORMS[_kind(kind)]
    _say_pushed(desk, form.kind, push(run, desk, form.kind, _items(run, form.kind, published, turns)))
    columns = ", ".join(ask.name for ask in form.asks)
    then = f"dragoman review import {kind} {path}{f' --workspace {workspace}' if workspace else ''}"
    typer.echo(f"Fill in {columns} and reviewer, then:  {then}")


def import_command(
    kind: Kind,
    path: Annotated[Path, typer.Argument(help="file that was filled in, .csv or .jsonl", show_default=False)],
    reviewer: Annotated[
        str, typer.Option("--reviewer", help="who filled in the rows without a reviewer (default: the file's name)")
    ] = "",
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Bring in what people filled in, and decide; of one reviewer's answers to an item, the latest import counts.

    Examples: dragoman review import triplets review.csv   |   dragoman review import chunks ada.jsonl --reviewer ada
    """
    from dragoman.pipeline.review import known_ids
    from dragoman.review.files import FilesDesk

    run = make_run(config=config, workspace=workspace, assignments=assign, quiet=as_json)
    desk = FilesDesk(path, known=known_ids(run, _kind(kind)), reviewer=reviewer or path.stem)
    # Files of one name in two folders are two people's.
    name = f"{_FILE} {path.name} {content_id(str(path.resolve()))}"
    _say_pulled(run, desk, [_kind(kind)], name, as_json=as_json)


def _kind(given: str) -> ReviewKind:
    for kind in FORMS:
        if given == kind:
            return kind
    raise UsageError(f"'{given}' cannot be reviewed", expected=f"one of {', '.join(FORMS)}")


def _items(
    run: Run, kind: ReviewKind, published: str | None, turns: Path | None, *, vectors: bool = False
) -> list[Item]:
    from dragoman.pipeline.review import items_to_review, with_vectors

    if turns and kind != "conversations":
        raise UsageError(f"--turns is for conversations, not for {kind}")
    if published:
        from dragoman.review.published import published_items

        return published_items(kind, published)[: run.recipe.review.items]
    found = items_to_review(run, kind, turns)
    if not found:
        raise UsageError(f"there are no {kind} to review", hint="Run: dragoman build")
    return with_vectors(run, found) if vectors else found


def _argilla(run: Run, items: Sequence[Item]) -> "ArgillaDesk":
    from dragoman.review.argilla.desk import ArgillaDesk

    settings = run.recipe.review
    if not settings.server:
        raise UsageError(
            "no Argilla server is named",
            expected="its address in --server or review.server",
            hint="Without a server: dragoman review serve, or dragoman review export triplets review.csv",
        )
    key = os.environ.get(settings.api_key_env, "")
    if not key:
        raise UsageError(f"{settings.api_key_env} is not set", expected="the key of an owner or admin of the server")
    return ArgillaDesk.open(
        settings.server,
        key,
        space=settings.space,
        prefix=settings.dataset or run.recipe.name or "dragoman",
        guidelines=_guidelines(run, items),
        vector_dims=len(items[0].vector) if items else 0,
        min_submitted=settings.votes,
    )


def _guidelines(run: Run, items: Sequence[Item]) -> Callable[[Form], str]:
    from dragoman.review.guidelines import guidelines

    name = run.recipe.name or "the documentation"
    return lambda form: guidelines(form, name, [item for item in items if item.kind == form.kind])


def _say_pushed(desk: Desk, kind: ReviewKind, pushed: Pushed) -> None:
    counts = ", ".join(f"{count} {what}" for what, count in asdict(pushed).items() if count)
    typer.echo(f"{kind} on {desk.place}: {counts or 'nothing to show'}")


def _say_pulled(run: Run, desk: Desk, kinds: Sequence[ReviewKind], name: str, *, as_json: bool = False) -> None:
    from dragoman.cli.verdicts import print_pulled, pulled_row
    from dragoman.pipeline.review import pull

    pulled = pull(run, desk, kinds, name)
    if as_json:
        typer.echo(json.dumps([pulled_row(one) for one in pulled]))
        return
    for one in pulled:
        print_pulled(one)
    if any(one.brought for one in pulled):
        next_ = "dragoman status   shows what is stale,  dragoman build   makes it fresh."
        typer.echo(f"\nThe next build learns from it:  {next_}")
    else:
        typer.echo(f"Nobody has answered anything at {desk.place} yet.")
