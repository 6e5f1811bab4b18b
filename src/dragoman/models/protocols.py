"""What the stages need of a model, and nothing more.

The doors that real models and their stand-ins share: typed arguments in, plain values out. Nothing here
loads anything.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Role = Literal["query", "passage"]
Advance = Callable[[int], None]  # called with the number of items just done


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and of what is put around a text: equal fingerprints, equal vectors."""
        ...

    @property
    def passage_fingerprint(self) -> str:
        """As ``fingerprint``, for passages alone: an encoder that changes only questions makes the passages' vectors of another."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        """Vectors of shape ``(len(texts), dimension)``, float32, each of length 1."""
        ...


class Reranker(Protocol):
    """Reads a question and a passage together, and says how well the one answers the other."""

    @property
    def name(self) -> str:
        """The model's name, as it is told to people."""
        ...

    def score(self, pairs: Sequence[tuple[str, str]], advance: Advance | None = None) -> Vectors:
        """A score for each pair of question and passage, shape ``(len(pairs),)``, float32; larger is better."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a language model answered, and what it cost in tokens."""

    text: str
    prompt_tokens: int
    answer_tokens: int
    finish: str  # "stop", "length", ...
    model: str = ""  # who wrote it, where that may be another than who was asked


class TextGenerator(Protocol):
    """A chat language model."""

    @property
    def name(self) -> str:
        """The model's name; part of the key under which its answers are stored."""
        ...

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """One answer; with ``schema``, JSON text that was asked to follow it (not yet validated)."""
        ...

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncIterator[str]:
        """The answer piece by piece, as it is generated."""
        ...
