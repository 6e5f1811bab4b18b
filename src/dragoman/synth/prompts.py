"""What a language model is asked for: several kinds of question that one passage answers.

In: a chunk, the kinds, and what the recipe says of the project and its users. Out: chat messages and the JSON schema of
the reply. The system message and the worked examples come first and are the same for every chunk, so that a server
can keep them cached; what differs from chunk to chunk (person, language, passage) stands in the last message. The
prompts' hash is part of the key of every stored answer.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.models.protocols import Message
from dragoman.records import Chunk, content_id
from dragoman.synth.kinds import DEFAULT_KINDS, KINDS, chosen_kinds, worked_examples

STYLES: Mapping[str, str] = {name: KINDS[name].meaning for name in DEFAULT_KINDS}

_TASK = "You write the questions that users of a software project ask before they find a passage of its documentation. "
_REPLY = "Reply with JSON that has one string for each key:\n"
_RULES = (
    "\nThe passage must answer each of them. Each must make sense to somebody who has not seen the passage: name the "
    "thing that is meant, never write 'this' or 'the passage'. Use the words of a user rather than those of the "
    "heading. Do not repeat yourself."
)
_MAY_BE_EMPTY = " Where the passage holds nothing of the kind, give an empty string for {keys}."
_PERSON = (
    " A message may begin with a line in square brackets that says who asks: write as that person would, with what they "
    "know and want. It is no part of the passage."
)


def question_messages(
    chunk: Chunk, kinds: Sequence[str] = DEFAULT_KINDS, persona: str = "", project: str = "", language: str = ""
) -> list[Message]:
    """The chat that asks for one question of each kind about a chunk.

    Args:
        chunk: The passage to be asked about.
        kinds: Names of kinds; their order does not matter.
        persona: Who asks, e.g. "a data scientist who is new to the tool"; see ``persona_of``. "": nobody in particular.
        project: A sentence about the project.
        language: English name of the language to ask in; "" says nothing, and the model writes English.

    Returns:
        System message, worked examples, and last the passage.

    Raises:
        ConfigError: A kind is unknown.
    """
    chosen = chosen_kinds(kinds)
    messages = [Message("system", _system(chosen, with_person=bool(_line(persona)), project=_line(project)))]
    for passage, questions in worked_examples(chosen):
        messages.append(Message("user", passage))
        messages.append(Message("assistant", json.dumps(questions)))
    messages.append(Message("user", asked_by(persona, language) + chunk.passage))
    return messages


def question_schema(kinds: Sequence[str] = DEFAULT_KINDS) -> Mapping[str, Any]:
    """The JSON schema of the reply: one string a kind, and nothing else.

    Raises:
        ConfigError: A kind is unknown.
    """
    return object_schema({kind: {"type": "string"} for kind in chosen_kinds(kinds)})


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object with just these properties, all of them required."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def asked_by(persona: str = "", language: str = "") -> str:
    """The lines before a passage that say who asks, and in which language; "" when there is nothing to say."""
    lines = []
    if _line(persona):
        lines.append(f"[Asked by: {_line(persona)}]")
    if _line(language):
        lines.append(f"[Write in {_line(language)}, the language of the passage.]")
    return "\n".join(lines) + "\n\n" if lines else ""


def about(project: str) -> str:
    """The project's sentence as a system message says it; "" when there is none."""
    return f"About the project: {_line(project)}\n" if _line(project) else ""


def persona_of(chunk: Chunk, personas: Sequence[str]) -> str:
    """The one of several personas who asks about a chunk: decided by the chunk's id and the persona alone.

    A persona that is added takes chunks over from the others; no chunk changes between two that were there before,
    so that most stored answers stay good.

    Args:
        chunk: The chunk.
        personas: Who may ask; may be empty.

    Returns:
        A persona, or "" when there is none.
    """
    return max(personas, key=lambda persona: (content_id(chunk.id, persona), persona), default="")


def prompt_version(
    kinds: Sequence[str] = DEFAULT_KINDS, persona: str = "", project: str = "", language: str = ""
) -> str:
    """Hash of everything in the prompt that is not the passage.

    Args:
        kinds: As for ``question_messages``.
        persona: As for ``question_messages``; of several, all of them in one text.
        project: As for ``question_messages``.
        language: As for ``question_messages``.

    Returns:
        16 hex digits.

    Raises:
        ConfigError: A kind is unknown.
    """
    chosen = chosen_kinds(kinds)
    system = _system(chosen, with_person=bool(_line(persona)), project=_line(project))
    parts = [system, json.dumps(worked_examples(chosen)), json.dumps(question_schema(chosen))]
    around = asked_by(persona, language)
    return content_id(*parts, around) if around else content_id(*parts)


def _system(kinds: Sequence[str], *, with_person: bool, project: str) -> str:
    listed = "\n".join(f"- {kind}: {KINDS[kind].meaning}" for kind in kinds)
    optional = [kind for kind in kinds if KINDS[kind].may_be_empty]
    empty = _MAY_BE_EMPTY.format(keys=" and ".join(optional)) if optional else ""
    return _TASK + about(project) + _REPLY + listed + _RULES + empty + (_PERSON if with_person else "")


def _line(text: str) -> str:
    return " ".join(text.split())


SCHEMA: Mapping[str, Any] = question_schema()
