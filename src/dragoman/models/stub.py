"""A small real server that speaks the OpenAI chat protocol, for tests and for trying things offline.

In: HTTP requests. Out: answers made from the prompt alone, so that the same request always gets the same
answer; or what a script says, faults included. It thinks nothing: its questions are words of the passage.
Run it with ``python -m dragoman.models.stub --port 8900 --latency 0.2 --log requests.jsonl``.
"""

import argparse
import hashlib
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from dragoman.errors import PortInUse

Body = Mapping[str, Any]

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,}")
_PASSAGE = re.compile(r"(?:\[1\]|<passage number=\"1\">)\s*(.+?)(?=\n\s*\[\d+\]|</passage>|\Z)", re.DOTALL)
_COMMON = re.compile(
    r"(?i)\b(?:"
    r"about|also|answer|been|could|does|each|following|from|have|here|into|json|like|made|make|more"
    r"|most|must|only|passage|passages|question|questions|should|some|such|than|that|their|then|there"
    r"|these|they|this|those|used|uses|using|very|what|when|where|which|will|with|would|write|your"
    r")\b"
)
_FORMS = (
    "How do I use {0} with {1}?",
    "{0} {1} {2}",
    "Why does {0} fail without {1}?",
    "What is {0} in {1}?",
    "Which {0} takes {1}?",
)
_QUOTED = 200
_DEFAULT_QUESTIONS = 4


@dataclass(frozen=True, slots=True)
class StubFault:
    """An answer that is an HTTP error; ``retry_after`` is in seconds, None sends no such header."""

    status: int
    retry_after: float | None = None


Script = Callable[[Body], "str | StubFault | None"]


class StubServer:
    """An OpenAI-compatible endpoint on loopback for as long as a ``with`` block lasts.

    Args:
        port: Where to listen; 0: a free port.
        latency: Seconds before each answer.
        script: Given a request's body, says the answer's text, or a fault; None: the answer from the prompt.
        log: A file that gets one line of JSON a chat request, flushed: ``{"hash": ..., "status": ...}``.

    Raises:
        PortInUse: Another program listens there.
    """

    def __init__(
        self, port: int = 0, latency: float = 0.0, script: Script | None = None, *, log: Path | None = None
    ) -> None:
        self.latency = latency
        self.script = script
        self.requests: list[dict[str, Any]] = []
        self._log = log
        self._writing = threading.Lock()
        handler = type("StubHandler", (_Handler,), {"stub": self})
        try:
            self._server = _Server(("127.0.0.1", port), handler)
        except OSError as error:
            raise PortInUse(
                f"cannot listen on 127.0.0.1:{port}: {error.strerror}", hint="Choose another port."
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """What to give as ``llm.base_url``."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        """Start to answer.

        Returns:
            The server itself.
        """
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, when the requests under way are answered."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Block until the server is stopped from elsewhere, or the user interrupts."""
        self._thread.join()

    def answer(self, body: dict[str, Any]) -> str | StubFault:
        """Give the answer to one chat request, keeping a record of it.

        Args:
            body: The request.

        Returns:
            The text, or the fault to send.
        """
        with self._writing:
            self.requests.append(body)
        time.sleep(self.latency)
        scripted = self.script(body) if self.script else None
        given = scripted if scripted is not None else stub_answer(body)
        self._note(body, given.status if isinstance(given, StubFault) else 200)
        return given

    def _note(self, body: Body, status: int) -> None:
        if self._log is None:
            return
        said = json.dumps(body.get("messages"), sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        with self._writing, self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"hash": digest, "status": status}) + "\n")


def stub_answer(body: Body) -> str:
    """Answer from the prompt alone.

    Args:
        body: A chat request.

    Returns:
        With a JSON schema, an object that has every property of the schema: a question for each string, some
        for each array, made of the last message's words. Otherwise a sentence that quotes the first numbered
        passage and cites it as [1].
    """
    message = next((m["content"] for m in reversed(body.get("messages", ())) if m.get("role") == "user"), "")
    text = message if isinstance(message, str) else json.dumps(message)
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        shape = wanted.get("json_schema", {}).get("schema", {}).get("properties", {})
        return json.dumps(_filled(text, shape), ensure_ascii=False)
    passage = _PASSAGE.search(text)
    if passage is None:
        return f"The passages say nothing about: {' '.join(text.split())[-_QUOTED:]}"
    quoted = " ".join(passage.group(1).split())[:_QUOTED].rstrip()
    return f"According to the documentation: {quoted} [1]"


