"""The client against a server that fails by the dice: nothing is lost, little time is, and no key gets out."""

import asyncio
import json
import logging
import time
import traceback
from collections import Counter
from collections.abc import Sequence

import pytest
from tests.models.fault_server import GOOD, Asked, FaultServer, Shares, completion, ideal_seconds, serving

from dragoman.errors import LLMError, LLMRefused, RequestRefused
from dragoman.models.llm import EndpointLLM
from dragoman.models.protocols import Message, Reply
from dragoman.models.retry import RetryPolicy
from dragoman.models.structured import invalid_because
from dragoman.models.stub import StubFault, StubServer

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "kind": {"enum": ["howto", "concept"]}},
    "required": ["question", "kind"],
    "additionalProperties": False,
}
QUICK = RetryPolicy(first=0.05)
KEY = "hush-hush-0451"


async def ask(generator: EndpointLLM, passage: str) -> Reply | LLMError:
    said = [Message("system", "Ask about the passage."), Message("user", passage)]
    try:
        return await generator.reply(said, max_tokens=20, temperature=0, seed=1, schema=SCHEMA)
    except LLMError as error:
        return error


def ask_all(generator: EndpointLLM, count: int, log: list[Asked] | None = None) -> tuple[list[Reply | LLMError], float]:
    """The ends of so many requests, all started at once, and the seconds that they took."""

    async def run() -> tuple[list[Reply | LLMError], float]:
        await ask(generator, "warm")  # the library's import and the first connection are not what is measured
        if log is not None:
            log.clear()
        begun = time.perf_counter()
        ends = await asyncio.gather(*(ask(generator, f"Passage {number}.") for number in range(count)))
        return list(ends), time.perf_counter() - begun

    return asyncio.run(run())


def test_under_all_faults_each_request_ends_and_the_time_is_near_the_ideal() -> None:
    """Of a hundred requests 20 get a 429 with a wait, 10 a 5xx, 5 hang, 5 are cut, 10 are answered badly.

    The ideal is ``ideal_seconds``: the server's own log replayed on its slots with the waits that it demanded and the
    client's timeout for each hanging request; no back-off, no ramp, no computing. The client has to find out by itself
    that the 429s have nothing to do with the number of its requests.
    """
    latency, timeout, slots = 0.06, 1.0, 8
    server = FaultServer(slots, latency, Shares(20, 10, 5, 5, 10), seed=3, retry_after=0.1)
    with serving(server):
        generator = EndpointLLM(server.base_url, "small", timeout=timeout, retries=5, concurrency=slots, policy=QUICK)
        ends, seconds = ask_all(generator, 200, server.log)
    replies = [end for end in ends if isinstance(end, Reply)]
    good = [reply for reply in replies if not invalid_because(reply)]
    assert len(good) > 180
    assert all(json.loads(reply.text)["kind"] == "howto" for reply in good)
    assert all("attempts" in str(end) for end in ends if isinstance(end, LLMError))
    asked: dict[str, list[str]] = {}
    for line in server.log:
        asked.setdefault(line.key, []).append(line.outcome)
    for number, end in enumerate(ends):
        outcomes = asked[f"Passage {number}."]
        if isinstance(end, LLMError):
            assert not {"good", "bad"} & {outcomes[-1]}
        else:
            assert (outcomes[-1] == "bad") == bool(invalid_because(end))
            assert outcomes.count("bad") <= 2
    assert set(Counter(line.outcome for line in server.log)) == {"limited", "failed", "hanging", "cut", "bad", "good"}
    assert seconds <= 1.3 * ideal_seconds(server.log, slots, latency, timeout)


def test_a_server_without_faults_is_kept_busy_and_connections_are_reused() -> None:
    server = FaultServer(slots=16, latency=0.1)
    with serving(server):
        generator = EndpointLLM(server.base_url, "small", concurrency=16)
        ends, seconds = ask_all(generator, 240)
    assert all(isinstance(end, Reply) for end in ends)
    assert (server.connections, server.most) == (16, 16)
    assert seconds < 240 * 0.1 / 4, "not even a quarter of the slots was used; how many are is the benchmark's matter"
    assert generator.usage.requests == 241
    assert (generator.usage.prompt_tokens, generator.usage.answer_tokens, generator.usage.cached_tokens) == (
        2410,
        1205,
        964,
    )


