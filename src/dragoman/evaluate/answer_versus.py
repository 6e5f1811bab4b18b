"""Two evaluations of answers side by side, on the questions that both asked.

In: the rows of two runs, and who judged each. Out: every measure in both with the paired difference; what two judges said is not compared,
since the judge alone can move a score more than any change of the chatbot. It reads no file and prints nothing.
"""

from dataclasses import dataclass
from typing import Final

from dragoman.evaluate.answer_figures import Difference, difference
from dragoman.evaluate.answer_files import wording
from dragoman.evaluate.answers import JUDGED, MEASURES, AnswerRow, Measure

SECONDS: Final = (
    Measure("first_seconds", "seconds to the first word", "answers", lambda row: (row.first_seconds, 1.0)),
    Measure("seconds", "seconds to the end", "answers", lambda row: (row.seconds, 1.0)),
)


@dataclass(frozen=True, slots=True)
class AnswerRun:
    """A run's evaluation of answers; ``judge`` is the judge's id, "" where there was none. ``rounds`` and ``seed`` are the bootstrap's."""

    path: str
    writer: str
    judge: str
    rounds: int
    seed: int
    rows: tuple[AnswerRow, ...]


@dataclass(frozen=True, slots=True)
class AnswersVersus:
    """What the comparison found; ``refused`` says why judged figures are not compared, "" where they are or nobody judged."""

    common: int
    only_first: int
    only_second: int
    measures: tuple[Difference, ...]
    refused: str


def compare_answers(first: AnswerRun, second: AnswerRun) -> AnswersVersus:
    """Compare the answers of two runs to the same questions.

    Args:
        first: What is compared with; what the bootstrap draws are its units.
        second: What is compared.

    Returns:
        The comparison. Judged figures are in it only where one judge, with one prompt, judged both.
    """
    twins = {_asked(row): row for row in second.rows}
    pairs = [(row, twins[_asked(row)]) for row in first.rows if _asked(row) in twins]
    same_judge = first.judge == second.judge
    measures = [measure for measure in (*MEASURES, *SECONDS) if same_judge or measure.key not in JUDGED]
    mine, theirs = [one for one, _ in pairs], [other for _, other in pairs]
    compared = [difference(measure, mine, theirs, rounds=first.rounds, seed=first.seed) for measure in measures]
    return AnswersVersus(
        common=len(pairs),
        only_first=len(first.rows) - len(pairs),
        only_second=len(second.rows) - len(pairs),
        measures=tuple(one for one in compared if one is not None),
        refused="" if same_judge or not (first.judge and second.judge) else _refusal(first, second),
    )


def _asked(row: AnswerRow) -> tuple[str, bool]:
    return wording(row.question), row.answerable


def _refusal(first: AnswerRun, second: AnswerRun) -> str:
    return f"what two judges said is not compared: '{first.judge}' judged {first.path}, '{second.judge}' judged {second.path}"
