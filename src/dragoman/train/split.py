"""What is held out from training, and when.

In: chunks, their copies marked. Out: a ``Split``: units that are never torn apart, each with the round that holds it out.
A unit is a document or, when the documents are few, the tree below an h2, together with every unit that holds a copy of one
of its chunks; boilerplate is a unit by itself. Rounds come from content and seed, so a page keeps its side when other pages are added.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from dragoman.records import Chunk, Split, Triplet, content_id

MANY_DOCUMENTS = 100  # from here on, a document is the unit and one split replaces the folds
HELD_OUT_SHARE = 5  # one unit in so many is held out, with a single split
_FEW_UNITS = 3  # that a text may join to one; in more of them it is boilerplate


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
    unit_of = _together(chunks, {chunk.id: _unit(chunk, whole_document=many) for chunk in chunks})
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


def copies(chunks: Sequence[Chunk]) -> list[tuple[str, ...]]:
    """Ids of chunks that say nearly the same, as ingest marked them.

    Args:
        chunks: All chunks. A canonical chunk that is not among them is not in its group either.

    Returns:
        Groups of two or more, in the order of their first chunks, each in the order of the chunks.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for chunk in chunks:
        groups[chunk.canonical or chunk.id].append(chunk.id)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _unit(chunk: Chunk, *, whole_document: bool) -> str:
    below = () if whole_document else chunk.trail[1:2]
    return content_id(chunk.source, chunk.path, *below)


def _together(chunks: Sequence[Chunk], unit_of: Mapping[str, str]) -> Mapping[str, str]:
    """The unit of each chunk, once what says the same is on one side.

    Units that hold copies of one another become one. A text that stands in more than ``_FEW_UNITS`` of them (a notice on every
    page) would make one unit of them all, and nothing could be held out: there the sections that hold it become a unit instead.
    """
    section_of = {chunk.id: chunk.section for chunk in chunks}
    home = {chunk.section: unit_of[chunk.id] for chunk in chunks}
    pairs = [pair for group in copies(chunks) for pair in pairwise(group)]
    alike = _merge(home, ((section_of[a], section_of[b]) for a, b in pairs), _followers(chunks, section_of))
    spread: dict[str, set[str]] = defaultdict(set)
    for section, group in alike.items():
        spread[group].add(home[section])
    apart = {section for section, group in alike.items() if len(spread[group]) > _FEW_UNITS}
    kept = ((unit_of[a], unit_of[b]) for a, b in pairs if section_of[a] not in apart)
    merged = _merge(home.values(), kept, _followers(chunks, unit_of))
    places = {
        section: content_id("copies", alike[section]) if section in apart else merged[unit]
        for section, unit in home.items()
    }
    return {chunk.id: places[chunk.section] for chunk in chunks}


def _followers(chunks: Sequence[Chunk], place_of: Mapping[str, str]) -> Counter[str]:
    """How many chunks elsewhere are copies of one in this place."""
    return Counter(
        place_of[chunk.canonical]
        for chunk in chunks
        if chunk.canonical in place_of and place_of[chunk.canonical] != place_of[chunk.id]
    )


def _merge(places: Iterable[str], pairs: Iterable[tuple[str, str]], followers: Mapping[str, int]) -> dict[str, str]:
    """Each place's cluster (union-find), named by the member that most others copy.

    The name decides the side: a new page that copies an old one follows it there. Among equals the smallest name is taken.
    """
    parent = {place: place for place in places}

    def root(place: str) -> str:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    names: dict[str, str] = {}
    for place in sorted(parent, key=lambda place: (-followers.get(place, 0), place)):
        names.setdefault(root(place), place)
    return {place: names[root(place)] for place in parent}
