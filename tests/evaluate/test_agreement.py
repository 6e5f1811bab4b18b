"""Cohen's kappa between a judge and people, held against scikit-learn's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]

from dragoman.evaluate.agreement import Agreement, agreement

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40)


def measured(pairs: list[tuple[bool, bool]], units: list[str] | None = None) -> Agreement:
    judge, people = [one for one, _ in pairs], [other for _, other in pairs]
    return agreement(judge, people, units or [str(place) for place in range(len(pairs))], rounds=300, seed=13)


@given(PAIRS.filter(lambda pairs: len({value for pair in pairs for value in pair}) > 1))
def test_kappa_is_scikit_learns(pairs: list[tuple[bool, bool]]) -> None:
    found = measured(pairs)
    assert found.kappa == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
    if found.low is not None and found.high is not None:
        assert -1 <= found.low <= found.high <= 1


def test_what_the_counts_say() -> None:
    found = measured([(True, True)] * 30 + [(True, False)] * 6 + [(False, True)] * 3 + [(False, False)] * 11)
    assert (found.labelled, found.agreed, found.too_kind, found.too_strict) == (50, 41, 6, 3)
    assert found.kappa is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.kappa < found.high
    assert found.line.startswith(
        f"kappa {found.kappa:.2f} [{found.low:.2f}, {found.high:.2f}]; agrees with people on 41"
    )
    assert "passes 6 that they fail and fails 3 that they pass" in found.line


def test_a_judge_that_passes_everything_is_no_better_than_chance() -> None:
    assert measured([(True, True)] * 9 + [(True, False)]).kappa == 0.0


def test_where_nobody_ever_said_no_kappa_cannot_be_told() -> None:
    found = measured([(True, True)] * 10)
    assert (found.kappa, found.low, found.agreed) == (None, None, 10)
    assert "kappa cannot be told" in found.line


def test_answers_to_one_question_are_drawn_together() -> None:
    pairs = [(True, True), (False, False), (True, False), (False, True)] * 5
    alone, together = measured(pairs), measured(pairs, [f"question {place // 4}" for place in range(20)])
    assert alone.kappa == together.kappa == 0.0
    assert alone.low is not None
    assert alone.low < -0.1
    assert (together.low, together.high) == (0.0, 0.0), "every question has the same four answers"


def test_one_question_gives_no_interval() -> None:
    found = measured([(True, True), (False, False)], ["a", "a"])
    assert (found.kappa, found.low, found.high) == (1.0, None, None)
    assert "[" not in found.line
