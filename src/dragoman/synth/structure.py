"""Questions that the documents' own structure gives, without a model.

In: chunks. Out: questions, each made by one rule: of a heading (as keywords, or put as people search), an opening sentence, the words of a
link to a section, or a line that defines an option, an error or a term. They are free, and every chunk gets at least one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dragoman.records import Chunk, Question, content_id
from dragoman.synth.details import details
from dragoman.synth.language import languages
from dragoman.synth.links import find_links, plain_words
from dragoman.synth.phrasing import asked_as_is, phrased, search_words

MODEL = "structure"
STYLES = ("heading", "faq", "phrased", "opening", "link", "error", "option", "definition")
_BLANK = re.compile(r"\n[ \t]*\n")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")
_SENTENCE = re.compile(
    r"(?=[^\W\d_]|[`*\[\"'“(])(?:[^.!?]|[.!?](?![\s)*_\"'”]|$)|(?<=e\.g)\.|(?<=i\.e)\.|(?<=etc)\.){20,300}[.!?](?=[\s)*_\"'”]|$)[)*_\"'”]{0,3}"
)
_LEANING = re.compile(
    r"(?:this|these|that|those|it|they|here|however|then|also|note|see|instead|finally|for example|in this|as (?:shown|seen|above))\b|"
    r".*\b(?:following|below|above)\b",
    re.IGNORECASE | re.DOTALL,
)
_VAGUE = frozenset(
    [
        "a",
        "all",
        "an",
        "and",
        "article",
        "below",
        "click",
        "details",
        "doc",
        "docs",
        "documentation",
        "example",
        "examples",
        "for",
        "full",
        "guide",
        "guides",
        "here",
        "how-to",
        "in",
        "information",
        "know",
        "learn",
        "link",
        "more",
        "next",
        "of",
        "on",
        "our",
        "out",
        "page",
        "previous",
        "read",
        "reference",
        "section",
        "see",
        "the",
        "these",
        "this",
        "those",
        "to",
        "tutorial",
        "view",
        "visit",
    ]
)
_INVITING = re.compile(
    r"^(?:learn more (?:about|on)|read (?:more )?about|check out(?: the)?|see(?: the)?|view(?: the)?|visit(?: the)?|go to(?: the)?|→)\s+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_LONGEST_SENTENCE = 400
_MINIMUM_WORDS = 2
_MINIMUM_REST = 8


@dataclass(frozen=True, slots=True)
class StructureSettings:
    """The dials of structural questions.

    ``leave_out_trail``: a question that says no more than headings of its passage is trained on the passage without those
    headings, so that it is the text that has to be found.
    """

    styles: tuple[str, ...] = STYLES
    each: int = 2  # most questions of one style (of links: 3 times as many) that a chunk gets
    most: int = 8  # most questions that a chunk gets
    leave_out_trail: bool = True


DEFAULTS = StructureSettings()


@dataclass(frozen=True, slots=True)
class _Made:
    text: str
    style: str
    passage: str = ""
    fuller: str = ""  # what to ask instead where several sections give the same text
    unique: bool = True  # asked only where one section gives it


def structural_questions(chunks: Sequence[Chunk], settings: StructureSettings = DEFAULTS) -> list[Question]:
    """Questions from headings, opening sentences, links and definitions.

    Args:
        chunks: All chunks, in reading order.
        settings: Which rules are used, and how much a chunk gets.

    Returns:
        Questions in the order of their chunks; the style names the rule. A question made of a chunk's opening sentence
        has that sentence taken out of its ``passage``, and one made of headings those headings, since finding the same words
        teaches nothing. A phrase that several sections give is asked with more of their headings, or not at all.
    """
    linked: dict[str, list[_Made]] = {}
    if "link" in settings.styles:
        for link in find_links(chunks):
            if _says_something(words := _INVITING.sub("", link.words)):
                linked.setdefault(link.target, []).append(_Made(words, "link", unique=False))
    language = languages(chunks)
    made: dict[str, list[_Made]] = {}
    seen: set[str] = set()
    for chunk in chunks:
        first = chunk.section not in seen
        seen.add(chunk.section)
        found = [*_made(chunk, english=not language[chunk.id], first=first), *linked.get(chunk.id, ())]
        made[chunk.id] = [one for one in found if one.style in settings.styles]
    texts = _sections_of(chunks, made)
    return [
        _question(chunk, one, settings) for chunk in chunks for one in _chosen(chunk, made[chunk.id], texts, settings)
    ]


def _made(chunk: Chunk, *, english: bool, first: bool) -> Iterator[_Made]:
    # A copy is asked as the chunk that it is a copy of; both are answers.
    question = (
        (phrased(chunk.trail) if english else asked_as_is(chunk.trail)) if first and not chunk.canonical else None
    )
    # A heading that is a question says all there is to ask.
    if question is None or question.style != "faq":
        yield _Made(search_words(chunk.trail), "heading", unique=False)
    if question:
        yield _Made(question.text, question.style, fuller=question.fuller)
    yield from _opening(chunk)
    if english and not chunk.canonical:
        yield from (_Made(detail.text, detail.style, fuller=detail.fuller) for detail in details(chunk))


def _opening(chunk: Chunk) -> Iterator[_Made]:
    """The first sentence of the first paragraph whose first sentence stands alone, and the passage without it."""
    head, _, body = chunk.passage.partition("\n")
    ends = [*_BLANK.finditer(body)]
    starts = [0, *(blank.end() for blank in ends)]
    fenced = False
    for start, stop in zip(starts, [*(blank.start() for blank in ends), len(body)], strict=True):
        paragraph = body[start:stop]
        marks = sum(1 for line in paragraph.split("\n") if _FENCE.match(line))
        match = None if fenced or marks else _SENTENCE.match(paragraph[:_LONGEST_SENTENCE])
        fenced ^= marks % 2 == 1
        end = start + (match.end() if match else 0)
        if match and not _LEANING.match(match[0]) and len(body[end:].split()) >= _MINIMUM_REST:
            yield _Made(plain_words(match[0]), "opening", f"{head}\n{body[:start]}{body[end:].lstrip()}", unique=False)
            return


def _says_something(words: str) -> bool:
    """Whether the words of a link tell what is behind it: "this guide" and "see the docs" do not."""
    found = words.lower().split()
    return (
        len(found) >= _MINIMUM_WORDS
        and any(word.strip(".,:!→-") not in _VAGUE for word in found)
        and "this" not in found
    )


def _sections_of(chunks: Sequence[Chunk], made: Mapping[str, Sequence[_Made]]) -> Counter[str]:
    """How many sections give a text."""
    pairs = {
        (_plain(text), chunk.section)
        for chunk in chunks
        for one in made[chunk.id]
        for text in (one.text, one.fuller)
        if one.unique and text
    }
    return Counter(text for text, _ in pairs)


def _chosen(
    chunk: Chunk, found: Sequence[_Made], texts: Mapping[str, int], settings: StructureSettings
) -> Iterator[_Made]:
    """What a chunk is asked: no words twice, none that other sections answer as well, and no more than the caps allow."""
    seen: set[str] = set()
    fresh: list[_Made] = []
    for one in found:
        candidates = (one.text, one.fuller) if one.unique else (one.text,)
        text = next((text for text in candidates if text and (not one.unique or texts[_plain(text)] == 1)), "")
        if text and _plain(text) not in seen:
            seen.add(_plain(text))
            fresh.append(_Made(text, one.style, one.passage))
    left = Counter({style: settings.each * (3 if style == "link" else 1) for style in STYLES})
    taken = 0
    # Of a long list of options, some from all over it, and the same ones on every machine.
    order = sorted(fresh, key=lambda one: content_id(chunk.id, one.text)) if len(fresh) > settings.most else fresh
    order = sorted(order, key=lambda one: one.style not in {"heading", "faq", "phrased", "opening"})
    kept: set[str] = set()
    for one in order:
        if left[one.style] and taken < settings.most:
            left[one.style] -= 1
            taken += 1
            kept.add(one.text)
    yield from (one for one in fresh if one.text in kept)


def _question(chunk: Chunk, one: _Made, settings: StructureSettings) -> Question:
    passage = one.passage or (_without_said(chunk.passage, one.text) if settings.leave_out_trail else "")
    identity = content_id(chunk.id, one.style, one.text)
    return Question(identity, one.text, chunk.id, "structure", one.style, MODEL, passage=passage)


def _without_said(passage: str, question: str) -> str:
    """The passage without the headings that the question says; "" when it says none, or too little would be left."""
    head, _, body = passage.partition("\n")
    if len(body.split()) < _MINIMUM_REST:
        return ""
    said = set(_WORD.findall(question.casefold()))
    parts = head.split(" > ")
    left = [part for part in parts if not set(_WORD.findall(part.casefold())) <= said]
    if len(left) == len(parts):
        return ""
    return f"{' > '.join(left)}\n{body}" if left else body


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip("?.! ")
