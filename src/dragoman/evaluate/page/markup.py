"""The few shapes that the page is made of: sections, tables that a phone can show, lists of facts, and names of ways.

In: texts that are HTML already. Out: HTML. It escapes nothing but what it names itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import cast

from dragoman.evaluate.page.reading import Table, clean, number, text
from dragoman.evaluate.report import describe
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


def named(way: Table) -> str:
    """A way of searching in a few words, the model first; "" when it is not told. No HTML."""
    mode = text(way, "mode", 40)
    if not mode:
        return ""
    serving = Serving(
        cast("ModelChoice", text(way, "model", 40)),
        cast("SearchMode", mode),
        number(way, "lexical_weight") or 0.0,
        way.get("questions") is True,
    )
    words = describe(serving) if mode != "lexical" else "words alone"
    return clean(words if mode == "lexical" else f"{serving.model} {words}".strip())
