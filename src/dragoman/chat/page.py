"""How an answer looks in a browser: safe Markdown, with its sources under it.

In: answers and their text while it is written. Out: Markdown and HTML in which nothing loads from, or links to,
a place that the passages do not name. And back: the plain answer in a shown message. Knows no web framework.
"""

import html
import re
from collections.abc import Sequence

from dragoman.chat.answer import place_of, trail_of
from dragoman.chat.excerpt import outside_code, parted, shorten
from dragoman.chat.links import is_known, known_addresses, safe_address, unlinked
from dragoman.chat.special import plain_terminal
from dragoman.chat.support import SUPPORTED
from dragoman.records import Answer, Citation, Finding, Turn

_SOURCES = '<div class="sources">'
_UNSURE = 'class="unsure" title="not in the docs"'
_EXCERPT_CHARS = 700
_CITED = re.compile(r"(?<!\[)\[(\d+)\](?!\()")
_SHOWN_CITATION = re.compile(r"\[\[(\d+)\]\]\([^)]*\)|\\\[(\d+)\\\]")
_SHOWN_CODE = re.compile(rf"<code {_UNSURE}>(.*?)</code>")
_SHOWN_MARK = re.compile(rf"<span {_UNSURE}>(.*?)</span>")
_SHOWN_LINE = re.compile(r'\n\n<p class="unsure">.*?</p>\n')
_WEB = ("https://", "http://")


def draft_markdown(text: str) -> str:
    """An unfinished answer: nothing in it is a link, an image or a tag.

    Args:
        text: The Markdown so far.

    Returns:
        Markdown that can be shown.
    """
    return _inert(unlinked(plain_terminal(text), lambda _: False, _as_code))


def answer_markdown(answer: Answer) -> str:
    """A finished answer with its sources.

    Args:
        answer: The answer.

    Returns:
        Markdown, the citations linked to their sections, what no passage contains marked as such, and an HTML list of the sources.
    """
    known = known_addresses([citation.hit for citation in answer.citations])
    # The words of a refusal are ours, and so is the address in it where to ask instead.
    ours = answer.mode == "refusal"
    text = unlinked(
        plain_terminal(answer.text), lambda url: url.startswith(_WEB) and (ours or is_known(url, known)), _as_code
    )
    text = _marked(_inert(text), [one for one in answer.findings if not one.removed])
    by_number = {citation.number: citation.hit.chunk.url for citation in answer.citations}

    def cite(match: re.Match[str]) -> str:
        url = by_number.get(int(match[1]), "")
        # Escaped, since "[1]: text" at the start of a line is a link definition, and not shown at all.
        return f"[[{match[1]}]](<{safe_address(url)}>)" if url.startswith(_WEB) else rf"\[{match[1]}\]"

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
    text = _SHOWN_LINE.sub("", shown.rpartition(_SOURCES)[0] or shown)

    def unmarked(prose: str) -> str:
        prose = _SHOWN_CITATION.sub(lambda cited: f"[{cited[1] or cited[2]}]", _SHOWN_MARK.sub(r"\1", prose))
        return _SHOWN_CODE.sub(lambda code: f"`{html.unescape(code[1])}`", prose).replace("&lt;", "<")

    return outside_code(text, unmarked).strip()


def _inert(text: str) -> str:
    """Raw HTML as plain characters: a page's own ``<img>`` would call a foreign host."""
    return outside_code(text, lambda prose: prose.replace("<", "&lt;"))


def _as_code(url: str) -> str:
    """An address that is shown, but not linked."""
    return "`" + url.replace("`", "%60") + "`"


def _marked(text: str, findings: Sequence[Finding]) -> str:
    """Mark what is not in the docs: code spans and words by a tag, code blocks by a line under them."""
    parts: list[str] = []
    for part, is_code in parted(text):
        within = [one.text for one in findings if all(word in part for word in one.text.split())]
        if not is_code:
            for name in within:
                part = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", rf"<span {_UNSURE}>\g<0></span>", part)  # noqa: PLW2901
        elif within and part.startswith(("```", "~~~")) and "\n" in part:
            names = ", ".join(f"<code>{_line(name)}</code>" for name in within)
            part = f'{part}\n\n<p class="unsure">Not in the docs: {names}</p>\n'  # noqa: PLW2901
        elif within and "\n" not in part:
            part = f"<code {_UNSURE}>{html.escape(part.strip('`').strip())}</code>"  # noqa: PLW2901
        parts.append(part)
    return "".join(parts)


def _sources(answer: Answer) -> str:
    note = f'<p class="note">{_line(answer.note)}</p>' if answer.note else ""
    if not answer.citations:
        return f"{_SOURCES}{note}</div>"
    quoted = answer.mode == "extractive"
    items = "".join(_source(citation, excerpt=not quoted) for citation in answer.citations)
    label = "Nearest sections" if answer.mode == "refusal" else "Sources"
    return f'{_SOURCES}{note}<p class="label">{label}</p><ol>{items}</ol>{_support(answer)}</div>'


def _support(answer: Answer) -> str:
    """The sentences that the passages bear out little; nothing when there are none."""
    weak = [one for one in answer.support if one.score < SUPPORTED]
    if not weak or answer.mode != "llm":
        return ""
    items = "".join(f"<li>{_line(one.sentence)}</li>" for one in weak)
    return f'<details class="support"><summary>Sentences with little support in the sources</summary><ul>{items}</ul></details>'


def _line(text: str) -> str:
    """Text of any origin as one line of HTML; a blank line would end the block that it stands in."""
    return html.escape(" ".join(plain_terminal(text).split()))


def _source(citation: Citation, *, excerpt: bool) -> str:
    chunk = citation.hit.chunk
    trail = _line(trail_of(chunk))
    if chunk.url.startswith(_WEB):
        link = html.escape(safe_address(chunk.url))
        trail = f'<a href="{link}" target="_blank" rel="noopener noreferrer">{trail}</a>'
    place = f'<span class="place">{_line(place_of(chunk))}</span>'
    details = ""
    if excerpt:
        # A blank line would end the HTML block, and what follows it would be read as Markdown.
        quote = html.escape(shorten(plain_terminal(chunk.text), _EXCERPT_CHARS)).replace("\n", "&#10;")
        details = f"<details><summary>Excerpt</summary><pre>{quote}</pre></details>"
    number = f'<span class="number">{citation.number}</span>'
    return f'<li>{number}<div class="source">{trail} {place}{details}</div></li>'
