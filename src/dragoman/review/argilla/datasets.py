"""The dataset of each kind of item on an Argilla server: made from a form, or found there and checked against it.

In: a form, and what the desk was opened with. Out: where its records are and what its questions are called there. What may be added
to a dataset is added; where people may have answered other questions than ours, it is refused and the difference named.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dragoman.errors import DragomanError, MissingArtefact
from dragoman.review.argilla.connection import Connection, storable
from dragoman.review.items import Ask, Form

STATE: Final = "state"  # our own metadata beside the form's: whether an item waits for answers
SIMILAR: Final = "similar"
_SIMILAR_TITLE = "Similar items"
_LONGEST_GUIDELINES = 10_000


@dataclass(frozen=True)
class Plan:
    """What the desk's datasets are like, beside their forms."""

    space: str
    space_id: str
    prefix: str
    guidelines: Callable[[Form], str]
    vector_dims: int
    min_submitted: int

    def name(self, form: Form) -> str:
        """The dataset's name."""
        return storable(f"{self.prefix}-{form.kind}")


@dataclass(frozen=True)
class Dataset:
    """A dataset that fits its form. ``questions`` gives their ids by name; ``vectors_are_new``: no record can have one yet."""

    id: str
    name: str
    questions: Mapping[str, str]
    vectors_are_new: bool = False


def find_space(line: Connection, space: str) -> tuple[str, str]:
    """Name and id of a workspace.

    Args:
        line: The server.
        space: Its name; empty: the first that the key may use.

    Returns:
        Name and id.

    Raises:
        DragomanError: There is none of that name, or none at all.
    """
    spaces = {one["name"]: one["id"] for one in line.call("GET", "me/workspaces")["items"]}
    name = space or next(iter(spaces), "")
    if name not in spaces:
        known = ", ".join(f"'{one}'" for one in sorted(spaces))
        raise DragomanError(
            f"Argilla at {line.place} has no workspace '{name}' for '{line.user}'"
            if name
            else f"Argilla at {line.place} has no workspace for '{line.user}'",
            expected=f"one of {known}" if known else "",
            hint="Change space of [review], or make the workspace in Argilla's settings.",
        )
    return name, spaces[name]


def find(line: Connection, plan: Plan, form: Form) -> Dataset:
    """The dataset of a form, as it is.

    Args:
        line: The server.
        plan: What the desk's datasets are like.
        form: The form.

    Returns:
        The dataset.

    Raises:
        MissingArtefact: Nothing was pushed, or the dataset was deleted.
        DragomanError: Its questions or fields are not those of the form.
    """
    found = _listed(line, plan, form)
    if found is None or found["status"] != "ready":
        raise MissingArtefact(
            f"Argilla at {line.place} has no dataset '{plan.name(form)}' in the workspace '{plan.space}'",
            hint=f"Make it with: dragoman review push {form.kind}",
        )
    return Dataset(found["id"], found["name"], _checked(line, plan, form, found["id"]))


def prepare(line: Connection, plan: Plan, form: Form) -> Dataset:
    """The dataset of a form, made or completed where needed.

    Args:
        line: The server.
        plan: What the desk's datasets are like.
        form: The form.

    Returns:
        The dataset, ready for records.

    Raises:
        DragomanError: The server refuses, or the dataset's questions or fields are not those of the form.
    """
    found = _listed(line, plan, form)
    if found is not None and found["status"] != "ready":
        # Made by a push that broke off before it was opened to anybody: it has no records.
        line.call("DELETE", f"datasets/{found['id']}")
        found = None
    if found is None:
        _create(line, plan, form)
        return find(line, plan, form)
    questions = _checked(line, plan, form, found["id"])
    _complete_metadata(line, form, found["id"])
    vectors_are_new = _complete_vectors(line, plan, found["id"])
    changes: dict[str, object] = {}
    if (guidelines := _guidelines(plan, form)) != (found["guidelines"] or ""):
        changes["guidelines"] = guidelines or None
    if found["distribution"]["min_submitted"] != plan.min_submitted:
        changes["distribution"] = {"strategy": "overlap", "min_submitted": plan.min_submitted}
    if not found["allow_extra_metadata"]:
        changes["allow_extra_metadata"] = True
    if changes:
        line.call("PATCH", f"datasets/{found['id']}", changes)
    return Dataset(found["id"], found["name"], questions, vectors_are_new)


def _listed(line: Connection, plan: Plan, form: Form) -> dict[str, Any] | None:
    listed = line.call("GET", "me/datasets", query={"workspace_id": plan.space_id})["items"]
    return next((one for one in listed if one["name"] == plan.name(form)), None)


def _guidelines(plan: Plan, form: Form) -> str:
    text = storable(plan.guidelines(form)).strip()
    if len(text) <= _LONGEST_GUIDELINES:
        return text
    whole_lines = text[: _LONGEST_GUIDELINES - 2].rpartition("\n")[0]
    return (whole_lines or text[: _LONGEST_GUIDELINES - 2]) + "\n…"


