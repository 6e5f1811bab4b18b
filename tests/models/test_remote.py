"""Vectors from a real server on the loopback: what arrives, and what becomes of each fault."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.embedding_server import MODEL, EmbeddingServer, Items, Refusal, embedding

from dragoman.errors import ModelError
from dragoman.models.encoder import HashEncoder
from dragoman.models.remote import RemoteEncoder
from dragoman.models.retry import RetryPolicy

TEXTS = [f"Drawer {number} holds the {tool}." for number in range(50) for tool in ("saw", "plane", "awl")]
SOON = RetryPolicy(retries=2, first=0.01)
KEY = "sk-open-sesame-4711"


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    """A server that does as it is told."""
    with embedding(EmbeddingServer()) as running:
        yield running


def opened(server: EmbeddingServer, **more: Any) -> RemoteEncoder:
    return RemoteEncoder(server.url, MODEL, **{"policy": SOON, **more})


def nearness(vectors: Any, texts: list[str]) -> float:
    """The smallest cosine between what came and what the server's model makes of the texts."""
    return float((vectors * HashEncoder(32).encode(texts, "passage")).sum(axis=1).min())


def test_vectors_are_of_length_one_in_the_order_of_the_texts_and_come_in_batches(server: EmbeddingServer) -> None:
    done: list[int] = []
    vectors = opened(server).encode(TEXTS, "passage", done.append)
    assert vectors.shape == (150, 32)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    assert nearness(vectors, TEXTS) > 1 - 1e-6
    assert done == [64, 64, 22]
    assert sorted(map(len, server.asked)) == [22, 64, 64]


def test_the_dimension_is_that_of_the_first_answer(server: EmbeddingServer) -> None:
    encoder = opened(server)
    assert encoder.encode([], "query").shape == (0, 32)
    assert encoder.dimension == 32
    assert len(server.asked) == 1
    server.dimension = 16
    with pytest.raises(ModelError, match="gave a vector of 16 numbers; expected 32, as before"):
        encoder.encode(["a saw"], "query")


def test_each_role_has_its_prompt_and_no_text_is_sent_empty(server: EmbeddingServer) -> None:
    encoder = opened(server, prompts=("ask: ", ""))
    encoder.encode(["a saw", ""], "query")
    encoder.encode(["a saw", "", "half \ud800"], "passage")
    assert server.asked == [["ask: a saw", "ask: "], ["a saw", " ", "half ?"]]


def test_shuffled_answers_are_put_in_order_by_their_index(server: EmbeddingServer) -> None:
    server.faults = [lambda items: items[::-1]]
    assert nearness(opened(server).encode(TEXTS[:9], "passage"), TEXTS[:9]) > 1 - 1e-6
    assert len(server.asked) == 1


def test_a_list_that_is_refused_for_its_size_is_asked_for_in_parts(server: EmbeddingServer) -> None:
    server.most_texts = 20
    assert nearness(opened(server).encode(TEXTS, "passage"), TEXTS) > 1 - 1e-6
    assert max(len(texts) for texts in server.asked if len(texts) <= 20) == 16


def test_one_text_that_is_too_long_is_told_with_what_to_change(server: EmbeddingServer) -> None:
    server.longest = 100
    with pytest.raises(ModelError, match=r"refused to embed a text \(400: .*context length.*lower chunk\.tokens"):
        opened(server).encode([*TEXTS[:5], "long " * 50, *TEXTS[5:9]], "passage")


def test_a_server_that_wants_to_be_left_alone_is_left_alone_that_long(server: EmbeddingServer) -> None:
    server.faults = [Refusal(429, "too many requests", {"Retry-After": "0.4"}), Refusal(500, "out of order")]
    assert nearness(opened(server).encode(TEXTS[:3], "passage"), TEXTS[:3]) > 1 - 1e-6
    assert len(server.times) == 3
    assert server.times[1] - server.times[0] >= 0.4
    assert server.times[2] - server.times[1] < 0.4


def test_a_fault_that_stays_is_told_after_the_last_attempt(server: EmbeddingServer) -> None:
    server.faults = [Refusal(503, "out of order")] * 3
    with pytest.raises(ModelError, match=r"503: .*out of order; 3 attempts"):
        opened(server).encode(["a saw"], "query")
    assert len(server.asked) == 3


class Busy(EmbeddingServer):
    """Refuses the first of the texts for good, and all others for a minute."""

    def answer(self, body: dict[str, Any], key: str) -> Refusal | dict[str, Any]:
        super().answer(body, key)
        if TEXTS[0] in body["input"]:
            return Refusal(404, "no such model")
        return Refusal(429, "later", {"Retry-After": "60"})


