"""What a person sees: lines, progress with an ETA, tables.

In: records and reports. Out: text on a terminal, or plain lines in a log. It decides nothing.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from dragoman.evaluate.naming import model_name
from dragoman.models.protocols import Advance
from dragoman.pipeline.build import StageStatus
from dragoman.records import Rejected, Serving

SHOWN = 10  # rows of what was left out; the rest is counted
_HARMLESS = ("not a document", "heading without text", "nothing but markup")
_LOG_WIDTH = 120  # a log does not wrap tables at 80 columns, unless COLUMNS says how wide it is
_LOG_SECONDS = 20.0  # a log gets a line this often at most


class Screen:
    """Reports a run: progress bars on a terminal, a line now and then in a log.

    Args:
        quiet: Say nothing; for ``--json``.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.out = Console(highlight=False)
        if not self.out.is_terminal and not os.environ.get("COLUMNS", "").lstrip("0").isdigit():
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
            pace = Pace(total)
            with _bar(self.err, pace) as bar:
                task = bar.add_task(label, total=total)

                def advance(count: int) -> None:
                    pace.advance(count)
                    bar.advance(task, count)

                yield advance
        else:
            yield _Log(self, label, total).advance


class Pace:
    """How long work will still take, from what was done in the later half of the time since its start.

    What is done at once in the beginning (answers from the store) says nothing about the rest, and work may take
    seconds or minutes a step: a window that grows with the time suits both.

    Args:
        total: Steps of the work.
        clock: Tells seconds.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.done = total, 0
        self._clock, self._start = clock, clock()
        self._counts = deque([(self._start, 0)])  # when, and how many were done then
        self._lock = threading.Lock()  # a bar is drawn by a thread of its own

    def advance(self, count: int) -> None:
        """Count steps that were done just now."""
        with self._lock:
            self.done += count
            self._counts.append((self._clock(), self.done))
            self._forget()

    def left(self) -> float | None:
        """Seconds left, or None when nothing tells."""
        with self._lock:
            self._forget()
            when, before = self._counts[0]
            recent = self.done - before
            return (self._clock() - when) / recent * (self.total - self.done) if recent else None

    def _forget(self) -> None:
        """Forget what was counted in the earlier half of the time, but for how it ended."""
        half = (self._start + self._clock()) / 2
        while len(self._counts) > 1 and self._counts[1][0] <= half:
            self._counts.popleft()


class _Log:
    def __init__(self, screen: Screen, label: str, total: int) -> None:
        self._screen, self._label, self._pace = screen, label, Pace(total)
        self._said = time.monotonic()

    def advance(self, count: int) -> None:
        """Count, and say something if the last line is old."""
        self._pace.advance(count)
        now = time.monotonic()
        if now - self._said < _LOG_SECONDS or not self._pace.done:
            return
        self._said = now
        left = _left(self._pace)
        self._screen.say(f"  {self._label}: {self._pace.done}/{self._pace.total}{f', {left}' if left else ''}")


class _Left(ProgressColumn):
    """The ETA beside a bar."""

    max_refresh = 0.5

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, _task: Task) -> Text:
        """What is left, as text."""
        return Text(_left(self._pace), "progress.remaining")


def _left(pace: Pace) -> str:
    seconds = pace.left()
    return "" if seconds is None else f"about {_duration(seconds)} left"


def _bar(console: Console, pace: Pace) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Left(pace),
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
    """Base, tuned and mixed in every mode, with 95% intervals."""
    k = report["k"]
    part = report.get("people_part", 0.0)
    whose = f" (people's weigh {part:.0%} of it all)" if 0 < part < 1 else ""
    title = (
        f"{report['asked']} held-out questions{whose}, {report['units']} units; 95% intervals by bootstrap over units"
    )
    table = Table(title=title, title_justify="left", title_style="dim", box=None, pad_edge=False)
    for heading in ("model", "search", f"NDCG@{k}", "over base dense", f"MRR@{k}", f"recall@{k}"):
        table.add_column(heading, no_wrap=True)
    for row in report["table"]:
        table.add_row(
            "none" if row["mode"] == "lexical" else _model(row),
            _way(row),
            f"{row['ndcg']:.3f} [{row['ndcg_low']:.3f}, {row['ndcg_high']:.3f}]".replace("[", "\\["),
            f"{row['gain']:+.3f} [{row['gain_low']:+.3f}, {row['gain_high']:+.3f}]".replace("[", "\\["),
            f"{row['mrr']:.3f}",
            f"{row['recall']:.3f}",
        )
    return table


def people_table(people: Mapping[str, Any]) -> Table:
    """Every way of searching on the questions that people asked."""
    title = f"{people['asked']} questions of {people['file']}; 95% intervals by bootstrap over documents"
    table = Table(title=title, title_justify="left", title_style="dim", box=None, pad_edge=False)
    for heading in ("model", "search", f"NDCG@{people['k']}", "recall", "answer in 8,000 characters"):
        table.add_column(heading, no_wrap=True)
    for row in people["table"]:
        ends = [row["ndcg_low"], row["ndcg_high"]]
        inside = "" if None in ends else f" \\[{ends[0]:.3f}, {ends[1]:.3f}]"
        table.add_row(
            "none" if row["mode"] == "lexical" else _model(row),
            _way(row),
            f"{row['ndcg']:.3f}{inside}",
            f"{row['recall']:.3f}",
            f"{row['answered']:.3f}",
        )
    return table


def _model(row: Mapping[str, Any]) -> str:
    return model_name(Serving(row["model"], row["mode"], share=row.get("share", 1.0)))


def _way(row: Mapping[str, Any]) -> str:
    words = f", words {row['lexical_weight']:g}" if row["mode"] == "hybrid" else ""
    reranked = ", reranked" if row.get("rerank") else ""
    return f"{row['mode']}{words}{' + questions' if row['questions'] else ''}{reranked}"


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
