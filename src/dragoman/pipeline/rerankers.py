"""The small cross-encoders that are tuned beside the models of the rounds, and the one on all questions that may be served.

In: a run whose questions are made. Out: a model's folder, and what its training did. It joins the room ``train`` to the base model and to
the mined negatives; whether one is served, ``evaluate`` decides.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dragoman.pipeline.context import Run, as_json
from dragoman.pipeline.ingest import base_model
from dragoman.pipeline.synth import load_negatives
from dragoman.records import Chunk, Question, Split, Triplet
from dragoman.train.reranker import planned_reranker_steps, tune_reranker
from dragoman.train.rows import training_rows
from dragoman.train.split import check_disjoint

RERANKER = "reranker"  # folder of the cross-encoder below the artefact of ``train``, and below each of its rounds


def make_reranker(
    run: Run,
    chunks: Sequence[Chunk],
    questions: Sequence[Question],
    split: Split,
    output: Path,
    label: str,
    held_out: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Tune a cross-encoder on the questions that an embedding model is tuned on; one that an interrupted run left is taken as it is.

    Args:
        run: The run.
        chunks: All chunks.
        questions: All questions.
        split: Knows the units.
        output: The model's folder.
        label: What is made, for people.
        held_out: Ids of the chunks that it will be asked about: it sees nothing of them, nor of their units.

    Returns:
        What the training did, as plain values.

    Raises:
        UsageError: There are too few questions, or the base model is behind an endpoint.
        ModelError: No cross-encoder can be made of the base model.
    """
    log = output.with_suffix(".json")
    if log.is_file() and output.is_dir():
        run.say(f"{label}: done by a run before")
        return dict(json.loads(log.read_text(encoding="utf-8")))
    settings, seed = run.recipe.train, run.recipe.seed
    rows = training_rows(
        questions,
        {chunk.id: chunk for chunk in chunks},
        settings.structure_share,
        seed,
        without=held_out,
        negatives=load_negatives(run),
        people_weight=settings.people_weight,
    )
    _check_apart(rows, chunks, held_out, split)
    with run.reporter.progress(label, planned_reranker_steps(rows, seed)) as advance:
        done = tune_reranker(base_model(run), rows, output, seed=seed, advance=advance)
    notes: dict[str, Any] = as_json(done)
    beside = log.with_suffix(".new")
    beside.write_text(json.dumps(notes), encoding="utf-8")
    beside.replace(log)
    return notes


def _check_apart(rows: Sequence[Triplet], chunks: Sequence[Chunk], held_out: frozenset[str], split: Split) -> None:
    """Assert that what is held out is neither asked about nor shown as a wrong passage."""
    check_disjoint(rows, held_out, split)
    hidden = {chunk.section for chunk in chunks if chunk.id in held_out}
    if shown := hidden.intersection(section for row in rows for section in row.wrong):
        raise AssertionError(f"{len(shown)} sections are both shown in training and held out")
