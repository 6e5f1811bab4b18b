"""Texts to unit vectors by a model behind an API: any server that speaks OpenAI's embeddings protocol.

In: texts and their role. Out: float32 vectors of length 1, in the order of the texts. It sends batches, tries again
after passing faults, and checks what comes back. Every failure leaves as a ``ModelError`` that says what to change;
nothing that leaves holds the key.
"""

import json
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import numpy as np

from dragoman.errors import LLMRefused, ModelError
from dragoman.models.encoder import unit_rows
from dragoman.models.endpoint import Endpoint, parse_endpoint
from dragoman.models.faults import Fault
from dragoman.models.protocols import Advance, Role, Vectors
from dragoman.models.retry import RetryPolicy, asked_wait
from dragoman.records import content_id

if TYPE_CHECKING:
    from openai import OpenAI

_BATCH = 64  # texts in a request
_AT_ONCE = 4  # requests under way: an API's answer is mostly waiting
_CONNECT_SECONDS = 10.0
_UNREADABLE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
_NO_ACCESS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NOT_THERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
_WHERE = "models.embedding_url must end where '/embeddings' begins, mostly in /v1."
_AGAIN = "Run the command again; if it stays so, look at the server's log."


class RemoteEncoder:
    """An embedding model behind an OpenAI-compatible URL. May be called from several threads.

    Args:
        url: The endpoint, up to and including ``/v1``.
        model: The model's name there.
        key_env: Name of the environment variable that holds the key; empty, or unset: no key.
        prompts: Put before each question, and before each passage.
        timeout: Seconds that the server may be silent in one request.
        policy: How often and how late a request is sent again after a passing fault; None: the usual.

    Raises:
        ModelError: The URL is none, or the key cannot be sent.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key_env: str = "",
        prompts: tuple[str, str] = ("", ""),
        *,
        timeout: float = 60.0,
        policy: RetryPolicy | None = None,
    ) -> None:
        try:
            self._endpoint = parse_endpoint(url, model, key_env)
            self._client = _opened(self._endpoint, timeout)
        except LLMRefused as error:
            hint = "Change models.embedding_url, or the variable that models.embedding_key_env names."
            raise ModelError(error.happened, expected=error.expected, hint=hint) from error
        self._closing = weakref.finalize(self, self._client.close)
        self._prompts: dict[Role, str] = {"query": prompts[0], "passage": prompts[1]}
        self._policy, self._timeout = policy or RetryPolicy(), timeout
        self._dimension = 0  # not known yet

    @property
    def fingerprint(self) -> str:
        """Hash of the address, the model's name, the prompts and the dimension, 16 hex digits; weights are out of sight."""
        place = self._endpoint.url.partition("//")[2]
        return content_id(
            "remote", place, self._endpoint.model, self._prompts["query"], self._prompts["passage"], self.dimension
        )

    @property
    def passage_fingerprint(self) -> str:
        """Equal ones make equal vectors of passages."""
        return self.fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector, as the first answer has it; asks for one where there was none yet."""
        if not self._dimension:
            self.encode(["dimension"], "query")
        return self._dimension

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        """Embed texts.

        Args:
            texts: Any number of texts.
            role: Whether they are questions or passages; decides the prompt.
            advance: Told the number of texts just done, after each batch.

        Returns:
            Array of shape ``(len(texts), dimension)``, float32, rows of length 1, in the order of the texts.

        Raises:
            ModelError: The endpoint cannot be reached, refused, or gave no such vectors.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        # Half a surrogate pair cannot be sent, and APIs refuse a text of nothing.
        sent = [(self._prompts[role] + text).encode("utf-8", "replace").decode() or " " for text in texts]
        batches = [sent[start : start + _BATCH] for start in range(0, len(sent), _BATCH)]
        made, over = [], threading.Event()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for rows in pool.map(lambda batch: self._batch(batch, over), batches):
                    self._learn(rows.shape[1])
                    made.append(rows)
                    if advance is not None:
                        advance(len(rows))
            finally:
                over.set()  # after an error or Ctrl-C, nobody waits for what other requests still have to wait for
        return unit_rows(np.concatenate(made))

    def _learn(self, length: int) -> None:
        if self._dimension not in {0, length}:
            raise ModelError(
                f"{self._endpoint.url} gave a vector of {length} numbers",
                expected=f"{self._dimension}, as before",
                hint=f"See which model it serves as '{self._endpoint.model}'.",
            )
        self._dimension = length

    def _batch(self, texts: Sequence[str], over: threading.Event) -> Vectors:
        """Vectors of some texts, asked for in halves where the server does not take them together."""
        got, attempts = self._tried(texts, over)
        if not isinstance(got, Fault):
            return got
        if got.status in _UNREADABLE and len(texts) > 1:
            half = len(texts) // 2
            first = self._batch(texts[:half], over)
            return np.concatenate([first, self._batch(texts[half:], over)])
        raise _error_of(got, self._endpoint, self._timeout, attempts)

    def _tried(self, texts: Sequence[str], over: threading.Event) -> tuple[Vectors | Fault, int]:
        """An answer or the last fault, after as many attempts as it takes and may take."""
        failed = 0
        while True:
            got = self._sent(texts)
            failed += 1
            if not isinstance(got, Fault) or not got.passing or failed > self._policy.retries:
                return got, failed
            if over.wait(self._policy.wait(failed - 1, got.asked)):
                return got, failed

    def _sent(self, texts: Sequence[str]) -> Vectors | Fault:
        import httpx2
        import openai

        # Floats: some servers do not know base64, which the library's typed call would ask for.
        body = {"model": self._endpoint.model, "input": list(texts), "encoding_format": "float"}
        try:
            response = self._client.post("/embeddings", cast_to=httpx2.Response, body=body)
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return _fault(error, self._endpoint)
        try:
            return _rows(json.loads(response.content), len(texts))
        except (ValueError, RecursionError) as error:
            return Fault("garbled", self._endpoint.clean(str(error)))


