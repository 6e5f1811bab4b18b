"""The real server, and what the tests of its desk share: a workspace, desks and reviewers of a test's own."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
from tests.argilla_server.live import ArgillaServer, User, argilla_server

from dragoman.records import ReviewKind
from dragoman.review.argilla import ArgillaDesk
from dragoman.review.items import Form, ResponseStatus

__all__ = ["argilla_server"]

_NUMBERS = count(1)


class Place:
    """A workspace of its own on the server, with the reviewers that are asked for."""

    def __init__(self, server: ArgillaServer) -> None:
        self.server = server
        self.space = server.space(f"space-{next(_NUMBERS)}")
        self._users: dict[str, User] = {}

    def desk(self, _kind: ReviewKind = "triplets", **settings: Any) -> ArgillaDesk:
        """The desk, opened anew."""
        given: dict[str, Any] = {"key": self.server.key, "space": self.space, "prefix": "pantry", "vector_dims": 4}
        given["guidelines"] = lambda form: f"Judge the {form.kind}."
        return ArgillaDesk.open(self.server.url, **(given | settings))

    def user(self, name: str) -> User:
        """Somebody who may work in this workspace."""
        if name not in self._users:
            self._users[name] = self.server.user(name, self.space)
        return self._users[name]

    def dataset(self, form: Form) -> dict[str, Any]:
        """The form's dataset as the server lists it."""
        found = [one for one in self.server.call("GET", "me/datasets")["items"] if one["workspace_id"] == self.space_id]
        return next(one for one in found if one["name"] == f"pantry-{form.kind}")

    @property
    def space_id(self) -> str:
        """The workspace's id."""
        spaces = self.server.call("GET", "me/workspaces")["items"]
        return str(next(one["id"] for one in spaces if one["name"] == self.space))

    def records(self, form: Form) -> dict[str, Any]:
        """All records of the form's dataset, by the items' ids."""
        path = f"datasets/{self.dataset(form)['id']}/records?limit=1000&include=responses&include=suggestions"
        return {one["external_id"]: one for one in self.server.call("GET", path)["items"]}

    def answer(
        self, form: Form, item_id: str, reviewer: str, values: Mapping[str, str], status: ResponseStatus = "submitted"
    ) -> None:
        """Answer as the page does it: with the reviewer's own key."""
        record, key = self.records(form)[item_id], self.user(reviewer).key
        body = {"status": status, "values": {name: {"value": value} for name, value in values.items()}}
        own = [one for one in record["responses"] if one["user_id"] == self.user(reviewer).id]
        if own:
            self.server.call("PUT", f"responses/{own[0]['id']}", body, key=key)
        else:
            self.server.call("POST", f"records/{record['id']}/responses", body, key=key)

    def shown(self, form: Form) -> list[str]:
        """What the page of the desk's ``queue`` asks the server for, as a reviewer who has answered nothing."""
        wanted = {
            "filters": {
                "type": "and",
                "and": [
                    {"type": "terms", "scope": {"entity": "response", "property": "status"}, "values": ["pending"]},
                    {
                        "type": "terms",
                        "scope": {"entity": "metadata", "metadata_property": "state"},
                        "values": ["open"],
                    },
                ],
            },
            "sort": [{"scope": {"entity": "metadata", "metadata_property": "priority"}, "order": "desc"}],
        }
        path = f"me/datasets/{self.dataset(form)['id']}/records/search?limit=100"
        found = self.server.call("POST", path, wanted, key=self.user("nobody").key)
        return [one["record"]["external_id"] for one in found["items"]]


@pytest.fixture
def place(argilla_server: ArgillaServer) -> Place:  # a fixture, imported where pytest looks for it
    """A workspace that no other test has."""
    return Place(argilla_server)
