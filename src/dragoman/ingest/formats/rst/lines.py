"""How reStructuredText is told apart line by line: adornments, markers, explicit markup, indentation.

In: lines. Out: what they are, and which of them belong together. It writes no Markdown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dragoman.ingest.formats.blocks import Line

ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*\Z")
BULLET = re.compile(r"[-*+•‣⁃](?:\s+|\Z)")
NUMBER = re.compile(r"\(?(?:\d{1,9}|#|[A-Za-z]|[ivxlcdm]{1,8}|[IVXLCDM]{1,8})[.)](?:\s+|\Z)")
FIELD = re.compile(r":((?![\s:])(?:\\.|[^:\\\n]|:(?![\s`]|\Z)){0,200}?(?<!\s)):(?:\s+|\Z)")
OPTION = re.compile(r"((?:--?|/)[A-Za-z0-9?][\w-]*(?:(?:=|, ?| )[^\s,=]{1,60}){0,6})(?:\s{2,}|\Z)")
TARGET = re.compile(r"\.\.\s+_(`[^`\n]{1,300}`|(?:\\.|[^:\\\n`]|:(?=\S)){1,300}):(?:\s+(.*)|\s*\Z)")
ANONYMOUS = re.compile(r"(?:\.\.\s+__:|__)\s+(\S.*)")
FOOTNOTE = re.compile(r"\.\.\s+\[(#?[\w.-]{0,60}|\*)\](?:\s+|\Z)")
SUBSTITUTION = re.compile(r"\.\.\s+\|([^|\n]{1,100})\|\s+([\w-]+)::(?:\s+(.*)|\s*\Z)")
DIRECTIVE = re.compile(r"\.\.\s+([A-Za-z][\w.+-]{0,60}(?::[A-Za-z][\w.+-]{0,60}){0,3})\s?::(?:\s+(.*)|\s*\Z)")
EXPLICIT = re.compile(r"\.\.(?:\s|\Z)")
_MARGIN = re.compile(r" *")
_OPTION_OF_DIRECTIVE = re.compile(r":([A-Za-z][\w+.-]{0,60}):(?:\s+(.*)|\s*\Z)")
_SETTINGS: Final = frozenset({"nocomments", "nosearch", "no-search", "orphan", "tocdepth"})
_SHORT: Final = 4  # an underline this long is meant as one, even under a longer title


@dataclass(frozen=True, slots=True)
class Directive:
    """``.. name:: argument`` with its options and body; ``argument`` may go on over several lines."""

    name: str
    argument: tuple[Line, ...]
    at: Line
    options: dict[str, Line] = field(default_factory=dict)
    body: tuple[Line, ...] = ()

    @property
    def words(self) -> str:
        """The argument in one line."""
        return " ".join(" ".join(line.text for line in self.argument).split())

    def option(self, name: str) -> str:
        """An option, "" when it is not given."""
        return self.options[name].text.strip() if name in self.options else ""


def margin(text: str) -> int:
    """The width of the space before a line's first character."""
    match = _MARGIN.match(text)
    return match.end() if match else 0


def block_end(lines: Sequence[Line], at: int) -> int:
    """The first line after ``at`` that is neither blank nor indented; blank lines before it do not belong either."""
    end = at + 1
    for place in range(at + 1, len(lines)):
        text = lines[place].text
        if text and not text.isspace():
            if not text.startswith(" "):
                break
            end = place + 1
    return end


def dedented(lines: Sequence[Line]) -> list[Line]:
    """Lines moved to the left margin together."""
    widths = [margin(line.text) for line in lines if line.text and not line.text.isspace()]
    least = min(widths, default=0)
    return [Line(line.text[least:], line.line, line.file) for line in lines] if least else list(lines)


def trimmed(lines: Sequence[Line]) -> list[Line]:
    """Lines without the blank ones at both ends."""
    first, last = 0, len(lines)
    while first < last and not lines[first].text.strip():
        first += 1
    while last > first and not lines[last - 1].text.strip():
        last -= 1
    return list(lines[first:last])


