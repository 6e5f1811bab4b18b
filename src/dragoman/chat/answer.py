"""Answers a question from the documentation: by a language model, or by the documentation's own words.

In: a searcher, perhaps a text generator, a question and the turns before it. Out: the answer piece by piece, then
as a finished ``Answer`` with its citations. Knows no index, no model library and no screen.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from dragoman.chat.budget import Shares, fitting, recent, shares
from dragoman.chat.checks import StreamCleaner, checked
from dragoman.chat.links import linked_to
from dragoman.chat.prompt import NO_ANSWER, Manner, chat_messages, question_text, system_text
from dragoman.chat.quotations import place_of, quotations, trail_of
from dragoman.chat.refusal import declined, nearest, refusal_answer, refused_because, said_so
from dragoman.chat.rewrite import by_model, by_words, leaned_on
from dragoman.chat.searcher import EVERYWHERE, Searcher
from dragoman.config import ChatSettings
from dragoman.errors import LLMError
from dragoman.models.counting import token_counter
from dragoman.models.protocols import TextGenerator
from dragoman.records import Answer, Citation, Hit, SearchFilter, Turn

__all__ = ["AnswerPart", "Answerer", "Searcher", "asks_model", "place_of", "trail_of"]

TEMPERATURE = 0.1  # what a small model makes up grows with it; 0 makes it repeat itself
SEED = 13
NO_MODEL = "No language model is set up: these are the documentation's own words."
OWN_WORDS = "These are the documentation's own words."
SMALL_MODEL = "These are the documentation's own words; the small language model writes where chat.writer is 'llm'."
IN_PART = "The model says that the passages do not answer all of this."
_VERSIONS = 3  # named in a note


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """A piece of an answer. The last one has no text, but the finished answer."""

    text: str
    answer: Answer | None = None


def asks_model(settings: ChatSettings, *, embedded: bool) -> bool:
    """Whether a language model is needed, to write answers or to rewrite follow-ups.

    Args:
        settings: The recipe's ``[chat]`` section.
        embedded: Whether the language model is the small one that runs here.
    """
    return _chosen(settings.writer, embedded=embedded) or _chosen(settings.rewrite, embedded=embedded)


class Answerer:
    """Answers questions about one project.

    Args:
        searcher: Finds the passages.
        generator: Writes the answers; ``None`` where there is none, or none is needed (``asks_model``).
        settings: Who writes, how much is shown to the model, how long an answer may get, when there is none.
        name: The project's name.
        embedded: Whether the generator is the small one that runs here; it writes only where the settings say 'llm'.
    """

    def __init__(
        self,
        searcher: Searcher,
        generator: TextGenerator | None,
        settings: ChatSettings,
        name: str,
        *,
        embedded: bool = False,
    ) -> None:
        self._searcher, self._settings, self.name = searcher, settings, name
        self._writer = generator if _chosen(settings.writer, embedded=embedded) else None
        self._rewriter = generator if _chosen(settings.rewrite, embedded=embedded) else None
        none = generator is None and not embedded  # the small one is not loaded for nothing
        self._quoting = NO_MODEL if none else OWN_WORDS if settings.writer == "extractive" else SMALL_MODEL
        self._count = token_counter(generator)
        self._manner = Manner(settings.length, settings.style)
        self._most = self._manner.tokens(settings.answer_tokens)

    @property
    def banner(self) -> str:
        """What serves, and who writes the answers, in one line."""
        quoting = "no language model, answers are quotations" if self._quoting == NO_MODEL else "answers are quotations"
        writer = f"answers by {self._writer.name}" if self._writer else quoting
        return f"{self._searcher.banner} · {writer}"

    def answer(self, question: str, history: Sequence[Turn] = (), where: SearchFilter = EVERYWHERE) -> Answer:
        """Answer a question and wait for the end of it; not to be called where an event loop runs.

        Args:
            question: The message just sent.
            history: The turns before, oldest first.
            where: Which chunks may be used.

        Returns:
            The finished answer.

        Raises:
            DragomanError: The searcher failed. A failing language model raises nothing: the note says why.
        """
        return asyncio.run(self._finished(question, history, where))

    async def _finished(self, question: str, history: Sequence[Turn], where: SearchFilter) -> Answer:
        async for part in self.stream(question, history, where):
            if part.answer:
                return part.answer
        raise AssertionError("a stream ends with an answer")

    async def stream(
        self, question: str, history: Sequence[Turn] = (), where: SearchFilter = EVERYWHERE
    ) -> AsyncGenerator[AnswerPart]:
        """Answer a question piece by piece.

        Args:
            question: The message just sent.
            history: The turns before, oldest first.
            where: Which chunks may be used.

        Yields:
            Parts with text, which joined are the answer's text (up to blanks around it, and to what the checks of a
            language model's answer change in it); then one with the answer.

        Raises:
            DragomanError: The searcher failed. A failing language model raises nothing: the note says why.
        """
        meant = await self._meant(question, history)
        parts = self._answered(question, meant, history, where)
        async with aclosing(parts):
            async for part in parts:
                if part.answer is None:
                    yield part
                    continue
                answer = replace(part.answer, searched="" if meant == question else meant)
                note = "" if answer.mode == "refusal" else await asyncio.to_thread(self._differing, answer.citations)
                yield AnswerPart("", replace(answer, note=f"{answer.note} {note}".strip()))

    async def _meant(self, question: str, history: Sequence[Turn]) -> str:
        """The question as it stands alone."""
        turns = [] if self._settings.rewrite == "none" else leaned_on(question, history)
        if not turns:
            return question
        written = await by_model(self._rewriter, question, turns) if self._rewriter else ""
        return written or by_words(question, turns)

    async def _answered(
        self, question: str, meant: str, history: Sequence[Turn], where: SearchFilter
    ) -> AsyncGenerator[AnswerPart]:
        share = await asyncio.to_thread(self._shares, question, meant)
        top, count = self._settings.passages, self._count
        hits = await asyncio.to_thread(
            self._searcher.search, meant, top, where=where, budget=share.passages, count=count
        )
        reason = refused_because(hits, self._searcher.refusal if self._settings.false_refusal else None)
        if reason:
            refused = refusal_answer(question, hits, reason, name=self.name, contact=self._settings.contact)
            yield AnswerPart(refused.text)
            yield AnswerPart("", refused)
            return
        if self._writer is None:
            parts = self._quoted(question, meant, hits, self._quoting)
        else:
            shown = await asyncio.to_thread(fitting, hits, share.passages, count)
            told = await asyncio.to_thread(recent, history, share.history, count)
            messages = chat_messages(self.name, question, shown, told, meant=meant, manner=self._manner)
            pieces = self._writer.stream(messages, max_tokens=self._most, temperature=TEMPERATURE, seed=SEED)
            parts = self._written(pieces, question, meant, shown)
        async with aclosing(parts):
            async for part in parts:
                yield part

    def _shares(self, question: str, meant: str) -> Shares:
        settings = self._settings
        context = self._count.context if self._writer else 0
        fixed = self._count(system_text(self.name, self._manner)) + self._count(question_text(question, meant))
        return shares(settings.passage_tokens, settings.history_tokens, fixed=fixed, answer=self._most, context=context)

    async def _written(
        self, pieces: AsyncIterator[str], question: str, meant: str, shown: Sequence[Hit]
    ) -> AsyncGenerator[AnswerPart]:
        cleaner = StreamCleaner(len(shown))
        written, problem = "", ""
        try:
            async with aclosing(_within(pieces, cleaner.feed, self._settings.patience)) as texts:
                async for text in texts:
                    if said := text.lstrip("" if written else None):
                        written += said
                        yield AnswerPart(said)
        except LLMError as error:
            problem = str(error)
        if tail := cleaner.close().lstrip("" if written else None):
            written += tail
            yield AnswerPart(tail)
        problem = problem or ("" if written.strip() else "it wrote nothing")
        if problem:
            parts = self._instead(question, meant, shown, written, cleaner.cited, problem)
            async with aclosing(parts):
                async for part in parts:
                    yield part
        elif declined(written, cleaner.cited):
            added = said_so(shown, self._settings.contact)
            yield AnswerPart(added)
            text, _ = linked_to(written.strip(), shown)
            yield AnswerPart("", Answer(question, text + added, nearest(shown), "refusal", reason="unanswerable"))
        else:
            yield AnswerPart("", _checked(question, written.strip(), shown, cleaner))

    async def _quoted(self, question: str, meant: str, hits: Sequence[Hit], note: str) -> AsyncGenerator[AnswerPart]:
        quoted = quotations(meant, hits, self._settings.length)
        for number, (block, _) in enumerate(quoted):
            yield AnswerPart(f"\n\n{block}" if number else block)
        text = "\n\n".join(block for block, _ in quoted)
        yield AnswerPart("", Answer(question, text, tuple(one for _, one in quoted), "extractive", note))

    async def _instead(
        self, question: str, meant: str, shown: Sequence[Hit], written: str, cited: Sequence[int], problem: str
    ) -> AsyncGenerator[AnswerPart]:
        """Quotations after what a failed language model wrote, which may be nothing."""
        what = "broke off" if written else "gave no answer"
        note = f"The language model {what} ({problem.rstrip('.')}): the documentation is quoted instead."
        start = f"{written.rstrip()}\n\n…\n\n" if written else ""
        if start:
            yield AnswerPart(start[len(written.rstrip()) :])
        async for part in self._quoted(question, meant, shown, note):
            if part.answer is None:
                yield part
                continue
            quoted = part.answer.citations
            more = [Citation(number, shown[number - 1]) for number in sorted(cited) if number > len(quoted)]
            text = (start + part.answer.text).lstrip()
            yield AnswerPart("", replace(part.answer, text=text, citations=(*quoted, *more)))

    def _differing(self, citations: Sequence[Citation]) -> str:
        """Which sources read differently in other versions of the docs."""
        said = []
        for one in citations:
            others = self._searcher.counterparts(one.hit.chunk)[:_VERSIONS]
            labels = {self._searcher.version_of(other): other.url for other in others}
            named = [f"{label} ({url})" if url else label for label, url in labels.items() if label]
            if named:
                said.append(f"[{one.number}] reads differently in other versions: {', '.join(named)}.")
        return " ".join(said)


def _chosen(who: str, *, embedded: bool) -> bool:
    """Whether a setting gives a task to the language model; 'auto' does when it is not the small one."""
    return who == "llm" or (who == "auto" and not embedded)


async def _within(pieces: AsyncIterator[str], clean: Callable[[str], str], patience: float) -> AsyncGenerator[str]:
    """The cleaned pieces that can be shown; an error when the first takes too long. The reader's end ends the pieces, too."""
    clock = asyncio.get_running_loop().time
    end = clock() + patience if patience else None
    try:
        while True:
            # No timeout may span a yield: who reads on may be another task.
            async with asyncio.timeout(None if end is None else max(end - clock(), 0)):
                piece = await anext(pieces, None)
            if piece is None:
                return
            if text := clean(piece):
                end = None if text.strip() else end
                yield text
    except TimeoutError as error:
        raise LLMError(f"it said nothing within {patience:g} seconds") from error
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


def _checked(question: str, written: str, shown: Sequence[Hit], cleaner: StreamCleaner) -> Answer:
    """A model's answer with its sources, and a word about what is wrong with it."""
    found = checked(written, question, shown, cleaner.cited)
    numbers = found.cited or tuple(range(1, len(shown) + 1))
    note = f"{found.note} {IN_PART}".strip() if NO_ANSWER in found.text.casefold() else found.note
    citations = tuple(Citation(number, shown[number - 1]) for number in numbers)
    findings = tuple(dict.fromkeys([*cleaner.findings, *found.findings]))
    return Answer(question, found.text, citations, "llm", note, support=found.support, findings=findings)
