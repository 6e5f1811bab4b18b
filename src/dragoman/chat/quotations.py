"""Answers in the documentation's own words: the best passages, quoted, with the sentences that answer in bold.

In: a question and its hits. Out: a Markdown block a passage, under its heading trail with a link. A sentence is chosen by the words that it
shares with the question, the rarer among all sentences found the weightier. Knows no model.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dragoman.chat.excerpt import quotable, shorten
from dragoman.chat.words import content_words
from dragoman.records import Chunk, Citation, Hit

# Passages, and characters of each.
_SIZES: dict[Literal["short", "medium", "long"], tuple[int, int]] = {
    "short": (3, 1200),
    "medium": (3, 2400),
    "long": (5, 4800),
}
_NEAR_BEST = 0.7  # of the best sentence's score, for another to be in bold, too
_BOLD = 2  # sentences of a passage
_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})")
_NO_SENTENCE = re.compile(r"^\s*(?:\||#|!!!|\?\?\?|:::|>|\[\^?[^\]]*\]:|\*\*[^*]+\*\*\s*$|[-=*_]{3,}\s*$)")
_MARKER = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
_SPAN = re.compile(r"(`+)(?!`)[^\n]*?(?<!`)\1(?!`)|\]\([^)\s]*\)")
_SENTENCE = re.compile(r"\S(?:.*?[.!?:][\"')\]*_]*(?=\s+[A-Z`\"'(\[*_\d])|.*\Z)", re.DOTALL)
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e)$")


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int
    end: int
    words: frozenset[str]


def quotations(
    question: str, hits: Sequence[Hit], length: Literal["short", "medium", "long"] = "short"
) -> list[tuple[str, Citation]]:
    """The best passages as an answer.

    Args:
        question: The question as it stands alone.
        hits: Best first, with their context.
        length: How many are quoted and how much of each; from "medium" on with the rest of its section.

    Returns:
        Each passage's Markdown and its source.
    """
    passages, limit = _SIZES[length]
    citations = [Citation(number, hit) for number, hit in enumerate(hits[:passages], 1)]
    texts = [_quotable(one.hit, whole=length != "short") for one in citations]
    chosen = _answering(question, [list(_sentences(text)) for text in texts])
    quoted = [_shown(text, sentences, limit) for text, sentences in zip(texts, chosen, strict=True)]
    return [(_block(one, quote), one) for one, quote in zip(citations, quoted, strict=True)]


def trail_of(chunk: Chunk) -> str:
    """The heading trail as a reader sees it: ``Reply › Methods › send``; the path when there is none."""
    return " › ".join(chunk.trail) or chunk.title or chunk.path


def place_of(chunk: Chunk) -> str:
    """File and source lines: ``guides/start.md:12-30``."""
    lines = f"{chunk.start_line}-{chunk.end_line}" if chunk.end_line > chunk.start_line else str(chunk.start_line)
    return f"{chunk.origin}:{lines}"


def linked_trail(chunk: Chunk) -> str:
    """The heading trail as a Markdown link, where the section has an address."""
    trail = trail_of(chunk).replace("[", "(").replace("]", ")")
    return f"[{trail}]({chunk.url})" if chunk.url else trail


def _block(citation: Citation, quote: str) -> str:
    chunk = citation.hit.chunk
    quoted = "\n".join(f"> {line}".rstrip() for line in quote.split("\n"))
    return f"[{citation.number}] **{linked_trail(chunk)}** (`{place_of(chunk)}`)\n\n{quoted}"


def _quotable(hit: Hit, *, whole: bool) -> str:
    chunk = hit.chunk
    section = [one for one in hit.read if one.section == chunk.section] if whole else [chunk]
    text = "\n\n".join(one.text.strip("\n") for one in section)
    return quotable(text, heading=chunk.trail[-1] if chunk.trail else "")


def _answering(question: str, passages: Sequence[Sequence[_Sentence]]) -> list[list[_Sentence]]:
    """The sentences of each passage that share most with the question."""
    asked = _stems(question)
    everything = [sentence for sentences in passages for sentence in sentences]
    spread = Counter(word for sentence in everything for word in sentence.words & asked)

    def score(sentence: _Sentence) -> float:
        # Summed in a fixed order: floats add up differently under another hash seed.
        return sum(math.log1p(len(everything) / spread[word]) for word in sorted(sentence.words & asked))

    best = max(map(score, everything), default=0.0)
    chosen = []
    for sentences in passages:
        near = [one for one in sentences if best and score(one) >= _NEAR_BEST * best]
        chosen.append(sorted(sorted(near, key=score, reverse=True)[:_BOLD], key=lambda one: one.start))
    return chosen


def _shown(text: str, sentences: Sequence[_Sentence], limit: int) -> str:
    """The text with these sentences in bold; when it is cut, so that the first of them is there."""
    start = 0
    if sentences and sentences[0].end > limit:
        start = text.rfind("\n\n", 0, sentences[0].start) + 1
    parts, end = ["…\n" if start else ""], start
    for one in sentences:
        sentence = text[one.start : one.end].replace("**", "")
        parts += [text[end : one.start], f"**{sentence}**"]
        end = one.end
    return shorten("".join([*parts, text[end:]]), limit)


def _sentences(text: str) -> Iterator[_Sentence]:
    """The sentences of a Markdown text outside code blocks, tables and headings."""
    for start, end in _paragraphs(text):
        # Dots within code and addresses end no sentence.
        plain = _SPAN.sub(lambda span: "x" * len(span[0]), text[start:end])
        for match in _SENTENCE.finditer(plain):
            sentence = text[start + match.start() : start + match.end()].rstrip()
            if _balanced(sentence):
                yield _Sentence(start + match.start(), start + match.start() + len(sentence), _stems(sentence))


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Where each paragraph or list item starts and ends, its marker left out."""
    fence, start, place = "", -1, 0
    for line in [*text.split("\n"), ""]:
        mark, item = _FENCE.match(line), _MARKER.match(line)
        is_prose = bool(line.strip()) and not (fence or mark or _NO_SENTENCE.match(line))
        if start >= 0 and (item or not is_prose):
            yield start, place - 1
            start = -1
        if is_prose and start < 0:
            start = place + (item.end() if item else len(line) - len(line.lstrip()))
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip(" \t>").startswith(fence) and not line.strip(" \t>`~"):
            fence = ""
        place += len(line) + 1


def _balanced(sentence: str) -> bool:
    """Whether no link, code span or emphasis begins in the sentence and ends after it, or the other way round."""
    return sentence.count("[") == sentence.count("]") and all(sentence.count(mark) % 2 == 0 for mark in ("`", "**"))


def _stems(text: str) -> frozenset[str]:
    return frozenset(_ENDING.sub("", word.casefold()) for word in content_words(text))
