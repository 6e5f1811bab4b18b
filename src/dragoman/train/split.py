"""What is held out from training, and when.

In: chunks. Out: a ``Split``: units that are never torn apart, each with the round that holds it out.
A unit is a document or, when the documents are few, the tree below an h2, together with every unit
that holds a near-identical chunk. Rounds come from content and seed, so a page keeps its side when
other pages are added.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from dragoman.records import Chunk, Split, Triplet, content_id

MANY_DOCUMENTS = 100  # from here on, a document is the unit and one split replaces the folds
HELD_OUT_SHARE = 5  # one unit in so many is held out, with a single split
_SHINGLE = 8
_ALIKE = 0.7  # share of the smaller chunk's shingles: above it, both answer the same questions


def split_chunks(chunks: Sequence[Chunk], folds: int, seed: int) -> Split:
    """Group chunks into units and deal the units to rounds.

    Args:
        chunks: All chunks.
        folds: Rounds of cross-validation when there are fewer than 100 documents.
        seed: Decides which unit falls into which round.

    Returns:
        With 100 documents or more: one round that holds out a fifth of the documents. With fewer:
        ``folds`` rounds, each unit held out in one of them.
    """
    documents = {(chunk.source, chunk.path) for chunk in chunks}
    many = len(documents) >= MANY_DOCUMENTS
    unit_of = {chunk.id: _unit(chunk, whole_document=many) for chunk in chunks}
    merged = _merge(unit_of.values(), ((unit_of[a], unit_of[b]) for a, b in near_duplicates(chunks)))
    unit_of = {chunk: merged[unit] for chunk, unit in unit_of.items()}
    draw = {unit: int(content_id(seed, unit), 16) for unit in set(unit_of.values())}
    if many:
        round_of = {unit: 0 if number % HELD_OUT_SHARE == 0 else -1 for unit, number in draw.items()}
        return Split(1, unit_of, round_of)
    return Split(folds, unit_of, {unit: number % folds for unit, number in draw.items()})


def check_disjoint(triplets: Iterable[Triplet], held_out: Iterable[str], split: Split) -> None:
    """Assert that no training row shares a unit with what is held out.

    Args:
        triplets: What will be trained on.
        held_out: Ids of the chunks that questions are asked about.
        split: Knows the units.

    Raises:
        AssertionError: The split leaks; this is a defect of ours, not of the input.
    """
    trained = {split.unit_of[triplet.chunk_id] for triplet in triplets}
    shared = trained & {split.unit_of[chunk] for chunk in held_out}
    if shared:
        raise AssertionError(f"{len(shared)} units are both trained on and held out")


def near_duplicates(chunks: Sequence[Chunk]) -> list[tuple[str, str]]:
    """Pairs of chunks, of different sections, that say nearly the same.

    Two chunks are alike when they share 70% of the smaller one's runs of eight words.

    Args:
        chunks: All chunks.

    Returns:
        Pairs of chunk ids, each pair once, in a stable order.
    """
    shingles = [_shingles(chunk.text) for chunk in chunks]
    holders: dict[int, list[int]] = defaultdict(list)
    for number, marks in enumerate(shingles):
        for mark in marks:
            holders[mark].append(number)
    common: dict[tuple[int, int], int] = defaultdict(int)
    for numbers in holders.values():
        # A run that stands in very many chunks is compared along a chain: the chain joins them all the same.
        pairs = pairwise(numbers) if len(numbers) > 20 else combinations(numbers, 2)  # noqa: PLR2004
        for pair in pairs:
            common[pair] += 1
    found = []
    for (a, b), count in sorted(common.items()):
        if chunks[a].section != chunks[b].section and count >= _ALIKE * min(len(shingles[a]), len(shingles[b])):
            found.append((chunks[a].id, chunks[b].id))
    return found


def _shingles(text: str) -> frozenset[int]:
    words = re.findall(r"\w+", text.casefold())
    if len(words) < _SHINGLE:
        return frozenset()
    runs = (" ".join(words[i : i + _SHINGLE]) for i in range(len(words) - _SHINGLE + 1))
    return frozenset(int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest()) for run in runs)


def _unit(chunk: Chunk, *, whole_document: bool) -> str:
    below = () if whole_document else chunk.trail[1:2]
    return content_id(chunk.source, chunk.path, *below)


def _merge(units: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Each unit's cluster, named by its smallest member (union-find)."""
    parent = {unit: unit for unit in units}

    def root(unit: str) -> str:
        while parent[unit] != unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return {unit: root(unit) for unit in parent}
