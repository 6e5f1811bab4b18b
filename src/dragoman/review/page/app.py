"""What the local page's browser is told: the queue, items, progress; and where its answers go.

In: a desk and the forms. Out: a web app with all parts of its page beside this file, so that no request leaves for another
host. Every text is sent as JSON: nothing that somebody typed is ever part of HTML.
"""

import importlib
import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from dragoman.errors import DragomanError, ExtraMissing, UsageError
from dragoman.records import ReviewKind
from dragoman.review.items import Form, Response, ResponseStatus, Reviewed
from dragoman.review.page.desk import PageDesk
from dragoman.review.page.guard import Guard
from dragoman.review.page.rows import LONGEST_ANSWER
from dragoman.review.page.worklist import Filter, progress, worklist

if TYPE_CHECKING:
    from fastapi import FastAPI, HTTPException, Request
    from fastapi import Response as Sent
    from fastapi.exceptions import RequestValidationError

_PARTS = {
    "page.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "answers.js": "text/javascript",
    "desk.js": "text/javascript",
    "frame.js": "text/javascript",
    "item.js": "text/javascript",
    "keys.js": "text/javascript",
    "passage.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_ITEMS_AT_ONCE = 40
_NAME_CHARS = 80


def reviewer_name(text: str) -> str:
    """A reviewer's name as it is kept, so that one person is one reviewer.

    Args:
        text: As typed.

    Returns:
        The name, composed, with single spaces.

    Raises:
        ValueError: Nothing is left of it, or it is too long.
    """
    shown = "".join(character if character.isprintable() else " " for character in unicodedata.normalize("NFC", text))
    name = " ".join(shown.split())
    if not name or len(name) > _NAME_CHARS:
        raise ValueError(f"a reviewer's name has 1 to {_NAME_CHARS} characters")
    return name


_Name = Annotated[str, StringConstraints(max_length=4 * _NAME_CHARS), AfterValidator(reviewer_name)]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Text = Annotated[str, StringConstraints(max_length=LONGEST_ANSWER)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ReviewKind
    reviewer: _Name


class _Answered(_Body):
    item: _Id
    status: ResponseStatus
    values: dict[_Id, _Text]


def create_page(
    desk: PageDesk,
    forms: Mapping[ReviewKind, Form],
    *,
    host: str,
    reviewer: str,
    title: str,
    guidelines: Callable[[Form], str],
    votes: int = 0,
) -> "FastAPI":
    """Build the page; nothing listens yet.

    Args:
        desk: Where items and answers lie.
        forms: What is asked, by kind.
        host: Address that it will listen on.
        reviewer: The name that the page proposes.
        title: Stands above the page and in the browser's tab.
        guidelines: Text that teaches a form's task.
        votes: Submitted answers that settle an item; 0: everybody is asked about all.

    Returns:
        The app, for ``running``.

    Raises:
        ExtraMissing: FastAPI is not installed.
    """
    fastapi = _imported("fastapi")
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, host=host)
    room = _Room(desk, forms, votes)
    kinds = [_form_shown(form, guidelines(form)) for form in forms.values()]
    _add_parts(app, fastapi)
    _add_errors(app, fastapi)
    _add_reading(app, fastapi, room, {"title": title, "reviewer": reviewer, "kinds": kinds})
    _add_writing(app, fastapi, room)
    return app  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Room:
    desk: PageDesk
    forms: Mapping[ReviewKind, Form]
    votes: int

    def form(self, kind: ReviewKind) -> Form:
        if kind not in self.forms:
            raise UsageError(f"this page does not show {kind}", expected=", ".join(self.forms))
        return self.forms[kind]

    def queue(self, kind: ReviewKind, reviewer: str, which: Filter) -> dict[str, Any]:
        shown, form = self.desk.shown(kind), self.form(kind)
        figures = progress(shown, form, reviewer, self.desk.times(kind, reviewer), self.votes)
        return {"ids": worklist(shown, form, reviewer, which, self.votes), "progress": asdict(figures)}

    def items(self, kind: ReviewKind, reviewer: str, ids: list[str]) -> list[dict[str, Any]]:
        form, drafts = self.form(kind), self.desk.drafts(kind, reviewer, ids)
        found = {reviewed.item.id: reviewed for reviewed in self.desk.items(kind, ids)}
        return [_item_shown(found[item], form, reviewer, drafts.get(item)) for item in ids if item in found]


def _form_shown(form: Form, guidelines: str) -> dict[str, Any]:
    return {
        "kind": form.kind,
        "fields": [asdict(field) for field in form.fields],
        "asks": [asdict(ask) for ask in form.asks],
        "guidelines": guidelines,
    }


def _item_shown(reviewed: Reviewed, form: Form, reviewer: str, draft: Mapping[str, str] | None) -> dict[str, Any]:
    """An item as one reviewer sees it: others' answers only once they can sway nobody."""
    item = reviewed.item
    own = next((response for response in reviewed.responses if response.reviewer == reviewer), None)
    final = own is not None and own.status != "draft"
    return {
        "id": item.id,
        "fields": {field.name: item.fields.get(field.name, "") for field in form.fields},
        "metadata": {key: item.metadata[key] for key in form.metadata if key in item.metadata},
        "suggestions": [asdict(suggestion) for suggestion in item.suggestions],
        "status": own.status if own else "",
        "values": dict(own.values) if own else {},
        "draft": dict(draft) if draft is not None else None,
        "others": [
            {"reviewer": response.reviewer, "values": dict(response.values)}
            for response in reviewed.responses
            if response.status == "submitted" and response.reviewer != reviewer and final
        ],
    }


def _add_parts(app: "FastAPI", fastapi: ModuleType) -> None:
    """Each part of the page under its own name; no other file can be asked for."""
    for name, kind in _PARTS.items():
        content = Path(__file__).with_name(name).read_bytes()
        part = fastapi.Response(content, media_type=kind)
        app.get("/" if name == "page.html" else f"/{name}")(lambda part=part: part)


def _add_errors(app: "FastAPI", fastapi: ModuleType) -> None:
    def ours(_request: "Request", error: Exception) -> "Sent":
        return _json(fastapi, {"error": str(error)}, 409 if isinstance(error, UsageError) else 503)

    def malformed(_request: "Request", error: Exception) -> "Sent":
        first = cast("RequestValidationError", error).errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:200]
        return _json(fastapi, {"error": f"{where}: {first['msg']}"}, 422)

    def other(_request: "Request", error: Exception) -> "Sent":
        refusal = cast("HTTPException", error)
        return _json(fastapi, {"error": str(refusal.detail)}, refusal.status_code)

    app.add_exception_handler(DragomanError, ours)
    app.add_exception_handler(importlib.import_module("starlette.exceptions").HTTPException, other)
    app.add_exception_handler(importlib.import_module("fastapi.exceptions").RequestValidationError, malformed)


