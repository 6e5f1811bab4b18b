"""Markdown's flavours as plain Markdown: MkDocs, Docusaurus, VitePress, MyST, Hugo, Jekyll and MDX.

In: the text of a page and what it may look up. Out: a ``Page`` in which includes are resolved, and comments, statements and
tags are emptied lines. Containers such as ``!!! note`` and ``:::tip`` are left for who reads the blocks.
"""

from typing import Final

from dragoman.ingest.formats.markdown.comments import Comments
from dragoman.ingest.formats.markdown.front import emptied, front_matter
from dragoman.ingest.formats.markdown.include import REASONS as INCLUDE_REASONS
from dragoman.ingest.formats.markdown.include import asks, expand
from dragoman.ingest.formats.markdown.jsx import Components, has_components
from dragoman.ingest.formats.markdown.myst import has_myst, plain_myst
from dragoman.ingest.formats.markdown.raw import has_raw, plain_raw
from dragoman.ingest.formats.markdown.shortcodes import (
    SIGNS,
    blank_badges,
    blank_noise,
    blank_shortcodes,
    has_badges,
    has_noise,
)
from dragoman.ingest.formats.page import LeftOut, Neighbours, Page, PageLines
from dragoman.ingest.formats.rst.inline import Names
from dragoman.ingest.formats.titles import Titles

REASONS: Final = ("comment never closed", *INCLUDE_REASONS)


def convert(text: str, path: str, neighbours: Neighbours) -> Page:
    """A Markdown file of any flavour as plain Markdown.

    Args:
        text: Normalised text: no BOM, lines end at ``"\\n"``.
        path: Where the file is, relative to the docs folder; ``.mdx`` is read as MDX throughout.
        neighbours: What the page may include.

    Returns:
        The page. Most pages come back as they are, without line maps.
    """
    front = front_matter(text)
    body = emptied(text, front.lines)
    names = Names(titles=Titles(path, neighbours))
    body = _own_markup(body, names, mdx=path.lower().endswith(".mdx"))
    lines: PageLines | None = None
    left: list[LeftOut] = []
    if asks(body):
        lines, left = expand(body, path, neighbours)
        body = _own_markup("\n".join(lines.texts), names, mdx=path.lower().endswith(".mdx"))
        lines.texts = body.split("\n")
    texts, hidden = _without_markup(body, mdx=path.lower().endswith(".mdx"))
    if lines is None:
        left = [LeftOut(line + 1, REASONS[0]) for line in hidden]
        return Page(body if texts is None else "\n".join(texts), None, None, front.title, front.slug, tuple(left))
    if texts is not None:
        lines.texts = texts
    left += [LeftOut(_own_line(lines, line), REASONS[0], lines.files[line]) for line in hidden]
    left.sort(key=lambda row: row.line)
    return lines.page(front.title, front.slug, left)


def _without_markup(body: str, *, mdx: bool) -> tuple[list[str] | None, list[int]]:
    """The lines without what is no text, ``None`` when there is nothing of the kind; and the comments that never end."""
    components = mdx or has_components(body)
    comments = "<!--" in body
    codes = any(sign in body for sign in SIGNS)
    badges, noise = has_badges(body), has_noise(body)
    if not (components or comments or codes or badges or noise):
        return None, []
    texts = body.split("\n")
    if codes:
        blank_shortcodes(texts)  # first, for it makes fences, and a comment in code is code
    hidden = [Comments(texts, "<!--", "-->", loose=mdx).blank()] if comments else []
    if components and "{/*" in body:
        hidden.append(Comments(texts, "{/*", "*/}", loose=True).blank())
    if noise:
        blank_noise(texts)
    if badges:
        blank_badges(texts)
    if components:
        Components(texts, mdx=mdx).blank()
    return texts, [line for line in hidden if line is not None]


def _own_markup(body: str, names: Names, *, mdx: bool) -> str:
    """The text with MyST's markup and HTML's headings as Markdown's; includes bring more of them."""
    myst, raw = has_myst(body), has_raw(body)
    if not (myst or raw):
        return body
    texts = body.split("\n")
    if raw:
        plain_raw(texts, loose=mdx)
    if myst and not mdx:
        plain_myst(texts, names)
    return "\n".join(texts)


def _own_line(lines: PageLines, index: int) -> int:
    """The line of the page itself at or above a line of it."""
    return next((lines.lines[row] for row in range(index, -1, -1) if not lines.files[row]), 1)
