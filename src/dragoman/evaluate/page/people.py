"""How the questions that people asked were answered: what a reader trusts most.

In: the report's data. Out: HTML, empty when nobody's questions were asked. Questions are shown as they are, whatever they hold.
"""

from dragoman.evaluate.page.markup import named, note, section, serving_of
from dragoman.evaluate.page.reading import Table, clean, count, html, number, plain, rows, table, text
from dragoman.evaluate.page.ways import compared
from dragoman.evaluate.spans import READ

_MOST, _LOST = 5, 200


def people(report: Table) -> str:
    """The ways of searching by people's questions, those that changed most, and the places that are not in the docs."""
    part = table(report, "people")
    k = count(part, "k") or count(report, "k") or 10
    served = serving_of(table(report, "gate", "served"))
    drawn = compared(rows(part, "table"), k, served, "Ways of searching, by people's questions")
    told = note(html(told[:1].upper() + told[1:], 500)) if (told := text(part, "note", 500)) else ""
    parts = [drawn, _changes(part, k), told, _lost(part)]
    about = note(_about(part)) if drawn else ""
    return section("people", "Questions that people asked", about, *parts) if any(parts) else ""


def _about(part: Table) -> str:
    asked, file = count(part, "asked"), text(part, "file", 200)
    counted = part.get("counted")
    return (
        (f"{asked:,} question{'' if asked == 1 else 's'}" if asked else "Questions")
        + (f" from <code>{html(file)}</code>" if file else "")
        + ", with the places that answer them marked by hand. "
        + ("They have a weight in the verdict. " if counted is True else "")
        + ("They had no part in the verdict. " if counted is False else "")
        + f"<b>Answered</b>: how many of them are answered within the first {READ:,} characters of what is found, "
        "about what a language model is given to read."
    )


def _changes(part: Table, k: int) -> str:
    """The questions that rose or fell most, side by side."""
    moved = [row for row in rows(part, "changes") if number(row, "difference")]
    moved.sort(key=lambda row: -abs(number(row, "difference") or 0.0))
    rose = [row for row in moved if (number(row, "difference") or 0.0) > 0][:_MOST]
    fell = [row for row in moved if (number(row, "difference") or 0.0) < 0][:_MOST]
    if not moved:
        return ""
    ways = [named(table(part, key)) for key in ("base", "tuned")]
    versus = f"NDCG@{k} from {html(ways[0])} to {html(ways[1])}. " if all(ways) else f"NDCG@{k} before and after. "
    totals = [count(part, key) for key in ("won", "lost_count", "same")]
    told = f"{totals[0]:,} questions rise, {totals[1]:,} fall, {totals[2]:,} stay." if None not in totals else ""
    sides = _side("Rose most", "win", rose) + _side("Fell most", "loss", fell)
    return f'<h3>Which ones changed</h3>{note(versus + told)}<div class="sides">{sides}</div>'


def _side(title: str, kind: str, found: list[Table]) -> str:
    items = "".join(_item(row, kind) for row in found)
    listed = f'<ol class="moves {kind}">{items}</ol>' if items else "<p>None.</p>"
    return f"<div><h4>{title}</h4>{listed}</div>"


def _item(row: Table, kind: str) -> str:
    asked = text(row, "question", 400) or text(row, "qid", 80) or "(a question without words)"
    arrow = "▲" if kind == "win" else "▼"
    figures = f"{plain(number(row, 'before'))} → {plain(number(row, 'after'))}"
    moved = f'<p class="rank {kind}"><span aria-hidden="true">{arrow}</span> {figures}</p>'
    return f'<li>{moved}<p class="asked">{html(asked, 400)}</p></li>'


def _lost(part: Table) -> str:
    """Places of the file that match nothing in the docs."""
    found = part.get("lost")
    lines = [clean(line) for line in found if isinstance(line, str)] if isinstance(found, list) else []
    if not lines:
        return ""
    items = "".join(f"<li>{html(line)}</li>" for line in lines[:_LOST])
    more = f"<li>and {len(lines) - _LOST:,} more</li>" if len(lines) > _LOST else ""
    one, gone = len(lines) == 1, count(part, "unplaced")
    summary = (
        f"{len(lines):,} place{' is' if one else 's are'} not in the docs, and {'does' if one else 'do'} not count"
    )
    summary += f"; {gone:,} question{'' if gone == 1 else 's'} could not be asked" if gone else ""
    return f'<details><summary>{summary}</summary><ul class="lost">{items}{more}</ul></details>'
