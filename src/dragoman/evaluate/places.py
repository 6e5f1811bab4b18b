"""Which chunks answer the questions that people asked.

In: questions with the places of their answers, and all chunks. Out: for each place its chunks and lines, and the places that match none,
with the reason and what may have been meant: a slip of the pen must not look like an answer that was not found. It does not search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dragoman.evaluate.real import Place, RealQuestion
from dragoman.evaluate.shelf import Match, Reason, Shelf, Span
from dragoman.records import Chunk, Question, content_id

STYLE: Final = "real"


@dataclass(frozen=True, slots=True)
class Found:
    """A place with the ids of the chunks there, the one that covers most of it first, and the lines that it spans."""

    place: Place
    chunks: tuple[str, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A place that matches no chunk; ``near`` is what may have been meant, "" where nothing is near.

    ``line`` is that of the question in its file, 0 where it is of none.
    """

    qid: str
    place: Place
    reason: Reason
    near: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = self.place
        where = f"lines {place.lines[0]} to {place.lines[1]}" if place.lines else f"the heading {place.heading!r}"
        row = f"line {self.line}: " if self.line else ""
        near = f"; nearest: {self.near}" if self.near else ""
        return f"{row}{self.qid}: {where} of {place.file}: {self.reason}{near}"


@dataclass(frozen=True, slots=True)
class LocatedQuestion:
    """A question with those of its places that were found, at least one."""

    question: RealQuestion
    found: tuple[Found, ...]

    @property
    def grades(self) -> dict[str, int]:
        """The grade of each chunk that answers or helps, the largest of its places; in the order of the places."""
        grades: dict[str, int] = {}
        for found in self.found:
            for chunk in found.chunks:
                grades[chunk] = max(found.place.grade, grades.get(chunk, 0))
        return grades

    @property
    def unit(self) -> str:
        """The file of the first place that was found: what a bootstrap by document draws."""
        return self.found[0].place.file


@dataclass(frozen=True, slots=True)
class Located:
    """Questions with their places, the places that were not found, and the questions that are left without any."""

    questions: tuple[LocatedQuestion, ...]
    missing: tuple[Missing, ...] = ()
    lost: tuple[RealQuestion, ...] = ()


def locate(questions: Sequence[RealQuestion], chunks: Sequence[Chunk]) -> Located:
    """Find the chunks that answer each question.

    A chunk stands at a place with lines when its lines in its file of origin overlap them, and at a place with a heading when it belongs to
    the first section of that name or to a section below it, or was joined from sections of which that is one.

    Args:
        questions: What was asked.
        chunks: All chunks of the docs.

    Returns:
        What was found and what was not; each question is in ``questions`` or in ``lost``, each place in ``found`` or in ``missing``.
    """
    shelf = Shelf(chunks)
    located: list[LocatedQuestion] = []
    missing: list[Missing] = []
    lost: list[RealQuestion] = []
    for question in questions:
        found: list[Found] = []
        for place in question.relevant:
            here = shelf.at(place)
            if isinstance(here, Match):
                found.append(Found(place, tuple(dict.fromkeys(chunk.id for chunk in here.chunks)), here.spans))
            else:
                missing.append(Missing(question.qid, place, here.reason, here.near, question.line))
        if found:
            located.append(LocatedQuestion(question, tuple(found)))
        else:
            lost.append(question)
    return Located(tuple(located), tuple(missing), tuple(lost))


def as_questions(located: Located) -> list[Question]:
    """The questions as the other rooms know them, to be asked in validation and never trained on.

    Args:
        located: What ``locate`` found.

    Returns:
        One of kind "person" and style "real" for each question found. Its chunk is the first of its first place of grade 2, the others of
        that grade are ``also``; of grade 1 where no place of grade 2 was found.
    """
    asked: list[Question] = []
    for one in located.questions:
        grades, text = one.grades, one.question.text
        best = max(grades.values())
        chunk, *also = (chunk for chunk, grade in grades.items() if grade == best)
        identity = content_id(STYLE, one.question.qid, text)
        asked.append(Question(identity, text, chunk, "person", STYLE, train=False, also=tuple(also)))
    return asked