def test_a_wait_that_the_server_asks_for_holds_back_all_requests() -> None:
    moments: list[float] = []

    def script(_: object) -> StubFault | str:
        moments.append(time.perf_counter())
        return StubFault(429, retry_after=1.0) if len(moments) == 1 else GOOD

    async def run(generator: EndpointLLM) -> None:
        first = asyncio.create_task(ask(generator, "first"))
        await asyncio.sleep(0.4)  # by now the answer to the first has come, on a busy machine, too
        await asyncio.gather(first, *(ask(generator, f"{number}") for number in range(5)))

    with StubServer(script=script) as stub:
        asyncio.run(run(EndpointLLM(stub.base_url, "small")))
    assert len(moments) == 7
    assert min(moments[1:]) - moments[0] >= 1.0


def test_a_hanging_request_gives_its_slot_back_after_the_timeout() -> None:
    with serving(FaultServer(slots=2, shares=Shares(hanging=100))) as server:
        generator = EndpointLLM(server.base_url, "small", timeout=0.2, retries=1, concurrency=2, policy=QUICK)
        ends, seconds = ask_all(generator, 2)
    assert [str(end).split(". ")[0] for end in ends] == [
        f"{server.base_url} did not answer within 0.2 s (2 attempts)"
    ] * 2
    assert seconds < 1.5


def test_an_answer_that_is_cut_is_asked_for_again() -> None:
    with serving(FaultServer(shares=Shares(cut=100))) as server:
        generator = EndpointLLM(server.base_url, "small", retries=2, policy=QUICK)
        ends, _ = ask_all(generator, 1)
    assert "broke off its answer" in str(ends[0])
    assert "(3 attempts)" in str(ends[0])
    assert generator.usage.retries == 4  # the warm-up's as well


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (401, "bad key", LLMRefused),
        (403, "bad key", LLMRefused),
        (403, "flagged by moderation", RequestRefused),
        (402, "credits", LLMRefused),
        (404, "no such model", LLMRefused),
        (400, "model 'small' does not exist", LLMRefused),
        (400, "maximum context length is 10", RequestRefused),
        (429, "insufficient_quota: check billing", LLMRefused),
        (429, "slow down", LLMError),
        (500, "out of order", LLMError),
    ],
)
def test_what_concerns_every_request_is_told_from_what_concerns_one(status: int, said: str, kind: type) -> None:
    server = FaultServer(scripted=[(status, {"error": {"message": said}})])
    with serving(server):
        end = asyncio.run(ask(EndpointLLM(server.base_url, "small", retries=0), "x"))
    assert type(end) is kind
    assert "  " not in str(end)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ((200, b"<html>welcome", "text/html"), LLMRefused),
        ((200, b"{broken"), LLMError),
        ((200, b"[]"), LLMError),
        ((200, b'{"choices": [{"message": null}]}'), LLMError),
        ((200, b'{"choices": [7], "usage": 3}'), LLMError),
        ((200, b"[" * 100_000), LLMError),
        ((200, b'{"error": {"code": 429, "message": "upstream is busy"}}'), LLMError),
        ((200, b"\xff\xfe"), LLMError),
    ],
)
def test_an_answer_of_no_chat_server_is_one_clear_error(given: tuple[object, ...], kind: type) -> None:
    server = FaultServer(scripted=[given])
    with serving(server):
        end = asyncio.run(ask(EndpointLLM(server.base_url, "small", retries=0), "x"))
    assert type(end) is kind
    assert len(str(end)) < 700


