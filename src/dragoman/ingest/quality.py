"""Which sections are not worth a chunk.

In: the text of a section, without its heading. Out: the reason to leave it out, or "". A wrong "" costs a little room in the index, a
wrong reason costs an answer: so what has a sentence of its own is kept, and so are lists of names, short code and tables.
"""

import re
from collections import Counter
from collections.abc import Collection
from itertools import islice
from typing import Final

REASONS: Final = ("generated", "link farm", "navigation list", "no words", "repeated line")

_PROSE = 12  # words beside links: with so many, something is said
_NAVIGATION = 3  # links; fewer are a reference, not a list
_FARM, _FARM_SHARE = 8, 0.8  # links that point out of the docs, and how many of them name nothing
_BESIDE = 1  # words beside the links of one line of a navigation list
_GROUP = 5  # words of a line without link: the name of a group of pages
_ALT = 4  # words of an image that describe it; fewer name it
_DATA, _DATA_SHARE = 400, 0.5  # characters of data, and their share; less may be an example
_TOKEN, _LINE, _SPACES = 32, 1000, 0.05  # shortest hash; shortest line of minified code, and its most spaces
_SAME, _SAME_SHARE = 20, 0.9  # lines
_NOTICE, _NOTICE_WORDS = 600, 24  # characters and words: the notice itself and little more

