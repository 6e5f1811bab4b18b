"""Answers put before a judge, and the judge before people: who judges, what it said, and how far it can be believed.

In: a run, answered questions, references and labels. Out: judgements by row, the reasons why some have none, and the judge's agreement with
the labels. It joins the prompt of the room ``evaluate`` with the jobs and the store of the room ``synth``, so nothing is paid for twice.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dragoman.config import LLMSettings, Recipe
from dragoman.errors import LLMError
from dragoman.evaluate.agreement import Agreement, agreement
from dragoman.evaluate.answer_files import Labelled, read_labels, read_references, wording
from dragoman.evaluate.answer_judge import (
    MAX_TOKENS,
    SCHEMA,
    Case,
    Judgement,
    judge_id,
    judge_messages,
    read_judgement,
)
from dragoman.evaluate.answers import AnswerRow
from dragoman.models.embedded import open_generator
from dragoman.models.protocols import Reply, TextGenerator
from dragoman.pipeline.context import Run
from dragoman.pipeline.plans import writer_name
from dragoman.records import Rejected
from dragoman.synth.budget import Budget
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import UNREADABLE, Done, Job, Sampling, do_jobs

_SHOWN = 200
_LABEL = "label "  # before a label's number, in place of the id of a row

Said = tuple[str, Judgement]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What people said beforehand: the answers they expect, by the wording of the question, and answers that they judged."""

    references: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[Labelled, ...] = ()

    @classmethod
    def of(cls, recipe: Recipe) -> "Yardstick":
        """Read the files that the recipe names.

        Raises:
            UsageError: One cannot be used.
        """
        settings = recipe.evaluate
        references = read_references(Path(settings.references)) if settings.references else {}
        return cls(references, tuple(read_labels(Path(settings.labels))) if settings.labels else ())


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge said; ``id`` is "" where there is none, for the reason in ``why``.

    ``verdicts`` and ``unjudged`` (reasons) are by row. ``trouble`` is what ended the judging early; what was judged before is kept.
    """

    id: str = ""
    model: str = ""
    why: str = ""
    verdicts: Mapping[str, Judgement] = field(default_factory=dict)
    unjudged: Mapping[str, str] = field(default_factory=dict)
    agreement: Agreement | None = None
    labels: int = 0
    trouble: LLMError | None = None


def judge_settings(recipe: Recipe) -> LLMSettings | None:
    """How the judge is reached; a second endpoint would be another judge, so none stands in.

    Args:
        recipe: The recipe.

    Returns:
        Its settings; None where there is no judge: none is wanted, or there is but the embedded model.
    """
    wanted, writer = recipe.evaluate, recipe.llm
    url = wanted.judge_url or writer.base_url
    if url == "none" or (not url and is_smallest(writer)):
        return None
    return writer.model_copy(
        update={
            "base_url": url,
            "model": wanted.judge_model or writer.model,
            "api_key_env": wanted.judge_key_env if wanted.judge_url else writer.api_key_env,
            "fallback_base_url": "",
        }
    )


def is_smallest(settings: LLMSettings) -> bool:
    """Whether the language model is the embedded one that nobody chose: too small to judge, or to write where docs can be quoted."""
    return not settings.base_url and settings.model == LLMSettings().model


def judge_answers(run: Run, rows: Sequence[AnswerRow], yardstick: Yardstick, store: AnswerStore) -> Judged:
    """Have answers judged, and the judge tested on the labels.

    Args:
        run: The run.
        rows: Answered questions; refusals, and answers to what the docs do not answer, are not put before the judge.
        yardstick: References and labels.
        store: Where judgements are looked up, and kept.

    Returns:
        What came of it. An endpoint that fails raises nothing: answers without a judgement are listed, and never count as wrong.
    """
    settings = judge_settings(run.recipe)
    if settings is None:
        return Judged(why=_why_none(run.recipe))
    cases = {row.id: _case(row, yardstick) for row in rows if row.judgeable}
    cases |= {f"{_LABEL}{number}": _labelled(one, yardstick) for number, one in enumerate(yardstick.labels, 1)}
    jobs = [
        Job(name, tuple(judge_messages(case)), partial(_read, name), SCHEMA, MAX_TOKENS, kind="judge answer")
        for name, case in cases.items()
    ]
    model = writer_name(run.recipe.model_copy(update={"llm": settings}))
    done, trouble = _done(run, settings, jobs, Sampling(model, 0.0, run.recipe.seed), store)
    verdicts = dict(done.results)
    why = {row.item: f"{row.reason}: {row.detail}" for row in done.rejected}
    if trouble:
        why = dict.fromkeys(why, trouble.happened)
    return Judged(
        judge_id(model),
        model,
        verdicts={name: said for name, said in verdicts.items() if not name.startswith(_LABEL)},
        unjudged=why,
        agreement=_agreement(run, yardstick.labels, verdicts),
        labels=len(yardstick.labels),
        trouble=trouble,
    )


def _why_none(recipe: Recipe) -> str:
    if recipe.evaluate.judge_url == "none" or recipe.llm.base_url == "none":
        return "no judge: the recipe names none"
    return (
        f"no judge: the embedded model ({recipe.llm.model}) is too small to judge. "
        "Name one: --set evaluate.judge_url=http://... --set evaluate.judge_model=NAME"
    )


def _done(
    run: Run, settings: LLMSettings, jobs: Sequence[Job[Said]], sampling: Sampling, store: AnswerStore
) -> tuple[Done[Said], LLMError | None]:
    """What came of the jobs; when the endpoint fails for good, what is in the store by then, and the error."""

    @contextmanager
    def judge() -> Iterator[TextGenerator]:
        with open_generator(settings, mirrors=run.recipe.models.mirrors, say=run.say) as generator:
            if generator is None:
                raise AssertionError("a judge was asked for though the recipe has none")
            yield generator

    def do(budget: Budget | None = None) -> Done[Said]:
        with run.reporter.progress("judging answers", len(jobs)) as advance:
            work = do_jobs(
                jobs, judge, store, sampling, concurrency=settings.concurrency, budget=budget, advance=advance
            )
            return asyncio.run(work)

    try:
        return do(), None
    except LLMError as error:
        return do(Budget(requests=0)), error


def _case(row: AnswerRow, yardstick: Yardstick) -> Case:
    reference = yardstick.references.get(wording(row.question), "")
    return Case(row.question, row.answer, tuple(cited.passage for cited in row.citations), reference)


def _labelled(label: Labelled, yardstick: Yardstick) -> Case:
    reference = yardstick.references.get(wording(label.question), "")
    return Case(label.question, label.answer, label.passages, reference)


def _agreement(run: Run, labels: Sequence[Labelled], verdicts: Mapping[str, Judgement]) -> Agreement | None:
    """How far the judge agrees with the labels that it judged; None where it judged none."""
    pairs = [
        (verdicts[f"{_LABEL}{number}"].correct, label.correct, wording(label.question))
        for number, label in enumerate(labels, 1)
        if f"{_LABEL}{number}" in verdicts
    ]
    if not pairs:
        return None
    said, people, units = zip(*pairs, strict=True)
    return agreement(said, people, units, rounds=run.recipe.evaluate.bootstrap, seed=run.recipe.seed)


def _read(name: str, reply: Reply) -> tuple[list[Said], list[Rejected]]:
    said = read_judgement(reply.text)
    if said is None:
        return [], [Rejected("evaluate", name, UNREADABLE, reply.text[:_SHOWN])]
    return [(name, said)], []
