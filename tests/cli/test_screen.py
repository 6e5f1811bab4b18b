"""What is told of long work: how much is left, and tables as wide as the reader's page."""

import pytest

from dragoman.cli.screen import Pace, Screen


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_steady_work_is_left_for_as_long_as_it_takes(clock: Clock) -> None:
    pace = Pace(100, clock)
    for _ in range(40):
        clock.now += 3
        pace.advance(1)
    assert pace.left() == pytest.approx(180, rel=0.05)


@pytest.mark.parametrize("batches", [1, 500])
def test_what_was_done_at_once_in_the_beginning_does_not_make_the_rest_look_quick(clock: Clock, batches: int) -> None:
    pace = Pace(1100, clock)
    for _ in range(batches):  # a store answers at once, or one after the other within a second
        clock.now += 1 / batches
        pace.advance(1000 // batches)
    for _ in range(8):
        clock.now += 5
        pace.advance(1)
    left = pace.left()
    assert left == pytest.approx(5 * 92, rel=0.15), "the whole average would say 4 seconds"


def test_nothing_is_foretold_when_nothing_was_done_lately(clock: Clock) -> None:
    pace = Pace(100, clock)
    assert pace.left() is None
    clock.now += 1
    pace.advance(50)
    clock.now += 30
    assert pace.left() is None


def test_finished_work_has_nothing_left(clock: Clock) -> None:
    pace = Pace(2, clock)
    clock.now += 3
    pace.advance(2)
    assert pace.left() == 0


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("200", 200), ("", 120), ("0", 120), ("wide", 120)])
@pytest.mark.usefixtures("capsys")
def test_a_log_is_as_wide_as_columns_says(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert Screen().out.width == width