def _rows(answer: object, count: int) -> Vectors:
    """The vectors of an answer, in the order of the texts; a ValueError says what is wrong with it."""
    items = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise ValueError(f"it sent {json.dumps(answer, ensure_ascii=False)}")  # noqa: TRY004 - the answer's value is bad
    if len(items) != count:
        raise ValueError(f"it sent {len(items)} vectors for {count} texts")
    by_index: dict[Any, Any] = {item.get("index"): item.get("embedding") for item in items if isinstance(item, dict)}
    if set(by_index) != set(range(count)):
        raise ValueError(f"its vectors are not numbered from 0 to {count - 1}")
    try:
        rows = np.array([by_index[number] for number in range(count)], dtype=np.float32)
    except (ValueError, TypeError):
        raise ValueError("its vectors are of several lengths, or not of numbers") from None
    if rows.ndim != 2 or not rows.shape[1]:  # noqa: PLR2004 - a table
        raise ValueError("its vectors are empty, or not lists of numbers")
    if not np.isfinite(rows).all():
        raise ValueError("its vectors hold numbers that are not finite")
    return rows


def _opened(endpoint: Endpoint, timeout: float) -> "OpenAI":
    import httpx2
    from openai import DefaultHttpxClient, OpenAI

    http = DefaultHttpxClient(
        timeout=httpx2.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
        trust_env=not endpoint.loopback,  # proxies are for others
    )
    return OpenAI(**endpoint.client_options(), timeout=timeout, http_client=http)


def _fault(error: Exception, endpoint: Endpoint) -> Fault:
    import httpx2
    import openai

    cause = error.__cause__ or error
    said = endpoint.clean(str(cause) or type(cause).__name__)
    if isinstance(error, openai.APIStatusError):
        return Fault("status", endpoint.clean(str(error)), error.status_code, asked_wait(error.response.headers))
    if isinstance(error, (openai.APITimeoutError, httpx2.TimeoutException)):
        return Fault("unreachable" if isinstance(cause, httpx2.ConnectTimeout) else "timeout", said)
    if isinstance(cause, (httpx2.ConnectError, httpx2.ProxyError)):
        return Fault("unreachable", said)
    if isinstance(error, (openai.OpenAIError, httpx2.TransportError)):
        return Fault("cut", said)
    return Fault("unsendable", said)


def _error_of(fault: Fault, endpoint: Endpoint, timeout: float, attempts: int) -> ModelError:
    url, said, tried = endpoint.url, fault.said, f"{attempts} attempt{'s' * (attempts != 1)}"
    match fault.kind:
        case "status":
            return _refusal(fault, endpoint, tried)
        case "timeout":
            return ModelError(f"{url} did not answer within {timeout:g} s ({tried})", hint=_AGAIN)
        case "unreachable":
            hint = "Start the server, or change models.embedding_url in dragoman.toml ('' runs the model here)."
            return ModelError(f"cannot reach the embedding model at {url}: {said} ({tried})", hint=hint)
        case "unsendable":
            return ModelError(f"a request to {url} cannot be sent: {said}", hint=_WHERE)
        case _:
            happened = f"{url} answered, but not as an embedding model does: {said} ({tried})"
            return ModelError(happened, expected="a vector for each text", hint=_WHERE)


def _refusal(fault: Fault, endpoint: Endpoint, tried: str) -> ModelError:
    url, status, said = endpoint.url, fault.status, fault.said
    if fault.unpaid:
        hint = "Top the account up, or choose another endpoint by models.embedding_url."
        return ModelError(f"{url} wants to be paid first ({status}: {said})", hint=hint)
    if status in _NO_ACCESS:
        return _no_access(status, endpoint)
    if status in _NOT_THERE:
        hint = f"Correct models.embedding; {_WHERE}"
        return ModelError(f"{url} knows no embedding model '{endpoint.model}' ({status}: {said})", hint=hint)
    if fault.passing:
        return ModelError(f"{url} refused to embed ({status}: {said}; {tried})", hint=_AGAIN)
    hint = "If the text is too long for the model, lower chunk.tokens; if the name is wrong, correct models.embedding."
    return ModelError(f"{url} refused to embed a text ({status}: {said})", hint=hint)


def _no_access(status: int, endpoint: Endpoint) -> ModelError:
    env, happened = endpoint.key_env, f"{endpoint.url} refused access ({status})"
    if endpoint.authorization:
        hint = "Correct models.embedding_url in dragoman.toml."
        return ModelError(f"{happened}: the user and password in its address were refused", hint=hint)
    if not env:
        return ModelError(f"{happened}: it wants a key", hint="Name its variable in models.embedding_key_env.")
    state = "was refused" if endpoint.key() else "is not set"
    hint = f"Export a valid key as {env}, or name another variable in models.embedding_key_env."
    return ModelError(f"{happened}: the key in {env} {state}", hint=hint)
