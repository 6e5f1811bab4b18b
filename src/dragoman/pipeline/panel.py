"""Who is asked: the held-out questions, those of people among them, and how much each counts.

In: chunks, questions, and a file of people's questions where the recipe names one. Out: the board that every way of searching is
measured on. It joins the rooms ``train`` (what is held out) and ``evaluate`` (who decides).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import UsageError
from dragoman.evaluate.gate import Panel
from dragoman.evaluate.metrics import Values
from dragoman.evaluate.places import Located, as_questions, locate
from dragoman.evaluate.real import read_real_questions
from dragoman.pipeline.context import Run
from dragoman.records import Chunk, Question, Split

ENOUGH = 100  # questions of people that judge a model alone, as the design asks for in validation


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is asked. ``rounds`` (whose model is asked) and ``counts`` (whether it has a part in the verdict) stand beside ``questions``.

    The questions of the file come last, in the order of ``located``.
    """

    questions: tuple[Question, ...]
    rounds: tuple[int, ...]
    counts: NDArray[np.bool_]
    located: Located | None = None

    @property
    def counted(self) -> list[Question]:
        """The questions that decide."""
        return list(compress(self.questions, self.counts))


def hear(run: Run, chunks: Sequence[Chunk], questions: Sequence[Question], split: Split) -> Hearing:
    """The questions of the evaluation.

    Args:
        run: The run; its recipe may name a file of people's questions.
        chunks: All chunks.
        questions: All questions that were made or reviewed.
        split: Knows what each round holds out.

    Returns:
        Questions whose answers one round holds out, and all of the file whose places are found.

    Raises:
        UsageError: The file cannot be read, or none of its places is in the docs.
    """
    share = run.recipe.evaluate.people_share
    located = _located(run, chunks)
    asked = [question for question in judged_questions(questions) if _held_out(question, split)]
    people = [question for question in asked if question.kind == "person"]
    made = [question for question in asked if question.kind != "person"]
    added = as_questions(located) if located else []
    homes = [split.held_out(question.chunk_id) for question in added]
    # A round's model may have seen other places that answer a question of the file, never its first one, nor the question.
    usable = len(people) + sum(home >= 0 for home in homes)
    if made and people_weight(share, usable) >= 1.0:
        made = []
    if made and people_weight(share, usable) <= 0.0:
        people = []
    by_file = bool(share) or not made
    kept = [*people, *made]
    rounds = [split.held_out(question.chunk_id) for question in kept] + [max(home, 0) for home in homes]
    counts = [True] * len(kept) + [by_file and home >= 0 for home in homes]
    return Hearing((*kept, *added), tuple(rounds), np.array(counts, dtype=bool), located)


def people_weight(share: float, people: int) -> float:
    """The part of the verdict that so many questions of people have beside made ones."""
    return share * min(1.0, people / ENOUGH)


def panel_of(run: Run, hearing: Hearing, split: Split) -> Panel:
    """The questions that decide, as the gate knows them.

    Args:
        run: The run.
        hearing: What is asked.
        split: Knows the units.

    Returns:
        The panel; weights have a mean of 1.
    """
    asked = hearing.counted
    units = [split.unit_of[question.chunk_id] for question in asked]
    rounds = list(compress(hearing.rounds, hearing.counts))
    weights = _weights(asked, run.recipe.evaluate.people_share)
    return Panel(units, rounds, weights, run.recipe.evaluate.bootstrap, run.recipe.seed)


def judged_questions(questions: Sequence[Question]) -> list[Question]:
    """The questions that may count: people's, and beside them a language model's, or structural ones for want of any."""
    people, written, structural = (
        [question for question in questions if question.kind == kind] for kind in ("person", "llm", "structure")
    )
    return people + (written or structural)


def _weights(asked: Sequence[Question], share: float) -> Values:
    person = np.array([question.kind == "person" for question in asked], dtype=bool)
    people = int(person.sum())
    if people in {0, len(asked)}:
        return np.ones(len(asked))
    part = people_weight(share, people)
    return np.where(person, part / people, (1.0 - part) / (len(asked) - people)) * len(asked)


def _held_out(question: Question, split: Split) -> bool:
    """Whether the model of one round has seen nothing that answers the question."""
    rounds = {split.held_out(chunk) for chunk in question.answers if chunk in split.unit_of}
    return len(rounds) == 1 and rounds != {-1}


def _located(run: Run, chunks: Sequence[Chunk]) -> Located | None:
    name = run.recipe.evaluate.questions
    if not name:
        return None
    located = locate(read_real_questions(Path(name)), chunks)
    if not located.questions:
        first = located.missing[0]
        happened = f"{name}: none of its {len(located.lost)} questions names a place in these docs ({first})"
        raise UsageError(happened, expected='"file" relative to the docs folder, and a heading or lines of it')
    run.say(f"evaluate: {len(located.questions)} questions of {Path(name).name} have their places in the docs")
    for missing in located.missing:
        run.say(f"evaluate: {name}, {missing}")
    return located
