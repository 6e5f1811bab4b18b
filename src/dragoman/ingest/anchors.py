"""The anchors that a site's generator gives to headings, so that a link opens the right section.

In: the style of a site, and the headings of a page in their order. Out: the id of each heading in the
generated page. It knows no addresses and reads no files.

Each rule was compared with the ids of the real generators: MkDocs 1.6, Docusaurus 3.10, VitePress 1.6,
Sphinx 9 with MyST (tests/ingest/test_generators.py). What cannot be known from a heading alone: ids that a
theme, a plugin or raw HTML adds; an explicit id further down that MkDocs keeps free for its own heading; the
footnotes and labels that share Sphinx' counter of ``id1``, ``id2``; slug functions that a site's settings
choose. GitHub has no generator to install: its rule is the published one that Docusaurus uses, too.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LONGEST = 2000  # characters of a heading: nobody links to a longer one, and no pattern below gets slow
_MOST_BRACKETS = 50  # markdown-it takes seconds for a page of headings with hundreds
_MARKUP = re.compile(r"[\\`*_\[\]<>&!{:\n]")
_REFERENCE = re.compile(r"\]\[([^\[\]]+)\]")
_CLOSED = frozenset({"code_inline", "em_close", "image", "link_close", "strong_close"})
_LISTED = re.compile(r"\{:?[ \t]*([^{} \t][^{}]*)\}")
_BESIDE = re.compile(r"\{:?[ \t]*[^{} \t][^{}]*\}")
_LISTED_ID = re.compile(r"(?:^|\s)(?:#|id=)[\"']?([^\s\"']+)")
_COMMENTED_ID = re.compile(r"(?:\{/\*|<!--)\s*#([^\s*{}<>]+)[^*{}<>]*?(?:\*/\}|-->)\Z")
_LOOSE_TAG = re.compile(r"</?[A-Za-z][^<>@ ]*(?: [^<>]*)?>")  # Python-Markdown takes <string, int> for a tag
_ICON = re.compile(r":(?:fontawesome|material|octicons|simple)-[a-z0-9-]+:")
_EMOJI = re.compile(r":[a-z0-9_+-]+:")
_DIRECTIVE = re.compile(
    r"(?<!:):[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?![A-Za-z0-9_:-])(?:\[([^\[\]]*)\])?(?:\{[^{}]*\})?"
)
_ROLE = re.compile(r"\{(?:[A-Za-z]\w*:)*([A-Za-z][\w.+-]*)\}\Z")
_ROLE_TARGET = re.compile(r"\s*<[^<>]*>\Z")
_LINKING_ROLE = re.compile(
    r"any|attr|class|const|data|doc|download|envvar|exc|func|meth|mod|numref|obj|option|ref|term|type"
)
# What our converters write after a heading; people write "{#id}", which Sphinx and GitHub show as it is.
_OURS = re.compile(r"[ \t]*\{: (?:#([^\s{}]+)|\.continued)\}\Z")
_NUMBERED = re.compile(r"(.*)_([0-9]{1,9})", re.DOTALL)

_SEPARATORS = re.compile(r"[\s\ufeff~`!@#$%^&*()\-_+=\[\]{}|\\;:\"'“”‘’<>,.?/]+")
# Letters without a decomposition that docutils spells in ASCII; all others are dropped.
_PLAIN: Final = str.maketrans("øđħıłŧƀƃƈƌƒƙƚƞƥƫƭƴƶǥȥȴȵȶȷȼȿɀɇɉɋɍɏ", "odhiltbbcdfklnpttyzgzlntjcszejqry") | str.maketrans(
    {"ß": "sz", "æ": "ae", "œ": "oe", "ȸ": "db", "ȹ": "qp"}
)


class Anchors:
    """The anchors of one page.

    Args:
        style: ``mkdocs``, ``docusaurus``, ``vitepress``, ``sphinx`` or ``github``; with any other no heading has one.
    """

    def __init__(self, style: str) -> None:
        self._style = style
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}
        self._free: dict[str, dict[int, int]] = {}
        self._of_words: dict[tuple[str, int], str] = {}  # the last anchor of a heading, for where it goes on

    def of(self, heading: str, source: str, level: int = 0) -> str:
        """The anchor of the page's next heading.

        Args:
            heading: Its plain words.
            source: The same as written: Markdown with code, links and attribute lists. ``{: #id}`` at its end is an id in every style;
                ``{: .continued}`` says that the heading is there once more, and has the anchor that it had.
            level: 1 to 6; 0 when it is not known.

        Returns:
            The id without ``#``; "" when the heading has none.
        """
        source = source.strip()
        if self._style not in _SLUGS or len(source) > _LONGEST:
            return ""
        ours = _OURS.search(source)
        if ours:
            source = source[: ours.start()]
            if not ours[1]:
                return self._of_words.get((source, level), "")
        anchor = self._chosen(source, ours[1]) if ours and ours[1] else self._made(heading, source, level)
        self._of_words[source, level] = anchor
        return anchor

    def _chosen(self, source: str, chosen: str) -> str:
        """An id that is known. A section of Sphinx has that of its words, too; an object has only the one."""
        if self._style == "sphinx" and "." not in chosen and not source.startswith("`"):
            slug = _sphinx(_words(source, "sphinx"))
            if slug != chosen:
                self._counted(slug)
        self._taken.add(chosen)
        return chosen

    def _made(self, heading: str, source: str, level: int) -> str:
        if self._style in {"mkdocs", "vitepress"}:
            source, chosen = _listed(source, self._style)
            if chosen:
                self._taken.add(chosen)
                return chosen
        words = heading if source.count("[") > _MOST_BRACKETS else _words(source, self._style)
        if self._style == "docusaurus":
            chosen_id = _docusaurus_id(source, words)
            if chosen_id:
                return "" if level == 1 else chosen_id  # and it stays free: another heading may get the same
        anchor = self._unique(_SLUGS[self._style](words))
        # Docusaurus' titles show no id, yet theirs is taken.
        return "" if self._style == "docusaurus" and level == 1 else anchor

    def _unique(self, slug: str) -> str:
        if self._style == "mkdocs":
            return self._underscored(slug)
        if self._style == "sphinx":
            return self._counted(slug)
        number = self._last.get(slug, 0)
        found = slug
        while found in self._taken:
            number += 1
            found = f"{slug}-{number}"
        self._last[slug] = number
        self._taken.add(found)
        return found

    def _counted(self, slug: str) -> str:
        """Sphinx: what is empty or taken gets the next number of the page instead."""
        while not slug or slug in self._taken:
            self._last[""] = self._last.get("", 0) + 1
            slug = f"id{self._last['']}"
        self._taken.add(slug)
        return slug

    def _underscored(self, slug: str) -> str:
        """Python-Markdown: ``x`` is followed by ``x_1``, and a second ``x_1`` by ``x_2``."""
        if slug and slug not in self._taken:
            self._taken.add(slug)
            return slug
        numbered = _NUMBERED.fullmatch(slug)
        base, number = (numbered[1], int(numbered[2])) if numbered else (slug, 0)
        # Each taken number points at one that may be free: pages of one heading over and over stay linear.
        free = self._free.setdefault(base, {})
        passed = []
        number += 1
        while number in free or f"{base}_{number}" in self._taken:
            passed.append(number)
            number = free.get(number, number + 1)
        free.update(dict.fromkeys([*passed, number], number + 1))
        self._taken.add(f"{base}_{number}")
        return f"{base}_{number}"


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # Escaped characters stay tokens of their own, and so are never taken for markup once more.
    return MarkdownIt("commonmark").disable("text_join")


def _listed(source: str, style: str) -> tuple[str, str]:
    """A heading without the attribute list at its end, and the id in that list."""
    start = source.rfind("{")
    listed = _LISTED.fullmatch(source, start) if start > 0 and source.endswith("}") else None
    # Python-Markdown wants a space before the list, markdown-it-attrs does not.
    if not listed or (style == "mkdocs" and source[start - 1] != " "):
        return source, ""
    chosen = _LISTED_ID.search(listed[1])
    return source[:start].rstrip("# "), chosen[1] if chosen else ""


def _words(source: str, style: str) -> str:
    """The text of a heading as the generator sees it when it makes the anchor."""
    if not _MARKUP.search(source):
        return source
    # Where a label is defined is not known here; one that is not would be unusual.
    labels = {_label(match): {"href": "", "title": ""} for match in _REFERENCE.findall(source)}
    inline = _parser().parseInline(source, {"references": labels})[0]
    return "".join(_pieces(inline.children or [], style))


def _label(text: str) -> str:
    from markdown_it.common.utils import normalizeReference

    return normalizeReference(text)


def _pieces(tokens: "list[Token]", style: str) -> Iterable[str]:
    before = ""
    for index, token in enumerate(tokens):
        follows = tokens[index + 1].type if index + 1 < len(tokens) else ""
        text = token.content
        if token.type == "text":
            yield _written(text, style, after=before, follows=follows)
        elif token.type == "code_inline" and style == "sphinx" and index:
            yield _role_text(tokens[index - 1], text)
        elif token.type == "text_special" and style == "vitepress" and (token.info == "entity" or text == "&"):
            yield token.markup if token.info == "entity" else "&amp;"
        elif token.type in {"code_inline", "text_special"} or (token.type == "image" and style == "docusaurus"):
            yield text
        elif token.type in {"softbreak", "hardbreak"}:
            yield {"mkdocs": " ", "sphinx": " "}.get(style, "")
        before = token.type


def _role_text(before: "Token", text: str) -> str:
    """What MyST shows for code after a role: ``{ref}`words <label>``` are the words."""
    role = _ROLE.search(before.content) if before.type == "text" else None
    links = role is not None and _LINKING_ROLE.fullmatch(role[1])
    return _ROLE_TARGET.sub("", text) if links and text.endswith(">") else text


def _written(text: str, style: str, *, after: str, follows: str) -> str:
    """Plain text of a heading, without what the generator takes for something else."""
    if style in {"mkdocs", "vitepress"} and after in _CLOSED:
        text = _BESIDE.sub("", text, count=1) if text.startswith("{") else text
    if style == "mkdocs":
        return _ICON.sub("", _LOOSE_TAG.sub("", text))
    if style == "docusaurus":
        return _DIRECTIVE.sub(r"\1", text)
    if style == "vitepress":
        return _EMOJI.sub("", text)
    if style == "sphinx" and follows == "code_inline":
        return _ROLE.sub("", text)
    return text


def _docusaurus_id(source: str, words: str) -> str:
    commented = _COMMENTED_ID.search(source) if source.endswith(("/}", "->")) else None
    if commented:
        return commented[1]
    start = words.rfind("{#")
    chosen = words[start + 2 : -1] if start >= 0 and words.endswith("}") else ""
    return "" if "}" in chosen else chosen.strip()


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


def _mkdocs(words: str) -> str:
    kept = re.sub(r"[^\w\s-]", "", _ascii(words)).strip().lower()
    return re.sub(r"[-\s]+", "-", kept)


def _sphinx(words: str) -> str:
    spelled = _ascii(words.lower().translate(_PLAIN))
    return re.sub(r"[^a-z0-9]+", "-", spelled).lstrip("-0123456789").rstrip("-")


def _vitepress(words: str) -> str:
    bare = re.sub(r"[\u0300-\u036f\x00-\x1f]", "", unicodedata.normalize("NFKD", words))
    slug = _SEPARATORS.sub("-", bare).strip("-")
    return (f"_{slug}" if re.match(r"[0-9]", slug) else slug).lower()


def _github(words: str) -> str:
    return "".join("-" if char == " " else char for char in words.lower() if _in_word(char))


@cache
def _in_word(char: str) -> bool:
    """Letters, marks, digits and joining punctuation of any script; also what GitHub keeps beside them."""
    kind = unicodedata.category(char)
    circled = char in "ⒶⓏ" or "Ⓐ" <= char <= "ⓩ" or "🄰" <= char <= "🅉" or "🅐" <= char <= "🅩" or "🅰" <= char <= "🆉"
    return kind[0] in "LM" or kind in {"Nd", "Nl", "Pc"} or char in " -" or circled


_SLUGS: Final = {
    "mkdocs": _mkdocs,
    "docusaurus": _github,
    "vitepress": _vitepress,
    "sphinx": _sphinx,
    "github": _github,
}
