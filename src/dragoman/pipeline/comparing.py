"""What two workspaces say of their evaluations, read for a comparison.

In: two folders. Out: their comparison. Nothing is built, locked or written, and no model is loaded; settings are those of the artefacts
that were evaluated, not those of a later run.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dragoman.config import Recipe
from dragoman.errors import MissingArtefact, UsageError, WorkspaceError
from dragoman.evaluate.asked import AskedRow
from dragoman.evaluate.page.reading import count, number, table, text
from dragoman.evaluate.versus import Cost, Evaluated
from dragoman.pipeline.judging import ASKED, REPORT
from dragoman.records import Manifest
from dragoman.tables import read_rows
from dragoman.workspace import RECIPE, Workspace

_MARKER = "workspace.json"
_SECTIONS = {"ingest": "chunk", "synth": "synth", "train": "train", "evaluate": "evaluate"}
_INPUTS = {"chunks": "ingest", "questions": "synth", "train": "train"}
_LONGEST = 2000  # characters of a verdict


def load_pair(first: Path, second: Path) -> tuple[Evaluated, Evaluated]:
    """Read two evaluated runs.

    Args:
        first: A workspace folder.
        second: Another one.

    Returns:
        The two runs.

    Raises:
        UsageError: Both are the same folder.
        WorkspaceError: One is no workspace, or what it holds cannot be read.
        MissingArtefact: One was not evaluated yet, or by a version that kept no ranks of questions.
    """
    if first.resolve() == second.resolve():
        raise UsageError(f"{first} and {second} are the same folder", expected="two workspaces, such as of two recipes")
    return load_evaluated(first), load_evaluated(second)


def load_evaluated(folder: Path) -> Evaluated:
    """Read what a workspace says of its evaluation; raises as ``load_pair`` does.

    Args:
        folder: The workspace.

    Returns:
        The run.
    """
    workspace = _workspace(folder)
    again = _again(folder)
    manifest = workspace.manifest("evaluate")
    if manifest is None:
        raise MissingArtefact(f"{folder} was not evaluated yet", hint=f"Run: {again}")
    if damage := workspace.damage("evaluate"):
        raise WorkspaceError(f"the evaluation in {folder} is damaged: {damage[0]}", hint=f"Run: {again}")
    path = workspace.folder("evaluate")
    if not (path / ASKED).is_file():
        happened = f"{folder} was evaluated by a version of Dragoman that kept no ranks of single questions"
        raise MissingArtefact(happened, hint=f"Run: {again} --force")
    report = _read(path / REPORT, f"{again} --force")
    k, settings = count(report, "k"), manifest.settings
    if not k:
        raise WorkspaceError(f"{path / REPORT} says no 'k'", expected="a report of an evaluation", hint=f"Run: {again}")
    manifests = {stage: workspace.manifest(stage) for stage in _SECTIONS}
    return Evaluated(
        path=str(folder),
        name=text(report, "name"),
        verdict=text(report, "verdict", _LONGEST),
        k=k,
        rounds=count(settings, "bootstrap") or Recipe().evaluate.bootstrap,
        seed=manifest.seed,
        # A question without weight has no part in the verdict, so it has none here.
        asked=tuple(row for row in read_rows(path / ASKED, AskedRow) if row.weight > 0),
        settings=_settings(_read(workspace.root / RECIPE, again), manifests),
        origins=_origins(report, manifest, manifests["ingest"]),
        cost=_cost(report),
        notes=_notes(folder, manifest, manifests),
    )


def _workspace(folder: Path) -> Workspace:
    build = f"Build one with: dragoman build docs/ --workspace {shlex.quote(str(folder))}"
    if not folder.is_dir():
        raise WorkspaceError(f"there is no folder {folder}", expected="a workspace", hint=build)
    if not (folder / _MARKER).is_file():
        below = folder / ".dragoman"
        hint = f"Did you mean {below}?" if (below / _MARKER).is_file() else build
        raise WorkspaceError(f"{folder} is no workspace", expected=f"a folder with {_MARKER}", hint=hint)
    return Workspace(folder)


def _read(path: Path, again: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"cannot read {path}: {error}", hint=f"Run: {again}") from error
    if not isinstance(found, dict):
        raise WorkspaceError(f"cannot read {path}: it holds no object", hint=f"Run: {again}")
    return found


def _settings(recipe: Mapping[str, Any], manifests: Mapping[str, Manifest | None]) -> dict[str, Any]:
    """The recipe by dotted key: what older versions did not know at its default, and what a stage was made with as it was then."""
    settings = dict(_flat(Recipe().model_dump(mode="json"))) | dict(_flat(recipe))
    for stage, section in _SECTIONS.items():
        manifest = manifests[stage]
        used = {f"{section}.{key}": value for key, value in manifest.settings.items()} if manifest else {}
        settings |= {key: value for key, value in used.items() if key in settings}
    evaluated = manifests["evaluate"]
    return settings | ({"seed": evaluated.seed} if evaluated else {})


def _flat(recipe: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in recipe.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", setting) for inner, setting in value.items())
        else:
            yield key, value


def _origins(report: Mapping[str, Any], manifest: Manifest, ingested: Manifest | None) -> dict[str, str]:
    """What went in beside the settings: the same source, or the same folder of a model, may hold something else."""
    origins = {f"revision of {source}": str(found) for source, found in table(report, "revisions").items()}
    origins["content of the docs"] = str(ingested.inputs.get("documents", "")) if ingested else ""
    origins["base model"] = str(manifest.inputs.get("model", ""))
    versions = {"dragoman": manifest.version} | dict(table(report, "versions"))
    return origins | {f"version of {name}": str(version) for name, version in versions.items()}


def _cost(report: Mapping[str, Any]) -> Cost:
    cost = table(report, "cost")
    return Cost(
        training_seconds=number(cost, "training_seconds"),
        requests=count(table(report, "questions", "rows"), "requests"),
        prompt_tokens=count(cost, "prompt_tokens"),
        answer_tokens=count(cost, "answer_tokens"),
    )


def _notes(folder: Path, manifest: Manifest, manifests: Mapping[str, Manifest | None]) -> tuple[str, ...]:
    found = {name: manifests[stage] for name, stage in _INPUTS.items()}
    newer = [_INPUTS[name] for name, made in found.items() if made is None or made.content != manifest.inputs.get(name)]
    if not newer:
        return ()
    said = f"{folder}: {' and '.join(newer)} changed since it was evaluated; its figures are older"
    return (f"{said}. Run: {_again(folder)}",)


def _again(folder: Path) -> str:
    return f"dragoman evaluate --workspace {shlex.quote(str(folder))}"
