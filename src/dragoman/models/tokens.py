"""Counting tokens the way the embedding model does.

In: texts. Out: counts and token offsets. The tokenizer file of a model may ship with truncation and
padding switched on, which makes counts silently wrong: both are switched off here.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import ModelError

Offsets = NDArray[np.int64]


class TokenCounter(Protocol):
    """Counts tokens as one embedding model sees them."""

    @property
    def special(self) -> int:
        """Tokens that the model puts around every text."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        ...

    def starts(self, text: str) -> Offsets:
        """Character offset at which each token of the text starts, ascending, no special tokens."""
        ...


class ModelTokens:
    """Counts with the ``tokenizer.json`` of a model folder.

    Args:
        folder: A folder that holds ``tokenizer.json``.

    Raises:
        ModelError: The file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelError(f"no tokenizer.json in {folder}", hint="Fetch the model again: dragoman models pull")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise ModelError(f"cannot read {path}: {error}", hint="Fetch it again: dragoman models pull") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def special(self) -> int:
        """Tokens that the model puts around every text."""
        return int(self._tokenizer.num_special_tokens_to_add(is_pair=False))

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def starts(self, text: str) -> Offsets:
        """Character offset at which each token of the text starts, ascending, no special tokens."""
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return np.fromiter((start for start, _ in offsets), dtype=np.int64, count=len(offsets))


_WORD = re.compile(r"\w+|[^\w\s]")


class WordTokens:
    """A stand-in that needs no model: a word or a punctuation mark is a token."""

    special = 2

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        return [len(_WORD.findall(text)) + self.special for text in texts]

    def starts(self, text: str) -> Offsets:
        """Character offset at which each token of the text starts, ascending, no special tokens."""
        return np.fromiter((match.start() for match in _WORD.finditer(text)), dtype=np.int64)
