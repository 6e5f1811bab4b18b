"""The few shapes that the page is made of: sections, tables that a phone can show, lists of facts, and names of ways.

In: texts that are HTML already. Out: HTML. It escapes nothing but what it names itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import cast

from dragoman.evaluate.naming import model_name, way_name
from dragoman.evaluate.page.drawing import Shape
from dragoman.evaluate.page.reading import Table, clean, count, number, table, text
from dragoman.records import ModelChoice, SearchMode, Serving


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``kind`` is "number", "plot", "words" or "" (the row's name); ``foot`` stands below it."""

    head: str
    kind: str = "number"
    foot: str = ""


def section(anchor: str, title: str, *parts: str) -> str:
    """A part of the page with a heading."""
    return f'<section id="{anchor}"><h2>{title}</h2>{"".join(parts)}</section>'


def note(words: str) -> str:
    """A paragraph that explains."""
    return f'<p class="note">{words}</p>'


def grid(caption: str, columns: Sequence[Column], lines: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table. Its roles are told, since a phone shows its rows as blocks, which some browsers then take for no table.

    Args:
        caption: What it holds, for those who do not see it.
        columns: The first one names the row.
        lines: The cells of each row, as HTML.
        kind: A class of its own; "wide" keeps its columns on a phone.

    Returns:
        HTML.
    """
    head = "".join(
        f'<th scope="col" role="columnheader" class="{column.kind}">{escape(column.head)}</th>' for column in columns
    )
    body = "".join(_line(columns, cells) for cells in lines)
    foot = ""
    if any(column.foot for column in columns):
        cells = "".join(f'<td role="cell" class="{column.kind}">{column.foot}</td>' for column in columns)
        foot = f'<tfoot role="rowgroup"><tr role="row">{cells}</tr></tfoot>'
    return (
        f'<table role="table" class="{kind}"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody>{foot}</table>'
    )


def _line(columns: Sequence[Column], cells: Sequence[str]) -> str:
    written = [f'<th scope="row" role="rowheader">{cells[0]}</th>']
    written += [
        f'<td role="cell" class="{column.kind}" data-head="{escape(column.head)}">{cell}</td>'
        for column, cell in zip(columns[1:], cells[1:], strict=True)
    ]
    return f'<tr role="row">{"".join(written)}</tr>'


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names with what they are, those that are something."""
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in pairs if value)
    return f'<dl class="facts">{items}</dl>' if items else ""


def swatch(shape: str, *, filled: bool = True) -> str:
    """A mark as the plots draw it, for their legends."""
    kind = f"mark {shape}{' filled' if filled else ''}"
    drawn = '<circle cx="7" cy="7" r="5"' if shape == "tuned" else '<rect x="2.5" y="2.5" width="9" height="9"'
    turned = ' transform="rotate(45 7 7)"' if shape == "other" else ""
    return f'<svg class="swatch" aria-hidden="true" width="14" height="14">{drawn} class="{kind}"{turned}/></svg>'


def badge(word: str) -> str:
    """A word behind a row's name that says what is special about it."""
    return f' <span class="badge plain">{word}</span>'


def serving_of(way: Table) -> Serving | None:
    """The way of searching that a row tells of, so that two rows can be compared; None when it tells of none.

    What older reports do not tell is as it was when they were made: all epochs, nothing mixed, whole vectors, no cross-encoder.
    """
    mode, model, share = text(way, "mode", 40), text(way, "model", 40), number(way, "share")
    if not mode:
        return None
    part = share if share is not None and 0 <= share <= 1 else 1.0
    return Serving(
        cast("ModelChoice", "tuned" if model == "mixed" and part < 1 else model),
        cast("SearchMode", mode),
        number(way, "lexical_weight") or 0.0,
        way.get("questions") is True,
        count(way, "epochs") or 0,
        part,
        count(way, "dims") or 0,
        way.get("rerank") is True,
    )


def named(way: Table) -> str:
    """A way of searching in a few words, the model first; "" when it is not told. No HTML."""
    serving = serving_of(way)
    return clean(way_name(serving)) if serving else ""


def row_of(found: Sequence[Table], serving: Serving | None, *, exact: bool = False) -> Table:
    """The row of a way of searching; of the same way with whole vectors, unless ``exact``, where shorter ones have no row."""
    if serving is None:
        return {}
    known = {serving_of(row): row for row in reversed(found)}
    return known.get(serving) or ({} if exact else known.get(replace(serving, dims=0), {}))


def judged_model(report: Table) -> str:
    """What the model that was judged against the base is called; no HTML."""
    serving = serving_of(table(report, "gate", "tuned"))
    return clean(model_name(serving)) if serving else "tuned"


def shape_of(serving: Serving | None) -> Shape:
    """The mark of a way's model: a disc for the tuned one, a diamond for a mixed one, else a square."""
    if serving is None or serving.mode == "lexical":
        return "base"
    model = model_name(serving)
    return "tuned" if model == "tuned" else "other" if model.startswith("mixed") else "base"
