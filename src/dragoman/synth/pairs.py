"""Questions that need two sections.

In: chunks. Out: pairs of sections that belong together (one links to the other, or they stand side by side under one heading and
share a word of their titles), the chat that asks for one question which needs both, and the reading of the reply.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from dragoman.errors import LLMError
from dragoman.models.protocols import Message, Reply
from dragoman.records import Chunk, Question, Rejected, content_id
from dragoman.synth.answers import STAGE, read_table
from dragoman.synth.links import find_links
from dragoman.synth.prompts import about, asked_by, object_schema
from dragoman.synth.work import Job

STYLE = "both"
MAX_TOKENS = 200
REASONS = ("one section is enough", "names its sections")
_KEYS = ("from_a", "from_b", "question", "more")
_WORD = re.compile(r"[^\W\d_]{4,}")
_STEM = 6
_NAMES_SECTIONS = re.compile(
    r"\b(?:(?:passage|section|text|part)s? [AB12]\b|both (?:passages|sections|texts)\b)", re.IGNORECASE
)
_TITLE_WORDS = (
    "basic usage example options using with from your into about step advanced common custom overview this that when what "
    "method parameter return configuration settings introduction"
)
_TITLE_STEMS = frozenset(word[:_STEM] for word in _TITLE_WORDS.split())

SCHEMA: Mapping[str, Any] = object_schema(
    {key: {"type": "string", "enum": ["A", "B"]} if key == "more" else {"type": "string"} for key in _KEYS}
)

_SYSTEM = (
    "You write questions that users of a software project ask before they find its documentation. You are given two passages, A "
    "and B. Write one question of somebody who has a single task for which both are needed: neither passage alone answers it. Reply with "
    'JSON: "from_a" and "from_b" say in a few words what each passage gives to the answer, "question" is the question, and "more" is '
    "the letter of the passage that holds more of the answer. The question must make sense to somebody who has seen neither: name the things that are "
    "meant, never write 'passage', 'A' or 'B'. If no such question exists, give empty strings."
)
_EXAMPLES = (
    (
        "A\nSchedules > Time zones\nA schedule runs in UTC unless `timezone` is set to a name of the IANA database.",
        "B\nSchedules > Pausing\n`runner schedule pause NAME --until TIME` stops a schedule; TIME is read in the schedule's own zone.",
        {
            "from_a": "which zone a schedule has and how to set it",
            "from_b": "how to pause, and that the time is in that zone",
            "question": "How do I pause a schedule until 8 in the morning Lisbon time?",
            "more": "B",
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two chunks of different sections that may answer a question together."""

    first: Chunk
    second: Chunk
    reason: Literal["link", "beside"]

    @property
    def id(self) -> str:
        """Depends on the two chunks only."""
        return content_id("pair", self.first.id, self.second.id)


@dataclass(frozen=True, slots=True)
class JointQuestion:
    """A question and the ids of the other chunks that are as relevant as its own."""

    question: Question
    also: tuple[str, ...]


def linked_pairs(chunks: Sequence[Chunk], each: int = 1) -> list[Pair]:
    """Pairs of sections that belong together.

    Args:
        chunks: All chunks, in reading order. Copies of others are left out.
        each: Most pairs that a chunk is part of.

    Returns:
        Pairs, links before neighbours, each in the order of the chunks; no two chunks twice.
    """
    by_id = {chunk.id: chunk for chunk in chunks if not chunk.canonical}
    found = [
        Pair(by_id[link.origin], by_id[link.target], "link")
        for link in find_links(chunks)
        if link.origin in by_id and link.target in by_id
    ]
    found += _beside([chunk for chunk in chunks if not chunk.canonical])
    taken: Counter[str] = Counter()
    seen: set[frozenset[str]] = set()
    kept: list[Pair] = []
    for pair in found:
        ids = frozenset((pair.first.id, pair.second.id))
        if ids not in seen and taken[pair.first.id] < each and taken[pair.second.id] < each:
            seen.add(ids)
            taken.update(ids)
            kept.append(pair)
    return kept


def pair_messages(pair: Pair, *, persona: str = "", project: str = "", language: str = "") -> list[Message]:
    """The chat that asks for one question which needs both sections.

    Args:
        pair: The two sections.
        persona: Who asks; "": nobody in particular.
        project: A sentence about the project.
        language: English name of the language to ask in; "": English.

    Returns:
        System message and worked example, the same for all pairs, and last the passages.
    """
    messages = [Message("system", about(project) + _SYSTEM)]
    for one, other, answer in _EXAMPLES:
        messages += [Message("user", f"{one}\n\n{other}"), Message("assistant", json.dumps(answer))]
    passages = f"A\n{pair.first.passage}\n\nB\n{pair.second.passage}"
    return [*messages, Message("user", asked_by(persona, language) + passages)]


def pair_job(pair: Pair, model: str, *, persona: str = "", project: str = "", language: str = "") -> Job[JointQuestion]:
    """The request for a pair, and the reading of its reply.

    Args:
        pair: The two sections.
        model: Name of the model, kept with the question.
        persona: As for ``pair_messages``.
        project: As for ``pair_messages``.
        language: As for ``pair_messages``.

    Returns:
        A job; that there is no such question is an answer, too, and is not asked for again.
    """
    messages = pair_messages(pair, persona=persona, project=project, language=language)
    read = partial(read_pair, pair, model=model)
    return Job(pair.id, tuple(messages), read, SCHEMA, MAX_TOKENS, kind=STYLE, may_be_empty=True)


def read_pair(pair: Pair, reply: Reply | LLMError, model: str) -> tuple[list[JointQuestion], list[Rejected]]:
    """The question in a reply.

    Args:
        pair: What was asked about.
        reply: What came back.
        model: Name of the model, kept with the question.

    Returns:
        One question, at home in the section that holds more of its answer (the first, when the reply does not say), or one rejection.
    """
    table = read_table(pair.id, reply, _KEYS)
    if isinstance(table, Rejected):
        return [], [table]
    text = table["question"]
    if not (text and table["from_a"] and table["from_b"]):
        return [], [Rejected(STAGE, pair.id, REASONS[0], text)]
    if _NAMES_SECTIONS.search(text):
        return [], [Rejected(STAGE, pair.id, REASONS[1], text)]
    main, other = (pair.second, pair.first) if table["more"].upper() == "B" else (pair.first, pair.second)
    question = Question(content_id(main.id, other.id, text), text, main.id, "llm", STYLE, model)
    return [JointQuestion(question, (other.id,))], []


def pair_version(project: str = "") -> str:
    """Hash of everything in the prompt that is not the passages, the persona or the language."""
    return content_id(about(project) + _SYSTEM, json.dumps(_EXAMPLES), json.dumps(SCHEMA))


def _beside(chunks: Sequence[Chunk]) -> list[Pair]:
    """Sections one after the other under one heading whose titles share a word."""
    found: list[Pair] = []
    last: dict[tuple[str, str, tuple[str, ...]], Chunk] = {}
    seen: set[str] = set()
    for chunk in chunks:
        if chunk.section in seen or len(chunk.trail) < 2:  # noqa: PLR2004 - a page has no heading above it
            continue
        seen.add(chunk.section)
        place = (chunk.source, chunk.path, chunk.trail[:-1])
        before = last.get(place)
        if before and _stems(before) & _stems(chunk):
            found.append(Pair(before, chunk, "beside"))
        last[place] = chunk
    return found


def _stems(chunk: Chunk) -> set[str]:
    return {word[:_STEM] for word in _WORD.findall(chunk.trail[-1].casefold())} - _TITLE_STEMS
