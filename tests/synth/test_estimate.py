"""What a run will cost is known before it is paid for."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from dragoman.errors import LLMError
from dragoman.models.llm import EndpointLLM
from dragoman.models.protocols import Message, Reply
from dragoman.models.stub import StubFault, StubServer
from dragoman.models.tokens import ModelTokens
from dragoman.records import Chunk, Question
from dragoman.synth.budget import Prices
from dragoman.synth.estimate import (
    SAMPLE,
    Estimate,
    Measured,
    Span,
    estimate_jobs,
    message_counter,
    project_minutes,
    project_tokens,
    spread,
)
from dragoman.synth.generate import question_jobs
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import Done, Job, Sampling, do_jobs

MakeChunk = Callable[..., Chunk]
SAMPLING = Sampling("small", 0.5, 1)
# Of 350 real requests about a real project's docs: tokens of the prompt as the embedding model counts them, and tokens of prompt
# and answer as the language model (qwen2.5-coder-0.5b) reported them.
USAGE = [Measured(*row) for row in json.loads(Path(__file__).with_name("argilla_usage.json").read_text())]


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as opened:
        yield opened


@pytest.fixture
def jobs(make_chunk: MakeChunk) -> list[Job[Question]]:
    """Forty, about passages of 3 to 120 words."""
    texts = [" ".join(f"word{place}{number}" for number in range(3 * place + 3)) for place in range(40)]
    return question_jobs([make_chunk(text) for text in texts], "small")


def opener(stub: StubServer) -> Callable[..., object]:
    @contextmanager
    def endpoint() -> Iterator[EndpointLLM]:
        yield EndpointLLM(stub.base_url, "small", retries=0)

    return endpoint


def letters(messages: Sequence[Message]) -> int:
    """A tokenizer that is not the endpoint's: the stub counts words."""
    return sum(len(message.content) for message in messages) // 4


def estimated(
    stub: StubServer, store: AnswerStore, jobs: Sequence[Job[Question]], prices: Prices | None = None
) -> Estimate:
    return asyncio.run(
        estimate_jobs(
            jobs,
            opener(stub),  # type: ignore[arg-type]
            store,
            SAMPLING,
            count=letters,
            tokenizer="four letters a token",
            concurrency=4,
            prices=prices,
        )
    )


def run(stub: StubServer, store: AnswerStore, jobs: Sequence[Job[Question]]) -> Done[Question]:
    return asyncio.run(do_jobs(jobs, opener(stub), store, SAMPLING, concurrency=4))  # type: ignore[arg-type]


def within(span: Span, real: float) -> bool:
    return span.low <= real <= span.high


def test_five_answers_foretell_a_real_run_within_15_percent() -> None:
    chosen = spread([row.counted for row in USAGE], SAMPLE)
    rest = [row for place, row in enumerate(USAGE) if place not in chosen]
    prompts, answers = project_tokens([row.counted for row in rest], [USAGE[place] for place in chosen])
    assert prompts.expected == pytest.approx(sum(row.prompt_tokens for row in rest), rel=0.05)
    assert answers.expected == pytest.approx(sum(row.answer_tokens for row in rest), rel=0.15)


def test_of_random_fives_nineteen_in_twenty_do_and_the_real_sums_lie_in_their_ranges() -> None:
    rng = random.Random(4)
    near = inside = 0
    for _ in range(400):
        chosen = set(rng.sample(range(len(USAGE)), SAMPLE))
        rest = [row for place, row in enumerate(USAGE) if place not in chosen]
        prompts, answers = project_tokens([row.counted for row in rest], [USAGE[place] for place in chosen])
        sent, came = sum(row.prompt_tokens for row in rest), sum(row.answer_tokens for row in rest)
        near += abs(answers.expected / came - 1) < 0.15 and abs(prompts.expected / sent - 1) < 0.15
        inside += within(prompts, sent) and within(answers, came)
    assert near > 0.95 * 400
    assert inside > 0.95 * 400


def test_an_estimate_is_near_what_the_run_then_takes(
    stub: StubServer, store: AnswerStore, jobs: list[Job[Question]]
) -> None:
    estimate = estimated(stub, store, jobs, Prices(prompt=2.0, answer=10.0))
    assert len(stub.requests) == estimate.sent == estimate.measured == SAMPLE
    assert (estimate.jobs, estimate.stored, estimate.requests) == (40, SAMPLE, 35)
    done = run(stub, store, jobs)
    assert (done.asked, done.stored) == (35, SAMPLE), "the answers that were measured are not asked for again"
    assert len(stub.requests) == 40
    assert estimate.prompt_tokens.expected == pytest.approx(done.prompt_tokens, rel=0.15)
    assert estimate.answer_tokens.expected == pytest.approx(done.answer_tokens, rel=0.15)
    assert within(estimate.prompt_tokens, done.prompt_tokens)
    assert within(estimate.answer_tokens, done.answer_tokens)
    assert estimate.money is not None
    assert estimate.money.expected == pytest.approx(
        estimate.prompt_tokens.expected * 2e-6 + estimate.answer_tokens.expected * 1e-5
    )
    assert estimate.minutes is not None


