"""The HTTP side of the gateway: chat requests in, completions out, nothing said in between.

In: an answer to each request, from whoever is behind. Out: a server on a free port of the loopback, with a key of its own.
It neither knows nor asks a language model.
"""

import hmac
import json
from concurrent.futures import CancelledError
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Protocol

from dragoman.errors import DragomanError
from dragoman.models.protocols import Reply

_MAXIMUM_BODY = 16 * 2**20


class Answers(Protocol):
    """Who is behind the server; ``token`` is the key that a request must bring."""

    token: str

    def answer(self, body: dict[str, Any]) -> Reply:
        """Answer one request; called from the server's threads."""
        ...


def serving(answers: Answers) -> ThreadingHTTPServer:
    """A server on a free port of the loopback, not yet running.

    Args:
        answers: Answers the requests.

    Returns:
        The server.
    """
    return _Server(("127.0.0.1", 0), type("GatewayHandler", (_Handler,), {"gateway": answers}))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    gateway: ClassVar[Answers]
    protocol_version = "HTTP/1.1"
    timeout = 600  # of a connection that says nothing

    def do_POST(self) -> None:
        key = f"Bearer {self.gateway.token}"
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), key.encode()):
            self.close_connection = True
            self._json(401, {"error": {"message": "wrong key"}})
            return
        try:
            length = int(self.headers.get("Content-Length", 0))
            body: dict[str, Any] = dict(json.loads(self.rfile.read(length)) if 0 <= length <= _MAXIMUM_BODY else {})
            reply = self.gateway.answer(body)
        except (ValueError, KeyError, TypeError) as error:
            self.close_connection = True
            self._json(400, {"error": {"message": f"not a chat request: {type(error).__name__}"}})
        except (DragomanError, CancelledError, RuntimeError):  # the work is over; the parent knows why
            self.close_connection = True
            self._json(503, {"error": {"message": "the work has ended"}})
        else:
            self._json(200, _completion(body, reply))

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # distilabel's processes may end at any time
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing: the store is the record."""

    def _json(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _completion(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply.text}}
    total = reply.prompt_tokens + reply.answer_tokens
    usage = {"prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.answer_tokens, "total_tokens": total}
    return {
        "id": "chatcmpl-gateway",
        "object": "chat.completion",
        "created": 0,
        "model": str(body.get("model", "")),
        "choices": [choice],
        "usage": usage,
    }
