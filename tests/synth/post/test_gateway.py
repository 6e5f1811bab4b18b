"""The endpoint between distilabel and the language model, asked over a real connection."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dragoman.errors import LLMError, LLMRefused
from dragoman.models.protocols import Message
from dragoman.models.stub import StubFault, StubServer
from dragoman.synth.budget import Budget
from dragoman.synth.post.gateway import Gateway
from dragoman.synth.post.records import PostSettings
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import OpenGenerator

MakeGateway = Callable[..., Gateway]
_ASKERS = ThreadPoolExecutor(16)


class Refusal(Exception):
    pass


def never_useless(_: Sequence[Message], __: str) -> str:
    return ""


@pytest.fixture
def make_gateway(open_generator: OpenGenerator, store: AnswerStore) -> MakeGateway:
    def make(**also: Any) -> Gateway:
        settings = PostSettings(concurrency=also.pop("concurrency", 4))
        return Gateway("small", open_generator, store, settings, **{"useless": never_useless} | also)

    return make


def body_of(question: str) -> bytes:
    said = [{"role": "system", "content": "Write."}, {"role": "user", "content": question}]
    return json.dumps({"model": "small", "messages": said, "max_tokens": 64, "temperature": 0.7}).encode()


def post(gateway: Gateway, data: bytes, key: str | None = None) -> str:
    headers = {"Authorization": f"Bearer {gateway.token if key is None else key}"}
    request = urllib.request.Request(f"{gateway.base_url}/chat/completions", data, headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            text: str = json.load(answer)["choices"][0]["message"]["content"]
            return text
    except urllib.error.HTTPError as error:
        with error:
            raise Refusal(error.code) from None


async def ask(gateway: Gateway, question: str) -> str:
    # Not the loop's own threads: the client looks addresses up in those.
    return await asyncio.get_running_loop().run_in_executor(_ASKERS, post, gateway, body_of(question))


def ask_all(gateway: Gateway, questions: Sequence[str]) -> list[str]:
    async def run() -> list[str]:
        async with gateway:
            return await asyncio.gather(*(ask(gateway, question) for question in questions))

    return asyncio.run(run())


def ask_until_broken(gateway: Gateway, count: int) -> None:
    async def run() -> None:
        async with gateway:
            for place in range(count):
                asked = asyncio.create_task(ask(gateway, f"Loaf {place}"))
                either: set[asyncio.Future[Any]] = {asked, gateway.broken}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if gateway.broken.done():
                    with pytest.raises(Refusal, match="503"):
                        await asked
                    gateway.broken.result()

    asyncio.run(run())


def test_equal_requests_are_one_request_and_a_later_run_sends_none(make_gateway: MakeGateway, stub: StubServer) -> None:
    stub.latency = 0.1
    first = make_gateway()
    given = ask_all(first, ["Loaf 1", "Loaf 1", "Loaf 2", "Loaf 1"])
    assert given[0] == given[1] == given[3] != given[2]
    assert (first.meter.requests, len(stub.requests)) == (2, 2)
    assert {request["seed"] for request in stub.requests} == {PostSettings().seed}
    again = make_gateway()
    assert ask_all(again, ["Loaf 2", "Loaf 1"]) == [given[2], given[0]]
    assert (again.meter.requests, again.stored, len(stub.requests)) == (0, 2, 2)


def test_a_failed_request_is_answered_with_its_reason_and_sent_again_next_time(
    make_gateway: MakeGateway, stub: StubServer
) -> None:
    whole = stub.script
    stub.script = lambda body: StubFault(500) if "Loaf 2" in str(body) else None
    gateway = make_gateway()
    answered, failed = ask_all(gateway, ["Loaf 1", "Loaf 2"])
    assert gateway.failure not in answered
    assert failed.startswith(f"{gateway.failure}request failed|")
    assert "500" in failed
    stub.script = whole
    stub.requests.clear()
    again = make_gateway()
    assert again.failure not in "".join(ask_all(again, ["Loaf 1", "Loaf 2"]))
    assert len(stub.requests) == 1


def test_a_useless_reply_is_passed_on_and_asked_for_with_another_seed_next_time(
    make_gateway: MakeGateway, stub: StubServer
) -> None:
    stub.script = lambda _: "no idea"
    for seed in (13, 14, 15):
        stub.requests.clear()
        gateway = make_gateway(useless=lambda _, text: "useless" if text == "no idea" else "")
        assert ask_all(gateway, ["Loaf 1"]) == ["no idea"]
        assert [request["seed"] for request in stub.requests] == [seed]
        assert gateway.failed == 1
    stub.script = lambda _: "an idea"
    assert ask_all(make_gateway(), ["Loaf 1"]) == ["an idea"]


def test_a_useless_reply_is_asked_for_once_more_with_a_schema_and_the_better_one_is_kept(
    make_gateway: MakeGateway, stub: StubServer
) -> None:
    stub.script = lambda body: '{"answer": "an idea"}' if "response_format" in body else "no idea"

    def useless(_: Sequence[Message], text: str) -> str:
        return "" if "an idea" in text else "useless"

    table = {"type": "object", "properties": {"answer": {"type": "string"}}}
    for sent in (2, 0):
        stub.requests.clear()
        gateway = make_gateway(useless=useless, schema=lambda _: table)
        assert json.loads(ask_all(gateway, ["Loaf 1"])[0]) == {"answer": "an idea"}
        assert len(stub.requests) == gateway.meter.requests == sent
        assert gateway.failed == 0
    stub.requests.clear()
    gateway = make_gateway(useless=useless, schema=lambda _: table, budget=Budget(requests=1))
    assert ask_all(gateway, ["Loaf 2"]) == ["no idea"]
    assert len(stub.requests) == 1


def test_no_more_requests_are_under_way_than_allowed(make_gateway: MakeGateway, stub: StubServer) -> None:
    under_way, most = 0, 0

    def slowly(_: object) -> str:
        nonlocal under_way
        under_way -= 1
        return "done"

    class Counting(list[dict[str, Any]]):
        def append(self, body: dict[str, Any]) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            super().append(body)

    stub.requests, stub.script, stub.latency = Counting(), slowly, 0.05
    ask_all(make_gateway(concurrency=2), [f"Loaf {place}" for place in range(8)])
    assert most == 2


def test_a_budget_ends_what_is_sent_and_says_so(make_gateway: MakeGateway, stub: StubServer) -> None:
    gateway = make_gateway(budget=Budget(requests=2), concurrency=1)
    given = ask_all(gateway, [f"Loaf {place}" for place in range(5)])
    assert len(stub.requests) == 2
    assert sum(text == f"{gateway.failure}over budget|budget_requests" for text in given) == 3
    assert (gateway.limit, gateway.not_asked) == ("requests", 3)


def test_an_endpoint_that_refuses_ends_the_work_at_once(make_gateway: MakeGateway, stub: StubServer) -> None:
    stub.script = lambda _: StubFault(401)
    with pytest.raises(LLMRefused, match="401"):
        ask_until_broken(make_gateway(), 3)
    assert len(stub.requests) == 1


def test_nothing_but_failures_ends_the_work(make_gateway: MakeGateway, stub: StubServer) -> None:
    stub.script = lambda _: StubFault(500)
    with pytest.raises(LLMError, match="20 requests to 'small' failed one after another"):
        ask_until_broken(make_gateway(), 30)
    assert len(stub.requests) == 20


def test_what_is_under_way_when_the_work_ends_is_kept(make_gateway: MakeGateway, stub: StubServer) -> None:
    stub.latency = 0.3

    async def run(gateway: Gateway) -> None:
        async with gateway:
            asked = asyncio.create_task(ask(gateway, "Loaf 1"))
            while not stub.requests:  # noqa: ASYNC110 - the server's thread makes it so
                await asyncio.sleep(0.01)
        await asked

    asyncio.run(run(make_gateway()))
    stub.requests.clear()
    assert "How hot for 1?" in ask_all(make_gateway(), ["Loaf 1"])[0]
    assert not stub.requests


def test_another_program_on_this_machine_cannot_spend_the_key(make_gateway: MakeGateway, stub: StubServer) -> None:
    async def run(gateway: Gateway) -> None:
        async with gateway:
            for key in ("", "no-key", "\xff"):
                with pytest.raises(Refusal, match="401"):
                    await asyncio.to_thread(post, gateway, body_of("Loaf 1"), key)

    asyncio.run(run(make_gateway()))
    assert not stub.requests


@pytest.mark.parametrize(
    "data",
    [b"", b"no JSON", b"[]", b"{}", b'{"messages": 3, "max_tokens": 1, "temperature": 0}', b'{"messages": [{}]}', b"3"],
)
def test_what_is_no_chat_request_is_refused(make_gateway: MakeGateway, stub: StubServer, data: bytes) -> None:
    async def run(gateway: Gateway) -> None:
        async with gateway:
            with pytest.raises(Refusal, match="400"):
                await asyncio.to_thread(post, gateway, data)
            assert "How hot" in await ask(gateway, "Loaf 1")

    asyncio.run(run(make_gateway()))
    assert len(stub.requests) == 1