def test_a_second_estimate_sends_nothing_and_one_of_a_finished_run_is_nothing(
    stub: StubServer, store: AnswerStore, jobs: list[Job[Question]]
) -> None:
    first = estimated(stub, store, jobs)
    stub.requests.clear()
    second = estimated(stub, store, jobs)
    assert (stub.requests, second.sent, second.measured) == ([], 0, SAMPLE)
    assert (second.prompt_tokens, second.money) == (first.prompt_tokens, None)
    run(stub, store, jobs)
    third = estimated(stub, store, jobs)
    assert (third.requests, third.prompt_tokens, third.answer_tokens) == (0, Span(0, 0, 0), Span(0, 0, 0))


def test_each_kind_of_job_is_measured_by_itself(
    stub: StubServer, store: AnswerStore, jobs: list[Job[Question]]
) -> None:
    def sentence(reply: Reply) -> tuple[list[Question], list[object]]:
        return [Question("id", reply.text, "c", "llm", "context")], []

    talk = "tell " * 400
    others = [
        Job(f"other {n}", (Message("user", f"{talk} {n}"),), sentence, kind="context")  # type: ignore[arg-type]
        for n in range(30)
    ]
    stub.script = lambda body: "word " * 100 if body["messages"][-1]["content"].startswith(talk) else None
    estimate = estimated(stub, store, [*jobs, *others])
    assert estimate.sent == 2 * SAMPLE
    done = run(stub, store, [*jobs, *others])
    assert done.asked == 60
    assert estimate.answer_tokens.expected == pytest.approx(done.answer_tokens, rel=0.05)
    assert estimate.prompt_tokens.expected == pytest.approx(done.prompt_tokens, rel=0.05)


def test_an_endpoint_that_answers_nothing_cannot_be_measured(
    stub: StubServer, store: AnswerStore, jobs: list[Job[Question]]
) -> None:
    stub.script = lambda _: StubFault(500)
    with pytest.raises(LLMError, match=r"none of the 5 requests.*500"):
        estimated(stub, store, jobs)


def test_the_sample_is_spread_over_the_sizes() -> None:
    sizes = [5, 1, 9, 3, 7, 2, 8, 4, 6, 10]
    assert [sizes[place] for place in spread(sizes, 5)] == [2, 4, 6, 8, 10]
    assert spread(sizes, 0) == []
    assert sorted(spread(sizes, 99)) == list(range(10))
    assert spread([], 5) == []


def test_a_range_is_wide_when_little_or_nothing_alike_was_measured() -> None:
    alike = [Measured(100, 110, 50)] * 5
    prompts, answers = project_tokens([100] * 10, alike)
    assert (prompts.expected, prompts.low, prompts.high) == pytest.approx((1100, 1045, 1155))
    assert (answers.expected, answers.low, answers.high) == pytest.approx((500, 425, 575))
    assert project_tokens([100] * 10, alike[:1])[1] == Span(500, 250, 750)
    mixed = [Measured(100, 110, tokens) for tokens in (10, 20, 50, 80, 90)]
    _, answers = project_tokens([100] * 10, mixed)
    assert (answers.expected, answers.low) == (500, 0)
    assert answers.high > 1000


def test_minutes_follow_from_how_many_requests_go_at_once() -> None:
    assert project_minutes(100, [], 4, 4) is None
    span = project_minutes(102, [6.0, 6.0, 6.0], 4, 4)
    assert span is not None
    assert (span.expected, span.low, span.high) == pytest.approx((2.6, 2.08, 3.12))  # 26 rounds of 6 seconds
    many = project_minutes(320, [6.0, 6.0, 6.0], 32, 4)
    assert many is not None
    assert many.expected == pytest.approx(1.0)
    assert many.high > 8, "a server that does only four at once needs eight times as long"
    assert project_minutes(0, [6.0], 4, 4) == Span(0, 0, 0)


def test_the_line_says_everything() -> None:
    span = Span(1200, 1000, 1400)
    estimate = Estimate(50, 8, 42, 5, 8, span, span, Span(2, 1.5, 3), Span(0.25, 0.2, 0.3), "the embedding model")
    assert estimate.line() == (
        "42 requests to send (8 of 50 answered already); 1,200 (1,000 to 1,400) prompt tokens; "
        "1,200 (1,000 to 1,400) answer tokens; 2.0 (1.5 to 3.0) minutes; 0.25 (0.2 to 0.3) in money "
        "(counted with the embedding model, scaled by 8 answers, 5 of them asked for now)"
    )


def test_messages_are_counted_with_a_real_tokenizer(minilm: Path, jobs: list[Job[Question]]) -> None:
    tokens = ModelTokens(minilm)
    count = message_counter(tokens)
    for job in jobs[:3]:
        assert count(job.messages) == sum(tokens.count([message.content for message in job.messages]))
    assert count(()) == tokens.special
