"""A small real searcher without any model: for tests, and for trying the chat on a handful of chunks.

In: chunks. Out: hits, ranked by the question's rarer words that a passage shares. Knows no index, vectors or versions.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from dragoman.chat.searcher import EVERYWHERE
from dragoman.records import Chunk, Hit, Refusal, SearchFilter, Signals

_WORD = re.compile(r"[^\W_]+")


class KeywordSearcher:
    """Ranks chunks by word overlap; a word counts more the fewer chunks hold it.

    Args:
        chunks: What can be found.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._words = [(chunk, _words(chunk.passage)) for chunk in chunks]
        self._spread = Counter(word for _, words in self._words for word in words)

    @property
    def banner(self) -> str:
        """What serves: words, no model."""
        return "keyword search, no embedding model"

    @property
    def refusal(self) -> Refusal | None:
        """None: word overlap says nothing about whether a question is answered."""
        return None

    @property
    def versions(self) -> tuple[str, ...]:
        """None."""
        return ()

    def search(
        self,
        question: str,
        top: int,
        *,
        where: SearchFilter = EVERYWHERE,
        budget: int = 0,
        count: Callable[[str], int] | None = None,
    ) -> list[Hit]:
        """Find chunks that share words with a question.

        Args:
            question: Any text.
            top: Most hits to return.
            where: Which chunks may be found; there are no versions here.
            budget: Tokens that the passages may have together, the first one excepted; 0: any number.
            count: Tokens of a text; None: as the chunks say.

        Returns:
            Hits, best first, ties by chunk id; chunks that share no word are none.
        """
        asked = _words(question)
        scored = [(self._score(asked & words), chunk) for chunk, words in self._words if _passes(chunk, where)]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].id))[:top]
        while budget and len(best) > 1 and sum(_tokens(chunk, count) for _, chunk in best) > budget:
            best.pop()
        return [
            Hit(rank, score, chunk, signals=Signals(lexical=score, lexical_rank=rank))
            for rank, (score, chunk) in enumerate(best, 1)
        ]

    def counterparts(self, chunk: Chunk) -> list[Chunk]:  # noqa: ARG002 - the protocol's
        """None: there is one version."""
        return []

    def version_of(self, chunk: Chunk) -> str:  # noqa: ARG002 - the protocol's
        """No label."""
        return ""

    def _score(self, shared: set[str]) -> float:
        # Summed in a fixed order: floats add up differently under another hash seed.
        return sum(math.log1p(len(self._words) / self._spread[word]) for word in sorted(shared))


def _passes(chunk: Chunk, where: SearchFilter) -> bool:
    return where.source in {"", chunk.source} and (not where.path or fnmatchcase(chunk.path, where.path))


def _tokens(chunk: Chunk, count: Callable[[str], int] | None) -> int:
    return count(chunk.passage) if count else chunk.tokens


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
