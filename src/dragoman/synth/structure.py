"""Questions that the documents' own structure gives, without a model.

In: chunks. Out: questions, each from a heading, an opening sentence, or the text of a link to
another section. They are free, and every chunk gets at least one.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from dragoman.records import Chunk, Question, content_id

MODEL = "structure"
_LINK = re.compile(r"(?<!!)\[([^\[\]]{3,80})\]\(([^()\s]+)\)")
_OPENING = re.compile(r"[^.!?\n]{20,240}[.!?](?=\s|$)")
_MARKUP = re.compile(r"[`*_#>|]+|!?\[|\]\([^)]*\)|\{[^}]*\}|<[^>]*>")
_MINIMUM_WORDS = 2
_MINIMUM_REST = 8


def structural_questions(chunks: Sequence[Chunk]) -> list[Question]:
    """Questions from headings, opening sentences and links.

    Args:
        chunks: All chunks, in reading order.

    Returns:
        Questions in the order of their chunks. A question made of a chunk's opening sentence has that
        sentence taken out of its ``passage``, since finding the sentence itself teaches nothing.
    """
    targets = _targets(chunks)
    linked: dict[str, list[str]] = {}
    for chunk in chunks:
        for text, target in _links(chunk, targets):
            linked.setdefault(target, []).append(text)
    questions: list[Question] = []
    for chunk in chunks:
        found = [*_headings(chunk), *_opening(chunk)]
        found += [(text, "link", "") for text in linked.get(chunk.id, ())]
        seen: set[str] = set()
        for text, style, passage in found:
            if text.lower() in seen:
                continue
            seen.add(text.lower())
            identity = content_id(chunk.id, style, text)
            questions.append(Question(identity, text, chunk.id, "structure", style, MODEL, passage=passage))
    return questions


def _headings(chunk: Chunk) -> Iterator[tuple[str, str, str]]:
    """The section's heading, as someone would search for it: the nearest heading first."""
    yield " ".join(_words(part) for part in reversed(chunk.trail[-2:])), "heading", ""


def _opening(chunk: Chunk) -> Iterator[tuple[str, str, str]]:
    head, _, body = chunk.passage.partition("\n")
    match = _OPENING.search(body)
    if match and len(body[match.end() :].split()) >= _MINIMUM_REST:
        rest = f"{head}\n{body[: match.start()]}{body[match.end() :].lstrip()}"
        yield _words(match.group()), "opening", rest


def _links(chunk: Chunk, targets: Mapping[tuple[str, str, str], str]) -> Iterator[tuple[str, str]]:
    for match in _LINK.finditer(chunk.text):
        text, address = _words(match.group(1)), match.group(2)
        if "://" in address or len(text.split()) < _MINIMUM_WORDS:
            continue
        file, _, anchor = address.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(chunk.path), file)) if file else chunk.path
        target = targets.get((chunk.source, path, _slug(anchor)))
        if target and target != chunk.id:
            yield text, target


def _targets(chunks: Sequence[Chunk]) -> dict[tuple[str, str, str], str]:
    """(source, path, slug of heading) -> the first chunk there; the empty slug is the page itself."""
    found: dict[tuple[str, str, str], str] = {}
    for chunk in chunks:
        found.setdefault((chunk.source, chunk.path, ""), chunk.id)
        found.setdefault((chunk.source, chunk.path, _slug(chunk.trail[-1])), chunk.id)
    return found


def _slug(heading: str) -> str:
    return re.sub(r"[\W_]+", "-", heading.lower()).strip("-")


def _words(text: str) -> str:
    return " ".join(_MARKUP.sub(" ", text).split())
