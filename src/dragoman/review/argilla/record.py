"""An item as a record of Argilla, and back: the same item comes out, whatever is in it.

Argilla's page puts a field's text into the page as HTML, so all texts are escaped, whoever wrote them: reviewers see the characters. What
the server could not take (a term too long, half a character, a number that is none) is left out or cut for it; the whole item then
travels in the record's notes, a value of its metadata that no filter offers. It calls no server.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from dragoman.records import content_id
from dragoman.review.argilla.connection import storable
from dragoman.review.argilla.datasets import SIMILAR, STATE
from dragoman.review.items import Form, Item, MetadataType, Response, Suggestion

OPEN: Final = "open"
RETIRED: Final = "retired"
NOTES: Final = "_dragoman"  # the server keeps what begins so to itself

Record = dict[str, Any]

_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_NOT_IN_AGENTS = re.compile(r"[^a-zA-Z0-9_:./ -]")
_LONGEST_TERM, _LONGEST_AGENT = 1000, 200
_LARGEST_INTEGER = 2**53


def to_record(form: Form, item: Item, questions: Mapping[str, str]) -> Record:
    """What is sent to the server for an item.

    Args:
        form: The form of its kind.
        item: The item.
        questions: Ids of the dataset's questions by name.

    Returns:
        The record, open for answers, as the server's interface takes it.
    """
    fields = {one.name: _escaped(item.fields.get(one.name, "")) for one in form.fields}
    metadata = {
        name: _value(item.metadata[name], kind) for name, kind in form.metadata.items() if name in item.metadata
    }
    metadata = {name: value for name, value in metadata.items() if value is not None}
    suggestions = _suggestions(form, item, questions)
    record: Record = {
        "external_id": item.id,
        "fields": fields,
        "metadata": metadata | {STATE: OPEN},
        "suggestions": suggestions,
    }
    notes: dict[str, Any] = {}
    if "priority" not in metadata and math.isfinite(item.priority):
        # What the queue is sorted by.
        record["metadata"]["priority"] = float(item.priority)
        notes["added"] = ["priority"]
    if item.vector and all(map(math.isfinite, item.vector)):
        record["vectors"] = {SIMILAR: list(item.vector)}
        notes["vector"] = content_id(*map(repr, item.vector))
    record["metadata"] |= _noted(notes)
    if from_record(form, record, questions) != replace(item, vector=()):
        plain = [dict(item.fields), dict(item.metadata), [_listed(one) for one in item.suggestions], item.priority]
        record["metadata"] |= _noted(notes | {"item": plain})
    return record


def from_record(form: Form, record: Mapping[str, Any], questions: Mapping[str, str]) -> Item:
    """The item that a record was made from, without its vector.

    Args:
        form: The form of its kind.
        record: As the server gives it.
        questions: Ids of the dataset's questions by name.

    Returns:
        The item.
    """
    metadata = {name: value for name, value in (record["metadata"] or {}).items() if value is not None}
    notes = _notes(metadata)
    if "item" in notes:
        fields, own, suggested, priority = notes["item"]
        return Item(
            record["external_id"], form.kind, fields, own, tuple(Suggestion(*one) for one in suggested), (), priority
        )
    priority = metadata.get("priority", 0.0)
    own = {name: metadata[name] for name in form.metadata if name in metadata and name not in notes.get("added", ())}
    asks = {questions[ask.name]: ask.name for ask in form.asks}
    suggested = {str(one["question_id"]): one for one in record.get("suggestions") or ()}
    return Item(
        record["external_id"],
        form.kind,
        {name: _plain(text) for name, text in record["fields"].items()},
        own,
        tuple(
            Suggestion(name, str(one["value"]), one["score"] or 0.0, one["agent"] or "")
            for name, one in ((asks[id_], suggested[id_]) for id_ in asks if id_ in suggested)
        ),
        (),
        priority,
    )


def responses_of(record: Mapping[str, Any], users: Mapping[str, str]) -> tuple[Response, ...]:
    """What people answered about a record.

    Args:
        record: As the server gives it.
        users: Names by id.

    Returns:
        Their responses, sorted by name.
    """
    found = []
    for one in record.get("responses") or ():
        given = {name: answer.get("value") for name, answer in (one["values"] or {}).items()}
        values = {name: value for name, value in given.items() if isinstance(value, str) and value}
        found.append(Response(users.get(str(one["user_id"]), str(one["user_id"])), values, one["status"]))
    return tuple(sorted(found, key=lambda response: response.reviewer))


def with_what_others_noted(form: Form, wanted: Record, there: Mapping[str, Any]) -> Record:
    """The record with the metadata that somebody else has added there, since the server replaces all of it at once."""
    ours = {*form.metadata, STATE, NOTES}
    others = {
        name: value for name, value in (there["metadata"] or {}).items() if name not in ours and value is not None
    }
    return wanted | {"metadata": others | wanted["metadata"]}


def same(wanted: Record, there: Mapping[str, Any]) -> bool:
    """Whether the server has all that would be sent."""
    metadata = {name: value for name, value in (there["metadata"] or {}).items() if value is not None}
    return (
        wanted["fields"] == there["fields"]
        and wanted["metadata"] == metadata
        and _compared(wanted["suggestions"]) == _compared(there.get("suggestions") or ())
    )


def surplus_suggestions(wanted: Record, there: Mapping[str, Any]) -> list[str]:
    """Ids of the suggestions there that are made no more; the server does not drop them by itself."""
    made = {one["question_id"] for one in wanted["suggestions"]}
    return [str(one["id"]) for one in there.get("suggestions") or () if str(one["question_id"]) not in made]


def is_retired(record: Mapping[str, Any]) -> bool:
    """Whether it is out of the queue."""
    return bool((record["metadata"] or {}).get(STATE) == RETIRED)


def _escaped(text: str) -> str:
    for plain, safe in _ESCAPES:
        text = text.replace(plain, safe)
    return storable(text)


def _plain(text: str) -> str:
    for plain, safe in reversed(_ESCAPES):
        text = text.replace(safe, plain)
    return text


def _value(value: str | float, kind: MetadataType) -> str | int | float | None:
    if kind == "terms":
        return storable(str(value))[:_LONGEST_TERM]
    if isinstance(value, str) or not math.isfinite(value):
        return None
    if kind == "float":
        return float(value)
    return int(value) if abs(value) <= _LARGEST_INTEGER and value == int(value) else None


def _suggestions(form: Form, item: Item, questions: Mapping[str, str]) -> list[Record]:
    asks = {ask.name: ask for ask in form.asks}
    made: dict[str, Record] = {}
    for one in item.suggestions:
        ask = asks.get(one.ask)
        if ask is None or (ask.options and one.value not in ask.options) or not one.value:
            continue
        agent = _NOT_IN_AGENTS.sub("-", one.agent)[:_LONGEST_AGENT]
        made.setdefault(
            one.ask,
            {
                "question_id": questions[one.ask],
                "value": storable(one.value),
                "score": min(1.0, max(0.0, one.score)) if math.isfinite(one.score) else None,
                "agent": agent if re.search(r"[a-zA-Z0-9]", agent) else None,
                "type": "model",
            },
        )
    return list(made.values())


def _compared(suggestions: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    keys = ("question_id", "value", "score", "agent")
    return sorted(tuple(repr(one[key]) if key == "score" else str(one[key]) for key in keys) for one in suggestions)


def _listed(suggestion: Suggestion) -> list[str | float]:
    return [suggestion.ask, suggestion.value, suggestion.score, suggestion.agent]


def _noted(notes: Mapping[str, Any]) -> dict[str, str]:
    # As text: a server's database may refuse half characters and NUL, but not the escapes of JSON.
    return {NOTES: json.dumps(notes, sort_keys=True)} if notes else {}


def _notes(metadata: Mapping[str, Any]) -> dict[str, Any]:
    try:
        notes = json.loads(metadata.get(NOTES, "{}"))
        if "item" in notes:
            fields, own, suggested, priority = notes["item"]
            whole = isinstance(fields, dict) and isinstance(own, dict) and isinstance(priority, int | float)
            if not whole or any(len(one) != len(Suggestion.__match_args__) for one in suggested):
                del notes["item"]
    except (ValueError, TypeError):  # somebody else wrote there
        return {}
    return notes if isinstance(notes, dict) else {}
