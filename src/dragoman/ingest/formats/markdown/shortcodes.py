"""Takes the lines of site generators' own markup out of a page: Liquid and Jinja tags, Hugo's shortcodes, badges, scripts.

In: the lines of a page. Out: the same list; lines of nothing but such markup are emptied, or hold the words that a reader
would see of them. What stands between two tags stays. No line moves, and code is left as it is.
"""

import re

from dragoman.ingest.formats.markdown.fences import Fences
from dragoman.ingest.formats.markdown.labels import first_words, label

SIGNS = ("{%", "{{<", "{{%")
_CLOSERS = {"{%": "%}", "{{<": ">}}", "{{%": "%}}"}
_TAG = re.compile(r"[-\s]*(/?[\w./-]*)(.*)\Z", re.DOTALL)
_HIGHLIGHT_END = re.compile(r"\{[{%][%<]?-?\s*(?:/\s*|end)(?:highlight|code-block)\b")
_MOST = 16  # lines of one tag
_LONGEST = 4_000
_WITH_WORDS = frozenset({"tab", "tabitem", "details", "expand", "collapse", "accordion", "step"})
_CODE = frozenset({"highlight", "code-block", "endhighlight"})

_IMAGE = re.compile(
    r"(\[)?!\[([^\[\]]*+)\](?:\(\s*+([^()\s]*+)[^()]*+\)|\[([^\[\]]*+)\])(?(1)\](?:\([^()]*+\)|\[[^\[\]]*+\]))"
)
_HTML_IMAGE = re.compile(r"<(?:/?(?:a|p|div|center)\b[^<>]*+|br\s*/?|img\b[^<>]*+)>", re.IGNORECASE)
_SOURCE = re.compile(r"<img\b[^<>]*?\bsrc\s*=\s*[\"']?([^\"'\s<>]+)", re.IGNORECASE)
_DEFINITION = re.compile(r"^ {0,3}\[([^\[\]\n]+)\]:[ \t]*<?([^\s<>]+)", re.MULTILINE)
_BADGE = re.compile(
    r"shields\.io|badge|travis-ci\.(?:org|com)/[^?]*\.(?:svg|png)|codecov\.io/.*\.svg|circleci\.com/.*\.svg|coveralls\.io/repos/"
    r"|/workflows/[^?]*\.svg|appveyor\.com/api|david-dm\.org|snyk\.io/test|pepy\.tech|isitmaintained\.com|nodei\.co/npm",
    re.IGNORECASE,
)
_NOISE = re.compile(r"\[TOC\]|\[\[_?toc_?\]\]|\[\[open-in-colab\]\]|\[(?://|comment)\]:\s*(?:#|<>).*", re.IGNORECASE)
_RAW = ("<script", "<style")
_BADGE_SIGNS = (
    "shields.io",
    "badge",
    "workflows/",
    "travis-ci",
    "codecov.io",
    "circleci",
    "coveralls",
    "appveyor",
    "david-dm",
    "snyk.io",
)


def has_badges(text: str) -> bool:
    """Whether a page may have badges; a look that costs next to nothing."""
    return ("![" in text or "<img" in text) and any(sign in text for sign in _BADGE_SIGNS)


def has_noise(text: str) -> bool:
    """Whether a page may have scripts, styles, or lines that a site fills in."""
    return any(
        sign in text for sign in (*_RAW, "[TOC]", "[toc]", "[[toc]]", "[[_TOC_]]", "[[open-in", "[//]:", "[comment]:")
    )


