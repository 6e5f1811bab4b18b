"""Tuned models of the rounds -> the verdict, and the report that shows it.

In: a run whose training is finished. Out: the manifest of ``evaluate``, with ``report.json``, ``report.html`` and a row for each
question. It joins the rooms ``index`` (whose searches are what is compared), ``train`` and ``evaluate``.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.evaluate.asked import AskedRow
from dragoman.evaluate.compare import mean_of
from dragoman.evaluate.gate import NO_RERANKER, GateResult, RerankResult, judge, judge_rerank, refuse, shorten
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.page import by_document, report_page, wins_and_losses
from dragoman.evaluate.people import people_section
from dragoman.evaluate.places import Located
from dragoman.evaluate.ranking import dense_ranks
from dragoman.evaluate.report import as_dense, build_report, by_length, leaders, length_note
from dragoman.evaluate.shelf import span_of
from dragoman.pipeline.context import Outcome, Run, as_json, finite, need_fresh, run_stage
from dragoman.pipeline.encoders import tuned_encoder
from dragoman.pipeline.forgetting import forgotten
from dragoman.pipeline.ingest import catalogue_of
from dragoman.pipeline.origins import origins
from dragoman.pipeline.panel import hear, panel_of
from dragoman.pipeline.plans import evaluate_plan, train_plan
from dragoman.pipeline.refusing import refusal_of
from dragoman.pipeline.trial import Trial, open_trial
from dragoman.pipeline.vectors import encode_all
from dragoman.records import Chunk, Interval, Manifest, Question, Refusal, Serving, Split, content_id
from dragoman.tables import write_rows

REPORT, PAGE, ASKED = "report.json", "report.html", "asked.parquet"
# Not the same in two runs that give the same models and figures.
PASSING = ("training", "cost", "versions", "questions", "revisions", "documents", "forgetting")
_DENSE = Serving("base", "dense")


def evaluate(run: Run) -> Manifest:
    """Compare base, tuned and mixed models, in every way of searching, on questions about what was held out.

    Args:
        run: The run.

    Returns:
        The manifest; its notes hold the gate's decision.
    """
    need_fresh(run, train_plan(run))

    def work(folder: Path) -> Outcome:
        trial = open_trial(run, folder / "scratch")
        gate, forgetting = _decide(trial)
        gate, reranking = _rerank(trial, gate)
        refusal, refusing = _refuse(trial, gate.served, reranking)
        report = _report(trial, gate, reranking) | {"refusal": refusing, "forgetting": forgetting} | origins(run)
        write_rows(folder / ASKED, _rows(trial, gate, reranking), AskedRow)
        (folder / REPORT).write_text(json.dumps(finite(report), indent=2) + "\n", encoding="utf-8")
        (folder / PAGE).write_text(report_page(report), encoding="utf-8")
        shutil.rmtree(folder / "scratch", ignore_errors=True)
        lasting = {key: value for key, value in report.items() if key not in PASSING}
        rows = {"questions": len(trial.comparison.questions)}
        notes = {
            "gate": as_json(gate),
            "reranker": reranking.reranker if gate.served.rerank else "",
            "refusal": as_json(refusal) if refusal else None,
        }
        return Outcome(content_id(json.dumps(lasting, sort_keys=True)), rows, notes)

    manifest = run_stage(run, evaluate_plan(run), work)
    gate = gate_of(manifest)
    verdict = "the tuned model ships" if gate.ships else "the base model is served"
    run.say(f"evaluate: {verdict}: {gate.reason}")
    if refusal := manifest.notes["refusal"]:
        assert isinstance(refusal, dict)  # noqa: S101 - narrows the type
        threshold = Refusal(**refusal).threshold
        run.say(
            f"evaluate: questions without a hit of similarity {threshold:.2f} are refused; {PAGE} shows what that costs"
        )
    return manifest


def gate_of(manifest: Manifest) -> GateResult:
    """The gate's decision as it stands in the manifest of ``evaluate``."""
    note = manifest.notes["gate"]
    assert isinstance(note, dict)  # noqa: S101 - narrows the type
    ways = {key: Serving(**note[key]) for key in ("untuned", "tuned", "served")}
    ends = {key: Interval(**note[key]) for key in ("validation", "test")}
    return GateResult(**{**note, **ways, **ends})


