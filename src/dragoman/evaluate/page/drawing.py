"""Plots as inline SVG that any width can show: no script, no font, nothing from elsewhere.

In: numbers and a scale. Out: SVG. Places along the width are percentages and there is no view box, so that a plot is as wide as
its column while marks and letters keep their size. What a mark is made of is told by its shape and class, never by colour alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Literal

from dragoman.evaluate.page.reading import clean

_INSET = 5.0  # per cent left free at both ends
_STEPS = (1.0, 2.0, 5.0, 10.0)
_NARROWEST = 1e-6
_LONG = 1e5  # numbers from here on are written with an exponent
_ROW, _TALL, _TOP, _FOOT = 26, 250, 18, 26
Shape = Literal["base", "tuned", "other"]
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """What stands where between two ends; ``ticks`` are round numbers between them."""

    low: float
    high: float
    ticks: tuple[float, ...]
    digits: int

    def share(self, value: float) -> float:
        """Where the value stands: 0 at the low end, 1 at the high one."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def across(self, value: float) -> str:
        """The value's place along the width of a plot."""
        return f"{_INSET + (100 - 2 * _INSET) * self.share(value):.2f}%"

    def down(self, value: float) -> float:
        """The value's place along the height of a tall plot, in pixels from its top."""
        return round(_TOP + (_TALL - _TOP - _FOOT) * (1 - self.share(value)), 1)

    def label(self, tick: float, *, sign: bool = False) -> str:
        """A tick in as few digits as tell it from the next."""
        form = f".{self.digits}f" if max(abs(self.low), abs(self.high)) < _LONG else ".3g"
        written = f"{tick:+{form}}" if sign and abs(tick) > _NARROWEST else f"{tick:{form}}"
        return written.replace("-", "\N{MINUS SIGN}")


def scale_of(values: Sequence[float], *, zero: bool = False, most: int = 5) -> Scale:
    """A scale that holds all values.

    Args:
        values: At least one.
        zero: Whether zero is to be on it.
        most: Ticks at most.

    Returns:
        The scale, its ends at the outermost ticks or values.
    """
    low, high = min([*values, *([0.0] if zero else [])]), max([*values, *([0.0] if zero else [])])
    if high - low < max(_NARROWEST, 1e-9 * max(abs(low), abs(high))):
        wider = max(0.05, 0.05 * abs(low))
        low, high = low - wider, high + wider
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in _STEPS if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple(step * number for number in range(first, last + 1))
    return Scale(low, high, ticks, max(0, -math.floor(math.log10(step) + 1e-9)))


def interval_mark(scale: Scale, middle: float, ends: Ends | None, shape: Shape, says: str) -> str:
    """A point with its interval on one row; the point is filled when the interval does not reach zero."""
    y = _ROW / 2
    parts = [*_grid(scale, _ROW)]
    sure = ends is not None and (ends[0] > 0 or ends[1] < 0)
    if ends is not None:
        low, high = (scale.across(end) for end in ends)
        parts.append(f'<line class="{shape}" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>')
        parts += [f'<line class="{shape}" x1="{end}" x2="{end}" y1="{y - 4}" y2="{y + 4}"/>' for end in (low, high)]
    parts.append(mark(scale.across(middle), y, shape, filled=sure))
    return _svg(parts, _ROW, says)


def change_mark(scale: Scale, before: float, after: float, says: str) -> str:
    """Two points on one row and the way from one to the other."""
    y, way = _ROW / 2, "gained" if after >= before else "lost"
    parts = [*_grid(scale, _ROW)]
    parts.append(
        f'<line class="{way}" x1="{scale.across(before)}" x2="{scale.across(after)}" y1="{y}" y2="{y}"/>'
        + mark(scale.across(before), y, "base", filled=False)
        + mark(scale.across(after), y, "tuned", filled=True)
    )
    return _svg(parts, _ROW, says)


def pair_mark(scale: Scale, ends: Ends, shape: Shape, reference: float | None, says: str) -> str:
    """Two figures of one thing on one row, the second one filled; a dotted line stands at the reference."""
    y, (first, second) = _ROW / 2, (scale.across(end) for end in ends)
    parts = [*_grid(scale, _ROW)]
    if reference is not None:
        at = scale.across(reference)
        parts.append(f'<line class="zero" x1="{at}" x2="{at}" y1="0" y2="{_ROW}"/>')
    parts.append(f'<line class="{shape}" x1="{first}" x2="{second}" y1="{y}" y2="{y}"/>')
    parts += [mark(first, y, shape, filled=False), mark(second, y, shape, filled=True)]
    return _svg(parts, _ROW, says)


def bar(share: float, kind: str, says: str) -> str:
    """A bar of the full width's share."""
    width = 100 * min(1.0, max(0.0, share))
    parts = [
        '<rect class="track" width="100%" height="12" y="7" rx="2"/>',
        f'<rect class="{kind}" width="{width:.2f}%" height="12" y="7" rx="2"/>',
    ]
    return _svg(parts, _ROW, says)


