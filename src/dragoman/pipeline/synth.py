"""The second stage: chunks -> questions.

In: a run whose chunks are made. Out: the manifest of ``synth``: questions, hard negatives, what was rejected, and the funnel as a page. It
joins the room ``synth`` and the ranking of ``evaluate``, neither of which knows the other.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragoman.config import SynthSettings
from dragoman.evaluate.ranking import dense_ranks
from dragoman.models.protocols import Vectors
from dragoman.pipeline.asking import Asked, ask, ask_jobs, asks
from dragoman.pipeline.context import Outcome, Run, counts_by_reason, run_stage
from dragoman.pipeline.encoders import base_encoder
from dragoman.pipeline.ingest import REJECTED, catalogue_of, load_chunks, tokens_of
from dragoman.pipeline.plans import synth_plan
from dragoman.pipeline.vectors import VectorCache
from dragoman.pipeline.verdicts import reviewed
from dragoman.records import Chunk, Manifest, Negatives, Question, Rejected, content_id
from dragoman.review.apply import Applied
from dragoman.synth.context import Context, contextual_passage
from dragoman.synth.filter import clean, mark
from dragoman.synth.funnel import Evidence, Funnel, FunnelSettings
from dragoman.synth.funnel_page import funnel_page
from dragoman.synth.judge import judge_jobs
from dragoman.synth.links import find_links
from dragoman.synth.negatives import MiningSettings, mine_negatives
from dragoman.synth.store import AnswerStore
from dragoman.synth.structure import structural_questions
from dragoman.synth.work import FAILED, OVER_BUDGET
from dragoman.tables import content_hash, read_rows, write_rows

QUESTIONS, UNANSWERABLE, NEGATIVES = "questions.parquet", "unanswerable.parquet", "negatives.parquet"
CONTEXTS, PAGE, DISTISET = "contexts.parquet", "funnel.html", "distiset"


def load_questions(run: Run) -> list[Question]:
    """The questions of the finished synth."""
    run.workspace.need("synth")
    return read_rows(run.workspace.folder("synth") / QUESTIONS, Question)


def load_passages(run: Run) -> list[Chunk]:
    """The chunks that are trained on, judged and served: without those that reviewers threw out, and a sentence of context added to some."""
    chunks = load_chunks(run)
    bad = set(_list(run.workspace.need("synth").notes.get("bad_chunks")))
    chunks = [chunk for chunk in chunks if chunk.id not in bad]
    sentences = {row.chunk_id: row.sentence for row in read_rows(run.workspace.folder("synth") / CONTEXTS, Context)}
    return [
        replace(chunk, passage=contextual_passage(chunk, sentences[chunk.id])) if chunk.id in sentences else chunk
        for chunk in chunks
    ]


def load_negatives(run: Run) -> dict[str, tuple[str, ...]]:
    """Ids of the hard negatives of each question of the finished synth, hardest first, by the question's id."""
    run.workspace.need("synth")
    rows = read_rows(run.workspace.folder("synth") / NEGATIVES, Negatives)
    return {row.question_id: row.chunk_ids for row in rows}


def synth(run: Run) -> Manifest:
    """Make questions about the chunks and send them through the funnel.

    Args:
        run: The run.

    Returns:
        The manifest; its notes hold the funnel.

    Raises:
        LLMError: The language model failed; answers so far are kept.
    """
    every = load_chunks(run)

    def work(folder: Path) -> Outcome:
        asked = ask(run, every, folder / DISTISET)
        structure = structural_questions(every)
        judged = reviewed(run, [*asked.questions, *structure], every)
        chunks = [chunk for chunk in every if chunk.id not in judged.bad_chunks]
        funnel = clean(judged.questions, chunks, funnel_settings(run.recipe.synth))
        seen = _Seen.of(run, funnel, chunks)
        evidence = Evidence(seen.ranks, seen.ids, seen.questions, _scores(run, funnel, chunks))
        funnel = mark(funnel, evidence, chunks, funnel_settings(run.recipe.synth))
        negatives = _negatives(run, funnel, seen, chunks, judged)
        contexts, unfit = _fitting(run, asked.contexts, chunks)
        rejected = [*asked.rejected, *judged.rejected, *unfit, *funnel.rejected]
        write_rows(folder / QUESTIONS, funnel.questions, Question)
        write_rows(folder / UNANSWERABLE, asked.unanswerable, Question)
        write_rows(folder / NEGATIVES, negatives, Negatives)
        write_rows(folder / CONTEXTS, contexts, Context)
        write_rows(folder / REJECTED, rejected, Rejected)
        page = funnel_page(funnel, chunks, run.recipe.name or "the documentation")
        (folder / PAGE).write_text(page, encoding="utf-8")
        rows = {
            "requests": asked.requests + asked.stored,
            "made": len(asked.questions) + len(structure),
            "kept": len(funnel.questions),
            "trainable": funnel.trainable,
            "rejected": len(rejected),
            "unanswerable": len(asked.unanswerable),
            "unfinished": sum(row.reason in {FAILED, OVER_BUDGET} for row in asked.rejected),
        }
        content = content_hash([*funnel.questions, *negatives, *contexts])
        if judged.bad_chunks:
            content = content_id(content, *sorted(judged.bad_chunks))
        return Outcome(content, rows, _funnel_notes(asked, funnel, judged))

    manifest = run_stage(run, synth_plan(run), work, again=unfinished(run.workspace.manifest("synth")) > 0)
    run.say(f"synth: {funnel_line(manifest)}")
    return manifest


def unfinished(manifest: Manifest | None) -> int:
    """Requests that failed, or that the budget left out: a rerun asks for them again."""
    return manifest.rows.get("unfinished", 0) if manifest else 0


