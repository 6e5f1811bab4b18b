"""How a page is cut, for a person who chooses settings.

In: chunks of some pages. Out: panels with heading trail, tokens and lines, and the passage as it is embedded.
"""

import difflib
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from dragoman.errors import UsageError
from dragoman.records import Chunk, Rejected


def chosen_page(chunks: Sequence[Chunk], page: str) -> list[Chunk]:
    """The chunks of one page.

    Args:
        chunks: Chunks of all pages.
        page: Its path, or the end of it; "" takes the first page that is cut into several chunks.

    Returns:
        The chunks, in order.

    Raises:
        UsageError: There is no such page; the nearest is named.
    """
    if not page:
        pages = [list(found) for _, found in groupby(chunks, key=lambda chunk: (chunk.source, chunk.path))]
        return next((found for found in pages if len(found) > 1), pages[0])
    found = [chunk for chunk in chunks if chunk.path == page or chunk.path.endswith(f"/{page}")]
    if found:
        return found
    names = sorted({chunk.path for chunk in chunks})
    near = difflib.get_close_matches(page, names, n=1, cutoff=0.4)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are {len(names)} pages, the first is '{names[0]}'."
    raise UsageError(f"no page '{page}' gives a chunk", hint=hint)


def print_preview(console: Console, chunks: Sequence[Chunk], left_out: Sequence[Rejected], budget: int) -> None:
    """Show chunks as panels, and what their pages left out.

    Args:
        console: Where to print.
        chunks: Chunks of one page, or of some.
        left_out: What of these pages gave no chunk.
        budget: Tokens that a passage may have.
    """
    for path, group in groupby(chunks, key=lambda chunk: chunk.path):
        console.print(Rule(Text(path)))
        for chunk in group:
            console.print(_panel(chunk, budget))
    for row in left_out:
        console.print(Text(f"left out: {row.item}: {row.reason}{f' ({row.detail})' if row.detail else ''}", "dim"))
    total = sum(chunk.tokens for chunk in chunks)
    mean = total / len(chunks)
    console.print(f"\n{len(chunks)} chunks, {mean:.0f} tokens each on average (chunk.tokens = {budget})", markup=False)


def _panel(chunk: Chunk, budget: int) -> Panel:
    trail, _, body = chunk.passage.partition("\n")
    place = f"{chunk.file} lines" if chunk.file else "lines"
    facts = f"{chunk.tokens} of {budget} tokens · {place} {chunk.start_line}-{chunk.end_line}"
    if chunk.canonical:
        facts += " · a copy"
    return Panel(Text(body), title=Text(trail), title_align="left", subtitle=Text(facts), subtitle_align="right")
