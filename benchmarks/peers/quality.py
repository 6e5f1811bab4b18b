"""Facts about chunks, taken in the same way for every system.

In: texts, the chunks that a system made of them (both a JSON value a line), the tokenizer, the budget. Out: one JSON
line. It knows nothing of who made the chunks: headings, fences and tokens are found here again, with plain rules.
"""

import argparse
import json
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tokenizers import Tokenizer

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t#]*$")
_LINK = re.compile(r"\]\([^)]*\)|\{#[^}]*\}|<[^>]*>")
_REST = re.compile(r"[\W_]+")
_START = 80  # letters and digits by which a chunk is found in its document


@dataclass(frozen=True, slots=True)
class Page:
    """A document as the checks need it: letters and digits alone, where each heading stands among them, its fences."""

    letters: str
    places: list[int]
    headings: list[str]
    fences: list[str]


def letters(text: str) -> str:
    """Letters and digits alone, in lower case: what is left when white space and marks are handled in different ways."""
    return _REST.sub("", text.lower())


def read_page(text: str) -> Page:
    """Headings (``#`` only) and closed fences of a text; a heading inside a fence is none."""
    whole: list[str] = []
    places: list[int] = []
    headings: list[str] = []
    fences: list[str] = []
    at, mark, inside = 0, "", list[str]()
    for line in text.split("\n"):
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        if mark:
            inside.append(line)
            if fence and fence[1].startswith(mark) and not fence[2].strip():
                fences.append("\n".join(inside))
                mark = ""
        elif fence and "`" not in fence[2]:
            mark, inside = fence[1], [line]
        elif heading and letters(heading[1]):
            places.append(at)
            headings.append(letters(_LINK.sub("", heading[1])))
        whole.append(letters(line))
        at += len(whole[-1])
    return Page("".join(whole), places, headings, fences)


class Facts:
    """Counts over all documents."""

    def __init__(self, tokenizer: Tokenizer, budget: int) -> None:
        self.tokenizer, self.budget = tokenizer, budget
        self.n: Counter[str] = Counter()
        self.tokens: list[int] = []

    def add(self, text: str, pieces: list[tuple[str, str, int, str]]) -> None:
        """Count one document and what was made of it."""
        page, n = read_page(text), self.n
        bare = [letters(piece[0]) for piece in pieces]
        self.tokens += self._count([piece[3] for piece in pieces])
        for one, (chunk, _, start, embedded) in zip(bare, pieces, strict=True):
            marks = sum(1 for line in embedded.split("\n") if _FENCE.match(line))
            n["odd"] += marks % 2
            n["told"] += start >= 0
            n["right"] += start >= 0 and text.startswith(chunk, start)
            n["kept"] += len(one)
        n["letters"] += len(page.letters)
        self._fences(page, bare)
        self._headings(page, bare, pieces)

    def _fences(self, page: Page, bare: list[str]) -> None:
        """A fence that takes at most half the budget has no reason to be cut."""
        counts = self._count(page.fences)
        for fence, count in zip(page.fences, counts, strict=True):
            wanted = letters(fence)
            if wanted and count <= self.budget // 2:
                self.n["fences"] += 1
                self.n["cut"] += not any(wanted in one for one in bare)

    def _headings(self, page: Page, bare: list[str], pieces: list[tuple[str, str, int, str]]) -> None:
        """Does the chunk, or what is told beside it, hold the heading above its first words?"""
        cursor = 0
        for one, piece in zip(bare, pieces, strict=True):
            at = page.letters.find(one[:_START], cursor) if one else -1
            if at < 0:
                continue
            cursor = at
            above = bisect_right(page.places, at) - 1
            if above >= 0:
                self.n["below"] += 1
                self.n["known"] += page.headings[above] in letters(piece[1]) + " " + letters(piece[3])

    def _count(self, texts: list[str]) -> list[int]:
        return [len(one.ids) for one in self.tokenizer.encode_batch_fast(texts)] if texts else []

    def result(self) -> dict[str, float | int | None]:
        """Shares from 0 to 1; ``None`` where there is nothing to judge."""
        n, chunks = self.n, len(self.tokens)
        over = sum(count > self.budget for count in self.tokens)
        return {
            "chunks": chunks,
            "median_tokens": int(median(self.tokens)) if chunks else None,
            "most_tokens": max(self.tokens, default=0),
            "over_budget": _share(over, chunks),
            "short_fences_cut": _share(n["cut"], n["fences"]),
            "odd_fence_marks": _share(n["odd"], chunks),
            "heading_known": _share(n["known"], n["below"]),
            "offsets_right": _share(n["right"], chunks) if n["told"] else None,
            "text_kept": _share(n["kept"], n["letters"]),
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 5) if whole else None


def main() -> None:
    """Read both files side by side and print the facts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("texts", "chunks", "tokenizer"):
        parser.add_argument(name, type=Path)
    parser.add_argument("budget", type=int)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    facts = Facts(tokenizer, options.budget)
    with options.texts.open(encoding="utf-8") as texts, options.chunks.open(encoding="utf-8") as chunks:
        for text, pieces in zip(texts, chunks, strict=True):
            facts.add(json.loads(text), json.loads(pieces))
    print(json.dumps(facts.result()))


if __name__ == "__main__":
    main()
