"""Our training beside a plain script of sentence-transformers: the same rows, the same number of optimiser steps.

In: an ingested and synthesised workspace (``--workspace``), or rows made up for speed alone (``--made N``), and a model: a name, a
folder, or random weights in the shape of bge-base-en-v1.5 (``--shape bge-base``; speed and memory are the real one's, quality means
nothing). Out: a Markdown table on standard output; with ``--out`` all figures as JSON. Each training runs in a process of its own;
every other round runs them backwards. The plain script (``peers/trainers.py``) trains as the post's does on its laptop: float32, the
model's own dropout, the library's default order of rows; loss, batch, learning rate, schedule and epochs are ours on both sides, and
both keep the model of each epoch. NDCG@10 is of the last one on the language model's questions about units that were held out
(dense search, sections collapsed). Rounds differ in their seed, so that the rounds' spread is also that of the quality.

    python benchmarks/training.py --workspace .dragoman --rounds 3 --out training.json
    python benchmarks/training.py --made 1000 --epochs 1 --shape bge-base
"""

import argparse
import json
import math
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from dragoman.config import Recipe, TrainSettings
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.ranking import dense_ranks
from dragoman.models.catalog import resolve
from dragoman.pipeline.ingest import catalogue_of
from dragoman.records import Chunk, Question, Triplet, content_id
from dragoman.tables import read_rows
from dragoman.train.batches import SectionBatches
from dragoman.train.rows import training_rows
from dragoman.train.split import check_disjoint, split_chunks

PLAIN, OURS = VARIANTS = ("plain", "ours")
TRAINER = Path(__file__).parent / "peers" / "trainers.py"
SHORTEST, LONGEST = 50, 250  # words, and about as many tokens, of a passage that is made up
WORDS = "water stone bread river table light paper green house early letter market garden silver winter music"


@dataclass(slots=True)
class Round:
    """One training: what its process says of itself, and the seconds of the whole process by the driver's clock."""

    seed: int
    training: float  # seconds in the trainer's loop
    call: float  # seconds from the libraries' being imported to the model's being kept
    process: float
    steps: int
    questions: int
    peak_mib: int
    precision: str
    ndcg: float | None
    load: float  # of the machine, afterwards


@dataclass(slots=True)
class Data:
    """What is trained on, and what is asked of the result; made-up rows ask nothing."""

    rows: list[Triplet]
    chunks: list[Chunk] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)


def main() -> None:
    """Train as often as asked, print the table."""
    options = _options()
    if options.job:
        print(json.dumps(_ours(json.loads(options.job.read_text(encoding="utf-8")))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        report = _compare(options, Path(scratch))
    print("\n".join(_table(report)))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--workspace", type=Path)
    rows.add_argument("--made", type=int, metavar="N", help="so many rows that are made up, in place of a workspace's")
    rows.add_argument("--job", type=Path, help=argparse.SUPPRESS)  # our training, in a process of its own
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="a name of the catalog, or a folder")
    parser.add_argument("--shape", choices=["bge-base"], help="random weights of that shape, the model's tokenizer")
    parser.add_argument("--epochs", type=int, default=TrainSettings().epochs)
    parser.add_argument("--batch", type=int, default=TrainSettings().batch_size)
    parser.add_argument("--steps", type=int, default=0, help="leave out rows, so that about so many steps are taken")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="also write the figures as JSON to this file")
    return parser.parse_args()