def axis(scale: Scale, *, sign: bool = False) -> str:
    """The ticks of a scale in letters; hidden from those who hear the page, since every row says its numbers."""
    letters = "".join(
        f'<text x="{scale.across(tick)}" y="14" text-anchor="middle">{scale.label(tick, sign=sign)}</text>'
        for tick in scale.ticks
    )
    return f'<svg class="axis" aria-hidden="true" width="100%" height="18">{letters}</svg>'


def mark(x: str, y: float, shape: Shape, *, filled: bool) -> str:
    """A square for the base model, a disc for the tuned one, a diamond for any other; hollow unless ``filled``."""
    kind = f"mark {shape}{' filled' if filled else ''}"
    if shape == "tuned":
        return f'<circle class="{kind}" cx="{x}" cy="{y}" r="5"/>'
    turned = ' transform="rotate(45)"' if shape == "other" else ""
    return f'<svg x="{x}" y="{y}" overflow="visible"><rect class="{kind}" x="-4.5" y="-4.5" width="9" height="9"{turned}/></svg>'


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a line: which column it is in, how high, its interval if known, and what it says when pointed at."""

    column: int
    value: float
    ends: tuple[float, float] | None
    says: str


def columns_plot(columns: Sequence[str], lines: Sequence[tuple[Shape, Sequence[Point]]], says: str) -> str:
    """Lines over named columns, each point with its interval."""
    points = [point for _, line in lines for point in line]
    scale = scale_of([value for point in points for value in (point.value, *(point.ends or ()))])
    places = [f"{14 + 80 * number / max(1, len(columns) - 1):.2f}%" for number in range(len(columns))]
    parts = _levels(scale)
    parts += [
        f'<text x="{x}" y="{_TALL - 6}" text-anchor="middle">{escape(clean(name, 12))}</text>'
        for x, name in zip(places, columns, strict=True)
    ]
    for number, (shape, line) in enumerate(lines):
        # Beside each other, or the whiskers of one would hide the other's.
        parts.append(f'<g transform="translate({6 * number - 3 * (len(lines) - 1)} 0)">')
        spots = [(places[point.column], scale.down(point.value)) for point in line]
        parts += [
            f'<line class="{shape} trace" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
            for (x1, y1), (x2, y2) in pairwise(spots)
        ]
        for point, (x, y) in zip(line, spots, strict=True):
            ends = [scale.down(end) for end in point.ends] if point.ends else []
            whisker = f'<line class="{shape} thin" x1="{x}" x2="{x}" y1="{ends[0]}" y2="{ends[1]}"/>' if ends else ""
            parts.append(f"<g><title>{escape(point.says)}</title>{whisker}{mark(x, y, shape, filled=True)}</g>")
        parts.append("</g>")
    return _svg(parts, _TALL, says)


def curves_plot(
    curves: Sequence[tuple[str, Sequence[float]]],
    mean: Sequence[float],
    says: str,
    *,
    ticks: Sequence[tuple[float, str]] = ((0, "0%"), (0.5, "50%"), (1, "100%")),
    zero: bool = True,
) -> str:
    """Thin named curves, and their mean as a thick one.

    Args:
        curves: Their points stand at equal distances, those of the longest from the left end to the right one.
        mean: As long as the curves, or shorter; may be empty.
        says: What is seen, for those who do not see it.
        ticks: Words below the plot, each at its share of the width.
        zero: Whether the scale begins at zero.

    Returns:
        SVG.
    """
    scale = scale_of([value for _, curve in curves for value in curve], zero=zero)
    parts = _levels(scale)
    for share, word in ticks:
        anchor = "start" if share <= 0 else "end" if share >= 1 else "middle"
        parts.append(f'<text x="{10 + 88 * share:.2f}%" y="{_TALL - 6}" text-anchor="{anchor}">{word}</text>')
    parts.append(
        f'<svg x="10%" width="88%" height="{_TALL}" viewBox="0 0 1000 {_TALL}" preserveAspectRatio="none" overflow="visible">'
    )
    steps = max(1, *(len(curve) - 1 for _, curve in curves))
    for name, curve in [*curves, *([("mean of the rounds", mean)] if mean else [])]:
        spots = [f"{1000 * place / steps:.1f},{scale.down(value)}" for place, value in enumerate(curve)]
        kind = "curve mean" if curve is mean else "curve"
        # A line of no length with round ends is a dot: what a curve of one point has to show.
        drawn = " ".join(spots if len(spots) > 1 else spots * 2)
        parts.append(f'<polyline class="{kind}" points="{drawn}"><title>{escape(name)}</title></polyline>')
    parts.append("</svg>")
    return _svg(parts, _TALL, says)


def _levels(scale: Scale) -> list[str]:
    parts = []
    for tick in scale.ticks:
        y = scale.down(tick)
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="0" y="{y - 4}">{scale.label(tick)}</text>')
    return parts


def _grid(scale: Scale, height: int) -> list[str]:
    return [
        f'<line class="{"zero" if abs(tick) < _NARROWEST else "grid"}" x1="{x}" x2="{x}" y1="0" y2="{height}"/>'
        for tick in scale.ticks
        for x in [scale.across(tick)]
    ]


def _svg(parts: Sequence[str], height: int, says: str) -> str:
    told = escape(clean(says, 400))
    return f'<svg role="img" aria-label="{told}" width="100%" height="{height}"><title>{told}</title>{"".join(parts)}</svg>'
