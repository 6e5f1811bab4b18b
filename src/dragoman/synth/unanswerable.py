"""Questions that a user could ask and the docs do not answer: for calibrating when to refuse, never for training.

In: a chunk and the headings of its page. Out: the chat that asks for such a question, the reading of the reply, and a check that
takes out those which a search by words answers after all.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from dragoman.errors import LLMError
from dragoman.models.protocols import Message, Reply
from dragoman.records import Chunk, Question, Rejected, content_id
from dragoman.synth.answers import REASONS as UNREAD
from dragoman.synth.answers import STAGE, read_table
from dragoman.synth.prompts import about, asked_by, object_schema
from dragoman.synth.work import Job

STYLE = "unanswerable"
MAX_TOKENS = 128
REASONS = ("found by its words", "a heading answers it")
_KEYS = ("missing", "question")
_MOST_HEADINGS, _LONGEST_HEADING = 40, 100

SCHEMA: Mapping[str, Any] = object_schema({key: {"type": "string"} for key in _KEYS})

_SYSTEM = (
    "You test whether an assistant of a software project knows when to say that it does not know. You are given the headings of a page "
    "of the documentation and one passage of it. Write a question that a user of this very project could well ask, about the same part of it, "
    "to which neither the passage nor any section in the list gives the answer: a limit, version, price, internal detail, neighbouring feature or "
    'combination that is not spoken of. Reply with JSON: "missing" says in a few words what the documentation does not say, "question" is the '
    "question. It must make sense by itself and must not be absurd."
)
_EXAMPLES = (
    (
        (
            "Headings of the page:\n- Schedules\n- Time zones\n- Pausing\n\nPassage:\nSchedules > Time zones\nA schedule runs in UTC unless `timezone` "
            "is set to a name of the IANA database."
        ),
        {
            "missing": "whether schedules know public holidays",
            "question": "Can a schedule skip the public holidays of my country?",
        },
    ),
    (
        (
            "Headings of the page:\n- Client API\n- Submitting\n- Cancelling\n\nPassage:\nClient API > Cancelling\n`client.jobs.cancel(job_id, grace=10)` "
            "asks a running job to stop and waits `grace` seconds before it is killed."
        ),
        {
            "missing": "cancelling many jobs in one request",
            "question": "How many jobs can I cancel with one call of the client?",
        },
    ),
)


def page_headings(chunks: Sequence[Chunk]) -> dict[str, tuple[str, ...]]:
    """The headings of each chunk's page.

    Args:
        chunks: All chunks, in reading order.

    Returns:
        Headings by chunk id, each once, in reading order; chunks of one page share one tuple.
    """
    pages: dict[tuple[str, str], dict[str, None]] = {}
    for chunk in chunks:
        pages.setdefault((chunk.source, chunk.path), {}).update(dict.fromkeys(chunk.trail))
    listed = {page: tuple(headings) for page, headings in pages.items()}
    return {chunk.id: listed[chunk.source, chunk.path] for chunk in chunks}


def unanswerable_messages(
    chunk: Chunk, headings: Sequence[str], *, persona: str = "", project: str = "", language: str = ""
) -> list[Message]:
    """The chat that asks for a question which the docs do not answer.

    Args:
        chunk: The passage to stay close to.
        headings: All headings of its page; of many, the first are shown.
        persona: Who asks; "": nobody in particular.
        project: A sentence about the project.
        language: English name of the language to ask in; "": English.

    Returns:
        System message and worked examples, the same for all chunks, and last headings and passage.
    """
    messages = [Message("system", about(project) + _SYSTEM)]
    for shown, answer in _EXAMPLES:
        messages += [Message("user", shown), Message("assistant", json.dumps(answer))]
    listed = "\n".join(f"- {' '.join(heading.split())[:_LONGEST_HEADING]}" for heading in headings[:_MOST_HEADINGS])
    shown = f"Headings of the page:\n{listed}\n\nPassage:\n{chunk.passage}"
    return [*messages, Message("user", asked_by(persona, language) + shown)]


def unanswerable_job(
    chunk: Chunk, headings: Sequence[str], model: str, *, persona: str = "", project: str = "", language: str = ""
) -> Job[Question]:
    """The request about a chunk, and the reading of its reply.

    Args:
        chunk: The passage to stay close to.
        headings: All headings of its page.
        model: Name of the model, kept with the question.
        persona: As for ``unanswerable_messages``.
        project: As for ``unanswerable_messages``.
        language: As for ``unanswerable_messages``.

    Returns:
        A job.
    """
    messages = unanswerable_messages(chunk, headings, persona=persona, project=project, language=language)
    read = partial(read_unanswerable, chunk, headings, model=model)
    return Job(chunk.id, tuple(messages), read, SCHEMA, MAX_TOKENS, kind=STYLE)


def read_unanswerable(
    chunk: Chunk, headings: Sequence[str], reply: Reply | LLMError, model: str
) -> tuple[list[Question], list[Rejected]]:
    """The question in a reply.

    Args:
        chunk: The chunk that was asked about.
        headings: All headings of its page.
        reply: What came back.
        model: Name of the model, kept with the question.

    Returns:
        One question, never to be trained on, or one rejection.
    """
    table = read_table(chunk.id, reply, _KEYS)
    if isinstance(table, Rejected):
        return [], [table]
    text = table["question"]
    if not text:
        return [], [Rejected(STAGE, chunk.id, UNREAD[2], STYLE)]
    if _plain(text) in {_plain(heading) for heading in headings}:
        return [], [Rejected(STAGE, chunk.id, REASONS[1], text)]
    return [Question(content_id(chunk.id, STYLE, text), text, chunk.id, "llm", STYLE, model, train=False)], []


def answered_score(scores: Sequence[float], share: float = 0.5) -> float:
    """The best word-search score that a share of the questions with a known answer reaches.

    Args:
        scores: For each answerable question, the score of its best hit; larger is better.
        share: In [0, 1]; the smaller, the more unanswerable questions are kept.

    Returns:
        A score to give to ``unanswered``; infinity when there are no scores.
    """
    ranked = sorted(scores, reverse=True)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)] if ranked else float("inf")


def unanswered(
    questions: Sequence[Question], scores: Mapping[str, float], limit: float
) -> tuple[list[Question], list[Rejected]]:
    """Take out the questions that a search by words answers too well to be called unanswerable.

    Args:
        questions: Questions of ``read_unanswerable``.
        scores: Score of the best hit by question id; larger is better. A question without one is kept.
        limit: The score from which on a question counts as answered; see ``answered_score``.

    Returns:
        What is kept, and a rejection for each other.
    """
    kept: list[Question] = []
    rejected: list[Rejected] = []
    for question in questions:
        if scores.get(question.id, float("-inf")) >= limit:
            rejected.append(Rejected(STAGE, question.id, REASONS[0], question.text))
        else:
            kept.append(question)
    return kept, rejected


def unanswerable_version(project: str = "") -> str:
    """Hash of everything in the prompt that is not the passage, the persona or the language."""
    return content_id(about(project) + _SYSTEM, json.dumps(_EXAMPLES), json.dumps(SCHEMA))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip("?.! ")
