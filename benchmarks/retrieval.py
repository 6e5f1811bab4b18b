"""Retrieval quality of a built workspace on real questions, for base and tuned, in every mode.

In: a workspace, a file of questions, the docs folder, and a scorer that reads ``search --questions --json``
(called as ``SCORER QUESTIONS CORPUS HITS --json``). Out: a Markdown table on standard output; with ``--out`` the
rows as JSON too. Questions are people's own texts: they are read, never kept.

    python benchmarks/retrieval.py --workspace .dragoman --questions real.jsonl --corpus docs/ --scorer score.py
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

WAYS = (
    ("base", "dense", False),
    ("tuned", "dense", False),
    ("base", "lexical", False),
    ("base", "hybrid", False),
    ("tuned", "hybrid", False),
    ("base", "dense", True),
    ("tuned", "dense", True),
    ("base", "lexical", True),
    ("base", "hybrid", True),
    ("tuned", "hybrid", True),
    ("auto", "auto", True),
)
FIGURES = ("ndcg", "mrr", "hit@5", "recall", "answer@8k", "hit_lines")


def main() -> None:
    """Search, score, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--workspace", "--questions", "--corpus", "--scorer"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [_row(options, Path(folder) / "hits.jsonl", *way) for way in WAYS]
    rows = [row for row in rows if row]
    print(f"| model | search | collapsed | {' | '.join(FIGURES)} | 95% of ndcg |")
    print("|---|---|---|" + "---|" * (len(FIGURES) + 1))
    for row in rows:
        figures = " | ".join(f"{row[name]:.3f}" if name != "hit_lines" else f"{row[name]:g}" for name in FIGURES)
        low, high = row["ndcg_ci95"]
        print(f"| {row['model']} | {row['mode']} | {row['collapsed']} | {figures} | {low:.3f} to {high:.3f} |")
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _row(options: argparse.Namespace, hits: Path, model: str, mode: str, collapsed: bool) -> dict[str, Any]:  # noqa: FBT001
    """Figures of one way of searching; empty when the workspace has no such model."""
    command = [sys.executable, "-m", "dragoman", "search", "--questions", str(options.questions), "--json"]
    command += ["--workspace", str(options.workspace), "--model", model, "--mode", mode, "--top", "20"]
    command += ["--collapse" if collapsed else "--no-collapse"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        print(found.stderr.strip(), file=sys.stderr)
        return {}
    hits.write_text(found.stdout, encoding="utf-8")
    scorer = [sys.executable, str(options.scorer), str(options.questions), str(options.corpus), str(hits), "--json"]
    scored = subprocess.run(scorer, capture_output=True, text=True, check=True)
    return {"model": model, "mode": mode, "collapsed": "yes" if collapsed else "no", **json.loads(scored.stdout)}


if __name__ == "__main__":
    main()
