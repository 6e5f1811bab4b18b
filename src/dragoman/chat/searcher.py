"""What answering needs of a search, and nothing more.

In: a question. Out: hits with what stands around them, and what other versions of the docs say instead. The index's own searcher and
``KeywordSearcher`` are two of them.
"""

from collections.abc import Callable
from typing import Protocol

from dragoman.records import Chunk, Hit, Refusal, SearchFilter

EVERYWHERE = SearchFilter()


class Searcher(Protocol):
    """Finds the chunks that may answer a question."""

    @property
    def banner(self) -> str:
        """Which model and mode serve, for the reader: "tuned model, hybrid search"."""
        ...

    @property
    def refusal(self) -> Refusal | None:
        """From which confidence on a question is answered; None where nobody measured it."""
        ...

    @property
    def versions(self) -> tuple[str, ...]:
        """Labels of the docs' versions, the newest first."""
        ...

    def search(
        self,
        question: str,
        top: int,
        *,
        where: SearchFilter = EVERYWHERE,
        budget: int = 0,
        count: Callable[[str], int] | None = None,
    ) -> list[Hit]:
        """At most ``top`` hits, best first, with their context while all fit into ``budget`` tokens (0: without it).

        ``count`` tells the tokens of a text; None: those of ``Chunk.tokens``. May be called from any thread, several at once.
        """
        ...

    def counterparts(self, chunk: Chunk) -> list[Chunk]:
        """What other versions of the docs say in place of a chunk, where that differs."""
        ...

    def version_of(self, chunk: Chunk) -> str:
        """Label of the version that a chunk is of; "": none."""
        ...
