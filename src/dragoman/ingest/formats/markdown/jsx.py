"""MDX as Markdown: statements and component tags go, what they say and hold stays.

In: the lines of a page. Out: the same list; imports, exports and tags on lines of their own are emptied or hold the label of
the component, and what was indented only to stand inside a component moves left. No line moves to another; code stays.
"""

import re
from dataclasses import dataclass

from dragoman.ingest.formats.markdown.fences import Fences, width
from dragoman.ingest.formats.markdown.labels import data_lines, label

_SIGN = re.compile(r"</?(?:[A-Z][\w.]*[a-z]|details|summary|hfoption)")
_NAME = re.compile(r"</?(?:([A-Za-z][\w.-]*+)(?=[\s/>]|\Z)|(?=>))")
_PART = re.compile(r"[^\"'{}<>]++|\"[^\"]*+\"|'[^']*+'")
_BRACE = re.compile(r"\\.|\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'|`(?:[^`\\]|\\.)*+`|[{}]", re.DOTALL)
_SCRIPT = re.compile(r"\\.|\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|//.*|[`{}()\[\]]")
_STATEMENT = re.compile(
    r"import(?:[ \t]|[\"'{*])|export[ \t]+(?:const|let|var|function|default|class|async|type|interface|\{|\*)"
)
_IMPORT = re.compile(
    r"import[ \t](?:.*[ \t])?(?:from[ \t]+)?[\"'][^\"']+[\"'];?[ \t]*\Z|import[ \t]+(?:[\w*, ]+)?\{[^}]*\Z|export[ \t]+const[ \t]"
)
_INNER_TAG = re.compile(r"<[^<>]*>")
_HTML = frozenset(
    {"article", "aside", "br", "button", "center", "div", "figcaption", "figure", "footer", "header", "hr", "iframe"}
    | {"main", "nav", "p", "section", "source", "span", "video"}
)
_VOID = frozenset({"br", "hr", "source"})
_ALWAYS = frozenset({"details", "summary", "hfoption", "hfoptions"})
_MOST = 2_000  # lines of one tag
_LONGEST = 200_000


def has_components(text: str) -> bool:
    """Whether a page may have components; a look that costs little."""
    return "<" in text and _SIGN.search(text) is not None


@dataclass(slots=True)
class _Open:
    """A component that is open: the column of its tag, and how far its content moves left, beyond what those around it move."""

    name: str
    column: int
    outer: int
    shift: int | None = None


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    kind: str  # "open", "close" or "single"
    attributes: str


