"""What each source of questions, each step of the funnel and each hard negative is worth on real questions.

In: an ingested workspace whose language model has answered (and, with ``--post``, one of the engine distilabel on the same
chunks), real questions, the docs folder, and a scorer as in retrieval.py, asked with ``--against`` for paired intervals. Out: a
Markdown table on standard output; in the folder ``--out`` each variant's hits and row, and one that is there already is not trained again.
Every variant is one training on all documents from the same base; the real questions take part in nothing but the score.

    python benchmarks/questions.py --workspace .dragoman --questions real.jsonl --corpus docs/ --scorer score.py
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.config import Recipe
from dragoman.models.encoder import SentenceEncoder
from dragoman.pipeline.context import Run
from dragoman.pipeline.ingest import base_model
from dragoman.pipeline.synth import load_negatives, load_passages, load_questions, synth
from dragoman.records import Chunk, Question
from dragoman.train.finetune import finetune
from dragoman.train.rows import training_rows
from dragoman.workspace import Workspace

SHOWN = 20
ROWS = "rows.jsonl"
STEPS = ("length", "alone", "leak", "duplicate", "round trip", "near")


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to get questions: whose they are, and what differs from the recipe."""

    name: str
    kinds: tuple[str, ...] = ("structure", "llm")
    post: bool = False
    synth: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant("default"),
    Variant("structure alone", ("structure",)),
    Variant("LLM alone", ("llm",)),
    Variant("post alone", (), post=True),
    Variant("structure + post", ("structure",), post=True),
    Variant("structure + LLM + post", post=True),
    *(Variant(f"without '{step}'", synth={"skip": (step,)}) for step in STEPS),
    Variant("without any step", synth={"skip": STEPS}),
    *(Variant(f"hard negatives: {count}", train={"negatives": count}) for count in (1, 4)),
    *(Variant(f"structure: {share:g} of the LLM's", train={"structure_share": share}) for share in (0.3, 2.0)),
)


class Quiet:
    """A reporter that tells nothing: rows are what is told here."""

    def say(self, text: str) -> None:
        """Nothing."""

    @contextmanager
    def progress(self, _label: str, _total: int) -> Iterator[Any]:
        """Nothing."""
        yield lambda _count: None


