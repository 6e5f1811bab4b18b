"""Answers a question from the documentation: by a language model, or by the documentation's own words.

In: a searcher, perhaps a text generator, a question and the turns before it. Out: the answer piece by piece, then
as a finished ``Answer`` with its citations. Knows no index, no model library and no screen.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from dragoman.chat.attribute import attributed
from dragoman.chat.citations import CitationFilter
from dragoman.chat.excerpt import quotable, shorten
from dragoman.chat.grounding import strange_names
from dragoman.chat.prompt import NO_ANSWER, chat_messages, fitting, search_text
from dragoman.config import ChatSettings
from dragoman.errors import LLMError
from dragoman.models.protocols import TextGenerator
from dragoman.records import Answer, Chunk, Citation, Hit, Turn

TEMPERATURE = 0.1  # what a small model makes up grows with it; 0 makes it repeat itself
SEED = 13
QUOTED = 3  # passages in an extractive answer
QUOTE_CHARS = 1200
STRANGE_NAMES = 5  # named in a note
NO_MODEL = "No language model is set up: these are the documentation's own words."
NOTHING_FOUND = "Nothing in the documentation matches this question."


class Searcher(Protocol):
    """Finds the chunks that may answer a question."""

    @property
    def banner(self) -> str:
        """Which model and mode serve, for the reader: "tuned model, hybrid search"."""
        ...

    def search(self, question: str, top: int) -> list[Hit]:
        """At most ``top`` hits, best first; may be called from any thread, several at once."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """A piece of an answer. The last one has no text, but the finished answer."""

    text: str
    answer: Answer | None = None


class Answerer:
    """Answers questions about one project.

    Args:
        searcher: Finds the passages.
        generator: Writes the answers; ``None`` for extractive answers.
        settings: How many passages are shown to the model, how long an answer may get.
        name: The project's name.
    """

    def __init__(self, searcher: Searcher, generator: TextGenerator | None, settings: ChatSettings, name: str) -> None:
        self._searcher, self._generator, self._settings, self.name = searcher, generator, settings, name

    @property
    def banner(self) -> str:
        """What serves, and who writes the answers, in one line."""
        writer = (
            f"answers by {self._generator.name}" if self._generator else "no language model, answers are quotations"
        )
        return f"{self._searcher.banner} · {writer}"

    def answer(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer a question and wait for the end of it; not to be called where an event loop runs.

        Args:
            question: The message just sent.
            history: The turns before, oldest first.

        Returns:
            The finished answer.

        Raises:
            DragomanError: The searcher failed. A failing language model raises nothing: the note says why.
        """
        return asyncio.run(self._finished(question, history))

    async def _finished(self, question: str, history: Sequence[Turn]) -> Answer:
        async for part in self.stream(question, history):
            if part.answer:
                return part.answer
        raise AssertionError("a stream ends with an answer")

    async def stream(self, question: str, history: Sequence[Turn] = ()) -> AsyncGenerator[AnswerPart]:
        """Answer a question piece by piece.

        Args:
            question: The message just sent.
            history: The turns before, oldest first.

        Yields:
            Parts with text, which joined are the answer's text (up to blanks around it, and to numbers that are matched to
            sentences afterwards); then one with the answer.

        Raises:
            DragomanError: The searcher failed. A failing language model raises nothing: the note says why.
        """
        top = self._settings.passages
        hits = await asyncio.to_thread(self._searcher.search, search_text(question, history), top)
        if not hits:
            yield AnswerPart(NOTHING_FOUND)
            yield AnswerPart("", Answer(question, NOTHING_FOUND, (), "extractive"))
        elif self._generator is None:
            async for part in _quotations(question, hits, NO_MODEL):
                yield part
        else:
            async with aclosing(self._written(self._generator, question, hits, history)) as parts:
                async for part in parts:
                    yield part

    async def _written(
        self, generator: TextGenerator, question: str, hits: Sequence[Hit], history: Sequence[Turn]
    ) -> AsyncGenerator[AnswerPart]:
        shown = fitting(hits)
        citations = CitationFilter(len(shown))
        pieces = generator.stream(
            chat_messages(self.name, question, shown, history),
            max_tokens=self._settings.answer_tokens,
            temperature=TEMPERATURE,
            seed=SEED,
        )
        written, problem = "", "it wrote nothing"
        try:
            async with aclosing(_closing(pieces)) as open_pieces:
                async for piece in open_pieces:
                    if text := citations.feed(piece).lstrip("" if written else None):
                        written += text
                        yield AnswerPart(text)
            problem = "" if written else problem
        except LLMError as error:
            problem = str(error)
        if tail := citations.close():
            written += tail
            yield AnswerPart(tail)
        if not problem:
            yield AnswerPart("", _checked(question, written.strip(), shown, citations.cited))
            return
        async for part in _instead(question, shown, written, citations.cited, problem):
            yield part