def validator(
    run: Run, chunks: Sequence[Chunk], questions: Sequence[Question], split: Split, number: int
) -> Callable[[Path], float] | None:
    """What tells a training whether another epoch gains: NDCG of dense search on validation questions that its round holds out.

    Args:
        run: The run.
        chunks: All chunks.
        questions: All questions.
        split: Knows what the round holds out.
        number: The round.

    Returns:
        A function from a model's folder to its mean NDCG, weighted as the verdict is; None if no question of the round chooses.
    """
    hearing = hear(run, chunks, questions, split)
    panel = panel_of(run, hearing, split)
    chooses = panel.validation & (np.asarray(panel.folds) == number)
    asked, weights = list(compress(hearing.counted, chooses)), panel.weights[chooses]
    catalogue = catalogue_of(chunks)

    def value(folder: Path) -> float:
        encoder = tuned_encoder(run, folder)
        passages = encode_all(encoder, [chunk.passage for chunk in chunks], "passage")
        vectors = encode_all(encoder, [question.text for question in asked], "query")
        ranks = dense_ranks(vectors, passages, [question.answers for question in asked], catalogue)
        return mean_of(ndcg(ranks, run.recipe.evaluate.k), weights)

    return value if asked else None


def _decide(trial: Trial) -> tuple[GateResult, Mapping[str, Any]]:
    """The gate's decision, and what tuning cost elsewhere, which may refuse it."""
    settings, comparison, panel = trial.run.recipe.evaluate, trial.comparison, trial.panel
    scores = {
        way: ndcg(ranks, settings.k) for way, ranks in comparison.ranks.items() if _may_serve(way, comparison.questions)
    }
    gate = judge(scores, panel, few_words=any(question.kind != "person" for question in comparison.questions))
    sources = [trial.chunks[question.chunk_id].source for question in comparison.questions]
    dense = (scores[_DENSE], scores[as_dense(gate.tuned)])
    forgetting = forgotten(trial.run, gate, trial.scratch, sources, *dense, panel.units)
    if gate.ships and forgetting.get("refused"):
        gate = refuse(gate, str(forgetting["note"]))
    if settings.tolerance and gate.served.mode != "lexical":
        lengths = {dims: trial.values(trial.bench.ranks_at(gate.served, dims)) for dims in trial.lengths()}
        gate = shorten(gate, lengths, scores[gate.untuned], panel, settings.tolerance)
    return gate, forgetting


def _may_serve(way: Serving, asked: Sequence[Question]) -> bool:
    """Words alone are shown beside the others, and chosen only on what people asked (docs/decisions.md, 6 and 14)."""
    return way.mode != "lexical" or all(question.kind == "person" for question in asked)


def _rerank(trial: Trial, gate: GateResult) -> tuple[GateResult, RerankResult]:
    """Whether the served hits are put in order by a cross-encoder; without one to ask, they are not."""
    served, readers = gate.served, trial.readers
    if not readers.kinds:
        return gate, NO_RERANKER
    plain = trial.values(trial.ranks(served))
    scores = {kind: trial.values(trial.ranks(replace(served, rerank=True), kind)) for kind in readers.kinds}
    found = judge_rerank(plain, scores, trial.panel)
    trial.run.say(
        f"evaluate: hits are {'' if found.kept else 'not '}reranked by {readers.name(found.reranker)}: {found.reason}"
    )
    return replace(gate, served=replace(served, rerank=found.kept)), found


def _refuse(trial: Trial, served: Serving, reranking: RerankResult) -> tuple[Refusal | None, dict[str, Any]]:
    """When readers' questions are refused, and the report's section about it."""
    if not trial.run.recipe.chat.false_refusal:
        return None, {"note": "Nothing is refused: chat.false_refusal is 0."}
    if served.mode == "lexical":
        return None, {"note": "Nothing is refused: the scores of words alone do not tell what the docs answer."}
    return refusal_of(trial.run, trial.panel, *trial.sureness(served, reranking.reranker))


