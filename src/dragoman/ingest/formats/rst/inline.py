"""The inline markup of reStructuredText as Markdown: roles, references, links, literals and substitutions.

In: the words of a paragraph. Out: the same words, line for line. It knows the names that a page defines, and no blocks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dragoman.ingest.formats.blocks import Line, code, prose, untagged, word_set
from dragoman.ingest.formats.titles import Titles, readable

_INLINE = re.compile(
    r"""
    ``(?P<literal>(?:[^`]|`(?!`))+)``
    | :(?P<role>[A-Za-z][\w.+:-]{0,60}?):`(?P<content>[^`]{1,2000})`
    | _`(?P<target>[^`]{1,200})`
    | `(?P<quoted>[^`]{1,2000})`(?:(?P<end>__?)|:(?P<suffix>[A-Za-z][\w.+:-]{0,60}):)?
    | \|(?P<substitution>[^|\s](?:[^|\n]{0,80}[^|\s])?)\|_{0,2}
    | \[(?P<note>\#?[\w.-]{1,40}|\#|\*)\]_
    | (?<![\w.`/-])(?P<word>[A-Za-z0-9]{1,40}(?:[-.+_][A-Za-z0-9]{1,40}){0,6})__?(?![\w/])
    | \\(?P<escaped>[\s\S])
    """,
    re.VERBOSE,
)
_MARKED = re.compile(r"[`|_\[\\<]")
_EXPLICIT = re.compile(r"(?P<text>[^<]*?)\s*<(?P<target>[^<>]+)>\s*\Z")
_PLAIN_ROLES: Final = word_set(
    "ref doc term any numref abbr sup sub superscript subscript guilabel menuselection pep rfc title title-reference t emphasis "
    "strong eq cite issue issues pr pull commit user gh ghuser dfn math download manpage mailheader mimetype newsgroup regexp "
    "raw html"
)
_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class Names:
    """What the words of a page may refer to: links and substitutions by their lower-case names."""

    links: dict[str, str] = field(default_factory=dict)
    anonymous: list[str] = field(default_factory=list)  # in the order of their use
    substitutions: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # the titles below them
    titles: Titles | None = None  # of other pages

    def note_label(self, label: str, title: str) -> None:
        """Learn the title that a label stands above."""
        if title:
            self.labels.setdefault(named(label), title)

    def shown(self, role: str, target: str) -> str:
        """What a link to a page (``doc``) or a label (``ref``) shows when it has no words of its own."""
        if role == "doc":
            return self.titles.of_page(target) if self.titles else readable(target)
        title = self.labels.get(named(target), "")
        return inline(title, Names()) if title else readable(target)


def named(name: str) -> str:
    """A reference name as it is compared: one space for any, lower case."""
    return _SPACES.sub(" ", name.replace("\\", "")).strip().lower()


def paragraph(lines: Sequence[Line], names: Names) -> list[Line]:
    """A paragraph as Markdown, each line where it stood."""
    words = inline("\n".join(line.text for line in lines), names).split("\n")
    found = []
    for text, line in zip(words, lines, strict=False):
        if text.strip():
            found.append(Line(prose(text.strip()), line.line, line.file))
    return found


def inline(text: str, names: Names) -> str:
    """Words as Markdown; there are as many line breaks in the answer as in ``text``."""
    if not _MARKED.search(text):
        return text
    found: list[str] = []
    reached = 0
    for match in _INLINE.finditer(text):
        found.append(untagged(text[reached : match.start()]))
        found.append(_kept(match.group(), _markup(match, names)))
        reached = match.end()
    found.append(untagged(text[reached:]))
    return "".join(found)


def _kept(before: str, after: str) -> str:
    """``after`` with the line breaks of ``before``: a missing one comes first."""
    missing = before.count("\n") - after.count("\n")
    return "\n" * missing + after if missing >= 0 else _SPACES.sub(" ", after)


def _markup(match: re.Match[str], names: Names) -> str:
    kind, words = match.lastgroup or "", match.group()
    name = match["role"] or match["suffix"]
    if name or match["quoted"]:
        content = match["content"] or match["quoted"] or ""
        return role(name.lower(), content, names) if name else _quoted(content, match["end"] or "", names)
    if kind in {"word", "substitution"}:
        other = names.substitutions.get(named(match["substitution"] or ""), words)
        return _word(match["word"], words, names) if kind == "word" else other
    if kind == "escaped":
        return "" if match["escaped"] in {" ", "\t"} else words
    inner = match[kind]
    if kind == "literal":
        return code(inner)
    return f"[{inner}]" if kind == "note" else inner


def _word(word: str, words: str, names: Names) -> str:
    if words.endswith("__"):
        return f"[{word}]({names.anonymous.pop(0)})" if names.anonymous else words
    link = names.links.get(named(word))
    if link is None:
        return words
    return f"[{word}]({link})" if link else word


def _quoted(quoted: str, end: str, names: Names) -> str:
    explicit = _EXPLICIT.match(quoted)
    if not end:
        return f"*{quoted.strip()}*" if " " in quoted else code(quoted)
    if explicit:
        address = _SPACES.sub("", explicit["target"]).replace("\\_", "_")
        if address.endswith("_"):
            address = names.links.get(named(address[:-1]), "")
        text = explicit["text"].strip() or address
        return f"[{text}]({address})" if address else text
    if end == "__" and names.anonymous:
        return f"[{quoted}]({names.anonymous.pop(0)})"
    link = names.links.get(named(quoted), "")
    return f"[{quoted}]({link})" if link else quoted


def role(full_name: str, content: str, names: Names) -> str:
    """What a reader sees of a role: its text, or the last part of what it names after ``~``.

    Args:
        full_name: With or without its domain.
        content: What stands between its ticks.
        names: What links of the page may show.

    Returns:
        Words of Markdown.
    """
    name = full_name.rpartition(":")[2]
    explicit = _EXPLICIT.match(content)
    if name == "math":
        return f"${content.strip()}$"
    if explicit and explicit["text"]:
        shown = explicit["text"].strip()
    else:
        shown = content.strip().lstrip("!").strip()
        if shown.startswith("~"):
            shown = shown[1:].rpartition(".")[2]
        shown = shown.strip("<>") if explicit else shown
        shown = names.shown(name, shown) if name in {"doc", "ref"} else shown
    if name in {"pep", "rfc"} and not (explicit and explicit["text"]):
        return f"{name.upper()} {shown}"
    if name == "guilabel":
        return shown.replace("&", "")
    if name in {"strong", "emphasis", "dfn"}:
        mark = "**" if name == "strong" else "*"
        return f"{mark}{shown}{mark}"
    return untagged(shown) if name in _PLAIN_ROLES else code(shown)
