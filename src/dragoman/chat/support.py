"""How well the passages bear out each sentence of an answer, without any model.

In: an answer in Markdown and the passages that its writer was shown. Out: a score for each sentence, and the passage that bears it out best.
A sentence is compared by its words, the rarer the weightier; numbers, names of code and negations count for more, since they
are what a wrong sentence gets wrong. Knows no language but the English words of negation.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dragoman.chat.excerpt import outside_code
from dragoman.records import Hit, Support

SUPPORTED = 0.5  # from which score on a sentence counts as borne out
_FENCED = re.compile(
    r"(^[ \t>]*(?:`{3,}+|~{3,}+)[^\n]*\n.*?(?:^[ \t>]*(?:`{3,}|~{3,})[ \t]*$|\Z))", re.DOTALL | re.MULTILINE
)
_BREAK = re.compile(
    r"((?<=[.!?:])(?<!e\.g\.)(?<!i\.e\.)[*_\"')\]]*(?:[ \t]*\[\d+\])*\s+(?![a-z])(?=\w|[*_`\"'(\[])|\n+)"
)
_CITED = re.compile(r"\[(\d+)\]")
_TERM = re.compile(r"--?[a-zA-Z][\w-]*|\w+(?:[.:/-]+\w+)*", re.ASCII)
_WORD = re.compile(r"[^\W_]+")
_CODE_LIKE = re.compile(r"_|\.|::|/|^--|[a-z\d][A-Z]|\d")
_ENDING = re.compile(r"(?<=\w{4})(?:ations?|ments?|ings?|ers?|ed|es|ly|s|e)$")
_NEGATION = re.compile(r"\b(?:not|no|never|none|neither|nor|cannot|without|unless)\b|n['’]t\b", re.IGNORECASE)
_MARKUP = re.compile(r"^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+|[*_]{2}|^[ \t]*\|", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]")
_FEWEST = 2  # words that say something; a sentence of fewer says too little to be judged
_WINDOW = 3  # sentences of a passage that are read together
_NAME_WEIGHT = 1.5
_NUMBER_MISSED = 0.5  # what is left of a score when a number of the sentence is not in the passage
_NEGATION_MISSED = 0.6
_COMMON_WORDS = (
    "a about after all also an and any are as at be been being but by can could did do does done each either else "
    "etc even every example for from had has have here how however i if in into is it its itself just let like made "
    "make makes may me might more most must my need needs of on once one only or other our out over own same see "
    "set shall should so some such than that the their them then there these they this those thus to too up us use "
    "used uses using via want was we well were what when where whether which while who why will with within would "
    "yes you your yourself following follows provide provides allow allows note simply please"
)
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class _Passage:
    terms: frozenset[str]
    windows: tuple[frozenset[str], ...]
    negated: tuple[bool, ...]


class Evidence:
    """The passages that an answer was written from, prepared for comparing sentences with them.

    Args:
        shown: The passages, numbered from 1 in this order; all that was read with each counts.
    """

    def __init__(self, shown: Sequence[Hit]) -> None:
        self._passages = [_prepared(hit) for hit in shown]
        windows = [window for passage in self._passages for window in passage.windows]
        self._spread = Counter(term for window in windows for term in window)
        self._windows = len(windows)

    def scores(self, sentence: str) -> list[float]:
        """How well each passage bears out a sentence, in [0, 1]; none when the sentence says too little to be judged."""
        terms = _terms(sentence)
        if len(terms) < _FEWEST:
            return []
        numbers = {term for term in terms if term[0].isdigit()}
        weights = {term: self._weight(term) for term in sorted(terms)}
        negated = bool(_NEGATION.search(sentence))
        return [self._score(weights, numbers, passage, negated=negated) for passage in self._passages]

    def _score(self, weights: dict[str, float], numbers: set[str], passage: _Passage, *, negated: bool) -> float:
        shares = [_share(weights, window) for window in passage.windows]
        nearest = max(range(len(shares)), key=lambda place: (shares[place], -place), default=-1)
        if nearest < 0:
            return 0.0
        score = (shares[nearest] + _share(weights, passage.terms)) / 2
        if numbers - passage.terms:
            score *= _NUMBER_MISSED
        if negated and not passage.negated[nearest]:
            score *= _NEGATION_MISSED
        return round(score, 3)

    def _weight(self, term: str) -> float:
        rarity = math.log1p((self._windows + 1) / (self._spread[term] + 1))
        return rarity * (_NAME_WEIGHT if _CODE_LIKE.search(term) else 1.0)


def supports(text: str, shown: Sequence[Hit]) -> tuple[Support, ...]:
    """Score the sentences of an answer.

    Args:
        text: The answer in Markdown, its citations as ``[n]``.
        shown: The passages, numbered from 1 in this order.

    Returns:
        A ``Support`` for each sentence outside code blocks that says enough to be judged, in their order. The score of a sentence
        with citations is that of the best passage it cites; ``number`` is the best passage of all.
    """
    evidence = Evidence(shown)
    found = []
    for sentence in sentences(text):
        scores = evidence.scores(sentence)
        if not scores:
            continue
        best = max(range(len(scores)), key=lambda place: (scores[place], -place))
        cited = tuple(
            dict.fromkeys(int(number) for number in _CITED.findall(sentence) if 0 < int(number) <= len(shown))
        )
        score = max((scores[number - 1] for number in cited), default=scores[best])
        found.append(Support(_plain(sentence), score, best + 1 if scores[best] else 0, cited))
    return tuple(found)


def sentences(text: str) -> list[str]:
    """The sentences, list items and table rows of a Markdown text, without headings and code blocks, citations included."""
    return [piece for piece, is_sentence in pieces(text) if is_sentence and piece.strip() and not _HEADING.match(piece)]


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a Markdown text into sentences and what is between them.

    Args:
        text: Markdown.

    Yields:
        A stretch of the text and whether it is a sentence; joined, the stretches are the text.
    """
    for part, block in enumerate(_FENCED.split(text)):
        if part % 2:
            yield block, False
            continue
        end = 0
        for match in _BREAK.finditer(block):
            # The citations behind a full stop are the sentence's own.
            after = match.start() + len(match[0].rstrip())
            yield block[end:after], True
            yield block[after : match.end()], False
            end = match.end()
        yield block[end:], True


