"""What the adapters have in common: a workspace that is searched, and hits as a text with plain metadata.

In: a workspace's folder and a question. Out: passages, which each adapter puts into the records of its library. It knows none of these
libraries.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dragoman.errors import UsageError
from dragoman.pipeline.opened import ModeChoice
from dragoman.pipeline.searcher import DocsSearcher, open_searcher
from dragoman.records import Chunk, Hit, SearchFilter


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit as other libraries take it: ``metadata`` holds plain words and numbers, of which any store can make columns."""

    id: str
    text: str
    score: float
    metadata: dict[str, str | int]


class PassageSearch:
    """Searches a workspace; several threads may share it.

    Args:
        workspace: The folder that ``dragoman build`` filled.
        top: Most passages that a question gives.
        where: Which of the docs may be found.
        mode: How to search; ``auto`` is what validation chose.
        budget: Tokens that the passages with what stands around them may take; 0: they come alone.

    Raises:
        UsageError: A number is out of range.
        MissingArtefact: Nothing was built there.
        ConfigError: The recipe there cannot be read.
        WorkspaceError: The index does not fit the recipe, or is damaged.
    """

    def __init__(self, workspace: str | Path, top: int, where: SearchFilter, mode: ModeChoice, budget: int) -> None:
        for name, number, least in (("top", top, 1), ("budget", budget, 0)):
            if number < least:
                raise UsageError(f"{name} is {number}", expected=f"{least} or more")
        self._top, self._where, self._budget = top, where, budget
        self._searcher: DocsSearcher = open_searcher(Path(workspace), mode=mode)

    def find(self, question: str) -> list[Passage]:
        """The passages for a question, best first."""
        hits = self._searcher.search(question, self._top, where=self._where, budget=self._budget)
        return [self._passage(hit) for hit in hits]

    def _passage(self, hit: Hit) -> Passage:
        chunk = hit.chunk
        read = hit.read if self._budget else (chunk,)
        there = [other for other in read if other.origin == chunk.origin]  # an included file counts lines of its own
        metadata: dict[str, str | int] = {
            "source": chunk.source,
            "file": chunk.origin,
            "start_line": min(other.start_line for other in there),
            "end_line": max(other.end_line for other in there),
            "headings": " > ".join(chunk.trail),
            "url": chunk.url,
            "version": self._searcher.version_of(chunk),
            "chunk_id": chunk.id,
        }
        return Passage(chunk.id, _text(read), hit.score, metadata)


def _text(read: tuple[Chunk, ...]) -> str:
    """What is read together, the headings once for each section."""
    parts = [read[0].passage]
    parts += [chunk.text if chunk.section == before.section else chunk.passage for before, chunk in pairwise(read)]
    return "\n\n".join(parts)