class Components:
    """The components of one page.

    Args:
        texts: Its lines; they are changed in place.
        mdx: The page is MDX throughout; else only what looks like nothing but a component is one.
    """

    def __init__(self, texts: list[str], *, mdx: bool) -> None:
        self._texts, self._mdx = texts, mdx
        self._fences = Fences(loose=True)
        self._stack: list[_Open] = []
        self._no_tag_before = 0  # an unending tag was looked for up to here
        self._unbalanced = False

    def blank(self) -> None:
        """Empty the statements and tags."""
        index, free = 0, True  # free: nothing stands right above
        while index < len(self._texts):
            line = self._texts[index]
            if self._fences.inside(line):
                self._texts[index] = self._moved(line)
                index, free = index + 1, False
            elif not line.strip():
                index, free = index + 1, True
            elif free and line[0] in "ie" and self._is_statement(line):
                last = self._statement_end(index)
                self._texts[index:last] = [""] * (last - index)
                index = last
            else:
                index, free = self._line(index), False

    def _is_statement(self, line: str) -> bool:
        return bool(_STATEMENT.match(line) if self._mdx else _IMPORT.match(line[:_LONGEST]))

    def _statement_end(self, start: int) -> int:
        """The line after the statements that begin on a line: brackets closed, and a blank line or markup below."""
        depth, template, index = 0, False, start
        while index < len(self._texts) and not self._unbalanced:
            line = self._texts[index]
            if (
                depth <= 0
                and not template
                and index > start
                and (not line.strip() or line.startswith(("#", "<", "```")))
            ):
                return index
            for mark in _SCRIPT.findall(line):
                if mark == "`":
                    template = not template
                elif not template and len(mark) == 1:
                    depth += 1 if mark in "{([" else -1
            index += 1
        if depth <= 0 and not template and not self._unbalanced:
            return index
        self._unbalanced = True  # no later statement is looked at to the end again
        index = start + 1
        while index < len(self._texts) and self._texts[index].strip():
            index += 1
        return index

    def _line(self, index: int) -> int:
        """A line of text or tags; gives the next one."""
        line = self._texts[index]
        if line.lstrip(" \t").startswith("<") and index >= self._no_tag_before:
            last = self._tags(index)
            if last:
                return last
        line = self._moved(line)
        if self._stack and line.rstrip().endswith(">"):
            line = self._without_closers(line)
        self._texts[index] = line
        return index + 1

    def _moved(self, line: str, *, tag: bool = False) -> str:
        """The line without the indentation that it owes to the components around it."""
        if not self._stack or not line.strip():
            return line
        column, top = width(line), self._stack[-1]
        deeper = max(0, column - max(top.column, top.outer))
        # A tag at the margin tells nothing: the text below a summary may be indented.
        if top.shift is None and (deeper or not tag):
            top.shift = deeper
        most, cut = top.outer + (top.shift or 0), 0
        while cut < len(line) and line[cut] in " \t" and len(line[: cut + 1].expandtabs(4)) <= most:
            cut += 1
        return line[cut:]

    def _tags(self, index: int) -> int:
        """Take out the tags that a line begins with; 0 when they are none of ours, else the line after them."""
        count = 1
        while True:
            text = "\n".join(self._texts[index : index + count])
            tags, end = self._scan(text.lstrip(" \t"))
            if end >= 0 or not tags:
                break
            if count >= _MOST or index + count >= len(self._texts) or len(text) > _LONGEST:
                self._no_tag_before = index + count
                return 0
            count *= 4
        if end < 0:
            return 0
        used = len(text) - len(text.lstrip(" \t")) + end
        last = index + text.count("\n", 0, used) + 1
        rest = text[used:].partition("\n")[0].strip()
        if rest and not self._holds(tags, rest):
            return 0
        self._replace(index, last, tags, rest)
        return last

    def _holds(self, tags: list[_Tag], rest: str) -> bool:
        """Whether the tags stand around the rest of their line, and not as words of a sentence in it."""
        final = tags[-1]
        if final.kind == "single":
            return False
        closer = f"</{final.name}"
        return final.kind == "close" or closer not in rest or self._without_closers(rest, dry=True).find(closer) < 0

    def _replace(self, index: int, last: int, tags: list[_Tag], rest: str) -> None:
        line = self._texts[index]
        moved = self._moved(line, tag=True)
        margin = moved[: len(moved) - len(moved.lstrip(" \t"))]
        said = next((words for tag in tags if (words := self._says(tag))), "")
        for tag in tags:
            if tag.kind == "open" and tag.name not in _VOID:
                around = self._stack[-1] if self._stack else None
                outer = around.outer + (around.shift or 0) if around else 0
                self._stack.append(_Open(tag.name, width(line), outer))
            elif tag.kind == "close":
                self._pop(tag.name)
        summary = any(tag.name == "summary" and tag.kind == "open" for tag in tags)
        rest = self._without_closers(rest) if rest else ""
        if summary and rest:
            rest = f"**{_INNER_TAG.sub('', rest).strip()}**:"
        lines = data_lines(self._texts[index:last])
        lines[0] = f"{said} {lines[0]}".strip()
        lines[-1] = f"{lines[-1]} {rest}".strip()  # the rest is of the line where the tag ends
        self._texts[index:last] = [margin + text if text else "" for text in lines]

    def _says(self, tag: _Tag) -> str:
        return label(tag.name, tag.attributes, closed=tag.kind == "single") if tag.kind != "close" else ""

    def _pop(self, name: str) -> None:
        for place in range(len(self._stack) - 1, max(-1, len(self._stack) - _MOST), -1):
            if self._stack[place].name == name:
                del self._stack[place:]
                return

    def _without_closers(self, line: str, *, dry: bool = False) -> str:
        """The line without the closing tags at its end; they close their components unless ``dry``."""
        kept = line.rstrip()
        while kept.endswith(">"):
            place = kept.rfind("</")
            match = _NAME.match(kept, place) if place >= 0 else None
            if not match or match.end() != len(kept) - 1 or not self._ours(match[1] or ""):
                break
            if not dry:
                self._pop(match[1] or "")
            kept = kept[:place].rstrip()
        return kept if len(kept) < len(line.rstrip()) else line

    def _ours(self, name: str) -> bool:
        if not name or name in _HTML:
            return self._mdx
        return name in _ALWAYS or (name[0].isupper() and not name.isupper())

    def _scan(self, text: str) -> tuple[list[_Tag], int]:
        """The tags that a text begins with, up to the end of a line, and where they end; -1 with a tag that does not end here."""
        tags: list[_Tag] = []
        place = 0
        while True:
            start = place
            match = _NAME.match(text, place)
            if not match or not self._ours(match[1] or ""):
                break
            place = self._tag_end(text, match.end())
            if place == -1:
                return [_Tag("", "open", "")], -1
            inside = text[match.end() : place - 1]
            if place < -1 or ((match[1] or "") in _HTML and re.search(r"(?<![\w-])(?:id|name)\s*=", inside)):
                place = start
                break
            closed = text.startswith("</", start)
            kind = "close" if closed else "single" if inside.endswith("/") else "open"
            tags.append(_Tag(match[1] or "", kind, inside))
            start = place
            while place < len(text) and text[place] in " \t":
                place += 1
            if not text.startswith("<", place):
                break
        return (tags, start) if tags else ([], -1)

    @staticmethod
    def _tag_end(text: str, place: int) -> int:
        """Where a tag ends; -1 when it goes on, -2 when it is none."""
        while place < len(text):
            char = text[place]
            if char == ">":
                return place + 1
            if char in "<}":
                return -2
            if char == "{":
                depth = 0
                for token in _BRACE.finditer(text, place):
                    depth += {"{": 1, "}": -1}.get(token[0], 0)
                    if depth == 0:
                        place = token.end()
                        break
                else:
                    return -1
                continue
            part = _PART.match(text, place)
            if not part:
                return -1
            place = part.end()
        return -1
