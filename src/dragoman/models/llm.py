"""The one client for language models: any server that speaks the OpenAI chat protocol.

In: messages, and perhaps a JSON schema. Out: a ``Reply``, or the answer piece by piece. It waits for a slot, tries
again after passing faults, and has a reply that breaks its schema put right once. Every failure leaves as an
``LLMError`` that says what to change; nothing that leaves holds the key. It does not know prompts.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from dragoman.errors import RequestRefused
from dragoman.models.connection import Answer, Connection
from dragoman.models.dialect import Dialect, Sampling
from dragoman.models.endpoint import parse_endpoint
from dragoman.models.faults import Fault, error_of
from dragoman.models.protocols import Message, Reply
from dragoman.models.retry import RetryPolicy
from dragoman.models.structured import INVALID, Checked, checked, repair_turn
from dragoman.models.throttle import Throttle, throttle_for

DEFAULT_CONCURRENCY = 32
_MISUNDERSTOOD = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


@dataclass(frozen=True, slots=True)
class Usage:
    """What was sent to an endpoint so far, and what that cost."""

    requests: int = 0  # sent, each attempt counted
    retries: int = 0  # those among them that were sent again after a fault
    repairs: int = 0  # those among them that asked to put a reply right
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cached_tokens: int = 0  # of the prompts, where the endpoint tells


class EndpointLLM:
    """A chat model behind an OpenAI-compatible URL.

    Args:
        base_url: The endpoint, up to and including ``/v1``.
        model: The model's name there.
        api_key_env: Name of the environment variable that holds the key; empty, or unset: no key.
        timeout: Seconds that one request may take, its wait in the server's queue included.
        retries: How often a request is sent again, a little later each time, after a passing fault.
        concurrency: Most requests under way at once; fewer while the endpoint does not keep up.
        policy: How long to wait between attempts; its ``retries`` give way to the argument.

    Raises:
        LLMRefused: The URL is none.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key_env: str = "",
        timeout: float = 120.0,
        retries: int = 3,
        concurrency: int = DEFAULT_CONCURRENCY,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._endpoint = parse_endpoint(base_url, model, api_key_env)
        self._timeout, self._concurrency = timeout, concurrency
        self._policy = replace(policy or RetryPolicy(), retries=retries)
        self._dialect = Dialect()
        self._usage = Usage()
        # A connection belongs to the event loop it was opened in, and one generator may see several loops.
        self._connections: WeakKeyDictionary[asyncio.AbstractEventLoop, Connection] = WeakKeyDictionary()

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._endpoint.model

    @property
    def address(self) -> tuple[str, str]:
        """URL, without secrets, and model: two clients with the same address ask the same."""
        return self._endpoint.url, self._endpoint.model

    def headers(self) -> dict[str, str]:
        """What opens the endpoint for a request of one's own."""
        return self._endpoint.headers()

    @property
    def usage(self) -> Usage:
        """What was sent and used so far, failed attempts included."""
        return self._usage

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Ask for one answer; any number of calls may wait at once.

        Args:
            messages: The conversation, oldest first.
            max_tokens: Longest answer, in the model's tokens.
            temperature: Sampling temperature, from 0.
            seed: Seed of the sampling, where the endpoint honours one.
            schema: JSON schema that the answer shall follow; None: free text.

        Returns:
            The answer with its cost. With a schema, its text is canonical JSON that follows the schema; when the
            model did not manage that, ``finish`` begins with ``structured.INVALID`` and says why.

        Raises:
            LLMError: The endpoint could not be reached, refused, or answered nothing usable.
            ExtraMissing: The client library is not installed.
        """
        sampling = Sampling(max_tokens, temperature, seed)
        if schema is None:
            return _reply([await self._ask(messages, sampling, None)])
        answers = [await self._ask(messages, sampling, schema)]
        result = _held_against(schema, answers[0])
        if result.problem:
            self._count(repairs=1)
            try:
                turn = [*messages, *repair_turn(answers[0].text, result.problem)]
                answers.append(await self._ask(turn, sampling, schema, urgent=True))
            except RequestRefused:  # the longer chat is too much for the model; what came first is paid for
                return _reply(answers, result)
            result = _held_against(schema, answers[1])
        return _reply(answers, result)

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncIterator[str]:
        """Ask for one answer and yield it piece by piece, at once: a reader is waiting.

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
        sampling, failed, begun = Sampling(max_tokens, temperature, seed), 0, False
        connection = await self._connection()
        while True:
            dialect, fault = self._dialect, None
            self._count(requests=1, retries=int(failed > 0))
            async with aclosing(_closing(connection.pieces(dialect.body(self.name, messages, sampling)))) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Fault):
                        fault = piece
                        break
                    begun = True
                    yield piece
            if fault is None:
                return
            if not begun and self._learned(dialect, fault, structured=False):
                continue
            failed += 1
            if begun or not fault.passing or failed > self._policy.retries:
                raise error_of(fault, self._endpoint, self._timeout, failed)
            await asyncio.sleep(self._policy.wait(failed - 1, fault.asked))

    async def aclose(self) -> None:
        """Close this event loop's connections; the generator may be used again."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None:
            await connection.close()

    async def _ask(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        schema: Mapping[str, Any] | None,
        *,
        urgent: bool = False,
    ) -> Answer:
        """One answer, after as many attempts as it takes and may take."""
        throttle = throttle_for(self._endpoint.url, self._concurrency, self._timeout)
        connection = await self._connection()
        failed = 0
        while True:
            async with throttle.slot(urgent=urgent or failed > 0) as slot:
                dialect = self._dialect
                self._count(requests=1, retries=int(failed > 0))
                got = await connection.send(dialect.body(self.name, messages, sampling, schema))
                self._count(prompt_tokens=got.prompt_tokens, answer_tokens=got.answer_tokens)
                if isinstance(got, Answer):
                    slot.outcome = "good"
                    self._count(cached_tokens=got.cached_tokens)
                    return got
                slot.outcome = "overload" if got.overload else "fault"
                wait = self._wait(throttle, got, failed)
            if self._learned(dialect, got, structured=schema is not None):
                continue
            failed += 1
            if not got.passing or failed > self._policy.retries:
                raise error_of(got, self._endpoint, self._timeout, failed)
            await asyncio.sleep(wait)

    def _wait(self, throttle: Throttle, fault: Fault, failed: int) -> float:
        """Seconds that one request waits for itself; a wait that the server asked for holds back all of them."""
        if not fault.passing:
            return 0.0
        wait = self._policy.wait(failed, fault.asked)
        limited = fault.status == HTTPStatus.TOO_MANY_REQUESTS and failed < self._policy.retries
        if limited or (fault.asked and fault.overload):
            throttle.hold(wait)
            return 0.0
        return wait

    def _learned(self, spoken: Dialect, fault: Fault, *, structured: bool) -> bool:
        """Whether a refusal taught how to speak to this endpoint, or somebody else's did in the meantime."""
        if fault.status not in _MISUNDERSTOOD or fault.overflow:
            return False
        if spoken == self._dialect:
            self._dialect = spoken.after(fault.said, structured=structured)
        return spoken != self._dialect

    async def _connection(self) -> Connection:
        loop = asyncio.get_running_loop()
        connection = self._connections.get(loop)
        if connection is None:
            connection = self._connections[loop] = Connection(self._endpoint, self._timeout, self._concurrency)
            await connection.bind()
        return connection

    def _count(self, **more: int) -> None:
        self._usage = replace(self._usage, **{key: getattr(self._usage, key) + by for key, by in more.items()})


def _held_against(schema: Mapping[str, Any], answer: Answer) -> Checked:
    return checked(answer.text, schema, cut=answer.finish == "length")


def _reply(answers: Sequence[Answer], result: Checked | None = None) -> Reply:
    last = answers[-1]
    invalid = result is not None and result.problem
    return Reply(
        text=result.text if result else last.text,
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        answer_tokens=sum(answer.answer_tokens for answer in answers),
        finish=f"{INVALID}{result.problem}" if result and invalid else last.finish,
    )


async def _closing(pieces: AsyncIterator[str | Fault]) -> AsyncGenerator[str | Fault]:
    """The same pieces; when the reader stops, so does the request."""
    try:
        async for piece in pieces:
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
