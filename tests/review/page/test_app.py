"""What the browser is told and may do: over a real socket, as an honest page and as a foreign one."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tests.review.page.samples import HOSTILE, TRIPLETS

from dragoman.review.items import FORMS, Item, Response
from dragoman.review.page.app import reviewer_name
from dragoman.review.page.desk import FILE_NAME, PageDesk
from dragoman.review.page.guard import BODY_BYTES

RIGHT = {"is_positive_relevant": "yes", "is_negative_irrelevant": "yes"}
PARTS = ("", "page.css", "page.js", "answers.js", "desk.js", "frame.js", "item.js", "keys.js", "passage.js", "icon.svg")


class Client:
    """A browser as the server sees it: it says where it stands, unless it is told what to say."""

    def __init__(self, url: str) -> None:
        self.place = urlsplit(url).netloc

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, Any]:
        connection = http.client.HTTPConnection(self.place, timeout=20)
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, said)
        answer = connection.getresponse()
        content, told = answer.read(), answer.headers
        connection.close()
        return answer.status, json.loads(content) if "json" in told["content-type"] else content, told

    def get(self, path: str, **query: Any) -> Any:
        status, body, _ = self.send("GET", f"/api/{path}?{urlencode(query, doseq=True)}")
        assert status == 200, body
        return body

    def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        said = {"origin": f"http://{self.place}", "content_type": "application/json"} | headers
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", f"/api/{path}", text, **{name: value for name, value in said.items() if value})[:2]

    def respond(self, item: str = "t000", **other: Any) -> tuple[int, Any]:
        given = {"kind": "triplets", "item": item, "reviewer": "anna", "status": "submitted", "values": RIGHT}
        return self.post("respond", given | other)


@pytest.fixture
def client(desk: PageDesk, serve: Callable[..., str]) -> Client:
    return Client(serve(desk))


@pytest.fixture
def outside(still: tuple[PageDesk, str]) -> Iterator[Client]:
    """For what must change nothing: at the end, it has not, and the server goes on."""
    desk, url = still
    client = Client(url)
    yield client
    assert not any(one.responses for one in desk.pull(TRIPLETS))
    assert client.get("about")["title"] == "Pantry docs"


def test_the_page_and_its_parts_come_with_a_policy_that_lets_nothing_else_in(outside: Client) -> None:
    for part in PARTS:
        status, body, headers = outside.send("GET", f"/{part}")
        assert (status, bool(body)) == (200, True), part
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    page = outside.send("GET", "/")[1].decode()
    assert "<style" not in page
    assert "style=" not in page
    assert page.count("<script") == page.count('<script type="module" src="/page.js">') == 1


@pytest.mark.parametrize(
    "path", ["/app.py", "/../app.py", "/%2e%2e/desk.sqlite", "/page.html", "/docs", "/openapi.json"]
)
def test_no_other_file_is_given_out(outside: Client, path: str) -> None:
    assert outside.send("GET", path)[0] == 404


def test_a_queue_its_items_and_an_answer(client: Client, desk: PageDesk) -> None:
    queue = client.get("queue", kind="triplets", reviewer="anna", which="open")
    assert queue["ids"] == ["t000", "t001", "t002", "t003", "t004"]
    one, other = client.get("items", kind="triplets", reviewer="anna", ids=["t001", "gone", "t000"])
    assert (one["id"], other["id"]) == ("t001", "t000")
    assert other["suggestions"][0]["value"] == "no"
    assert other["values"] == {}, "a suggestion is not chosen in advance"
    status, progress = client.respond()
    assert (status, progress["done"], progress["mine"]) == (200, 1, 1)
    assert desk.items("triplets", ["t000"])[0].responses == (Response("anna", RIGHT),)
    assert client.get("kinds", reviewer="anna")["triplets"]["done"] == 1
    assert client.post("undo", {"kind": "triplets", "reviewer": "anna"})[1]["item"] == "t000"
    assert client.post("undo", {"kind": "triplets", "reviewer": "anna"})[1]["item"] is None


def test_others_answers_are_shown_only_to_who_answered(client: Client) -> None:
    client.respond(reviewer="bob")
    client.respond(item="t001", reviewer="bob", status="draft")

    def others(item: str) -> list[Any]:
        return list(client.get("items", kind="triplets", reviewer="anna", ids=[item])[0]["others"])

    assert others("t000") == []
    client.respond()
    client.respond(item="t001")
    assert others("t000") == [{"reviewer": "bob", "values": RIGHT}]
    assert others("t001") == []


def test_hostile_text_travels_as_json_only(outside: Client) -> None:
    status, items, headers = outside.send("GET", "/api/items?kind=conversations&reviewer=anna&ids=c0")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert items[0]["fields"]["response"] == HOSTILE


def test_odd_characters_and_numbers_get_through(client: Client, desk: PageDesk) -> None:
    fields = {"anchor": "\ud800 \u2028 \x00", "positive": "p", "negative": "n"}
    desk.push(TRIPLETS, [Item("odd", "triplets", fields, {"judge": float("nan"), "rank": 3})])
    (item,) = client.get("items", kind="triplets", reviewer="anna", ids=["odd"])
    assert item["fields"] == fields
    assert item["metadata"] == {"judge": None, "rank": 3}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://foreign.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"host": "foreign.example", "origin": "http://foreign.example"}, 421),
        ({"host": "foreign.example:80", "origin": "http://foreign.example:80"}, 421),
        ({"host": "localhost.foreign.example", "origin": "http://localhost.foreign.example"}, 421),
        ({"host": "[", "origin": "http://["}, 421),
    ],
)
def test_a_foreign_page_writes_nothing(outside: Client, headers: dict[str, str], status: int) -> None:
    given = {"kind": "triplets", "item": "t000", "reviewer": "anna", "status": "submitted", "values": RIGHT}
    found, body = outside.post("respond", given, **headers)
    assert found == status
    assert body["error"]


def test_a_foreign_name_reads_nothing_either(outside: Client) -> None:
    assert outside.send("GET", "/api/about", host="foreign.example")[0] == 421
    assert outside.send("GET", "/api/about", host="localhost:1234")[0] == 200
    assert outside.send("GET", "/api/about", host="[::1]:1234")[0] == 200
    assert outside.send("GET", "/api/about", host=socket.gethostname())[0] == 200


def test_other_methods_are_refused(outside: Client) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert outside.send(method, "/api/respond")[0] == 405


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"values": {"is_positive_relevant": "yes"}}, 409),
        ({"values": RIGHT | {"question": "x" * 10_001}}, 422),
        ({"values": RIGHT | {"question": "\ud800"}}, 422),
        ({"values": {"is_positive_relevant": 1}}, 422),
        ({"values": RIGHT | {"other": "x"}}, 409),
        ({"item": "gone"}, 409),
        ({"item": "x" * 300}, 422),
        ({"item": ""}, 422),
        ({"kind": "users"}, 422),
        ({"status": "approved"}, 422),
        ({"reviewer": "  \u200b "}, 422),
        ({"reviewer": "x" * 81}, 422),
        ({"more": 1}, 422),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(outside: Client, change: dict[str, Any], status: int) -> None:
    found, body = outside.respond(**change)
    assert (found, bool(body["error"])) == (status, True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"kind": NaN}'])
def test_what_is_no_json_of_ours_is_refused(outside: Client, body: bytes) -> None:
    status, said = outside.post("respond", body)
    assert (status in {400, 422}, bool(said["error"])) == (True, True)


def test_a_body_that_is_too_long_is_refused(outside: Client) -> None:
    assert outside.post("respond", b" " * (BODY_BYTES + 1))[0] == 413


@pytest.mark.parametrize(
    "query",
    ["kind=triplets&which=open", "kind=none&which=open&reviewer=a", "kind=triplets&which=all&reviewer=a"],
)
def test_a_query_that_does_not_fit_is_refused(outside: Client, query: str) -> None:
    status, body, _ = outside.send("GET", f"/api/queue?{query}")
    assert (status, "error" in body) == (422, True)


def test_more_items_than_a_page_asks_for_are_refused(outside: Client) -> None:
    query = urlencode({"kind": "triplets", "reviewer": "anna", "ids": ["t000"] * 41}, doseq=True)
    assert outside.send("GET", f"/api/items?{query}")[0] == 422


def test_a_file_that_breaks_while_it_is_served_is_told(client: Client, desk: PageDesk) -> None:
    Path(desk.place).with_name(FILE_NAME).write_bytes(b"no database " * 1000)
    status, body = client.respond()
    assert status == 503
    assert "the file is damaged" in body["error"]


def test_a_page_for_one_kind_shows_no_other(desk: PageDesk, serve: Callable[..., str]) -> None:
    client = Client(serve(desk, forms={"triplets": FORMS["triplets"]}))
    assert [kind["kind"] for kind in client.get("about")["kinds"]] == ["triplets"]
    status, body, _ = client.send("GET", "/api/queue?kind=chunks&reviewer=anna&which=open")
    assert (status, body["error"]) == (409, "this page does not show chunks; expected triplets.")


@pytest.mark.parametrize(
    ("typed", "kept"), [("  Anna \n Maria ", "Anna Maria"), ("Jose\u0301", "Jos\u00e9"), ("a\x00b", "a b")]
)
def test_one_person_is_one_name(typed: str, kept: str) -> None:
    assert reviewer_name(typed) == kept
