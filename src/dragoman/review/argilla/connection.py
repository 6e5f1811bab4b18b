"""The line to an Argilla server: who we are there, calls and their answers, and what went wrong in our own words.

In: an address and a key. Out: what the server says, or an error that says what to do; the key is in no text. It does not know what is
asked of the server.
"""

import io
import logging
import re
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dragoman.errors import DragomanError, ExtraMissing, UsageError

if TYPE_CHECKING:
    import argilla

_SECONDS = 60
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_LONGEST_REASON = 300
_ROLES = ("owner", "admin")
_KEY_HINT = (
    "Copy it from the user settings of Argilla's page into the environment variable that api_key_env of [review] names."
)
_UNAUTHORIZED, _FORBIDDEN, _FIRST_FAILURE = 401, 403, 500


@dataclass(frozen=True)
class Connection:
    """A server that has accepted the key; ``place`` is its address without what is private in it."""

    client: "argilla.Argilla"
    place: str
    user: str
    role: str
    _key: str = field(repr=False)

    def call(
        self, method: str, path: str, body: object = None, query: Mapping[str, str | int | list[str]] | None = None
    ) -> dict[str, Any]:
        """Call the server's own interface.

        Args:
            method: GET, POST, ...
            path: Below ``/api/v1/``.
            body: Sent as JSON, where there is one.
            query: Parameters of the address.

        Returns:
            The answer's table; empty where the server has nothing to say.

        Raises:
            DragomanError: The server is away, refuses, or fails.
        """
        with _translated(self.place, self._key, self.user):
            reply = self.client.http_client.request(method, f"/api/v1/{path}", json=body, params=query)
            reply.raise_for_status()
        try:
            answer: dict[str, Any] = reply.json() if reply.content else {}
        except ValueError:
            raise _no_argilla(self.place, "its answer is not JSON") from None
        return answer

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """For calls of Argilla's library: say in our words what goes wrong, keep quiet what it prints, logs and warns of.

        Yields:
            Nothing.

        Raises:
            DragomanError: The server is away, refuses, or fails.
        """
        with _translated(self.place, self._key, self.user), _quiet():
            yield


def storable(text: str) -> str:
    """The text without what a server's database, or JSON on its way there, cannot hold: NUL and half characters."""
    return _UNSTORABLE.sub("\ufffd", text)


def connect(server: str, key: str) -> Connection:
    """Open the line to a server.

    Args:
        server: Its address.
        key: The key of an owner or an admin there.

    Returns:
        The open line.

    Raises:
        UsageError: The address is none, or there is no key.
        ExtraMissing: Argilla's library is not installed.
        DragomanError: Nothing answers, or it is no Argilla, or the key is wrong or of somebody who may not do this.
    """
    place = _place_of(server)
    if not key:
        raise UsageError(f"no key for Argilla at {place}", expected="the key of an owner or admin", hint=_KEY_HINT)
    if not (key.isascii() and key.isprintable() and " " not in key):
        # The library would put such a key into its complaint.
        raise UsageError(f"the key for Argilla at {place} has characters that no key has", hint=_KEY_HINT)
    with _quiet():
        try:
            from argilla import Argilla
        except ImportError as error:
            raise ExtraMissing(
                f"reviewing with Argilla needs the package '{error.name or error}'", extra="review"
            ) from error
    name, role = _who(server, place, key)
    if role not in _ROLES:
        raise DragomanError(
            f"the key for Argilla at {place} is that of '{name}', who is {_article(role)}",
            expected="the key of an owner or admin, who may see all answers",
            hint=_KEY_HINT,
        )
    with _translated(place, key, name), _quiet():
        client = Argilla(api_url=server, api_key=key, timeout=_SECONDS, retries=0)
    line = Connection(client, place, name, role, key)
    weakref.finalize(line, client.http_client.close)
    return line


