"""What to read with a hit: the rest of its section, what stands around it in the page, what other versions say.

In: hits and a budget of tokens, or a chunk. Out: the same hits with more context, or chunks. It ranks nothing and finds nothing new.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from dragoman.index.pointer import IndexMeta
from dragoman.index.rows import Rows
from dragoman.records import Chunk, Hit

Count = Callable[[str], int]


def expand(hits: Sequence[Hit], rows: Rows, budget: int, count: Count | None) -> list[Hit]:
    """Add neighbours from the pages of the hits while all that is read fits the budget.

    Hits come before context, found context before neighbours, sections before pages, near before far, and at the same
    distance the better hit first. A hit whose next neighbour does not fit gets no more.

    Args:
        hits: Best first; none is dropped, even when they alone are over the budget.
        rows: All rows.
        budget: Tokens of all chunks together.
        count: Counts the tokens of a passage; None: as ``Chunk.tokens``.

    Returns:
        The hits in their order, no chunk twice.
    """
    size: Callable[[Chunk], int] = (lambda chunk: count(chunk.passage)) if count else (lambda chunk: chunk.tokens)
    taken = {hit.chunk.id for hit in hits}
    left = budget - sum(size(hit.chunk) for hit in hits)
    added: list[list[Chunk]] = [[] for _ in hits]
    full: set[int] = set()
    for place, chunk in _in_turn([_wanted(hit, rows) for hit in hits]):
        if chunk.id in taken or place in full:
            continue
        if size(chunk) > left:
            full.add(place)
            continue
        taken.add(chunk.id)
        added[place].append(chunk)
        left -= size(chunk)
    return [replace(hit, context=reading_order(chunks)) for hit, chunks in zip(hits, added, strict=True)]


def reading_order(chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Chunks of one page as they stand in it."""
    return tuple(sorted(chunks, key=lambda chunk: (chunk.start, chunk.id)))


def _wanted(hit: Hit, rows: Rows) -> tuple[Sequence[Chunk], ...]:
    """What a hit would like to be read with: found, of its section, of its page; each nearest first."""
    row = rows.row_of.get(hit.chunk.id)
    page = [] if row is None else rows.page_of(row)  # a hit of a table that was swapped since
    here = next((place for place, chunk in enumerate(page) if chunk.id == hit.chunk.id), 0)
    # The text after a hit goes on with it; the text before only leads to it.
    near = sorted(range(len(page)), key=lambda place: (abs(place - here), place < here))
    others = [page[place] for place in near if place != here]
    return hit.context, [chunk for chunk in others if chunk.section == hit.chunk.section], others


def _in_turn(wanted: Sequence[tuple[Sequence[Chunk], ...]]) -> Iterator[tuple[int, Chunk]]:
    """Each kind of neighbour for all hits, one by one in turn, with the place of its hit."""
    for kind in zip(*wanted, strict=True):
        for turn in zip_longest(*kind):
            yield from ((place, chunk) for place, chunk in enumerate(turn) if chunk is not None)


def counterparts(chunk: Chunk, rows: Rows, meta: IndexMeta) -> list[Chunk]:
    """The section of a chunk in other versions of the docs, where its text differs.

    Args:
        chunk: A chunk of the index.
        rows: All rows.
        meta: Which version each source describes.

    Returns:
        Chunks of the sections with the same path and heading trail, in the order they were built in; none for docs
        without versions.
    """
    own = meta.versions.get(chunk.source, "")
    if not own:
        return []
    by_source: dict[str, list[Chunk]] = {chunk.source: []}
    for other in rows.same_path(chunk.path):
        if other.trail == chunk.trail:
            by_source.setdefault(other.source, []).append(other)
    text = _text(by_source.pop(chunk.source))
    return [
        other
        for source, others in by_source.items()
        if meta.versions.get(source, "") not in {"", own} and _text(others) != text
        for other in others
    ]


def _text(chunks: Sequence[Chunk]) -> list[str]:
    """The words of a section, however it was cut and laid out."""
    return " ".join(chunk.text for chunk in reading_order(chunks)).split()
