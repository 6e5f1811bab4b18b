"""Which chunks say nearly the same.

In: chunks in order. Out: the same chunks, each copy marked with the first of those that it is alike to, directly or through others.
Two chunks of different sections are alike when they share 70% of the smaller one's runs of eight words. MinHash with LSH was tried:
on 30,179 chunks of twelve docs, 128 permutations found 78 to 99% of the pairs (a short text within a long one has a low Jaccard
similarity) and were larger (512 bytes a chunk) than the exact runs (452) from which everything is found in less time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from dragoman.records import Chunk

RUN = 8  # words; fewer are shared by chance
ALIKE_IN_TEN = 7  # of ten runs of the smaller chunk: from there on, both answer the same questions

_WORD = re.compile(r"\w+")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KNOWN_WORDS = 1 << 18  # then they are forgotten: some docs are tables of numbers
_PARTS = 16  # hashes are sorted in so many parts, by their first four bits: memory for one part only
_BLOCK = 256  # texts that are compared at once
_MISSES = 256  # comparisons in vain that a text is allowed: docs need 16, texts of ten words would take for ever
_PLACES = np.array(
    [int.from_bytes(blake2b(bytes([place]), digest_size=8).digest()) | 1 for place in range(RUN)], np.uint64
)

_Hashes = NDArray[np.uint64]
_Numbers = NDArray[np.int32]
_Offsets = NDArray[np.int64]


def mark_duplicates(chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """Mark the chunks that say nearly what an earlier chunk says.

    Args:
        chunks: All chunks of all sources, in order. What they were marked with before is forgotten.

    Returns:
        The same chunks in the same order. ``canonical`` is the id of the first chunk of those that are alike, "" for that
        first chunk itself and for a chunk that is like no other. A chunk of fewer than eight words is like no other.
    """
    group_of = _groups(chunks)
    first: dict[int, str] = {}
    marked = []
    for chunk, group in zip(chunks, group_of, strict=True):
        canonical = first.setdefault(group, chunk.id) if group >= 0 else ""
        canonical = "" if canonical == chunk.id else canonical
        marked.append(chunk if chunk.canonical == canonical else replace(chunk, canonical=canonical))
    return tuple(marked)


def _groups(chunks: Sequence[Chunk]) -> list[int]:
    """The group of each chunk; -1 for a chunk that is like no other."""
    texts = _Texts(chunks)
    if not texts.sizes:
        return [-1] * len(chunks)
    label = _Comparison(texts).labels()
    together = np.bincount(label, minlength=len(label)) > 1
    # Chunks of one text in one section are no copies of each other, unless the text also stands elsewhere.
    copied = together[label] | (np.array(texts.section, np.int64) < 0)
    return [int(label[number]) if number >= 0 and copied[number] else -1 for number in texts.of]


class _Texts:
    """The distinct texts of the chunks, as sets of runs.

    ``of`` is the number of each chunk's text, -1 for one too short. ``runs`` are the sorted hashes of all texts, one text after
    the other, ``sizes`` how many are of each. ``section`` is the number of the one section a text stands in, -1 for several.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.of: list[int] = []
        self.sizes: list[int] = []
        self.section: list[int] = []
        known: dict[bytes, int] = {}
        sections: dict[str, int] = {}
        held = bytearray()
        for chunk, runs in zip(chunks, _runs(chunk.text for chunk in chunks), strict=True):
            if not len(runs):
                self.of.append(-1)
                continue
            section = sections.setdefault(chunk.section, len(sections))
            data = runs.tobytes()
            number = known.setdefault(blake2b(data, digest_size=16).digest(), len(known))
            if number == len(self.sizes):
                held += data
                self.sizes.append(len(runs))
                self.section.append(section)
            elif self.section[number] != section:
                self.section[number] = -1
            self.of.append(number)
        self.runs: _Hashes = np.frombuffer(held, np.uint64)


class _Marks(dict[str, int]):
    """A number of 64 bits for each word, the same on every machine."""

    def __missing__(self, word: str) -> int:
        if len(self) > _KNOWN_WORDS:
            self.clear()
        mark = int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        self[word] = mark
        return mark


def _runs(texts: Iterable[str]) -> Iterator[_Hashes]:
    """The distinct runs of eight words of each text, as sorted hashes."""
    marks = _Marks()
    nothing = np.empty(0, np.uint64)
    for text in texts:
        folded = text.casefold()
        # Chinese and Japanese have no spaces: eight "words" would be half a page.
        words = _WORD.findall(folded if folded.isascii() else _IDEOGRAPH.sub(r" \g<0> ", folded))
        if len(words) < RUN:
            yield nothing
            continue
        numbers = np.fromiter(map(marks.__getitem__, words), np.uint64, len(words))
        hashes = np.convolve(numbers, _PLACES, "valid")  # of unsigned numbers: it wraps, as it should
        hashes.sort()
        new = np.ones(len(hashes), bool)
        np.not_equal(hashes[1:], hashes[:-1], out=new[1:])
        yield hashes[new]