_COMMENTS = (("<!--", "-->"), ("{/*", "*/}"))
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # no spaces there: two characters count as a word
_WORD = re.compile(rf"[{_CJK}]{{1,2}}|[^\W_{_CJK}]+")
_TAG = re.compile(
    r"</?(?:[a-z](?![a-z+.-]*:)[^<>]{0,300}|[A-Z][\w.]{0,60}\s?/?)>"
)  # what a component is given may be the content
_ANCHOR = re.compile(r"<a\s[^<>]{0,300}?href\s*=\s*[\"']?([^\"'\s<>]*)[^<>]{0,300}>([^<\[\]]*)</a>", re.IGNORECASE)
_PICTURE = re.compile(r"<img\s[^<>]{0,300}?alt\s*=\s*\"([^\"<>]*)\"[^<>]{0,300}>", re.IGNORECASE)
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_LINK = re.compile(r"\[([^\[\]]*)\]\(\s*<?([^()\s<>]*(?:\([^()\s<>]*\)[^()\s<>]*)?)[^()]*\)")
_REFERENCE = re.compile(r"\[([^\[\]]+)\](\[[^\[\]]*\])")
_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]+\]:[^\n]*$", re.MULTILINE)
_URL = re.compile(r"<?\bhttps?://[^\s<>)\]]+>?")
_TEMPLATE = re.compile(
    r"\{%[^{}%]*%\}|\{\{[^{}]*\}\}|^[ \t]*:{3,}[^\n]*$|^\[?\[TOC\]\]?[ \t]*$", re.MULTILINE | re.IGNORECASE
)
_ITEM = re.compile(r"^[\s>|]*(?:[-*+]|\d+[.)])\s")
_OUTSIDE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|mailto:|\[", re.IGNORECASE)
_UNNAMED = re.compile(r"\W*|@\S+|https?://\S+|(?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?", re.IGNORECASE)
_NOTED = re.compile(
    r"\bgenerated\b.*\b(?:do not|don't) (?:edit|modify|change)|\b(?:do not|don't) (?:edit|modify|change)\b.*\bgenerated\b|"
    r"@generated\b|\bthis (?:file|page|document|section) (?:is|was|has been) auto\w*[- ]?generated\b",
    re.IGNORECASE | re.DOTALL,
)
_HASH = re.compile(r"\b(?:[0-9a-fA-F]{32,}|sha\d{3}-[A-Za-z0-9+/=]{20,})")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{60,}")
_MIXED = (re.compile(r"[0-9]"), re.compile(r"[a-z]"), re.compile(r"[A-Z]"))
_FENCE = re.compile(r"^[ \t]*(?:`{3}|~{3})", re.MULTILINE)


def reason_to_drop(text: str, kinds: Collection[str] = ()) -> str:
    """Why a section is not worth a chunk.

    Args:
        text: The section's own text, headings excluded.
        kinds: The kinds of its blocks (``fence``, ``table``, ``list``, ...); empty when they are not known.

    Returns:
        "" for a section to keep, else one of ``REASONS``.
    """
    if _is_data(text):
        return "generated"
    if _is_one_line(text):
        return "repeated line"
    if "fence" in kinds or (not kinds and _FENCE.search(text)):
        return ""
    return _reason_of_links(text, _without_markup(text))


def _reason_of_links(text: str, plain: str) -> str:
    links = [(match[1], match[2]) for match in _LINK.finditer(plain)] if "](" in plain else []
    beside = _words(_without_links(plain), _NOTICE_WORDS + len(links))
    if len(text) < _NOTICE and beside < _NOTICE_WORDS and _NOTED.search(text):
        return "generated"
    if beside >= _PROSE + len(links):
        return ""
    if not beside and not any(_words(words, 1) for words, _ in links) and not _URL.search(_LINK.sub(" ", plain)):
        return "no words"
    if len(links) >= _NAVIGATION and _is_navigation(plain, links):
        return "navigation list"
    return "link farm" if beside < _PROSE and _is_farm(plain, links) else ""


def _words(text: str, most: int) -> int:
    """Words of a text, counted no further than ``most``."""
    return sum(1 for _ in islice(_WORD.finditer(text), most))


def _without_markup(text: str) -> str:
    """A text without comments, tags and templates; HTML links become Markdown's, images their description."""
    for opening, closing in _COMMENTS:
        if opening in text:
            text = _without_comments(text, opening, closing)
    if "<" in text:
        text = _TAG.sub(" ", _ANCHOR.sub(r"[\2](\1)", _PICTURE.sub(_described, text)))
    if "![" in text:
        text = _IMAGE.sub(_described, text)
    if "{" in text or ":::" in text or "[toc]" in text[:20].lower():
        text = _TEMPLATE.sub(" ", text)
    return _DEFINITION.sub(" ", text) if "]:" in text else text


def _described(image: re.Match[str]) -> str:
    return image[1] if _words(image[1], _ALT) == _ALT else " "


def _without_comments(text: str, opening: str, closing: str) -> str:
    kept, start = [], 0
    # A pattern would look for the end of each of a million comments that never end.
    while (opened := text.find(opening, start)) >= 0 and (closed := text.find(closing, opened)) >= 0:
        kept.append(text[start:opened])
        start = closed + len(closing)
    return "".join([*kept, text[start:]])


def _without_links(plain: str) -> str:
    if "](" in plain or "][" in plain:
        plain = _REFERENCE.sub(" ", _LINK.sub(" ", plain))
    return _URL.sub(" ", plain) if "://" in plain else plain


def _is_navigation(plain: str, links: list[tuple[str, str]]) -> bool:
    """Links to other places of the docs, line by line, with at most the names of groups between them."""
    if any(_OUTSIDE.match(target) for _, target in links):
        return False
    groups = 0
    for line in plain.split("\n"):
        beside = _ITEM.sub("", _without_links(line))
        if "](" in line:
            if _words(beside, _BESIDE + 1) > _BESIDE:
                return False
        elif _words(beside, 1):
            groups += 1
            if _words(beside, _GROUP + 1) > _GROUP:
                return False
    return groups <= len(links) // 2 + 1


def _is_farm(plain: str, links: list[tuple[str, str]]) -> bool:
    """Links out of the docs that name nothing but accounts, addresses or pictures."""
    outside = [words for words, target in links if _OUTSIDE.match(target)]
    outside += [""] * len(_URL.findall(_LINK.sub(" ", plain)))
    unnamed = sum(1 for words in outside if _UNNAMED.fullmatch(words.strip()))
    return len(outside) >= _FARM and unnamed >= _FARM_SHARE * max(len(outside), len(links))


def _is_data(text: str) -> bool:
    """Hashes, base64 or minified code take up most of the text."""
    if len(text) < _DATA:
        return False
    if sum(length for length in map(len, text.split()) if length >= _TOKEN) < max(_DATA, _DATA_SHARE * len(text)):
        return False
    size = sum(len(match.group()) for match in _HASH.finditer(text))
    for match in _BASE64.finditer(text):
        if not _HASH.search(match.group()) and all(mark.search(match.group()) for mark in _MIXED):
            size += len(match.group())
    for line in text.split("\n") if size < _DATA else ():
        if len(line) >= _LINE and line.isascii() and line.count(" ") <= _SPACES * len(line):
            size += 0 if "](" in line or line.count("|") * 20 > len(line) else len(line)
    return size >= _DATA and size >= _DATA_SHARE * len(text)


def _is_one_line(text: str) -> bool:
    if text.count("\n") < _SAME - 1:
        return False
    lines = text.split("\n")
    if len(set(lines)) > len(lines) // 2:
        return False
    counts = Counter(line.strip() for line in lines if line.strip())
    most = max(counts.values(), default=0)
    return most >= _SAME and most >= _SAME_SHARE * counts.total()