def _compare(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    base = resolve(options.model, say=say)
    if options.shape:
        base = _bge_base(base, scratch / "shape")
    settings = TrainSettings(epochs=options.epochs, batch_size=options.batch)
    data = _made(options.made) if options.made else _of_workspace(options.workspace)
    data.rows.sort(key=lambda row: content_id(row.question, row.chunk_id))
    if options.steps:
        del data.rows[max(1, options.steps // settings.epochs) * settings.batch_size :]
    report: dict[str, Any] = {
        "rows": len(data.rows),
        "asked": len(data.asked),
        "settings": {"epochs": settings.epochs, "batch": settings.batch_size, "rate": settings.learning_rate},
        "model": options.shape or options.model,
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the start",
        "base_ndcg": _quality(base, data),
    }
    say(f"{len(data.rows)} rows, {len(data.asked)} questions asked; {report['machine']}")
    rounds: dict[str, list[Round]] = {variant: [] for variant in VARIANTS}
    for turn in range(options.rounds):
        for variant in VARIANTS if turn % 2 == 0 else reversed(VARIANTS):
            took = _run(variant, base, data, settings, seed=turn + 1)
            rounds[variant].append(took)
            say(f"round {turn + 1}, {variant}: {took.training:.1f} s, {took.steps} steps; load {took.load:.1f}")
    report["rounds"] = {variant: [asdict(one) for one in found] for variant, found in rounds.items()}
    return report


def _run(variant: str, base: Path, data: Data, settings: TrainSettings, seed: int) -> Round:
    """One training in a process of its own; what it leaves is asked, then thrown away."""
    batches = SectionBatches(data.rows, settings.batch_size, seed)
    steps = len(batches) * settings.epochs
    with tempfile.TemporaryDirectory() as folder:
        output, job = Path(folder) / "models", Path(folder) / "job.json"
        told: dict[str, Any] = {"base": str(base), "output": str(output), "seed": seed}
        if variant == PLAIN:
            columns = {"anchor": [row.question for row in data.rows], "positive": [row.passage for row in data.rows]}
            told |= {"columns": columns, "loss": "mnrl", "steps": steps, "bf16": False, "distinct": False}
            told |= {"epochs": settings.epochs, "batch": settings.batch_size, "accumulation": 1}
            told |= {"rate": settings.learning_rate, "warmup": settings.warmup}
            command: list[str | Path] = [sys.executable, TRAINER, job]
            questions = _seen_by_default(len(data.rows), settings.batch_size, steps)
        else:
            told |= {"rows": [asdict(row) for row in data.rows], "settings": settings.model_dump(mode="json")}
            command = [sys.executable, __file__, "--job", job]
            questions = _seen_by_ours(batches, settings.epochs)
        job.write_text(json.dumps(told), encoding="utf-8")
        took, process = _process(command)
        last = max(output.glob("epoch-*"), key=lambda path: int(path.name.removeprefix("epoch-")))
        figures = {name: took[name] for name in ("training", "call", "steps", "peak_mib", "precision")}
        return Round(
            seed=seed,
            process=process,
            questions=questions,
            ndcg=_quality(last, data),
            load=os.getloadavg()[0],
            **figures,
        )


def _process(command: Sequence[str | Path]) -> tuple[dict[str, Any], float]:
    begun = time.monotonic()
    env = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[1]} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1])), time.monotonic() - begun


def _ours(job: dict[str, Any]) -> dict[str, Any]:
    """Our training, as the pipeline calls it; the libraries are imported before the clock runs, as in the plain script."""
    import datasets  # noqa: F401
    import sentence_transformers  # noqa: F401
    import torch  # noqa: F401

    from dragoman.train.finetune import finetune

    rows = [Triplet(**{key: _frozen(value) for key, value in row.items()}) for row in job["rows"]]
    settings = TrainSettings.model_validate(job["settings"])
    begun = time.monotonic()
    done = finetune(Path(job["base"]), rows, Path(job["output"]), settings, seed=job["seed"])
    call = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"training": done.seconds, "call": call, "steps": done.steps, "precision": done.precision, "peak_mib": peak}


def _frozen(value: Any) -> Any:  # noqa: ANN401 - JSON values
    return tuple(value) if isinstance(value, list) else value


def _seen_by_default(rows: int, batch: int, steps: int) -> int:
    """Questions in so many batches, the last one of each pass being what is left."""
    passes, more = divmod(steps, math.ceil(rows / batch))
    return passes * rows + more * batch


def _seen_by_ours(batches: SectionBatches, epochs: int) -> int:
    seen = 0
    for epoch in range(epochs):
        batches.set_epoch(epoch)
        seen += sum(map(len, batches))
    return seen


def _of_workspace(workspace: Path) -> Data:
    """Rows as in a build, and the language model's questions about the first round's held-out units."""
    recipe = Recipe.model_validate_json((workspace / "recipe.json").read_text(encoding="utf-8"))
    chunks = read_rows(workspace / "ingest" / "chunks.parquet", Chunk)
    questions = read_rows(workspace / "synth" / "questions.parquet", Question)
    split = split_chunks(chunks, recipe.train.folds, recipe.seed)
    held_out = {chunk.id for chunk in chunks if split.held_out(chunk.id) == 0}
    by_id = {chunk.id: chunk for chunk in chunks}
    rows = training_rows(questions, by_id, TrainSettings().structure_share, recipe.seed, without=held_out)
    check_disjoint(rows, held_out, split)
    asked = [one for one in questions if one.kind == "llm" and set(one.answers) <= held_out]
    return Data(rows, chunks, asked)