def _who(server: str, place: str, key: str) -> tuple[str, str]:
    """Name and role of the key's owner; asked before the library does, which takes the answer for granted."""
    import httpx

    headers = {"X-Argilla-Api-Key": key}
    transport = httpx.HTTPTransport()  # as the library does: without the proxies of the environment
    with (
        _translated(place, key, ""),
        httpx.Client(base_url=server, headers=headers, timeout=_SECONDS, transport=transport) as client,
    ):
        reply = client.get("/api/v1/me")
        reply.raise_for_status()
    try:
        me = reply.json()
        return str(me["username"]), str(me["role"])
    except (ValueError, TypeError, KeyError):
        raise _no_argilla(place, "it does not say whose key it is") from None


def _article(role: str) -> str:
    return f"an {role}" if role[:1] in "aeio" else f"a {role}"


def _place_of(server: str) -> str:
    hint = "Write [review] server as http://host:port or https://host."
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or not server.isprintable():
        raise UsageError(f"'{server}' is no address of an Argilla server", expected="http:// or https://", hint=hint)
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


@contextmanager
def _quiet() -> Iterator[None]:
    # Argilla logs through the root logger, which would then get a handler that prints everybody's warnings; its own
    # logger's errors reach the terminal where nobody listens; and where there is no script, it prints.
    nobody, root, own = logging.NullHandler(), logging.getLogger(), logging.getLogger("argilla.sdk")
    root.addHandler(nobody)
    own.addHandler(nobody)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeHandler(nobody)
        own.removeHandler(nobody)


@contextmanager
def _translated(place: str, key: str, user: str) -> Iterator[None]:
    import httpx
    from argilla._exceptions import ArgillaError

    def clean(text: object) -> str:
        return " ".join(str(text).replace(key, "(key)").split())[:_LONGEST_REASON]

    try:
        yield
    except httpx.HTTPStatusError as error:
        raise _refusal(place, user, error.response.status_code, clean(error.response.text)) from None
    except ArgillaError as error:
        raise _library_error(place, user, error, clean) from None
    except httpx.TimeoutException:
        raise DragomanError(
            f"Argilla at {place} did not answer within {_SECONDS} s", hint="Look at the server's log, and try again."
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DragomanError(
            f"no answer from Argilla at {place}: {clean(error) or type(error).__name__}",
            hint="Start the server, or change server of [review].",
        ) from None


def _library_error(place: str, user: str, error: Exception, clean: Callable[[object], str]) -> DragomanError:
    import httpx

    told: BaseException | None = error
    while told is not None:  # the library wraps the server's refusal, sometimes twice
        if isinstance(told, httpx.HTTPStatusError):
            return _refusal(place, user, told.response.status_code, clean(told.response.text))
        if isinstance(told, httpx.HTTPError):
            hint = "Start the server, or change server of [review]."
            return DragomanError(f"no answer from Argilla at {place}: {clean(told)}", hint=hint)
        told = told.__cause__ or told.__context__
    return DragomanError(f"Argilla at {place}: {clean(error) or type(error).__name__}")


def _refusal(place: str, user: str, status: int, said: str) -> DragomanError:
    if status == _UNAUTHORIZED:
        return DragomanError(
            f"Argilla at {place} does not know the key", expected="the key of an owner or admin there", hint=_KEY_HINT
        )
    if status == _FORBIDDEN:
        whose = f"'{user}'" if user else "the key"
        return DragomanError(
            f"Argilla at {place} does not allow this to {whose}",
            expected="the key of an owner, or of an admin of the workspace",
            hint=_KEY_HINT,
        )
    if not user:
        return _no_argilla(place, f"it answers {status}")
    if status >= _FIRST_FAILURE:
        hint = "Look at the server's log, and try again."
        return DragomanError(f"Argilla at {place} failed with status {status}: {said}", hint=hint)
    return DragomanError(f"Argilla at {place} refuses with status {status}: {said}")


def _no_argilla(place: str, why: str) -> DragomanError:
    return DragomanError(
        f"what answers at {place} is no Argilla: {why}",
        expected="the address of Argilla's page",
        hint="Change server of [review].",
    )
