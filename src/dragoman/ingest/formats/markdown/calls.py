"""The ways in which a line of a page asks for another file, or for the documentation of an object.

In: the lines of a page and the one to look at. Out: what it asks for, as data. It reads no file; ``include`` answers.
Spoken here: MkDocs' snippets, include-markdown and ``{! !}``, VitePress' ``@include`` and ``<<<``, MyST's ``{include}`` and
``{literalinclude}``, partials of Docusaurus; mkdocstrings' ``:::``, ``[[autodoc]]`` and Sphinx' autodoc.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from dragoman.ingest.formats.markdown.excerpt import Range, Selection
from dragoman.ingest.formats.markdown.fences import width

_LONGEST = 2_000  # characters of a line that is looked at, and
_MOST = 64  # lines of a call: the rest is not ours to guess
_SNIPPET = re.compile(r"(;*+)-++8<-++(?:[ \t]++(?:\"([^\"]++)\"|'([^']++)'))?[ \t]*\Z")
_SNIPPET_TAIL = re.compile(r"(.+?)(:[A-Za-z_][\w-]*|(?::-?\d*){1,2}(?:,-?\d*:-?\d*)*)?\Z")
_LIQUID = re.compile(r"\{%-?\s*(include(?:-markdown)?)\s+(?:\"([^\"]+)\"|'([^']+)')(.*?)-?%\}\s*\Z", re.DOTALL)
_OPTION = re.compile(r"(?<![\w-])([\w-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|([^\s\"']+))", re.DOTALL)
_BANG = re.compile(r"\{([!*])>?\s*(\S+)((?:\s+\[?(?:ln|hl)[:\[][\d:,\s-]*\])*)\s*[!*]\}\s*\Z")
_BANG_LINES = re.compile(r"ln[:\[]([\d:,\s-]*)\]")
_VUE_CODE = re.compile(r"<<<\s*\"?([^\s\"{}\[\]<>]+)\"?\s*(?:\{([^{}]*)\})?\s*(?:\[[^\[\]]*\])?\s*\Z")
_BRACED = re.compile(r"\{(\d*)(,?)(\d*)\}\Z")
_MYST = re.compile(
    r"(`{3,}|~{3,}|:{3,})\{(include|literalinclude|eval-rst|(?:py:)?(?:current)?module|auto[a-z]+)\}[ \t]*(.*)\Z"
)
_MYST_OPTION = re.compile(r":?([a-z-]+):(?:[ \t]+(.*))?\Z")
_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*+"
_OBJECT = re.compile(rf"(#{{1,6}}[ \t]*)?(?:::: ?|\[\[autodoc\]\][ \t]+)({_NAME})[ \t]*\Z")
_HEADING_LEVEL = re.compile(r"heading_level:[ \t]*([1-6])")
_PARTIAL = re.compile(r"<([A-Z]\w*)(?:\s[^<>]*)?/>\s*\Z")
_CONTAINERS = re.compile(
    r"admonition|attention|caution|danger|details|error|example|failure|hint|important|info|note|quote|raw|row|rst|secondary"
    r"|see|seealso|success|summary|tabs?|tip|todo|tldr|vue|warning"
)


@dataclass(frozen=True, slots=True)
class Include:
    """A part of a file. ``code`` is the language of the fence to put it in, ``None`` for Markdown as it is."""

    target: str
    select: Selection = field(default_factory=Selection)
    code: str | None = None
    optional: bool = False  # without the file, the line is no call but text


@dataclass(frozen=True, slots=True)
class Describe:
    """The docstrings of an object, with headings from ``level`` on."""

    name: str
    level: int


@dataclass(frozen=True, slots=True)
class Rst:
    """The lines between the first and the last one of the call are reStructuredText."""


@dataclass(frozen=True, slots=True)
class Module:
    """From here on, objects are looked up in this module first."""

    name: str


Action = Include | Describe | Rst | Module


@dataclass(frozen=True, slots=True)
class Call:
    """What the lines up to ``last`` (0-based, exclusive) ask for; without any action they are ``text``."""

    last: int
    actions: tuple[Action, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """Where a line stands: in a fence or not, below a heading of which level, and above the line of the last ``:::``."""

    fenced: bool = False
    level: int = 0
    last_colons: int = -1
    partials: Mapping[str, str] = field(default_factory=dict)


def call_at(texts: Sequence[str], index: int, view: View) -> Call | None:
    """What a line asks for.

    Args:
        texts: The lines of the page.
        index: The line to look at.
        view: Where it stands.

    Returns:
        The call that begins there; ``None`` for a line that is only text.
    """
    bare = texts[index].lstrip(" \t")
    first = bare[:1]
    if not first or first not in "-;{<`~:#[" or len(bare) > _LONGEST:
        return None
    if first in "-;":
        return _snippets(texts, index, bare) if "8<-" in bare else None
    if first == "{":
        return _liquid(texts, index, view) if bare.startswith("{%") else _bang(bare, index, view)
    return None if view.fenced else _outside_code(texts, index, bare, view)


def _outside_code(texts: Sequence[str], index: int, bare: str, view: View) -> Call | None:
    if bare[0] == "<":
        return _angle(bare.rstrip(), index, view)
    if bare[0] in "`~:" and (match := _MYST.match(bare.rstrip())):
        return _myst(texts, index, match, view)
    return _object(texts, index, bare, view) if ":::" in bare or "[[autodoc]]" in bare else None


def _snippets(texts: Sequence[str], index: int, bare: str) -> Call | None:
    match = _SNIPPET.match(bare)
    if not match:
        return None
    if match[1]:
        return Call(index + 1, text=texts[index].replace(";", "", 1))
    if name := match[2] or match[3]:
        return Call(index + 1, (_snippet(name),))
    for last in range(index + 1, min(len(texts), index + _MOST)):
        end = _SNIPPET.match(texts[last].lstrip(" \t")[:_LONGEST])
        if end and not (end[1] or end[2] or end[3]):
            names = [text.strip() for text in texts[index + 1 : last]]
            return Call(last + 1, tuple(_snippet(name) for name in names if name and not name.startswith(";")))
    return None


def _snippet(name: str) -> Include:
    match = _SNIPPET_TAIL.match(name[:_LONGEST])
    target, tail = (match[1], match[2] or "") if match else (name, "")
    if tail[1:2].isalpha() or tail[1:2] == "_":
        return Include(target, Selection(section=tail[1:]))
    return Include(target, Selection(ranges=_ranges(tail[1:], ":") if tail else (), dedent=False))


def _ranges(text: str, sign: str) -> tuple[Range, ...]:
    """``3:5,7:`` or ``3-5,7-``; with "-", and in a list with ":", a number alone is one line."""
    parts = []
    for part in text.split(","):
        first, between, last = (side.strip() for side in part.strip().partition(sign))
        numbers = [int(side[:9]) if re.fullmatch(r"-?\d+", side[:9]) else 0 for side in (first, last)]
        alone = not between and sign == "-"
        parts.append(Range(numbers[0], numbers[0] if alone else numbers[1]))
    return tuple(parts)


def _joined(texts: Sequence[str], index: int, closer: str) -> tuple[str, int]:
    """The lines up to the one that holds ``closer``, and the line after it; "" when it is too far below."""
    for last in range(index, min(len(texts), index + _MOST)):
        if closer in texts[last]:
            joined = "\n".join(texts[index : last + 1]).strip()
            return (joined, last + 1) if len(joined) <= _LONGEST else ("", index)
        if len(texts[last]) > _LONGEST:
            break
    return "", index


def _liquid(texts: Sequence[str], index: int, view: View) -> Call | None:
    if "include" not in texts[index] and (index + 1 >= len(texts) or "include" not in texts[index + 1]):
        return None
    joined, last = _joined(texts, index, "%}")
    match = _LIQUID.match(joined)
    if not match or joined.count("%}") > 1:
        return None
    options = {key: double or single or plain for key, double, single, plain in _OPTION.findall(match[4])}
    start, end = (
        options.get(key, "").replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'") for key in ("start", "end")
    )
    levels = options.get("heading-offset", "0")
    select = Selection(
        start=start,
        end=end,
        dedent=options.get("dedent") == "true",
        levels=int(levels) if re.fullmatch(r"-?[0-6]", levels) else 0,
    )
    return Call(last, (Include(match[2] or match[3], select, optional=view.fenced),))


def _bang(bare: str, index: int, view: View) -> Call | None:
    match = _BANG.match(bare) if bare.startswith(("{!", "{*")) else None
    if not match or match[2].endswith(("!}", "*}")) or bare.rstrip()[-2] != match[1]:
        return None
    lines = _BANG_LINES.search(match[3])
    numbers = lines[1].replace(":", "-") if lines else ""
    select = Selection(ranges=_ranges(numbers, "-") if numbers.strip() else ())
    code = _language(match[2]) if match[1] == "*" and not view.fenced else None
    return Call(index + 1, (Include(match[2], select, code, optional=view.fenced),))


def _language(name: str) -> str:
    return PurePosixPath(name).suffix[1:].lower()


def _angle(bare: str, index: int, view: View) -> Call | None:
    if bare.startswith("<!--"):
        inner = bare[4:-3].strip()
        if not bare.endswith("-->") or not inner.startswith("@include:") or "-->" in inner:
            return None
        target = inner[9:].strip()
        ranges: tuple[Range, ...] = ()
        if braced := _BRACED.search(target[-40:]):
            first, last = int(braced[1] or 0), int(braced[3] or 0)
            ranges = (Range(first, last if braced[2] else first),)
            target = target[: -len(braced[0])]
        name, _, part = target.partition("#")
        return Call(index + 1, (Include(name.strip(), Selection(ranges=ranges, region=part.strip())),))
    if bare.startswith("<<<"):
        match = _VUE_CODE.match(bare)
        if not match or not re.search(r"[./]", match[1]):
            return None
        name, _, part = match[1].partition("#")
        words = re.search(r"[A-Za-z][\w+-]*", match[2] or "")
        return Call(
            index + 1, (Include(name, Selection(region=part, dedent=True), words[0] if words else _language(name)),)
        )
    partial = _PARTIAL.match(bare)
    if partial and partial[1] in view.partials:
        return Call(index + 1, (Include(view.partials[partial[1]]),))
    return None


def _myst(texts: Sequence[str], index: int, match: re.Match[str], view: View) -> Call | None:
    marker, kind, argument = match.groups()
    last = index + 1
    while last < min(len(texts), index + _MOST) and not _closes(texts[last], marker):
        last += 1
    if last == min(len(texts), index + _MOST):
        return None
    body = texts[index + 1 : last]
    if kind == "eval-rst":
        return Call(last + 1, (Rst(),))
    if kind.endswith("module") and not kind.startswith("auto"):
        return Call(last + 1, (Module(argument.strip()),))
    if kind.startswith("auto"):
        named = re.match(_NAME, argument)
        known = named and kind not in {"autosummary", "autodoc"}
        return Call(last + 1, (Describe(named[0], view.level + 1),)) if named and known else None
    if not argument.strip():
        return None
    pairs = (_MYST_OPTION.match(text.strip()[:_LONGEST]) for text in body)
    options = {pair[1]: (pair[2] or "").strip().strip("\"'") for pair in pairs if pair}
    return Call(last + 1, (_sphinx(kind, argument.strip(), options),))


def _closes(text: str, marker: str) -> bool:
    bare = text.strip()
    return bare.startswith(marker) and not bare.strip(marker[0])


def _sphinx(kind: str, target: str, options: Mapping[str, str]) -> Include:
    """``include`` or ``literalinclude`` with its options, as docutils and Sphinx mean them."""
    ranges = _ranges(options["lines"], "-") if options.get("lines") else ()
    if "start-line" in options or "end-line" in options:
        start, end = (
            int(value) if re.fullmatch(r"-?\d{1,9}", value := options.get(key, "")) else 0
            for key in ("start-line", "end-line")
        )
        ranges = (Range(start + 1 if start >= 0 else start, end - 1 if end < 0 else end),)
    levels = options.get("heading-offset", "0")
    select = Selection(
        ranges=ranges,
        object=options.get("pyobject", ""),
        after=options.get("start-at") or options.get("start-after", ""),
        before=options.get("end-at") or options.get("end-before", ""),
        with_first="start-at" in options,
        with_last="end-at" in options,
        dedent="dedent" in options,
        levels=int(levels) if re.fullmatch(r"-?[0-6]", levels) else 0,
    )
    if kind == "include" and not {"literal", "code"} & options.keys():
        return Include(target, select)
    return Include(target, select, options.get("language") or options.get("code") or _language(target))


def _object(texts: Sequence[str], index: int, bare: str, view: View) -> Call | None:
    match = _OBJECT.match(bare)
    if not match or (match[1] and "::: " not in bare):
        return None
    margin, last = width(texts[index]) + 4, index + 1
    while last < min(len(texts), index + _MOST) and texts[last].strip() and width(texts[last]) >= margin:
        last += 1
    name = match[2]
    if "." not in name and "[[" not in bare:
        closed = last == index + 1 and view.last_colons > index
        if _CONTAINERS.fullmatch(name) or (closed and not match[1]):
            return None
    level = len(match[1].strip()) if match[1] else view.level + 1
    if asked := _HEADING_LEVEL.search("\n".join(texts[index + 1 : last])):
        level = int(asked[1])
    return Call(last, (Describe(name, min(level, 6)),))
