"""What can go wrong between a request and its answer, and what the user is told of it.

In: a fault as a plain value. Out: whether it may pass, and the error with what to change. Faults are values and no
exceptions until the last attempt has failed: a chain of causes would show what the client library knows, keys included.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from dragoman.errors import LLMError, LLMRefused, RequestRefused
from dragoman.models.endpoint import Endpoint

Kind = Literal["status", "timeout", "unreachable", "cut", "garbled", "no chat", "unsendable"]

_SITE_IS_OVERLOADED = 529
_PASSING = frozenset({408, 409, 425, 429})
_OVERLOAD = frozenset({429, 503, _SITE_IS_OVERLOADED})
_OVERFLOW = ("context size", "context length", "context window", "maximum context", "context_length")
_UNPAID = ("insufficient_quota", "exceeded your current quota", "billing", "insufficient credit", "monthly included")
_FLAGGED = ("moderation", "flagged", "content policy", "content_policy", "safety")
_KEPT = "Run the command again; what was answered before is kept."
_WHERE = "llm.base_url must end where '/chat/completions' begins, mostly in /v1."


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an attempt gave no answer; ``said`` is the server's or the system's word, cleaned of secrets."""

    kind: Kind
    said: str = ""
    status: int = 0
    asked: float | None = None  # seconds that the server wants to be left alone
    prompt_tokens: int = 0
    answer_tokens: int = 0

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed a little later."""
        if self.kind != "status":
            return self.kind not in {"no chat", "unsendable"}
        return not self.unpaid and (self.status in _PASSING or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR)

    @property
    def overload(self) -> bool:
        """Whether the server may have been asked for too much at once."""
        return self.kind == "timeout" or self.status in _OVERLOAD

    @property
    def overflow(self) -> bool:
        """Whether the prompt is too long."""
        return self.status >= HTTPStatus.BAD_REQUEST and _any_of(_OVERFLOW, self.said)

    @property
    def unpaid(self) -> bool:
        """Whether the endpoint wants to be paid first."""
        limited = self.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.FORBIDDEN} and _any_of(_UNPAID, self.said)
        return limited or self.status == HTTPStatus.PAYMENT_REQUIRED


def error_of(fault: Fault, endpoint: Endpoint, timeout: float, attempts: int) -> LLMError:
    """The error that ends a request.

    Args:
        fault: What the last attempt came to.
        endpoint: Who was asked.
        timeout: Seconds that a request may take.
        attempts: How often it was tried.

    Returns:
        An error that says what happened and what to change; an ``LLMRefused`` when every request would end like this.
    """
    url, tried = endpoint.url, f"{attempts} attempt{'s' * (attempts != 1)}"
    no_chat = f"{url} answered, but not as a chat model does: {fault.said}"
    error: LLMError
    match fault.kind:
        case "status":
            error = _refusal(fault, endpoint) or _failure(fault, endpoint, tried)
        case "timeout":
            hint = "Raise llm.timeout, or lower llm.concurrency, in dragoman.toml."
            error = LLMError(f"{url} did not answer within {timeout:g} s ({tried})", hint=hint)
        case "unreachable":
            hint = "Start the server, or change llm.base_url in dragoman.toml ('' is the embedded model)."
            error = LLMRefused(f"cannot reach the language model at {url}: {fault.said} ({tried})", hint=hint)
        case "cut":
            error = LLMError(f"{url} broke off its answer: {fault.said} ({tried})", hint=_KEPT)
        case "garbled":
            error = LLMError(f"{no_chat} ({tried})", hint=_WHERE)
        case "no chat":
            error = LLMRefused(no_chat, hint=_WHERE)
        case "unsendable":
            error = RequestRefused(f"a request to {url} cannot be sent: {fault.said}")
    return error


def _refusal(fault: Fault, endpoint: Endpoint) -> LLMError | None:
    """The error of a status that the settings are to blame for, or nobody's purse."""
    url, status, said = endpoint.url, fault.status, fault.said
    if fault.unpaid:
        hint = "Top the account up, or choose another endpoint by llm.base_url; what was answered is kept."
        return LLMRefused(f"{url} wants to be paid first ({status}: {said})", hint=hint)
    if status == HTTPStatus.FORBIDDEN and _any_of(_FLAGGED, said):
        return RequestRefused(f"{url} refused the request ({status}: {said})")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _no_access(endpoint, status)
    missing = status == HTTPStatus.BAD_REQUEST and "model" in said.lower() and _any_of(("not found", "not exist"), said)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} or missing:
        return LLMRefused(
            f"{url} knows no model '{endpoint.model}' ({status}: {said})", hint=f"Correct llm.model; {_WHERE}"
        )
    return None


def _no_access(endpoint: Endpoint, status: int) -> LLMRefused:
    env = endpoint.key_env
    if endpoint.authorization:
        return LLMRefused(
            f"{endpoint.url} refused access ({status}): the user and password in its address were refused",
            hint="Correct llm.base_url, or name a key's variable in llm.api_key_env.",
        )
    if not env:
        return LLMRefused(f"{endpoint.url} wants a key ({status})", hint="Name its variable in llm.api_key_env.")
    state = "was refused" if endpoint.key() else "is not set"
    return LLMRefused(
        f"{endpoint.url} refused access ({status}): the key in {env} {state}",
        hint=f"Export a valid key as {env}, or name another variable in llm.api_key_env.",
    )


def _failure(fault: Fault, endpoint: Endpoint, tried: str) -> LLMError:
    """The error of a status that another prompt, or another hour, would not have had."""
    url, status, said = endpoint.url, fault.status, fault.said
    if fault.overflow:
        return RequestRefused(
            f"the prompt is too long for '{endpoint.model}': {said}",
            hint="Lower chunk.tokens or chat.passages in dragoman.toml, or choose a model with a larger context.",
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        asked = f"; it asks to wait {fault.asked:g} s" if fault.asked else ""
        return LLMError(
            f"{url} limits the rate of requests (429: {said}{asked}; {tried})",
            hint="Wait a little and run the command again (what was answered is kept), or lower llm.concurrency.",
        )
    if fault.passing:
        return LLMError(f"{url} refused the request ({status}: {said}; {tried})", hint=_KEPT)
    return RequestRefused(f"{url} refused the request ({status}: {said})")


def _any_of(words: tuple[str, ...], said: str) -> bool:
    low = said.lower()
    return any(word in low for word in words)
