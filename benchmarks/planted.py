"""What wrong pairs cost, and how much of it reviewers give back.

In: a workspace whose questions are made. A tenth of the language model's questions are given to a wrong chunk: to any chunk of another page, or
all to a few chunks, as when a page that says everything attracts them; in one variant reviewers, who know the truth, then reject them
through the same verdicts as in a build. Out: a table of NDCG@10 (dense, sections collapsed) on the questions of the units that are
held out, a training a variant and seed, and the share of the loss that was restored.

    python benchmarks/planted.py --workspace .dragoman --seeds 1 2 3 --out planted.jsonl
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.config import Recipe
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.ranking import dense_ranks
from dragoman.models.catalog import resolve
from dragoman.models.encoder import SentenceEncoder
from dragoman.pipeline.ingest import catalogue_of
from dragoman.records import Chunk, Question, Verdict, content_id
from dragoman.review.apply import apply_verdicts
from dragoman.tables import read_rows
from dragoman.train.finetune import finetune
from dragoman.train.rows import training_rows
from dragoman.train.split import split_chunks

CLEAN, ANYWHERE, GATHERED, REJECTED = VARIANTS = ("clean", "planted", "planted on few", "rejected")
FEW = 5


def main() -> None:
    """Train and score what is not in ``--out`` yet, and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seeds", nargs="*", type=int, default=(1, 2, 3))
    options = parser.parse_args()
    known = {(row["variant"], row["seed"], row["share"]) for row in _rows(options.out)}
    bench = Bench(options.workspace, options.share)
    for seed in options.seeds:
        for variant in VARIANTS:
            if (variant, seed, options.share) not in known:
                row = json.dumps(bench.row(variant, seed))
                with options.out.open("a", encoding="utf-8") as out:
                    out.write(row + "\n")
                print(row, file=sys.stderr, flush=True)
    _print([row for row in _rows(options.out) if row["share"] == options.share])


class Bench:
    """The chunks, the questions, and what is planted among them."""

    def __init__(self, workspace: Path, share: float) -> None:
        self._recipe = Recipe.model_validate_json((workspace / "recipe.json").read_text(encoding="utf-8"))
        self._chunks = read_rows(workspace / "ingest" / "chunks.parquet", Chunk)
        self._questions = read_rows(workspace / "synth" / "questions.parquet", Question)
        self._share = share
        self._base = resolve(self._recipe.models.embedding, say=lambda line: print(line, file=sys.stderr))

    def row(self, variant: str, seed: int) -> dict[str, Any]:
        """Train on one variant, and ask what it never saw."""
        split = split_chunks(self._chunks, self._recipe.train.folds, seed)
        held_out = {chunk.id for chunk in self._chunks if split.held_out(chunk.id) == 0}
        pool = [one for one in self._questions if one.train and not held_out.intersection(one.answers)]
        questions = self._planted(pool, held_out, seed, FEW if variant == GATHERED else 0)
        wrong = [after.id for before, after in zip(pool, questions, strict=True) if before.id != after.id]
        if variant == CLEAN:
            questions = pool
        elif variant == REJECTED:
            verdicts = [Verdict("triplets", question_id, "dropped", votes=1) for question_id in wrong]
            questions = list(apply_verdicts(verdicts, questions, self._chunks).questions)
        settings = self._recipe.train
        by_id = {chunk.id: chunk for chunk in self._chunks}
        rows = training_rows(questions, by_id, settings.structure_share, seed, without=held_out)
        with tempfile.TemporaryDirectory() as scratch:
            finetune(self._base, rows, Path(scratch) / "model", settings, seed=seed)
            values = self._asked(SentenceEncoder(Path(scratch) / "model"), held_out)
        figures = {"planted": len(wrong), "rows": len(rows), "asked": len(values), "ndcg": float(values.mean())}
        return {"variant": variant, "seed": seed, "share": self._share, **figures}

    def _planted(self, pool: Sequence[Question], held_out: set[str], seed: int, few: int) -> list[Question]:
        """The questions, a share of the language model's given to a chunk of another page; with ``few``, to one of so many."""
        written = [one for one in pool if one.kind == "llm"]
        chosen = sorted(written, key=lambda one: content_id("planted", seed, one.id))[: int(self._share * len(written))]
        chunks = {chunk.id: chunk for chunk in self._chunks if chunk.id not in held_out}
        given = sorted(chunks, key=lambda chunk_id: content_id("given", seed, chunk_id))[: few or None]
        wrong: dict[str, Question] = {}
        for one in chosen:
            page = chunks[one.chunk_id].path
            others = [chunk_id for chunk_id in given if chunks[chunk_id].path != page]
            other = min(others, key=lambda chunk_id: content_id(seed, one.id, chunk_id))
            wrong[one.id] = replace(one, id=content_id(other, one.text), chunk_id=other, also=())
        return [wrong.get(one.id, one) for one in pool]

    def _asked(self, encoder: SentenceEncoder, held_out: set[str]) -> np.ndarray[Any, Any]:
        asked = [one for one in self._questions if one.kind == "llm" and set(one.answers) <= held_out]
        passages = encoder.encode([chunk.passage for chunk in self._chunks], "passage")
        vectors = encoder.encode([one.text for one in asked], "query")
        return ndcg(dense_ranks(vectors, passages, [one.answers for one in asked], catalogue_of(self._chunks)), 10)


def _rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.exists() else []


def _print(rows: Sequence[dict[str, Any]]) -> None:
    means: dict[str, float] = {}
    print("| training questions | seeds | wrong pairs | NDCG@10, mean | by seed |")
    print("|---|---|---|---|---|")
    for variant in VARIANTS:
        own = [row for row in rows if row["variant"] == variant]
        if not own:
            continue
        means[variant] = float(np.mean([row["ndcg"] for row in own]))
        seeds = ", ".join(f"{row['ndcg']:.3f}" for row in own)
        planted = f"{np.mean([row['planted'] for row in own]):.0f}" if variant != CLEAN else "0"
        print(f"| {variant} | {len(own)} | {planted} | {means[variant]:.4f} | {seeds} |")
    for variant in filter(means.get, (ANYWHERE, GATHERED)):
        loss, back = means[CLEAN] - means[variant], means[REJECTED] - means[variant]
        print(f"\nThe pairs of '{variant}' cost {loss:+.4f}; rejecting them brought back {back:+.4f}.")


if __name__ == "__main__":
    main()
