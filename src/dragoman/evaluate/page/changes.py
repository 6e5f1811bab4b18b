"""The largest wins and losses, side by side, each with the passage that answers it.

In: the report's data. Out: HTML, empty when there are none. Questions and passages are shown as they are, whatever they hold.
"""

from dragoman.evaluate.page.markup import named, note, section
from dragoman.evaluate.page.reading import Table, count, html, numbers, rows, table, text

_MOST = 10


def wins_and_losses(report: Table) -> str:
    """Two lists: what tuning found better, and what it found worse."""
    part = table(report, "changes")
    wins, losses = (rows(part, key)[:_MOST] for key in ("wins", "losses"))
    if not wins and not losses:
        return ""
    ways = [named(table(part, key)) for key in ("base", "tuned")]
    versus = f"From {html(ways[0])} to {html(ways[1])}. " if all(ways) else ""
    totals = [count(part, key) for key in ("won", "lost", "same")]
    told = ""
    if None not in totals:
        told = f"{totals[0]:,} questions rank higher, {totals[1]:,} lower, {totals[2]:,} the same. "
    words = f"{versus}{told}Where many moved alike, these are drawn from all over the docs."
    lists = _side("Largest wins", "win", wins) + _side("Largest losses", "loss", losses)
    return section("changes", "What changed, question by question", note(words), f'<div class="sides">{lists}</div>')


def _side(title: str, kind: str, found: list[Table]) -> str:
    items = "".join(_item(row, kind) for row in found)
    listed = f'<ol class="moves {kind}">{items}</ol>' if items else "<p>None.</p>"
    return f"<div><h3>{title}</h3>{listed}</div>"


def _item(row: Table, kind: str) -> str:
    asked = text(row, "question", 400) or "(a question without words)"
    ranks = [_rank(count(row, key)) for key in ("before", "after")]
    arrow = "▲" if kind == "win" else "▼"
    moved = f'<p class="rank {kind}"><span aria-hidden="true">{arrow}</span> {ranks[0]} → {ranks[1]}</p>'
    parts = [moved, f'<p class="asked">{html(asked, 400)}</p>', _place(row)]
    if passage := text(row, "passage", 400):
        parts.append(f"<blockquote>{html(passage, 400)}</blockquote>")
    instead = table(row, "instead")
    if where := _title(instead):
        when = "Stood first before" if kind == "win" else "Stands first now"
        passage = text(instead, "passage", 400)
        quoted = f"<blockquote>{html(passage, 400)}</blockquote>" if passage else ""
        parts.append(f"<details><summary>{when}: {where}</summary>{quoted}</details>")
    return f"<li>{''.join(parts)}</li>"


def _place(row: Table) -> str:
    where, file, lines = _title(row), text(row, "document", 200), numbers(row, "lines")
    ends = list(dict.fromkeys(f"{line:.0f}" for line in lines[:2]))
    span = f":{'–'.join(ends)}" if ends else ""
    behind = f" <code>{html(file)}{span}</code>" if file else ""
    kind = text(row, "style", 40)
    style = f"{html(kind)} · " if kind else ""
    return f'<p class="where">{style}{where}{behind}</p>' if where or behind or style else ""


def _title(row: Table) -> str:
    trail = text(row, "trail", 200)
    return html(trail.replace(" > ", " › ")) if trail else ""


def _rank(rank: int | None) -> str:
    if rank is None:
        return "unknown"
    return f"rank {rank:,}" if rank else "not found"