def funnel_settings(settings: SynthSettings) -> FunnelSettings:
    """The recipe's dials of the funnel."""
    return FunnelSettings(
        skip=frozenset(settings.skip), round_trip=settings.round_trip, near=settings.near, judge=settings.judge
    )


def funnel_line(manifest: Manifest) -> str:
    """The funnel in one line, for people."""
    rows, notes = manifest.rows, manifest.notes
    kinds = ", ".join(f"{count} {kind}" for kind, count in dict(_table(notes["kinds"])).items())
    steps = ", ".join(f"{count} {reason}" for reason, count in dict(_table(notes["steps"])).items())
    return f"{rows['made']} questions ({kinds}) - {steps or 'none rejected'} -> {rows['trainable']} to train on"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the base model makes of the questions that are judged (a model's and people's), and of the passages."""

    judged: Sequence[Question]
    questions: Vectors
    passages: Vectors
    ranks: Mapping[str, int]

    @property
    def ids(self) -> list[str]:
        return [question.id for question in self.judged]

    @classmethod
    def of(cls, run: Run, funnel: Funnel, chunks: Sequence[Chunk]) -> "_Seen":
        judged = [question for question in funnel.questions if question.kind != "structure"]
        if not judged:
            empty = Evidence().vectors
            return cls((), empty, empty, {})
        encoder = base_encoder(run)
        cache = VectorCache(run.workspace.root / "vectors", run.reporter)
        passages = cache.encode(encoder, [chunk.passage for chunk in chunks], "passage", "encoding passages (base)")
        vectors = cache.encode(encoder, [question.text for question in judged], "query", "encoding questions (base)")
        ranks = dense_ranks(vectors, passages, [question.answers for question in judged], catalogue_of(chunks))
        return cls(judged, vectors, passages, {one.id: int(rank) for one, rank in zip(judged, ranks, strict=True)})


def _scores(run: Run, funnel: Funnel, chunks: Sequence[Chunk]) -> dict[str, float]:
    """What a judge says of a model's questions, when the recipe wants one."""
    settings = run.recipe.synth
    if not settings.judge or "judge" in settings.skip or not asks(run):
        return {}
    questions = [question for question in funnel.questions if question.kind == "llm"]
    with AnswerStore(run.workspace.answers) as store:
        return ask_jobs(run, judge_jobs(questions, chunks), store, "judging questions").scores


def _negatives(run: Run, funnel: Funnel, seen: _Seen, chunks: Sequence[Chunk], judged: Applied) -> list[Negatives]:
    settings = run.recipe.synth
    kept = {question.id: question for question in funnel.questions if question.train}
    rows = [place for place, question in enumerate(seen.judged) if question.id in kept]
    if not rows or not settings.negatives:
        return []
    answers = [kept[seen.judged[place].id].answers for place in rows]
    mining = MiningSettings(settings.negatives, settings.margin)
    linked = _linked(chunks)
    mined = mine_negatives(seen.questions[rows], seen.passages, answers, chunks, linked=linked, settings=mining)
    found = []
    for place, ids, scores in zip(rows, mined.ids, mined.scores, strict=True):
        question = seen.judged[place].id
        right = judged.wrong_negatives.get(question, ())  # what reviewers found to answer it after all
        left = [(id_, score) for id_, score in zip(ids, scores, strict=True) if id_ not in right]
        found.append(Negatives(question, tuple(id_ for id_, _ in left), tuple(score for _, score in left)))
    return found


def _fitting(run: Run, contexts: Sequence[Context], chunks: Sequence[Chunk]) -> tuple[list[Context], list[Rejected]]:
    """The sentences of context with which a passage still fits its budget."""
    if not contexts:
        return [], []
    by_id = {chunk.id: chunk for chunk in chunks}
    passages = [contextual_passage(by_id[one.chunk_id], one.sentence) for one in contexts]
    counts = tokens_of(run).count(passages)
    fits = [count <= run.recipe.chunk.tokens for count in counts]
    unfit = [
        Rejected("synth", one.chunk_id, "no room for context", one.sentence)
        for one, fit in zip(contexts, fits, strict=True)
        if not fit
    ]
    return [one for one, fit in zip(contexts, fits, strict=True) if fit], unfit


def _linked(chunks: Sequence[Chunk]) -> dict[str, set[str]]:
    """Sections by the section that links to them."""
    section_of = {chunk.id: chunk.section for chunk in chunks}
    found: dict[str, set[str]] = defaultdict(set)
    for link in find_links(chunks):
        found[section_of[link.origin]].add(section_of[link.target])
    return found


def _funnel_notes(asked: Asked, funnel: Funnel, judged: Applied) -> dict[str, Any]:
    kinds = Counter(question.kind for question in funnel.questions)
    samples: dict[str, list[str]] = defaultdict(list)
    for row in (*asked.rejected, *judged.rejected):
        samples[row.reason].append(row.detail)
    for verdict in (*funnel.removed, *funnel.marked):
        samples[verdict.reason].append(verdict.question.text)
    return {
        "kinds": dict(sorted(kinds.items())),
        "steps": {**counts_by_reason([*asked.rejected, *judged.rejected]), **funnel.steps},
        "verdicts": dict(judged.counts),
        "bad_chunks": sorted(judged.bad_chunks),
        "samples": {reason: texts[:3] for reason, texts in sorted(samples.items())},
    }


def _list(value: object) -> list[str]:
    return list(value) if isinstance(value, list) else []


def _table(value: object) -> Mapping[str, int]:
    return value if isinstance(value, Mapping) else {}
