"""Which questions share a batch.

In: the training rows' sections and lengths. Out: batches in which no two questions belong to one
section (each would be the other's false negative) and whose passages are of similar length.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Protocol

_POOL = 4  # batches that are sorted by length together


class Row(Protocol):
    """What a batch needs to know of a training row."""

    @property
    def section(self) -> str:
        """Rows of one section never share a batch."""
        ...

    @property
    def also(self) -> Sequence[str]:
        """Sections that answer the row's question, too: their rows are kept out of its batch as well."""
        ...

    @property
    def wrong(self) -> Sequence[str]:
        """Sections of the row's hard negatives, which every question of the batch is pushed away from."""
        ...

    @property
    def passage(self) -> str:
        """Its length decides which rows are put together."""
        ...


class SectionBatches:
    """Deals rows to batches anew each epoch; the seed and the epoch decide, nothing else.

    Args:
        rows: The training rows.
        size: Rows in a batch. The last batches of an epoch may be smaller.
        seed: The seed.
    """

    def __init__(self, rows: Sequence[Row], size: int, seed: int) -> None:
        self.rows, self.size, self.seed, self.epoch = rows, size, seed, 0
        self._groups = [frozenset((row.section, *row.also)) for row in rows]
        self._wrong = [frozenset(row.wrong) for row in rows]
        self._lengths = [len(row.passage) for row in rows]
        self._steps = len(self._deal(0))

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches in an epoch (of the first one; others may differ by a few)."""
        return self._steps

    def __iter__(self) -> Iterator[list[int]]:
        """Batches of row numbers, always ``len(self)`` of them."""
        batches = self._deal(self.epoch)
        while len(batches) < self._steps:
            batches.append(batches[-1])
        yield from batches[: self._steps]

    def _deal(self, epoch: int) -> list[list[int]]:
        draw = random.Random(f"{self.seed} {epoch}")  # noqa: S311 - shuffling, not secrets
        order = list(range(len(self._groups)))
        draw.shuffle(order)
        pool = self.size * _POOL
        grouped: list[int] = []
        for first in range(0, len(order), pool):
            grouped += sorted(order[first : first + pool], key=self._lengths.__getitem__)
        batches = self._fill(grouped)
        draw.shuffle(batches)
        return batches

    def _fill(self, order: list[int]) -> list[list[int]]:
        batches: list[list[int]] = []
        waiting = order
        while waiting:
            batch: list[int] = []
            sections: set[str] = set()
            wrong: set[str] = set()
            later: list[int] = []
            for place, row in enumerate(waiting):
                if len(batch) == self.size:
                    later += waiting[place:]
                    break
                own, against = self._groups[row], self._wrong[row]
                if own.isdisjoint(sections) and own.isdisjoint(wrong) and against.isdisjoint(sections):
                    sections |= own
                    wrong |= against
                    batch.append(row)
                else:
                    later.append(row)
            batches.append(batch)
            waiting = later
        # A batch of one has no negatives and teaches nothing.
        return [batch for batch in batches if len(batch) > 1] or batches
