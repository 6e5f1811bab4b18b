"""Errors: one line for the user, whole after a journey between processes."""

import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import errors
from dragoman.errors import DragomanError, ExtraMissing

KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, DragomanError)]
words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)


def test_a_message_says_what_happened_what_was_expected_and_what_to_type() -> None:
    error = DragomanError("port is 70000", expected="a number up to 65535", hint="Try: --port 7861")
    assert str(error) == "port is 70000; expected a number up to 65535. Try: --port 7861"


def test_a_message_without_advice_is_one_sentence() -> None:
    assert str(DragomanError("no documents in docs")) == "no documents in docs."


def test_a_full_stop_is_not_doubled() -> None:
    assert str(DragomanError("It broke.", expected="it whole.")) == "It broke; expected it whole."


@pytest.mark.parametrize("kind", KINDS)
@given(happened=words, expected=st.just("") | words, hint=st.just("") | words)
def test_every_error_survives_pickling(kind: type[DragomanError], happened: str, expected: str, hint: str) -> None:
    error = kind(happened, expected=expected, hint=hint)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.happened, copy.expected, copy.hint) == (error.happened, error.expected, error.hint)


@pytest.mark.parametrize("kind", KINDS)
@given(happened=words, expected=words, hint=words)
def test_every_error_is_one_line(kind: type[DragomanError], happened: str, expected: str, hint: str) -> None:
    line = str(kind(happened, expected=expected, hint=hint))
    assert len(line.splitlines()) == 1
    assert line.endswith(hint)


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    error = ExtraMissing("gradio is not installed", extra="chat")
    assert error.hint == "Install it with: pip install 'dragoman[chat]'"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes


def test_a_user_who_mistyped_and_a_check_that_failed_are_told_apart_by_exit_code() -> None:
    assert (DragomanError.exit_code, errors.UsageError.exit_code, errors.CheckFailed.exit_code) == (1, 2, 3)
