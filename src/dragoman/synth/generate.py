"""Chunks -> questions written by a language model.

In: chunks, a generator and the store of answers. Out: questions, and a rejection for every request
that failed or was not sent and every reply that gave none. Which chunks are asked about is decided by content and seed alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from dragoman.config import SynthSettings
from dragoman.records import Chunk, Question, Rejected, content_id
from dragoman.synth.answers import REASONS as UNREAD
from dragoman.synth.answers import read_questions
from dragoman.synth.budget import Budget
from dragoman.synth.kinds import DEFAULT_KINDS, chosen_kinds
from dragoman.synth.prompts import question_messages, question_schema
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import MAX_TOKENS, OVER_BUDGET, Job, OpenGenerator, Sampling, do_jobs

REASONS = (*UNREAD, OVER_BUDGET)


@dataclass(frozen=True, slots=True)
class Generated:
    """Questions in the order of the chunks, what gave none, and what it cost."""

    questions: tuple[Question, ...]
    rejected: tuple[Rejected, ...]
    asked: int  # requests sent now
    stored: int  # answers that were there already
    prompt_tokens: int  # of the requests sent now
    answer_tokens: int
    failed: int = 0  # of the requests sent now; they are asked again next time
    not_asked: int = 0  # requests that the budget left out
    note: str = ""  # why the run stopped early and how to go on


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


def question_jobs(
    chunks: Sequence[Chunk],
    model: str,
    kinds: Sequence[str] = DEFAULT_KINDS,
    *,
    persona: str = "",
    project: str = "",
    language: str = "",
) -> list[Job[Question]]:
    """A request for one question of each kind about each chunk.

    Args:
        chunks: What to ask about.
        model: Name of the model, kept with each question.
        kinds: Names of kinds; of more than the usual four, the answer may be longer.
        persona: As for ``question_messages``.
        project: As for ``question_messages``.
        language: As for ``question_messages``.

    Returns:
        A job a chunk.

    Raises:
        ConfigError: A kind is unknown.
    """
    chosen = chosen_kinds(kinds)
    return [
        Job(
            item=chunk.id,
            messages=tuple(question_messages(chunk, chosen, persona, project, language)),
            read=partial(read_questions, chunk, model=model, kinds=chosen),
            schema=question_schema(chosen),
            max_tokens=MAX_TOKENS * -(-len(chosen) // len(DEFAULT_KINDS)),
            kind="questions",
        )
        for chunk in chunks
    ]


async def generate_questions(  # noqa: PLR0913 - six say what to ask, three how
    chunks: Sequence[Chunk],
    model: str,
    open_generator: OpenGenerator,
    store: AnswerStore,
    settings: SynthSettings,
    *,
    seed: int,
    concurrency: int,
    advance: Callable[[int], None] | None = None,
    budget: Budget | None = None,
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
        advance: Called with the number of chunks just done.
        budget: What may be spent now; None: no limit.

    Returns:
        The questions and rejections, in the order of the chunks.

    Raises:
        LLMRefused: The endpoint refuses every request alike.
        LLMError: Nothing but failures came for a while; what was answered is kept.
    """
    done = await do_jobs(
        question_jobs(chunks, model),
        open_generator,
        store,
        Sampling(model, settings.temperature, seed),
        concurrency=concurrency,
        budget=budget,
        advance=advance,
    )
    return Generated(
        done.results,
        done.rejected,
        done.asked,
        done.stored,
        done.prompt_tokens,
        done.answer_tokens,
        done.failed,
        done.not_asked,
        done.note,
    )