def _made(count: int) -> Data:
    """Rows without a meaning, each of a section of its own, of the lengths that chunks have."""
    draw, words = random.Random(0), WORDS.split()  # noqa: S311 - lengths and words, not secrets
    rows = []
    for number in range(count):
        passage = " ".join(draw.choices(words, k=draw.randint(SHORTEST, LONGEST)))
        question = f"what of part {number}: {' '.join(draw.choices(words, k=draw.randint(3, 8)))}?"
        rows.append(Triplet(question, f"{number}", f"Part {number}. {passage}", f"{number}", "llm"))
    return Data(rows)


def _quality(model: Path, data: Data) -> float | None:
    if not data.asked:
        return None
    from dragoman.models.encoder import SentenceEncoder

    encoder = SentenceEncoder(model)
    passages = encoder.encode([chunk.passage for chunk in data.chunks], "passage")
    vectors = encoder.encode([one.text for one in data.asked], "query")
    ranks = dense_ranks(vectors, passages, [one.answers for one in data.asked], catalogue_of(data.chunks))
    return float(ndcg(ranks, 10).mean())


def _bge_base(tokenizer_of: Path, folder: Path) -> Path:
    """A model of bge-base-en-v1.5's shape, its weights drawn at random: the Hub need not be in reach."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    from dragoman.models.encoder import without_bars

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(str(tokenizer_of), local_files_only=True)
    shape = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
    bert, config = folder.with_name("bert"), BertConfig(vocab_size=len(tokenizer), max_position_embeddings=512, **shape)
    with without_bars():
        BertModel(config).save_pretrained(str(bert))
        tokenizer.save_pretrained(str(bert))
        layers = [Transformer(str(bert), max_seq_length=512), Pooling(shape["hidden_size"], "cls"), Normalize()]
        SentenceTransformer(modules=layers).save_pretrained(str(folder), create_model_card=False)
    return folder


def _table(report: dict[str, Any]) -> Iterator[str]:
    """Medians of the rounds, what the one takes of the other, and what a thousand questions would take."""
    rounds = report["rounds"]
    pace = {name: median(one["questions"] / one["training"] for one in rounds[name]) for name in VARIANTS}
    yield (
        "| training | precision | steps | questions | training s (range) | steps/s | questions/s | loading, training and saving s"
        " | whole process s | peak MiB | NDCG@10 by round |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for name in VARIANTS:
        spans = [one["training"] for one in rounds[name]]
        cells = [name, rounds[name][0]["precision"]]
        cells += [f"{median(one[key] for one in rounds[name]):,.0f}" for key in ("steps", "questions")]
        cells += [f"{median(spans):.1f} ({min(spans):.1f} to {max(spans):.1f})"]
        cells += [f"{median(one['steps'] / one['training'] for one in rounds[name]):.2f}", f"{pace[name]:.1f}"]
        cells += [f"{median(one[key] for one in rounds[name]):.1f}" for key in ("call", "process")]
        cells += [f"{max(one['peak_mib'] for one in rounds[name]):,}"]
        cells += [", ".join(f"{one['ndcg']:.4f}" for one in rounds[name] if one["ndcg"] is not None) or "-"]
        yield f"| {' | '.join(cells)} |"
    yield f"\n{report['model']}, {report['rows']:,} rows; {report['machine']}."
    if report["base_ndcg"] is not None:
        yield f"The base model's NDCG@10 on the same {report['asked']} questions: {report['base_ndcg']:.4f}."
    for key in ("training", "call", "process", "peak_mib"):
        shares = [ours[key] / plain[key] for ours, plain in zip(rounds[OURS], rounds[PLAIN], strict=True)]
        yield f"ours/plain, {key}: {median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"
    for name in VARIANTS:
        yield f"1,000 questions, one epoch, {name}: {1000 / pace[name] / 60:.1f} minutes"


def say(line: str) -> None:
    """Progress goes beside the table, not into it."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
