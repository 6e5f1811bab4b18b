"""Jobs of every kind go one way: stored first, asked within limits, kept as they arrive, given back in their own order."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import ExtraMissing, LLMError, LLMRefused, WorkspaceError
from dragoman.models.protocols import Message, Reply
from dragoman.records import Rejected
from dragoman.synth.budget import Budget
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import OVER_BUDGET, UNREADABLE, Done, Job, Sampling, do_jobs

SAMPLING = Sampling("small", 0.5, 7)

Says = Callable[[str, int], "str | Exception"]  # of a prompt and a seed


class Speaker:
    """A language model in this process: says what it is told to, after as many seconds as the prompt's last word wants."""

    name = "small"

    def __init__(self, says: Says = lambda prompt, _: prompt.upper()) -> None:
        self.says = says
        self.asked: list[str] = []
        self.seeds: list[int] = []

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        assert (max_tokens, temperature, schema) == (256, 0.5, None)
        prompt = messages[-1].content
        self.asked.append(prompt)
        self.seeds.append(seed)
        await asyncio.sleep(float(prompt.split()[-1]) if " " in prompt else 0)
        said = self.says(prompt, seed)
        if isinstance(said, Exception):
            raise said
        return Reply(said, 10, 5, "stop")

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncIterator[str]:
        yield (await self.reply(messages, max_tokens=max_tokens, temperature=temperature, seed=seed)).text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(path) as opened:
        yield opened


def echo(prompt: str, *, may_be_empty: bool = False, parts: tuple[str, ...] = ()) -> Job[str]:
    """A job whose result is the answer; an answer that begins with "!" cannot be read, and an empty one is empty."""

    def read(reply: Reply) -> tuple[list[str], list[Rejected]]:
        if reply.text.startswith("!"):
            return [], [Rejected("synth", prompt, UNREADABLE, reply.text)]
        return ([reply.text], []) if reply.text else ([], [Rejected("synth", prompt, "left empty")])

    return Job(prompt, (Message("user", prompt),), read, parts=parts, may_be_empty=may_be_empty)


async def work(
    speaker: Speaker,
    store: AnswerStore,
    jobs: Sequence[Job[str]],
    concurrency: int = 1,
    budget: Budget | None = None,
    opened: Callable[[], AbstractContextManager[Speaker]] | None = None,
) -> Done[str]:
    gives = opened or (lambda: nullcontext(speaker))
    return await do_jobs(jobs, gives, store, SAMPLING, concurrency=concurrency, budget=budget)


def prompts(number: int) -> list[Job[str]]:
    return [echo(f"p{place}") for place in range(number)]


def test_results_come_in_the_order_of_the_jobs_whatever_came_first(store: AnswerStore) -> None:
    speaker = Speaker(lambda prompt, _: LLMError("cut off") if prompt == "c 0.04" else prompt)
    jobs = [echo(f"{letter} 0.0{6 - place}") for place, letter in enumerate("abcdef")]
    done = asyncio.run(work(speaker, store, jobs, concurrency=6))
    assert done.results == ("a 0.06", "b 0.05", "d 0.03", "e 0.02", "f 0.01")
    assert done.rejected == (Rejected("synth", "c 0.04", "request failed", "cut off"),)
    assert (done.asked, done.failed, done.prompt_tokens, done.answer_tokens) == (6, 1, 50, 25)


def test_jobs_differ_by_everything_that_their_answer_depends_on() -> None:
    message = (Message("user", "why"),)
    read = echo("why").read
    jobs = [
        Job("why", message, read),
        Job("why", message, read, schema={"type": "object"}),
        Job("why", message, read, max_tokens=9),
        Job("why", message, read, parts=("second",)),
        Job("why", (Message("user", "why not"),), read),
    ]
    others = [Sampling("small", 0.5, 8), Sampling("small", 0.6, 7), Sampling("large", 0.5, 7)]
    keys = [SAMPLING.key(job) for job in jobs] + [other.key(jobs[0]) for other in others]
    assert len(set(keys)) == len(keys)
    assert SAMPLING.key(Job("else", message, read, kind="other", may_be_empty=True)) == keys[0]


def test_a_refusal_ends_the_work_at_once_and_answers_under_way_are_kept(store: AnswerStore) -> None:
    speaker = Speaker(lambda prompt, _: LLMRefused("wrong key") if prompt == "p1" else prompt)
    jobs = [echo("slow 0.1"), *prompts(30)]
    with pytest.raises(LLMRefused, match="wrong key"):
        asyncio.run(work(speaker, store, jobs, concurrency=2))
    assert speaker.asked == ["slow 0.1", "p0", "p1"]
    assert store.get([SAMPLING.key(jobs[0])])[SAMPLING.key(jobs[0])].text == "slow 0.1"
    assert store.claim(SAMPLING.key(jobs[2]))


@pytest.mark.parametrize("error", [ExtraMissing("no openai", extra="local"), WorkspaceError("disk full")])
def test_another_error_ends_the_work_as_itself(store: AnswerStore, error: Exception) -> None:
    speaker = Speaker(lambda *_: error)
    with pytest.raises(type(error), match=str(error).split(".", maxsplit=1)[0]):
        asyncio.run(work(speaker, store, prompts(9), concurrency=3))
    assert len(speaker.asked) == 3


