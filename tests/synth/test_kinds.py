"""The registry of kinds of question."""

import pytest

from dragoman.errors import ConfigError
from dragoman.synth.kinds import DEFAULT_KINDS, KINDS, WORKED, chosen_kinds, worked_examples


def test_every_kind_has_an_answer_to_each_worked_passage_or_may_leave_it_empty() -> None:
    for name, kind in KINDS.items():
        assert name == kind.name
        assert len(kind.answers) == len(WORKED)
        assert all(kind.answers) or kind.may_be_empty
        assert any(kind.answers)


def test_an_error_message_in_an_example_stands_in_its_passage() -> None:
    for passage, answer in zip(WORKED, KINDS["error"].answers, strict=True):
        assert not answer or answer.partition(" on ")[0] in passage


def test_the_same_kinds_in_another_order_are_the_same_choice() -> None:
    assert chosen_kinds(("api", "howto", "api")) == chosen_kinds(("howto", "api")) == ("howto", "api")
    assert chosen_kinds(DEFAULT_KINDS) == DEFAULT_KINDS


def test_the_third_example_is_shown_only_for_kinds_that_need_it() -> None:
    assert [passage for passage, _ in worked_examples(DEFAULT_KINDS)] == list(WORKED[:2])
    assert [passage for passage, _ in worked_examples(("howto", "error"))] == list(WORKED)
    assert all(list(answers) == ["howto", "error"] for _, answers in worked_examples(("howto", "error")))


def test_an_unknown_kind_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"'comparision'.*Did you mean 'comparison'"):
        chosen_kinds(("howto", "comparision"))


def test_no_kind_at_all_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no kind of question"):
        chosen_kinds(())
