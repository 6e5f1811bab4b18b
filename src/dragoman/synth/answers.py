"""Reading what a language model answered: JSON text in, checked strings out.

Every job of this room reads its replies through here, so that a reply that is cut short, nested a million deep or of
another shape ends as a rejection with a reason from the closed list, never as a crash.
"""

import json
import re
from collections.abc import Sequence

from dragoman.errors import LLMError
from dragoman.models.protocols import Reply
from dragoman.records import Chunk, Question, Rejected, content_id
from dragoman.synth.kinds import DEFAULT_KINDS, KINDS
from dragoman.synth.work import FAILED, UNREADABLE

REASONS = (FAILED, UNREADABLE, "left empty", "not in the passage")
STAGE = "synth"
_SHOWN = 200
_NAMES = re.compile(r"\w{3,}")


def read_table(item: str, reply: Reply | LLMError, keys: Sequence[str]) -> dict[str, str] | Rejected:
    """The strings of a reply, each on one line.

    Args:
        item: What was asked about; named in a rejection.
        reply: What came back.
        keys: Keys that are wanted; others are ignored.

    Returns:
        A string for each key ("" where the reply has none), or why the reply cannot be read.
    """
    if isinstance(reply, LLMError):
        return Rejected(STAGE, item, REASONS[0], reply.happened)
    try:
        table = json.loads(reply.text)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        return Rejected(STAGE, item, REASONS[1], _clean(reply.text)[:_SHOWN])
    return {key: _clean(value) if isinstance(value := table.get(key), str) else "" for key in keys}


def read_questions(
    chunk: Chunk, reply: Reply | LLMError, model: str, kinds: Sequence[str] = DEFAULT_KINDS
) -> tuple[list[Question], list[Rejected]]:
    """The questions in a reply, one for each kind: a question or a rejection.

    Args:
        chunk: The chunk that was asked about.
        reply: What came back.
        model: Name of the model, kept with each question.
        kinds: The kinds that were asked for, as ``chosen_kinds`` gives them.

    Returns:
        Questions and rejections; a reply that cannot be read is one rejection. An error message of which the passage
        holds no word is invented, and rejected, too.
    """
    table = read_table(chunk.id, reply, kinds)
    if isinstance(table, Rejected):
        return [], [table]
    questions: list[Question] = []
    rejected: list[Rejected] = []
    for kind in kinds:
        text = table[kind]
        if not text:
            rejected.append(Rejected(STAGE, chunk.id, REASONS[2], kind))
        elif KINDS[kind].may_be_empty and not _founded(text, chunk):
            rejected.append(Rejected(STAGE, chunk.id, REASONS[3], text))
        else:
            questions.append(Question(content_id(chunk.id, text), text, chunk.id, "llm", kind, model))
    return questions, rejected


def _founded(text: str, chunk: Chunk) -> bool:
    known = set(_NAMES.findall(chunk.passage.casefold()))
    return any(name in known for name in _NAMES.findall(text.casefold())) or not _NAMES.search(text)


def _clean(text: str) -> str:
    """One line; a model may write half a surrogate pair, which no file can hold."""
    return " ".join(text.encode("utf-8", "ignore").decode().split())