@pytest.mark.parametrize(("good", "failures"), [(0, 20), (3, 50)])
def test_nothing_but_failures_for_a_while_ends_the_work(store: AnswerStore, good: int, failures: int) -> None:
    names = {f"p{place}" for place in range(good)}
    speaker = Speaker(lambda prompt, _: prompt if prompt in names else LLMError("503: busy"))
    with pytest.raises(LLMError, match=f"{failures} requests.*503: busy.*{good} new answers are kept.*same command"):
        asyncio.run(work(speaker, store, prompts(90)))
    assert len(speaker.asked) == good + failures
    known = store.failures([SAMPLING.key(job) for job in prompts(90)])
    assert [(each.reason, each.detail, each.attempts) for each in known.values()] == [
        ("request failed", "503: busy", 1)
    ] * failures


def test_an_answer_between_failures_is_a_new_beginning(store: AnswerStore) -> None:
    speaker = Speaker(lambda prompt, _: prompt if int(prompt[1:]) % 40 == 0 else LLMError("503"))
    done = asyncio.run(work(speaker, store, prompts(120)))
    assert (done.results, done.failed) == (("p0", "p40", "p80"), 117)


def test_a_useless_reply_is_a_failure_and_is_asked_for_again_with_another_seed(store: AnswerStore) -> None:
    speaker = Speaker(lambda prompt, seed: "! half \ud83e" if prompt == "p1" and seed < 9 else prompt)
    for run in range(3):
        done = asyncio.run(work(speaker, store, prompts(2)))
        assert (done.asked, done.failed) == (2 - (run > 0), int(run < 2))
        assert done.results == (("p0", "p1") if run == 2 else ("p0",))
        assert done.rejected == (() if run == 2 else (Rejected("synth", "p1", UNREADABLE, "! half ?"),))
    assert speaker.seeds == [7, 7, 8, 9]


def test_an_answer_may_be_empty_where_the_job_says_so(store: AnswerStore) -> None:
    speaker = Speaker(lambda prompt, _: "!" if prompt == "bad" else "")
    jobs = [echo("a", may_be_empty=True), echo("b"), echo("bad", may_be_empty=True)]
    for asked in (3, 2):
        done = asyncio.run(work(speaker, store, jobs))
        assert (done.asked, [row.reason for row in done.rejected]) == (asked, ["left empty", "left empty", UNREADABLE])


def test_two_runs_over_one_store_ask_nothing_twice_and_end_alike(path: Path) -> None:
    jobs = [echo(f"p{place} 0.01") for place in range(20)]
    speaker = Speaker()

    async def both() -> list[Done[str]]:
        with AnswerStore(path) as one, AnswerStore(path) as other:
            return await asyncio.gather(*(work(speaker, store, jobs, 3) for store in (one, other)))

    first, second = asyncio.run(both())
    assert sorted(speaker.asked) == sorted(job.item for job in jobs)
    assert first.results == second.results == tuple(job.item.upper() for job in jobs)
    assert first.asked + second.asked == 20
    assert (first.asked + first.stored, second.asked + second.stored) == (20, 20)
    assert min(first.asked, second.asked) > 0


def test_what_another_run_claimed_and_failed_is_asked_by_this_one(path: Path) -> None:
    speaker = Speaker()
    key = SAMPLING.key(echo("p0"))

    async def main() -> Done[str]:
        with AnswerStore(path) as other, AnswerStore(path) as store:
            assert other.claim(key)
            running = asyncio.create_task(work(speaker, store, prompts(2)))
            await asyncio.sleep(0.1)
            assert speaker.asked == ["p1"]
            other.fail(key, "small", "request failed", "503")
            return await running

    assert asyncio.run(main()).results == ("P0", "P1")
    assert speaker.asked == ["p1", "p0"]


def test_a_budget_that_lets_nothing_through_does_not_open_the_model(store: AnswerStore) -> None:
    done = asyncio.run(work(Speaker(), store, prompts(3), budget=Budget(requests=0), opened=pytest.fail))
    assert (done.asked, done.not_asked, {row.reason for row in done.rejected}) == (0, 3, {OVER_BUDGET})
    assert store.failures([SAMPLING.key(job) for job in prompts(3)]) == {}, "what was not asked has not failed"


def test_requests_under_way_count_before_their_price_is_known(store: AnswerStore) -> None:
    jobs = [echo(f"p{place} 0.01") for place in range(40)]
    done = asyncio.run(work(Speaker(), store, jobs, concurrency=8, budget=Budget(tokens=300)))
    assert 0 < done.prompt_tokens + done.answer_tokens <= 300
    assert done.asked >= 17, "answers turned out shorter than was feared, and the rest of the budget was used"
    assert done.asked + done.not_asked == 40


def test_every_job_ends_as_a_result_or_a_rejection(store: AnswerStore) -> None:
    said: dict[str, str | Exception] = {"p1": LLMError("429"), "p2": "!", "p3": "", "p5": "!"}
    speaker = Speaker(lambda prompt, _: said.get(prompt, prompt))
    done = asyncio.run(work(speaker, store, prompts(12), concurrency=3, budget=Budget(requests=9)))
    assert sorted([*done.results, *(row.item for row in done.rejected)]) == sorted(job.item for job in prompts(12))


def test_counts_from_outside_are_not_believed_blindly(store: AnswerStore) -> None:
    class Boaster(Speaker):
        async def reply(self, messages: Sequence[Message], **_: Any) -> Reply:
            return Reply(json.dumps(len(messages)), 10**30, -5, "stop")

    done = asyncio.run(work(Boaster(), store, prompts(1)))
    assert (done.results, done.answer_tokens) == (("1",), 0)
    assert store.get([SAMPLING.key(prompts(1)[0])])
