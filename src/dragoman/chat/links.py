"""Lets an answer link to what was retrieved, and nowhere else.

In: Markdown of whatever origin, and which addresses are known. Out: the same text; a link to elsewhere is only its words, an image its
description, and HTML that could load, run or link anything is gone. Knows every way of writing a link, and no screen.
"""

import html
import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

from dragoman.chat.excerpt import outside_code, parted
from dragoman.chat.special import neutral
from dragoman.records import Finding, Hit

GONE = "(link removed)"
_WEB = ("https://", "http://")
_TITLE = r"""(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?"""
_TARGET = r"(?:<(?P<angled>[^<>\n]*)>|(?P<plain>(?:[^\s()\\<]|\\.|\((?:[^\s()]|\([^\s()]*\))*\))(?:[^\s()\\]|\\.|\((?:[^\s()]|\([^\s()]*\))*\))*)?)"
_WORDS = r"\[(?P<words>(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]"
_IMAGE = re.compile(rf"!{_WORDS}(?:\(\s*{_TARGET}{_TITLE}\s*\)|\[[^\[\]]*\])?")
_INLINE = re.compile(rf"{_WORDS}\(\s*{_TARGET}{_TITLE}\s*\)")
_DEFINITION = re.compile(
    rf"^[ \t>]*\[(?P<label>[^\[\]\n]+)\]:[ \t]*\n?[ \t]*<?(?P<url>[^\s<>]*[/:#.][^\s<>]*)>?{_TITLE}[ \t]*$\n?",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"\[(?P<words>[^\[\]]+)\](?:\[(?P<label>[^\[\]]*)\])?(?![(:])")
_ANGLED = re.compile(r"<(?P<url>[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)>")
_BARE = re.compile(
    r"(?<![\w@./-])(?:(?:https?|ftps?|file|wss?)://|www\.)[^\s<>\"'`|\]]+"
    r"|(?<![\w@./:-])(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+(?:com|org|net|io|dev|ai|app|co|me|example)/[^\s<>\"'`|\]]*",
    re.IGNORECASE,
)
_BARE_END = re.compile(r"[.,;:!?*_~'\"]+$")
_ANCHOR = re.compile(
    r"<a\b[^<>]*?\bhref\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<none>[^\s>]+))[^<>]*>(?P<words>.*?)</a\s*>",
    re.IGNORECASE | re.DOTALL,
)
_RISKY = re.compile(
    r"</?(?:a|img|script|iframe|frame|frameset|object|embed|applet|svg|math|form|input|button|link|meta|base|style|video|audio|source|track|"
    r"picture|image|use|foreignobject|portal|template)\b(?=[^<>]*[\s=/])[^<>]*>"
    r"|</?(?:script|iframe|object|embed|svg|math|form|style|base|meta)\b[^<>]*>"
    r"|<[a-z][^<>]*\s(?:on\w+|style|src|srcset|href|action|formaction|background|poster|xlink:href)\s*=[^<>]*>"
    r"|<!--.*?-->",
    re.IGNORECASE | re.DOTALL,
)
_LOADS = re.compile(
    r"\b(?:src|href|action|formaction|background|poster|data|srcset)\s*=\s*[\"']?(?P<url>[^\s\"'>]+)", re.IGNORECASE
)
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_OWN_HOST = re.compile(
    r"^(?:localhost|127\.|0\.0\.0\.0|\[?::1|(?:[\w-]+\.)*example\.(?:com|org|net)$|[^a-z]*your|.*[<>{}$])",
    re.IGNORECASE,
)

Allowed = Callable[[str], bool]


def known_addresses(hits: Sequence[Hit]) -> frozenset[str]:
    """The web addresses of what was retrieved: of its sections, their pages, and those that its visible text holds."""
    found: set[str] = set()
    for hit in hits:
        for chunk in hit.read:
            found |= {chunk.url, chunk.url.partition("#")[0]}
            visible = neutral(chunk.passage)
            found |= {_url(match) for match in _INLINE.finditer(visible)}
            found |= {_trimmed(match[0]) for match in _BARE.finditer(visible)}
    return frozenset(_normal(url) for url in found if _is_web(url))


