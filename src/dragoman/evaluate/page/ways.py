"""Every way of searching with its figures, the gain over the base model as a plot.

In: the report's data. Out: HTML, empty when they hold no way.
"""

from collections.abc import Sequence

from dragoman.evaluate.page.drawing import Scale, Shape, axis, interval_mark, scale_of
from dragoman.evaluate.page.markup import Column, grid, named, note, section, swatch
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

_MOST, _MOST_OF_ALL = 60, 500
_LEGEND = (
    f'<p class="legend"><span>{swatch("tuned")}tuned model</span><span>{swatch("base")}base model, or words alone</span>'
    "<span>filled: the interval does not reach zero; hollow: it does</span></p>"
)


def ways(report: Table) -> str:
    """The best way of each model and kind with the plot of their gains, and all ways that were tried below them."""
    found, every = _best_first(report, "table")[:_MOST], _all(report)
    if not found:
        return section("ways", "Ways of searching", every) if every else ""
    k = count(report, "k") or 10
    points = [(number(row, "gain"), ends_of(row, "gain_")) for row in found]
    scale = scale_of([value for mean, ends in points for value in (mean or 0.0, *(ends or ()))], zero=True)
    served = named(table(report, "gate", "served"))
    lines = [_line(row, scale, served) for row in found]
    columns = [
        Column("way of searching", ""),
        Column("gain over base dense", "plot", axis(scale, sign=True)),
        Column("gain"),
        Column(f"NDCG@{k}"),
        Column(f"MRR@{k}"),
        Column(f"found in {k}"),
    ]
    drawn = grid("Ways of searching", columns, lines, "plots ways")
    return section("ways", "Ways of searching", _glossary(k), _LEGEND, drawn, every)


def _line(row: Table, scale: Scale, served: str) -> Sequence[str]:
    name, mean, ends = named(row) or "unnamed", number(row, "gain"), ends_of(row, "gain_")
    # Everything is compared with dense search by the base model, itself included: no gain, and no interval worth reading.
    baseline = name == "base dense"
    gain = "baseline" if baseline else f"<b>{signed(mean)}</b> <small>{interval(ends)}</small>"
    says = "baseline" if baseline else f"{signed(mean)} {interval(ends)}"
    shape: Shape = "tuned" if text(row, "model") == "tuned" else "base"
    plot = interval_mark(scale, mean, ends, shape, f"{name}: {says}") if mean is not None else ""
    badge = ' <span class="badge plain">served</span>' if name == served else ""
    inside = interval(ends_of(row, "ndcg_"), sign=False)
    score = f"<b>{plain(number(row, 'ndcg'))}</b> <small>{inside}</small>"
    return [html(name) + badge, plot, gain, score, plain(number(row, "mrr")), percent(number(row, "recall"))]


def _all(report: Table) -> str:
    """Every way that was tried, in figures only."""
    found = _best_first(report, "ways")
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


def _best_first(report: Table, key: str) -> list[Table]:
    found = [row for row in rows(report, key) if number(row, "ndcg") is not None]
    return sorted(found, key=lambda row: -(number(row, "ndcg") or 0.0))


def _glossary(k: int) -> str:
    return note(
        "<b>Dense</b> compares meaning (the embedding model), <b>words alone</b> is BM25, <b>hybrid</b> joins both; "
        "<b>question vectors</b> let known questions lead to their passages. "
        f"<b>NDCG@{k}</b> is 1 when the section that answers stands first, less the further down it is, and 0 after {k}. "
        "The best weight of each kind is shown."
    )
