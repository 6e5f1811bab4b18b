"""The one client for language models: any server that speaks the OpenAI chat protocol.

In: messages. Out: a ``Reply``, or the answer piece by piece. Every error of the client library leaves here
as an ``LLMError`` that says what to change; no message holds the key. It does not know prompts, and does
not validate what a model wrote.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from dragoman.errors import ExtraMissing, LLMError
from dragoman.models.protocols import Message, Reply

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

_SHOWN = 300
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OVERFLOW = ("context size", "context length", "context window", "maximum context", "context_length")


class EndpointLLM:
    """A chat model behind an OpenAI-compatible URL.

    Args:
        base_url: The endpoint, up to and including ``/v1``.
        model: The model's name there.
        api_key_env: Name of the environment variable that holds the key; empty, or unset: no key.
        timeout: Seconds that one request may take, its wait in the server's queue included.
        retries: How often a request is sent again, a little later each time, after a passing fault.

    Raises:
        LLMError: The URL is none.
    """

    def __init__(
        self, base_url: str, model: str, *, api_key_env: str = "", timeout: float = 120.0, retries: int = 3
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._retries = retries
        self._loopback = _checked_host(base_url) in _LOOPBACK
        self._model = model
        self._api_key_env = api_key_env
        self._timeout = timeout
        # A connection belongs to the event loop it was opened in, and one generator may see several loops.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncOpenAI] = WeakKeyDictionary()

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._model

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Ask for one answer.

        Args:
            messages: The conversation, oldest first.
            max_tokens: Longest answer, in the model's tokens.
            temperature: Sampling temperature, from 0.
            seed: Seed of the sampling, where the endpoint honours one.
            schema: JSON schema that the answer is asked to follow; None: free text.

        Returns:
            The answer with its cost.

        Raises:
            LLMError: The endpoint could not be reached, refused, or answered nothing usable.
            ExtraMissing: The client library is not installed.
        """
        request = self._request(messages, max_tokens, temperature, seed)
        if schema is not None:
            shape = {"name": "answer", "schema": dict(schema), "strict": True}
            request["response_format"] = {"type": "json_schema", "json_schema": shape}
        client = self._client()
        with self._translated():
            done = await client.chat.completions.create(**request)
        if not getattr(done, "choices", None):
            raise self._no_chat_server()
        choice, usage = done.choices[0], done.usage
        return Reply(
            text=choice.message.content or "",
            prompt_tokens=usage.prompt_tokens if usage else 0,
            answer_tokens=usage.completion_tokens if usage else 0,
            finish=choice.finish_reason or "",
        )

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncIterator[str]:
        """Ask for one answer and yield it piece by piece.

        Args:
            messages: The conversation, oldest first.
            max_tokens: Longest answer, in the model's tokens.
            temperature: Sampling temperature, from 0.
            seed: Seed of the sampling, where the endpoint honours one.

        Yields:
            Pieces of text, none empty.

        Raises:
            LLMError: The endpoint could not be reached, refused, or broke off.
            ExtraMissing: The client library is not installed.
        """
        request = self._request(messages, max_tokens, temperature, seed)
        client = self._client()
        with self._translated():
            # The block closes the connection when the reader goes away, so that the server stops generating.
            async with await client.chat.completions.create(**request, stream=True) as events:
                async for event in events:
                    if event.choices and event.choices[0].delta.content:
                        yield event.choices[0].delta.content

    async def aclose(self) -> None:
        """Close this event loop's connections; the generator may be used again."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    def _request(self, messages: Sequence[Message], max_tokens: int, temperature: float, seed: int) -> dict[str, Any]:
        said = [{"role": message.role, "content": message.content} for message in messages]
        return {
            "model": self._model,
            "messages": said,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }

    def _key(self) -> str:
        return os.environ.get(self._api_key_env, "") if self._api_key_env else ""

    def _client(self) -> "AsyncOpenAI":
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._open()
        return client

    def _open(self) -> "AsyncOpenAI":
        try:
            import httpx2
            from openai import AsyncOpenAI, DefaultAsyncHttpxClient
        except ImportError as error:
            raise ExtraMissing(f"language models need the package '{error.name}'", extra="local") from error
        # On loopback a new connection costs nothing, and none is left open when the loop ends; proxies are for others.
        http = DefaultAsyncHttpxClient(
            timeout=httpx2.Timeout(self._timeout, connect=min(self._timeout, 10.0)),
            limits=httpx2.Limits(max_connections=256, max_keepalive_connections=0 if self._loopback else 32),
            trust_env=not self._loopback,
        )
        # A local server needs no key, yet the client library insists on one.
        return AsyncOpenAI(
            base_url=self._base_url,
            api_key=self._key() or "none",
            max_retries=self._retries,
            timeout=self._timeout,
            http_client=http,
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import httpx2
        import openai

        try:
            yield
        except openai.APITimeoutError as error:
            raise LLMError(
                f"{self._base_url} did not answer within {self._timeout:g} s",
                hint="Raise llm.timeout, or lower llm.concurrency, in dragoman.toml.",
            ) from error
        except openai.APIConnectionError as error:
            raise LLMError(
                f"cannot reach the language model at {self._base_url}: {self._clean(error.__cause__ or error)}",
                hint="Start the server, or change llm.base_url in dragoman.toml ('' is the embedded model).",
            ) from error
        except openai.APIStatusError as error:
            raise self._refusal(error) from error
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise LLMError(
                f"the language model at {self._base_url} failed: {self._clean(error)}",
                hint="Run the command again; what was answered before is kept.",
            ) from error

    def _refusal(self, error: "APIStatusError") -> LLMError:
        said, status = self._clean(error), error.status_code
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            if not self._api_key_env:
                return LLMError(f"{self._base_url} wants a key", hint="Name its variable in llm.api_key_env.")
            state = "was refused" if self._key() else "is not set"
            return LLMError(
                f"{self._base_url} refused access ({status}): the key in {self._api_key_env} {state}",
                hint=f"Export a valid key as {self._api_key_env}, or name another variable in llm.api_key_env.",
            )
        if status == HTTPStatus.NOT_FOUND:
            return LLMError(
                f"{self._base_url} knows no model '{self._model}' (404: {said})",
                hint="Correct llm.model; llm.base_url must end where '/chat/completions' begins, mostly in /v1.",
            )
        if any(words in str(error).lower() for words in _OVERFLOW):
            return LLMError(
                f"the prompt is too long for '{self._model}': {said}",
                hint="Lower chunk.tokens or chat.passages in dragoman.toml, or choose a model with a larger context.",
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            hint = "Wait a little and run the command again (what was answered is kept), or lower llm.concurrency."
            return LLMError(f"{self._base_url} limits the rate of requests (429: {said})", hint=hint)
        hint = (
            "Run the command again; what was answered before is kept."
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR
            else ""
        )
        return LLMError(f"{self._base_url} refused the request ({status}: {said})", hint=hint)

    def _no_chat_server(self) -> LLMError:
        return LLMError(
            f"{self._base_url} answered, but not as a chat model does",
            hint="llm.base_url must end where '/chat/completions' begins, mostly in /v1.",
        )

    def _clean(self, error: BaseException) -> str:
        text = " ".join(str(error).split()) or type(error).__name__
        key = self._key()
        text = text.replace(key, "***") if key else text
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _checked_host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in {"http", "https"} and parts.port != 0 else None
    except ValueError:
        host = None
    if not host or " " in url:
        raise LLMError(
            f"'{url}' is no address of a language model",
            expected="something like http://127.0.0.1:8000/v1",
            hint="Change llm.base_url in dragoman.toml ('' is the embedded model, 'none' is none).",
        )
    return host