def is_known(url: str, known: frozenset[str]) -> bool:
    """Whether a web address, in whatever spelling, is among ``known_addresses``."""
    return _is_web(url) and _normal(url) in known


def safe_address(url: str) -> str:
    """An address without the characters that would end it in Markdown or HTML."""
    return re.sub(r"[\x00-\x20<>()\\\[\]\"'`]", lambda char: f"%{ord(char[0]):02X}", url)


def linked_to(text: str, shown: Sequence[Hit]) -> tuple[str, tuple[Finding, ...]]:
    """Keep the links of an answer that lead to what was retrieved, and only the words of the others.

    Args:
        text: Markdown.
        shown: The passages that its writer was shown.

    Returns:
        The text, and a finding for each address that is in no passage: removed from prose, and marked in code.
    """
    known = known_addresses(shown)
    passages = "\n".join(chunk.passage for hit in shown for chunk in hit.read)
    refused: list[str] = []

    def allowed(url: str) -> bool:
        fits = is_known(url, known)
        if not fits:
            refused.append(url)
        return fits

    text = unlinked(text, allowed)
    # A relative link of the docs themselves leads nowhere from here, but nobody invented it.
    removed = [Finding("link", url, removed=True) for url in dict.fromkeys(refused) if url and url not in passages]
    marked = [Finding("link", url) for url in _in_code(text) if _normal(url) not in known and not _placeholder(url)]
    return text, (*removed, *marked)


def unlinked(text: str, allowed: Allowed, bare: Callable[[str], str] = lambda _: GONE) -> str:
    """Take out of a Markdown text all links but some, all images, and all HTML that loads, runs or links.

    Args:
        text: Markdown, of whatever origin.
        allowed: Whether an address may be linked to.
        bare: What to put in the place of an address that stands there by itself and may not be linked to.

    Returns:
        The text; code is left as it is, and a label that is only a number keeps its brackets.
    """
    defined: dict[str, str] = {}

    def define(match: re.Match[str]) -> str:
        label = _label(match["label"])
        if label.isdigit():
            allowed(match["url"])
        else:
            defined.setdefault(label, match["url"])
        return ""

    def collect(prose: str) -> str:
        return _DEFINITION.sub(define, prose)

    text = outside_code(text, collect)
    cleaned = outside_code(text, lambda prose: _Prose(allowed, defined, bare).cleaned(prose))
    if _strays(cleaned, allowed):
        # What a pattern takes for code may be none, such as between two escaped backticks.
        cleaned = _Prose(allowed, defined, bare).cleaned(text)
    return _PUNCTUATION.sub(r"\\\1", cleaned) if _strays(cleaned, allowed) else cleaned


def _strays(text: str, allowed: Allowed) -> list[str]:
    """What a Markdown parser still finds in a text that leads, or loads something, from where it may not."""
    found: list[str] = []
    for block in MarkdownIt("commonmark").enable("table").parse(text):
        for token in (block, *(block.children or ())):
            target = token.attrGet("href") if token.type == "link_open" else None
            if token.type == "image":
                found.append(str(token.attrGet("src")))
            elif target is not None and not allowed(unquote(str(target))) and not allowed(str(target)):
                found.append(str(target))
            elif token.type in {"html_block", "html_inline"} and (
                _RISKY.search(token.content) or _ANCHOR.search(token.content)
            ):
                found.append(token.content)
    return found