def everything_told(error: BaseException) -> str:
    """All that a traceback shows, suppressed causes included."""
    told = ""
    seen: BaseException | None = error
    while seen is not None:
        told += "".join(traceback.format_exception(seen)) + repr(vars(seen))
        seen = seen.__cause__ or seen.__context__
    return told


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_no_secret_is_in_an_error_its_causes_or_a_log(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("STUB_KEY", KEY)
    server = FaultServer(scripted=[(status, {"error": {"message": f"Bearer {KEY} and pass%2Fword-77, pass/word-77"}})])
    with serving(server):
        url = server.base_url.replace("//", "//clerk:pass%2Fword-77@")
        generator = EndpointLLM(url, "small", api_key_env="STUB_KEY", retries=0)
        end = asyncio.run(ask(generator, "x"))
    assert isinstance(end, LLMError)
    assert server.base_url in str(end)
    for secret in (KEY, "word-77", "Y2xlcms6"):
        assert secret not in everything_told(end) + caplog.text + repr(generator._endpoint)
    assert server.headers[-1]["authorization"].startswith("basic y2xlcms6")


def test_a_key_that_a_server_echoes_does_not_get_into_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_KEY", KEY)
    with StubServer(script=lambda _: f"You sent {KEY}.") as stub:
        generator = EndpointLLM(stub.base_url, "small", api_key_env="STUB_KEY")
        said = [Message("user", "x")]
        reply = asyncio.run(generator.reply(said, max_tokens=9, temperature=0, seed=1))
    assert reply.text == "You sent ***."


@pytest.mark.parametrize("key", ["two\nlines", "smart’quote", "rub\x7fout"])
def test_a_key_that_cannot_be_sent_is_refused_unshown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_KEY", key)
    end = asyncio.run(ask(EndpointLLM("http://127.0.0.1:9/v1", "small", api_key_env="STUB_KEY"), "x"))
    assert isinstance(end, LLMRefused)
    assert key not in everything_told(end)


@pytest.mark.parametrize("url", ["http://clerk:pass77@", "http://clerk:pass77@x:99999/v1", "http://x/v1?key=pass77"])
def test_an_address_that_is_refused_keeps_its_password(url: str) -> None:
    with pytest.raises(LLMRefused) as caught:
        EndpointLLM(url, "small")
    assert "pass77" not in everything_told(caught.value)


def answers(*texts: str) -> Sequence[tuple[int, dict[str, object]]]:
    """A script of answers."""
    return [(200, completion(text)) for text in texts]


def test_a_bad_reply_is_put_right_in_one_more_turn() -> None:
    server = FaultServer(scripted=answers('{"kind": "howto"}', '{"question": "Oil?", "kind": "howto", "x": 1}'))
    with serving(server):
        generator = EndpointLLM(server.base_url, "small")
        reply = asyncio.run(ask(generator, "Hinges."))
    assert reply == Reply('{"kind":"howto","question":"Oil?"}', 20, 10, "stop")
    asked = server.bodies[1]["messages"]
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "user"]
    assert asked[2]["content"] == '{"kind": "howto"}'
    assert "'question' is missing" in asked[3]["content"]
    assert (generator.usage.requests, generator.usage.repairs, generator.usage.retries) == (2, 1, 0)


def test_a_reply_that_stays_bad_is_marked_with_its_reason() -> None:
    server = FaultServer(scripted=answers("no", '{"question": 3, "kind": "howto"}'))
    with serving(server):
        reply = asyncio.run(ask(EndpointLLM(server.base_url, "small"), "Hinges."))
    assert isinstance(reply, Reply)
    assert reply.text == '{"question": 3, "kind": "howto"}'
    assert invalid_because(reply) == "'question' is 3, not of type string"


def test_what_an_endpoint_does_not_understand_is_found_out_once() -> None:
    refusals = [
        (400, {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}),
        (422, {"error": {"message": "response_format.type json_schema is not supported"}}),
        (400, {"error": {"message": "json_object is an unknown response_format"}}),
        (400, {"error": {"message": "seed: extra inputs are not permitted"}}),
        (400, {"error": {"message": "'temperature' does not support 0: unsupported value"}}),
    ]
    server = FaultServer(scripted=refusals)
    with serving(server):
        generator = EndpointLLM(server.base_url, "small", retries=0)

        async def twice() -> list[Reply | LLMError]:
            return [await ask(generator, "Hinges."), await ask(generator, "Doors.")]

        ends = asyncio.run(twice())
    assert all(isinstance(end, Reply) and end.finish == "stop" for end in ends)
    assert len(server.bodies) == len(refusals) + 2
    assert [body.get("response_format", {}).get("type") for body in server.bodies] == [
        *("json_schema", "json_schema", "json_object"),
        *(None, None, None, None),
    ]
    assert set(server.bodies[-1]) == {"model", "messages", "max_completion_tokens"}
    told = server.bodies[-1]["messages"][0]["content"]
    assert told.startswith("Ask about the passage.")
    assert json.dumps(SCHEMA) in told


def test_a_prompt_that_is_too_long_is_no_reason_to_simplify_the_request() -> None:
    server = FaultServer(scripted=[(400, {"error": {"message": "maximum context length exceeded; unsupported"}})])
    with serving(server):
        end = asyncio.run(ask(EndpointLLM(server.base_url, "small"), "x"))
    assert type(end) is RequestRefused
    assert len(server.bodies) == 1
