"""Answers in JSON: does a reply follow its schema, and what to tell the model when it does not.

In: a model's text and a JSON schema. Out: canonical JSON, or what is wrong in words; the messages of a repair turn.
Of JSON Schema it knows the keywords that Dragoman's own schemas use, and lets others pass.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dragoman.models.lenient_json import read_json
from dragoman.models.protocols import Message, Reply

INVALID = "invalid: "
_SHOWN = 4000  # characters of a bad reply that are sent back
_NAMED = 60  # characters of a bad value that are shown
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A reply held against its schema: ``text`` is canonical JSON where ``problem`` is empty, else what was written."""

    text: str
    problem: str


def checked(text: str, schema: Mapping[str, Any], *, cut: bool = False) -> Checked:
    """Read a reply and hold it against its schema.

    Args:
        text: What the model wrote.
        schema: What it was asked to follow.
        cut: Whether the answer ended at its longest length.

    Returns:
        Canonical JSON (keys sorted, those that the schema does not allow left out), or the text and its problem.
    """
    value = read_json(text, "[" if schema.get("type") == "array" else "{")
    if cut:
        return Checked(text, "the answer was cut off at its longest length")
    if value is None:
        return Checked(text, "the answer holds no JSON")
    value = _pruned(value, schema)
    if problem := problem_with(value, schema):
        return Checked(text, problem)
    try:
        written = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return Checked(text, "a number is not finite")
    return Checked(written.encode("utf-8", "ignore").decode(), "")  # half a surrogate pair is no text


def problem_with(value: object, schema: Mapping[str, Any], where: str = "the answer") -> str:
    """What is wrong with a value, as one phrase.

    Args:
        value: A value as JSON gives them.
        schema: What it should follow: type, enum, const, properties, required, additionalProperties, items, and
            the least and most of lengths, items and numbers.
        where: What the value is called.

    Returns:
        The first thing that is wrong; "" when nothing is.
    """
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if kinds and not any(_TYPES.get(kind, lambda _: True)(value) for kind in kinds):
        return f"{where} is {_named(value)}, not of type {' or '.join(kinds)}"
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if allowed is not None and not any(value == choice and type(value) is type(choice) for choice in allowed):
        return f"{where} is {_named(value)}, not one of {json.dumps(list(allowed), ensure_ascii=False)}"
    if isinstance(value, dict):
        return _problem_with_object(value, schema, where)
    if isinstance(value, list):
        return _problem_with_array(value, schema, where)
    return _problem_with_size(value, schema, where)


def schema_told(schema: Mapping[str, Any]) -> str:
    """What a prompt says to a model whose server cannot hold it to a schema."""
    return (
        "Reply with JSON that follows this JSON schema, and with nothing else:\n"
        f"{json.dumps(schema, ensure_ascii=False)}"
    )


def with_schema_told(messages: Sequence[Message], schema: Mapping[str, Any]) -> list[Message]:
    """The same chat, with the schema in its system message.

    Args:
        messages: The chat.
        schema: What the answer shall follow.

    Returns:
        A new chat: many a chat template takes only one system message, and only as the first.
    """
    told = schema_told(schema)
    if messages and messages[0].role == "system":
        return [Message("system", f"{messages[0].content}\n\n{told}"), *messages[1:]]
    return [Message("system", told), *messages]


def repair_turn(text: str, problem: str) -> list[Message]:
    """What is added to a chat to have a bad reply put right.

    Args:
        text: The reply.
        problem: What is wrong with it.

    Returns:
        The reply as the model's own message, and what is wrong with it as the user's.
    """
    asked = f"That does not do: {problem}. Write the whole JSON again, shorter if need be, and nothing else."
    return [Message("assistant", text[:_SHOWN] or "(nothing)"), Message("user", asked)]


def invalid_because(reply: Reply) -> str:
    """Why a reply does not follow the schema that was asked for.

    Args:
        reply: A reply to a request with a schema.

    Returns:
        The problem in words; "" when the reply is good.
    """
    return reply.finish.removeprefix(INVALID) if reply.finish.startswith(INVALID) else ""


def _pruned(value: Any, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a JSON value is of any type
    """Without the keys that a schema does not allow: they do no harm, and another turn for them would cost."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False
        return {key: _pruned(part, known.get(key, {})) for key, part in value.items() if key in known or not closed}
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [_pruned(part, schema["items"]) for part in value]
    return value


def _problem_with_object(value: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> str:
    for key in schema.get("required", ()):
        if key not in value:
            return f"'{key}' is missing in {where}"
    known = schema.get("properties", {})
    extra = schema.get("additionalProperties")
    for key, part in value.items():
        rule = known.get(key, extra)
        if rule is False:
            return f"'{_cut(str(key))}' is not known in {where}"
        if isinstance(rule, Mapping) and (problem := problem_with(part, rule, f"'{_cut(str(key))}'")):
            return problem
    return ""


def _problem_with_array(value: Sequence[Any], schema: Mapping[str, Any], where: str) -> str:
    if problem := _out_of_bounds(len(value), schema, ("minItems", "maxItems"), f"the number of items of {where} is"):
        return problem
    rule = schema.get("items")
    if isinstance(rule, Mapping):
        for place, part in enumerate(value, 1):
            if problem := problem_with(part, rule, f"item {place} of {where}"):
                return problem
    return ""


def _problem_with_size(value: object, schema: Mapping[str, Any], where: str) -> str:
    if isinstance(value, str):
        return _out_of_bounds(len(value), schema, ("minLength", "maxLength"), f"{where} has a length of")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _out_of_bounds(value, schema, ("minimum", "maximum"), f"{where} is")
    return ""


def _out_of_bounds(size: float, schema: Mapping[str, Any], keys: tuple[str, str], what: str) -> str:
    least, most = (schema.get(key) for key in keys)
    if least is not None and size < least:
        return f"{what} {size}, less than {least}"
    if most is not None and size > most:
        return f"{what} {size}, more than {most}"
    return ""


def _named(value: object) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _NAMED else text[:_NAMED] + "..."