def _create(line: Connection, plan: Plan, form: Form) -> None:
    import argilla as rg

    kinds = {
        "terms": rg.TermsMetadataProperty,
        "integer": rg.IntegerMetadataProperty,
        "float": rg.FloatMetadataProperty,
    }
    vectors = {SIMILAR: plan.vector_dims} if plan.vector_dims else {}
    client = line.client
    with line.speaking():
        settings = rg.Settings(
            # Never as Markdown or HTML: see record.py for how text stays text.
            fields=[
                rg.TextField(name=one.name, title=one.title, use_markdown=False, client=client) for one in form.fields
            ],
            questions=[_question(line, ask) for ask in form.asks],
            metadata=[kinds[kind](name=name, client=client) for name, kind in _metadata(form).items()],
            vectors=[
                rg.VectorField(name, dims, title=_SIMILAR_TITLE, _client=client) for name, dims in vectors.items()
            ],
            guidelines=_guidelines(plan, form) or None,
            allow_extra_metadata=True,
            distribution=rg.TaskDistribution(min_submitted=plan.min_submitted),
        )
        rg.Dataset(name=plan.name(form), workspace=plan.space, settings=settings, client=client).create()


def _question(line: Connection, ask: Ask) -> object:
    import argilla as rg

    known = {"name": ask.name, "title": ask.title, "required": ask.required, "description": ask.description or None}
    if ask.options:
        return rg.LabelQuestion(labels=list(ask.options), client=line.client, **known)
    return rg.TextQuestion(use_markdown=False, client=line.client, **known)


def _metadata(form: Form) -> Mapping[str, str]:
    return dict(form.metadata) | {STATE: "terms"}


def _complete_metadata(line: Connection, form: Form, dataset: str) -> None:
    there = {one["name"] for one in line.call("GET", f"me/datasets/{dataset}/metadata-properties")["items"]}
    for name, kind in _metadata(form).items():
        if name not in there:
            made = {"name": name, "title": name, "settings": {"type": kind}, "visible_for_annotators": True}
            line.call("POST", f"datasets/{dataset}/metadata-properties", made)


def _complete_vectors(line: Connection, plan: Plan, dataset: str) -> bool:
    if not plan.vector_dims:
        return False
    there = {one["name"]: one for one in line.call("GET", f"datasets/{dataset}/vectors-settings")["items"]}
    if found := there.get(SIMILAR):
        if found["dimensions"] == plan.vector_dims:
            return False
        line.call("DELETE", f"vectors-settings/{found['id']}")  # of another model
    made = {"name": SIMILAR, "title": _SIMILAR_TITLE, "dimensions": plan.vector_dims}
    line.call("POST", f"datasets/{dataset}/vectors-settings", made)
    return True


def _checked(line: Connection, plan: Plan, form: Form, dataset: str) -> Mapping[str, str]:
    fields = {one["name"]: one for one in line.call("GET", f"datasets/{dataset}/fields")["items"]}
    questions = {one["name"]: one for one in line.call("GET", f"datasets/{dataset}/questions")["items"]}
    properties = {one["name"]: one for one in line.call("GET", f"me/datasets/{dataset}/metadata-properties")["items"]}
    found = [*_field_differences(form, fields), *_question_differences(form, questions)]
    found += [
        f"metadata '{name}' is not of type {kind}"
        for name, kind in _metadata(form).items()
        if name in properties and properties[name]["settings"]["type"] != kind
    ]
    if found:
        raise DragomanError(
            f"the dataset '{plan.name(form)}' in the workspace '{plan.space}' of Argilla at {line.place} is not as Dragoman "
            f"makes it: {'; '.join(found)}",
            hint="Delete the dataset in Argilla, with the answers in it, or choose another name as dataset of [review].",
        )
    return {name: str(one["id"]) for name, one in questions.items()}


def _field_differences(form: Form, there: Mapping[str, Any]) -> Iterator[str]:
    for one in form.fields:
        settings = there[one.name]["settings"] if one.name in there else {}
        if not settings:
            yield f"field '{one.name}' is missing"
        elif settings.get("type") != "text":
            yield f"field '{one.name}' is not text"
        elif settings.get("use_markdown"):
            yield f"field '{one.name}' is shown as Markdown"
    names = {one.name for one in form.fields}
    yield from (f"field '{name}' is not ours" for name, one in there.items() if name not in names and one["required"])


def _question_differences(form: Form, there: Mapping[str, Any]) -> Iterator[str]:
    for ask in form.asks:
        if ask.name not in there:
            yield f"question '{ask.name}' is missing"
            continue
        settings = there[ask.name]["settings"]
        if settings["type"] != ("label_selection" if ask.options else "text"):
            yield f"question '{ask.name}' is of type {settings['type']}"
        elif ask.options and {one["value"] for one in settings["options"]} != set(ask.options):
            options = ", ".join(str(one["value"]) for one in settings["options"])
            yield f"question '{ask.name}' has the answers {options}, not {', '.join(ask.options)}"
        if there[ask.name]["required"] != ask.required:
            yield f"question '{ask.name}' {'must' if there[ask.name]['required'] else 'need not'} be answered"
    names = {ask.name for ask in form.asks}
    yield from (
        f"question '{name}' is not ours" for name, one in there.items() if name not in names and one["required"]
    )
