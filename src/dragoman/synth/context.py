"""A sentence that says where a chunk stands, to be put before its text (contextual retrieval; opt-in).

In: a chunk and how its page begins. Out: the chat that asks for the sentence, the reading of the reply within limits of length, and the
passage with the sentence in it. The recipe is Anthropic's "contextual retrieval" (2024), with the page's beginning in
place of the whole page. It counts words, not tokens: that the longer passage fits the embedding model is for the caller to see to.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dragoman.errors import LLMError
from dragoman.models.protocols import Message, Reply
from dragoman.records import Chunk, Rejected, content_id
from dragoman.synth.answers import REASONS as UNREAD
from dragoman.synth.answers import STAGE, read_table
from dragoman.synth.prompts import about, object_schema
from dragoman.synth.work import Job

MAX_TOKENS = 96
REASONS = ("too short", "too long", "repeats the headings")
_FEWEST_WORDS, _MOST_WORDS, _MOST_LETTERS = 5, 40, 320
_LONGEST_OPENING = 600
_WORD = re.compile(r"[^\W_]+")
_BLANK = re.compile(r"\n[ \t]*\n")
_NO_PROSE = re.compile(r"```|~~~|[|#<:!\s]|[-*+]\s|\d{1,3}[.)]\s")

SCHEMA: Mapping[str, Any] = object_schema({"context": {"type": "string"}})

_SYSTEM = (
    "You write one sentence that is put before a passage of a software project's documentation, so that a search finds the passage "
    "among thousands of others. It says what part of the project the passage belongs to and what it is about, with the names that are only said elsewhere on "
    "the page. At most 30 words, no markup. Do not repeat the headings, do not summarise the passage, do not begin with "
    '"This passage". Reply with JSON that has the key "context".'
)
_EXAMPLES = (
    (
        (
            "Page: Runner\nThe page begins: Runner starts jobs on a fleet of workers and keeps their results. Schedules start them again and again.\n\n"
            "Passage:\nRunner > Time zones\nThey run in UTC unless `timezone` is set to a name of the IANA database."
        ),
        {
            "context": "In Runner, a scheduler of jobs on many workers, the time zone in which a schedule starts its jobs."
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Context:
    """The sentence that situates a chunk."""

    chunk_id: str
    sentence: str


def page_openings(chunks: Sequence[Chunk]) -> dict[str, str]:
    """How each chunk's page begins.

    Args:
        chunks: All chunks, in reading order.

    Returns:
        The first paragraph of prose of the page's first chunk, by chunk id; "" where it has none.
    """
    pages: dict[tuple[str, str], str] = {}
    for chunk in chunks:
        page = (chunk.source, chunk.path)
        if page not in pages:
            pages[page] = _first_paragraph(chunk)
    return {chunk.id: pages[chunk.source, chunk.path] for chunk in chunks}


def context_messages(chunk: Chunk, opening: str, *, project: str = "") -> list[Message]:
    """The chat that asks for the sentence.

    Args:
        chunk: The chunk.
        opening: How its page begins, see ``page_openings``; left out when the passage itself holds it.
        project: A sentence about the project.

    Returns:
        System message and worked example, the same for all chunks, and last page and passage.
    """
    messages = [Message("system", about(project) + _SYSTEM)]
    for shown, answer in _EXAMPLES:
        messages += [Message("user", shown), Message("assistant", json.dumps(answer))]
    begins = "" if not opening or opening in " ".join(chunk.text.split()) else f"The page begins: {opening}\n"
    return [*messages, Message("user", f"Page: {chunk.title}\n{begins}\nPassage:\n{chunk.passage}")]


def context_job(chunk: Chunk, opening: str, *, project: str = "") -> Job[Context]:
    """The request about a chunk, and the reading of its reply.

    Args:
        chunk: The chunk.
        opening: As for ``context_messages``.
        project: As for ``context_messages``.

    Returns:
        A job; a sentence outside the limits is an answer, too, and is not asked for again.
    """
    messages = context_messages(chunk, opening, project=project)
    return Job(
        chunk.id, tuple(messages), partial(read_context, chunk), SCHEMA, MAX_TOKENS, kind="context", may_be_empty=True
    )


def read_context(chunk: Chunk, reply: Reply | LLMError) -> tuple[list[Context], list[Rejected]]:
    """The sentence in a reply.

    Args:
        chunk: The chunk that was asked about.
        reply: What came back.

    Returns:
        One sentence, or one rejection: it is empty, under 5 or over 40 words, or nothing but words of the headings.
    """
    table = read_table(chunk.id, reply, ("context",))
    if isinstance(table, Rejected):
        return [], [table]
    sentence = table["context"]
    reason = _objection(chunk, sentence)
    if reason:
        return [], [Rejected(STAGE, chunk.id, reason, sentence[:_MOST_LETTERS])]
    return [Context(chunk.id, sentence)], []


def _objection(chunk: Chunk, sentence: str) -> str:
    words = _WORD.findall(sentence.casefold())
    if not words:
        return UNREAD[2]
    if len(words) > _MOST_WORDS or len(sentence) > _MOST_LETTERS:
        return REASONS[1]
    if set(words) <= set(_WORD.findall(" ".join(chunk.trail).casefold())):
        return REASONS[2]
    # Scripts without spaces have few "words" of many letters.
    short = len(words) < _FEWEST_WORDS and len(sentence.encode()) < _MOST_LETTERS // 10
    return REASONS[0] if short else ""


def contextual_passage(chunk: Chunk, sentence: str) -> str:
    """The passage with the sentence between its line of headings and its text, so that its first line stays the trail."""
    head, _, body = chunk.passage.partition("\n")
    return f"{head}\n{sentence}\n{body}"


def context_version(project: str = "") -> str:
    """Hash of everything in the prompt that is not the page."""
    return content_id(about(project) + _SYSTEM, json.dumps(_EXAMPLES), json.dumps(SCHEMA))


def _first_paragraph(chunk: Chunk) -> str:
    for paragraph in _BLANK.split(chunk.text.strip()):
        if paragraph and not _NO_PROSE.match(paragraph):
            return " ".join(paragraph[:_LONGEST_OPENING].split())
    return ""
