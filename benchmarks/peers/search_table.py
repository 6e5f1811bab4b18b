"""The tables of search.py, from the figures that it wrote, also of a run that is not through yet.

In: the file of ``search.py --json``. Out: Markdown on standard output, a table a size, and what each peer takes of ours.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OURS = "dragoman"


def main() -> None:
    """Read, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    report = json.loads(parser.parse_args().figures.read_text(encoding="utf-8"))
    for size in report["sizes"]:
        print("\n".join([*_table(size, report["top"]), ""]))
    print(f"{report['machine']}; load {report['load_before']:.1f} at the start.")
    print(
        f"Milliseconds are from a question's text to its {report['top']} ranked hits, all rounds together (least to most of a round)."
    )


def _table(size: dict[str, Any], top: int) -> Iterator[str]:
    given = "ready vectors" if size["shared_vectors"] else "texts"
    corpus = f"{size['chunks']:,} chunks, {size['real']:,} of them real, the others copies with edits"
    yield f"{corpus}; {size['tokens_mean']} tokens each; {size['questions']} questions\n"
    yield f"| system | p50 ms | p95 ms | build from {given}, chunks/s | peak MB | recall@{top} of exact | load | |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in size["rows"]:
        cells = [f"{row['system']} ({row['version']})", *(_span(row, part) for part in (50, 95))]
        cells += [f"{row['chunks_per_second']:,.0f}" if row["build"] else "-", f"{row['peak_mb']:,}"]
        cells += ["-" if row["recall"] is None else f"{row['recall']:.3f}"]
        cells += [f"{min(row['loads']):.1f} to {max(row['loads']):.1f}" if row["loads"] else "-", row["failure"]]
        yield f"| {' | '.join(cells)} |"
    yield from _beside_ours(size["rows"])


def _span(row: dict[str, Any], part: int) -> str:
    rounds = row[f"p{part}_ms_rounds"]
    return f"{row[f'p{part}_ms']:.1f} ({min(rounds):.1f} to {max(rounds):.1f})" if rounds else "-"


def _beside_ours(rows: list[dict[str, Any]]) -> Iterator[str]:
    ours = next((row for row in rows if row["system"] == OURS and row["p95_ms"]), None)
    for row in rows:
        if ours and row["system"] != OURS and row["p95_ms"]:
            slower, faster = row["p95_ms"] / ours["p95_ms"], ours["chunks_per_second"] / row["chunks_per_second"]
            yield f"\n{row['system']}: its p95 is {slower:.2f} times ours; we build {faster:.2f} times as many chunks a second"


if __name__ == "__main__":
    main()
