"""Two evaluations of answers on the questions that both asked."""

from collections.abc import Sequence
from dataclasses import replace

from dragoman.evaluate.answer_judge import Judgement
from dragoman.evaluate.answer_versus import AnswerRun, compare_answers
from dragoman.evaluate.answers import JUDGED, AnswerRow

GOOD, BAD = (
    Judgement(correct=True, complete=True, grounded=True),
    Judgement(correct=False, complete=False, grounded=True),
)


def rows(right: int, count: int = 40) -> list[AnswerRow]:
    return [
        AnswerRow(
            id=f"{number}",
            question=f"how about {number}?",
            kind="llm",
            unit=f"page {number}",
            answerable=True,
            answer="so",
            mode="llm",
            hit=number < right,
            seconds=1.0,
            verdict=GOOD if number < right else BAD,
        )
        for number in range(count)
    ]


def run(found: Sequence[AnswerRow], judge: str = "large 1a") -> AnswerRun:
    return AnswerRun("here", "small", judge, 300, 13, tuple(found))


def test_two_runs_by_one_judge_are_compared_in_everything() -> None:
    found = compare_answers(run(rows(10)), run(rows(30)))
    by_key = {one.key: one for one in found.measures}
    assert (found.common, found.only_first, found.only_second, found.refused) == (40, 0, 0, "")
    assert (by_key["correct"].first, by_key["correct"].second) == (0.25, 0.75)
    assert by_key["correct"].is_sure
    assert not by_key["grounded"].is_sure
    assert by_key["seconds"].gain == 0.0


def test_what_two_judges_said_is_not_compared_and_all_else_is() -> None:
    found = compare_answers(run(rows(10)), run(rows(30), "large 2b"))
    keys = {one.key for one in found.measures}
    assert not keys & set(JUDGED)
    assert {"hit", "seconds"} <= keys
    assert "'large 1a'" in found.refused
    assert "'large 2b'" in found.refused


def test_a_run_without_a_judge_is_no_reason_to_refuse() -> None:
    found = compare_answers(run(rows(10)), run([replace(one, verdict=None) for one in rows(10)], ""))
    assert found.refused == ""
    assert not {one.key for one in found.measures} & set(JUDGED)


def test_questions_are_paired_by_their_words_whatever_their_ids() -> None:
    other = [replace(one, id=f"x{one.id}", question=one.question.upper()) for one in rows(10, 45)]
    found = compare_answers(run(rows(10)), run(list(reversed(other))))
    assert (found.common, found.only_first, found.only_second) == (40, 0, 5)
    assert {one.gain for one in found.measures} == {0.0}
