"""Items and answers as rows of the desk's file, and back; answers are held to the form on their way in.

In: the records of ``review/items.py``, or columns. Out: the other. JSON in ASCII keeps every text as it is, even half a surrogate
pair, which a column of text could not hold.
"""

import json
import sqlite3
from array import array
from collections.abc import Mapping
from dataclasses import asdict, replace

from dragoman.errors import UsageError
from dragoman.records import ReviewKind
from dragoman.review.items import Form, Item, Response, Suggestion

LONGEST_ANSWER = 10_000  # characters


def content_of(item: Item) -> str:
    """All of an item but its id, kind and vector; equal for equal items."""
    content = {
        "fields": dict(item.fields),
        "metadata": dict(item.metadata),
        "suggestions": [asdict(suggestion) for suggestion in item.suggestions],
        "priority": item.priority,
    }
    return json.dumps(content, sort_keys=True)


def vector_of(item: Item) -> bytes:
    """The vector, as little space as keeps every digit."""
    return array("d", item.vector).tobytes()


def item_of(kind: ReviewKind, item_id: str, content: str, vector: bytes) -> Item:
    """The item that a row holds.

    Args:
        kind: Its kind.
        item_id: Its id.
        content: As ``content_of`` gave it.
        vector: As ``vector_of`` gave it.

    Returns:
        The item.

    Raises:
        sqlite3.DatabaseError: The row was changed by something else.
    """
    try:
        held = json.loads(content)
        return Item(
            item_id,
            kind,
            dict(held["fields"]),
            dict(held["metadata"]),
            tuple(Suggestion(**suggestion) for suggestion in held["suggestions"]),
            tuple(array("d", vector)),
            held["priority"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise sqlite3.DatabaseError(f"the row of item {item_id} is malformed: {error}") from error


def answers_of(text: str) -> dict[str, str]:
    """The answers that a row holds.

    Args:
        text: The column.

    Returns:
        Answers by the name of what was asked.

    Raises:
        sqlite3.DatabaseError: The row was changed by something else.
    """
    try:
        return {str(name): str(value) for name, value in json.loads(text).items()}
    except (ValueError, AttributeError) as error:
        raise sqlite3.DatabaseError(f"a row of answers is malformed: {error}") from error


def answers_row(values: Mapping[str, str]) -> str:
    """Answers as ``answers_of`` reads them; equal for equal answers."""
    return json.dumps(dict(values), sort_keys=True)


def checked(form: Form, response: Response) -> Response:
    """Hold a response to its form.

    Args:
        form: What was asked.
        response: What was answered.

    Returns:
        The response, without answers that say nothing.

    Raises:
        UsageError: It answers what was not asked, with what is no option, at too great length, or was submitted without an
            answer that is needed.
    """
    asks = {ask.name: ask for ask in form.asks}
    for name, value in response.values.items():
        if name not in asks:
            raise UsageError(f"'{name[:80]}' is not asked about {form.kind}", expected=f"one of {', '.join(asks)}")
        if asks[name].options and value not in (*asks[name].options, ""):
            options = " or ".join(asks[name].options)
            raise UsageError(f"'{value[:80]}' is no answer to '{asks[name].title}'", expected=options)
        if len(value) > LONGEST_ANSWER:
            said = f"the answer to '{asks[name].title}' has {len(value):,} characters"
            raise UsageError(said, expected=f"at most {LONGEST_ANSWER:,}")
    values = {name: value for name, value in response.values.items() if value.strip()}
    missing = [ask.title for ask in form.required if ask.name not in values]
    if missing and response.status == "submitted":
        raise UsageError(f"'{missing[0]}' is not answered yet", expected="an answer to all that is required")
    return replace(response, values=values)
