"""The JSON in what a language model wrote, also where it is not quite JSON.

In: any text. Out: the value, or None. It reads past prose, code fences and a model's thoughts, and forgives single
quotes, trailing commas, Python's constants, raw line ends and unescaped quotes. Each character is read a few times
at most, so no text takes long.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_THOUGHT = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)
_FENCE = re.compile(r"```[a-zA-Z0-9]*\s*")
_SPACE = re.compile(r"[\s\ufeff]*")
_BARE = re.compile(r"[A-Za-z_$][\w$-]*")
_NUMBER = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?")
_CLOSES = re.compile(r"\s*(?:[,:}\]]|\Z)")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_BREAKS = {closing: re.compile(rf"[\\{closing}]") for closing in _QUOTES.values()}
_DEEPEST = 40
_TRIES = 4  # brackets at which the value may begin


class _Unreadable(Exception):
    """The text at hand is no value, not even with all the forgiveness there is."""


def read_json(text: str, opening: str = "{") -> Any:  # noqa: ANN401 - a JSON value is of any type
    """Find the JSON value in a text.

    Args:
        text: What a model wrote.
        opening: The bracket that the value begins with.

    Returns:
        The value; None where there is none.
    """
    empty = None
    for part in _candidates(_THOUGHT.sub("", text, count=1), opening):
        try:
            value = _read(part)
        except _Unreadable:
            continue
        if value:
            return value
        empty = value
    return empty


def _read(part: str) -> Any:  # noqa: ANN401 - a JSON value is of any type
    try:
        return json.JSONDecoder(strict=False, parse_constant=_refuse).raw_decode(part)[0]
    except (ValueError, RecursionError, _Unreadable):
        return _Reader(part).value(0)


def _candidates(text: str, opening: str) -> Iterator[str]:
    """Where the value may stand, the likeliest first."""
    stripped = text.strip("\ufeff \t\r\n")
    if stripped.startswith(opening):
        yield stripped
    if fence := _FENCE.search(text):
        end = text.find("```", fence.end())
        yield text[fence.end() : end if end >= 0 else len(text)]
    start = -1
    for _ in range(_TRIES):
        start = text.find(opening, start + 1)
        if start < 0:
            return
        yield text[start:]


def _refuse(name: str) -> None:
    raise _Unreadable(name)


class _Reader:
    """Reads one value at the beginning of a text and leaves what follows it unread."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def value(self, depth: int) -> Any:  # noqa: ANN401 - a JSON value is of any type
        start = self._peek()
        if depth > _DEEPEST:
            raise _Unreadable
        if start == "{":
            return self._object(depth)
        if start == "[":
            return self._array(depth)
        if start in _QUOTES:
            return self._string(_QUOTES[start])
        return self._scalar()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._at += 1
        while start := self._next("}", empty=not found):
            if start in _QUOTES:
                key = self._string(_QUOTES[start])
            elif bare := _BARE.match(self._text, self._at):
                key, self._at = bare.group(), bare.end()
            else:
                raise _Unreadable
            if self._peek() != ":":
                raise _Unreadable
            self._at += 1
            found[key] = self.value(depth + 1)
        return found

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        while self._next("]", empty=not found):
            found.append(self.value(depth + 1))
        return found

    def _next(self, closing: str, *, empty: bool) -> str:
        """The character that the next member begins with; "" behind the last one, the closing bracket eaten."""
        while (mark := self._peek()) == ",":
            self._at += 1
        if mark == closing:
            self._at += 1
            return ""
        if not mark and empty:
            raise _Unreadable
        return mark  # "" at the text's end: a closing bracket is forgotten more often than a value

    def _string(self, closing: str) -> str:
        self._at += 1
        parts: list[str] = []
        while found := _BREAKS[closing].search(self._text, self._at):
            parts.append(self._text[self._at : found.start()])
            self._at = found.end()
            if found.group() == "\\":
                parts.append(self._escape())
            elif _CLOSES.match(self._text, self._at):
                return "".join(parts)
            else:  # a quote inside, which its writer forgot to escape
                parts.append(closing)
        raise _Unreadable

    def _escape(self) -> str:
        mark = self._text[self._at : self._at + 1]
        self._at += 1
        if mark == "u" and (code := _HEX.match(self._text, self._at)):
            self._at = code.end()
            return chr(int(code.group(), 16))
        return _ESCAPES.get(mark, mark)

    def _scalar(self) -> float | bool | None:
        if (bare := _BARE.match(self._text, self._at)) and bare.group() in _CONSTANTS:
            self._at = bare.end()
            return _CONSTANTS[bare.group()]
        if number := _NUMBER.match(self._text, self._at):
            self._at = number.end()
            text = number.group()
            return int(text) if text.lstrip("-").isdigit() else float(text)
        raise _Unreadable

    def _peek(self) -> str:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]
