"""Questions answered as they are served, put before a judge, and reported: ``dragoman evaluate --answers``.

In: a run with an index. Out: ``answers/answers.jsonl``, a row an answer, and ``answers/report.json``. Each answer is kept the moment it is
finished, by all that it depends on, so that a killed run pays only for what is missing. Answers are asked for one at a time: their times
are those of a reader who is alone.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from dragoman.chat.answer import Answerer, asks_model, place_of, trail_of
from dragoman.chat.support import SUPPORTED
from dragoman.config import Recipe
from dragoman.errors import LLMError
from dragoman.evaluate.answers import AnswerRow, Cited, row_from
from dragoman.evaluate.ranking import Catalogue
from dragoman.index.pointer import read_pointer
from dragoman.models.embedded import open_generator
from dragoman.models.protocols import Reply
from dragoman.pipeline.answer_judging import Judged, Yardstick, is_smallest, judge_answers
from dragoman.pipeline.answer_questions import Asking, choose_questions
from dragoman.pipeline.answer_report import SCHEMA, Setting, build_report, write_report
from dragoman.pipeline.context import Run
from dragoman.pipeline.ingest import catalogue_of, load_chunks
from dragoman.pipeline.plans import writer_name
from dragoman.pipeline.searcher import DocsSearcher
from dragoman.records import Answer, content_id
from dragoman.synth.store import AnswerStore

_QUOTATIONS = "quotations"
_GIVE_UP = 5  # questions in a row that the language model leaves without an answer


@dataclass(frozen=True, slots=True)
class AnswersEvaluated:
    """The report and its rows; ``judged.trouble`` is to be told after what there is was shown."""

    report: dict[str, Any]
    rows: tuple[AnswerRow, ...]
    judged: Judged


def evaluate_answers(run: Run, file: Path | None = None) -> AnswersEvaluated:
    """Answer questions as the chatbot would, measure the answers, and have them judged.

    Args:
        run: The run; its workspace has an index.
        file: Questions to ask in place of the workspace's.

    Returns:
        The report, which is written by then.

    Raises:
        MissingArtefact: There is no index yet.
        UsageError: A file of questions, references or labels cannot be used.
        LLMError: The language model that writes the answers does not answer; what it answered is kept.
    """
    run.workspace.need("index")
    yardstick = Yardstick.of(run.recipe)
    asked = choose_questions(run, file)
    with run.workspace.writing(), AnswerStore(run.workspace.answers) as store:
        server = _Server(run)
        rows = _with_hits(server.answered(asked, store), asked, catalogue_of(load_chunks(run)))
        judged = judge_answers(run, rows, yardstick, store)
        rows = [
            replace(row, verdict=judged.verdicts.get(row.id), unjudged=judged.unjudged.get(row.id, "")) for row in rows
        ]
        report = build_report(run, rows, judged, server.setting)
        write_report(run, report, rows)
    return AnswersEvaluated(report, tuple(rows), judged)


class _Server:
    """Answers questions as they are served, from the store where it can."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._searcher = DocsSearcher(run)
        self._written = is_written(run.recipe)
        self.writer = writer_name(run.recipe) if self._written else _QUOTATIONS
        self._table = read_pointer(run.workspace.folder("index") / self._searcher.model)

    @property
    def setting(self) -> Setting:
        """What answers, for the report."""
        return Setting(self._searcher.banner, self.writer, self._searcher.model, self._table)

    def answered(self, asked: Sequence[Asking], store: AnswerStore) -> list[AnswerRow]:
        """A row for each question, in their order; one that failed now is asked again next time."""
        keys = {one.id: self._key(one) for one in asked}
        found = {key: _read(reply) for key, reply in store.get(keys.values()).items()}
        missing = [one for one in asked if keys[one.id] not in found]
        with self._run.reporter.progress("answering questions", len(asked)) as advance:
            advance(len(asked) - len(missing))
            if missing:
                with open_answerer(self._run, self._searcher) as answerer:

                    def keep(row: AnswerRow) -> None:
                        key = keys[row.id]
                        found[key] = row
                        if not row.failed:
                            store.put(key, self.writer, Reply(json.dumps(asdict(row)), 0, 0, "stop"), row.seconds)
                        advance(1)

                    asyncio.run(self._ask(answerer, missing, keep))
        # The same words may be asked by a person here and be made there: what is known of the question is today's.
        return [
            replace(found[keys[one.id]], id=one.id, kind=one.kind, unit=one.unit, answerable=one.answerable, hit=None)
            for one in asked
        ]

    async def _ask(self, answerer: Answerer, missing: Sequence[Asking], keep: Callable[[AnswerRow], None]) -> None:
        """Ask one question after the other, in one event loop, so that connections stay open as they do in a server."""
        await asyncio.to_thread(self._searcher.search, missing[0].text, 1)  # the first search of all loads a model
        failed = 0
        for one in missing:
            begun, first, answer = time.perf_counter(), 0.0, None
            async for part in answerer.stream(one.text):
                if part.text and not first:
                    first = time.perf_counter() - begun
                answer = part.answer or answer
            if answer is None:
                raise AssertionError("a stream ends with an answer")
            row = self._row(one, answer, first, time.perf_counter() - begun)
            keep(row)
            failed = failed + 1 if row.failed else 0
            if failed == _GIVE_UP:
                hint = "What it answered before is kept: run the same command again when the model answers."
                raise LLMError(f"{self.writer} left {failed} questions in a row unanswered; {row.failed}", hint=hint)

    def _row(self, one: Asking, answer: Answer, first: float, seconds: float) -> AnswerRow:
        return AnswerRow(
            id=one.id,
            question=one.text,
            kind=one.kind,
            unit=one.unit,
            answerable=one.answerable,
            answer=answer.text,
            mode=answer.mode,
            reason=answer.reason,
            note=answer.note,
            citations=tuple(
                Cited(
                    citation.number,
                    place_of(citation.hit.chunk),
                    trail_of(citation.hit.chunk),
                    citation.hit.chunk.url,
                    tuple(chunk.id for chunk in citation.hit.read),
                    "\n\n".join(chunk.passage for chunk in citation.hit.read),
                )
                for citation in answer.citations
            ),
            support=answer.support,
            supported=sum(sentence.score >= SUPPORTED for sentence in answer.support),
            findings=answer.findings,
            seconds=round(seconds, 3),
            first_seconds=round(first, 3),
            failed=answer.note if self._written and answer.mode == "extractive" else "",
        )

    def _key(self, one: Asking) -> str:
        """Everything that an answer depends on."""
        recipe = self._run.recipe
        chat = recipe.chat.model_dump_json(exclude={"host", "port"})
        searched = (self._table, self._searcher.model, recipe.models.reranker)
        return content_id("answer", SCHEMA, one.text, *searched, self.writer, recipe.name, chat, _chat_code())


