"""Tuned models of the rounds -> the verdict, and the report that shows it.

In: a run whose training is finished. Out: the manifest of ``evaluate``, with ``report.json``, ``report.html`` and a row for each
question. It joins the rooms ``index`` (whose searches are what is compared), ``train`` and ``evaluate``.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.evaluate.asked import AskedRow
from dragoman.evaluate.compare import mean_of
from dragoman.evaluate.gate import GateResult, Panel, judge, refuse, shorten
from dragoman.evaluate.metrics import Ranks, Values, ndcg
from dragoman.evaluate.page import by_document, report_page, wins_and_losses
from dragoman.evaluate.people import people_section
from dragoman.evaluate.places import Located
from dragoman.evaluate.ranking import dense_ranks
from dragoman.evaluate.report import Comparison, as_dense, build_report, by_length, leaders, length_note
from dragoman.evaluate.shelf import span_of
from dragoman.pipeline.context import Outcome, Run, as_json, finite, need_fresh, run_stage
from dragoman.pipeline.encoders import tuned_encoder
from dragoman.pipeline.forgetting import forgotten
from dragoman.pipeline.ingest import catalogue_of
from dragoman.pipeline.origins import origins
from dragoman.pipeline.panel import Hearing, hear, panel_of
from dragoman.pipeline.plans import evaluate_plan, train_plan
from dragoman.pipeline.ranks import Bench, Board, known_questions
from dragoman.pipeline.reranking import open_reranker, reranked
from dragoman.pipeline.synth import load_passages, load_questions
from dragoman.pipeline.vectors import encode_all
from dragoman.records import Chunk, Interval, Manifest, Question, Serving, Split, content_id
from dragoman.tables import write_rows
from dragoman.train.losses import matryoshka_dims
from dragoman.train.split import split_chunks

REPORT, PAGE, ASKED = "report.json", "report.html", "asked.parquet"
# Not the same in two runs that give the same models and figures.
PASSING = ("training", "cost", "versions", "questions", "revisions", "documents", "forgetting")
_DENSE = Serving("base", "dense")


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything that was asked, and what every way of searching found: ``comparison`` is of the questions that count."""

    run: Run
    chunks: Mapping[str, Chunk]
    hearing: Hearing
    bench: Bench
    scratch: Path
    comparison: Comparison

    @property
    def panel(self) -> Panel:
        """The questions that count."""
        return self.comparison.panel

    def counted(self, ranks: Ranks) -> Ranks:
        """Ranks of the questions that count, of those of all that were asked."""
        return ranks[self.hearing.counts]

    def values(self, ranks: Ranks) -> Values:
        """NDCG from the ranks of all that were asked, of the questions that count."""
        return ndcg(self.counted(ranks), self.run.recipe.evaluate.k)

    def lengths(self) -> list[int]:
        """Lengths of vectors that are looked at, the full one first."""
        return list(matryoshka_dims(self.bench.dimension, self.run.recipe.train))


def evaluate(run: Run) -> Manifest:
    """Compare base, tuned and mixed models, in every way of searching, on questions about what was held out.

    Args:
        run: The run.

    Returns:
        The manifest; its notes hold the gate's decision.
    """
    need_fresh(run, train_plan(run))

    def work(folder: Path) -> Outcome:
        trial = _trial(run, folder / "scratch")
        gate, forgetting = _decide(trial)
        report = _report(trial, gate) | {"forgetting": forgetting} | origins(run)
        write_rows(folder / ASKED, _rows(trial, gate), AskedRow)
        (folder / REPORT).write_text(json.dumps(finite(report), indent=2) + "\n", encoding="utf-8")
        (folder / PAGE).write_text(report_page(report), encoding="utf-8")
        shutil.rmtree(folder / "scratch", ignore_errors=True)
        lasting = {key: value for key, value in report.items() if key not in PASSING}
        rows = {"questions": len(trial.comparison.questions)}
        return Outcome(content_id(json.dumps(lasting, sort_keys=True)), rows, {"gate": as_json(gate)})

    manifest = run_stage(run, evaluate_plan(run), work)
    gate = gate_of(manifest)
    verdict = "the tuned model ships" if gate.ships else "the base model is served"
    run.say(f"evaluate: {verdict}: {gate.reason}")
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


def _trial(run: Run, scratch: Path) -> Trial:
    chunks, questions = load_passages(run), load_questions(run)
    split = split_chunks(chunks, run.recipe.train.folds, run.recipe.seed)
    hearing = hear(run, chunks, questions, split)
    bench = Bench(run, Board(chunks, hearing.questions, hearing.rounds, known_questions(questions)), scratch)
    ranks = {way: found[hearing.counts] for way, found in bench.ranks().items()}
    panel = panel_of(run, hearing, split)
    by_id = {chunk.id: chunk for chunk in chunks}
    return Trial(run, by_id, hearing, bench, scratch, Comparison(tuple(hearing.counted), panel, ranks))


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


def _report(trial: Trial, gate: GateResult) -> dict[str, Any]:
    run, bench, comparison, k = trial.run, trial.bench, trial.comparison, trial.run.recipe.evaluate.k
    hits = {way: bench.hits(way) for way in dict.fromkeys((gate.untuned, gate.tuned, _DENSE))}
    reranker = open_reranker(run)
    if reranker:
        for way in dict.fromkeys((gate.untuned, gate.tuned)):
            found = reranked(run, reranker, trial.hearing.questions, hits[way], trial.chunks)
            hits[replace(way, rerank=True)] = found
        again = {way: trial.counted(bench.ranks_among(found)) for way, found in hits.items() if way.rerank}
        comparison = replace(comparison, ranks={**comparison.ranks, **again})
    report = build_report(comparison, gate, k)
    ways = (gate.untuned, gate.tuned, k)
    first = {way: [next(iter(ids), "") for ids in compress(found, trial.hearing.counts)] for way, found in hits.items()}
    report["by_document"] = by_document(comparison, *ways, chunks_by_id=trial.chunks)
    report["changes"] = wins_and_losses(comparison, *ways, trial.chunks, first=first)
    report |= _dims(trial, gate)
    report["reranker"] = reranker.name if reranker else ""
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
    settings, count = trial.run.recipe.evaluate, len(located.questions)
    spans = {
        way: [
            [span_of(trial.chunks[chunk]) for chunk in ids] for ids in (hits.get(way) or trial.bench.hits(way))[-count:]
        ]
        for way in ways
    }
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


def _rows(trial: Trial, gate: GateResult) -> list[AskedRow]:
    """A row for each question, by which runs are compared."""
    ranks, panel, served = trial.comparison.ranks, trial.panel, gate.served
    cut = ranks[served] if not served.dims else trial.counted(trial.bench.ranks_at(served, served.dims))
    columns = (*(ranks[way] for way in (_DENSE, gate.untuned, gate.tuned)), cut)
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
