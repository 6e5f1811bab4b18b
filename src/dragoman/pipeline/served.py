"""What is served: which model's table, what that was made of, and what was served before it.

In and out: a small file in the index folder, replaced in one step and written last, so that whoever reads it finds tables that are
whole. The folder has a table folder for each model; the pointer in it names that model's table. It builds and opens nothing.
"""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dragoman.config import Recipe
from dragoman.errors import MissingArtefact, WorkspaceError
from dragoman.index.build import prune
from dragoman.index.pointer import read_pointer, tables, write_pointer
from dragoman.ingest.chunk import RULES
from dragoman.pipeline.context import Run, settings_of
from dragoman.pipeline.plans import model_identity
from dragoman.records import Chunk, Manifest, ModelChoice, content_id
from dragoman.workspace import replace_text

SERVED, TABLES = "served.json", "tables"
_TRAINED = "trained-{}.json"
_MODEL = "model"


@dataclass(frozen=True, slots=True)
class Served:
    """A state of the index folder.

    ``tables`` are the names of the tables by model, ``made_of`` the inputs of the stage ``index`` that a sync does not renew, and
    ``trained`` names the file of the passages that training saw.
    """

    model: ModelChoice
    tables: Mapping[ModelChoice, str]
    made_of: Mapping[str, str] = field(default_factory=dict)
    trained: str = ""


def read_served(folder: Path) -> Served | None:
    """What is served from the index folder; None where no index was ever finished.

    Raises:
        WorkspaceError: The file that says so is damaged.
    """
    states, now = _read(folder)
    return states[now] if states else None


def need_served(folder: Path) -> Served:
    """What is served from the index folder.

    Raises:
        MissingArtefact: No index was ever finished.
        WorkspaceError: The file that says so is damaged.
    """
    served = read_served(folder)
    if served is None:
        raise MissingArtefact(f"{folder.parent} has no index yet", hint="Run: dragoman index (or dragoman build)")
    return served


def serve(folder: Path, served: Served, passages: Iterable[str], keep: int) -> None:
    """Serve other tables from now on; their pointers are set already. Tables of no state that is kept are removed last.

    Args:
        folder: The index folder.
        served: What is served; ``trained`` is filled in.
        passages: Keys of the passages that training saw.
        keep: States kept, this one included.

    Raises:
        WorkspaceError: The folder cannot be written to.
    """
    known = sorted(set(passages))
    trained = content_id(*known)
    replace_text(folder / _TRAINED.format(trained), json.dumps(known))
    states, now = _read(folder)
    # The one that was served comes last but one: that is what a rollback goes back to, also after a rollback.
    before = [*states[:now], *states[now + 1 :], *states[now : now + 1]]
    whole = [state for state in before if _is_there(folder, state)][-keep + 1 :] if keep > 1 else []
    kept = [*whole, Served(served.model, served.tables, served.made_of, trained)]
    _write(folder, kept, len(whole))
    for model in {model for state in [*states, *kept] for model in state.tables}:
        prune(folder / model, {state.tables[model] for state in kept if model in state.tables})


def roll_back(folder: Path) -> Served:
    """Serve what was served before, with its model.

    Args:
        folder: The index folder.

    Returns:
        What is served now.

    Raises:
        MissingArtefact: There is no index, or nothing before it is left.
        WorkspaceError: The folder cannot be written to.
    """
    need_served(folder)
    states, now = _read(folder)
    # Where a swap was cut short, other tables are served than the file says: back is what it says.
    last = now if pointed(folder, states[now]) == states[now].tables else now + 1
    older = next((place for place in reversed(range(last)) if _is_there(folder, states[place])), None)
    if older is None:
        hint = "Make one with: dragoman sync (or dragoman build)"
        raise MissingArtefact(f"no table before the served one is left in {folder}", hint=hint)
    for model, name in states[older].tables.items():
        if name in tables(folder / model):
            write_pointer(folder / model, name)
    _write(folder, states, older)
    return states[older]


def pointed(folder: Path, served: Served) -> dict[ModelChoice, str]:
    """The tables that the pointers name, by model: they are others than the state's while, or after, a swap was cut short."""
    return {model: read_pointer(folder / model) for model in served.tables}


def strayed(run: Run, found: Manifest) -> list[str]:
    """What of the index is not as its manifest says: none, or that other tables are served."""
    folder = run.workspace.folder("index")
    try:
        served = read_served(folder)
        if served and pointed(folder, served) == found.notes.get(TABLES) and _is_there(folder, served):
            return []
    except WorkspaceError as error:
        return [error.happened]
    return ["another table is served than was built last"]


def trained_passages(folder: Path, served: Served) -> frozenset[str]:
    """Keys of the passages that the training before this index saw; empty where that is not known any more."""
    try:
        return frozenset(json.loads((folder / _TRAINED.format(served.trained)).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return frozenset()


def passage_keys(chunks: Iterable[Chunk]) -> frozenset[str]:
    """Keys of passages, by which they are told apart."""
    return frozenset(content_id(chunk.passage) for chunk in chunks)


def recipe_facts(recipe: Recipe) -> dict[str, str]:
    """What a recipe says of the model and of cutting, as it is written beside a table."""
    cutting = {f"chunk.{key}": str(value) for key, value in settings_of(recipe.chunk).items()}
    return {_MODEL: model_identity(recipe), **cutting, "rules of cutting": RULES}


def check_recipe(run: Run, was: Mapping[str, str], *, cutting: bool = True) -> None:
    """Refuse a table that does not fit the recipe.

    Args:
        run: The run.
        was: What the recipe said when the table was made.
        cutting: Whether chunks must be cut alike, too, and not only the model be the same.

    Raises:
        WorkspaceError: The recipe says otherwise; the hint is the command that makes a table that fits.
    """
    facts = recipe_facts(run.recipe)
    keys = list(facts) if cutting else [_MODEL]
    changed = [key for key in keys if was.get(key, facts[key]) != facts[key]]
    if not changed:
        return
    told = "; ".join(f"{key} was {was[key]}, is {facts[key]}" for key in changed)
    command = "build" if _MODEL in changed else "sync"
    where = f"--workspace {shlex.quote(str(run.workspace.root))}"
    raise WorkspaceError(
        f"the index does not fit the recipe: {told}",
        expected="the settings that it was made with",
        hint=f"Run: dragoman {command} {where}",
    )


def _is_there(folder: Path, state: Served) -> bool:
    return state.tables.get(state.model) in tables(folder / state.model)


def _read(folder: Path) -> tuple[list[Served], int]:
    path = folder / SERVED
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        states, now = [Served(**state) for state in table["states"]], int(table["now"])
        states[now]
    except FileNotFoundError:
        return [], 0
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        hint = f"Remove {path} and run: dragoman index"
        raise WorkspaceError(f"cannot read {path}: {error}", hint=hint) from error
    return states, now


def _write(folder: Path, states: Sequence[Served], now: int) -> None:
    table = {"now": now, "states": [asdict(state) for state in states]}
    replace_text(folder / SERVED, json.dumps(table, indent=2) + "\n")
    named = {_TRAINED.format(state.trained) for state in states}
    for path in folder.glob(_TRAINED.format("*")):
        if path.name not in named:
            path.unlink(missing_ok=True)
