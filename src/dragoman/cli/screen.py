"""What a person sees: lines, progress with an ETA, tables.

In: records and reports. Out: text on a terminal, or plain lines in a log. It decides nothing.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from dragoman.models.protocols import Advance
from dragoman.pipeline.build import StageStatus
from dragoman.records import Answer, Hit, Rejected

SHOWN = 10  # rows of what was left out; the rest is counted
_HARMLESS = ("not a document", "heading without text", "nothing but markup")
_LOG_WIDTH = 120  # a log does not wrap tables at 80 columns
_LOG_SECONDS = 20.0  # a log gets a line this often at most


class Screen:
    """Reports a run: progress bars on a terminal, a line now and then in a log.

    Args:
        quiet: Say nothing; for ``--json``.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.out = Console(highlight=False)
        if not self.out.is_terminal:
            self.out.width = max(self.out.width, _LOG_WIDTH)
        self.err = Console(stderr=True, highlight=False)
        self._quiet = quiet

    def say(self, text: str) -> None:
        """One line, on standard error, so that what a program reads stays clean."""
        if not self._quiet:
            self.err.print(escape(text), soft_wrap=True)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        """A bar with an ETA, or plain lines when nobody watches."""
        if self._quiet:
            yield lambda _: None
        elif self.err.is_terminal:
            with _bar(self.err) as bar:
                task = bar.add_task(label, total=total)
                yield lambda count: bar.advance(task, count)
        else:
            yield _Log(self, label, total).advance


class _Log:
    def __init__(self, screen: Screen, label: str, total: int) -> None:
        self._screen, self._label, self._total = screen, label, total
        self._done, self._start = 0, time.monotonic()
        self._said = self._start

    def advance(self, count: int) -> None:
        """Count, and say something if the last line is old."""
        self._done += count
        now = time.monotonic()
        if now - self._said < _LOG_SECONDS or not self._done:
            return
        self._said = now
        left = (now - self._start) / self._done * (self._total - self._done)
        self._screen.say(f"  {self._label}: {self._done}/{self._total}, about {_duration(left)} left")


def _bar(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"  # noqa: PLR2004


def status_table(rows: Sequence[StageStatus]) -> Table:
    """Each stage, its state, and what to type."""
    table = Table("stage", "state", "holds", "why, and what to type", box=None, pad_edge=False)
    colours = {"fresh": "green", "stale": "yellow", "absent": "dim"}
    for row in rows:
        holds = ", ".join(f"{count} {name}" for name, count in row.rows.items())
        why = "" if row.state == "fresh" else "; ".join([*row.reasons, row.command])
        table.add_row(row.stage, f"[{colours[row.state]}]{row.state}[/]", escape(holds), escape(why))
    return table


def report_table(report: Mapping[str, Any]) -> Table:
    """Base and tuned in every mode, with 95% intervals."""
    k = report["k"]
    title = f"{report['asked']} held-out questions, {report['units']} units; 95% intervals by bootstrap over units"
    table = Table(title=title, title_justify="left", title_style="dim", box=None, pad_edge=False)
    for heading in ("model", "search", f"NDCG@{k}", "over base dense", f"MRR@{k}", f"recall@{k}"):
        table.add_column(heading, no_wrap=True)
    for row in report["table"]:
        table.add_row(
            "none" if row["mode"] == "lexical" else row["model"],
            _way(row),
            f"{row['ndcg']:.3f} [{row['ndcg_low']:.3f}, {row['ndcg_high']:.3f}]".replace("[", "\\["),
            f"{row['gain']:+.3f} [{row['gain_low']:+.3f}, {row['gain_high']:+.3f}]".replace("[", "\\["),
            f"{row['mrr']:.3f}",
            f"{row['recall']:.3f}",
        )
    return table


def _way(row: Mapping[str, Any]) -> str:
    words = f", words {row['lexical_weight']:g}" if row["mode"] == "hybrid" else ""
    return f"{row['mode']}{words}{' + questions' if row['questions'] else ''}"


def rejected_table(steps: Mapping[str, int], samples: Mapping[str, Sequence[str]]) -> Table:
    """What was rejected, why, and an example of each."""
    table = Table("rejected", "why", "for example", box=None, pad_edge=False)
    for reason, count in steps.items():
        example = next(iter(samples.get(reason, ())), "")
        table.add_row(str(count), reason, escape(example[:90]))
    return table


def skipped_table(rows: Sequence[Rejected]) -> Table:
    """What of the sources was left out and why, files that look like documents first; at most ``SHOWN`` rows."""
    table = Table("left out", "why", "", box=None, pad_edge=False)
    for row in sorted(rows, key=lambda row: row.reason in _HARMLESS)[:SHOWN]:
        table.add_row(escape(row.item), row.reason, escape(row.detail[:60]))
    return table


def hits_table(hits: Sequence[Hit]) -> Table:
    """Hits with rank, score, place and heading."""
    table = Table("#", "score", "where", "section", box=None, pad_edge=False)
    for hit in hits:
        chunk = hit.chunk
        place = f"{chunk.origin}:{chunk.start_line}-{chunk.end_line}"
        table.add_row(str(hit.rank), f"{hit.score:.3f}", escape(place), escape(" > ".join(chunk.trail)))
    return table


def print_sources(console: Console, answer: Answer) -> None:
    """The numbered sources of an answer, with lines and links."""
    for citation in answer.citations:
        chunk = citation.hit.chunk
        console.print(f"[bold]\\[{citation.number}][/] {escape(' > '.join(chunk.trail))}", soft_wrap=True)
        place = f"{chunk.origin}:{chunk.start_line}-{chunk.end_line}"
        console.print(f"    [dim]{escape(place)}  {escape(chunk.url)}[/]", soft_wrap=True)
    if answer.note:
        console.print(f"[dim]{escape(answer.note)}[/]", soft_wrap=True)


def as_markdown(text: str) -> Markdown:
    """An answer as rich Markdown; links are shown, never fetched."""
    return Markdown(text, hyperlinks=False)


def hit_row(hit: Hit) -> dict[str, Any]:
    """A hit as a program reads it: 1-based inclusive lines, file relative to the docs folder."""
    chunk = hit.chunk
    return {
        "source": chunk.source,
        "file": chunk.origin,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "chunk_id": chunk.id,
        "score": round(hit.score, 6),
        "url": chunk.url,
    }
