"""MyST's own markup as plain Markdown: labels, roles, and directives that show nothing.

In: the lines of a page. Out: the same list; labels and directives that a site fills in are emptied, a role is what a reader sees of
it, and code has its language. No line moves. Other directives, such as notes, stay for who reads the blocks.
"""

import re
from typing import Final

from dragoman.ingest.formats.blocks import word_set
from dragoman.ingest.formats.markdown.fences import Fences, code_spans
from dragoman.ingest.formats.rst.inline import Names, role

_LABEL = re.compile(r" {0,3}\(([^()\n]{1,200})\)=[ \t]*\Z")
_LABELLED = re.compile(r"^ {0,3}\(([^()\n]{1,200})\)=[ \t]*\n{1,3}#{1,6}[ \t]+(\S[^\n]{0,300})$", re.MULTILINE)
_OWN_ID = re.compile(r"[ \t]*\{[^{}]*\}[ \t]*\Z")
_DIRECTIVE = re.compile(r"([ \t]*)(`{3,}|~{3,}|:{3,})[ \t]*\{([a-z][\w:-]{0,60})\}[ \t]*(.*)\Z")
_OPTION = re.compile(r"[ \t]*:[a-z][a-z-]{0,40}:(?:[ \t]|\Z)")
_ROLE = re.compile(r"\{([a-z][\w:+.-]{0,60})\}\Z")
_BEGUN = re.compile(r"\{([a-z][\w:+.-]{0,60})\}`([^`{}]+)\Z")
_SILENT: Final = word_set(
    "contents toctree tableofcontents index highlight default-role role meta raw sectnum tabularcolumns autosummary image"
)
_MARKDOWN: Final = word_set(
    "admonition attention caution danger error hint important note tip warning seealso todo versionadded versionchanged "
    "versionremoved deprecated deprecated-removed topic sidebar margin dropdown tab-item tab-set card grid grid-item "
    "grid-item-card container div epigraph pull-quote figure table glossary hlist only"
)
_CODE: Final = frozenset({"code", "code-block", "code-cell", "sourcecode"})
_ROLES: Final = word_set(
    "abbr any attr class command const data dfn doc download envvar eq exc file func guilabel index kbd math menuselection meth "
    "mod numref obj option pep program py ref rfc samp sub sup term"
)
_DOMAINS: Final = ("py:", "c:", "cpp:", "js:", "std:", "rst:", "external:")
_LONGEST: Final = 4_000
_LONGEST_ROLE: Final = 300
_MOST: Final = 200  # lines of a directive that shows nothing


def has_myst(text: str) -> bool:
    """Whether a page may have such markup; a look that costs next to nothing."""
    return ")=" in text or "}`" in text or any(f"{mark}{{" in text for mark in ("```", "~~~", ":::", "``` ", "::: "))


def plain_myst(texts: list[str], names: Names) -> None:
    """Empty labels and silent directives, and write out roles, in place.

    Args:
        texts: The lines of a page.
        names: What its links may show; its labels are added.
    """
    for label, title in _LABELLED.findall("\n".join(texts)):
        names.note_label(label, _OWN_ID.sub("", title).rstrip(" #"))
    _Plain(texts, names).run()


class _Plain:
    def __init__(self, texts: list[str], names: Names) -> None:
        self._texts, self._names = texts, names
        self._fences = Fences()
        self._open: list[str] = []  # the markers of directives that hold Markdown

    def run(self) -> None:
        index = 0
        while index < len(self._texts):
            line = self._texts[index]
            if len(line) > _LONGEST:
                self._fences.inside(line)
                index += 1
                continue
            found = _DIRECTIVE.match(line) if not self._fences.mark and "{" in line else None
            if found:
                index = self._directive(index, found)
                continue
            if not self._fences.mark and self._open and _closes(line, self._open[-1]):
                self._open.pop()
            elif not self._fences.inside(line):
                self._texts[index] = "" if _LABEL.match(line) else self._spoken(line)
                self._over_two_lines(index)
            index += 1

    def _directive(self, index: int, found: re.Match[str]) -> int:
        """A line that opens a directive; gives the next one to look at."""
        margin, marker, name, argument = found.groups()
        if name in _SILENT:
            stop = min(len(self._texts), index + _MOST)
            last = next((row for row in range(index + 1, stop) if _closes(self._texts[row], marker)), 0)
            if last:
                self._texts[index : last + 1] = [""] * (last + 1 - index)
            else:
                self._fences.inside(self._texts[index])
            return max(last, index) + 1
        if name in _MARKDOWN:
            self._open.append(marker)
            self._texts[index] = self._spoken(self._texts[index])
            return index + 1
        if name in _CODE and marker[0] != ":":
            language = argument.split()[0] if argument.split() else ""
            language = "python" if name == "code-cell" and not language else language
            self._texts[index] = f"{margin}{marker}{language}"
            self._fences.inside(self._texts[index])
            return self._without_options(index + 1)
        self._fences.inside(self._texts[index])
        return index + 1

    def _without_options(self, index: int) -> int:
        while index < len(self._texts) and _OPTION.match(self._texts[index][:_LONGEST]):
            self._texts[index] = ""
            index += 1
        return index

    def _spoken(self, line: str) -> str:
        """The line with its roles written out."""
        if "}`" not in line:
            return line
        parts, reached = [], 0
        for start, end in code_spans(line):
            match = _ROLE.search(line, max(reached, start - 64), start)
            if not match or not _known(match[1]):
                continue
            parts += [line[reached : match.start()], role(match[1].lower(), line[start:end].strip("`"), self._names)]
            reached = end
        return "".join([*parts, line[reached:]])

    def _over_two_lines(self, index: int) -> None:
        """Write out a role that ends on the next line; its words stand on one of the two."""
        line = self._texts[index]
        begun = _BEGUN.search(line, max(0, len(line) - _LONGEST_ROLE)) if "}`" in line else None
        below = self._texts[index + 1] if index + 1 < len(self._texts) else ""
        end = below.find("`")
        if not begun or not _known(begun[1]) or not 0 <= end <= _LONGEST_ROLE or below[end : end + 2] == "``":
            return
        words = role(begun[1].lower(), f"{begun[2]} {below[:end].strip()}", self._names)
        before, after = line[: begun.start()], below[end + 1 :]
        if after.strip() or not before.strip():
            self._texts[index : index + 2] = [before + words, after.lstrip()]
        else:
            self._texts[index : index + 2] = [before.rstrip(), words + after]


def _known(name: str) -> bool:
    return name in _ROLES or name.startswith(_DOMAINS)


def _closes(text: str, marker: str) -> bool:
    bare = text.strip()
    return bare.startswith(marker) and not bare.strip(marker[0])