class _Prose:
    """Cleans one stretch of prose: every way of writing a link, one after the other."""

    def __init__(self, allowed: Allowed, defined: dict[str, str], bare: Callable[[str], str]) -> None:
        self._allowed, self._defined, self._instead = allowed, defined, bare
        self._kept: list[str] = []

    def cleaned(self, prose: str) -> str:
        prose = _IMAGE.sub(self._image, prose.replace("\0", ""))
        prose = _INLINE.sub(self._inline, prose)
        prose = _ANCHOR.sub(self._anchor, prose)
        prose = _RISKY.sub(self._risky, prose)
        prose = _ANGLED.sub(lambda match: self._address(match["url"], match[0]), prose)
        prose = _REFERENCE.sub(self._reference, prose)
        prose = _BARE.sub(self._bare, prose)
        # What still looks like a link was written in a way that none of the patterns foresaw.
        prose = re.sub(r"\]\(", "] (", prose)
        while "\0" in prose:
            prose = re.sub("\0(\\d+)\0", lambda match: self._kept[int(match[1])], prose)
        return prose

    def _keep(self, text: str) -> str:
        """A mark that stands for a finished link, so that no later step takes it apart."""
        self._kept.append(text)
        return f"\0{len(self._kept) - 1}\0"

    def _image(self, match: re.Match[str]) -> str:
        self._allowed(_url(match))
        return match["words"]

    def _inline(self, match: re.Match[str]) -> str:
        return self._link(match["words"], _url(match))

    def _anchor(self, match: re.Match[str]) -> str:
        return self._link(match["words"], html.unescape(match["double"] or match["single"] or match["none"] or ""))

    def _reference(self, match: re.Match[str]) -> str:
        url = self._defined.get(_label(match["label"] or match["words"]))
        return match[0] if url is None else self._link(match["words"], url)

    def _link(self, words: str, url: str) -> str:
        if words.strip().isdigit():
            self._allowed(url)
            return f"[{words.strip()}]"
        if self._allowed(url):
            return self._keep(f"[{words}]({safe_address(url)})")
        return words

    def _risky(self, match: re.Match[str]) -> str:
        for loaded in _LOADS.finditer(match[0]):
            self._allowed(html.unescape(loaded["url"]))
        return ""

    def _address(self, url: str, written: str) -> str:
        if url.startswith(_WEB) or ":" in url or "@" in url:
            return self._keep(written if self._allowed(url) else self._instead(url))
        return written

    def _bare(self, match: re.Match[str]) -> str:
        url = _trimmed(match[0])
        rest = match[0][len(url) :]
        whole = url if "://" in url else f"https://{url}"
        return self._keep(url if self._allowed(whole) else self._instead(url)) + rest


def _url(match: re.Match[str]) -> str:
    return html.unescape(_ESCAPED.sub(r"\1", match["angled"] or match["plain"] or ""))


def _trimmed(url: str) -> str:
    """A bare address without the punctuation of its sentence."""
    url = _BARE_END.sub("", url)
    while url.endswith(")") and url.count(")") > url.count("("):
        url = _BARE_END.sub("", url[:-1])
    return url


def _is_web(url: str) -> bool:
    return url.casefold().startswith(_WEB)


def _normal(url: str) -> str:
    """The same for two ways of writing one address."""
    url = unquote(url.strip())
    scheme, colon, rest = url.partition("://")
    if not colon:
        return f"https://{url}".rstrip("/") if re.match(r"[\w-]+(?:\.[\w-]+)+/|www\.", url) else url
    host, slash, path = rest.partition("/")
    return f"{scheme.casefold().replace('http', 'https').replace('httpss', 'https')}://{host.casefold()}{slash}{path}".rstrip(
        "/"
    )


def _label(text: str) -> str:
    return " ".join(text.split()).casefold()


def _in_code(text: str) -> list[str]:
    """Web addresses in the code of a text, each once."""
    code = "\n".join(part for part, is_code in parted(text) if is_code)
    return list(dict.fromkeys(_trimmed(match[0]) for match in _BARE.finditer(code) if _is_web(match[0])))


def _placeholder(url: str) -> bool:
    return bool(_OWN_HOST.match(urlsplit(url).hostname or url))
