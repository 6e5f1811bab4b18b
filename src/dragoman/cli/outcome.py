"""What a finished run shows: the figures, the verdict, what was left out and why.

In: a run whose stages are made. Out: tables and lines on a terminal. It makes nothing.
"""

import json
from pathlib import Path
from typing import Any

from dragoman.cli.screen import SHOWN, Screen, people_table, rejected_table, report_table, skipped_table
from dragoman.pipeline.context import Run


def report_file(run: Run) -> Path:
    """The report of the last evaluation, as data."""
    from dragoman.pipeline.judging import REPORT

    return run.workspace.folder("evaluate") / REPORT


def print_report(run: Run) -> None:
    """Every way of searching with its figures, the verdict, and where the report lies."""
    out = Screen().out
    report = json.loads(report_file(run).read_text(encoding="utf-8"))
    out.print()
    out.print(report_table(report))
    if report.get("people", {}).get("table"):
        out.print()
        out.print(people_table(report["people"]))
    out.print(f"\n{report['verdict']}", markup=False, soft_wrap=True)
    print_rejected(run)
    print_verdicts(run)
    page = report_file(run).with_suffix(".html")
    out.print(f"\nReport, as a page: {page} (its data: {report_file(run).name})", markup=False, soft_wrap=True)


def print_verdicts(run: Run) -> None:
    """How many verdicts of reviewers the questions rest on."""
    counts: Any = run.workspace.need("synth").notes.get("verdicts")
    if counts:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        Screen().out.print(f"\nVerdicts of reviewers: {told}", markup=False, soft_wrap=True)


def print_skipped(run: Run) -> None:
    """What of the sources was left out."""
    from dragoman.pipeline.ingest import REJECTED
    from dragoman.records import Rejected
    from dragoman.tables import read_rows

    path = run.workspace.folder("ingest") / REJECTED
    rows = read_rows(path, Rejected)
    if rows:
        out = Screen().out
        out.print()
        out.print(skipped_table(rows))
        more = f"and {len(rows) - SHOWN} more; " if len(rows) > SHOWN else ""
        out.print(f"{more}the whole list: {path}", markup=False, soft_wrap=True)


def print_rejected(run: Run) -> None:
    """What the funnel took out, by reason."""
    notes: Any = run.workspace.need("synth").notes
    if notes["steps"]:
        out = Screen().out
        out.print()
        out.print(rejected_table(notes["steps"], notes["samples"]))
