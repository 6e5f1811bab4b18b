"""The words that full-text search sees: of a chunk, of a section, of a question.

LanceDB's tokenizer cuts at everything that is no letter or digit, so ``client.users`` is two common
words and ``getUserById`` one rare one. Identifiers are therefore added whole (``clientusers``, on both
sides) and, for what is indexed, in their camel-case parts. It knows no table and no score.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from dragoman.records import Chunk

# What begins within a word is not tried at each of its letters.
_IDENTIFIER = re.compile(r"(?<![^\W\d])[^\W\d]\w*(?:\.[^\W\d]\w*)+|(?<!\w)\w*[^\W_]_+[^\W_]\w*|--[^\W_]\w*(?:-\w+)*")
_CAMEL = re.compile(r"\b[^\W_]*[a-z\d][A-Z][^\W_]*|\b[A-Z]{2,}[a-z][^\W_]*")
_CAMEL_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORD = re.compile(r"[^\W_]+")
_REMEMBERED = 1 << 16


def chunk_terms(chunk: Chunk) -> str:
    """What full-text search finds a chunk by: its passage and its identifiers, whole and in parts."""
    return _with_identifiers(chunk.passage)


def section_terms(chunks: Sequence[Chunk]) -> str:
    """What full-text search finds a section by: the heading trail once, then the text of its chunks.

    Args:
        chunks: All chunks of one section, in reading order; at least one.

    Returns:
        One text.
    """
    return _with_identifiers("\n".join([" ".join(chunks[0].trail), *(chunk.text for chunk in chunks)]))


def question_terms(question: str) -> str:
    """The distinct words of a question and its identifiers as a whole.

    A word counts once: in a pasted traceback, repetition is no emphasis.

    Args:
        question: Any text, also empty, very long, or with lone surrogates.

    Returns:
        Words with blanks between; safe for any full-text engine, as it holds no operator or quote.
    """
    text = question.encode("utf-8", "ignore").decode("utf-8")
    words = [word.lower() for word in _WORD.findall(text)]
    return " ".join(dict.fromkeys([*words, *_whole(text)]))


def _with_identifiers(text: str) -> str:
    return "\n".join([text, " ".join(filter(None, map(_names, text.split())))])


@lru_cache(maxsize=_REMEMBERED)
def _names(word: str) -> str:
    """What a word is found by beside what the tokenizer makes of it. Docs repeat their words: most are looked up."""
    parts = [part for name in _CAMEL.findall(word) for part in _CAMEL_PART.findall(name)]
    return " ".join([*_whole(word), *parts])


def _whole(text: str) -> list[str]:
    return ["".join(_WORD.findall(name)).lower() for name in _IDENTIFIER.findall(text)]
