"""Two language models, the second for when the first fails.

In: two generators. Out: a generator under the first one's name whose replies say who wrote them. It knows of neither
where it is or how it is reached.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dragoman.errors import ConfigError, LLMError, RequestRefused
from dragoman.models.protocols import Message, Reply, TextGenerator


class FallbackLLM:
    """A language model that is stood in for while it fails.

    A request that the first refuses for itself (too long a prompt) is not given to the second.

    Args:
        first: Who answers.
        second: Who answers instead.
        say: Told once, in one line, that the second answers and why.
        rest: Seconds for which the first is left alone after it failed.
        clock: Tells the time in seconds.

    Raises:
        ConfigError: Both are the same model at the same address.
    """

    def __init__(
        self,
        first: TextGenerator,
        second: TextGenerator,
        *,
        say: Callable[[str], None],
        rest: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        address = getattr(first, "address", None)
        if first is second or (address is not None and address == getattr(second, "address", None)):
            where = f"'{second.name}' at {address[0]}" if address else f"'{second.name}'"
            raise ConfigError(
                f"the second language model is the first one: {where}",
                expected="another model, or another address",
                hint="Change the address or the model of the second in dragoman.toml, or take it out.",
            )
        self._first, self._second = first, second
        self._say, self._rest, self._clock = say, rest, clock
        self._said = False
        self._back = -float("inf")  # when the first is asked again

    @property
    def name(self) -> str:
        """The first model's name."""
        return self._first.name

    @property
    def address(self) -> tuple[str, str] | None:
        """URL and model of the first, whose tokens count; None where it has none."""
        return getattr(self._first, "address", None)

    def headers(self) -> dict[str, str]:
        """What opens the first one's endpoint."""
        opens: Callable[[], dict[str, str]] = getattr(self._first, "headers", dict)
        return opens()

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Ask for one answer, of the second model if the first fails.

        Args:
            messages: The conversation, oldest first.
            max_tokens: Longest answer, in the model's tokens.
            temperature: Sampling temperature, from 0.
            seed: Seed of the sampling, where the endpoint honours one.
            schema: JSON schema that the answer shall follow; None: free text.

        Returns:
            The answer, signed.

        Raises:
            LLMError: Both failed, or the request itself was refused.
        """

        async def ask(model: TextGenerator) -> Reply:
            reply = await model.reply(
                messages, max_tokens=max_tokens, temperature=temperature, seed=seed, schema=schema
            )
            return replace(reply, model=model.name)

        if self._clock() >= self._back:
            try:
                return await ask(self._first)
            except RequestRefused:
                raise
            except LLMError as error:
                self._failed(error)
        return await ask(self._second)

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncIterator[str]:
        """Ask for one answer and yield it piece by piece; once it has begun, nobody takes over.

        Args:
            messages: The conversation, oldest first.
            max_tokens: Longest answer, in the model's tokens.
            temperature: Sampling temperature, from 0.
            seed: Seed of the sampling, where the endpoint honours one.

        Yields:
            Pieces of text, none empty.

        Raises:
            LLMError: Both failed, the request itself was refused, or an answer broke off.
        """
        begun = False
        models = [self._first, self._second] if self._clock() >= self._back else [self._second]
        for model in models:
            pieces = model.stream(messages, max_tokens=max_tokens, temperature=temperature, seed=seed)
            try:
                async for piece in pieces:
                    begun = True
                    yield piece
            except RequestRefused:
                raise
            except LLMError as error:
                if begun or model is self._second:
                    raise
                self._failed(error)
            else:
                return
            finally:
                if isinstance(pieces, AsyncGenerator):
                    await pieces.aclose()

    async def aclose(self) -> None:
        """Close both models' connections."""
        for model in (self._first, self._second):
            close = getattr(model, "aclose", None)
            if close is not None:
                await close()

    def _failed(self, error: LLMError) -> None:
        self._back = self._clock() + self._rest
        if not self._said:
            self._said = True
            self._say(f"'{self._first.name}' fails, '{self._second.name}' answers instead: {error}")
