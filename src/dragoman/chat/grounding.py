"""Finds the names in an answer's code that its passages do not contain: what a small model makes up first.

In: an answer in Markdown and the texts that it was to be written from. Out: the strange names. Knows no programming
language: a name counts where it is called or accessed, which looks alike in most of them.
"""

import re
from collections.abc import Iterable

from dragoman.chat.excerpt import outside_code

_ACCESSED = re.compile(r"\.\s*([A-Za-z_]\w{2,})|\b([A-Za-z_]\w{2,})\s*\(")
_LITERAL = re.compile(r"(?P<quote>[\"'])(?:\\.|(?!(?P=quote))[^\\\n])*(?P=quote)")
_COMMENT = re.compile(r"(?:^|\s)(?:#|//).*$", re.MULTILINE)
_KEYWORDS = (
    "assert async await catch class console def dict elif else enumerate except for format function import int isinstance "
    "len list log map new open print range require return set sizeof str super switch tuple type typeof while with"
)
_LANGUAGE = frozenset(_KEYWORDS.split())


def strange_names(answer: str, sources: Iterable[str]) -> list[str]:
    """Names that the answer's code calls or accesses, and that no source contains.

    Args:
        answer: Markdown; only its code blocks and code spans are looked at.
        sources: The passages, and whatever else the names may come from.

    Returns:
        The names, as first written, each once.
    """
    known = set(re.findall(r"\w+", "\n".join(sources)))
    code = _COMMENT.sub("", _LITERAL.sub("''", outside_code(answer, lambda _: "\n")))
    names = [one or other for one, other in _ACCESSED.findall(code)]
    return [name for name in dict.fromkeys(names) if name not in known and name not in _LANGUAGE]
