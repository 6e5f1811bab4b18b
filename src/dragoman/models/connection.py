"""One event loop's connections to a language model's endpoint: with ``remote``, the only place that knows the client library.

In: the body of a request. Out: an ``Answer``, or a ``Fault`` in place of any exception of the library. It neither
waits nor tries again.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dragoman.errors import ExtraMissing
from dragoman.models.endpoint import Endpoint
from dragoman.models.faults import Fault
from dragoman.models.retry import asked_wait

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

_CONNECT_SECONDS = 10.0
_lifetimes: dict[int, AsyncGenerator[None]] = {}  # by client; a generator collected early is not closed by its loop
_SECRET_LENGTH = 8  # a shorter one may be a word of an honest answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server gave for one request."""

    text: str
    finish: str
    prompt_tokens: int
    answer_tokens: int
    cached_tokens: int


class Connection:
    """Connections that are kept open between requests, and closed at the latest when their event loop ends.

    Args:
        endpoint: Who is spoken to.
        timeout: Seconds that a request may take.
        kept: Most connections kept open.

    Raises:
        ExtraMissing: The client library is not installed.
        LLMRefused: The key cannot be sent.
    """

    def __init__(self, endpoint: Endpoint, timeout: float, kept: int) -> None:
        self._endpoint, self._timeout = endpoint, timeout
        self._client = _opened(endpoint, timeout, kept)
        self._lifetime = _closed_with_the_loop(self._client)

    async def bind(self) -> None:
        """Have the running event loop close the connections when it ends."""
        _lifetimes[id(self._client)] = self._lifetime
        await anext(self._lifetime)

    async def close(self) -> None:
        """Close all connections."""
        await self._lifetime.aclose()

    async def send(self, body: Mapping[str, Any]) -> Answer | Fault:
        """Make one request.

        Args:
            body: As the chat protocol has it.

        Returns:
            The answer, or why there is none.
        """
        import httpx2
        import openai

        try:
            # The library's own limit is for each read: a server that drips would never reach it.
            async with asyncio.timeout(self._timeout):
                # The typed call would cost as much time as the rest of the request: it copies and checks every field.
                response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=dict(body))
        except TimeoutError:
            return Fault("timeout")
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return self._fault(error)
        return self._answer(response)

    async def pieces(self, body: Mapping[str, Any]) -> AsyncIterator[str | Fault]:
        """Make one request and read its answer as it is written.

        Args:
            body: As the chat protocol has it.

        Yields:
            Pieces of text, none empty; last a fault, if there was one.
        """
        import httpx2
        import openai

        fault = None
        try:
            # The block closes the connection when the reader goes away, so that the server stops generating.
            async with await self._client.chat.completions.create(**body, stream=True) as events:
                async for event in events:
                    if event.choices and event.choices[0].delta.content:
                        yield event.choices[0].delta.content
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            fault = self._fault(error)
        if fault is not None:
            yield fault

    def _answer(self, response: "httpx2.Response") -> Answer | Fault:
        try:
            table = json.loads(response.content)
        except (ValueError, RecursionError):
            page = "html" in response.headers.get("content-type", "")
            said = self._endpoint.clean(response.text[:2000])
            return Fault("no chat" if page else "garbled", f"it sent {said}" if said else "it sent nothing")
        table = table if isinstance(table, dict) else {}
        prompt, written, cached = _tokens(table)
        choices = table.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        message = choice.get("message")
        if not isinstance(message, dict):
            return self._no_choice(table, prompt, written)
        content = message.get("content")
        text, key = content if isinstance(content, str) else "", self._endpoint.key()
        if len(key) >= _SECRET_LENGTH and key in text:  # a server that echoes its headers
            text = self._endpoint.blot(text)
        return Answer(text, str(choice.get("finish_reason") or ""), prompt, written, cached)

    def _no_choice(self, table: Mapping[str, Any], prompt: int, written: int) -> Fault:
        error = table.get("error")
        said = self._endpoint.clean(json.dumps(error or dict(table), ensure_ascii=False))
        if not error:
            return Fault("garbled", f"it sent {said}", prompt_tokens=prompt, answer_tokens=written)
        # A gateway may wrap the error of the server behind it in a success.
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 502  # noqa: PLR2004 - HTTP's errors
        return Fault("status", said, status, prompt_tokens=prompt, answer_tokens=written)

    def _fault(self, error: Exception) -> Fault:
        import httpx2
        import openai

        said = self._endpoint.clean(str(error.__cause__ or error) or type(error.__cause__ or error).__name__)
        if isinstance(error, openai.APIStatusError):
            table = error.body if isinstance(error.body, dict) else {}
            prompt, written, _ = _tokens(table)
            asked = asked_wait(error.response.headers)
            return Fault("status", self._endpoint.clean(str(error)), error.status_code, asked, prompt, written)
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__
            if isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
                return Fault("unreachable", said)
            return Fault("timeout" if isinstance(error, openai.APITimeoutError) else "cut", said)
        if isinstance(error, httpx2.TimeoutException):
            return Fault("timeout")
        if isinstance(error, (openai.OpenAIError, httpx2.TransportError)):
            return Fault("cut", said)
        return Fault("unsendable", said)


def _opened(endpoint: Endpoint, timeout: float, kept: int) -> "AsyncOpenAI":
    try:
        import httpx2
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient
    except ImportError as error:
        raise ExtraMissing(f"language models need the package '{error.name}'", extra="local") from error
    http = DefaultAsyncHttpxClient(
        timeout=httpx2.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=kept),
        trust_env=not endpoint.loopback,  # proxies are for others
    )
    return AsyncOpenAI(**endpoint.client_options(), timeout=timeout, http_client=http)


async def _closed_with_the_loop(client: "AsyncOpenAI") -> AsyncGenerator[None]:
    # asyncio.run closes the asynchronous generators that are left: the one moment before a loop's end that it offers.
    try:
        yield
    finally:
        _lifetimes.pop(id(client), None)
        await client.close()


def _tokens(table: Mapping[str, Any]) -> tuple[int, int, int]:
    """Tokens of the prompt, of the answer, and of the prompt's part that the server had kept."""
    usage = table.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    return _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"), _count(details, "cached_tokens")


def _count(table: Mapping[str, Any], key: str) -> int:
    value = table.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
