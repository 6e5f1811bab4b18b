"""The second stage: chunks -> questions.

In: a run whose chunks are made. Out: the manifest of ``synth``. It joins the rooms ``synth`` and the ranking of ``evaluate``, neither
of which knows the other.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dragoman.evaluate.ranking import dense_ranks
from dragoman.models.embedded import open_generator
from dragoman.models.encoder import SentenceEncoder
from dragoman.models.protocols import TextGenerator
from dragoman.pipeline.context import Outcome, Run, counts_by_reason, run_stage
from dragoman.pipeline.ingest import REJECTED, base_model, catalogue_of, load_chunks
from dragoman.pipeline.plans import synth_plan, writer_name
from dragoman.pipeline.vectors import VectorCache
from dragoman.records import Chunk, Manifest, Question, Rejected
from dragoman.synth.filter import Funnel, clean, round_trip
from dragoman.synth.generate import Generated, choose_chunks, generate_questions
from dragoman.synth.store import AnswerStore
from dragoman.synth.structure import structural_questions
from dragoman.tables import content_hash, read_rows, write_rows

QUESTIONS = "questions.parquet"


def load_questions(run: Run) -> list[Question]:
    """The questions of the finished synth."""
    run.workspace.need("synth")
    return read_rows(run.workspace.folder("synth") / QUESTIONS, Question)


def synth(run: Run) -> Manifest:
    """Make questions about the chunks and send them through the funnel.

    Args:
        run: The run.

    Returns:
        The manifest; its notes hold the funnel.

    Raises:
        LLMError: The language model failed; answers so far are kept.
    """
    chunks = load_chunks(run)

    def work(folder: Path) -> Outcome:
        generated = _generated(run, chunks)
        funnel = clean([*generated.questions, *structural_questions(chunks)])
        funnel = round_trip(funnel, _ranks(run, funnel, chunks), run.recipe.synth.round_trip)
        rejected = [*generated.rejected, *funnel.rejected]
        write_rows(folder / QUESTIONS, funnel.questions, Question)
        write_rows(folder / REJECTED, rejected, Rejected)
        if funnel.asked != len(funnel.questions) + len(funnel.rejected):
            raise AssertionError("the funnel lost a question")
        rows = {
            "requests": generated.asked + generated.stored,
            "made": funnel.asked,
            "kept": len(funnel.questions),
            "trainable": funnel.trainable,
            "rejected": len(rejected),
        }
        return Outcome(content_hash(funnel.questions), rows, _funnel_notes(generated, funnel, rejected))

    manifest = run_stage(run, synth_plan(run), work)
    run.say(f"synth: {funnel_line(manifest)}")
    return manifest


def funnel_line(manifest: Manifest) -> str:
    """The funnel in one line, for people."""
    rows, notes = manifest.rows, manifest.notes
    kinds = ", ".join(f"{count} {kind}" for kind, count in dict(_table(notes["kinds"])).items())
    steps = ", ".join(f"{count} {reason}" for reason, count in dict(_table(notes["steps"])).items())
    return f"{rows['made']} questions ({kinds}) - {steps or 'none rejected'} -> {rows['trainable']} to train on"


def _generated(run: Run, chunks: Sequence[Chunk]) -> Generated:
    recipe = run.recipe
    if not recipe.synth.requests or recipe.llm.base_url == "none":
        run.say("synth: no language model asked; questions come from the documents' structure alone")
        return Generated((), (), 0, 0, 0, 0)
    chosen = choose_chunks(chunks, recipe.synth.requests, recipe.seed)
    with (
        AnswerStore(run.workspace.answers) as store,
        run.reporter.progress("asking the language model", len(chosen)) as advance,
    ):
        generated = asyncio.run(
            generate_questions(
                chosen,
                writer_name(recipe),
                lambda: _language_model(run),
                store,
                recipe.synth,
                seed=recipe.seed,
                concurrency=recipe.llm.concurrency,
                advance=advance,
            )
        )
    run.say(
        f"synth: {generated.asked} requests sent, {generated.stored} answered from the store; "
        f"{generated.prompt_tokens:,} prompt and {generated.answer_tokens:,} answer tokens"
    )
    return generated


@contextmanager
def _language_model(run: Run) -> Iterator[TextGenerator]:
    with open_generator(run.recipe.llm, mirrors=run.recipe.models.mirrors, say=run.say) as generator:
        if generator is None:
            raise AssertionError("a language model was asked for though the recipe has none")
        yield generator


def _ranks(run: Run, funnel: Funnel, chunks: Sequence[Chunk]) -> dict[str, int]:
    """Where the base model finds each question's section; only questions of a model or a person are judged."""
    judged = [question for question in funnel.questions if question.kind != "structure"]
    if not judged or not run.recipe.synth.round_trip:
        return {}
    encoder = SentenceEncoder(base_model(run))
    cache = VectorCache(run.workspace.root / "vectors", run.reporter)
    passages = cache.encode(encoder, [chunk.passage for chunk in chunks], "passage", "encoding passages (base)")
    questions = cache.encode(encoder, [question.text for question in judged], "query", "encoding questions (base)")
    ranks = dense_ranks(questions, passages, [question.chunk_id for question in judged], catalogue_of(chunks))
    return {question.id: int(rank) for question, rank in zip(judged, ranks, strict=True)}


def _funnel_notes(generated: Generated, funnel: Funnel, rejected: Sequence[Rejected]) -> dict[str, Any]:
    kinds = Counter(question.kind for question in funnel.questions)
    return {
        "kinds": dict(sorted(kinds.items())),
        "steps": {**counts_by_reason(generated.rejected), **funnel.steps},
        "samples": {
            reason: [row.detail for row in rejected if row.reason == reason][:3]
            for reason in sorted(counts_by_reason(rejected))
        }
        | {"not found again": [question.text for question in funnel.questions if not question.train][:3]},
    }


def _table(value: object) -> Mapping[str, int]:
    return value if isinstance(value, Mapping) else {}
