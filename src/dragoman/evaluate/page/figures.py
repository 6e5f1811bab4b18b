"""Where the gain comes from: by vector length, by kind of question, by document.

In: the report's data. Out: HTML with plots, each part empty when its data are not there.
"""

from collections.abc import Sequence

from dragoman.evaluate.page.drawing import Point, Shape, axis, change_mark, columns_plot, scale_of
from dragoman.evaluate.page.markup import Column, grid, judged_model, named, note, section, swatch
from dragoman.evaluate.page.reading import (
    Table,
    clean,
    count,
    ends_of,
    html,
    interval,
    number,
    plain,
    rows,
    signed,
    table,
    text,
)

_COLUMNS, _LINES, _DOCUMENTS = 12, 6, 14
_LEGEND = (
    f'<p class="legend"><span>{swatch("base", filled=False)}base</span><span>{swatch("tuned")}tuned</span>'
    "<span>a solid line gained, a dashed one lost</span></p>"
)


def by_dimension(report: Table) -> str:
    """NDCG when vectors are cut to their first numbers."""
    found = [row for row in rows(report, "dims") if count(row, "dims") and number(row, "ndcg") is not None]
    dims = sorted({count(row, "dims") or 0 for row in found})[-_COLUMNS:]
    found = [row for row in found if count(row, "dims") in dims]
    models = list(dict.fromkeys(text(row, "model", 40) or "model" for row in found))[:_LINES]
    if not dims:
        return ""
    known: dict[tuple[str, int], Table] = {}
    for row in found:
        known.setdefault((text(row, "model", 40) or "model", count(row, "dims") or 0), row)
    lines: list[tuple[Shape, list[Point]]] = []
    for model in models:
        points = []
        for column, dim in enumerate(dims):
            if (model, dim) in known:
                row = known[model, dim]
                value, ends = number(row, "ndcg"), ends_of(row)
                says = f"{model}, {dim} dimensions: {plain(value)} {interval(ends, sign=False)}"
                points.append(Point(column, value or 0.0, ends, says))
        lines.append((_shape(model), points))
    cells = [[f"{dim:,}", *(_cell(known.get((model, dim))) for model in models)] for dim in reversed(dims)]
    legend = "".join(f"<span>{swatch(_shape(model))}{html(model)}</span>" for model in models)
    k = count(report, "k") or 10
    plot = columns_plot([f"{dim}" for dim in dims], lines, f"NDCG@{k} by vector length, for {', '.join(models)}")
    return section(
        "dimensions",
        "By vector length",
        note("Dense search with vectors cut to their first numbers: shorter ones cost less to keep and to search."),
        f'<p class="legend">{legend}<span>whiskers: 95% interval</span></p>',
        f'<figure class="tall">{plot}<figcaption>NDCG@{k} by dimensions of the vectors</figcaption></figure>',
        note(html(told, 500)) if (told := text(report, "dims_note", 500)) else "",
        grid("NDCG by dimensions", [Column("length", ""), *(Column(model) for model in models)], cells, "wide"),
    )


def _cell(row: Table | None) -> str:
    if row is None:
        return "–"
    ends = ends_of(row)
    inside = f" <small>{interval(ends, sign=False)}</small>" if ends else ""
    return f"{plain(number(row, 'ndcg'))}{inside}"


def _shape(model: str) -> Shape:
    return "tuned" if model == "tuned" else "base" if model == "base" else "other"


def by_kind(report: Table) -> str:
    """NDCG of dense search by kind of question."""
    found = [row for row in rows(report, "by_style") if _both(row)][:30]
    if not found:
        return ""
    words = f"Dense search alone, base against {html(judged_model(report))}. Kinds with few questions move by chance; no interval is drawn."
    return section("kinds", "By kind of question", note(words), _LEGEND, _changes("kind of question", "style", found))


def by_page(report: Table) -> str:
    """The documents whose questions moved the overall mean most."""
    part = table(report, "by_document")
    found = [row for row in rows(part, "rows") if _both(row)][:_DOCUMENTS]
    if not found:
        return ""
    found.sort(key=lambda row: (number(row, "base") or 0.0) - (number(row, "tuned") or 0.0))
    ways = [html(named(table(part, key))) for key in ("base", "tuned")]
    versus = f" From {ways[0]} to {ways[1]}." if all(named(table(part, key)) for key in ("base", "tuned")) else ""
    every = count(part, "documents") or len(found)
    words = f"The {len(found)} of {every:,} documents that moved the mean most, the largest gain first.{versus} Without intervals: take them for hints."
    return section("documents", "By document", note(words), _LEGEND, _changes("document", "document", found))


def _changes(head: str, key: str, found: Sequence[Table]) -> str:
    values = [(number(row, "base") or 0.0, number(row, "tuned") or 0.0) for row in found]
    scale = scale_of([value for pair in values for value in pair])
    lines = []
    for row, (before, after) in zip(found, values, strict=True):
        asked = count(row, "questions")
        name = text(row, key, 160) or "(not told)"
        says = f"{plain(before)} → {plain(after)}"
        plot = change_mark(scale, before, after, f"{clean(name)}: {says}, {asked or 0} questions")
        lines.append(
            [html(name), f"{asked:,}" if asked is not None else "–", plot, says, f"<b>{signed(after - before)}</b>"]
        )
    columns = [
        Column(head, ""),
        Column("questions"),
        Column("base to tuned", "plot", axis(scale)),
        Column("NDCG"),
        Column("change"),
    ]
    return grid(f"Change by {head}", columns, lines, "plots changes")


def _both(row: Table) -> bool:
    return number(row, "base") is not None and number(row, "tuned") is not None
