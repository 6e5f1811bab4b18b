"""Every way of searching with its figures, the gain over the base model as a plot.

In: the report's data, or rows of ways. Out: HTML, empty when they hold no way.
"""

from collections.abc import Sequence

from dragoman.evaluate.naming import MIXED
from dragoman.evaluate.page.drawing import Scale, axis, interval_mark, scale_of
from dragoman.evaluate.page.markup import (
    Column,
    badge,
    grid,
    named,
    note,
    row_of,
    section,
    serving_of,
    shape_of,
    swatch,
)
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
from dragoman.records import Serving

_MOST, _MOST_OF_ALL = 60, 500


def ways(report: Table) -> str:
    """The best way of each model and kind with the plot of their gains, and all ways that were tried below them."""
    found, every, k = rows(report, "table"), _all(report), count(report, "k") or 10
    drawn = compared(found, k, serving_of(table(report, "gate", "served")), "Ways of searching")
    if not drawn:
        return section("ways", "Ways of searching", every) if every else ""
    return section("ways", "Ways of searching", _glossary(report, k), drawn, every)


def compared(found: Sequence[Table], k: int, served: Serving | None, caption: str) -> str:
    """A table of ways with the plot of their gains, the best first.

    Args:
        found: A row for each way; those without NDCG are left out. ``answered`` is shown where a row has it.
        k: Hits that count.
        served: The way to mark, if it is among them, be it with longer vectors.
        caption: What the table holds.

    Returns:
        HTML with a legend; empty when no row has figures.
    """
    found = _best_first(found)[:_MOST]
    if not found:
        return ""
    points = [(number(row, "gain"), ends_of(row, "gain_")) for row in found]
    scale = scale_of([value for mean, ends in points for value in (mean or 0.0, *(ends or ()))], zero=True)
    answered = any(number(row, "answered") is not None for row in found)
    columns = [
        Column("way of searching", ""),
        Column("gain over base dense", "plot", axis(scale, sign=True)),
        Column("gain"),
        Column(f"NDCG@{k}"),
        Column(f"MRR@{k}"),
        Column(f"found in {k}"),
        *([Column("answered")] if answered else []),
    ]
    marked = row_of(found, served)
    lines = [_line(row, scale, served=row is marked)[: len(columns)] for row in found]
    return _legend(found) + grid(caption, columns, lines, "plots ways")


def _line(row: Table, scale: Scale, *, served: bool) -> Sequence[str]:
    name, mean, ends = named(row) or "unnamed", number(row, "gain"), ends_of(row, "gain_")
    # Everything is compared with dense search by the base model, itself included: no gain, and no interval worth reading.
    baseline = name == "base dense"
    gain = "baseline" if baseline else f"<b>{signed(mean)}</b> <small>{interval(ends)}</small>"
    says = "baseline" if baseline else f"{signed(mean)} {interval(ends)}"
    shape = shape_of(serving_of(row))
    plot = interval_mark(scale, mean, ends, shape, f"{name}: {says}") if mean is not None else ""
    marked = badge("served") if served else ""
    inside = interval(ends_of(row, "ndcg_"), sign=False)
    score = f"<b>{plain(number(row, 'ndcg'))}</b> <small>{inside}</small>"
    shares = [percent(number(row, key)) for key in ("recall", "answered")]
    return [html(name) + marked, plot, gain, score, plain(number(row, "mrr")), *shares]


def _legend(found: Sequence[Table]) -> str:
    mixed = f"<span>{swatch('other')}mixed</span>" if any(_is_mixed(row) for row in found) else ""
    return (
        f'<p class="legend"><span>{swatch("tuned")}tuned</span>{mixed}<span>{swatch("base")}base, or words alone</span>'
        "<span>filled: the interval does not reach zero; hollow: it does</span></p>"
    )


def _is_mixed(row: Table) -> bool:
    return shape_of(serving_of(row)) == "other"


def _all(report: Table) -> str:
    """Every way that was tried, in figures only."""
    found = _best_first(rows(report, "ways"))
    lines = [
        [
            html(named(row) or "unnamed"),
            *(plain(number(row, key)) for key in ("ndcg", "mrr")),
            percent(number(row, "recall")),
        ]
        for row in found[:_MOST_OF_ALL]
    ]
    if not lines:
        return ""
    columns = [Column("way of searching", ""), Column("NDCG"), Column("MRR"), Column("found")]
    return (
        f"<details><summary>All {len(found)} ways that were tried, at {count(report, 'k') or 10} hits</summary>"
        f"{grid('All ways that were tried', columns, lines, 'wide')}</details>"
    )


def _best_first(found: Sequence[Table]) -> list[Table]:
    known = [row for row in found if number(row, "ndcg") is not None]
    return sorted(known, key=lambda row: -(number(row, "ndcg") or 0.0))


def _glossary(report: Table, k: int) -> str:
    found = rows(report, "table")
    by = f" ({html(name)})" if (name := text(report, "reranker", 120)) else ""
    reranked = (
        f"<b>Reranked</b>: a cross-encoder{by} reads the question with each hit and puts them in a new order. "
        if by or any(row.get("rerank") is True for row in found)
        else ""
    )
    return note(
        "<b>Dense</b> compares meaning (the embedding model), <b>words alone</b> is BM25, <b>hybrid</b> joins both; "
        "<b>question vectors</b> let known questions lead to their passages. "
        f"{MIXED.replace('mixed', '<b>mixed</b>', 1) + ' ' if any(map(_is_mixed, found)) else ''}{reranked}"
        f"<b>NDCG@{k}</b> is 1 when the section that answers stands first, less the further down it is, and 0 after {k}. "
        "The best weight of each kind is shown."
    )
