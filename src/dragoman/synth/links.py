"""Where the links between sections lead.

In: chunks. Out: each link from one chunk to another section, with its words. An address is compared as a reader would
read it: without extension, order numbers and punctuation, so that ``../guide/02-oven.md``, ``/docs/guide/oven`` and
``oven.html`` find one page, and every site's way of making anchors finds one heading. It reads no files.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from dragoman.records import Chunk

_LINK = re.compile(r"(?<!!)\[([^\[\]]{3,80})\]\(([^()\s]{1,500})\)")
_MARKUP = re.compile(
    r"[`*#>|]+|(?<![^\W_])_+|_+(?![^\W_])|!?\[|\]\([^)]{0,300}\)|\{[^}]{0,300}\}|<[^>]{0,300}>|(?<!\w):[a-z][\w+-]{1,50}:(?!\w)"
)
_EXTENSION = re.compile(r"\.(md|mdx|markdown|rst|txt|html?|ipynb)$", re.IGNORECASE)
_ORDER = re.compile(r"^\d{1,4}[-_.](?=\D)")
_SCHEME = re.compile(r"[A-Za-z][\w+.-]{0,20}:|//")
_FRONT_PAGES = frozenset({"index", "readme"})
_FOLDERS_ABOVE = 3  # of a site's address that its repository does not have: /docs/v2/guide/oven


@dataclass(frozen=True, slots=True)
class Link:
    """A link from the chunk ``origin`` to the first chunk of another section."""

    origin: str
    words: str
    target: str


def plain_words(markdown: str) -> str:
    """A line of Markdown without its marks."""
    return " ".join(_MARKUP.sub(" ", markdown).split())


def find_links(chunks: Sequence[Chunk]) -> list[Link]:
    """All links between sections.

    Args:
        chunks: All chunks, in reading order.

    Returns:
        Links in the order of their origins; none leads to the section that it stands in.
    """
    places = _Places(chunks)
    section_of = {chunk.id: chunk.section for chunk in chunks}
    found: list[Link] = []
    for chunk in chunks:
        for words, address in _written(chunk.text):
            target = places.of(chunk, address)
            if target and section_of[target] != chunk.section:
                found.append(Link(chunk.id, words, target))
    return found


def _written(text: str) -> Iterator[tuple[str, str]]:
    for match in _LINK.finditer(text):
        if not _SCHEME.match(match[2]):
            yield plain_words(match[1]), match[2]


class _Places:
    """The first chunk of each page and of each of its headings."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._pages: dict[tuple[str, str], str] = {}
        self._headings: dict[tuple[str, str, str], str] = {}
        for chunk in chunks:
            page = _page(chunk.path)
            # A page in two formats (guide.md and guide.html): the first one counts, and its headings with it.
            if self._pages.setdefault((chunk.source, page), chunk.path) == chunk.path:
                self._headings.setdefault((chunk.source, page, ""), chunk.id)
                for anchor in _anchors(chunk):
                    self._headings.setdefault((chunk.source, page, anchor), chunk.id)

    def of(self, chunk: Chunk, address: str) -> str:
        """Id of the chunk that an address in this chunk leads to, or ""."""
        file, _, anchor = address.partition("#")
        file = file.partition("?")[0]
        for page in self._candidates(chunk, unquote(file)):
            if (chunk.source, page) in self._pages:
                return self._headings.get((chunk.source, page, _bare(unquote(anchor))), "")
        return ""

    @staticmethod
    def _candidates(chunk: Chunk, file: str) -> Iterable[str]:
        if not file:
            return [_page(chunk.path)]
        if file.startswith("/"):
            parts = file.strip("/").split("/")
            return [_page("/".join(parts[skip:])) for skip in range(min(len(parts), _FOLDERS_ABOVE + 1))]
        folder = posixpath.dirname(chunk.path)
        # A site that gives each page a folder of its own writes one "../" more than the repository has.
        return [
            _page(posixpath.normpath(posixpath.join(base, file))) for base in (folder, _EXTENSION.sub("", chunk.path))
        ]


def _page(path: str) -> str:
    parts = [_ORDER.sub("", part).casefold() for part in path.strip("/").split("/")]
    parts[-1] = _EXTENSION.sub("", parts[-1])
    if parts[-1] in _FRONT_PAGES:
        parts.pop()
    return "/".join(parts)


def _anchors(chunk: Chunk) -> Iterator[str]:
    yield _bare(chunk.trail[-1])
    fragment = chunk.url.partition("#")[2]
    if fragment and not chunk.file:
        yield _bare(unquote(fragment))


def _bare(heading: str) -> str:
    """Letters and digits only: what all ways of making anchors have in common."""
    return re.sub(r"[\W_]+", "", heading.casefold())
