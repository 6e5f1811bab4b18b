"""What a run will cost, said before it is paid for.

In: jobs, a counter of prompt tokens, and a few answers. Out: requests, tokens, minutes and money, each with a range. Prompts are
counted all; what the count is off by, and how long answers are, is measured on stored answers, or on a few requests
sent now, whose answers are stored like any others.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import fmean, stdev
from typing import Any

from dragoman.errors import LLMError
from dragoman.models.protocols import Message
from dragoman.models.tokens import TokenCounter
from dragoman.synth.budget import Prices
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import Job, OpenGenerator, Sampling, do_jobs

SAMPLE = 5  # answers measured of each kind of job

_LEAST_PROMPT, _LEAST_ANSWER, _LEAST_SECONDS = 0.05, 0.15, 0.2  # no range is narrower than this share of its middle
_ALONE = 0.5  # of one measurement, when nothing says how far they spread
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)  # 95%, for 1 to 9 degrees of freedom
_STUDENT_MANY = 2.1

CountTokens = Callable[[Sequence[Message]], int]


@dataclass(frozen=True, slots=True)
class Span:
    """A figure and the range that it lies in, most probably."""

    expected: float
    low: float
    high: float

    def __add__(self, other: "Span") -> "Span":
        # Ranges are added whole: what is off for one kind of job is off for the others alike.
        return Span(self.expected + other.expected, self.low + other.low, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Measured:
    """One answered job: the tokens that were counted in its prompt, and what it took."""

    counted: int
    prompt_tokens: int
    answer_tokens: int
    seconds: float = 0.0  # 0: not known


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is still to be sent and what it will take; ``tokenizer`` says whose count of the prompts was scaled."""

    jobs: int
    stored: int  # jobs that need no request, those sent to measure included
    requests: int
    sent: int  # to measure, now
    measured: int  # answers that the figures rest on
    prompt_tokens: Span
    answer_tokens: Span
    minutes: Span | None  # None: no answer was timed
    money: Span | None  # None: no prices
    tokenizer: str

    def line(self) -> str:
        """The estimate in one line, for people."""
        parts = [
            f"{self.requests:,} requests to send ({self.stored:,} of {self.jobs:,} answered already)",
            f"{_said(self.prompt_tokens)} prompt tokens",
            f"{_said(self.answer_tokens)} answer tokens",
        ]
        if self.minutes:
            parts.append(f"{_said(self.minutes, '.1f')} minutes")
        if self.money:
            parts.append(f"{_said(self.money, '.4g')} in money")
        how = f"counted with {self.tokenizer}, scaled by {self.measured} answers, {self.sent} of them asked for now"
        return f"{'; '.join(parts)} ({how})"


@dataclass(slots=True)
class _Kind:
    counted: list[int] = field(default_factory=list)  # of what is still to be sent
    measured: list[Measured] = field(default_factory=list)


def message_counter(tokens: TokenCounter) -> CountTokens:
    """A counter of messages from a counter of texts, which counts what many prompts share once.

    Args:
        tokens: Of the language model, or of the embedding model: the measured answers say by how much they differ.

    Returns:
        Tokens of all messages together.
    """

    @cache
    def count(text: str) -> int:
        return tokens.count([text])[0]

    def count_all(messages: Sequence[Message]) -> int:
        *shared, last = [message.content for message in messages] or [""]
        return sum(count(text) for text in shared) + tokens.count([last])[0]

    return count_all


