"""One page cut into chunks, and a tokenizer for which each letter is a token."""

from collections.abc import Iterator, Sequence
from typing import Any

from dragoman.config import ChunkSettings
from dragoman.ingest.chunk import Chunked, chunk_documents
from dragoman.models.tokens import Ruler, TokenCounter, WordTokens
from dragoman.records import Document


def cut(text: str, budget: int = 64, tokens: TokenCounter | None = None, **fields: Any) -> Chunked:
    """The chunks of a page with this text."""
    document = Document(source="kitchen", path="kettle.md", text=text, title="Kettles", **fields)
    return chunk_documents([document], tokens or WordTokens(), ChunkSettings(tokens=budget))


class LetterTokens(WordTokens):
    """Each code point is a token."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        return [sum(not letter.isspace() for letter in text) + self.special for text in texts]

    def rulers(self, texts: Sequence[str]) -> Iterator[Ruler]:
        """A ruler for each text, in order."""
        for text in texts:
            yield LetterRuler(text)


class LetterRuler:
    """Counts the code points that are no white space."""

    def __init__(self, text: str) -> None:
        self.text = text

    def count(self, start: int, end: int) -> int:
        """Tokens of the characters ``[start, end)``."""
        return sum(not letter.isspace() for letter in self.text[start:end])
