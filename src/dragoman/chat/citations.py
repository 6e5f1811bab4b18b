"""Checks the citations of an answer while it is still being written.

In: the pieces of a model's Markdown, as they come. Out: the same text with every citation in the form
``[2]``, and without those that name no passage. Knows nothing of passages but how many there are.
Code is left alone: ``items[0]`` is an index there, not a source.
"""

import re

from dragoman.chat.fences import CodeWatch

_CITATION = re.compile(r"\[\s*(?:(?:passage|source)s?\s*)?(\d+(?:\s*(?:[,;–-]|and)\s*\d+)*)\s*\]", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)\s*[–-]\s*(\d+)")
_BRACKET_LENGTH = 40  # characters to wait for the "]" of a citation before it is taken for plain text


class CitationFilter:
    """A stream filter: text in, piece by piece; text with sound citations out.

    Args:
        passages: How many passages the model saw; they are numbered from 1.
    """

    def __init__(self, passages: int) -> None:
        self._passages = passages
        self._code = CodeWatch()
        self._held = ""  # blanks and an open bracket, not yet passed on
        self.cited: list[int] = []
        self.unknown: list[int] = []

    def feed(self, piece: str) -> str:
        """Take a piece of the answer.

        Args:
            piece: Any number of characters; it may end in the middle of a citation.

        Returns:
            What can be shown by now; the rest is held back until it is clear what it is.
        """
        return "".join(self._release() + char if self._code.sees(char) else self._prose(char) for char in piece)

    def close(self) -> str:
        """End of the answer.

        Returns:
            What was still held back, without blanks at its end.
        """
        return self._release().rstrip()

    def _prose(self, char: str) -> str:
        """Outside code: hold a bracket back until it closes, and the blanks before it with it."""
        if "[" not in self._held:
            if char in " \t[":
                self._held += char
                return ""
            return self._release() + char
        self._held += char
        if char == "]":
            return self._judged()
        if char == "\n" or len(self._held) > _BRACKET_LENGTH:
            return self._release()
        return ""

    def _judged(self) -> str:
        start = self._held.rindex("[")
        blanks, bracket = self._held[:start], self._held[start:]
        match = _CITATION.fullmatch(bracket)
        if not match:
            return self._release()
        self._held = ""
        numbers = _numbers(match[1])
        known = [number for number in numbers if 1 <= number <= self._passages]
        self.unknown += [number for number in numbers if number not in (*known, *self.unknown)]
        if not known:
            return blanks if "[" in blanks else ""
        self.cited += [number for number in known if number not in self.cited]
        return blanks + "".join(f"[{number}]" for number in known)

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held


def _numbers(text: str) -> list[int]:
    """The numbers that a citation names: "1, 3" is two, "2-4" is three; each once, as first named."""
    spelled = _RANGE.sub(lambda ends: " ".join(map(str, _between(int(ends[1]), int(ends[2])))), text)
    return list(dict.fromkeys(int(number) for number in re.findall(r"\d+", spelled)))


def _between(first: int, last: int) -> list[int]:
    most = 20  # as many passages as the settings allow; a "range" wider than that is none
    return list(range(first, last + 1)) if 0 <= last - first < most else [first, last]
