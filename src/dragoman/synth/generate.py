"""Chunks -> questions written by a language model.

In: chunks, a generator and the store of answers. Out: questions, and a rejection for every request
or reply that gave none. Which chunks are asked about is decided by content and seed alone.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

from dragoman.config import SynthSettings
from dragoman.errors import DragomanError, LLMError
from dragoman.models.protocols import Message, Reply, TextGenerator
from dragoman.records import Chunk, Question, Rejected, content_id
from dragoman.synth.prompts import SCHEMA, STYLES, question_messages
from dragoman.synth.store import AnswerStore

REASONS = ("request failed", "not the JSON asked for", "left empty")
MAX_TOKENS = 256
_FAILURES_IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class Generated:
    """Questions in the order of the chunks, what gave none, and what it cost."""

    questions: tuple[Question, ...]
    rejected: tuple[Rejected, ...]
    asked: int  # requests sent now
    stored: int  # answers that were there already
    prompt_tokens: int  # of the requests sent now
    answer_tokens: int


def choose_chunks(chunks: Sequence[Chunk], requests: int, seed: int) -> list[Chunk]:
    """The chunks to ask about: spread over all documents, and over sections before repeats.

    Args:
        chunks: All chunks.
        requests: How many to choose at most.
        seed: Decides between equals, together with the chunk's id.

    Returns:
        At most ``requests`` chunks, in their own order.
    """
    queues: dict[tuple[str, str], list[Chunk]] = {}
    for chunk in chunks:
        queues.setdefault((chunk.source, chunk.path), []).append(chunk)
    ranked: list[tuple[float, str, Chunk]] = []
    for queue in queues.values():
        seen: dict[str, int] = {}
        turns: list[tuple[int, str, Chunk]] = []
        for chunk in sorted(queue, key=lambda item: content_id(seed, item.id)):
            turn = seen[chunk.section] = seen.get(chunk.section, -1) + 1
            turns.append((turn, content_id(seed, chunk.id), chunk))
        turns.sort(key=lambda item: item[:2])
        # The n-th of m chunks stands at n/m: cutting the line anywhere takes the same share of each document,
        # and the first of every document comes before all others.
        ranked += [(place / len(turns), order, chunk) for place, (_, order, chunk) in enumerate(turns)]
    ranked.sort(key=lambda item: item[:2])
    chosen = {chunk.id for _, _, chunk in ranked[:requests]}
    return [chunk for chunk in chunks if chunk.id in chosen]


async def generate_questions(
    chunks: Sequence[Chunk],
    model: str,
    open_generator: Callable[[], AbstractContextManager[TextGenerator]],
    store: AnswerStore,
    settings: SynthSettings,
    *,
    seed: int,
    concurrency: int,
    advance: Callable[[int], None] | None = None,
) -> Generated:
    """Ask for questions about each chunk, keeping every answer as it arrives.

    Args:
        chunks: What to ask about, one request each.
        model: The language model's name; part of the key of an answer.
        open_generator: Gives the language model; called only when an answer is missing.
        store: Where answers are looked up first, and kept.
        settings: Sampling temperature.
        seed: Sampling seed; part of the key of an answer.
        concurrency: Requests under way at once.
        advance: Called with the number of chunks just answered.

    Returns:
        The questions and rejections, in the order of the chunks.

    Raises:
        LLMError: The endpoint failed several times in a row; what was answered is kept.
    """
    asker = _Asker(model, store, settings.temperature, seed)
    keys = {chunk.id: asker.key(question_messages(chunk)) for chunk in chunks}
    replies: dict[str, Reply | LLMError] = dict(store.get(keys.values()))
    missing = {keys[chunk.id]: chunk for chunk in chunks if keys[chunk.id] not in replies}
    if advance:
        advance(len(chunks) - len(missing))
    if missing:
        with open_generator() as generator:
            await _ask_all(asker, generator, missing, replies, concurrency, advance)
    questions: list[Question] = []
    rejected: list[Rejected] = []
    for chunk in chunks:
        kept, dropped = read_reply(chunk, replies[keys[chunk.id]], model)
        questions += kept
        rejected += dropped
    return Generated(
        tuple(questions),
        tuple(rejected),
        len(missing),
        len(chunks) - len(missing),
        asker.prompt_tokens,
        asker.answer_tokens,
    )


async def _ask_all(
    asker: "_Asker",
    generator: TextGenerator,
    missing: Mapping[str, Chunk],
    replies: dict[str, Reply | LLMError],
    concurrency: int,
    advance: Callable[[int], None] | None,
) -> None:
    gate = asyncio.Semaphore(concurrency)

    async def ask(key: str, chunk: Chunk) -> None:
        async with gate:
            replies[key] = await asker.ask(generator, key, question_messages(chunk))
            if advance:
                advance(1)

    try:
        async with asyncio.TaskGroup() as group:
            for key, chunk in missing.items():
                group.create_task(ask(key, chunk))
    except* DragomanError as errors:
        raise errors.exceptions[0] from None


class _Asker:
    def __init__(self, model: str, store: AnswerStore, temperature: float, seed: int) -> None:
        self.model, self.store, self.temperature, self.seed = model, store, temperature, seed
        self.prompt_tokens = self.answer_tokens = self.failures = 0

    def key(self, messages: Iterable[Message]) -> str:
        """What an answer depends on, as a hash."""
        prompt = json.dumps([asdict(message) for message in messages])
        return content_id(self.model, prompt, json.dumps(SCHEMA), str(self.temperature), self.seed, MAX_TOKENS)

    async def ask(self, generator: TextGenerator, key: str, messages: Sequence[Message]) -> Reply | LLMError:
        """One request; a failure comes back as a value until too many follow each other."""
        try:
            reply = await generator.reply(
                messages, max_tokens=MAX_TOKENS, temperature=self.temperature, seed=self.seed, schema=SCHEMA
            )
        except LLMError as error:
            self.failures += 1
            if self.failures >= _FAILURES_IN_A_ROW:
                raise
            return error
        self.failures = 0
        self.store.put(key, self.model, reply)
        self.prompt_tokens += reply.prompt_tokens
        self.answer_tokens += reply.answer_tokens
        return reply


def read_reply(chunk: Chunk, reply: Reply | LLMError, model: str) -> tuple[list[Question], list[Rejected]]:
    """The questions in a reply: one for each style, each a question or a rejection.

    Args:
        chunk: The chunk that was asked about.
        reply: What came back.
        model: Name of the model, kept with each question.

    Returns:
        Questions, and rejections; a reply that cannot be read is one rejection.
    """
    if isinstance(reply, LLMError):
        return [], [Rejected("synth", chunk.id, REASONS[0], reply.happened)]
    try:
        table = json.loads(reply.text)
    except json.JSONDecodeError:
        table = None
    if not isinstance(table, dict):
        return [], [Rejected("synth", chunk.id, REASONS[1], reply.text[:200])]
    questions: list[Question] = []
    rejected: list[Rejected] = []
    for style in STYLES:
        text = table.get(style)
        # A model may write half a surrogate pair, which no file can hold.
        words = " ".join(text.encode("utf-8", "ignore").decode().split()) if isinstance(text, str) else ""
        if words:
            questions.append(Question(content_id(chunk.id, words), words, chunk.id, "llm", style, model))
        else:
            rejected.append(Rejected("synth", chunk.id, REASONS[2], style))
    return questions, rejected