async def _closing(pieces: AsyncIterator[str]) -> AsyncGenerator[str]:
    """The same pieces; when the reader stops, so does the generator, at once and not when it is collected."""
    try:
        async for piece in pieces:
            yield piece
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


def _checked(question: str, text: str, shown: Sequence[Hit], cited: Sequence[int]) -> Answer:
    """A model's answer with its sources, and a word about what is wrong with it."""
    numbers, notes = sorted(cited), []
    if NO_ANSWER in text.casefold():
        numbers = []
        notes.append("The passages found may not answer the question; the nearest ones are listed.")
    elif not cited:
        text, matched = attributed(text, shown)
        numbers = list(matched)
        what = "its sentences were matched to them by their words" if matched else "those it was shown are listed"
        notes.append(f"The model cited no passage; {what}.")
    if strange := strange_names(text, [question, *(hit.chunk.passage for hit in shown)]):
        named = ", ".join(strange[:STRANGE_NAMES])
        notes.append(f"Not in the passages, so perhaps made up: {named}.")
    numbers = numbers or list(range(1, len(shown) + 1))
    return Answer(question, text, tuple(Citation(n, shown[n - 1]) for n in numbers), "llm", " ".join(notes))


async def _quotations(question: str, hits: Sequence[Hit], note: str) -> AsyncGenerator[AnswerPart]:
    """The best passages, quoted, each under its heading trail with a link."""
    citations = tuple(Citation(number, hit) for number, hit in enumerate(hits[:QUOTED], 1))
    blocks = [_quotation(citation) for citation in citations]
    for number, block in enumerate(blocks):
        yield AnswerPart(f"\n\n{block}" if number else block)
    yield AnswerPart("", Answer(question, "\n\n".join(blocks), citations, "extractive", note))


async def _instead(
    question: str, shown: Sequence[Hit], written: str, cited: Sequence[int], problem: str
) -> AsyncGenerator[AnswerPart]:
    """Quotations after what a failed language model wrote, which may be nothing."""
    what = "broke off" if written else "gave no answer"
    note = f"The language model {what} ({problem.rstrip('.')}): the documentation is quoted instead."
    start = f"{written.rstrip()}\n\n…\n\n" if written else ""
    if start:
        yield AnswerPart(start[len(written.rstrip()) :])
    async for part in _quotations(question, shown, note):
        if part.answer:
            more = [Citation(number, shown[number - 1]) for number in sorted(cited) if number > QUOTED]
            text, citations = (start + part.answer.text).lstrip(), (*part.answer.citations, *more)
            yield AnswerPart("", replace(part.answer, text=text, citations=citations))
        else:
            yield part


def _quotation(citation: Citation) -> str:
    chunk = citation.hit.chunk
    quote = shorten(quotable(chunk.text, heading=chunk.trail[-1] if chunk.trail else ""), QUOTE_CHARS)
    quoted = "\n".join(f"> {line}".rstrip() for line in quote.split("\n"))
    trail = trail_of(chunk).replace("[", "(").replace("]", ")")
    linked = f"[{trail}]({chunk.url})" if chunk.url else trail
    return f"[{citation.number}] **{linked}** (`{place_of(chunk)}`)\n\n{quoted}"


def trail_of(chunk: Chunk) -> str:
    """The heading trail as a reader sees it: ``Reply › Methods › send``; the path when there is none."""
    return " › ".join(chunk.trail) or chunk.title or chunk.path


def place_of(chunk: Chunk) -> str:
    """File and source lines: ``guides/start.md:12-30``."""
    lines = f"{chunk.start_line}-{chunk.end_line}" if chunk.end_line > chunk.start_line else str(chunk.start_line)
    return f"{chunk.origin}:{lines}"
