"""Which questions are asked when answers are evaluated: people's, made ones, and some that the docs do not answer; or those of a file.

In: a run whose evaluation is finished. Out: questions with what is known of their answers. The choice depends on the seed alone, so that two
runs over the same docs ask the same.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.errors import MissingArtefact
from dragoman.evaluate.answer_files import read_wanted
from dragoman.evaluate.asked import AskedRow
from dragoman.evaluate.places import as_questions, locate
from dragoman.evaluate.real import read_real_questions
from dragoman.pipeline.context import Run
from dragoman.pipeline.ingest import load_chunks
from dragoman.pipeline.judging import ASKED
from dragoman.pipeline.synth import UNANSWERABLE, load_questions
from dragoman.records import Chunk, Question, content_id
from dragoman.tables import read_rows

_UNANSWERABLE_SHARE = 4  # at most one of so many questions is unanswerable


@dataclass(frozen=True, slots=True)
class Asking:
    """A question to be answered; ``answers`` are ids of the chunks that are known to answer it, none where nobody knows."""

    id: str
    text: str
    kind: str
    unit: str
    answerable: bool = True
    answers: tuple[str, ...] = ()


def choose_questions(run: Run, file: Path | None = None) -> list[Asking]:
    """The questions of an evaluation of answers.

    Args:
        run: The run.
        file: Questions to ask in place of the workspace's, all of them.

    Returns:
        What people asked first, then made questions, both of those that are held out in training; unanswerable ones last.

    Raises:
        UsageError: The file cannot be used.
        MissingArtefact: Nothing was evaluated yet.
    """
    return _of_file(run, file) if file else _of_workspace(run)


def _of_workspace(run: Run) -> list[Asking]:
    run.workspace.need("evaluate")
    path = run.workspace.folder("evaluate") / ASKED
    if not path.is_file():
        happened = f"{path.parent} has no list of the questions that were asked"
        raise MissingArtefact(happened, hint="An older version made it. Run: dragoman evaluate --force")
    # Not a secret's randomness: the same seed chooses the same.
    shuffled = random.Random(run.recipe.seed)  # noqa: S311
    chunks = load_chunks(run)
    unanswerable = _unanswerable(run, chunks)
    shuffled.shuffle(unanswerable)
    asked = read_rows(path, AskedRow)
    shuffled.shuffle(asked)
    most = run.recipe.evaluate.answers
    del unanswerable[most // _UNANSWERABLE_SHARE :]
    asked = sorted(asked, key=lambda row: row.kind != "person")[: most - len(unanswerable)]
    known = _known(run, chunks)
    rows = [
        Asking(row.question_id, row.text, row.kind, row.unit, answers=known.get(row.question_id, ())) for row in asked
    ]
    return [*rows, *unanswerable]


def _unanswerable(run: Run, chunks: Sequence[Chunk]) -> list[Asking]:
    path = run.workspace.folder("synth") / UNANSWERABLE
    pages = {chunk.id: f"{chunk.source} {chunk.path}" for chunk in chunks}
    rows = read_rows(path, Question) if path.is_file() else []
    return [
        Asking(row.id, row.text, "unanswerable", pages.get(row.chunk_id, row.chunk_id), answerable=False)
        for row in rows
    ]


def _known(run: Run, chunks: Sequence[Chunk]) -> Mapping[str, tuple[str, ...]]:
    """The chunks that answer each question that the evaluation may have asked."""
    questions = load_questions(run)
    file = Path(run.recipe.evaluate.questions)
    if run.recipe.evaluate.questions and file.is_file():
        questions += as_questions(locate(read_real_questions(file), chunks))
    return {question.id: question.answers for question in questions}


def _of_file(run: Run, file: Path) -> list[Asking]:
    wanted = read_wanted(file)
    known: dict[str, Question] = {}
    if all(one.placed for one in wanted):
        located = locate(read_real_questions(file), load_chunks(run))
        for missing in located.missing:
            run.say(f"answers: {file}, {missing}")
        questions = as_questions(located)
        known = {one.question.qid: question for one, question in zip(located.questions, questions, strict=True)}
    return [
        Asking(
            content_id("question of a file", one.qid, one.text),
            one.text,
            "file",
            one.qid,
            one.answerable,
            known[one.qid].answers if one.qid in known else (),
        )
        for one in wanted
    ]