class _Comparison:
    """Finds which texts are alike.

    Most runs stand in one text only and are put away at once. A text that shares 70% of its runs with a larger one shares at least
    one of its rarest shared ones, however those are chosen, when there are over 30% of all: so a text is compared only with the
    holders of these few, and never with one that it is already joined to. (The prefix filter of set similarity joins: Chaudhuri,
    Ganti and Kaushik, "A primitive operator for similarity joins in data cleaning", ICDE 2006.)
    """

    def __init__(self, texts: _Texts) -> None:
        self.sizes: _Offsets = np.array(texts.sizes, np.int64)
        self.section: _Offsets = np.array(texts.section, np.int64)
        shared = _shared(texts.runs)
        self.runs, owners = _numbered(texts.runs, self.sizes, shared)
        texts.runs = shared[:0]
        self.bounds = _bounds(owners, len(self.sizes))
        self.holders: _Numbers = owners[np.argsort(self.runs, kind="stable")]
        self.spread: _Offsets = np.bincount(self.runs, minlength=len(shared))
        self.starts: _Offsets = np.concatenate([[0], np.cumsum(self.spread)])
        self.done = np.zeros(len(shared), bool)  # runs all of whose holders are joined
        self.present = np.zeros(len(shared), bool)
        self.asked: _Numbers = np.full(len(self.sizes), -1, np.int32)  # the last text that each was compared with
        self.label: _Numbers = np.arange(len(self.sizes), dtype=np.int32)
        self.members: dict[int, list[int]] = {}

    def labels(self) -> _Numbers:
        """A number for each text, equal for texts that belong together."""
        needed = -(-ALIKE_IN_TEN * self.sizes // 10)
        spare = np.diff(self.bounds) - needed
        for text in np.flatnonzero(spare >= 0).tolist():
            self._join(text, int(needed[text]), int(spare[text]) + 1)
        return self.label

    def _join(self, text: int, needed: int, rarest: int) -> None:
        mine = self.runs[self.bounds[text] : self.bounds[text + 1]]
        few = mine[np.argsort(self.spread[mine], kind="stable")[:rarest]]
        self.present[mine] = True
        misses = 0
        for run in few[~self.done[few]].tolist():
            if misses >= _MISSES:
                break
            holders = self.holders[self.starts[run] : self.starts[run + 1]]
            apart = holders[self.label[holders] != self.label[text]]
            # A smaller text asks by itself; one of the same single section is no copy.
            asked = apart[(self.sizes[apart] >= self.sizes[text]) & (self.asked[apart] != text)]
            asked = asked[(self.section[asked] != self.section[text]) | (self.section[asked] < 0)]
            self.asked[asked] = text
            for start in range(0, len(asked), _BLOCK):
                block = asked[start : start + _BLOCK]
                alike = self._alike(block, needed)
                for other in alike:
                    self._unite(text, other)
                misses += len(block) - len(alike)
                if misses >= _MISSES:
                    break
            self.done[run] = bool((self.label[holders] == self.label[text]).all())
        self.present[mine] = False

    def _alike(self, others: _Numbers, needed: int) -> list[int]:
        """Those that hold so many of the runs that are now ``present``."""
        lengths = self.bounds[others + 1] - self.bounds[others]
        edges = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(edges[-1]) + np.repeat(self.bounds[others] - edges[:-1], lengths)
        shared = (
            np.add.reduceat(self.present[self.runs[places]], edges[:-1], dtype=np.int64) if len(others) else lengths
        )
        found: list[int] = others[shared >= needed].tolist()
        return found

    def _unite(self, one: int, other: int) -> None:
        small, large = int(self.label[one]), int(self.label[other])
        if small == large:
            return
        few, many = self.members.pop(small, [small]), self.members.pop(large, [large])
        if len(few) > len(many):
            few, many, large = many, few, small
        many += few
        self.label[few] = large
        self.members[large] = many


def _shared(runs: _Hashes) -> _Hashes:
    """The hashes that stand in two texts or more, sorted."""
    found = []
    for part in range(_PARTS):
        hashes = np.sort(runs[runs >> np.uint64(60) == part])
        twice = hashes[1:][hashes[1:] == hashes[:-1]]
        found.append(twice[np.concatenate([[True], twice[1:] != twice[:-1]])] if len(twice) else twice)
    return np.concatenate(found)


def _numbered(runs: _Hashes, sizes: _Offsets, shared: _Hashes) -> tuple[_Numbers, _Numbers]:
    """The shared runs of each text by their place in ``shared``, and the text that each is of."""
    ends = np.cumsum(sizes)
    numbers, texts = [], []
    step = 1 << 22
    for start in range(0, len(runs) if len(shared) else 0, step):
        part = runs[start : start + step]
        places = np.minimum(np.searchsorted(shared, part), len(shared) - 1)
        kept = shared[places] == part
        numbers.append(places[kept].astype(np.int32))
        texts.append(np.searchsorted(ends, start + np.flatnonzero(kept), side="right").astype(np.int32))
    nothing = np.empty(0, np.int32)
    return np.concatenate([nothing, *numbers]), np.concatenate([nothing, *texts])


def _bounds(owners: _Numbers, texts: int) -> _Offsets:
    """Where the runs of each text begin, and where the last ones end."""
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=texts))])