def _add_reading(app: "FastAPI", fastapi: ModuleType, room: _Room, about: Mapping[str, Any]) -> None:
    @app.get("/api/about", response_model=None)
    def _about() -> "Sent":
        return _json(fastapi, about)

    @app.get("/api/kinds", response_model=None)
    def _kinds(reviewer: _Name) -> "Sent":
        figures = {kind: room.queue(kind, reviewer, "open")["progress"] for kind in room.forms}
        return _json(fastapi, figures)

    @app.get("/api/queue", response_model=None)
    def _queue(kind: ReviewKind, reviewer: _Name, which: Filter) -> "Sent":
        return _json(fastapi, room.queue(kind, reviewer, which))

    @app.get("/api/items", response_model=None)
    def _items(
        kind: ReviewKind, reviewer: _Name, ids: Annotated[list[_Id], fastapi.Query(max_length=_ITEMS_AT_ONCE)]
    ) -> "Sent":
        return _json(fastapi, room.items(kind, reviewer, ids))


def _add_writing(app: "FastAPI", fastapi: ModuleType, room: _Room) -> None:
    @app.post("/api/respond", response_model=None)
    def _respond(given: _Answered) -> "Sent":
        response = Response(given.reviewer, given.values, given.status)
        room.desk.respond(room.form(given.kind), given.item, response)
        return _json(fastapi, room.queue(given.kind, given.reviewer, "open")["progress"])

    @app.post("/api/undo", response_model=None)
    def _undo(given: _Body) -> "Sent":
        room.form(given.kind)
        item = room.desk.undo(given.kind, given.reviewer)
        figures = room.queue(given.kind, given.reviewer, "open")["progress"]
        return _json(fastapi, {"item": item, "progress": figures})


def _json(fastapi: ModuleType, data: object, status: int = 200) -> "Sent":
    """In ASCII, so that half a surrogate pair gets through; what is no number in JSON becomes null."""
    try:
        text = json.dumps(data, allow_nan=False)
    except ValueError:
        text = json.dumps(_numbers(data))
    sent: Sent = fastapi.Response(text, status_code=status, media_type="application/json")
    return sent


def _numbers(data: object) -> object:
    match data:
        case dict():
            return {key: _numbers(value) for key, value in data.items()}
        case list() | tuple():
            return [_numbers(value) for value in data]
        case float() if not math.isfinite(data):
            return None
        case _:
            return data


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExtraMissing(f"the review page needs {name}: {error}", extra="review") from error
