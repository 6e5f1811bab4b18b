"""The post's recipe, philschmid's and ours on the same docs, the same split, the same base model.

In: our workspace, one of ``--engine distilabel`` on the same chunks (``--post``), and real questions with a scorer as in questions.py.
Out: a Markdown table on standard output; in the folder ``--out`` a row a training; what is there is not trained again (other questions, base or
defaults are kept apart; another ``--post`` needs another ``--out``).
Units are dealt to five folds once: one is for validation, one for the test, three are trained on. Each recipe trains with its own data,
loss and hyper-parameters, and keeps the epoch that is best on validation (NDCG@10, question -> passage, all dimensions), ours the epoch and
the mixture with the base as well. The hyper-parameters are those of the published notebooks (argilla-io/argilla-sdk-chatbot
train_embedding.ipynb; philschmid/deep-learning-pytorch-huggingface training/fine-tune-embedding-model-for-rag.ipynb):

- post: TripletLoss as the library has it (Euclidean, margin 5) in MatryoshkaLoss on (passage, question, written question), 3 epochs, batch
  8 x 4, 2e-5, cosine, warm-up 0.1, float32, default sampler; the pipeline's rows as it made them, filtered by nothing. Its notebook splits by
  row and picks the epoch (passage -> question, 512 dimensions) on the test set: here both would leak, and validation picks.
- philschmid: MultipleNegativesRankingLoss in MatryoshkaLoss on (question, passage), 4 epochs, batch 32 x 16, 2e-5, cosine, warm-up 0.1, no
  duplicates in a batch, bfloat16 where the machine has it; on the language model's questions of our workspace, those that the round trip
  keeps out of training included, for he filters nothing. He picks the epoch as the post does, at 128 dimensions.
- ours: the build's rows and the defaults of [train]; it alone, and the base, put before a question what the model asks for.

``--also`` adds the two peers' losses and hyper-parameters on our rows; the post's written question is then one about another section.

    python benchmarks/recipe.py --workspace .dragoman --post post/ --questions real.jsonl --corpus docs/ --scorer score.py --out recipe/
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dragoman.config import Recipe, TrainSettings
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.ranking import dense_order, dense_ranks
from dragoman.models.catalog import resolve
from dragoman.models.encoder import SentenceEncoder, unit_rows
from dragoman.models.prompts import prompts_of
from dragoman.models.protocols import Vectors
from dragoman.pipeline.ingest import catalogue_of
from dragoman.records import Chunk, Question, Triplet, content_id
from dragoman.tables import read_rows
from dragoman.train.finetune import finetune
from dragoman.train.mix import mix
from dragoman.train.rows import training_rows
from dragoman.train.split import check_disjoint, split_chunks
from dragoman.train.trainer import precision

TRAINER, TABLE = Path(__file__).parent / "peers" / "trainers.py", Path(__file__).with_name("recipe_table.py")
FOLDS, PARTS = 5, {"test": 0, "validation": 1}
SHOWN, K = 20, 10
ROWS, UNITS, NONE = "rows.jsonl", "units.json", ("", "")


@dataclass(frozen=True, slots=True)
class Peer:
    """What a published script trains with, as ``peers/trainers.py`` takes it."""

    loss: Literal["triplet", "mnrl"]
    epochs: int
    batch: int
    accumulation: int
    distinct: bool
    bf16: bool  # where the machine computes in it
    rate: float = 2e-5
    warmup: float = 0.1
    steps: int = 0  # the epochs decide


POST = Peer("triplet", epochs=3, batch=8, accumulation=4, distinct=False, bf16=False)
PHILSCHMID = Peer("mnrl", epochs=4, batch=32, accumulation=16, distinct=True, bf16=True)


@dataclass(frozen=True, slots=True)
class Variant:
    """Whose rows are trained on, and by whose script: without one by ours; without rows nothing is trained."""

    name: str
    rows: Literal["", "ours", "llm", "post"]
    peer: Peer | None = None


VARIANTS = (
    Variant("base", ""),
    Variant("ours", "ours"),
    Variant("post", "post", POST),
    Variant("philschmid", "llm", PHILSCHMID),
)
ALSO = (Variant("post on our rows", "ours", POST), Variant("philschmid on our rows", "ours", PHILSCHMID))


def main() -> None:
    """Train and score what is not in ``--out`` yet, and print the tables."""
    options = _options()
    wanted = [one for one in (*VARIANTS, *(ALSO if options.also else ())) if options.post or one.rows != "post"]
    bench = Bench(options)
    known = {(row["variant"], row["seed"]) for row in bench.done()}
    for seed in options.seeds:
        for variant in wanted:
            if (variant.name, seed) not in known:
                row = bench.row(variant, seed)
                with (bench.out / ROWS).open("a", encoding="utf-8") as out:
                    out.write(json.dumps(row) + "\n")
                say(f"{variant.name}, seed {seed}: {row['rows']} rows, {row['seconds']:.0f} s of training")
    command: list[str | Path] = [sys.executable, TABLE, bench.out, "--recipes", *(variant.name for variant in wanted)]
    if options.questions:
        command += ["--questions", options.questions, "--corpus", options.corpus, "--scorer", options.scorer]
    subprocess.run(command, check=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--workspace", "--out"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--post", "--questions", "--corpus", "--scorer"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--model", default="", help="a name of the catalog, or a folder; left out, the workspace's")
    parser.add_argument("--also", action="store_true", help="the peers' losses on our rows, too")
    parser.add_argument("--seeds", nargs="*", type=int, default=(1, 2, 3))
    parser.add_argument("--limit", type=int, default=0, help="a trial: train on so many rows at most")
    options = parser.parse_args()
    if options.questions and not (options.corpus and options.scorer):
        parser.error("--questions needs --corpus and --scorer")
    return options


class Bench:
    """The docs, the split, and what is asked. Results of other inputs or settings lie in another folder of ``--out``."""

    def __init__(self, options: argparse.Namespace) -> None:
        recipe = Recipe.model_validate_json((options.workspace / "recipe.json").read_text(encoding="utf-8"))
        models = recipe.models.model_copy(update={"embedding": options.model or recipe.models.embedding})
        self._options, self._settings, self._base = options, TrainSettings(), resolve(models.embedding, say=say)
        self._prompts = prompts_of(self._base, models)
        self._chunks = read_rows(options.workspace / "ingest" / "chunks.parquet", Chunk)
        self._questions = read_rows(options.workspace / "synth" / "questions.parquet", Question)
        self._split = split_chunks(self._chunks, FOLDS, recipe.seed)
        folds = {id_: int(content_id(recipe.seed, unit), 16) % FOLDS for id_, unit in self._split.unit_of.items()}
        self._held_out = {id_ for id_, fold in folds.items() if fold in PARTS.values()}
        self._asked = {part: self._about({id_ for id_ in folds if folds[id_] == fold}) for part, fold in PARTS.items()}
        self._real = _read(options.questions) if options.questions else []
        made_of = [*(one.id for one in self._questions), *(row["question"] for row in self._real)]
        facts = (self._settings.model_dump_json(), SentenceEncoder(self._base).fingerprint, options.limit, recipe.seed)
        self.out = options.out / content_id(*facts, *made_of)
        self.out.mkdir(parents=True, exist_ok=True)
        units = {part: [self._split.unit_of[one.chunk_id] for one in asked] for part, asked in self._asked.items()}
        (self.out / UNITS).write_text(json.dumps(units), encoding="utf-8")

    def done(self) -> list[dict[str, Any]]:
        """The rows that are there already."""
        return _read(self.out / ROWS) if (self.out / ROWS).exists() else []

    def row(self, variant: Variant, seed: int) -> dict[str, Any]:
        """Train, keep what is best on validation, score it, and throw the models away."""
        prompts = NONE if variant.peer else self._prompts
        with tempfile.TemporaryDirectory() as scratch:
            models = Path(scratch) / "models"
            facts = self._train(variant, seed, models)
            found = [(self._base, {"epoch": 0, "share": 0.0})]
            if variant.rows:
                shares = (1.0,) if variant.peer else self._settings.mixes
                found = list(self._candidates(models, shares, Path(scratch) / "mixed"))
            vectors = [self._vectors(one, prompts) for one, _ in found]
            worth = [float(np.mean(self._values(one, "validation"))) for one in vectors]
            best = int(np.argmax(worth))  # of equal ones the first, the less trained
        facts |= {"variant": variant.name, "seed": seed} | found[best][1]
        return facts | self._scored(variant, seed, vectors[best])

    def _train(self, variant: Variant, seed: int, output: Path) -> dict[str, Any]:
        rows = self._rows(variant, seed)
        check_disjoint(rows, self._held_out, self._split)
        if not rows:
            return {"rows": 0, "steps": 0, "seconds": 0.0}
        if variant.peer is None:
            done = finetune(self._base, rows, output, self._settings, seed=seed, prompts=self._prompts)
            return {"rows": len(rows), "steps": done.steps, "seconds": done.seconds}
        columns = {"anchor": [row.question for row in rows], "positive": [row.passage for row in rows]}
        if variant.peer.loss == "triplet":
            columns = {"anchor": columns["positive"], "positive": columns["anchor"]}
            columns["negative"] = [row.negatives[0] for row in rows]
        job = output.with_name("job.json")
        told = asdict(variant.peer) | {"bf16": variant.peer.bf16 and precision() == "bf16"}
        told |= {"base": str(self._base), "output": str(output), "seed": seed, "columns": columns}
        job.write_text(json.dumps(told), encoding="utf-8")
        env = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
        ran = subprocess.run([sys.executable, TRAINER, job], env=env, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(f"{variant.name} ended with {ran.returncode}:\n{ran.stderr[-3000:]}")
        took = json.loads(ran.stdout.splitlines()[-1])
        return {"rows": len(rows), "steps": took["steps"], "seconds": took["training"]}

    def _rows(self, variant: Variant, seed: int) -> list[Triplet]:
        """What a recipe trains on; the post's script reads the negative, which is another question."""
        by_id = {chunk.id: chunk for chunk in self._chunks}
        if variant.rows == "post":
            rows = [row for row in _post_rows(self._options.post, by_id) if row.chunk_id not in self._held_out]
        elif variant.rows == "llm":
            written = [one for one in self._questions if one.kind == "llm" and self._held_out.isdisjoint(one.answers)]
            rows = [_triplet(one.text, by_id[one.chunk_id]) for one in written]
        elif variant.rows == "ours":
            share, weight = self._settings.structure_share, self._settings.people_weight
            rows = training_rows(self._questions, by_id, share, seed, without=self._held_out, people_weight=weight)
            if variant.peer and variant.peer.loss == "triplet":
                rows = [replace(row, negatives=(_unrelated(row, rows, seed),)) for row in rows]
        else:
            rows = []
        rows = sorted(rows, key=lambda row: content_id(row.question, row.chunk_id)) if self._options.limit else rows
        return rows[: self._options.limit or None]

    def _candidates(
        self, models: Path, shares: Sequence[float], mixed: Path
    ) -> Iterator[tuple[Path, dict[str, float]]]:
        for folder in sorted(models.glob("epoch-*"), key=_epoch):
            for share in shares:
                model = mix(self._base, folder, share, mixed / f"{folder.name}-{share:g}") if share < 1 else folder
                yield model, {"epoch": _epoch(folder), "share": share}

    def _vectors(self, model: Path, prompts: tuple[str, str]) -> dict[str, Vectors]:
        encoder = SentenceEncoder(model, query_prompt=prompts[0], passage_prompt=prompts[1])
        texts = {part: [one.text for one in asked] for part, asked in self._asked.items()}
        texts["real"] = [row["question"] for row in self._real]
        passages = encoder.encode([chunk.passage for chunk in self._chunks], "passage")
        return {"passages": passages} | {part: encoder.encode(some, "query") for part, some in texts.items()}

    def _values(self, vectors: dict[str, Vectors], part: str) -> list[float]:
        """NDCG@10 of each question of a part."""
        answers = [one.answers for one in self._asked[part]]
        ranks = dense_ranks(vectors[part], vectors["passages"], answers, catalogue_of(self._chunks))
        return [float(value) for value in ndcg(ranks, K)]

    def _scored(self, variant: Variant, seed: int, vectors: dict[str, Vectors]) -> dict[str, Any]:
        """Values of each question at all dimensions and at a third of them; the hits for real questions go to files."""
        own = vectors["passages"].shape[1]
        values: dict[str, dict[str, list[float]]] = {part: {} for part in self._asked}
        for dims in (own, own // 3):
            cut = {part: unit_rows(rows[:, :dims]) for part, rows in vectors.items()}
            for part in self._asked:
                values[part][str(dims)] = self._values(cut, part)
            if self._real:
                order = dense_order(cut["real"], cut["passages"], SHOWN)
                lines = [
                    json.dumps({"qid": row["qid"], "hits": [_hit(self._chunks[at]) for at in found]})
                    for row, found in zip(self._real, order, strict=True)
                ]
                path = self.out / f"{variant.name.replace(' ', '-')}-{seed}-{dims}.jsonl"
                path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return {"dims": [own, own // 3]} | values

    def _about(self, part: set[str]) -> list[Question]:
        """The language model's questions whose answers all lie in a part."""
        return [one for one in self._questions if one.kind == "llm" and part.issuperset(one.answers)]


def _post_rows(workspace: Path, chunks: dict[str, Chunk]) -> list[Triplet]:
    """The pipeline's rows, nothing filtered; the passage is what is searched here, with the headings above the chunk."""
    from datasets import load_from_disk

    table = load_from_disk(str(workspace / "synth" / "distiset" / "default" / "train"))
    missing = {row["chunk_id"] for row in table} - chunks.keys()
    if missing:
        raise SystemExit(f"{len(missing)} chunks of {workspace} are not in --workspace: make both of the same docs")
    return [replace(_triplet(row["positive"], chunks[row["chunk_id"]]), negatives=(row["negative"],)) for row in table]


def _triplet(question: str, chunk: Chunk) -> Triplet:
    return Triplet(question, chunk.id, chunk.passage, chunk.section, "llm")


def _unrelated(row: Triplet, rows: Sequence[Triplet], seed: int) -> str:
    """A question about another section, in place of the one that the post's pipeline has written."""
    start = int(content_id(seed, row.question, row.chunk_id), 16)
    others = (rows[(start + step) % len(rows)] for step in range(len(rows)))
    return next(other.question for other in others if other.section not in {row.section, *row.also})


def _hit(chunk: Chunk) -> dict[str, Any]:
    return {"file": chunk.origin, "start_line": chunk.start_line, "end_line": chunk.end_line}


def _epoch(folder: Path) -> int:
    return int(folder.name.removeprefix("epoch-"))


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def say(line: str) -> None:
    """Progress goes beside the tables, not into them."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
