"""What goes wrong between us and an Argilla server is said in words that help, and the key is in none of them."""

import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from tests.review.argilla.conftest import Place
from tests.review.desks import CHUNKS, RIGHT, TRIPLETS, chunk, triplet, triplets

from dragoman.errors import DragomanError, MissingArtefact, UsageError
from dragoman.review.argilla import ArgillaDesk

pytestmark = [pytest.mark.argilla, pytest.mark.timeout(400)]
KEY = "a-key-that-nobody-may-see"

_WITHOUT_THE_EXTRA = """
import sys
sys.modules["argilla"] = None
from dragoman.errors import ExtraMissing
from dragoman.review.argilla import ArgillaDesk
try:
    ArgillaDesk.open("http://127.0.0.1:9", "key", space="", prefix="p", guidelines=str)
except ExtraMissing as error:
    print(error)
"""


def opened(server: str, key: str = KEY, space: str = "") -> ArgillaDesk:
    return ArgillaDesk.open(server, key, space=space, prefix="pantry", guidelines=lambda form: form.kind)


def said(call: Callable[[], object], kind: type[DragomanError] = DragomanError) -> str:
    """The message of the error; the key may be neither in it nor in a traceback."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    whole = "".join(traceback.format_exception(caught.value))
    assert KEY not in whole
    assert "owner.key" not in whole
    return str(caught.value)


@pytest.fixture
def other_server() -> Iterator[Callable[[int, str], str]]:
    """A server that is no Argilla and gives one answer to everything; its address."""
    running: list[ThreadingHTTPServer] = []

    def serve(status: int, body: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                pass

        running.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}"

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


def test_a_server_that_is_down() -> None:
    text = said(lambda: opened("http://127.0.0.1:9"))
    assert "no answer from Argilla at http://127.0.0.1:9" in text
    assert "Start the server" in text


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "<html>hello</html>"), (200, "[]"), (200, "{}"), (200, ""), (404, "no"), (301, ""), (500, "x")],
)
def test_a_server_that_is_no_argilla(other_server: Callable[[int, str], str], status: int, body: str) -> None:
    address = other_server(status, body)
    assert f"what answers at {address} is no Argilla" in said(lambda: opened(address))


@pytest.mark.parametrize(
    "address", ["argilla.test", "ftp://argilla.test", "http://", "http://a:b", "http://[", "", "http://a\nb"]
)
def test_an_address_that_is_none(address: str) -> None:
    assert "[review] server as http://host:port" in said(lambda: opened(address), UsageError)


def test_a_password_in_the_address_is_not_said() -> None:
    assert "secret" not in said(lambda: opened("http://ann:secret@127.0.0.1:9"))


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one(key: str) -> None:
    text = said(lambda: opened("http://127.0.0.1:9", key), UsageError)
    assert "api_key_env" in text
    assert not key or key not in text


def test_a_key_that_the_server_does_not_know(place: Place) -> None:
    text = said(lambda: opened(place.server.url))
    assert "does not know the key" in text
    assert "api_key_env" in text


def test_the_key_of_an_annotator(place: Place) -> None:
    text = said(lambda: opened(place.server.url, place.user("anna").key))
    assert "'anna', who is an annotator" in text
    assert "owner or admin" in text
    assert place.user("anna").key not in text


def test_a_workspace_that_is_not_there(place: Place) -> None:
    text = said(lambda: opened(place.server.url, place.server.key, "nowhere"))
    assert "no workspace 'nowhere'" in text
    assert f"'{place.space}'" in text
    assert "Change space of [review]" in text


def test_an_admin_without_a_workspace(place: Place) -> None:
    alone = place.server.user("alma", role="admin")
    assert "no workspace for 'alma'" in said(lambda: opened(place.server.url, alone.key))


def test_a_dataset_that_was_deleted(place: Place) -> None:
    desk = place.desk()
    desk.push(TRIPLETS, triplets(1))
    place.server.call("DELETE", f"datasets/{place.dataset(TRIPLETS)['id']}")
    text = said(lambda: desk.pull(TRIPLETS), MissingArtefact)
    assert "no dataset 'pantry-triplets'" in text
    assert "dragoman review push triplets" in text
    assert desk.push(TRIPLETS, triplets(1)).added == 1


def test_a_dataset_with_other_questions_or_fields(place: Place) -> None:
    made = {"name": "pantry-triplets", "workspace_id": place.space_id}
    dataset = place.server.call("POST", "datasets", made)["id"]
    call = place.server.call

    def text_field(name: str, *, markdown: bool) -> None:
        settings = {"type": "text", "use_markdown": markdown}
        call(
            "POST", f"datasets/{dataset}/fields", {"name": name, "title": name, "settings": settings, "required": True}
        )

    text_field("anchor", markdown=True)
    text_field("positive", markdown=False)
    text_field("colour", markdown=False)
    options = [{"value": value, "text": value} for value in ("good", "bad")]
    settings = {"type": "label_selection", "options": options}
    asked = {"name": "is_positive_relevant", "title": "Is it?", "settings": settings, "required": True}
    call("POST", f"datasets/{dataset}/questions", asked)
    call("PUT", f"datasets/{dataset}/publish")
    for action in (lambda: place.desk().push(TRIPLETS, triplets(1)), lambda: place.desk().pull(TRIPLETS)):
        text = said(action)
        for difference in (
            "field 'anchor' is shown as Markdown",
            "field 'negative' is missing",
            "field 'colour' is not ours",
            "'is_positive_relevant' has the answers good, bad, not yes, no",
            "question 'is_negative_irrelevant' is missing",
            "choose another name",
        ):
            assert difference in text


def test_a_dataset_that_a_broken_push_left_unpublished_is_made_anew(place: Place) -> None:
    place.server.call("POST", "datasets", {"name": "pantry-chunks", "workspace_id": place.space_id})
    assert "review push chunks" in said(lambda: place.desk().pull(CHUNKS), MissingArtefact)
    assert place.desk().push(CHUNKS, [chunk("A text.")]).added == 1


def test_a_server_that_goes_away_is_named_at_the_next_call(place: Place) -> None:
    desk = place.desk()
    desk.push(TRIPLETS, [triplet(1)])
    place.answer(TRIPLETS, triplet(1).id, "anna", RIGHT)
    place.server.kill()
    try:
        assert f"no answer from Argilla at {place.server.url}" in said(lambda: desk.pull(TRIPLETS))
        assert f"no answer from Argilla at {place.server.url}" in said(lambda: desk.push(CHUNKS, [chunk("A text.")]))
    finally:
        place.server.start()
    assert len(desk.pull(TRIPLETS)[0].responses) == 1, "an open desk goes on when the server is back"


def test_without_the_extra_the_command_that_installs_it_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_THE_EXTRA], capture_output=True, text=True, check=True, timeout=60
    )
    assert "pip install 'dragoman[review]'" in done.stdout
    assert "argilla" in done.stdout
