"""What every stage of a run shares: the recipe, the workspace, and where progress is shown.

``run_stage`` is the one place where an artefact is found fresh or is built, and where it gets its
manifest. It knows no stage in particular.
"""

import dataclasses
import json
import math
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from dragoman import __version__
from dragoman.config import Recipe
from dragoman.errors import MissingArtefact
from dragoman.models.protocols import Advance
from dragoman.records import Manifest, Rejected, content_id
from dragoman.workspace import COMMANDS, SCHEMA, Workspace

_TOLD = 3  # reasons why an artefact is stale


class Reporter(Protocol):
    """Where a run tells what it does."""

    def say(self, text: str) -> None:
        """One line that a user should read."""
        ...

    def progress(self, label: str, total: int) -> AbstractContextManager[Advance]:
        """A long piece of work of ``total`` steps; the block gets a function that counts them."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the pipeline over one workspace."""

    recipe: Recipe
    workspace: Workspace
    reporter: Reporter
    force: bool = False
    workers: int = 1  # processes for work that is the same for many rows

    def say(self, text: str) -> None:
        """One line that a user should read."""
        self.reporter.say(text)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an artefact depends on: settings and the content of its inputs."""

    stage: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    seed: int

    @property
    def fingerprint(self) -> str:
        """Hash of all of it; an artefact with this fingerprint is fresh."""
        return content_id(self.stage, SCHEMA, self.seed, _json(self.settings), _json(self.inputs))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage made: its content hash, row counts, and notes for people."""

    content: str
    rows: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


def settings_of(*sections: BaseModel) -> dict[str, Any]:
    """The settings of some sections as plain values, for a plan."""
    table: dict[str, Any] = {}
    for section in sections:
        table |= section.model_dump(mode="json")
    return table


def run_stage(
    run: Run, plan: Plan, work: Callable[[Path], Outcome], *, in_place: bool = False, again: bool = False
) -> Manifest:
    """Build a stage's artefact unless it is fresh; one with files missing or changed counts as absent.

    Args:
        run: The run.
        plan: What the artefact depends on.
        work: Builds it in the folder that it is given.
        in_place: The artefact swaps itself and is built where it lies.
        again: Build it though it is fresh: something in it is still to be had.

    Returns:
        The manifest of the fresh artefact.
    """
    workspace = run.workspace
    found = _whole(run, plan.stage)
    if found and found.fingerprint == plan.fingerprint and not (run.force or again):
        run.say(f"{plan.stage}: fresh")
        return found
    if in_place:
        workspace.unstamp(plan.stage)
        outcome = work(workspace.folder(plan.stage))
    else:
        outcome = work(workspace.begin(plan.stage, plan.fingerprint))
    manifest = Manifest(
        stage=plan.stage,
        schema=SCHEMA,
        version=__version__,
        fingerprint=plan.fingerprint,
        content=outcome.content,
        seed=plan.seed,
        rows=outcome.rows,
        inputs=plan.inputs,
        settings=plan.settings,
        notes=outcome.notes,
    )
    if in_place:
        workspace.stamp(plan.stage, manifest)
    else:
        workspace.finish(plan.stage, manifest)
    return manifest


def need_fresh(run: Run, plan: Plan) -> Manifest:
    """The finished artefact of a stage before, if it was made with the settings and inputs of today.

    Args:
        run: The run.
        plan: What the artefact would be made of now.

    Returns:
        Its manifest.

    Raises:
        MissingArtefact: There is none, or it is stale: what was held out then may not be what is asked now.
    """
    found = run.workspace.need(plan.stage)
    if found.fingerprint == plan.fingerprint:
        return found
    changed = differences(plan, found)
    happened = f"'{plan.stage}' is stale: {'; '.join(changed[:_TOLD])}"
    where = f" --workspace {shlex.quote(str(run.workspace.root))}"
    raise MissingArtefact(happened, hint=f"Run: dragoman {COMMANDS[plan.stage]}{where} (or dragoman build)")


def differences(plan: Plan, found: Manifest) -> list[str]:
    """Why an artefact is stale: each setting or input that changed, in words."""
    if found.fingerprint == plan.fingerprint:
        return []
    changed = [f"input '{key}' changed" for key, value in plan.inputs.items() if found.inputs.get(key) != value]
    for key, value in plan.settings.items():
        before = found.settings.get(key)
        if before != value:
            changed.append(f"{key} was {before}, is {value}")
    if found.seed != plan.seed:
        changed.append(f"seed was {found.seed}, is {plan.seed}")
    return changed or ["made by another version"]


def _whole(run: Run, stage: str) -> Manifest | None:
    """The manifest of an artefact that is as it was written; a damaged one is told, and is no artefact any more."""
    found = run.workspace.manifest(stage)
    damage = run.workspace.damage(stage) if found else []
    if not damage:
        return found
    more = f" (and {len(damage) - 1} more)" if len(damage) > 1 else ""
    run.say(f"{stage}: {damage[0]}{more}; it is made anew")
    # A stage takes over what it can of the run before: not from files that are damaged.
    run.workspace.unstamp(stage)
    return None


def counts_by_reason(rows: Iterable[Rejected]) -> dict[str, int]:
    """How many rows were left out for each reason."""
    return dict(sorted(Counter(row.reason for row in rows).items()))


def as_json(value: Any) -> Any:  # noqa: ANN401 - any record
    """A record, with the records inside it, as plain JSON values."""
    return json.loads(json.dumps(dataclasses.asdict(value)))


def finite(value: Any) -> Any:  # noqa: ANN401 - any JSON-like value
    """The same with None for numbers that JSON has no word for: ends of an interval of which nothing is known."""
    match value:
        case dict():
            return {key: finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [finite(inner) for inner in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, default=list)
