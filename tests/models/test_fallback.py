"""A second language model for when the first fails."""

import asyncio
from collections.abc import Iterator

import pytest

from dragoman.errors import ConfigError, LLMError, RequestRefused
from dragoman.models.fallback import FallbackLLM
from dragoman.models.llm import EndpointLLM
from dragoman.models.protocols import Message
from dragoman.models.stub import StubFault, StubServer

ASKED = [Message("user", "When are hinges oiled?")]


@pytest.fixture
def first() -> Iterator[StubServer]:
    with StubServer(script=lambda _: "first says") as server:
        yield server


@pytest.fixture
def second() -> Iterator[StubServer]:
    with StubServer(script=lambda _: "second says") as server:
        yield server


def both(first: StubServer, second: StubServer, said: list[str], rest: float = 0.0) -> FallbackLLM:
    return FallbackLLM(
        EndpointLLM(first.base_url, "large", retries=0),
        EndpointLLM(second.base_url, "small", retries=0),
        say=said.append,
        rest=rest,
    )


def asks(model: FallbackLLM, times: int = 1) -> list[tuple[str, str]]:
    async def run() -> list[tuple[str, str]]:
        replies = [await model.reply(ASKED, max_tokens=9, temperature=0, seed=1) for _ in range(times)]
        await model.aclose()
        return [(reply.text, reply.model) for reply in replies]

    return asyncio.run(run())


def streams(model: FallbackLLM) -> str:
    async def run() -> str:
        return "".join([piece async for piece in model.stream(ASKED, max_tokens=9, temperature=0, seed=1)])

    return asyncio.run(run())


def test_the_first_answers_while_it_can(first: StubServer, second: StubServer) -> None:
    said: list[str] = []
    model = both(first, second, said)
    assert model.name == "large"
    assert asks(model) == [("first says", "large")]
    assert streams(model) == "first says"
    assert (said, second.requests) == ([], [])


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_the_second_answers_when_the_first_fails_and_that_is_said_once(
    status: int, first: StubServer, second: StubServer
) -> None:
    said: list[str] = []
    first.script = lambda _: StubFault(status)
    model = both(first, second, said)
    assert asks(model, 2) == [("second says", "small")] * 2
    assert streams(model) == "second says"
    assert len(said) == 1
    assert said[0].startswith(f"'large' fails, 'small' answers instead: {first.base_url}")
    assert len(first.requests) == 3


def test_a_first_that_failed_is_left_alone_for_a_while(first: StubServer, second: StubServer) -> None:
    first.script = lambda _: StubFault(500)
    model = both(first, second, [], rest=60)
    assert asks(model, 3) == [("second says", "small")] * 3
    assert len(first.requests) == 1


def test_a_bad_request_is_not_given_to_the_second(first: StubServer, second: StubServer) -> None:
    first.script = lambda _: StubFault(400)
    model = both(first, second, [])
    with pytest.raises(RequestRefused):
        asks(model)
    with pytest.raises(RequestRefused):
        streams(model)
    assert second.requests == []


def test_when_both_fail_the_second_ones_error_is_told(first: StubServer, second: StubServer) -> None:
    first.script = second.script = lambda _: StubFault(500)
    with pytest.raises(LLMError, match=second.base_url):
        asks(both(first, second, []))
    with pytest.raises(LLMError, match=second.base_url):
        streams(both(first, second, []))


def test_a_second_that_is_the_first_is_refused(first: StubServer) -> None:
    one = EndpointLLM(first.base_url, "large")
    for other in (one, EndpointLLM(first.base_url.replace("//", "//u:p77@") + "/", "large")):
        with pytest.raises(ConfigError, match="the second language model is the first one: 'large' at") as caught:
            FallbackLLM(one, other, say=print)
        assert "p77" not in str(caught.value)
    assert FallbackLLM(one, EndpointLLM(first.base_url, "small"), say=print).name == "large"
