"""How an answer looks in a browser: safe Markdown, with its sources under it.

In: answers and their text while it is written. Out: Markdown and HTML in which nothing loads from, or links to,
a place that the passages do not name. And back: the plain answer in a shown message. Knows no web framework.
"""

import html
import re
from collections.abc import Sequence

from dragoman.chat.answer import place_of, trail_of
from dragoman.chat.excerpt import linked_only, outside_code, shorten
from dragoman.records import Answer, Citation, Turn

_SOURCES = '<div class="sources">'
_EXCERPT_CHARS = 700
_CITED = re.compile(r"(?<!\[)\[(\d+)\](?!\()")
_SHOWN_CITATION = re.compile(r"\[\[(\d+)\]\]\([^)]*\)|\\\[(\d+)\\\]")
_BARE_URL = re.compile(r"(?<![\w(`<\[])(?:https?://|www\.)[^\s)>`\"']+")
_WEB = ("https://", "http://")


def draft_markdown(text: str) -> str:
    """An unfinished answer: nothing in it is a link, an image or a tag.

    Args:
        text: The Markdown so far.

    Returns:
        Markdown that can be shown.
    """
    return _inert(linked_only(text, lambda _: False))


def answer_markdown(answer: Answer) -> str:
    """A finished answer with its sources.

    Args:
        answer: The answer.

    Returns:
        Markdown, the citations linked to their sections, and an HTML list of the sources.
    """
    passages = [citation.hit.chunk for citation in answer.citations]
    urls = {chunk.url for chunk in passages if chunk.url.startswith(_WEB)}

    def allowed(url: str) -> bool:
        return url.startswith(_WEB) and (url in urls or any(url in chunk.passage for chunk in passages))

    def bare(prose: str) -> str:
        return _BARE_URL.sub(lambda url: url[0] if allowed(url[0].rstrip(".,;:")) else f"`{url[0]}`", prose)

    text = _inert(outside_code(linked_only(answer.text, allowed), bare))
    by_number = {citation.number: citation.hit.chunk.url for citation in answer.citations}

    def cite(match: re.Match[str]) -> str:
        url = by_number.get(int(match[1]), "")
        # Escaped, since "[1]: text" at the start of a line is a link definition, and not shown at all.
        return f"[[{match[1]}]](<{_address(url)}>)" if url.startswith(_WEB) else rf"\[{match[1]}\]"

    return outside_code(text, lambda prose: _CITED.sub(cite, prose)) + "\n\n" + _sources(answer)


def turns_of(messages: Sequence[tuple[str, str]]) -> list[Turn]:
    """The turns of a conversation as it stands on the screen.

    Args:
        messages: Role ("user" or "assistant") and shown text, oldest first.

    Returns:
        A turn for each question that got an answer, sources and markup taken off again.
    """
    turns: list[Turn] = []
    question = ""
    for role, text in messages:
        if role == "user":
            question = text
        elif question:
            turns.append(Turn(question, _plain(text)))
            question = ""
    return turns


def _plain(shown: str) -> str:
    text = shown.rpartition(_SOURCES)[0] or shown

    def unmarked(prose: str) -> str:
        return _SHOWN_CITATION.sub(lambda cited: f"[{cited[1] or cited[2]}]", prose).replace("&lt;", "<")

    return outside_code(text, unmarked).strip()


def _inert(text: str) -> str:
    """Raw HTML as plain characters: a page's own ``<img>`` would call a foreign host."""
    return outside_code(text, lambda prose: prose.replace("<", "&lt;"))


def _sources(answer: Answer) -> str:
    note = f'<p class="note">{html.escape(answer.note)}</p>' if answer.note else ""
    if not answer.citations:
        return f"{_SOURCES}{note}</div>"
    quoted = answer.mode == "extractive"
    items = "".join(_source(citation, excerpt=not quoted) for citation in answer.citations)
    return f'{_SOURCES}{note}<p class="label">Sources</p><ol>{items}</ol></div>'


def _source(citation: Citation, *, excerpt: bool) -> str:
    chunk = citation.hit.chunk
    trail = html.escape(trail_of(chunk))
    if chunk.url.startswith(_WEB):
        link = html.escape(_address(chunk.url))
        trail = f'<a href="{link}" target="_blank" rel="noopener noreferrer">{trail}</a>'
    place = f'<span class="place">{html.escape(place_of(chunk))}</span>'
    details = ""
    if excerpt:
        # A blank line would end the HTML block, and what follows it would be read as Markdown.
        quote = html.escape(shorten(chunk.text, _EXCERPT_CHARS)).replace("\n", "&#10;")
        details = f"<details><summary>Excerpt</summary><pre>{quote}</pre></details>"
    number = f'<span class="number">{citation.number}</span>'
    return f'<li>{number}<div class="source">{trail} {place}{details}</div></li>'


def _address(url: str) -> str:
    """The URL without the characters that would end it inside Markdown."""
    return url.replace("<", "%3C").replace(">", "%3E").replace("(", "%28").replace(")", "%29").replace(" ", "%20")
