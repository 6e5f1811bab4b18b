"""The whole chain, and where it stands.

In: a run. Out: every artefact fresh, or a line for each stage that says whether it is and why not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from dragoman.config import Recipe
from dragoman.pipeline.checks import check
from dragoman.pipeline.context import Plan, Run, differences
from dragoman.pipeline.ingest import ingest, read_sources
from dragoman.pipeline.judging import evaluate
from dragoman.pipeline.plans import LATER_PLANS, ingest_plan
from dragoman.pipeline.served import strayed
from dragoman.pipeline.serving import index
from dragoman.pipeline.synth import synth, unfinished
from dragoman.pipeline.tuning import refit, train
from dragoman.pipeline.versions import version_labels
from dragoman.records import Manifest
from dragoman.workspace import COMMANDS, STAGES

_AROUND_MB, _MODEL_MB = (
    600,
    90,
)  # vectors and the index of the demo; a model of an epoch and round, of all-MiniLM-L6-v2's size

_STAGES: dict[str, Callable[[Run], Manifest]] = {
    "ingest": ingest,
    "synth": synth,
    "train": train,
    "evaluate": evaluate,
    "refit": refit,
    "index": index,
}


@dataclass(frozen=True, slots=True)
class StageStatus:
    """One stage's state; ``reasons`` say why it is stale, ``command`` makes it fresh."""

    stage: str
    state: Literal["fresh", "stale", "absent"]
    reasons: tuple[str, ...]
    rows: dict[str, int]
    command: str


def build(run: Run) -> dict[str, Manifest]:
    """Run every stage that is not fresh.

    Args:
        run: The run.

    Returns:
        The manifest of each stage.
    """
    check(run, STAGES)
    with run.workspace.writing(needed_mb(run.recipe)):
        return _in_order(run, STAGES)


def needed_mb(recipe: Recipe) -> int:
    """Disk space that a build takes at least, in megabytes."""
    settings = recipe.train
    rerankers = settings.folds + 1 if settings.reranker else 0
    return _AROUND_MB + _MODEL_MB * (settings.folds * settings.epochs + rerankers)


def run_stages(run: Run, *stages: str) -> Manifest:
    """Run some stages, in order, under the workspace's lock.

    Args:
        run: The run.
        stages: Names from ``STAGES``.

    Returns:
        The manifest of the last one.
    """
    check(run, stages)
    with run.workspace.writing():
        return _in_order(run, stages)[stages[-1]]


def _in_order(run: Run, stages: Sequence[str]) -> dict[str, Manifest]:
    """Run stages; the recipe is kept once the first is done, so that a mistyped source spoils no good one."""
    done: dict[str, Manifest] = {}
    for stage in stages:
        done[stage] = _STAGES[stage](run)
        if stage == "ingest":
            version_labels(run)  # a folder of two versions is told before hours of work
        run.workspace.keep_recipe(run.recipe.model_dump_json(indent=2))
    return done


def status(run: Run) -> list[StageStatus]:
    """Whether each stage's artefact is fresh, and why not.

    Args:
        run: The run.

    Returns:
        A row a stage, in order. Sources are read again, so a changed page shows.
    """
    rows = []
    for stage in STAGES:
        found = run.workspace.manifest(stage)
        if found is None:
            rows.append(StageStatus(stage, "absent", (), {}, f"dragoman {COMMANDS[stage]}"))
            continue
        # A sync renews the index alone: what was trained and judged before it may be stale.
        synced = stage == "index" and found.notes.get("synced")
        before = rows[:1] if synced else rows[-1:]
        stale = [f"'{row.stage}' before it is {row.state}" for row in before if row.state != "fresh"]
        reasons = stale or _reasons(run, stage, found)
        state: Literal["fresh", "stale"] = "stale" if reasons else "fresh"
        command = "dragoman sync" if synced else f"dragoman {COMMANDS[stage]}"
        rows.append(StageStatus(stage, state, tuple(reasons), dict(found.rows), command))
    return rows


def _reasons(run: Run, stage: str, found: Manifest) -> list[str]:
    open_requests = unfinished(found) if stage == "synth" else 0
    left = [f"{open_requests} requests failed or were over the budget"] if open_requests else []
    other = strayed(run, found) if stage == "index" else []
    return run.workspace.damage(stage) + differences(_plan(run, stage), found) + left + other


def _plan(run: Run, stage: str) -> Plan:
    if stage == "ingest":
        return ingest_plan(run, read_sources(run).content)
    return LATER_PLANS[stage](run)
