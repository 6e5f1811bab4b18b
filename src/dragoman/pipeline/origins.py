"""Where the figures of a report come from: docs, questions, training, versions, and what it all cost.

In: the finished artefacts of a run. Out: the keys of the report that say so.
"""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dragoman import __version__
from dragoman.pipeline.asking import prices
from dragoman.pipeline.context import Run
from dragoman.records import Manifest
from dragoman.synth.store import AnswerStore

_PACKAGES = ("torch", "transformers", "sentence-transformers", "lancedb", "numpy")


def origins(run: Run) -> dict[str, Any]:
    """What the report says of where its figures come from.

    Args:
        run: The run; ``ingest``, ``synth`` and ``train`` are finished.

    Returns:
        Keys of the report.
    """
    ingested, made, trained = (run.workspace.need(stage) for stage in ("ingest", "synth", "train"))
    return {
        "name": run.recipe.name,
        "base_model": run.recipe.models.embedding,
        "revisions": ingested.notes["revisions"],
        "documents": dict(ingested.rows),
        "questions": {"rows": dict(made.rows), **made.notes},
        "training": dict(trained.notes) | {"teacher": _teacher(trained.notes), "final": _final(run, trained)},
        "seed": run.recipe.seed,
        "seeds": [run.recipe.seed],
        "versions": _versions(),
        "cost": _cost(run, trained.notes),
    }


def _teacher(notes: Mapping[str, Any]) -> str:
    """What was found of the teacher in the first round; each round tries it on questions of its own."""
    said = [str(row["teacher"]) for row in notes["rounds"] if row.get("teacher")]
    return said[0] if said else ""


def _final(run: Run, trained: Manifest) -> str:
    """How the model that is served comes about, which the recipe alone does not say."""
    settings = run.recipe.train
    return settings.final if trained.rows["rounds"] > 1 and settings.method != "adapter" else "refit"


def _versions() -> dict[str, str]:
    found = {"dragoman": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cost(run: Run, trained: Mapping[str, Any]) -> dict[str, Any]:
    """Tokens of all answers that the workspace keeps, at the recipe's prices, and the time of training."""
    cost: dict[str, Any] = {"training_seconds": trained["seconds"]}
    if not run.workspace.answers.is_file():
        return cost
    with AnswerStore(run.workspace.answers) as store:
        prompt, answer = store.tokens()
    cost |= {"prompt_tokens": prompt, "answer_tokens": answer}
    money = prices(run).cost(prompt, answer)
    return cost | ({"money": round(money, 2)} if money else {})
