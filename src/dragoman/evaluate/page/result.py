"""The top of the page: what was decided, by how much, and what is served.

In: the report's data. Out: HTML. Each part is empty when its data are not there.
"""

from collections.abc import Callable, Sequence
from html import escape

from dragoman.evaluate.naming import MIXED
from dragoman.evaluate.page.drawing import axis, interval_mark, scale_of
from dragoman.evaluate.page.markup import Column, facts, grid, named, note, row_of, serving_of, shape_of
from dragoman.evaluate.page.reading import (
    Table,
    count,
    ends_of,
    html,
    interval,
    number,
    percent,
    plain,
    rows,
    signed,
    table,
    text,
)

_VERSUS, _WHOLE = ", untuned → served", ", with whole vectors"


def headline(report: Table) -> str:
    """The verdict in one sentence with its interval; no HTML."""
    gate = table(report, "gate")
    gain = table(gate, "validation")
    if number(gain, "mean") is None:
        return text(report, "verdict") or "This report holds no verdict."
    # No line is broken inside an interval.
    within = interval(ends_of(gain)).replace(" ", "\N{NO-BREAK SPACE}")
    moved, metric = signed(number(gain, "mean")), _metric(report)
    if gate.get("ships") is True:
        return f"The tuned model ships: {moved}\N{NO-BREAK SPACE}{metric} {within} on {_asked(gate)}."
    return f"The base model is served: tuning changed {metric} by {moved} {within} on {_asked(gate)}."


def verdict(report: Table) -> str:
    """The verdict as the head of the page, with the reason, and the two intervals that decided."""
    gate = table(report, "gate")
    badge = ""
    if isinstance(gate.get("ships"), bool):
        kind, word = ("ships", "✓ Ships") if gate["ships"] else ("refused", "✕ Not shipped")
        badge = f'<span class="badge {kind}">{word}</span>'
    name = text(report, "name", 80)
    about = f"Did tuning help to search {html(name)}?" if name else "Did tuning help?"
    parts = [f'<p class="eyebrow"><span>{about}</span> {badge}</p><h1>{escape(headline(report))}</h1>']
    if reason := text(gate, "reason"):
        ways = [html(named(table(gate, key))) for key in ("tuned", "untuned")]
        versus = f" Compared: {ways[0]}, against {ways[1]}, the best way of each model." if all(ways) else ""
        first = html(reason[:1].upper() + reason[1:])
        mixed = f" {MIXED}" if shape_of(serving_of(table(gate, "tuned"))) == "other" else ""
        told = f" {html(said)}" if (said := text(report, "words_note")) else ""
        parts.append(f'<p class="lead">{first}.{versus}{mixed}{told}</p>')
    return f"<header>{''.join(parts)}{_decided(report)}{served(report)}</header>"


def _decided(report: Table) -> str:
    """Validation and test, each with its interval."""
    gate = table(report, "gate")
    parts = [(name, table(gate, name)) for name in ("validation", "test")]
    read = [(name, mean, ends_of(part)) for name, part in parts if (mean := number(part, "mean")) is not None]
    if not read:
        return ""
    scale = scale_of([value for _, mean, ends in read for value in (mean, *(ends or ()))], zero=True)
    lines = []
    for name, mean, ends in read:
        says = f"{signed(mean)} {interval(ends)}"
        plot = interval_mark(scale, mean, ends, "tuned", f"{name}: {says}")
        lines.append([name, plot, f"<b>{signed(mean)}</b> {says.removeprefix(signed(mean))}"])
    columns = [Column("", ""), Column("gain", "plot", axis(scale, sign=True)), Column(f"gain in {_metric(report)}")]
    units = count(report, "units")
    drawn = f"bootstrap over {units:,} documents or sections of them" if units else "bootstrap"
    words = f"In brackets and as whiskers: the 95% interval ({drawn}). The line at zero is no gain at all. "
    words += "Validation chooses what is served; the test only withdraws."
    return grid("The gain that decided", columns, lines, "plots decided") + note(words)


def served(report: Table) -> str:
    """What readers get, in a few figures."""
    gate, k = table(report, "gate"), count(report, "k") or 10
    before, after = (serving_of(table(gate, key)) for key in ("untuned", "served"))
    way = named(table(gate, "served"))

    def moved(found: Sequence[Table], key: str, write: Callable[[float | None], str]) -> tuple[str, str]:
        """What the figure is of, and the figure."""
        old, new = (number(row_of(found, serving), key) for serving in (before, after))
        if new is None:
            return "", ""
        whole = _WHOLE if after and after.dims and not row_of(found, after, exact=True) else ""
        if old is None or way == named(table(gate, "untuned")):
            return whole, write(new)
        return _VERSUS + whole, f"{write(old)} → {write(new)}"

    ways, peoples = rows(report, "ways"), rows(report, "people", "table")
    scored, found, real = moved(ways, "ndcg", plain), moved(ways, "recall", percent), moved(peoples, "ndcg", plain)
    asked, units, people = count(report, "asked"), count(report, "units"), count(table(report, "people"), "asked")
    return facts(
        [
            ("Served now", html(way) if way else ""),
            (f"{_metric(report)}{scored[0]}", scored[1]),
            (f"NDCG, {f'{people:,} ' if people else ''}questions that people asked{real[0]}", real[1]),
            (f"Found among the first {k}{found[0]}", found[1]),
            ("Asked", f"{asked:,} questions" + (f" on {units:,} parts of the docs" if units else "") if asked else ""),
        ]
    )


def _metric(report: Table) -> str:
    return f"NDCG@{count(report, 'k') or 10}"


def _asked(gate: Table) -> str:
    asked = count(gate, "questions")
    return f"{asked:,} held-out questions" if asked else "the held-out questions"
