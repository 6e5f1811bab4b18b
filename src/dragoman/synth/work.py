"""Jobs for a language model in, what their readers made of the answers out; no paid answer is lost on the way.

A job is one request and the reader of its reply, whatever it asks for. Answers come from the store first; what is missing is
asked, within a budget, many at once, and kept as it arrives. Output follows the order of the jobs, never that of arrival.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from dragoman.errors import DragomanError, LLMError, LLMRefused, WorkspaceError
from dragoman.models.protocols import Message, Reply, TextGenerator
from dragoman.records import Rejected, content_id
from dragoman.synth.budget import Budget, Meter, Pledge
from dragoman.synth.store import CLAIM_SECONDS, AnswerStore

FAILED, UNREADABLE, OVER_BUDGET = "request failed", "not the JSON asked for", "over budget"
MAX_TOKENS = 256

_FAILURES_AT_FIRST, _FAILURES_IN_A_ROW = 20, 50
_POLL_SECONDS = 0.2
_MOST_TOKENS = 10**12  # a count from outside; what is larger is no count

Result = TypeVar("Result")
Reader = Callable[[Reply], tuple[Sequence[Result], Sequence[Rejected]]]
OpenGenerator = Callable[[], AbstractContextManager[TextGenerator]]


@dataclass(frozen=True, slots=True)
class Job(Generic[Result]):
    """One request, and how its reply is read.

    ``item`` is the input row that a rejection names. The reader gives results and rejections, in a closed list of reasons; a reply
    that gives rejections alone is a failure, and is asked for again next time, but for one that could be read when an answer
    ``may_be_empty``. ``parts`` are further parts of the key of the answer; ``kind`` tells jobs apart whose answers are of
    different lengths.
    """

    item: str
    messages: tuple[Message, ...]
    read: Reader[Result]
    schema: Mapping[str, Any] | None = None
    max_tokens: int = MAX_TOKENS
    parts: tuple[str | int, ...] = ()
    kind: str = ""
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """Who is asked, and how; part of the key of every answer."""

    model: str
    temperature: float
    seed: int

    def key(self, job: Job[Any]) -> str:
        """What a job's answer depends on, as a hash."""
        prompt = json.dumps([asdict(message) for message in job.messages])
        schema = json.dumps(job.schema)
        return content_id(self.model, prompt, schema, str(self.temperature), self.seed, job.max_tokens, *job.parts)


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """Results in the order of the jobs, what gave none, and what it cost."""

    results: tuple[Result, ...]
    rejected: tuple[Rejected, ...]
    asked: int  # requests sent now
    stored: int  # jobs whose answer was there already, or came from another process or a job alike
    failed: int  # of the requests sent now; they are asked again next time
    not_asked: int  # requests that the budget left out
    prompt_tokens: int  # of the requests sent now
    answer_tokens: int
    note: str = ""  # why the run stopped early and how to go on


async def do_jobs(
    jobs: Sequence[Job[Result]],
    open_generator: OpenGenerator,
    store: AnswerStore,
    sampling: Sampling,
    *,
    concurrency: int,
    budget: Budget | None = None,
    advance: Callable[[int], None] | None = None,
) -> Done[Result]:
    """Get an answer to each job, from the store or from the language model.

    Args:
        jobs: What is wanted.
        open_generator: Gives the language model; called only when an answer is missing.
        store: Where answers are looked up first, and kept.
        sampling: Model, temperature and seed.
        concurrency: Requests under way at once.
        budget: What may be spent now; None: no limit.
        advance: Called with the number of jobs just done.

    Returns:
        Results and rejections, in the order of the jobs.

    Raises:
        LLMRefused: The endpoint refuses every request alike.
        LLMError: Nothing but failures came for a while; what was answered is kept.
        WorkspaceError: The store cannot be used.
    """
    run = _Run(jobs, store, sampling, Meter(budget or Budget()), advance or (lambda _: None))
    if run.may_ask():
        with open_generator() as generator, run.claims():
            try:
                await run.ask_all(generator, concurrency)
            finally:
                # Connections belong to this event loop: whoever opened the generator cannot close them after it.
                if close := getattr(generator, "aclose", None):
                    await close()
    return run.done()


