"""The words of an HTML page: runs of text, links, code and images as lines of Markdown.

In: nodes of the tree. Out: lines, each of the line of the file its words were on. Blocks are another module's work.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.ingest.formats.blocks import Line, code, prose, untagged
from dragoman.ingest.formats.html.content import is_chrome
from dragoman.ingest.formats.html.tree import Element, Text

_MARKS: Final = {
    **dict.fromkeys(("b", "strong"), ("**", "**")),
    **dict.fromkeys(("dfn", "em", "i", "var"), ("*", "*")),
    **dict.fromkeys(("del", "s", "strike"), ("~~", "~~")),
    "q": ("“", "”"),
}
_CODE: Final = frozenset({"code", "kbd", "samp", "tt"})
_SPACE = re.compile(r"[^\S\n]+")
_UNSAFE: Final = ("javascript:", "vbscript:", "data:")
_PILCROWS: Final = frozenset({"¶", "#", "§", "\uf0c1", "\u200b", "🔗", "Permalink", "Link to this heading"})


@dataclass(frozen=True, slots=True)
class _Piece:
    words: str
    line: int


_Nodes = Sequence[Element | Text]


def paragraphs(nodes: _Nodes) -> list[Line]:
    """Running text as lines of Markdown, broken where the file breaks it (and at ``<br>``)."""
    lines: list[Line] = []
    if not nodes:
        return lines
    for words, line in _broken(_pieces(nodes)):
        text = prose(words)
        if text:
            lines.append(Line(text, line))
    return lines


def one_line(nodes: _Nodes) -> str:
    """Running text as one line, for a heading, a cell or a label."""
    return " ".join("".join(piece.words for piece in _pieces(nodes)).split())


def first_line(nodes: _Nodes, otherwise: int) -> int:
    """The line of the first word, or ``otherwise`` where there is none."""
    return next((line for words, line in _broken(_pieces(nodes)) if words), otherwise)


def verbatim(element: Element) -> list[Line]:
    """The lines of ``<pre>``, as they stand."""
    lines: list[Line] = []
    begun: list[str] = []
    at = element.line
    for piece in _as_they_stand(element):
        parts = piece.words.split("\n")
        for number, part in enumerate(parts):
            at = at if begun else piece.line + number
            if part:
                begun.append(part)
            if number < len(parts) - 1:
                lines.append(Line("".join(begun).rstrip(), at))
                begun = []
    if begun:
        lines.append(Line("".join(begun).rstrip(), at))
    return lines


def _as_they_stand(element: Element) -> Iterable[_Piece]:
    pending: list[Element | Text] = list(reversed(element.children))
    while pending:
        node = pending.pop()
        if isinstance(node, Text):
            yield _Piece(node.words, node.line)
        elif node.tag == "br":
            yield _Piece("\n", node.line)
        elif not is_chrome(node):
            pending.extend(reversed(node.children))


def _broken(pieces: Iterable[_Piece]) -> Iterable[tuple[str, int]]:
    """The lines that the pieces make, with the line of the first word in each."""
    begun: list[str] = []
    at = 0
    for piece in pieces:
        for number, part in enumerate(piece.words.split("\n")):
            if number and begun:
                yield _SPACE.sub(" ", "".join(begun)).strip(), at
                begun = []
            if not begun and part.strip():
                at = piece.line + number
            if begun or part.strip():
                begun.append(part)
    if begun:
        yield _SPACE.sub(" ", "".join(begun)).strip(), at


def _pieces(nodes: _Nodes) -> list[_Piece]:
    found: list[_Piece] = []
    for node in nodes:
        if isinstance(node, Text):
            found.append(_Piece(untagged(node.words), node.line))
        elif not is_chrome(node):
            found.extend(_element(node))
    return found


def _element(element: Element) -> list[_Piece]:
    tag, line = element.tag, element.line
    if tag in _CODE:
        return _code(element)
    if tag in {"br", "img"}:
        return _image(element) if tag == "img" else [_Piece("\n", line)]
    inner = _pieces(element.children)
    if tag == "a":
        return _link(element, inner)
    if tag in _MARKS:
        return _wrapped(inner, *_MARKS[tag])
    apart = element.blocky or tag in {"p", "li", "div", "dd", "dt", "td"}
    return [_Piece(" ", line), *inner, _Piece(" ", line)] if apart else inner


def _code(element: Element) -> list[_Piece]:
    pieces = list(_as_they_stand(element))
    line = next((line for words, line in _broken(pieces) if words), element.line)
    return [_Piece(code("".join(piece.words for piece in pieces)), line)]


def _image(element: Element) -> list[_Piece]:
    alternative = " ".join(element.get("alt").split()).replace("]", "").replace("[", "")
    source = _address(element.get("src"))
    if not alternative or not source:
        return [_Piece(untagged(alternative), element.line)] if alternative else []
    return [_Piece(f"![{alternative}]({source})", element.line)]


def _link(element: Element, inner: list[_Piece]) -> list[_Piece]:
    words = "".join(piece.words for piece in inner).strip()
    address = _address(element.get("href"))
    if not words or words in _PILCROWS:
        return []
    return _wrapped(inner, "[", f"]({address})") if address else inner


def _address(value: str) -> str:
    bare = "".join(value.split("\n")).strip()
    if bare.lower().startswith(_UNSAFE):
        return ""
    return re.sub(r"[\s()<>]", lambda found: f"%{ord(found[0]):02X}" if ord(found[0]) < ord("\x80") else "", bare)


def _wrapped(inner: list[_Piece], before: str, after: str) -> list[_Piece]:
    """The pieces between two marks, which stand right at the first and the last word."""
    filled = [place for place, piece in enumerate(inner) if piece.words.strip()]
    if not filled:
        return inner
    first, last = filled[0], filled[-1]
    head, tail = inner[first], inner[last]
    start = len(head.words) - len(head.words.lstrip())
    begun = head.line + head.words.count("\n", 0, start)
    pieces = [*inner[:first], _Piece(head.words[:start], head.line), _Piece(before, begun)]
    if first == last:
        bare = head.words.strip()
        rest = head.words[start + len(bare) :]
        return [*pieces, _Piece(bare, begun), _Piece(after, begun), _Piece(rest, begun), *inner[last + 1 :]]
    bare = tail.words.rstrip()
    ended = tail.line + bare.count("\n")
    pieces += [_Piece(head.words[start:], begun), *inner[first + 1 : last], _Piece(bare, tail.line)]
    return [*pieces, _Piece(after, ended), _Piece(tail.words[len(bare) :], ended), *inner[last + 1 :]]