def is_title(lines: Sequence[Line], at: int) -> tuple[int, str]:
    """How many lines the title that begins at ``at`` takes (0: it is none), and its style."""
    text = lines[at].text.rstrip()
    following = lines[at + 1].text.rstrip() if at + 1 < len(lines) else ""
    over = ADORNMENT.match(text)
    if over and at + 2 < len(lines):
        under = lines[at + 2].text.rstrip()
        title = following.strip()
        if title and under == text and (len(text) >= len(title) or len(text) >= _SHORT):
            return (3, text[0] * 2) if not ADORNMENT.match(title) or len(title) < len(text) else (0, "")
    ruled = (
        bool(text) and not text.startswith(" ") and not (over and len(text) >= _SHORT) and ADORNMENT.match(following)
    )
    if ruled and following != "::" and len(following) >= min(len(text), _SHORT):
        return 2, following[0]
    return 0, ""


def literal(lines: Sequence[Line], at: int) -> tuple[list[Line], int]:
    """The literal block after ``::``: indented lines, or lines that all begin with one sign."""
    start = at
    while start < len(lines) and not lines[start].text.strip():
        start += 1
    if start == len(lines):
        return [], at
    if lines[start].text.startswith(" "):
        end = block_end(lines, start)
        return list(lines[start:end]), end
    sign = lines[start].text[0]
    end = start
    while start > at and not sign.isalnum() and end < len(lines) and lines[end].text.startswith(sign):
        end += 1
    return list(lines[start:end]), max(end, at)


def settings_end(lines: Sequence[Line]) -> int:
    """Where a page begins after the fields at its very top, such as ``:tocdepth: 2``: settings of the generator."""
    at = next((number for number, line in enumerate(lines) if line.text.strip()), len(lines))
    end, known = 0, True
    while at < len(lines):
        text = lines[at].text
        if text.strip() and not FIELD.match(text) and not (end and text.startswith(" ")):
            break
        found = FIELD.match(text)
        known &= not found or found[1].lower() in _SETTINGS
        end = at + 1 if text.strip() else end
        at += 1
    titled = at < len(lines) and (EXPLICIT.match(lines[at].text) or is_title(lines, at)[0])
    return end if known or titled else 0


def title_below(lines: Sequence[Line], at: int) -> str:
    """The words of the title that follows, other labels between; "" when something else does."""
    for number in range(at, min(len(lines), at + 12)):
        text = lines[number].text
        taken, _ = is_title(lines, number) if text.strip() else (0, "")
        if taken:
            return lines[number + (taken == 3)].text.strip()  # noqa: PLR2004 - with a line above
        if text.strip() and not TARGET.match(text):
            break
    return ""


def directive(first: Line, match: re.Match[str], rest: Sequence[Line]) -> Directive:
    """Take a directive apart.

    Args:
        first: The line with ``.. name::``.
        match: What ``DIRECTIVE`` found in it.
        rest: The indented lines after it.

    Returns:
        The directive; lines before the options belong to the argument, lines after them to the body.
    """
    content = dedented(rest)
    argument = [Line(match[2].strip(), first.line, first.file)] if (match[2] or "").strip() else []
    at = 0
    while at < len(content) and content[at].text.strip() and not _OPTION_OF_DIRECTIVE.match(content[at].text):
        at += 1
    argument += content[:at]
    options: dict[str, Line] = {}
    name = ""
    while at < len(content) and content[at].text.strip():
        option = _OPTION_OF_DIRECTIVE.match(content[at].text)
        if option:
            name = option[1].lower()
            options[name] = Line((option[2] or "").strip(), content[at].line, content[at].file)
        elif name and content[at].text.startswith(" "):
            known = options[name]
            options[name] = Line(f"{known.text} {content[at].text.strip()}".strip(), known.line, known.file)
        else:
            break
        at += 1
    return Directive(match[1].lower(), tuple(argument), first, options, tuple(trimmed(content[at:])))