def blank_shortcodes(texts: list[str]) -> None:
    """Empty the lines of nothing but tags, in place; those with a label become it."""
    fences, index = Fences(), 0
    highlighted = False
    while index < len(texts):
        line = texts[index]
        bare = line.lstrip(" \t")
        if highlighted and bare.startswith(SIGNS) and len(bare) <= _LONGEST and _HIGHLIGHT_END.match(bare):
            texts[index] = line = line[: len(line) - len(bare)] + fences.mark
            highlighted = False
        if fences.inside(line) or not bare.startswith(SIGNS):
            index += 1
            continue
        last = index + 1
        tags = _tags(bare.rstrip())
        while tags is None and last < min(len(texts), index + _MOST) and _CLOSERS[_sign(bare)] not in bare:
            bare += "\n" + texts[last]
            last += 1
            tags = _tags(bare.rstrip()) if _CLOSERS[_sign(bare)] in texts[last - 1] else None
        if tags is None:
            # Without the end of the tag in any of these lines, none of them begins a tag that ends there.
            index = last if _CLOSERS[_sign(bare)] not in bare else index + 1
            continue
        margin = line[: len(line) - len(line.lstrip(" \t"))]
        said = _said(tags)
        texts[index:last] = [margin + said if said else "", *[""] * (last - index - 1)]
        highlighted = fences.inside(texts[index])
        index = last


def _sign(bare: str) -> str:
    return next(sign for sign in ("{{<", "{{%", "{%") if bare.startswith(sign))


def _tags(bare: str) -> list[str] | None:
    """The insides of the tags that a text is made of; ``None`` when it is more than tags."""
    tags, place = [], 0
    if len(bare) > _LONGEST:
        return None
    while place < len(bare):
        if bare[place].isspace():
            place += 1
            continue
        sign = next((sign for sign in ("{{<", "{{%", "{%") if bare.startswith(sign, place)), None)
        end = bare.find(_CLOSERS[sign], place + len(sign)) if sign else -1
        if sign is None or end < 0:
            return None
        tags.append(bare[place + len(sign) : end])
        place = end + len(_CLOSERS[sign])
    return tags


def _said(tags: list[str]) -> str:
    """The line that stands for tags: a fence for highlighted code, or the first label."""
    for inside in tags:
        match = _TAG.match(inside)
        name, rest = (match[1], match[2]) if match else ("", "")
        if name.strip("/") in _CODE:
            closing = name.startswith(("/", "end"))
            language = re.match(r"\s*[\"']?([\w+#-]+)", rest)
            return "```" if closing or not language else f"```{language[1]}"
        if name.startswith(("/", "end")):
            continue
        words = label(name, rest)
        if not words and name.lower() in _WITH_WORDS and (plain := first_words(rest)):
            words = f"**{plain}**:"
        if words and name not in {"if", "elsif", "for", "assign", "set", "include", "figure-url"}:
            return words
    return ""


def blank_badges(texts: list[str]) -> None:
    """Empty the lines that hold badges and nothing else, in place."""
    fences = Fences()
    named: dict[str, str] | None = None
    for index, line in enumerate(texts):
        bare = line.strip()
        if fences.inside(line) or not bare.startswith(("[![", "![", "<")) or len(bare) > _LONGEST:
            continue
        if bare[0] == "<":
            sources = _SOURCE.findall(bare) if "<img" in bare and not _HTML_IMAGE.sub("", bare).strip() else []
        elif _IMAGE.sub("", bare).strip(" \t|·•\\"):
            continue
        else:
            if named is None and "][" in bare:
                named = {name.lower(): url for name, url in _DEFINITION.findall("\n".join(texts))}
            sources = [url or (named or {}).get((key or alt).lower(), "") for _, alt, url, key in _IMAGE.findall(bare)]
        if sources and all(_BADGE.search(url) for url in sources):
            texts[index] = ""


def blank_noise(texts: list[str]) -> None:
    """Empty scripts, styles, tables of contents that a site fills in, and links that are comments, in place."""
    fences, index = Fences(), 0
    last = {mark: max((row for row, text in enumerate(texts) if f"</{mark[1:]}>" in text), default=-1) for mark in _RAW}
    while index < len(texts):
        line = texts[index]
        if fences.inside(line):
            index += 1
            continue
        mark = next((mark for mark in _RAW if line.startswith((f"{mark}>", f"{mark} "))), None)
        if mark and last[mark] >= index:
            while f"</{mark[1:]}>" not in texts[index]:
                texts[index] = ""
                index += 1
            texts[index] = ""
        elif line[:1] == "[" and len(line) <= _LONGEST and _NOISE.fullmatch(line.rstrip()):
            texts[index] = ""
        index += 1
