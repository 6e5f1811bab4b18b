"""Scales and marks: round ticks, places in order, and no numbers that a browser cannot draw."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.evaluate.page.drawing import Point, columns_plot, curves_plot, interval_mark, scale_of

NUMBERS = st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("values", "ticks", "labels"),
    [
        ([0.0, 0.081], [0, 0.02, 0.04, 0.06, 0.08], ["0.00", "+0.02", "+0.04", "+0.06", "+0.08"]),
        ([-0.3, 0.3], [-0.2, 0, 0.2], ["−0.2", "0.0", "+0.2"]),
        ([0.0, 2e9], [0, 5e8, 1e9, 1.5e9, 2e9], ["0", "+5e+08", "+1e+09", "+1.5e+09", "+2e+09"]),
        ([0.0, 40.0], [0, 10, 20, 30, 40], ["0", "+10", "+20", "+30", "+40"]),
    ],
)
def test_ticks_are_round(values: list[float], ticks: list[float], labels: list[str]) -> None:
    scale = scale_of(values)
    assert scale.ticks == pytest.approx(ticks)
    assert [scale.label(tick, sign=True) for tick in scale.ticks] == labels


@given(values=NUMBERS, zero=st.booleans())
def test_a_scale_holds_its_values_in_order(values: list[float], zero: bool) -> None:  # noqa: FBT001 - hypothesis names it
    scale = scale_of(values, zero=zero)
    places = [scale.share(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert 0 < len(scale.ticks) <= 7
    spare = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - spare <= tick <= scale.high + spare for tick in scale.ticks)
    assert not zero or scale.low <= 0 <= scale.high


@given(values=st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=3, max_size=3), columns=st.integers(1, 5))
def test_plots_hold_only_finite_numbers(values: list[float], columns: int) -> None:
    low, middle, high = sorted(values)
    points = [Point(column, middle, (low, high), "says") for column in range(columns)]
    drawn = (
        interval_mark(scale_of(values), middle, (low, high), "base", "says")
        + columns_plot([str(column) for column in range(columns)], [("tuned", points)], "says")
        + curves_plot([("round 1", values)], values, "says")
    )
    assert not re.search(r'="[^"]*(nan|inf)', drawn)


def test_a_point_is_filled_only_when_its_interval_stays_off_zero() -> None:
    scale = scale_of([-1.0, 1.0])
    marks = [interval_mark(scale, 0.5, ends, "tuned", "") for ends in ((0.1, 0.9), (-0.1, 0.9), None)]
    assert ["filled" in mark for mark in marks] == [True, False, False]
    assert "filled" in interval_mark(scale, -0.5, (-0.9, -0.1), "base", "")


def test_a_mark_stands_at_its_share_of_the_width() -> None:
    drawn = interval_mark(scale_of([0.0, 10.0]), 2.5, None, "tuned", "a quarter")
    assert 'cx="27.50%"' in drawn, "5% are left free at both ends"
    assert "<title>a quarter</title>" in drawn