def _prepared(hit: Hit) -> _Passage:
    trail = _terms(" ".join(hit.chunk.trail))
    lines = [line for chunk in hit.read for line in _lines(chunk.passage)]
    terms = [_terms(line) for line in lines]
    negated = [bool(_NEGATION.search(line)) for line in lines]
    starts = range(max(1, len(lines) - _WINDOW + 1))
    windows = tuple(trail.union(*terms[start : start + _WINDOW]) for start in starts)
    return _Passage(trail.union(*terms), windows, tuple(any(negated[start : start + _WINDOW]) for start in starts))


def _lines(text: str) -> Iterator[str]:
    """Sentences of prose and lines of code."""
    for piece, is_sentence in pieces(text):
        yield from (line for line in ([piece] if is_sentence else piece.split("\n")) if _WORD.search(line))


def _share(weights: dict[str, float], terms: frozenset[str]) -> float:
    return sum(weight for term, weight in weights.items() if term in terms) / sum(weights.values())


def _terms(text: str) -> frozenset[str]:
    """What a text says: stems of its words, its numbers, its names of code whole and in parts."""
    plain = _CITED.sub(" ", text)
    words = [word.casefold() for word in _WORD.findall(plain)]
    found = {_stem(word) for word in words if word not in _COMMON and (len(word) > 1 or word.isdigit())}
    return frozenset(found.union(_names(plain)))


def _names(text: str) -> Iterable[str]:
    return (name.casefold() for name in _TERM.findall(text) if _CODE_LIKE.search(name) and not name.isdigit())


def _stem(word: str) -> str:
    return word if any(char.isdigit() for char in word) else _ENDING.sub("", word)


def _plain(sentence: str) -> str:
    """The sentence as a reader would quote it."""
    words = outside_code(_CITED.sub("", sentence), lambda prose: _MARKUP.sub("", prose))
    return " ".join(re.sub(r"\s+([.,;:!?])", r"\1", words).split())