def main() -> None:
    """Train and score what is not in ``--out`` yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--workspace", "--questions", "--corpus", "--scorer", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--post", type=Path)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--seeds", nargs="*", type=int, default=(13,))
    options = parser.parse_args()
    wanted = [
        one for one in VARIANTS if (not options.only or one.name in options.only) and (options.post or not one.post)
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    known = {(row["variant"], row["seed"]) for row in _rows(options.out)}
    left = [(variant, seed) for seed in options.seeds for variant in wanted if (variant.name, seed) not in known]
    if left:
        with tempfile.TemporaryDirectory() as scratch:
            bench = Bench(options, Path(scratch))
            for variant, seed in left:
                row = json.dumps(bench.row(variant, seed))
                with (options.out / ROWS).open("a", encoding="utf-8") as out:
                    out.write(row + "\n")
                print(row, file=sys.stderr, flush=True)
    _print(options, _rows(options.out))


class Bench:
    """The workspaces in scratch copies, and the base model's hits, against which all is set."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self._options, self._scratch = options, scratch
        self._runs = {"llm": self._copy(options.workspace, "llm")}
        synth(self._runs["llm"])
        if options.post:
            self._runs["post"] = self._copy(options.post, "post")
        run = self._runs["llm"]
        self._recipe, self._base = run.recipe, base_model(run)
        self._asked = [json.loads(line) for line in options.questions.read_text(encoding="utf-8").splitlines() if line]
        self._chunks = load_passages(run)
        self._hits(self._base, _hits_of(options.out, "base", 0))

    def row(self, variant: Variant, seed: int) -> dict[str, Any]:
        """Train one variant and score it."""
        questions, negatives = self._questions(variant)
        recipe = self._recipe
        settings = recipe.train.model_copy(update=variant.train)
        by_id = {chunk.id: chunk for chunk in self._chunks}
        hard = {key: ids[: settings.negatives] for key, ids in negatives.items()}
        rows = training_rows(questions, by_id, settings.structure_share, seed, negatives=hard)
        model = self._scratch / "model"
        finetune(self._base, rows, model, settings, seed=seed)
        self._hits(model, _hits_of(self._options.out, variant.name, seed))
        return {"variant": variant.name, "seed": seed, "rows": len(rows)}

    def _questions(self, variant: Variant) -> tuple[list[Question], dict[str, tuple[str, ...]]]:
        made, negatives = self._made("llm", variant)
        questions = [question for question in made if question.kind in variant.kinds]
        if variant.post:
            more, hard = self._made("post", variant)
            known = {question.id for question in questions}
            questions += [one for one in more if one.kind == "llm" and one.id not in known]
            negatives = {**hard, **negatives}
        return questions, negatives

    def _made(self, source: str, variant: Variant) -> tuple[list[Question], dict[str, tuple[str, ...]]]:
        run = self._runs[source]
        if source == "llm":  # the post's are taken as they were made: they would need distilabel here
            settings = run.recipe.synth.model_copy(update=variant.synth)
            run = Run(run.recipe.model_copy(update={"synth": settings}), run.workspace, Quiet())
            synth(run)
        return load_questions(run), load_negatives(run)

    def _copy(self, workspace: Path, name: str) -> Run:
        folder = self._scratch / name
        ignored = shutil.ignore_patterns("train", "refit", "index", "evaluate", "lock", "*.part")
        shutil.copytree(workspace, folder, ignore=ignored)
        recipe = Recipe.model_validate_json((folder / "recipe.json").read_text(encoding="utf-8"))
        return Run(recipe, Workspace(folder), Quiet())

    def _hits(self, model: Path, path: Path) -> None:
        encoder = SentenceEncoder(model)
        passages = encoder.encode([chunk.passage for chunk in self._chunks], "passage")
        asked = encoder.encode([row["question"] for row in self._asked], "query")
        lines = [
            json.dumps({"qid": row["qid"], "hits": _best(self._chunks, scores)})
            for row, scores in zip(self._asked, asked @ passages.T, strict=True)
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _best(chunks: Sequence[Chunk], scores: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """The best hits of dense search, one a chunk: nothing collapsed, nothing mixed in."""
    order = np.argsort(-scores, kind="stable")[:SHOWN]
    return [
        {"file": chunks[at].origin, "start_line": chunks[at].start_line, "end_line": chunks[at].end_line}
        for at in order
    ]


def _hits_of(out: Path, variant: str, seed: int) -> Path:
    return out / f"{variant.replace(' ', '-').replace(':', '').replace(chr(39), '')}-{seed}.jsonl"


def _rows(out: Path) -> list[dict[str, Any]]:
    path = out / ROWS
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _score(options: argparse.Namespace, hits: Path, against: Path) -> dict[str, Any]:
    command = [sys.executable, options.scorer, options.questions, options.corpus, hits, "--against", against, "--json"]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def _print(options: argparse.Namespace, rows: Sequence[dict[str, Any]]) -> None:
    """Every row against the untuned base, and against the default of the same seed."""
    print(
        "| questions | seed | rows | ndcg | 95% | over the base, paired | over the default, paired | recall | answer@8k |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        hits = _hits_of(options.out, row["variant"], row["seed"])
        base = _score(options, hits, _hits_of(options.out, "base", 0))
        default = _score(options, hits, _hits_of(options.out, "default", row["seed"]))
        low, high = base["ndcg_ci95"]
        cells = [row["variant"], row["seed"], f"{row['rows']:,}", f"{base['ndcg']:.3f}", f"{low:.3f} to {high:.3f}"]
        cells += [_difference(base), _difference(default), f"{base['recall']:.3f}", f"{base['answer@8k']:.3f}"]
        print(f"| {' | '.join(str(cell) for cell in cells)} |")


def _difference(scored: dict[str, Any]) -> str:
    low, high = scored["ndcg_difference_ci95"]
    return f"{scored['ndcg_difference']:+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
