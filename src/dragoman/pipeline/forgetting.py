"""What tuning costs on questions that have nothing to do with the docs.

In: a run and the gate's decision. Out: the report's section about it. It joins the room ``evaluate`` to the models and to general
questions from the Hub, or does with the docs' own sources where the Hub is out of reach.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dragoman.evaluate.forgetting import forgetting_report, general_scores, general_values, source_report
from dragoman.evaluate.gate import GateResult
from dragoman.evaluate.metrics import Values
from dragoman.models.nanobeir import general_names, read_general
from dragoman.models.sources import FetchError
from dragoman.pipeline.context import Run
from dragoman.pipeline.encoders import base_encoder, tuned_encoder
from dragoman.pipeline.rounds import round_folder


def forgotten(
    run: Run, gate: GateResult, scratch: Path, sources: Sequence[str], base: Values, tuned: Values, units: Sequence[str]
) -> Mapping[str, Any]:
    """What the model that validation chose has forgotten.

    Args:
        run: The run.
        gate: Knows which checkpoint and mixture was chosen.
        scratch: A folder for mixed weights.
        sources: The source of each held-out question.
        base: NDCG of each held-out question by dense search with the base model.
        tuned: The same with the tuned model.
        units: The unit of each held-out question.

    Returns:
        The report's section; empty where the recipe wants no check.

    Raises:
        UsageError: The recipe names a set of questions that there is not.
    """
    settings, seed = run.recipe.evaluate, run.recipe.seed
    names = general_names(settings.general)
    if not names:
        return {}
    dials: dict[str, int] = {"rounds": settings.bootstrap, "seed": seed}
    try:
        sets = read_general(names, say=run.say)
    except FetchError as error:
        run.say(f"evaluate: no general questions to test forgetting with: the Hub is {error}")
        return dict(source_report(sources, base, tuned, units, settings.forgetting, **dials))
    # The models of all rounds saw most of the docs; the first one speaks for them.
    folder = round_folder(run, 0, gate.tuned.epochs)
    models = (base_encoder(run), tuned_encoder(run, folder, share=gate.tuned.share, scratch=scratch))
    texts = sum(len(one.passages) + len(one.queries) for one in sets)
    with run.reporter.progress("testing what was forgotten", len(models) * texts) as advance:
        values = [[general_values(encoder, one, advance) for one in sets] for encoder in models]
    scores = [general_scores(one, *pair) for one, *pair in zip(sets, *values, strict=True)]
    return dict(forgetting_report(scores, settings.forgetting, **dials))
