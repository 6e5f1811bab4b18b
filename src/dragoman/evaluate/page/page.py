"""The report as one page for a colleague.

In: the data of ``report.json``, of any age: ``name``, ``verdict``, ``gate``, ``k``, ``asked``, ``units``, ``people``, ``ways``, ``table``,
``choice``, ``by_style``, ``dims``, ``dims_note``, ``by_document``, ``changes``, ``forgetting``, ``refusal``, ``training``, ``questions``,
``base_model``, ``reranker``, ``reranking``, ``revisions``, ``documents``, ``seed`` or ``seeds``, ``versions``, ``cost``, ``license``, ``asked_kinds``. Out: HTML that needs nothing beside it: no script, font, picture or address.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from dragoman.evaluate.page import changes, figures, making, result
from dragoman.evaluate.page.choice import choice
from dragoman.evaluate.page.forgetting import forgetting
from dragoman.evaluate.page.limits import limits
from dragoman.evaluate.page.markup import note, section
from dragoman.evaluate.page.people import people
from dragoman.evaluate.page.reading import html, text
from dragoman.evaluate.page.refusal import refusal
from dragoman.evaluate.page.reranking import reranking
from dragoman.evaluate.page.training import training
from dragoman.evaluate.page.ways import ways

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_PARTS = (
    ("people", "People's questions", people),
    ("ways", "Ways", ways),
    ("choice", "Which training", choice),
    ("reranking", "Reranking", reranking),
    ("refusal", "Refusal", refusal),
    ("dimensions", "Vector length", figures.by_dimension),
    ("kinds", "Kinds", figures.by_kind),
    ("documents", "Documents", figures.by_page),
    ("changes", "Wins and losses", changes.wins_and_losses),
    ("forgetting", "Forgetting", forgetting),
    ("funnel", "Funnel", making.funnel),
    ("review", "Review", making.reviewers),
    ("training", "Training", training),
    ("again", "To do this again", making.again),
)


def report_page(report: Mapping[str, Any]) -> str:
    """The page.

    Args:
        report: The data of ``report.json``; what is missing or of another shape is left out of the page, and named at its end.

    Returns:
        HTML, encodable as UTF-8, the same for the same data.
    """
    made = [(anchor, name, part(report)) for anchor, name, part in _PARTS]
    shown = [(anchor, name) for anchor, name, part in made if part]
    missing = [name.lower() for _, name, part in made if not part]
    caveats = limits(report)
    listed = "".join(f"<li>{escape(one)}</li>" for one in caveats)
    absent = note(f"Not in this report: {', '.join(missing)}.") if missing else ""
    last = section("limits", "What this does not show", f"<ul>{listed}</ul>" if listed else "", absent)
    links = "".join(f'<a href="#{anchor}">{name}</a>' for anchor, name in [*shown, ("limits", "Limits")])
    name = text(report, "name", 80)
    title = escape(f"Did tuning help{f' to search {name}' if name else ''}?")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{title}</title><style>{_style()}</style></head><body><main>",
        result.verdict(report),
        f'<nav aria-label="On this page">{links}</nav>',
        *(part for _, _, part in made if part),
        last,
        f"</main><footer>{_footer(report)}</footer></body></html>",
    ]
    return "\n".join(parts).encode("utf-8", "replace").decode() + "\n"


def _footer(report: Mapping[str, Any]) -> str:
    base = text(report, "base_model", 120)
    tuned = f", tuned from {html(base)}" if base else ""
    return f"Made by Dragoman from <code>report.json</code>{tuned}. This page holds no script and asks nothing of the network."


def _style() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")
