"""Whether a cross-encoder puts what is found in order, and why.

In: the report's data. Out: HTML with the gain as a plot, empty where there was no cross-encoder to ask.
"""

from dragoman.evaluate.page.drawing import axis, interval_mark, scale_of
from dragoman.evaluate.page.markup import Column, grid, note, section
from dragoman.evaluate.page.reading import Table, count, ends_of, html, interval, number, signed, table, text


def reranking(report: Table) -> str:
    """The decision, with the gain on validation and on the test."""
    part = table(report, "reranking")
    found = [(name, table(part, name)) for name in ("validation", "test")]
    read = [(name, mean, ends_of(ends)) for name, ends in found if (mean := number(ends, "mean")) is not None]
    if not text(part, "reranker") or not read:
        return ""
    scale = scale_of([value for _, mean, ends in read for value in (mean, *(ends or ()))], zero=True)
    lines = []
    for name, mean, ends in read:
        says = f"{signed(mean)} {interval(ends)}"
        lines.append(
            [
                name,
                interval_mark(scale, mean, ends, "other", f"{name}: {says}"),
                f"<b>{signed(mean)}</b> {interval(ends)}",
            ]
        )
    gain = f"gain in NDCG@{count(report, 'k') or 10}"
    columns = [Column("", ""), Column("gain by reranking", "plot", axis(scale, sign=True)), Column(gain)]
    kept = part.get("kept") is True
    who = f" ({html(name)})" if (name := text(report, "reranker", 120)) else ""
    words = (
        f"The best cross-encoder that there is{who} reads each question with its first hits. "
        f"<b>It {'puts' if kept else 'does not put'} readers' hits in order</b>: {html(text(part, 'reason'))}. "
        "Both figures are of the search that is served, with and without it."
    )
    return section(
        "reranking", "Reranking", note(words), grid("The gain by reranking", columns, lines, "plots decided")
    )
