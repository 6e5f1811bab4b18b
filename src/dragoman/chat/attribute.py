"""Which passage does a sentence come from, when the model that wrote it did not say?

In: an answer without citations and the passages that its writer was shown. Out: the answer with ``[n]`` after each
sentence whose words stand in passage n. Small models rarely cite; a sentence that matches nothing stays without
a number, which tells a reader something, too.
"""

import re
from collections.abc import Sequence

from dragoman.records import Hit

_FENCED = re.compile(
    r"(^[ \t>]*(?:`{3,}|~{3,})[^\n]*\n.*?(?:^[ \t>]*(?:`{3,}|~{3,})[ \t]*$|\Z))", re.DOTALL | re.MULTILINE
)
_SENTENCES = re.compile(r"((?<=[.!?:])\s+|\n+)")
_WORD = re.compile(r"[^\W_]{3,}")
_END = re.compile(r"([.!?:]*)\Z")
_SHARE = 0.6  # of a sentence's words that must stand in the passage
_MINIMUM = 3  # words; fewer would match by chance
_COMMON = frozenset(
    [
        "about",
        "also",
        "and",
        "any",
        "are",
        "can",
        "for",
        "from",
        "has",
        "have",
        "how",
        "into",
        "its",
        "may",
        "must",
        "not",
        "should",
        "such",
        "than",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "use",
        "used",
        "using",
        "was",
        "were",
        "when",
        "where",
        "which",
        "will",
        "with",
        "you",
        "your",
    ]
)


def attributed(text: str, shown: Sequence[Hit]) -> tuple[str, tuple[int, ...]]:
    """Add the numbers of the passages that sentences come from.

    Args:
        text: An answer in Markdown, without citations.
        shown: The passages, numbered from 1 in this order.

    Returns:
        The text, code left alone, and the numbers added, ascending, each once.
    """
    passages = [_words(hit.chunk.passage) for hit in shown]
    numbers: set[int] = set()

    parts = _FENCED.split(text)
    for part in range(0, len(parts), 2):
        pieces = _SENTENCES.split(parts[part])
        for place in range(0, len(pieces), 2):
            number = _source(pieces[place], passages)
            if number:
                numbers.add(number)
                pieces[place] = _END.sub(rf" [{number}]\1", pieces[place], count=1)
        parts[part] = "".join(pieces)
    return "".join(parts), tuple(sorted(numbers))


def _source(sentence: str, passages: Sequence[frozenset[str]]) -> int:
    """Number of the passage that holds most of the sentence's words; 0 when none holds enough."""
    words = _words(sentence)
    if len(words) < _MINIMUM:
        return 0
    shares = [len(words & passage) / len(words) for passage in passages]
    best = max(range(len(shares)), key=lambda place: (shares[place], -place), default=-1)
    return best + 1 if best >= 0 and shares[best] >= _SHARE else 0


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text.casefold()) if word not in _COMMON)