def test_after_an_error_nobody_waits_for_the_other_requests() -> None:
    with embedding(Busy()) as busy:
        started = time.monotonic()
        with pytest.raises(ModelError, match="no embedding model"):
            opened(busy).encode(TEXTS, "passage")
        assert time.monotonic() - started < 20


def _short(items: Items) -> Any:
    return items[:-1]


def _twice(items: Items) -> Any:
    return [{**item, "index": 0} for item in items]


def _nan(items: Items) -> Any:
    return [*items[:-1], {**items[-1], "embedding": [math.nan] * 32}]


def _uneven(items: Items) -> Any:
    return [*items[:-1], {**items[-1], "embedding": [1.0]}]


def _words(items: Items) -> Any:
    return [{**item, "embedding": "a vector"} for item in items]


def _empty(items: Items) -> Any:
    return [{**item, "embedding": []} for item in items]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (_short, "it sent 2 vectors for 3 texts"),
        (_twice, "not numbered from 0 to 2"),
        (_nan, "not finite"),
        (_uneven, "several lengths"),
        (_words, "not of numbers"),
        (_empty, "are empty"),
        (lambda _: None, r"it sent .*\"data\": null"),
    ],
)
def test_an_answer_that_is_not_a_vector_for_each_text_is_asked_for_again_and_then_refused(
    server: EmbeddingServer, fault: Callable[[Items], Any], said: str
) -> None:
    server.faults = [fault]
    assert nearness(opened(server).encode(TEXTS[:3], "passage"), TEXTS[:3]) > 1 - 1e-6
    server.faults = [fault] * 3
    with pytest.raises(ModelError, match=f"not as an embedding model does: .*{said}.*3 attempts"):
        opened(server).encode(TEXTS[:3], "passage")


def test_a_wrong_key_is_told_with_its_variable_and_without_itself(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = KEY
    monkeypatch.setenv("WORKSHOP_KEY", KEY)
    assert opened(server, key_env="WORKSHOP_KEY").dimension == 32
    monkeypatch.setenv("WORKSHOP_KEY", "sk-wrong-and-secret")
    with pytest.raises(ModelError, match=r"401\): the key in WORKSHOP_KEY was refused\. Export a valid key") as caught:
        opened(server, key_env="WORKSHOP_KEY").encode(["a saw"], "query")
    assert "sk-wrong" not in str(caught.value)
    assert caught.value.__context__ is None
    with pytest.raises(ModelError, match=r"it wants a key\. Name its variable in models\.embedding_key_env"):
        opened(server).encode(["a saw"], "query")
    assert len(server.asked) == 3  # a refusal of all is not asked for again


def test_a_wrong_model_address_or_server_is_told_with_what_to_correct(server: EmbeddingServer) -> None:
    with pytest.raises(ModelError, match=r"no embedding model 'other'.*Correct models\.embedding;"):
        RemoteEncoder(server.url, "other").encode(["a saw"], "query")
    with pytest.raises(ModelError, match="must end where '/embeddings' begins"):
        RemoteEncoder(f"{server.url}/more", MODEL).encode(["a saw"], "query")
    with pytest.raises(ModelError, match=r"'nowhere' is no address.*Change models\.embedding_url"):
        RemoteEncoder("nowhere", MODEL)
    with pytest.raises(ModelError, match=r"cannot reach the embedding model.*\(3 attempts\)\. Start the server"):
        RemoteEncoder("http://127.0.0.1:9/v1", MODEL, policy=SOON).encode(["a saw"], "query")


def test_a_user_and_password_in_the_address_are_sent_and_never_shown(server: EmbeddingServer) -> None:
    server.key = KEY
    encoder = RemoteEncoder(server.url.replace("//", "//me:open-sesame@"), MODEL)
    with pytest.raises(ModelError, match="the user and password in its address were refused") as caught:
        encoder.encode(["a saw"], "query")
    assert "sesame" not in str(caught.value)


def test_a_fingerprint_is_of_place_model_prompts_and_dimension_and_of_no_key(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = opened(server).fingerprint
    assert opened(server).fingerprint == plain == opened(server).passage_fingerprint
    monkeypatch.setenv("WORKSHOP_KEY", KEY)
    assert opened(server, key_env="WORKSHOP_KEY").fingerprint == plain
    others = [opened(server, prompts=prompts).fingerprint for prompts in (("a", ""), ("", "a"))]
    others.append(RemoteEncoder(server.url.replace("127.0.0.1", "localhost"), MODEL).fingerprint)
    server.dimension = 16
    others.append(opened(server).fingerprint)
    assert len({plain, *others}) == 5
