"""Tokens are counted by the model's own server where it can, and never guessed too low where it cannot."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dragoman.models.counting import TokenCounter, estimated_tokens, token_counter
from dragoman.models.embedded import EmbeddedLLM
from dragoman.models.fallback import FallbackLLM
from dragoman.models.llm import EndpointLLM

TEXTS = (
    "To add a shelf, call `pantry.shelf()` with a name and a size in centimetres.",
    "```js\nconst top = pantry.shelf('top', { width: 80 })\n\n    top.onFull((jar) => jar.reject())\n```",
    "| field | meaning |\n| --- | --- |\n| text | 2026-11-23T10:15:00Z, 0x7f22b86ff920 |",
    "Ein Regal wird mit Größe und Namen hinzugefügt. 棚を追加するには、名前を渡します。 Полка 🫙🫙",
    "PANTRY_SHELF_BUSY --force --no-collapse internationalisation antidisestablishmentarianism",
)


class TokenServer:
    """A server on loopback that counts words, in the manner of llama.cpp or of vLLM."""

    def __init__(self, manner: str, *, delay: float = 0.0, fails: bool = False) -> None:
        server, self.asked, self.opened = self, list[Mapping[str, Any]](), list[str | None]()
        self.delay, self.fails = delay, fails

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(body)
                server.opened.append(self.headers["Authorization"])
                time.sleep(server.delay)
                words = body["prompt" if manner == "vllm" else "content"].split()
                table = {"tokens": list(range(len(words)))}
                self._send(table | ({"count": len(words), "max_model_len": 8192} if manner == "vllm" else {}))

            def do_GET(self) -> None:
                known = manner == "llama.cpp" and self.path == "/props"
                self._send({"default_generation_settings": {"n_ctx": 2048}} if known else None)

            def _send(self, table: Mapping[str, Any] | None) -> None:
                data = json.dumps(table).encode()
                self.send_response(404 if table is None or server.fails else 200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(params=["llama.cpp", "vllm"])
def counting(request: pytest.FixtureRequest) -> Iterator[TokenServer]:
    server = TokenServer(request.param)
    yield server
    server.stop()


@pytest.fixture
def failing() -> Iterator[TokenServer]:
    server = TokenServer("vllm", fails=True)
    yield server
    server.stop()


def test_the_models_server_counts_and_each_text_once(counting: TokenServer) -> None:
    count = token_counter(EndpointLLM(counting.url, "small"))
    assert [count("four words are here"), count("two words"), count("two words")] == [4, 2, 2]
    assert len(counting.asked) == 2
    assert {body["model"] for body in counting.asked} == {"small"}
    # The words of a special token in a text are no special token, and none is put before it.
    assert counting.asked[0]["add_special_tokens"] is counting.asked[0]["add_special"] is False


def test_a_server_behind_a_key_counts_for_who_has_it_and_for_the_first_of_two(
    counting: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANTRY_KEY", "jam")
    first = EndpointLLM(counting.url, "small", api_key_env="PANTRY_KEY")
    count = token_counter(FallbackLLM(first, EndpointLLM("http://127.0.0.1:9/v1", "other"), say=print))
    assert count("four words are here") == 4
    assert counting.opened == ["Bearer jam"]


def test_the_server_tells_how_much_the_model_takes_in(counting: TokenServer) -> None:
    assert TokenCounter(counting.url, "small").context in {2048, 8192}


def test_a_server_that_does_not_count_is_left_alone_for_a_while(failing: TokenServer) -> None:
    now = [0.0]
    count = TokenCounter(failing.url, "small", clock=lambda: now[0])
    assert count("two words") == estimated_tokens("two words")
    assert count.context == 0
    assert len(failing.asked) == 1
    failing.fails, now[0] = False, 61.0
    assert count("two words") == 2
    assert count.context == 8192


def test_a_slow_server_is_not_asked_for_each_passage() -> None:
    server = TokenServer("vllm", delay=0.12)
    try:
        count = TokenCounter(server.url, "small")
        for number in range(6):
            assert count(f"word number {number}") in {3, estimated_tokens(f"word number {number}")}
        assert len(server.asked) == 3
    finally:
        server.stop()


def test_without_a_server_that_answers_the_count_is_an_estimate() -> None:
    for count in (token_counter(None), token_counter(object()), TokenCounter("http://127.0.0.1:9/v1", "small")):
        assert count(TEXTS[0]) == estimated_tokens(TEXTS[0])
        assert count.context == 0


def test_an_estimate_grows_with_its_text() -> None:
    for text in TEXTS:
        sizes = [estimated_tokens(text[:end]) for end in range(len(text) + 1)]
        assert sizes == sorted(sizes)
        assert sizes[0] == 0 < sizes[-1] <= 2 * len(text)


@pytest.mark.llm
def test_the_embedded_model_counts_what_it_is_charged_for_and_less_than_is_estimated(gguf: Path) -> None:
    with EmbeddedLLM(gguf, name="small", context=1024) as generator:
        count = token_counter(generator)
        assert count.context == 1024
        for text in TEXTS:
            assert 0 < count(text) <= estimated_tokens(text)
        assert count("") == 0
