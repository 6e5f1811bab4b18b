"""Counting tokens the way the embedding model does.

In: texts. Out: counts, of whole texts and of any part of a document. The tokenizer file of a model may ship with truncation and
padding switched on, which makes counts silently wrong: both are switched off here. It knows nothing of Markdown.
"""

import json
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import accumulate, compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dragoman.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Ruler(Protocol):
    """Measures parts of one text."""

    def count(self, start: int, end: int) -> int:
        """Tokens of the characters ``[start, end)``, without special tokens."""
        ...


class TokenCounter(Protocol):
    """Counts tokens as one embedding model sees them."""

    @property
    def special(self) -> int:
        """Tokens that the model puts around every text."""
        ...

    @property
    def additive(self) -> bool:
        """Whether the counts of two parts, cut at white space, always add up to that of the whole."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        ...

    def rulers(self, texts: Sequence[str]) -> Iterator[Ruler]:
        """A ruler for each text, in order."""
        ...


class ModelTokens:
    """Counts with the ``tokenizer.json`` of a model folder.

    A tokenizer of BERT's kind cuts a text at white space before it does anything else, so its lines are counted once, each by itself.

    Args:
        folder: A folder that holds ``tokenizer.json``.

    Raises:
        ModelError: The file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._folder = folder
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelError(f"no tokenizer.json in {folder}", hint="Fetch the model again: dragoman models pull")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
            layout = json.loads(path.read_text(encoding="utf-8"))
        except Exception as error:
            raise ModelError(f"cannot read {path}: {error}", hint="Fetch it again: dragoman models pull") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._lines = _Lines(self._tokenizer, path, _added(layout)) if _cuts_at_words(layout) else None
        self._special = int(self._tokenizer.num_special_tokens_to_add(is_pair=False))

    def __reduce__(self) -> tuple[object, ...]:
        return (_loaded, (self._folder,))  # a process loads it once

    @property
    def special(self) -> int:
        """Tokens that the model puts around every text."""
        return self._special

    @property
    def additive(self) -> bool:
        """Whether the counts of two parts, cut at white space, always add up to that of the whole."""
        return self._lines is not None

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        if self._lines:
            return [self._lines.count(text) + self.special for text in texts]
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def rulers(self, texts: Sequence[str]) -> Iterator[Ruler]:
        """A ruler for each text, in order."""
        if self._lines:
            for text in texts:
                yield _LineRuler(text, self._lines)
            return
        for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False):
            yield _OffsetRuler(start for start, _ in encoding.offsets)


@cache
def _loaded(folder: Path) -> ModelTokens:
    return ModelTokens(folder)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _cuts_at_words(layout: object) -> bool:
    """Whether a tokenizer is one of BERT's: white space always parts two words, and each is tokenised by itself."""
    if not isinstance(layout, dict):
        return False
    kinds = [layout.get(part) for part in ("normalizer", "pre_tokenizer", "model")]
    named = [kind.get("type") if isinstance(kind, dict) else None for kind in kinds]
    return named == ["BertNormalizer", "BertPreTokenizer", "WordPiece"] and not any(
        " " in added for added in _added(layout)
    )


def _added(layout: dict[str, Any]) -> list[str]:
    """The tokens that stand for themselves in a text, such as ``[MASK]``."""
    return [str(token.get("content")) for token in layout.get("added_tokens") or []]


class _Lines:
    """Counts lines, each by itself, with the fastest tokenizer at hand.

    tokie makes the ids of ``tokenizers``, several times as fast, for lines of printable ASCII; beyond them it differs here and there,
    so that those lines are left to ``tokenizers`` (tests/models/test_tokens.py compares the two).
    """

    def __init__(self, tokenizer: "Tokenizer", path: Path, added: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.added = re.compile("|".join(map(re.escape, added)) or r"(?!)")
        self.fast: Any = None
        if find_spec("tokie"):
            import tokie

            self.fast = tokie.Tokenizer.from_json(str(path))
            self.fast.no_truncation()

    def count(self, text: str) -> int:
        """Tokens of one line or of any other text, without special tokens."""
        if self.fast is not None and self._plain(text):
            return int(self.fast.count_tokens(text.replace("\t", " ")))
        return len(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def count_all(self, text: str, lines: list[str]) -> list[int]:
        """Tokens of each line of a text."""
        if self.fast is None:
            return self._slow(lines)
        if self._plain(text):
            # One by one: for a batch it would start threads, which takes longer than a page.
            return list(map(self.fast.count_tokens, text.replace("\t", " ").split("\n")))
        odd = _CONTROL.search(text) or self.added.search(text)
        plain = [self._plain(line) for line in lines] if odd else [line.isascii() for line in lines]
        quick = map(self.fast.count_tokens, (line.replace("\t", " ") for line in compress(lines, plain)))
        slow = iter(self._slow([line for line, easy in zip(lines, plain, strict=True) if not easy]))
        return [next(quick if easy else slow) for easy in plain]

    def _plain(self, text: str) -> bool:
        return text.isascii() and not _CONTROL.search(text) and not self.added.search(text)

    def _slow(self, lines: list[str]) -> list[int]:
        return [len(encoding.ids) for encoding in self.tokenizer.encode_batch_fast(lines, add_special_tokens=False)]


class _LineRuler:
    """Counts whole lines by a running sum, and what is not a whole line by itself: white space parts tokens."""

    def __init__(self, text: str, lines: _Lines) -> None:
        self.text, self.lines = text, lines
        parts = text.split("\n")
        self.starts = array("q", accumulate((len(line) + 1 for line in parts), initial=0))
        self.sums = array("q", accumulate(lines.count_all(text, parts), initial=0))

    def count(self, start: int, end: int) -> int:
        """Tokens of the characters ``[start, end)``, without special tokens."""
        if start >= end:
            return 0
        starts = self.starts
        first, last = bisect_left(starts, start), bisect_right(starts, end) - 1
        if end < len(self.text) and self.text[end] == "\n" and end != starts[last]:
            last, end = last + 1, end + 1  # the line break that follows is nothing
        if first > last:
            return self.lines.count(self.text[start:end])
        total = self.sums[last] - self.sums[first]
        if start < starts[first]:
            total += self.lines.count(self.text[start : starts[first]])
        if starts[last] < end:
            total += self.lines.count(self.text[starts[last] : end])
        return int(total)


class _OffsetRuler:
    """Counts the tokens that start in a part: right to a token or two for any tokenizer."""

    def __init__(self, starts: Iterable[int]) -> None:
        self.starts = array("q", starts)

    def count(self, start: int, end: int) -> int:
        """Tokens of the characters ``[start, end)``, without special tokens."""
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)


_WORD = re.compile(r"\w+|[^\w\s]")


class WordTokens:
    """A stand-in that needs no model: a word or a punctuation mark is a token."""

    special = 2
    additive = True

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        return [len(_WORD.findall(text)) + self.special for text in texts]

    def rulers(self, texts: Sequence[str]) -> Iterator[Ruler]:
        """A ruler for each text, in order."""
        for text in texts:
            yield _OffsetRuler(match.start() for match in _WORD.finditer(text))
