"""The tables of recipe.py, from the rows and the hits that it left in a folder.

In: that folder and, for the real questions, the scorer that questions.py describes. Out: Markdown on standard output: what each
training took and what validation chose, then NDCG@10 with 95% intervals and paired differences from ours, at all dimensions and at a third of
them. Intervals are by bootstrap over units for made questions, and the scorer's own, by question, for real ones.

    python benchmarks/recipe_table.py recipe/FOLDER --questions real.jsonl --corpus docs/ --scorer score.py
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.evaluate.compare import mean_interval, paired_interval
from dragoman.evaluate.metrics import Values

OURS, REAL, ROUNDS = "ours", "real", 2000


def main() -> None:
    """Read the command line, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name in ("--questions", "--corpus", "--scorer"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--recipes", nargs="*", help="only these; left out, all")
    options = parser.parse_args()
    rows = [
        json.loads(line) for line in (options.folder / "rows.jsonl").read_text(encoding="utf-8").split("\n") if line
    ]
    rows = [row for row in rows if not options.recipes or row["variant"] in options.recipes]
    print("\n".join([*_trainings(rows), "", *_scores(options, rows)]))


def _trainings(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line a training: what it took, and what validation chose."""
    yield "| recipe | seed | rows | steps | seconds | epoch chosen | share of the tuned weights | NDCG@10 on validation |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        if row["rows"]:
            cells = [row["variant"], row["seed"], f"{row['rows']:,}", row["steps"], f"{row['seconds']:.0f}"]
            cells += [row["epoch"], f"{row['share']:g}", f"{np.mean(row['validation'][str(row['dims'][0])]):.4f}"]
            yield _line(cells)


def _scores(options: argparse.Namespace, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line for each set of questions, length of vectors, recipe and seed; the seeds' mean where there are several."""
    yield "| questions | dimensions | recipe | seed | NDCG@10 | 95% | less ours, paired | 95% |"
    yield "|---|---|---|---|---|---|---|---|"
    units = json.loads((options.folder / "units.json").read_text(encoding="utf-8"))
    recipes = list(dict.fromkeys(row["variant"] for row in rows))
    for part in [*units, *([REAL] if options.questions else [])]:
        for dims in rows[0]["dims"]:
            for name in recipes:
                seeds = [row["seed"] for row in rows if row["variant"] == name]
                if part == REAL:
                    lines = _real(options, name, seeds, dims)
                else:
                    own, ours = (_values(rows, one, seeds, part, dims) for one in (name, OURS))
                    lines = _made(seeds, own, ours, units[part])
                yield from (_line([part, dims, name, *cells]) for cells in lines)


def _values(rows: Sequence[dict[str, Any]], name: str, seeds: Sequence[int], part: str, dims: int) -> list[Values]:
    found = {row["seed"]: np.array(row[part][str(dims)]) for row in rows if row["variant"] == name}
    return [found[seed] for seed in seeds]


def _made(
    seeds: Sequence[int], own: Sequence[Values], ours: Sequence[Values], units: Sequence[str]
) -> Iterator[list[str]]:
    """Intervals by a bootstrap over units; of the seeds' mean, each question's mean over the seeds is taken first."""
    places: list[tuple[str, Values, Values]] = list(zip(map(str, seeds), own, ours, strict=True))
    if len(seeds) > 1:
        places.append(("mean", np.mean(own, axis=0), np.mean(ours, axis=0)))
    for seed, values, others in places:
        mean = mean_interval(values, units, rounds=ROUNDS, seed=0)
        less = paired_interval(values, others, units, rounds=ROUNDS, seed=0)
        yield [
            seed,
            f"{mean.mean:.4f}",
            _ends((mean.low, mean.high)),
            f"{less.mean:+.4f}",
            _ends((less.low, less.high), "+"),
        ]


def _real(options: argparse.Namespace, name: str, seeds: Sequence[int], dims: int) -> Iterator[list[str]]:
    """Intervals by question, from the scorer, which knows one seed at a time: the mean of the seeds has none."""
    found = [_score(options, name, seed, dims) for seed in seeds]
    for seed, one in zip(seeds, found, strict=True):
        less = [f"{one['ndcg_difference']:+.4f}", _ends(one["ndcg_difference_ci95"], "+")]
        yield [str(seed), f"{one['ndcg']:.4f}", _ends(one["ndcg_ci95"]), *less]
    if len(found) > 1:
        means = [float(np.mean([one[key] for one in found])) for key in ("ndcg", "ndcg_difference")]
        yield ["mean", f"{means[0]:.4f}", "-", f"{means[1]:+.4f}", "-"]


def _score(options: argparse.Namespace, name: str, seed: int, dims: int) -> dict[str, Any]:
    own, ours = (options.folder / f"{one.replace(' ', '-')}-{seed}-{dims}.jsonl" for one in (name, OURS))
    command = [sys.executable, options.scorer, options.questions, options.corpus, own, "--against", ours, "--json"]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def _ends(ends: Sequence[float], sign: str = "") -> str:
    low, high = ends
    return f"{low:{sign}.4f} to {high:{sign}.4f}"


def _line(cells: Iterable[Any]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    main()
