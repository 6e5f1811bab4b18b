"""A small real searcher without any model: for tests, and for trying the chat on a handful of chunks.

In: chunks. Out: hits, ranked by the question's rarer words that a passage shares. Knows no index or vectors.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from dragoman.records import Chunk, Hit

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

    def search(self, question: str, top: int) -> list[Hit]:
        """Find chunks that share words with a question.

        Args:
            question: Any text.
            top: Most hits to return.

        Returns:
            Hits, best first, ties by chunk id; chunks that share no word are none.
        """
        asked = _words(question)
        scored = [(self._score(asked & words), chunk) for chunk, words in self._words]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].id))
        return [Hit(rank=rank, score=score, chunk=chunk) for rank, (score, chunk) in enumerate(best[:top], 1)]

    def _score(self, shared: set[str]) -> float:
        # Summed in a fixed order: floats add up differently under another hash seed.
        return sum(math.log1p(len(self._words) / self._spread[word]) for word in sorted(shared))


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
