"""A small embedding model on the loopback, behind OpenAI's protocol: the hash encoder's vectors, three times as long.

In: HTTP requests. Out: vectors, or the next of the faults that it was told to commit. It writes down what it was asked.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dragoman.models.encoder import HashEncoder

MODEL = "workshop-embedder"
Items = list[dict[str, Any]]


@dataclass(frozen=True)
class Refusal:
    """An answer that is no success."""

    status: int
    said: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class EmbeddingServer:
    """The server; ``faults`` are taken in turn, one a request: a refusal, or what becomes of the answer's vectors."""

    dimension: int = 32
    key: str = ""
    most_texts: int = 1000
    longest: int = 100_000
    faults: list[Refusal | Callable[[Items], Any]] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    url: str = ""

    def answer(self, body: dict[str, Any], key: str) -> Refusal | dict[str, Any]:
        """What a request gets."""
        texts: list[str] = body["input"]
        self.asked.append(texts)
        self.times.append(time.monotonic())
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Refusal):
            return fault
        if self.key and key != f"Bearer {self.key}":
            return Refusal(401, f"Incorrect API key provided: {key.removeprefix('Bearer ')}")
        if body["model"] != MODEL:
            return Refusal(404, f"The model {body['model']} does not exist")
        if len(texts) > self.most_texts:
            return Refusal(413, f"batch size {len(texts)} is larger than {self.most_texts}")
        if any(not text or len(text) > self.longest for text in texts):
            return Refusal(400, "an input is empty or exceeds the maximum context length")
        vectors = (HashEncoder(self.dimension).encode(texts, "passage") * 3).tolist()
        items = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(vectors)]
        return {"object": "list", "model": MODEL, "data": fault(items) if fault else items}


@contextmanager
def embedding(server: EmbeddingServer) -> Iterator[EmbeddingServer]:
    """Run the server in a thread of its own for as long as the block lasts."""
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with turn:
                got = server.answer(body, self.headers.get("Authorization", ""))
            if isinstance(got, Refusal):
                self._send(got.status, {"error": {"message": got.said}}, got.headers)
            elif self.path == "/v1/embeddings":
                self._send(200, got, {})
            else:
                self._send(404, {"error": {"message": f"no such page: {self.path}"}}, {})

        def _send(self, status: int, table: dict[str, Any], headers: dict[str, str]) -> None:
            data = json.dumps(table).encode()
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing: ``asked`` is the record."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True  # a client that keeps its connection would keep its thread
    server.url = f"http://127.0.0.1:{listener.server_address[1]}/v1"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
