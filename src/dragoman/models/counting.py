"""Counts the tokens of a text as the language model that will read it does.

In: a text generator. Out: a function from text to tokens, which also knows how many the model takes in all, where its
server tells. llama.cpp's server and vLLM count on request, beside the chat protocol. Where nobody counts, or not
quickly, the number is estimated: a token for five letters of a word, for each digit, sign and line, and two for a
character beyond ASCII, which is more than the tokenizers of today's models make of docs and code.
"""

import re
import time
import weakref
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dragoman.errors import LLMError

if TYPE_CHECKING:
    import httpx2

_SECONDS = 2.0
_SLOW = 0.1  # seconds; a question is worth some dozens of counts
_PATIENCE = 3  # slow counts on end before the estimate stands in
_REST = 60.0  # seconds for which a server that failed is left alone
_KEPT = 8192  # texts whose count is remembered
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PIECE = re.compile(r"([A-Za-z]+)|([^\x00-\x7f])|[^ A-Za-z]| {2,}")
_LETTERS = 5


class TokenCounter:
    """Counts tokens: called with a text, it gives their number. May be called from any thread.

    Args:
        url: Address of the model's server, up to and including ``/v1``; "": every count is an estimate.
        model: The model's name there.
        headers: Gives what opens the server.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        url: str = "",
        model: str = "",
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._model, self._headers, self._clock = url.removesuffix("/v1"), model, headers, clock
        self._known: dict[str, int] = {}
        self._slow = 0  # counts on end
        self._back = -float("inf")  # when the server is asked again
        self._context: int | None = None  # not known yet

    def __call__(self, text: str) -> int:
        """The tokens of a text; those of a chat's template are not among them."""
        if text in self._known:
            return self._known[text]
        counted = self._counted(text) if self._root and self._clock() >= self._back else None
        if counted is None:
            return estimated_tokens(text)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[text] = counted
        return counted

    @property
    def context(self) -> int:
        """Tokens that a prompt and its answer may have together; 0 where the server does not tell."""
        if self._context is None and self._root and self._clock() >= self._back:
            self._counted("How many tokens may there be?")  # vLLM tells with each count
            if self._context is None:
                told = self._table("GET", "/props").get("default_generation_settings")
                self._context = _number(told, "n_ctx") or 0
        return self._context or 0

    def _counted(self, text: str) -> int | None:
        """What the server counts; None where it does not, which ends the asking for a while."""
        # Either server passes over the other's fields.
        body = {
            "model": self._model,
            "prompt": text,
            "add_special_tokens": False,
            "content": text,
            "add_special": False,
        }
        start = self._clock()
        told = self._table("POST", "/tokenize", body)
        self._slow = self._slow + 1 if self._clock() - start > _SLOW else 0
        tokens = told.get("tokens")
        if not isinstance(tokens, list) or self._slow >= _PATIENCE:
            self._slow, self._back = 0, self._clock() + _REST
        if limit := _number(told, "max_model_len"):
            self._context = limit
        return len(tokens) if isinstance(tokens, list) else None

    def _table(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """What the server answers; empty where it cannot be reached or knows no such path."""
        import httpx2

        try:
            response = self._client.request(method, f"{self._root}{path}", json=body, headers=self._headers())
            table = response.raise_for_status().json()
        except (httpx2.HTTPError, httpx2.InvalidURL, LLMError, ValueError):
            return {}
        return table if isinstance(table, dict) else {}

    @cached_property
    def _client(self) -> "httpx2.Client":
        import httpx2

        proxies = urlsplit(self._root).hostname not in _LOOPBACK  # they are for others
        client = httpx2.Client(timeout=_SECONDS, trust_env=proxies)
        weakref.finalize(self, client.close)
        return client


def token_counter(generator: object) -> TokenCounter:
    """Make a counter for a language model.

    Args:
        generator: The text generator, or None; only one that says its ``address`` can be asked to count.

    Returns:
        The counter.
    """
    address = getattr(generator, "address", None)
    if not isinstance(address, tuple):
        return TokenCounter()
    return TokenCounter(*address, headers=getattr(generator, "headers", dict))


def estimated_tokens(text: str) -> int:
    """Tokens that a text has at most, as a rule.

    Args:
        text: Any text.

    Returns:
        The estimate; see the module.
    """
    return sum(_worth(piece) for piece in _PIECE.finditer(text))


def _worth(piece: re.Match[str]) -> int:
    if piece[1]:
        return 1 + (len(piece[1]) - 1) // _LETTERS
    return 2 if piece[2] else 1


def _number(table: object, key: str) -> int | None:
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
