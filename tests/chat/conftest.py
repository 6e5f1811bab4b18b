"""A small documentation of our own (a pantry server), and language models that say what a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import pytest

from dragoman.chat import Answerer, KeywordSearcher
from dragoman.config import ChatSettings
from dragoman.errors import LLMError
from dragoman.models.protocols import Message, Reply
from dragoman.records import Chunk, content_id

_PAGES: dict[tuple[str, ...], str] = {
    ("Pantry", "Shelves", "Adding a shelf"): (
        "## Adding a shelf\n\nTo add a shelf, call `pantry.shelf()` with a name and a size in centimetres. "
        "A shelf keeps its jars in the order in which they came; see [jars](./jars.md#order).\n\n"
        "```js\nconst top = pantry.shelf('top', { width: 80 })\n\ntop.onFull((jar) => jar.reject())\n```\n\n"
        "The width must be a whole number."
    ),
    ("Pantry", "Shelves", "Removing a shelf"): (
        "## Removing a shelf\n\nAn empty shelf is removed with `shelf.remove()`. A shelf that still holds jars throws "
        "`PANTRY_SHELF_BUSY`; pass `{ force: true }` to remove it with its jars."
    ),
    ("Pantry", "Jars", "Labels"): (
        "## Labels\n\nEvery jar has a label. Labels are unique in a pantry: a second jar of the same label is refused.\n\n"
        "![a jar](https://pictures.example/jar.png)\n<img src='https://pictures.example/label.png'>\n\n"
        "| field | meaning |\n| --- | --- |\n| text | what is on the label |\n| colour | any CSS colour |\n"
    ),
    ("Pantry", "Temperature", "Alarm"): (
        "## Alarm\n\nThe alarm rings when the temperature leaves the range set with `pantry.range(low, high)`, both in "
        "degrees Celsius. It is silent for the first ten minutes after a start."
    ),
}


def _make_chunk(trail: tuple[str, ...], text: str, *, line: int = 1, url: str = "", tokens: int = 0) -> Chunk:
    """A chunk as the chunker would cut it from a page of its own."""
    path = "-".join(part.lower().replace(" ", "-") for part in trail[1:]) + ".md"
    passage = " > ".join(trail) + "\n" + text
    return Chunk(
        id=content_id("pantry", path, text),
        source="pantry",
        path=path,
        title=trail[0],
        trail=trail,
        section=content_id(path, *trail),
        text=text,
        passage=passage,
        start=0,
        end=len(text),
        start_line=line,
        end_line=line + text.count("\n"),
        tokens=tokens or len(passage) // 4,
        url=url,
    )


@pytest.fixture(scope="session")
def chunks() -> list[Chunk]:
    """Four sections; all but one have a public address."""
    return [
        _make_chunk(
            trail,
            text,
            line=10 * number,
            url="" if trail[-1] == "Alarm" else f"https://pantry.example/docs#part-{number}",
        )
        for number, (trail, text) in enumerate(_PAGES.items(), 1)
    ]


class ScriptedModel:
    """A language model whose answer is a function of the messages; it remembers what it was asked.

    An ``LLMError`` among the pieces is raised when its turn comes.
    """

    name = "scripted"

    def __init__(self, say: Callable[[Sequence[Message]], list[str | LLMError]], *, delay: float = 0.0) -> None:
        self._say, self._delay = say, delay
        self.asked: list[tuple[Message, ...]] = []
        self.closed = 0

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """The answer at once."""
        assert schema is None
        pieces = [
            piece async for piece in self.stream(messages, max_tokens=max_tokens, temperature=temperature, seed=seed)
        ]
        return Reply("".join(pieces), 1, len(pieces), "stop")

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float, seed: int
    ) -> AsyncIterator[str]:
        """The answer piece by piece, no more pieces than ``max_tokens``."""
        assert temperature >= 0
        assert seed >= 0
        self.asked.append(tuple(messages))
        try:
            for piece in self._say(messages)[:max_tokens]:
                await asyncio.sleep(self._delay)
                if isinstance(piece, LLMError):
                    raise piece
                yield piece
        finally:
            self.closed += 1


@pytest.fixture(scope="session")
def make_chunk() -> Callable[..., Chunk]:
    """Makes a chunk of a trail and a text."""
    return _make_chunk


@pytest.fixture(scope="session")
def scripted() -> type[ScriptedModel]:
    """A language model whose answers a test writes."""
    return ScriptedModel


@pytest.fixture(scope="session")
def saying() -> Callable[..., ScriptedModel]:
    """Makes a language model that always says the same pieces."""
    return lambda *pieces, delay=0.0: ScriptedModel(lambda _: list(pieces), delay=delay)


@pytest.fixture
def answerer(chunks: list[Chunk]) -> Callable[..., Answerer]:
    """Makes what answers, from a model, a searcher and settings."""

    def make(generator: Any = None, *, searcher: Any = None, embedded: bool = False, **settings: Any) -> Answerer:
        told = ChatSettings.model_validate(settings)
        return Answerer(searcher or KeywordSearcher(chunks), generator, told, "Pantry", embedded=embedded)

    return make
