"""An OpenAI-compatible endpoint on loopback, between distilabel and the language model.

In: chat requests over HTTP. Out: answers, from the store where they are known, else from the generator, kept the
moment they arrive; a request that failed is answered too, with its reason, since one HTTP error would cost
distilabel the whole batch. The language model's key stays on this side.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from threading import Thread
from types import TracebackType
from typing import Any, Self

from dragoman.errors import LLMError, LLMRefused
from dragoman.models.protocols import Message, Reply, TextGenerator
from dragoman.records import content_id
from dragoman.synth.budget import Budget, Meter, Pledge
from dragoman.synth.post.records import PostSettings
from dragoman.synth.post.serve import serving
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import FAILED, OVER_BUDGET, OpenGenerator

_FAILURES_AT_FIRST, _FAILURES_IN_A_ROW = 20, 50
_MOST_TOKENS = 10**12  # a count from outside; what is larger is no count

Useless = Callable[[Sequence[Message], str], str]
Schema = Callable[[Sequence[Message]], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class _Nothing:
    """Why there is no answer."""

    reason: str
    detail: str


class Gateway:
    """The endpoint, for as long as an ``async with`` block lasts.

    Args:
        model: The language model's name; part of the key of an answer.
        open_generator: Gives the language model; called only when an answer is missing.
        store: Where answers are looked up first, and kept. Used in the event loop's thread alone.
        settings: Sampling seed, and how many requests are under way at once.
        useless: Says why a reply is of no use, or "". It is asked for once more with the schema, where there is one; what is
            of no use then is passed on, and asked for again next time, with the schema at once.
        schema: The JSON schema of the answer to a request; None where there is none.
        budget: What may be spent now.
        advance: Called with 1 after each request, whatever became of it.
    """

    def __init__(
        self,
        model: str,
        open_generator: OpenGenerator,
        store: AnswerStore,
        settings: PostSettings,
        *,
        useless: Useless,
        schema: Schema = lambda _: None,
        budget: Budget | None = None,
        advance: Callable[[int], None] | None = None,
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        # No model can write this by chance, and none is told it.
        self.failure = f"[failed {secrets.token_hex(8)}] "
        self.meter = Meter(budget or Budget())
        self.stored = self.failed = self.not_asked = 0
        self.limit = ""
        self._model, self._open, self._store, self._settings = model, open_generator, store, settings
        self._useless, self._schema, self._advance = useless, schema, advance
        self._answered = self._in_a_row = 0
        self._over = False
        self._generator: TextGenerator | None = None
        self._closing = ExitStack()
        self._tasks: dict[str, asyncio.Task[Reply | _Nothing]] = {}

    async def __aenter__(self) -> Self:
        """Listen on a free port.

        Returns:
            The gateway itself.
        """
        self._loop = asyncio.get_running_loop()
        self._gate = asyncio.Semaphore(self._settings.concurrency)
        self.broken: asyncio.Future[None] = self._loop.create_future()  # gets the error that ends the work
        self._server = serving(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, keep what is under way (it is paid for), and close the language model."""
        self._over = True
        self.broken.cancel()
        if kind is not None and not issubclass(kind, Exception):  # the user does not want to wait
            for task in self._tasks.values():
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.to_thread(self._server.shutdown)
        self._thread.join()
        self._server.server_close()
        if close := getattr(self._generator, "aclose", None):  # connections belong to this event loop
            await close()
        self._closing.close()

    @property
    def base_url(self) -> str:
        """The endpoint's address."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def answer(self, body: dict[str, Any]) -> Reply:
        """Answer one request; called from the server's threads.

        Args:
            body: The request.

        Returns:
            The answer, or ``failure`` and a reason.
        """
        return asyncio.run_coroutine_threadsafe(self._answer(body), self._loop).result()

    async def _answer(self, body: dict[str, Any]) -> Reply:
        messages = [Message(message["role"], message["content"]) for message in body["messages"]]
        limit, temperature = int(body["max_tokens"]), float(body["temperature"])
        said = json.dumps([asdict(message) for message in messages])
        key = content_id("post", self._model, said, str(temperature), self._settings.seed, limit)
        if key not in self._tasks:  # two chunks may say the same
            task = self._loop.create_task(self._fetch(key, messages, limit, temperature))
            task.add_done_callback(self._watch)
            self._tasks[key] = task
        given = await asyncio.shield(self._tasks[key])
        if self._advance:
            self._advance(1)
        if isinstance(given, _Nothing):
            return Reply(f"{self.failure}{given.reason}|{given.detail}", 0, 0, "stop")
        return given

    async def _fetch(self, key: str, messages: list[Message], limit: int, temperature: float) -> Reply | _Nothing:
        known = self._store.get([key])
        if known:
            self.stored += 1
            return known[key]
        pledge = Pledge(sum(len(message.content.encode("utf-8", "replace")) for message in messages), limit)
        async with self._gate:
            if self._over or self.broken.done():
                return _Nothing(FAILED, "the run had ended")
            reached = self.meter.reached(pledge)
            if reached:
                self.limit, self.not_asked = reached, self.not_asked + 1
                return _Nothing(OVER_BUDGET, f"budget_{reached}")
            if self._generator is None:
                self._generator = self._closing.enter_context(self._open())
            before = self._store.failures([key]).get(key)
            replies = before.replies if before else 0
            return await self._ask(self._generator, key, pledge, messages, temperature, replies)

    async def _ask(
        self,
        generator: TextGenerator,
        key: str,
        pledge: Pledge,
        messages: list[Message],
        temperature: float,
        replies: int,
    ) -> Reply | _Nothing:
        """The answer, kept; ``replies`` that were of no use came before, and neither their seed nor words alone are tried again."""
        begun, seed = time.monotonic(), self._settings.seed + replies
        schema = self._schema(messages)
        try:
            reply = await self._reply(generator, pledge, messages, temperature, seed, schema if replies else None)
            reason = self._useless(messages, reply.text)
            if reason and schema is not None and not replies and not self.meter.reached(pledge):
                reply, reason = await self._again(generator, pledge, messages, temperature, seed, reply, reason)
        except LLMRefused:
            raise
        except LLMError as error:
            said = _whole(error.happened)
            self._store.fail(key, self._model, FAILED, said)
            self._failure(said)
            return _Nothing(FAILED, said)
        if reason:
            self._store.fail(key, self._model, reason, reply.text, replied=True)
            self._failure(reason)
            return reply
        self._answered += 1
        self._in_a_row = 0
        return self._store.put(key, self._model, reply, time.monotonic() - begun)

    async def _again(
        self,
        generator: TextGenerator,
        pledge: Pledge,
        messages: list[Message],
        temperature: float,
        seed: int,
        reply: Reply,
        reason: str,
    ) -> tuple[Reply, str]:
        """The answer to the same request with its schema, where it is of use; else what there was."""
        try:
            again = await self._reply(generator, pledge, messages, temperature, seed, self._schema(messages))
        except LLMRefused:
            raise
        except LLMError:
            return reply, reason
        return (reply, reason) if self._useless(messages, again.text) else (again, "")

    async def _reply(
        self,
        generator: TextGenerator,
        pledge: Pledge,
        messages: list[Message],
        temperature: float,
        seed: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """One request, counted whatever becomes of it."""
        begun, reply = time.monotonic(), None
        self.meter.start(pledge)
        try:
            given = await generator.reply(
                messages, max_tokens=pledge.max_tokens, temperature=temperature, seed=seed, schema=schema
            )
            reply = _sane(given)
            return reply
        finally:
            self.meter.finish(pledge, reply, time.monotonic() - begun)

    def _failure(self, said: str) -> None:
        self.failed += 1
        self._in_a_row += 1
        if self._in_a_row >= (_FAILURES_IN_A_ROW if self._answered else _FAILURES_AT_FIRST):
            raise LLMError(
                f"{self._in_a_row} requests to '{self._model}' failed one after another, the last with: {said}",
                hint=f"{self._answered} new answers are kept with those of earlier runs. When the endpoint is well again, "
                "run the same command: it asks only for what is missing.",
            )

    def _watch(self, task: asyncio.Task[Reply | _Nothing]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self.broken.done():
            self.broken.set_exception(error)


def _sane(reply: Reply) -> Reply:
    prompt, answer = (max(0, min(count, _MOST_TOKENS)) for count in (reply.prompt_tokens, reply.answer_tokens))
    return Reply(_whole(reply.text), prompt, answer, reply.finish)


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # no file can hold half a surrogate pair
