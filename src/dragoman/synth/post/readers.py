"""What a language model wrote, read with goodwill: a positive and a negative sentence, or a list of queries.

In: the text of a reply. Out: clean lines, or "" and none where there is nothing to use. A small model often misses
the form it was asked for by little; what it meant is used then. It knows nothing of distilabel.
"""

import json
import re
from dataclasses import dataclass

_LABEL = re.compile(
    r"(?P<before>[#*_\s]{0,12}(?:\d{1,2}[.)]\s{0,4})?[#*_]{0,6})"
    r"(?P<kind>positive|negative)"
    r"(?:[ \t]{1,3}(?:sentence|query|question|example|text)){0,2}"
    r"(?P<after>[*_]{0,3}[ \t]{0,4}:?[*_]{0,3})[ \t]{0,4}(?P<rest>.*)",
    re.IGNORECASE,
)
_OTHER_HEADING = re.compile(r"#{1,6}\s{0,4}\S")
_BULLET = re.compile(r"(?:-(?!-)|\*(?!\*)|[•–—‣]|\d{1,2}[.)](?=\s))\s{0,8}")
_NAMED = re.compile(r"\**(?:query|question|paraphrase)(?:\s{1,3}\d{1,2})?\**\s{0,2}:\**\s{0,4}", re.IGNORECASE)
_NEXT = re.compile(r"(?<!#)(?=#{2,6}\s{0,3}\**negative\b)", re.IGNORECASE)  # both sections on one line
_FENCE = re.compile(r"```\w{0,20}|~~~\w{0,20}")
_QUOTES = {'"': '"', "'": "'", "“": "”", "`": "`", "«": "»"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence that asks for the passage, and one that has nothing to do with it; "" where there is none."""

    positive: str
    negative: str


def read_pair(text: str) -> Pair:
    """The two sentences of a reply.

    Args:
        text: A reply that was asked for the sections ``## Positive`` and ``## Negative``.

    Returns:
        The first sentence of each kind that is not empty. Sections may be headings of any level, bold words,
        words with a colon, or the keys of a JSON object.
    """
    table = _object(text)
    if table is not None:
        return Pair(_line(table.get("positive")), _line(table.get("negative")))
    sections: dict[str, list[list[str]]] = {"positive": [], "negative": []}
    current: list[str] = []
    for line in _NEXT.sub("\n", text).splitlines():
        label = _label(line)
        if label is not None:
            current = [label[1]]
            sections[label[0]].append(current)
        elif _OTHER_HEADING.match(line.strip()):
            current = []
        else:
            current.append(line)
    found = {kind: next(filter(None, map(_sentence, bodies)), "") for kind, bodies in sections.items()}
    return Pair(found["positive"], found["negative"])


def read_queries(text: str, count: int, original: str) -> list[str]:
    """The queries of a reply.

    Args:
        text: A reply that was asked for one query a line, each after a dash.
        count: How many at most.
        original: The query that was to be varied; it does not count as a variation.

    Returns:
        Different queries in their order: the lines with a dash, bullet or number if there are any, else all lines
        that do not introduce others.
    """
    listed = _array(text)
    if listed is None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not _FENCE.fullmatch(line.strip())]
        listed = [line[match.end() :] for line in lines if (match := _BULLET.match(line))]
        if len(listed) == 1 and listed[0].count(" - ") >= count - 1 > 0:
            listed = listed[0].split(" - ")
        listed = listed or [line for line in lines if not line.endswith(":") and not line.startswith("#")]
    found: dict[str, str] = {}
    for line in listed:
        query = _line(_NAMED.sub("", line, count=1) if _NAMED.match(line) else line)
        if query:
            found.setdefault(query.casefold(), query)
    found.pop(_line(original).casefold(), None)
    return list(found.values())[:count]


def _label(line: str) -> tuple[str, str] | None:
    """Kind and rest of a line that opens a section; a sentence that begins with "Positive" opens none."""
    match = _LABEL.match(line)
    if match is None:
        return None
    rest = match["rest"].rstrip().rstrip("#").rstrip() if "#" in match["before"] else match["rest"]
    marked = bool(match["before"].strip(" \t0123456789.)")) or ":" in match["after"]
    if marked or not rest:
        return match["kind"].lower(), rest
    return None


def _sentence(lines: list[str]) -> str:
    """The first paragraph of a section that says something, as one line."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        plain = line.strip()
        if _FENCE.fullmatch(plain):
            continue
        if plain:
            paragraphs[-1].append(plain)
        elif paragraphs[-1]:
            paragraphs.append([])
    said = [paragraph for paragraph in paragraphs if paragraph]
    while len(said) > 1 and said[0][-1].endswith(":"):  # "Here is a query:"
        said.pop(0)
    if not said:
        return ""
    first = said[0]
    bullet = _BULLET.match(first[0])
    if bullet:  # a list: its first item
        return _line(first[0][bullet.end() :])
    return _line(" ".join(first))


def _line(value: object) -> str:
    """One clean line; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    # A model may write half a surrogate pair, which no file can hold.
    words = " ".join(value.encode("utf-8", "ignore").decode().split())
    for mark in ("**", "__"):
        if len(words) > 2 * len(mark) and words.startswith(mark) and words.endswith(mark):
            words = words[len(mark) : -len(mark)].strip()
    inner = words[1:-1]
    if len(words) > 2 and _QUOTES.get(words[0]) == words[-1] and words[0] not in inner and words[-1] not in inner:  # noqa: PLR2004 - two marks and something between
        words = inner.strip()
    return words if any(character.isalnum() for character in words) else ""


def _object(text: str) -> dict[str, object] | None:
    table = _json(text, "{", "}")
    if not isinstance(table, dict):
        return None
    plain = {str(key).strip("# ").lower(): value for key, value in table.items()}
    return plain if "positive" in plain else None


def _array(text: str) -> list[str] | None:
    values = _json(text, "[", "]") if text.lstrip(" \n`json").startswith("[") else None
    if not isinstance(values, list):
        return None
    return [value for value in values if isinstance(value, str)]


def _json(text: str, first: str, last: str) -> object:
    start, end = text.find(first), text.rfind(last)
    if not 0 <= start < end:
        return None
    try:
        value: object = json.loads(text[start : end + 1])
    except (json.JSONDecodeError, RecursionError):
        return None
    return value
