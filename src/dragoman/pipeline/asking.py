"""What a language model is asked in ``synth``, what that will cost, and who asks.

In: a run and its chunks. Out: questions of every kind with what it took, or an estimate. It joins the jobs of the room ``synth`` with the
language model of the recipe; the funnel comes later.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dragoman.models.embedded import open_generator
from dragoman.models.protocols import TextGenerator
from dragoman.pipeline.context import Run
from dragoman.pipeline.ingest import tokens_of
from dragoman.pipeline.plans import writer_name
from dragoman.records import Chunk, Question, Rejected
from dragoman.synth.budget import Budget, Prices
from dragoman.synth.context import Context, context_job, page_openings
from dragoman.synth.estimate import Estimate, estimate_jobs, message_counter
from dragoman.synth.generate import choose_chunks, question_jobs
from dragoman.synth.language import language_asked, languages
from dragoman.synth.pairs import JointQuestion, linked_pairs, pair_job
from dragoman.synth.post.engine import post_questions
from dragoman.synth.post.records import PostSettings
from dragoman.synth.prompts import persona_of
from dragoman.synth.store import AnswerStore
from dragoman.synth.unanswerable import STYLE as UNANSWERABLE
from dragoman.synth.unanswerable import page_headings, unanswerable_job
from dragoman.synth.work import Job, Sampling, do_jobs

_DRY = 3  # chunks that a dry run asks about
_MEMORY = Path(":memory:")


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions in the order of the chunks, what gave none, and what it cost."""

    questions: tuple[Question, ...] = ()
    unanswerable: tuple[Question, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    requests: int = 0  # sent now
    stored: int = 0  # answered by the store
    unfinished: int = 0  # failed or over budget: asked for again next time
    prompt_tokens: int = 0
    answer_tokens: int = 0
    note: str = ""
    scores: dict[str, float] = field(default_factory=dict)  # of a judge, by question id
    contexts: tuple[Context, ...] = ()


def asks(run: Run) -> bool:
    """Whether the recipe has a language model asked at all."""
    settings = run.recipe.synth
    wanted = settings.requests or settings.pairs or settings.unanswerable or settings.context
    return run.recipe.llm.base_url != "none" and bool(wanted)


def ask(run: Run, chunks: Sequence[Chunk], distiset: Path | None = None) -> Asked:
    """Ask the language model, within the budget; what it answered before is taken from the store.

    Args:
        run: The run.
        chunks: All chunks.
        distiset: Where the engine ``distilabel`` leaves its dataset; None: nowhere.

    Returns:
        What came of it.

    Raises:
        LLMError: The language model failed; answers so far are kept.
    """
    if not asks(run):
        run.say("synth: no language model asked; questions come from the documents' structure alone")
        return Asked()
    with AnswerStore(run.workspace.answers) as store:
        asked = _by_engine(run, chunks, store, distiset)
    run.say(
        f"synth: {asked.requests} requests sent, {asked.stored} answered from the store; "
        f"{asked.prompt_tokens:,} prompt and {asked.answer_tokens:,} answer tokens"
    )
    if asked.note:
        run.say(f"synth: {asked.note}")
    return asked


def dry_run(run: Run, chunks: Sequence[Chunk]) -> Asked:
    """Ask about a few chunks and keep nothing.

    Args:
        run: The run.
        chunks: All chunks.

    Returns:
        What came of it.

    Raises:
        LLMError: The language model failed.
    """
    few = choose_chunks(chunks, _DRY, run.recipe.seed)
    with AnswerStore(_MEMORY) as store:
        return _by_engine(run, few, store, None)


def estimate(run: Run, chunks: Sequence[Chunk]) -> Estimate:
    """What a run of ``synth`` would send and cost, by the tokenizer and a few measured requests; their answers are kept.

    Args:
        run: The run.
        chunks: All chunks.

    Returns:
        The estimate; nothing else was sent.

    Raises:
        LLMError: No request of the sample was answered.
    """
    recipe = run.recipe
    tokens = tokens_of(run)
    with AnswerStore(run.workspace.answers) as store:
        return asyncio.run(
            estimate_jobs(
                _jobs(run, chunks),
                lambda: language_model(run),
                store,
                _sampling(run),
                count=message_counter(tokens),
                tokenizer=recipe.models.embedding,
                concurrency=recipe.llm.concurrency,
                prices=prices(run) if recipe.llm.price_prompt or recipe.llm.price_answer else None,
            )
        )


@contextmanager
def language_model(run: Run) -> Iterator[TextGenerator]:
    """The language model of the recipe, for as long as the block lasts."""
    with open_generator(run.recipe.llm, mirrors=run.recipe.models.mirrors, say=run.say) as generator:
        if generator is None:
            raise AssertionError("a language model was asked for though the recipe has none")
        yield generator


def ask_jobs(run: Run, jobs: Sequence[Job[Any]], store: AnswerStore, label: str) -> Asked:
    """Do jobs of any kind with the language model of the recipe, within the budget.

    Args:
        run: The run.
        jobs: What is wanted.
        store: Where answers are looked up, and kept.
        label: What the progress bar says.

    Returns:
        Questions by what they are for, a judge's scores, and sentences that place chunks in their pages.
    """
    with run.reporter.progress(label, len(jobs)) as advance:
        done = asyncio.run(
            do_jobs(
                jobs,
                lambda: language_model(run),
                store,
                _sampling(run),
                concurrency=run.recipe.llm.concurrency,
                budget=budget_of(run),
                advance=advance,
            )
        )
    scores: dict[str, float] = dict(one for one in done.results if isinstance(one, tuple))
    questions = [
        replace(one.question, also=one.also) if isinstance(one, JointQuestion) else one
        for one in done.results
        if isinstance(one, JointQuestion | Question)
    ]
    return Asked(
        tuple(question for question in questions if question.style != UNANSWERABLE),
        tuple(question for question in questions if question.style == UNANSWERABLE),
        done.rejected,
        done.asked,
        done.stored,
        done.failed + done.not_asked,
        done.prompt_tokens,
        done.answer_tokens,
        done.note,
        scores,
        tuple(one for one in done.results if isinstance(one, Context)),
    )


def budget_of(run: Run) -> Budget:
    """What the recipe lets a run spend."""
    settings = run.recipe.synth
    return Budget(
        settings.budget_requests or None,
        settings.budget_tokens or None,
        settings.budget_minutes or None,
        settings.budget_money or None,
        prices(run),
    )


def prices(run: Run) -> Prices:
    """What tokens cost, as the recipe says."""
    return Prices(run.recipe.llm.price_prompt, run.recipe.llm.price_answer)


def _sampling(run: Run) -> Sampling:
    return Sampling(writer_name(run.recipe), run.recipe.synth.temperature, run.recipe.seed)


def _by_engine(run: Run, chunks: Sequence[Chunk], store: AnswerStore, distiset: Path | None) -> Asked:
    if run.recipe.synth.engine == "distilabel":
        return _by_distilabel(run, chunks, store, distiset)
    return ask_jobs(run, _jobs(run, chunks), store, "asking the language model")


def _jobs(run: Run, chunks: Sequence[Chunk]) -> list[Job[Any]]:
    """Everything that the recipe wants asked, in a stable order."""
    settings, model, seed = run.recipe.synth, writer_name(run.recipe), run.recipe.seed
    known = languages(chunks)

    def asker(chunk: Chunk) -> dict[str, str]:
        language = language_asked(chunk, settings.language, known)
        return {
            "persona": persona_of(chunk, settings.personas),
            "project": settings.project,
            "language": language,
        }

    jobs: list[Job[Any]] = [
        job
        for chunk in choose_chunks(chunks, settings.requests, seed)
        for job in question_jobs([chunk], model, settings.kinds, **asker(chunk))
    ]
    pairs = linked_pairs(chunks)[: settings.pairs]
    jobs += [pair_job(pair, model, **asker(pair.first)) for pair in pairs]
    headings = page_headings(chunks)
    jobs += [
        unanswerable_job(chunk, headings[chunk.id], model, **asker(chunk))
        for chunk in choose_chunks(chunks, settings.unanswerable, seed)
    ]
    openings = page_openings(chunks)
    jobs += [
        context_job(chunk, openings[chunk.id], project=settings.project)
        for chunk in choose_chunks(chunks, settings.context, seed)
    ]
    return jobs


def _by_distilabel(run: Run, chunks: Sequence[Chunk], store: AnswerStore, distiset: Path | None) -> Asked:
    settings, recipe = run.recipe.synth, run.recipe
    chosen = choose_chunks(chunks, settings.requests, recipe.seed)
    post = PostSettings(
        context=settings.project,
        num_queries=settings.paraphrases,
        temperature=settings.temperature,
        seed=recipe.seed,
        concurrency=recipe.llm.concurrency,
    )
    if len(chosen) <= _DRY:
        post = replace(post, batch_size=1)
    with run.reporter.progress("asking through distilabel", 2 * len(chosen)) as advance:
        posted = asyncio.run(
            post_questions(
                chosen,
                writer_name(recipe),
                lambda: language_model(run),
                store,
                post,
                folder=distiset,
                budget=budget_of(run),
                advance=advance,
            )
        )
    return Asked(
        posted.questions,
        (),
        (*posted.rejected, *posted.short),
        posted.asked,
        posted.stored,
        posted.failed + posted.not_asked,
        posted.prompt_tokens,
        posted.answer_tokens,
        posted.note,
    )
