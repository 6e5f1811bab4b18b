"""What stands before the local page: only this machine's own pages may write, and the browser loads from nowhere else.

An ASGI middleware. In: any request. Out: the app's answer with headers that hold the browser to it, or a refusal in JSON. A
foreign page that gets this machine's address under a name of its own (DNS rebinding) is refused by the ``Host`` that the browser
sends, one that posts from outside by its ``Origin``.
"""

import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

BODY_BYTES = 512 * 1024

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """The middleware.

    Args:
        app: What it stands before.
        host: The address that the server listens on, as the user gave it.
    """

    def __init__(self, app: _App, host: str) -> None:
        self._app = app
        self._names = {"localhost", host.lower(), socket.gethostname().lower()}

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["method"], headers)
        if refusal:
            await _refuse(send, *refusal)
            return
        if scope["method"] == "POST":
            body = await _whole(receive)
            if body is None:
                await _refuse(send, 413, f"a request holds at most {BODY_BYTES:,} bytes")
                return
            receive = _replayed(body, receive)
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_own(host):
            return 421, "this page is not served under that name; open it under the address that the command printed"
        if method in {"GET", "HEAD"}:
            return None
        if method != "POST":
            return 405, "expected GET or POST"
        # A browser sends it with every POST, so a page of ours never lacks it.
        if (
            _place(headers.get("origin", "")) != host.lower()
            or headers.get("sec-fetch-site", "same-origin") != "same-origin"
        ):
            return 403, "only the page itself may write"
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return 415, "expected application/json"
        return None

    def _is_own(self, host: str) -> bool:
        """A number cannot be rebound by a foreign name server; of the names, only this machine's are."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True


def _place(origin: str) -> str:
    scheme, _, place = origin.lower().partition("://")
    return place if scheme in {"http", "https"} else ""


async def _whole(receive: _Receive) -> bytes | None:
    """The body, or None when it is too long."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)  # the browser is gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES:
            return None
    return bytes(body)


def _replayed(body: bytes, receive: _Receive) -> _Receive:
    waiting = [body]

    async def replay() -> _Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


def _with_headers(send: _Send) -> _Send:
    own = [(name.encode("ascii"), value.encode("ascii")) for name, value in _HEADERS.items()]

    async def send_on(message: _Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *own]}
        await send(message)

    return send_on


async def _refuse(send: _Send, status: int, error: str) -> None:
    body = json.dumps({"error": error}).encode("ascii")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"connection", b"close"),
    ]
    send = _with_headers(send)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
