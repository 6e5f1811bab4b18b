"""What a language model is asked for: several kinds of question that one passage answers.

In: a chunk. Out: chat messages and the JSON schema of the reply. The system
message and the worked examples come first and never change, so that a server can keep them cached.
The prompts' hash is part of the key of every stored answer.
"""

import json
from collections.abc import Mapping
from typing import Any

from dragoman.models.protocols import Message
from dragoman.records import Chunk, content_id

STYLES: Mapping[str, str] = {
    "howto": "a complete question of someone who wants to do what the passage explains",
    "keywords": "the few words that someone would type into a search box to find the passage",
    "problem": "what someone who is stuck would report: the symptom or wish, in plain words",
    "concept": "a question about a term, option, method or idea that the passage defines",
}

_SYSTEM = (
    "You write the questions that users of a software project ask before they find a passage of its documentation. "
    "Reply with JSON that has one string for each key:\n"
    + "\n".join(f"- {style}: {meaning}" for style, meaning in STYLES.items())
    + "\nThe passage must answer each of them. Each must make sense to somebody who has not seen the passage: name the "
    "thing that is meant, never write 'this' or 'the passage'. Use the words of a user rather than those of the "
    "heading. Do not repeat yourself."
)

_EXAMPLES = (
    (
        (
            "Schedules > Time zones\n"
            "A schedule runs in UTC unless `timezone` is set. The name must be one of the IANA database:\n\n"
            '```toml\n[schedule]\nevery = "day at 06:00"\ntimezone = "Europe/Lisbon"\n```\n'
            "When the clocks go forward, a run that falls into the missing hour is started right after it."
        ),
        {
            "howto": "How can I make a scheduled job run at 6 in the morning local time?",
            "keywords": "schedule timezone local time not utc",
            "problem": "my daily job starts an hour too early since the clocks changed",
            "concept": "Which time zone do schedules use by default?",
        },
    ),
    (
        (
            "Client API > Cancelling\n"
            "`client.jobs.cancel(job_id, grace=10)` asks a running job to stop and waits `grace` seconds before it is "
            "killed. It raises `JobNotFound` if the job has already ended. Files that the job wrote are kept."
        ),
        {
            "howto": "How do I stop a job that is already running from Python?",
            "keywords": "client.jobs.cancel grace period kill job",
            "problem": "I get JobNotFound when I try to cancel a job that just finished",
            "concept": "What does the grace argument do when a job is cancelled?",
        },
    ),
)

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {style: {"type": "string"} for style in STYLES},
    "required": list(STYLES),
    "additionalProperties": False,
}


def question_messages(chunk: Chunk) -> list[Message]:
    """The chat that asks for one question of each style about a chunk.

    Args:
        chunk: The passage to be asked about.

    Returns:
        System message, worked examples, and last the passage.
    """
    messages = [Message("system", _SYSTEM)]
    for passage, questions in _EXAMPLES:
        messages.append(Message("user", passage))
        messages.append(Message("assistant", json.dumps(questions)))
    messages.append(Message("user", chunk.passage))
    return messages


def prompt_version() -> str:
    """Hash of everything in the prompt that is not the passage."""
    return content_id(_SYSTEM, json.dumps(_EXAMPLES), json.dumps(SCHEMA))
