"""Which training validation chose: how long, and how much of it is mixed with the base.

In: the report's data. Out: HTML with a plot, empty when nothing was chosen between.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from dragoman.evaluate.naming import epochs_name, model_name, way_name
from dragoman.evaluate.page.drawing import Scale, axis, pair_mark, scale_of
from dragoman.evaluate.page.markup import Column, badge, grid, note, section, serving_of, shape_of, swatch
from dragoman.evaluate.page.reading import Table, clean, count, html, number, plain, rows, table
from dragoman.records import ModelChoice, Serving

_MOST = 40
_LAST = 10**9  # all epochs come after any number of them


def choice(report: Table) -> str:
    """NDCG of dense search and of the best way, for each length of training and each share, beside the base's."""
    tried = [row for row in rows(report, "choice", "rows") if _ends(row)][:_MOST]
    if not tried:
        return ""
    tried.sort(key=lambda row: (_serving(row).epochs or _LAST, _serving(row).share))
    base = next((row for row in tried if _is_base(row)), None)
    found = [*([base] if base else []), *(row for row in tried if not _is_base(row))]
    scale = scale_of([end for row in found for end in _ends(row) or ()])
    reference = number(base, "best")
    columns = [
        Column("weights", ""),
        Column("dense to best way", "plot", axis(scale)),
        Column("dense"),
        Column("best way"),
        Column("the best way is", "words"),
    ]
    lines = [_line(row, scale, reference) for row in found]
    asked = count(table(report, "choice"), "questions")
    on = f" on {asked:,} validation questions" if asked else " on the validation questions"
    words = "How long to train, and how much of the training to keep (the percentage; the rest is the base's weights), "
    words += f"was chosen{on} by the best way of searching."
    return section(
        "choice", "Which training", note(words), _legend(found), grid("Which training", columns, lines, "plots choice")
    )


def _line(row: Table, scale: Scale, reference: float | None) -> Sequence[str]:
    serving, ends = _serving(row), _ends(row) or (0.0, 0.0)
    name = _name(serving)
    marked = badge("chosen") if row.get("chosen") is True else ""
    figures = [plain(end) for end in ends]
    says = f"{name}: dense {figures[0]}, best way {figures[1]}"
    plot = pair_mark(scale, ends, shape_of(serving), reference, says)
    return [html(name) + marked, plot, figures[0], f"<b>{figures[1]}</b>", html(_mode(row) or "–")]


def _name(serving: Serving) -> str:
    return "base" if serving.model == "base" else f"{model_name(serving)}, {epochs_name(serving.epochs)}"


def _mode(row: Table) -> str:
    """The row's best way, without the model that the row is about."""
    way = serving_of(table(row, "way"))
    return clean(way_name(replace(way, model=cast("ModelChoice", ""), epochs=0))) if way else ""


def _serving(row: Table) -> Serving:
    """Dense search by the row's weights; none of the tuned model's are the base's."""
    if _is_base(row):
        return Serving("base", "dense")
    weights = {key: row.get(key) for key in ("epochs", "share")}
    return serving_of({"model": "tuned", "mode": "dense"} | weights) or Serving("tuned", "dense")


def _is_base(row: Table) -> bool:
    return number(row, "share") == 0


def _ends(row: Table) -> tuple[float, float] | None:
    dense, best = number(row, "dense"), number(row, "best")
    return None if dense is None or best is None else (dense, best)


def _legend(found: Sequence[Table]) -> str:
    shapes = {shape_of(_serving(row)) for row in found}
    marks = [("base", "base"), ("other", "mixed"), ("tuned", "tuned")]
    words = "".join(f"<span>{swatch(shape)}{name}</span>" for shape, name in marks if shape in shapes)
    line = "; dotted line: the base's" if "base" in shapes else ""
    return f'<p class="legend">{words}<span>hollow: dense search alone; filled: the best way{line}</span></p>'
