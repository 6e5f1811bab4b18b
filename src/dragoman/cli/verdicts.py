"""What a pull brought, as people read it and as programs do.

In: what came back of each kind. Out: lines on a terminal, or plain values. It decides nothing.
"""

from dataclasses import asdict
from typing import Any

from dragoman.cli.screen import Screen
from dragoman.pipeline.review import Pulled

_SHOWN = 10  # disputes that are printed; the rest is counted
_TEXT = 100
_DECISIONS = ("kept", "corrected", "dropped", "disputed", "undecided", "drafts", "discarded")


def pulled_row(pulled: Pulled) -> dict[str, Any]:
    """What a program reads of it."""
    return {
        "kind": pulled.kind,
        "brought": pulled.brought,
        "tally": asdict(pulled.tally),
        "agreement": {name: asdict(one) for name, one in pulled.agreement.items()},
        "disputes": [asdict(one) for one in pulled.disputes],
    }


def print_pulled(pulled: Pulled) -> None:
    """What was decided, how far the reviewers agree, and what they have to settle."""
    counts, out = pulled.tally, Screen().out
    names = f" (in all: {counts.responses} by {', '.join(counts.reviewers)})" if counts.reviewers else ""
    decided = ", ".join(f"{getattr(counts, name)} {name}" for name in _DECISIONS if getattr(counts, name))
    out.print(
        f"{pulled.kind}: {pulled.brought} responses brought in{names}: {decided or 'nothing decided'}", markup=False
    )
    for name, found in pulled.agreement.items():
        if found.shared:
            out.print(f"  {name}: {found.reading}", markup=False)
    if pulled.disputes:
        out.print("  To settle, since the answers stand against each other:", markup=False)
    for dispute in pulled.disputes[:_SHOWN]:
        out.print(f"  - {dispute.text[:_TEXT]}", markup=False)
        for reviewer, said in dispute.said:
            out.print(f"      {reviewer}: {said}", markup=False)
    if len(pulled.disputes) > _SHOWN:
        out.print(f"  and {len(pulled.disputes) - _SHOWN} more (--json lists them all)", markup=False)
