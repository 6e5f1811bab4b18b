"""HTML as a tree whose words know their lines.

In: any text. Out: the root of a tree, never an error. Reading takes time in proportion to the text whatever it holds, which
the standard library's ``html.parser`` does not promise (an unclosed comment makes it start over at every ``<``).
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dragoman.ingest.formats.blocks import word_set

DEEPEST: Final = 100  # open elements; a deeper one is taken for a part of the innermost

HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS: Final = word_set(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 "
    "h4 h5 h6 head header hgroup hr html li main menu nav ol p pre search section summary table tbody td tfoot th thead tr ul"
)
_VOID: Final = word_set("area base br col embed hr img input link meta param source track wbr")
_RAW: Final = word_set("iframe noembed noframes script style textarea title xmp")
_IMPLIED: Final = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "tr": (frozenset({"tr", "caption"}), frozenset({"table"})),
    "tbody": (frozenset({"tbody", "thead", "tfoot", "caption"}), frozenset({"table"})),
    "thead": (frozenset({"tbody", "thead", "tfoot", "caption"}), frozenset({"table"})),
    "tfoot": (frozenset({"tbody", "thead", "tfoot", "caption"}), frozenset({"table"})),
    "option": (frozenset({"option"}), frozenset({"select"})),
    "body": (frozenset({"head"}), frozenset({"html"})),
}
_PARAGRAPH: Final = (frozenset({"p"}), BLOCKS - {"p"} | {"button", "object"})

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_NAME = re.compile(r"[A-Za-z][^\s/>]*")
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?""")
_ENDS = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE) for tag in _RAW}
_LONG_NUMBER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9A-Fa-f]{8,});?")
_BREAK = re.compile(r"&#(?:10|13|[xX]0{0,4}[aAdD]);?|&NewLine;")


@dataclass(frozen=True, slots=True)
class Text:
    """Words as they are read, entities resolved; ``line`` (1-based) is where they begin."""

    words: str
    line: int


@dataclass(slots=True)
class Element:
    """An element; ``blocky`` when an element that stands alone on a page is anywhere in it, ``headed`` when a heading is."""

    tag: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | Text"] = field(default_factory=list)
    blocky: bool = False
    headed: bool = False

    def get(self, name: str) -> str:
        """An attribute, "" when it is not there."""
        return self.attributes.get(name, "")

    @property
    def classes(self) -> list[str]:
        """The words of ``class``, in lower case."""
        return self.get("class").lower().split()

    def words(self) -> str:
        """All words below, as they stand."""
        found: list[str] = []
        pending: list[Element | Text] = [self]
        while pending:
            node = pending.pop()
            if isinstance(node, Text):
                found.append(node.words)
            else:
                pending.extend(reversed(node.children))
        return "".join(found)

    def walk(self) -> Iterator["Element"]:
        """All elements below, in the order of the page."""
        pending = [child for child in self.children[::-1] if isinstance(child, Element)]
        while pending:
            node = pending.pop()
            yield node
            if node.children:
                pending += [child for child in node.children[::-1] if isinstance(child, Element)]

    def descendants(self) -> list["Element"]:
        """All elements below, in the order of the page."""
        return list(self.walk())


def parse_html(text: str) -> Element:
    """Read any text as HTML.

    Args:
        text: Normalised text; a line ends at ``"\\n"`` only.

    Returns:
        The root, of tag "".
    """
    return _Builder(text).build()


def unescaped(text: str) -> str:
    """Text with its entities resolved; a number too long for a character becomes U+FFFD."""
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text)) if "&" in text else text


class _Builder:
    """Goes through the text once; what has no end takes in the rest, as in HTML's own rules."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._root = Element("", 1)
        self._stack = [self._root]
        self._open: Counter[str] = Counter()
        self._counted, self._line = 0, 1

    def build(self) -> Element:
        at, end = 0, len(self._text)
        while at < end:
            tag = _TAG.search(self._text, at)
            opened = tag.start() if tag else end
            self._words(at, opened)
            at = self._markup(opened) if opened < end else end
        return self._root

    def _line_at(self, position: int) -> int:
        self._line += self._text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def _words(self, start: int, end: int) -> None:
        if end <= start:
            return
        line = self._line_at(start)
        # A line break that is written as an entity breaks no line of the file.
        for number, part in enumerate(_BREAK.split(self._text[start:end])):
            if number:
                self._stack[-1].children.append(Text("\n", line))
            if part:
                self._stack[-1].children.append(Text(unescaped(part), line))
            line += part.count("\n")

    def _markup(self, at: int) -> int:
        """Read what begins with ``<``, and say where it ends."""
        text = self._text
        if text.startswith("<!--", at):
            return self._after(text.find("-->", at + 2), 3)
        if text.startswith(("<!", "<?"), at):
            return self._after(text.find(">", at), 1)
        closing = text.startswith("</", at)
        name = _NAME.match(text, at + 1 + closing)
        if not name:
            return self._after(text.find(">", at), 1)
        if closing:
            self._close(name.group().lower())
            return self._after(text.find(">", name.end()), 1)
        return self._element(name.group().lower(), at, name.end())

    def _after(self, found: int, length: int) -> int:
        return len(self._text) if found < 0 else found + length

    def _element(self, tag: str, at: int, after_name: int) -> int:
        attributes: dict[str, str] = {}
        position = after_name
        while match := _ATTRIBUTE.match(self._text, position):
            value = match[2] or match[3] or match[4] or ""
            attributes.setdefault(match[1].lower(), unescaped(value))
            position = match.end()
        end = self._after(self._text.find(">", position), 1)
        element = Element(tag, self._line_at(at), attributes)
        self._imply(tag)
        self._stack[-1].children.append(element)
        if tag in BLOCKS:
            self._mark(heading=tag in HEADINGS)
        if tag in _RAW:
            return self._raw(element, end)
        if tag not in _VOID and len(self._stack) < DEEPEST:
            self._stack.append(element)
            self._open[tag] += 1
        return end

    def _raw(self, element: Element, start: int) -> int:
        closing = _ENDS[element.tag].search(self._text, start)
        end = closing.start() if closing else len(self._text)
        words = self._text[start:end]
        if element.tag == "title":
            words = unescaped(words)
        element.children.append(Text(words, self._line_at(start)))
        return self._after(self._text.find(">", end), 1)

    def _mark(self, *, heading: bool) -> None:
        for element in reversed(self._stack):
            if element.blocky and element.headed >= heading:
                break
            element.blocky = True
            element.headed = element.headed or heading

    def _imply(self, tag: str) -> None:
        """Close what this element ends without saying so."""
        for rule in (_PARAGRAPH if tag in BLOCKS else None, _IMPLIED.get(tag)):
            if rule is not None and any(self._open[name] for name in rule[0]):
                self._close_in(*rule)

    def _close_in(self, closed: frozenset[str], barrier: frozenset[str]) -> None:
        for place in range(len(self._stack) - 1, 0, -1):
            if self._stack[place].tag in closed:
                self._cut(place)
                return
            if self._stack[place].tag in barrier:
                return

    def _close(self, tag: str) -> None:
        if not self._open[tag]:
            return
        for place in range(len(self._stack) - 1, 0, -1):
            if self._stack[place].tag == tag:
                self._cut(place)
                return
            if self._stack[place].tag in {"table", "td", "th"} and tag not in BLOCKS:
                return

    def _cut(self, place: int) -> None:
        for element in self._stack[place:]:
            self._open[element.tag] -= 1
        del self._stack[place:]
