"""Reviewing on an Argilla server: three datasets, one a kind of item.

In: items to show, the worst first. Out: what changed there; later the items with everybody's responses. A push sends only what differs
from what the server has, in the order of the items and in small parts; each part is there whole or not at all, so that the same push
completes one that broke off. It neither chooses items nor decides what answers mean.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlencode

from dragoman.errors import DragomanError
from dragoman.review.argilla.connection import Connection, connect
from dragoman.review.argilla.datasets import STATE, Dataset, Plan, find, find_space, prepare
from dragoman.review.argilla.record import (
    OPEN,
    RETIRED,
    Record,
    from_record,
    is_retired,
    responses_of,
    same,
    surplus_suggestions,
    to_record,
    with_what_others_noted,
)
from dragoman.review.items import Form, Item, Pushed, Reviewed

_PAGE = 1000  # most records that the server gives at once
_MOST_RECORDS, _MOST_BYTES = 50, 500_000  # in one call
_MOST_DELETED = 100
_READINGS = 3


def _nothing(_count: int) -> None:
    pass


@dataclass(slots=True)
class _Changes:
    """What a push has to send, and what it has done so far; ``dealt`` counts items."""

    send: list[Record] = field(default_factory=list)
    dropped: dict[str, list[str]] = field(default_factory=dict)  # suggestions that are made no more, by record
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    dealt: int = 0


class ArgillaDesk:
    """A desk on an Argilla server; made by ``open``."""

    def __init__(self, line: Connection, plan: Plan) -> None:
        self._line, self._plan = line, plan

    @classmethod
    def open(
        cls,
        server: str,
        key: str,
        *,
        space: str,
        prefix: str,
        guidelines: Callable[[Form], str],
        vector_dims: int = 0,
        min_submitted: int = 1,
    ) -> Self:
        """Sign in at a server.

        Args:
            server: Its address.
            key: The key of an owner or an admin there.
            space: Argilla's workspace; empty: the first that the key may use.
            prefix: Start of the datasets' names: ``prefix-chunks`` and so on.
            guidelines: What reviewers are told about a form.
            vector_dims: Length of the items' vectors; 0: they are not sent.
            min_submitted: Answers that an item waits for.

        Returns:
            The desk.

        Raises:
            UsageError: The address is none, or there is no key.
            ExtraMissing: Argilla's library is not installed.
            DragomanError: Nothing answers, or it is no Argilla, or the key or the workspace is wrong.
        """
        line = connect(server, key)
        name, id_ = find_space(line, space)
        return cls(line, Plan(name, id_, prefix, guidelines, vector_dims, min_submitted))

    @property
    def place(self) -> str:
        """The server's address."""
        return self._line.place

    def queue(self, form: Form) -> str:
        """Address of the page where the open items wait, the worst first; without such an address Argilla shuffles them.

        Args:
            form: The form.

        Returns:
            The address.

        Raises:
            DragomanError: There is no such dataset, or the server is away.
        """
        shown = {"page": 1, "status": "pending", "metadata": f"{STATE}.{OPEN}", "sort": "metadata.priority.desc"}
        dataset = find(self._line, self._plan, form)
        return f"{self.place}/dataset/{dataset.id}/annotation-mode?{urlencode(shown)}"

    def push(self, form: Form, items: Sequence[Item], advance: Callable[[int], None] | None = None) -> Pushed:
        """Show these items and no others, sorted by priority; what is there already is not sent again.

        Args:
            form: The form of their kind.
            items: The worst first.
            advance: Counts those that are dealt with.

        Returns:
            What changed.

        Raises:
            DragomanError: The server is away or refuses; says how many items are there. The same push again completes it.
        """
        advance = advance or _nothing
        dataset = prepare(self._line, self._plan, form)
        there = self._records(dataset)
        self._mend(dataset, there)
        wanted = {item.id: item for item in reversed(items)}
        wanted = {item.id: wanted[item.id] for item in items}
        changes = self._compared(form, dataset, wanted.values(), there)
        advance(len(items) - len(wanted) + changes.unchanged)
        changes.dealt = changes.unchanged
        try:
            for part in _parts(changes.send):
                self._send(dataset, part, changes)
                changes.dealt += len(part)
                advance(len(part))
            retired = self._retire(dataset, wanted, there)
        except DragomanError as error:
            raise DragomanError(
                f"the push broke off when {changes.dealt} of {len(wanted)} {form.kind} were there: {error.happened}",
                expected=error.expected,
                hint=f"{error.hint} Push again to complete it: nothing is lost or doubled.",
            ) from error
        return Pushed(changes.added, changes.updated, changes.unchanged, retired)

    def pull(self, form: Form) -> list[Reviewed]:
        """All items of the form's dataset with everybody's responses.

        Args:
            form: The form.

        Returns:
            Sorted by id; vectors are left out.

        Raises:
            MissingArtefact: Nothing was pushed, or the dataset was deleted.
            DragomanError: The server is away or refuses, or the dataset has other questions.
        """
        dataset = find(self._line, self._plan, form)
        where = "users" if self._line.role == "owner" else f"workspaces/{self._plan.space_id}/users"
        users = {str(one["id"]): str(one["username"]) for one in self._line.call("GET", where)["items"]}
        return [
            Reviewed(from_record(form, record, dataset.questions), responses_of(record, users))
            for _, record in sorted(self._records(dataset).items())
        ]

    def _records(self, dataset: Dataset) -> dict[str, Record]:
        # The list is of the database; a search would miss what the search engine has not heard of.
        path = f"datasets/{dataset.id}/records"
        for _ in range(_READINGS):
            found: dict[str, Record] = {}
            total = 1
            for offset in range(0, 10**9, _PAGE):
                if offset >= total:
                    break
                query: dict[str, str | int | list[str]] = {
                    "offset": offset,
                    "limit": _PAGE,
                    "include": ["responses", "suggestions"],
                }
                page = self._line.call("GET", path, query=query)
                total = page["total"]
                found |= {
                    one["external_id"] or one["id"]: one | {"external_id": one["external_id"] or one["id"]}
                    for one in page["items"]
                }
            if len(found) == total:
                return found
        raise DragomanError(
            f"the dataset '{dataset.name}' of Argilla at {self.place} changes while it is read",
            hint="Wait until nobody else pushes to it, and try again.",
        )

    def _mend(self, dataset: Dataset, there: Mapping[str, Record]) -> None:
        """Tell the search engine, and so the page, of records that a broken call has left in the database only."""
        seen = self._line.call("POST", f"datasets/{dataset.id}/records/search", {}, {"limit": 1})["total"]
        if seen < len(there):
            for part in _parts([{"id": record["id"]} for record in there.values()]):
                self._line.call("PUT", f"datasets/{dataset.id}/records/bulk", {"items": part})

    def _compared(self, form: Form, dataset: Dataset, items: Collection[Item], there: Mapping[str, Record]) -> _Changes:
        changes = _Changes()
        for item in items:
            found = there.get(item.id)
            shown = item if self._plan.vector_dims else replace(item, vector=())
            if found is None:
                changes.send.append(to_record(form, shown, dataset.questions))
                changes.added += 1
                continue
            if found["responses"]:
                shown = replace(shown, fields=from_record(form, found, dataset.questions).fields)
            record = with_what_others_noted(form, to_record(form, shown, dataset.questions), found)
            if same(record, found) and not (dataset.vectors_are_new and shown.vector):
                changes.unchanged += 1
                continue
            if surplus := surplus_suggestions(record, found):
                changes.dropped[item.id] = surplus
            if found["responses"]:
                del record["fields"]
            changes.send.append(record | {"id": found["id"]})
            changes.updated += 1
        return changes

    def _send(self, dataset: Dataset, part: Sequence[Record], changes: _Changes) -> None:
        for record in part:
            if surplus := changes.dropped.get(record["external_id"]):
                path = f"records/{record['id']}/suggestions"
                self._line.call("DELETE", path, query={"ids": ",".join(surplus)})
        self._line.call("PUT", f"datasets/{dataset.id}/records/bulk", {"items": part})

    def _retire(self, dataset: Dataset, wanted: Collection[str], there: Mapping[str, Record]) -> int:
        gone = {id_ for id_ in there if id_ not in wanted}
        if not gone:
            return 0
        now = self._records(dataset)  # somebody may have answered one since
        unanswered = [now[id_]["id"] for id_ in sorted(gone) if id_ in now and not now[id_]["responses"]]
        for start in range(0, len(unanswered), _MOST_DELETED):
            ids = ",".join(unanswered[start : start + _MOST_DELETED])
            self._line.call("DELETE", f"datasets/{dataset.id}/records", query={"ids": ids})
        answered = [
            now[id_] for id_ in sorted(gone) if id_ in now and now[id_]["responses"] and not is_retired(now[id_])
        ]
        closed = [{"id": one["id"], "metadata": (one["metadata"] or {}) | {STATE: RETIRED}} for one in answered]
        for part in _parts(closed):
            self._line.call("PUT", f"datasets/{dataset.id}/records/bulk", {"items": part})
        return len(unanswered) + len(answered)


def _parts(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The records in order, a few at a time; one that is large goes alone."""
    part: list[Record] = []
    size = 0
    for record in records:
        own = len(json.dumps(record))
        if part and (len(part) == _MOST_RECORDS or size + own > _MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(record)
        size += own
    if part:
        yield part
