"""Where a language model is reached, and what of that no one may read.

In: a URL and the name of a variable. Out: the address without its secrets, and texts with the secrets blotted out.
It opens no connection.
"""

import base64
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from dragoman.errors import LLMRefused

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN = 300
_BLOT = "***"
_USER = re.compile(r"//[^/@\s]*@")
_KEY = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and the key that opens it.

    ``url`` holds no secret and may be shown. ``authorization`` is a whole header, made of the URL's user and password.
    """

    url: str
    model: str
    key_env: str
    loopback: bool
    authorization: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def key(self) -> str:
        """The key, as the environment has it now; "" where there is none.

        Raises:
            LLMRefused: The variable holds something that cannot be sent as a key.
        """
        key = os.environ.get(self.key_env, "").strip() if self.key_env else ""
        if not _KEY.fullmatch(key):
            raise LLMRefused(
                f"{self.key_env} holds no key that can be sent",
                expected="letters, digits and signs without spaces",
                hint=f"Export the key as {self.key_env} again.",
            )
        return key

    def headers(self) -> dict[str, str]:
        """What opens the endpoint for a request of one's own; the secrets are in it.

        Raises:
            LLMRefused: The variable holds something that cannot be sent as a key.
        """
        opens = self.authorization or (f"Bearer {key}" if (key := self.key()) else "")
        return {"Authorization": opens} if opens else {}

    def client_options(self) -> dict[str, Any]:
        """How a client of the library ``openai`` reaches the endpoint; it never tries again by itself.

        Raises:
            LLMRefused: The variable holds something that cannot be sent as a key.
        """
        return {
            "base_url": self.url,
            "api_key": self.key() or "none",  # a local server needs no key, yet the client library insists on one
            "default_headers": {"Authorization": self.authorization} if self.authorization else None,
            "max_retries": 0,
        }

    def clean(self, text: str) -> str:
        """A foreign text in one line of moderate length, without the secrets."""
        text = " ".join(self.blot(text).split())
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."

    def blot(self, text: str) -> str:
        """A foreign text without the secrets, whichever way a server may have written them."""
        key = os.environ.get(self.key_env, "") if self.key_env else ""
        return blotted(text, [key, key.strip(), quote(key.strip(), safe=""), *self.secrets])


def blotted(text: str, secrets: Iterable[str]) -> str:
    """A text without secrets.

    Args:
        text: Any text.
        secrets: What must not be in it; empty ones are passed over.

    Returns:
        The text with a blot in place of each.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _BLOT)
    return text


def parse_endpoint(base_url: str, model: str, key_env: str) -> Endpoint:
    """Read an endpoint's address.

    Args:
        base_url: The endpoint, up to and including ``/v1``; may hold ``user:password@``.
        model: The model's name there.
        key_env: Name of the environment variable that holds the key; "": no key.

    Returns:
        The endpoint.

    Raises:
        LLMRefused: The URL is none, or has a query, where a key would be seen by all.
    """
    parts = _parts(base_url)
    if parts is None:
        raise LLMRefused(
            f"'{_USER.sub(f'//{_BLOT}@', base_url)}' is no address of a language model",
            expected="something like http://127.0.0.1:8000/v1",
            hint="Change llm.base_url in dragoman.toml ('' is the embedded model, 'none' is none).",
        )
    place = parts.netloc.rpartition("@")[2].lower()
    url = f"{parts.scheme}://{place}{parts.path.rstrip('/')}"
    if parts.query or parts.fragment:
        raise LLMRefused(
            f"the address of a language model ends in a query: {url}?{_BLOT}",
            expected="an address that ends in its path, mostly /v1",
            hint="Take the query out of llm.base_url; a key belongs in the variable that llm.api_key_env names.",
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user or password):
        return Endpoint(url, model, key_env, (parts.hostname or "") in _LOOPBACK)
    code = base64.b64encode(f"{user}:{password}".encode()).decode()
    # A user without a password is a token.
    hidden = password or user
    secrets = (hidden, quote(hidden, safe=""), parts.password or parts.username or "", code)
    return Endpoint(url, model, key_env, (parts.hostname or "") in _LOOPBACK, f"Basic {code}", secrets)


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.port != 0 and parts.hostname and " " not in url
    except ValueError:
        return None
    return parts if good else None