def spread(sizes: Sequence[int], number: int) -> list[int]:
    """Places of a few that stand for all: the middle one of each of ``number`` parts of equal count, by size.

    Args:
        sizes: Size of each item.
        number: How many to take at most.

    Returns:
        Places in ``sizes``, smallest item first.
    """
    order = sorted(range(len(sizes)), key=lambda place: (sizes[place], place))
    number = min(number, len(order))
    return [order[(2 * part + 1) * len(order) // (2 * number)] for part in range(number)]


def project_tokens(counted: Sequence[int], measured: Sequence[Measured]) -> tuple[Span, Span]:
    """Tokens that requests of one kind will take.

    Args:
        counted: Tokens counted in each prompt that is still to be sent.
        measured: Answered jobs of this kind, at least one.

    Returns:
        Tokens of the prompts, and of the answers.
    """
    ratio = sum(one.prompt_tokens for one in measured) / max(1, sum(one.counted for one in measured))
    off = [one.prompt_tokens - ratio * one.counted for one in measured]
    expected = ratio * sum(counted)
    prompts = _span(expected, _half(off, len(counted)), _LEAST_PROMPT)
    answers = [float(one.answer_tokens) for one in measured]
    return prompts, _span(fmean(answers) * len(counted), _half(answers, len(counted)), _LEAST_ANSWER)


def project_minutes(requests: int, seconds: Sequence[float], concurrency: int, at_once: int) -> Span | None:
    """Minutes that requests will take.

    Args:
        requests: How many are to be sent.
        seconds: How long each measured one took; empty: not known.
        concurrency: Requests under way at once in the run.
        at_once: Requests under way at once when they were measured.

    Returns:
        The time if the server keeps up; at most, the time if it does no more at once than it did when measured.
    """
    if not seconds:
        return None
    rounds = math.ceil(requests / concurrency)
    half = _half(seconds, requests) / max(1, requests) * rounds
    span = _span(fmean(seconds) * rounds, half, _LEAST_SECONDS)
    slower = max(1.0, concurrency / max(1, at_once))
    return Span(span.expected / 60, span.low / 60, span.high * slower / 60)


async def estimate_jobs(
    jobs: Sequence[Job[Any]],
    open_generator: OpenGenerator,
    store: AnswerStore,
    sampling: Sampling,
    *,
    count: CountTokens,
    tokenizer: str,
    concurrency: int,
    prices: Prices | None = None,
) -> Estimate:
    """Estimate what the jobs will take, sending at most ``SAMPLE`` of each kind.

    Args:
        jobs: The jobs of the run.
        open_generator: Gives the language model; called only when too few answers are stored to measure.
        store: Where answers are looked up, and kept.
        sampling: Model, temperature and seed.
        count: Counts the tokens of a prompt.
        tokenizer: Whose tokens these are; for the reader of the estimate.
        concurrency: Requests under way at once.
        prices: Prices of tokens; None: no money is estimated.

    Returns:
        The estimate of what is left to be sent after the sample.

    Raises:
        LLMRefused: The endpoint refuses every request alike.
        LLMError: No request of the sample was answered.
    """
    distinct = {sampling.key(job): job for job in jobs}
    counted = {key: count(job.messages) for key, job in distinct.items()}
    sample = _sample(distinct, counted, store)
    done = await do_jobs(sample, open_generator, store, sampling, concurrency=min(concurrency, SAMPLE))
    kinds = _kinds(distinct, counted, store)
    if any(kind.counted and not kind.measured for kind in kinds.values()):
        said = next((row.detail for row in done.rejected), "")
        raise LLMError(
            f"none of the {done.asked} requests that were to be measured was answered: {said}",
            hint="See to the endpoint and ask for the estimate again.",
        )
    prompts = answers = Span(0, 0, 0)
    for kind in kinds.values():
        if kind.counted:
            prompt, answer = project_tokens(kind.counted, kind.measured)
            prompts, answers = prompts + prompt, answers + answer
    measured = [one for kind in kinds.values() for one in kind.measured]
    requests = sum(len(kind.counted) for kind in kinds.values())
    timed = [one.seconds for one in measured if one.seconds]
    return Estimate(
        len(jobs),
        len(jobs) - requests,
        requests,
        done.asked,
        len(measured),
        prompts,
        answers,
        project_minutes(requests, timed, concurrency, min(concurrency, SAMPLE)),
        _priced(prompts, answers, prices) if prices else None,
        tokenizer,
    )


def _sample(distinct: Mapping[str, Job[Any]], counted: Mapping[str, int], store: AnswerStore) -> list[Job[Any]]:
    """What to ask now, so that each kind of job has enough answers to measure."""
    answered = store.get(distinct)
    missing: dict[str, list[str]] = defaultdict(list)
    lacking: dict[str, int] = defaultdict(lambda: SAMPLE)
    for key, job in distinct.items():
        if key in answered:
            lacking[job.kind] -= 1
        else:
            missing[job.kind].append(key)
    chosen = []
    for kind, keys in missing.items():
        places = spread([counted[key] for key in keys], max(0, lacking[kind]))
        chosen += [distinct[keys[place]] for place in places]
    return chosen


def _kinds(distinct: Mapping[str, Job[Any]], counted: Mapping[str, int], store: AnswerStore) -> dict[str, _Kind]:
    answered, seconds = store.get(distinct), store.seconds(distinct)
    kinds: dict[str, _Kind] = defaultdict(_Kind)
    for key, job in distinct.items():
        reply = answered.get(key)
        if reply is None:
            kinds[job.kind].counted.append(counted[key])
        else:
            tokens = counted[key], reply.prompt_tokens, reply.answer_tokens
            kinds[job.kind].measured.append(Measured(*tokens, seconds.get(key, 0.0)))
    return kinds


def _priced(prompts: Span, answers: Span, prices: Prices) -> Span:
    ends = ("expected", "low", "high")
    return Span(*(prices.cost(getattr(prompts, end), getattr(answers, end)) for end in ends))


def _half(values: Sequence[float], number: int) -> float:
    """Half the width of the range of the sum of ``number`` values, of which some are known."""
    known = len(values)
    if known == 1:
        return _ALONE * abs(values[0]) * number
    student = _STUDENT[known - 2] if known - 2 < len(_STUDENT) else _STUDENT_MANY
    return student * stdev(values) * number * math.sqrt(1 / known + 1 / max(1, number))


def _span(expected: float, half: float, least: float) -> Span:
    half = max(half, least * expected)
    return Span(expected, max(0.0, expected - half), expected + half)


def _said(span: Span, form: str = ",.0f") -> str:
    return f"{span.expected:{form}} ({span.low:{form}} to {span.high:{form}})"