def _filled(text: str, shape: Mapping[str, Body]) -> dict[str, str | list[str]]:
    """A value for each property, no question twice."""
    counts = {name: _count(kind) if kind.get("type") == "array" else 1 for name, kind in shape.items()}
    questions = iter(_questions(text, sum(counts.values())))
    filled: dict[str, str | list[str]] = {}
    for name, kind in shape.items():
        taken = [next(questions) for _ in range(counts[name])]
        filled[name] = taken if kind.get("type") == "array" else taken[0]
    return filled


def _count(kind: Body) -> int:
    least, most = kind.get("minItems", 1), kind.get("maxItems", _DEFAULT_QUESTIONS)
    return int(max(least, min(most, max(least, _DEFAULT_QUESTIONS))))


def _questions(text: str, count: int) -> list[str]:
    seen = dict.fromkeys(word for word in _WORD.findall(text) if not _COMMON.fullmatch(word))
    words = sorted(seen, key=lambda word: hashlib.sha256(f"{text}\x1f{word}".encode("utf-8", "replace")).digest())
    words = words or ["nothing"]
    made: list[str] = []
    for place in range(count):
        picked = [words[(3 * place + step) % len(words)] for step in range(3)]
        made.append(_FORMS[place % len(_FORMS)].format(*picked))
    return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    stub: ClassVar[StubServer]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a kept connection waits 40 ms between the headers and the body

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._json(200, {"object": "list", "data": [{"id": "stub", "object": "model", "owned_by": "dragoman"}]})
        else:
            self._json(404, {"error": {"message": f"no such path: {self.path}", "type": "not_found"}})

    def do_POST(self) -> None:
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        except ValueError:
            body = None
        if self.path != "/v1/chat/completions":
            self._json(404, {"error": {"message": f"no such path: {self.path}", "type": "not_found"}})
        elif not isinstance(body, dict):
            self._json(400, {"error": {"message": "the body is not a JSON object", "type": "invalid_request"}})
        else:
            self._chat(body, self.stub.answer(body))

    def _chat(self, body: Body, given: str | StubFault) -> None:
        if isinstance(given, StubFault):
            wait = {} if given.retry_after is None else {"Retry-After": f"{given.retry_after:g}"}
            self._json(given.status, {"error": {"message": f"scripted fault {given.status}", "type": "stub"}}, wait)
            return
        prompt = sum(len(str(message.get("content", "")).split()) for message in body.get("messages", ()))
        pieces = re.findall(r"\S+\s*|\s+", given)
        usage = {"prompt_tokens": prompt, "completion_tokens": len(pieces), "total_tokens": prompt + len(pieces)}
        if body.get("stream"):
            self._events(body, pieces)
        else:
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": given}}
            self._json(200, _completion(body, "chat.completion", choice) | {"usage": usage})

    def _events(self, body: Body, pieces: list[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant"}, None)]
        deltas += [({"content": piece}, None) for piece in pieces]
        for delta, finish in [*deltas, ({}, "stop")]:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            event = json.dumps(_completion(body, "chat.completion.chunk", choice), ensure_ascii=False)
            self.wfile.write(f"data: {event}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the client went away, which is its right
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing: the log file is the record."""

    def _json(self, status: int, content: Body, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _completion(body: Body, kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    model = str(body.get("model", "stub"))
    return {"id": "chatcmpl-stub", "object": kind, "created": 0, "model": model, "choices": [choice]}


def main(arguments: list[str] | None = None) -> int:
    """Run the server from a command line.

    Args:
        arguments: The command line after the program's name; None: the process's.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m dragoman.models.stub", description="OpenAI-compatible stub.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0: a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--log", type=Path, default=None, help="file that gets a line of JSON a request")
    options = parser.parse_args(arguments)
    try:
        with StubServer(options.port, options.latency, log=options.log) as server:
            sys.stdout.write(f"{server.base_url}\n")
            sys.stdout.flush()
            server.wait()
    except PortInUse as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
