"""What can be told of a recipe before hours of work: settings that the models or files at hand cannot serve.

In: a run. Out: nothing, or the error that would come late. It builds nothing.
"""

from collections.abc import Collection
from pathlib import Path

from dragoman.errors import UsageError
from dragoman.evaluate.real import read_real_questions
from dragoman.models.nanobeir import general_names
from dragoman.models.reranker import obtain_reranker
from dragoman.pipeline.context import Run
from dragoman.train.trackers import build_trackers


def check(run: Run, stages: Collection[str]) -> None:
    """Refuse a recipe that a later stage would refuse.

    Args:
        run: The run.
        stages: What will be made.

    Raises:
        DragomanError: A setting of those stages cannot be served.
    """
    train, evaluate, models = run.recipe.train, run.recipe.evaluate, run.recipe.models
    if "train" in stages:
        _check_method(run)
        build_trackers(train.report_to)
        if train.teacher:
            obtain_reranker(train.teacher, mirrors=models.mirrors, say=run.say)
    if "evaluate" in stages:
        general_names(evaluate.general)
        if evaluate.questions:
            read_real_questions(Path(evaluate.questions))
        if models.reranker:
            obtain_reranker(models.reranker, mirrors=models.mirrors, say=run.say)


def _check_method(run: Run) -> None:
    train, models = run.recipe.train, run.recipe.models
    if models.embedding_url and train.method != "adapter":
        happened = f"{models.embedding} is at {models.embedding_url}: its weights are not here to be tuned"
        raise UsageError(happened, hint="Tune a map of its vectors: --set train.method=adapter")
    if train.method == "adapter":
        for key, value in (("teacher", train.teacher), ("patience", train.patience), ("report_to", train.report_to)):
            if value:
                raise UsageError(f"train.{key} with an adapter, which knows none", hint=f"Leave train.{key} out.")
    if train.teacher and not train.negatives:
        hint = "Add --set train.negatives=4, or leave train.teacher out."
        raise UsageError("a teacher, and no negatives to put in order (train.negatives is 0)", hint=hint)
