"""What a server understands of the chat protocol, found out by what it refuses.

In: what is to be asked, and the words of a refusal. Out: a request's body, and the next simpler way to say the same.
OpenAI-compatible servers differ in JSON schemas, seeds, temperatures and the name of the longest length.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from dragoman.models.protocols import Message
from dragoman.models.structured import with_schema_told

Structure = Literal["json_schema", "json_object", "text"]

_SIMPLER: Mapping[Structure, Structure] = {"json_schema": "json_object", "json_object": "text"}
_ABOUT_STRUCTURE = re.compile(r"response_?format|json[_ ]?schema|json[_ ]?object|json mode|structured|guided|grammar")
_UNKNOWN = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|forbidden|extra|not implemented"
)
_SEED = re.compile(r"\b(random_)?seed\b")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn: longest length in tokens, temperature, seed."""

    max_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one endpoint is spoken to; a new one is taken for fully able."""

    structure: Structure = "json_schema"
    length: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    seed: bool = True

    def body(
        self, model: str, messages: Sequence[Message], sampling: Sampling, schema: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The body of a chat request.

        Args:
            model: The model's name at the endpoint.
            messages: The conversation, oldest first.
            sampling: How the answer is drawn.
            schema: What the answer shall follow; None: free text.

        Returns:
            The body, in what this endpoint understands.
        """
        if schema is not None and self.structure != "json_schema":
            messages = with_schema_told(messages, schema)
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            self.length: sampling.max_tokens,
        }
        if self.temperature:
            body["temperature"] = sampling.temperature
        if self.seed:
            body["seed"] = sampling.seed
        if schema is not None and self.structure == "json_schema":
            shape = {"name": "answer", "schema": dict(schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
        elif schema is not None and self.structure == "json_object":
            body["response_format"] = {"type": "json_object"}
        return body

    def after(self, refusal: str, *, structured: bool) -> "Dialect":
        """The dialect to try next.

        Args:
            refusal: What the server said (400 or 422) to a request in this dialect.
            structured: Whether that request asked for a structure.

        Returns:
            A simpler dialect; the same one when the refusal is about something else.
        """
        said = refusal.lower()
        if self.length == "max_tokens" and "max_completion_tokens" in said:
            return replace(self, length="max_completion_tokens")
        simpler = _SIMPLER.get(self.structure) if structured else None
        if simpler and _ABOUT_STRUCTURE.search(said):
            return replace(self, structure=simpler)
        if not _UNKNOWN.search(said):
            return self
        if self.temperature and "temperature" in said:
            return replace(self, temperature=False)
        if self.seed and _SEED.search(said):
            return replace(self, seed=False)
        return replace(self, structure=simpler) if simpler else self
