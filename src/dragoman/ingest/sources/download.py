"""Downloads over HTTP: one address, written to a file as it comes, whole or not at all.

In: an address, headers, and those that only its own server may see. Out: the status and headers of the answer. A connection that
breaks off, and a server that fails, are tried again. It knows neither GitHub nor what is downloaded.
"""

import functools
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import httpx

from dragoman.errors import SourceError

_WAITS = (0.5, 2.0, 0.0)  # seconds after each failed attempt; after the last there is none
_REDIRECTS = 5
_SECONDS = 900.0  # for one attempt: a server that drips never runs into a timeout of httpx
_REFUSAL_BYTES = 2**16  # of an answer that is no success: enough for its message


class Unreachable(SourceError):
    """A server did not answer, or will not before some time has passed."""


class TooLarge(SourceError):
    """A server sends more than is wanted."""


class _TooSlow(httpx.TransportError):
    """The answer takes longer than any download that goes on does."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its headers by their names in lower case, and the addresses (they may hold secrets) that it took."""

    status: int
    headers: Mapping[str, str]
    asked: tuple[str, ...]


def host_of(address: str) -> str:
    """Host and port of an address, for messages; "" when it is no address for HTTP. User and password are left out."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError):
        return ""
    return url.netloc.decode("ascii") if url.scheme in {"http", "https"} and url.host else ""


def download(
    address: str, sink: IO[bytes], limit: int, headers: Mapping[str, str], private: Mapping[str, str] | None = None
) -> Reply:
    """Write what an address holds.

    Args:
        address: Where to begin; redirects are followed, but never from https to http.
        sink: A file that can be emptied and begun again. After an answer that is no success, the beginning of its message.
        limit: Most bytes that are taken.
        headers: Sent with each request.
        private: Sent to the server of ``address`` only.

    Returns:
        The last answer, a success or a refusal (status 400 to 499).

    Raises:
        SourceError: Too many redirects, or no valid address.
        TooLarge: More than ``limit`` bytes.
        Unreachable: No whole answer came after several attempts.
    """
    host, reason = host_of(address), ""
    for wait in _WAITS:
        sink.truncate(sink.seek(0))
        try:
            reply = _attempt(address, sink, limit, {**headers, **(private or {})})
            reason = f"it answers HTTP {reply.status}"
            if reply.status < httpx.codes.INTERNAL_SERVER_ERROR:
                return reply
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        # The last three are httpx's words for a proxy variable or certificates that it cannot use.
        except (httpx.RequestError, httpx.InvalidURL, ValueError, ImportError, OSError) as error:
            raise SourceError(f"{host} cannot be read: {error}", hint="Check the address and the proxy.") from error
        if wait:
            time.sleep(wait)
    raise Unreachable(f"cannot reach {host}: {reason}", hint="Check the network and the proxy.")


def _attempt(address: str, sink: IO[bytes], limit: int, headers: Mapping[str, str]) -> Reply:
    asked: list[str] = []
    end = time.monotonic() + _SECONDS
    with httpx.Client(verify=_trust(), timeout=httpx.Timeout(30.0, connect=10.0)) as client:
        # What comes is stored as it is: an archive that a server calls "gzip-encoded" shall stay one.
        request = client.build_request("GET", address, headers={**headers, "Accept-Encoding": "identity"})
        for _ in range(_REDIRECTS + 1):
            asked.append(str(request.url))
            response = client.send(request, stream=True)
            try:
                # httpx leaves the Authorization out of a request to another server.
                following = response.next_request
                if following is None:
                    _write(response, sink, limit, end)
                    return Reply(
                        response.status_code, {k.lower(): v for k, v in response.headers.items()}, tuple(asked)
                    )
            finally:
                response.close()
            _check_step(request.url, following.url)
            request = following
    raise SourceError(f"{host_of(address)} redirects more than {_REDIRECTS} times", expected="an answer")


@functools.cache
def _trust() -> ssl.SSLContext:
    # Reading all certificates takes longer than a request; httpx would do so for each client.
    return httpx.create_ssl_context()


def _check_step(here: httpx.URL, there: httpx.URL) -> None:
    if here.scheme == "https" != there.scheme:
        raise SourceError(f"{host_of(str(here))} leads to an address without encryption", expected="https")


def _write(response: httpx.Response, sink: IO[bytes], limit: int, end: float) -> None:
    refusal = response.status_code >= httpx.codes.BAD_REQUEST
    for piece in response.iter_raw(2**18):
        sink.write(piece)
        if time.monotonic() > end:
            raise _TooSlow(f"the download takes more than {_SECONDS:.0f} s")
        if refusal and sink.tell() > _REFUSAL_BYTES:
            return
        if sink.tell() > limit:
            raise TooLarge(f"{response.url.netloc.decode('ascii')} sends more than {limit / 1_000_000:g} MB")