def _report(trial: Trial, gate: GateResult, reranking: RerankResult) -> dict[str, Any]:
    comparison, k = trial.comparison, trial.run.recipe.evaluate.k
    asked, kind = len(trial.hearing.questions), reranking.reranker
    hits = {way: trial.hits(way)[:asked] for way in dict.fromkeys((gate.untuned, gate.tuned, _DENSE))}
    if kind:
        again = [replace(way, rerank=True) for way in dict.fromkeys((gate.untuned, gate.tuned))]
        hits |= {way: trial.hits(way, kind)[:asked] for way in again}
        ranks = {way: trial.counted(trial.ranks(way, kind)) for way in again}
        comparison = replace(comparison, ranks={**comparison.ranks, **ranks})
    report = build_report(comparison, gate, k)
    ways = (gate.untuned, gate.tuned, k)
    first = {way: [next(iter(ids), "") for ids in compress(found, trial.hearing.counts)] for way, found in hits.items()}
    report["by_document"] = by_document(comparison, *ways, chunks_by_id=trial.chunks)
    report["changes"] = wins_and_losses(comparison, *ways, trial.chunks, first=first)
    report |= _dims(trial, gate)
    report["reranker"] = trial.readers.name(kind) if kind else ""
    report["reranking"] = as_json(reranking) if kind else {}
    if located := trial.hearing.located:
        report["people"] = _people(trial, gate, located, leaders(comparison, gate, k), hits)
    return report


def _dims(trial: Trial, gate: GateResult) -> dict[str, Any]:
    """Dense search with shorter vectors, by each model; and why vectors are as long as they are."""
    whole = as_dense(replace(gate.tuned, share=1.0))
    models = {"base": _DENSE, "tuned": whole} if whole in trial.comparison.ranks else {"base": _DENSE}
    if gate.tuned.share < 1.0:
        models["mixed"] = as_dense(gate.tuned)
    values = {
        (model, dims): trial.values(trial.bench.ranks_at(way, dims))
        for model, way in models.items()
        for dims in trial.lengths()
    }
    return {
        "dims": by_length(values, trial.panel),
        "dims_note": length_note(gate.served.dims, trial.bench.dimension, trial.run.recipe.evaluate.tolerance),
    }


def _people(
    trial: Trial,
    gate: GateResult,
    located: Located,
    ways: Sequence[Serving],
    hits: Mapping[Serving, Sequence[Sequence[str]]],
) -> dict[str, Any]:
    """The questions of the file, asked as the others, scored by the places that their answers have in the docs."""
    settings, count, asked = trial.run.recipe.evaluate, len(located.questions), len(trial.hearing.questions)
    found = {way: (hits.get(way) or trial.hits(way))[asked - count : asked] for way in ways}
    spans = {way: [[span_of(trial.chunks[chunk]) for chunk in ids] for ids in rows] for way, rows in found.items()}
    counted = trial.hearing.counts[-count:]
    section = people_section(
        located,
        spans,
        gate.untuned,
        gate.tuned,
        Path(settings.questions).name,
        settings.k,
        rounds=settings.bootstrap,
        seed=trial.run.recipe.seed,
        counted=bool(counted.any()),
    )
    unseen = int(counted.sum())
    if 0 < unseen < count:
        section["note"] = (
            f"{count - unseen} of them are about docs that the model was trained on: they have no weight in the verdict, and here "
            f"they flatter the tuned model. {unseen} had a part in the verdict."
        )
    return section | {"weighed": unseen}


def _rows(trial: Trial, gate: GateResult, reranking: RerankResult) -> list[AskedRow]:
    """A row for each question, by which runs are compared."""
    ranks, panel = trial.comparison.ranks, trial.panel
    served = trial.counted(trial.ranks(gate.served, reranking.reranker))
    columns = (*(ranks[way] for way in (_DENSE, gate.untuned, gate.tuned)), served)
    found = zip(*(column.tolist() for column in columns), strict=True)
    return [
        AskedRow(
            question.id,
            question.text,
            question.kind,
            question.style,
            trial.chunks[question.chunk_id].path,
            unit,
            float(weight),
            *places,
        )
        for question, unit, weight, places in zip(
            trial.comparison.questions, panel.units, panel.weights, found, strict=True
        )
    ]
