"""What a person or a program sees of hits and answers.

In: hits and finished answers. Out: tables and Markdown on a terminal, or plain values for JSON. It searches and decides nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table

from dragoman.chat.quotations import place_of
from dragoman.chat.special import plain_terminal
from dragoman.records import Answer, Chunk, Hit, Signals


def hits_table(hits: Sequence[Hit]) -> Table:
    """Hits with rank, score, place and heading."""
    table = Table("#", "score", "where", "section", box=None, pad_edge=False)
    for hit in hits:
        table.add_row(
            str(hit.rank), f"{hit.score:.3f}", escape(plain_terminal(place_of(hit.chunk))), escape(_trail(hit.chunk))
        )
    return table


def explained_table(hits: Sequence[Hit]) -> Table:
    """Hits with what each part of the search found: a value and, in brackets, its rank there."""
    table = Table(box=None, pad_edge=False)
    for heading in ("#", "score", "dense", "question", "words", "fused", "rerank", "base", "section"):
        table.add_column(heading, no_wrap=heading != "section")
    for hit in hits:
        signals = hit.signals or Signals()
        table.add_row(
            str(hit.rank),
            f"{hit.score:.3f}",
            _ranked(signals.dense, signals.dense_rank),
            _ranked(signals.question),
            _ranked(signals.lexical or None, signals.lexical_rank, digits=2),
            f"{signals.fused:.4f}" if signals.fused else "-",
            _ranked(signals.rerank, digits=2),
            "-" if signals.base_rank is None else str(signals.base_rank or "not found"),
            escape(plain_terminal(f"{_trail(hit.chunk)}  {place_of(hit.chunk)}")),
        )
    return table


def print_answer(console: Console, answer: Answer) -> None:
    """A finished answer with the numbered sources that it does not name itself, and what a reader should know about it."""
    console.print(as_markdown(answer.text))
    console.print()
    for citation in answer.citations:
        chunk = citation.hit.chunk
        if f"[{citation.number}] **" in answer.text:  # the head of a quotation, with place and link
            continue
        console.print(f"[bold]\\[{citation.number}][/] {escape(_trail(chunk))}", soft_wrap=True)
        link = f"  {chunk.url}" if chunk.url else ""
        console.print(f"    [dim]{escape(plain_terminal(place_of(chunk) + link))}[/]", soft_wrap=True)
    if answer.searched and answer.searched != answer.question:
        console.print(
            f"[dim]Searched for: {escape(plain_terminal(' '.join(answer.searched.split())))}[/]", soft_wrap=True
        )
    if answer.note:
        console.print(f"[yellow]{escape(plain_terminal(answer.note))}[/]", soft_wrap=True)


def as_markdown(text: str) -> Markdown:
    """An answer as rich Markdown; links are shown, never fetched."""
    return Markdown(plain_terminal(text), hyperlinks=False)


def hit_row(hit: Hit) -> dict[str, Any]:
    """A hit as a program reads it: 1-based inclusive lines, file relative to the docs folder."""
    return {**_chunk_row(hit.chunk), "score": round(hit.score, 6), "url": hit.chunk.url}


def explained_row(hit: Hit) -> dict[str, Any]:
    """A hit with its heading trail, its text, what each part of the search found, and what is read with it."""
    return {
        **hit_row(hit),
        "trail": list(hit.chunk.trail),
        "text": hit.chunk.text,
        "signals": asdict(hit.signals) if hit.signals else None,
        "context": [_chunk_row(chunk) for chunk in hit.context],
    }


def answer_row(answer: Answer) -> dict[str, Any]:
    """An answer as a program reads it, with all that was checked."""
    citations = [{"number": citation.number, **explained_row(citation.hit)} for citation in answer.citations]
    checked = {"support": [asdict(one) for one in answer.support], "findings": [asdict(one) for one in answer.findings]}
    return {
        "question": answer.question,
        "searched": answer.searched or answer.question,
        "mode": answer.mode,
        "reason": answer.reason,
        "text": answer.text,
        "note": answer.note,
        "citations": citations,
        **checked,
    }


def _trail(chunk: Chunk) -> str:
    return plain_terminal(" > ".join(chunk.trail) or chunk.title or chunk.path)


def _chunk_row(chunk: Chunk) -> dict[str, Any]:
    return {
        "source": chunk.source,
        "file": chunk.origin,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "chunk_id": chunk.id,
    }


def _ranked(value: float | None, rank: int = 0, digits: int = 3) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" + (f" ({rank})" if rank else "")
