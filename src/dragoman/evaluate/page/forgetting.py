"""What the tuning cost on questions that it was not for.

In: the report's data. Out: HTML with a plot; a note alone where no such questions could be asked; else empty.
"""

from dragoman.evaluate.page.drawing import axis, interval_mark, scale_of
from dragoman.evaluate.page.markup import Column, grid, judged_model, note, section
from dragoman.evaluate.page.reading import (
    Table,
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

_MOST = 40


def forgetting(report: Table) -> str:
    """The change on general questions, set by set, with its limit."""
    part = table(report, "forgetting")
    found = [row for row in rows(part, "rows") if _change(row) is not None][:_MOST]
    told = text(part, "note", 500)
    said = note(html(told, 500)) if told else ""
    if not found:
        return section("forgetting", "What it forgot", said) if said else ""
    points = [(_change(row) or 0.0, ends_of(row)) for row in found]
    scale = scale_of([value for mean, ends in points for value in (mean, *(ends or ()))], zero=True)
    lines = []
    for row, (mean, ends) in zip(found, points, strict=True):
        name, asked = text(row, "name", 80) or "(not told)", count(row, "questions")
        says = f"{signed(mean)} {interval(ends)}"
        lines.append(
            [
                f"<b>{html(name)}</b>" if name == "all" else html(name),
                f"{asked:,}" if asked is not None else "–",
                interval_mark(scale, mean, ends, "tuned", f"{name}: {says}"),
                f"<b>{signed(mean)}</b> <small>{interval(ends)}</small>",
                f"{plain(number(row, 'base'))} → {plain(number(row, 'tuned'))}",
            ]
        )
    columns = [
        Column("questions of", ""),
        Column("questions"),
        Column("change by tuning", "plot", axis(scale, sign=True)),
        Column("change"),
        Column("NDCG"),
    ]
    drawn = grid("What it forgot", columns, lines, "plots forgetting")
    return section("forgetting", "What it forgot", note(_about(part, judged_model(report))), drawn, said)


def _change(row: Table) -> float | None:
    """The change as told, or of the two figures where it is not."""
    told, base, tuned = (number(row, key) for key in ("change", "base", "tuned"))
    return told if told is not None or base is None or tuned is None else tuned - base


def _about(part: Table, model: str) -> str:
    name, limit = text(part, "set", 120), number(part, "limit")
    asked = "questions that the tuning was not for"
    words = f"Dense search, base against {html(model)}, on {asked}{f': {html(name)}' if name else ''}. "
    if limit is None or limit >= 1:
        return f"{words}What is lost here is shown and not judged: no limit is set."
    verdict = " <b>It cost more, and is refused.</b>" if part.get("refused") is True else " It stayed within that."
    return f"{words}The mean may fall by {plain(limit)}.{verdict}"
