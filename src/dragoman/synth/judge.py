"""What a language model is asked when it judges a question: the messages, the schema, and how its reply is read.

In: a question and the passage that it was made from. Out: a job, whose result is a score from 1 to 5, the lowest of three marks: a question that stands
alone is worth nothing if the passage does not answer it. The funnel's ``judged`` uses the scores.
The passage comes before the question, so that a server can keep it cached while all questions about it are judged.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from dragoman.models.protocols import Message, Reply
from dragoman.records import Chunk, Question, Rejected, content_id
from dragoman.synth.work import UNREADABLE, Job

MAX_TOKENS = 48
_SHOWN = 200
LOWEST, HIGHEST = 1, 5
MARKS: Mapping[str, str] = {
    "answered": "does the passage answer the question? 5: fully and exactly; 3: in part; 1: it is about something else",
    "alone": (
        "would the question make sense to somebody who has not seen the passage? 5: it names what it is about; "
        "3: it could mean several things; 1: it points at text that is not there"
    ),
    "natural": (
        "would a user ask this, or type it into a search box? 5: just so; 3: stiff, or copied from the passage; "
        "1: no one would"
    ),
}

_SYSTEM = (
    "You judge questions that were written to train a search engine for a project's documentation. "
    "A question may be a sentence, a few search words or a complaint; its form does not matter. "
    f"Reply with JSON that has one whole number from {LOWEST} (bad) to {HIGHEST} (good) for each key:\n"
    + "\n".join(f"- {mark}: {meaning}" for mark, meaning in MARKS.items())
)

_PASSAGE = (
    "Client API > Cancelling\n"
    "`client.jobs.cancel(job_id, grace=10)` asks a running job to stop and waits `grace` seconds before it is "
    "killed. It raises `JobNotFound` if the job has already ended."
)
_EXAMPLES = (
    ("How do I stop a job that is already running?", {"answered": 5, "alone": 5, "natural": 5}),
    ("What does this function do?", {"answered": 3, "alone": 1, "natural": 3}),
    ("How do I start two jobs at once?", {"answered": 1, "alone": 5, "natural": 5}),
)

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {mark: {"type": "integer", "enum": list(range(LOWEST, HIGHEST + 1))} for mark in MARKS},
    "required": list(MARKS),
    "additionalProperties": False,
}

_OBJECT = re.compile(r"\{[^{}]*\}")


def judge_jobs(questions: Sequence[Question], chunks: Sequence[Chunk]) -> list[Job[tuple[str, float]]]:
    """A request for the marks of each question.

    Args:
        questions: What to judge; questions of one chunk stand together, so that its passage stays cached.
        chunks: The chunks that they are about; a question about another one is left out.

    Returns:
        A job a question, whose result is the question's id and its score.
    """
    passages = {chunk.id: chunk.passage for chunk in chunks}
    return [
        Job(
            item=question.id,
            messages=tuple(judge_messages(question.text, question.passage or passages[question.chunk_id])),
            read=partial(_read, question.id),
            schema=SCHEMA,
            max_tokens=MAX_TOKENS,
            kind="judge",
        )
        for question in questions
        if question.chunk_id in passages
    ]


def judge_messages(question: str, passage: str) -> list[Message]:
    """The chat that asks for the marks of one question.

    Args:
        question: The question.
        passage: The passage that should answer it.

    Returns:
        System message, worked examples, and last the passage with the question.
    """
    messages = [Message("system", _SYSTEM)]
    for asked, marks in _EXAMPLES:
        messages.append(Message("user", _task(asked, _PASSAGE)))
        messages.append(Message("assistant", json.dumps(marks)))
    messages.append(Message("user", _task(question, passage)))
    return messages


def read_marks(reply: str) -> dict[str, int]:
    """The marks in a reply.

    Args:
        reply: What the model wrote: JSON, or text with one flat JSON object in it.

    Returns:
        A mark from 1 to 5 for each key of the schema; empty when one is missing or is no such number: half a
        judgement is none.
    """
    table: object = None
    for text in (reply, *_OBJECT.findall(reply)[:1]):
        try:
            table = json.loads(text)
        except (ValueError, RecursionError):
            continue
        break
    if not isinstance(table, dict):
        return {}
    marks = {mark: _mark(table.get(mark)) for mark in MARKS}
    return marks if all(marks.values()) else {}


def read_score(reply: str) -> float | None:
    """The score in a reply.

    Args:
        reply: What the model wrote.

    Returns:
        The lowest mark, from 1 to 5; None for a reply that cannot be read, which leaves the question unjudged.
    """
    marks = read_marks(reply)
    return float(min(marks.values())) if marks else None


def judge_version() -> str:
    """Hash of everything in the prompt that is not the question or its passage."""
    return content_id(_SYSTEM, _PASSAGE, json.dumps(_EXAMPLES), json.dumps(SCHEMA))


def _read(question_id: str, reply: Reply) -> tuple[list[tuple[str, float]], list[Rejected]]:
    score = read_score(reply.text)
    if score is None:
        return [], [Rejected("synth", question_id, UNREADABLE, reply.text[:_SHOWN])]
    return [(question_id, score)], []


def _task(question: str, passage: str) -> str:
    return f"Passage:\n{passage}\n\nQuestion: {question}"


def _mark(value: object) -> int:
    """A whole number in range, also when it is written 4.0 or "4"; 0 for anything else."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, str) and re.fullmatch(r"\s*[1-5]\s*", value, re.ASCII):
        value = int(value)
    if isinstance(value, int | float) and value in range(LOWEST, HIGHEST + 1):
        return int(value)
    return 0
