"""The teacher of a training: a cross-encoder that ranks better than the base model, or none.

In: the rows of a training. Out: the teacher, if it may teach, and a sentence on what was found. It joins the room ``train`` to the
models, and hands it the bootstrap of ``evaluate``.
"""

from collections.abc import Sequence

import numpy as np

from dragoman.errors import UsageError
from dragoman.evaluate.compare import paired_interval
from dragoman.evaluate.ranking import dense_order
from dragoman.models.protocols import Reranker
from dragoman.models.reranker import CrossReranker
from dragoman.pipeline.context import Run
from dragoman.pipeline.encoders import base_encoder
from dragoman.pipeline.vectors import VectorCache
from dragoman.records import Triplet, content_id
from dragoman.train.teacher import teacher_check

_ASKED, _DEPTH = 200, 20  # questions that the teacher is tried on, and hits of the base that it puts in order


def find_teacher(run: Run, rows: Sequence[Triplet]) -> tuple[Reranker | None, str]:
    """Try the recipe's cross-encoder on some of the training's own questions: what is held out has no part in it.

    Args:
        run: The run; its recipe names a teacher.
        rows: The rows of the training.

    Returns:
        The teacher, None if it ranks no better than the base model; and what was found, in a sentence.

    Raises:
        UsageError: There are no hard negatives to learn from.
    """
    settings, models, seed = run.recipe.train, run.recipe.models, run.recipe.seed
    if not settings.negatives:
        hint = "Add --set train.negatives=4, or leave train.teacher empty."
        raise UsageError("a teacher, and no negatives to put in order (train.negatives is 0)", hint=hint)
    reranker = CrossReranker(settings.teacher, mirrors=models.mirrors, say=run.say)
    written = [row for row in rows if row.kind != "structure"] or list(rows)
    asked = sorted(written, key=lambda row: content_id(seed, row.question))[:_ASKED]
    home = {row.passage: row.section for row in rows}
    passages = list(home)
    cache, encoder = VectorCache(run.workspace.root / "vectors", run.reporter), base_encoder(run)
    known = cache.encode(encoder, passages, "passage", "encoding passages (base)")
    vectors = cache.encode(encoder, [row.question for row in asked], "query", "encoding questions (base)")
    order = dense_order(vectors, known, _DEPTH)
    right = [
        frozenset(place for place, found in enumerate(places) if home[passages[found]] in {row.section, *row.also})
        for row, places in zip(asked, order.tolist(), strict=True)
    ]
    with run.reporter.progress("trying the teacher", order.size) as advance:
        verdict = teacher_check(
            reranker,
            [row.question for row in asked],
            [[passages[found] for found in places] for places in order.tolist()],
            right,
            [row.section for row in asked],
            k=run.recipe.evaluate.k,
            interval=lambda first, second, units: paired_interval(
                np.asarray(first), np.asarray(second), units, rounds=run.recipe.evaluate.bootstrap, seed=seed
            ),
            advance=advance,
        )
    run.say(f"train: {verdict.line()}")
    return (reranker if verdict.teaches else None), verdict.line()