class _Run(Generic[Result]):
    def __init__(
        self,
        jobs: Sequence[Job[Result]],
        store: AnswerStore,
        sampling: Sampling,
        meter: Meter,
        advance: Callable[[int], None],
    ) -> None:
        self._jobs, self._store, self._sampling, self._meter, self._advance = jobs, store, sampling, meter, advance
        self._keys = [sampling.key(job) for job in jobs]
        self._replies = store.get(self._keys)
        missing = {key: job for key, job in zip(self._keys, jobs, strict=True) if key not in self._replies}
        self._failed_before = store.failures(missing)
        self._failures: dict[str, LLMError | Reply] = {}
        self._queue = deque(missing.items())
        self._held: list[tuple[str, Job[Result]]] = []
        self._limit = ""
        self._trouble: DragomanError | None = None
        self._answered = self._in_a_row = 0
        advance(len(jobs) - len(missing))

    def may_ask(self) -> bool:
        """Whether anything is missing that the budget lets us ask for."""
        if self._queue:
            self._limit = self._meter.reached(_pledge(self._queue[0][1]))
        return bool(self._queue) and not self._limit

    @contextmanager
    def claims(self) -> Iterator[None]:
        """Keep what this run has claimed for as long as it lasts."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(CLAIM_SECONDS / 4)
                with suppress(WorkspaceError):  # the next write says it, with an answer at stake
                    self._store.renew()

        beat = asyncio.get_running_loop().create_task(renew())
        try:
            yield
        finally:
            beat.cancel()
            with suppress(WorkspaceError):  # as when a process dies: its claims count for nothing
                self._store.release()

    async def ask_all(self, generator: TextGenerator, concurrency: int) -> None:
        """Ask until everything is answered, has failed, or must not be asked; requests under way are never dropped."""
        while self._queue and not self._limit:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(concurrency, len(self._queue))):
                    group.create_task(self._work(generator))
            if self._trouble is not None:
                raise self._trouble
            # What another process has claimed is its to ask; should it fail or die, it is ours again.
            self._queue.extend(self._held)
            if self._held:
                self._held.clear()
                await asyncio.sleep(_POLL_SECONDS)

    def done(self) -> Done[Result]:
        """What came of each job, in their order."""
        results: list[Result] = []
        rejected: list[Rejected] = []
        left = len(self._queue)
        note = self._meter.line(self._limit, left) if left else ""
        for key, job in zip(self._keys, self._jobs, strict=True):
            reply = self._replies.get(key) or self._failures.get(key)
            if reply is None:
                rejected.append(Rejected("synth", job.item, OVER_BUDGET, f"budget_{self._limit}"))
            elif isinstance(reply, LLMError):
                rejected.append(Rejected("synth", job.item, FAILED, _whole(reply.happened)))
            else:
                made, dropped = job.read(reply)
                results += made
                rejected += dropped
        meter = self._meter
        return Done(
            tuple(results),
            tuple(rejected),
            asked=meter.requests,
            stored=len(self._jobs) - meter.requests - left,
            failed=len(self._failures),
            not_asked=left,
            prompt_tokens=meter.prompt_tokens,
            answer_tokens=meter.answer_tokens,
            note=note,
        )

    async def _work(self, generator: TextGenerator) -> None:
        while (job := self._next()) is not None:
            try:
                await self._ask(generator, *job)
            except DragomanError as error:
                # The others' requests are paid for: they end by themselves, and nothing new is sent.
                self._trouble = self._trouble or error

    def _next(self) -> tuple[str, Job[Result]] | None:
        """The next job that is ours to ask; None when there is none, or none may be sent."""
        while self._queue and self._trouble is None:
            # Asked anew each time: a request under way may turn out cheaper than was feared.
            self._limit = self._meter.reached(_pledge(self._queue[0][1]))
            if self._limit:
                return None
            key, job = self._queue.popleft()
            if self._store.claim(key):
                return key, job
            found = self._store.get([key])
            if found:
                self._replies |= found
                self._advance(1)
            else:
                self._held.append((key, job))
        return None

    async def _ask(self, generator: TextGenerator, key: str, job: Job[Result]) -> None:
        pledge, begun, reply = _pledge(job), time.monotonic(), None
        self._meter.start(pledge)
        try:
            reply = _sane(await self._reply(generator, key, job))
        except LLMRefused:
            raise
        except LLMError as error:
            self._store.fail(key, self._sampling.model, FAILED, error.happened)
            self._failure(key, error, error.happened)
            return
        finally:
            seconds = time.monotonic() - begun
            self._meter.finish(pledge, reply, seconds)
        made, dropped = job.read(reply)
        if dropped and not made and not (job.may_be_empty and dropped[0].reason != UNREADABLE):
            self._store.fail(key, self._sampling.model, dropped[0].reason, reply.text, replied=True)
            self._failure(key, reply, dropped[0].reason)
            return
        self._replies[key] = self._store.put(key, self._sampling.model, reply, seconds)
        self._answered += 1
        self._in_a_row = 0
        self._advance(1)

    async def _reply(self, generator: TextGenerator, key: str, job: Job[Result]) -> Reply:
        # The same seed would bring the same useless words again.
        before = self._failed_before.get(key)
        seed = self._sampling.seed + (before.replies if before else 0)
        return await generator.reply(
            job.messages,
            max_tokens=job.max_tokens,
            temperature=self._sampling.temperature,
            seed=seed,
            schema=job.schema,
        )

    def _failure(self, key: str, what: LLMError | Reply, said: str) -> None:
        self._failures[key] = what
        self._in_a_row += 1
        self._advance(1)
        if self._in_a_row >= (_FAILURES_IN_A_ROW if self._answered else _FAILURES_AT_FIRST):
            raise LLMError(
                f"{self._in_a_row} requests to '{self._sampling.model}' failed one after another, the last with: {said}",
                hint=f"{self._answered} new answers are kept with those of earlier runs. When the endpoint is well again, run the "
                "same command: it asks only for what is missing.",
            )


def _pledge(job: Job[Any]) -> Pledge:
    size = sum(len(message.content.encode("utf-8", "replace")) for message in job.messages)
    return Pledge(size, job.max_tokens)


def _sane(reply: Reply) -> Reply:
    prompt, answer = (max(0, min(count, _MOST_TOKENS)) for count in (reply.prompt_tokens, reply.answer_tokens))
    return Reply(_whole(reply.text), prompt, answer, reply.finish)


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # no file can hold half a surrogate pair