@contextmanager
def open_answerer(run: Run, searcher: DocsSearcher) -> Iterator[Answerer]:
    """What answers questions as the recipe has it, for as long as the block lasts.

    Args:
        run: The run.
        searcher: Finds the passages.

    Yields:
        The answerer; the language model is not loaded where the docs are quoted.

    Raises:
        ModelError: The embedded model cannot be had or loaded.
        ExtraMissing: A library for language models is not installed.
    """
    recipe, llm = run.recipe, run.recipe.llm
    embedded = is_smallest(llm)
    if not asks_model(recipe.chat, embedded=embedded):
        llm = llm.model_copy(update={"base_url": "none"})
    with open_generator(llm, mirrors=recipe.models.mirrors, say=run.say) as generator:
        yield Answerer(searcher, generator, recipe.chat, recipe.name or "the docs", embedded=embedded)


def is_written(recipe: Recipe) -> bool:
    """Whether a language model writes the answers; else the docs are quoted."""
    if recipe.chat.writer == "auto":
        return recipe.llm.base_url != "none" and not is_smallest(recipe.llm)
    return recipe.chat.writer == "llm" and recipe.llm.base_url != "none"


def _chat_code() -> str:
    """Hash of all that makes an answer of passages: prompts, checks and the scoring of support."""
    files = sorted(file.name for file in resources.files("dragoman.chat").iterdir() if file.name.endswith(".py"))
    return content_id(*(resources.files("dragoman.chat").joinpath(name).read_text("utf-8") for name in files))


def _read(reply: Reply) -> AnswerRow:
    return row_from(json.loads(reply.text))


def _with_hits(rows: Sequence[AnswerRow], asked: Sequence[Asking], catalogue: Catalogue) -> list[AnswerRow]:
    """Say of each answer whether a section that it cites is one that answers the question."""
    found = []
    for row, one in zip(rows, asked, strict=True):
        relevant = catalogue.relevant(one.answers)
        sections = {catalogue.section_of.get(chunk) for cited in row.citations for chunk in cited.chunks}
        found.append(replace(row, hit=bool(sections & relevant)) if relevant else row)
    return found
