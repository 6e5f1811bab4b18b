"""The client for language models, against the stub server."""

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from dragoman.config import LLMSettings
from dragoman.errors import LLMError
from dragoman.models.embedded import open_generator
from dragoman.models.llm import EndpointLLM
from dragoman.models.protocols import Message, Reply
from dragoman.models.stub import StubFault, StubServer

ASKED = [
    Message("system", "Answer from the passages."),
    Message("user", "[1] Oil the hinges yearly.\n\nQuestion: when?"),
]
SCHEMA = {"type": "object", "properties": {"questions": {"type": "array", "items": {"type": "string"}}}}


@pytest.fixture
def stub() -> Iterator[StubServer]:
    """A server that answers at once."""
    with StubServer() as server:
        yield server


def ask(generator: EndpointLLM, **changed: Any) -> Coroutine[Any, Any, Reply]:
    """Ask the usual question."""
    return generator.reply(ASKED, **{"max_tokens": 20, "temperature": 0.0, "seed": 1, **changed})


def test_a_reply_holds_the_text_and_its_cost(stub: StubServer) -> None:
    reply = asyncio.run(ask(EndpointLLM(stub.base_url, "small")))
    assert reply.text == "According to the documentation: Oil the hinges yearly. Question: when? [1]"
    assert reply.finish == "stop"
    assert reply.answer_tokens == len(reply.text.split())
    assert reply.prompt_tokens > 0


def test_a_request_carries_what_was_asked_for(stub: StubServer) -> None:
    asyncio.run(ask(EndpointLLM(stub.base_url, "small"), schema=SCHEMA))
    (body,) = stub.requests
    assert body["messages"][1] == {"role": "user", "content": ASKED[1].content}
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("small", 20, 0.0, 1)
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_a_stream_gives_the_same_text_in_pieces(stub: StubServer) -> None:
    generator = EndpointLLM(stub.base_url, "small")

    async def read() -> list[str]:
        return [piece async for piece in generator.stream(ASKED, max_tokens=20, temperature=0, seed=1)]

    pieces = asyncio.run(read())
    assert len(pieces) > 5
    assert "".join(pieces) == asyncio.run(ask(generator)).text


def test_one_generator_serves_many_requests_and_several_event_loops(stub: StubServer) -> None:
    generator = EndpointLLM(stub.base_url, "small")

    async def many() -> None:
        replies = await asyncio.gather(*(ask(generator) for _ in range(20)))
        assert len({reply.text for reply in replies}) == 1
        await generator.aclose()
        await ask(generator)

    for _ in range(3):
        asyncio.run(many())
    assert len(stub.requests) == 63


def test_passing_faults_are_tried_again(stub: StubServer) -> None:
    stub.script = lambda _: StubFault(429, retry_after=0.01) if len(stub.requests) < 3 else "at last"
    assert asyncio.run(ask(EndpointLLM(stub.base_url, "small"))).text == "at last"
    assert len(stub.requests) == 3


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, r"refused access \(401\): the key in STUB_KEY was refused"),
        (403, "refused access"),
        (404, r"knows no model 'small'.*llm\.model"),
        (400, r"refused the request \(400"),
        (429, "limits the rate"),
        (503, r"503.*Run the command again"),
    ],
)
def test_a_refusal_says_what_to_change_and_never_the_key(
    status: int, said: str, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB_KEY", "hush-hush-0451")
    stub.script = lambda _: StubFault(status, retry_after=0.01)
    with pytest.raises(LLMError, match=said) as caught:
        asyncio.run(ask(EndpointLLM(stub.base_url, "small", api_key_env="STUB_KEY", retries=1)))
    assert "hush" not in str(caught.value)


def test_a_missing_key_is_told_from_a_wrong_one(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUB_KEY", raising=False)
    stub.script = lambda _: StubFault(401)
    with pytest.raises(LLMError, match="the key in STUB_KEY is not set"):
        asyncio.run(ask(EndpointLLM(stub.base_url, "small", api_key_env="STUB_KEY")))
    with pytest.raises(LLMError, match=r"wants a key.*llm\.api_key_env"):
        asyncio.run(ask(EndpointLLM(stub.base_url, "small")))


@pytest.mark.parametrize("way", ["reply", "stream"])
def test_a_url_where_nobody_listens_is_one_clear_line(way: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    generator = EndpointLLM(url, "small", retries=0)
    with pytest.raises(LLMError, match=rf"cannot reach the language model at {url}"):
        asyncio.run(ask(generator) if way == "reply" else _first(generator))


async def _first(generator: EndpointLLM) -> str:
    return await anext(generator.stream(ASKED, max_tokens=5, temperature=0, seed=1))


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1/v1", "http://127.0.0.1:99999/v1", "http://"])
def test_a_url_that_is_none_is_one_clear_line(url: str) -> None:
    with pytest.raises(LLMError, match=r"is no address of a language model.*llm\.base_url"):
        EndpointLLM(url, "small")


def test_a_url_without_the_version_is_told_where_to_end(stub: StubServer) -> None:
    with pytest.raises(LLMError, match=r"mostly in /v1"):
        asyncio.run(ask(EndpointLLM(stub.base_url.removesuffix("/v1"), "small")))


def test_an_answer_that_takes_too_long_names_the_dial() -> None:
    with StubServer(latency=0.5) as server, pytest.raises(LLMError, match=r"within 0\.05 s.*llm\.timeout"):
        asyncio.run(ask(EndpointLLM(server.base_url, "small", timeout=0.05, retries=0)))


def test_the_settings_open_an_endpoint_or_nothing(stub: StubServer) -> None:
    settings = LLMSettings(base_url=stub.base_url, model="small")
    with open_generator(settings, mirrors=False, say=pytest.fail) as generator:
        assert generator is not None
        assert generator.name == "small"
    with open_generator(LLMSettings(base_url="none"), mirrors=False, say=pytest.fail) as generator:
        assert generator is None
