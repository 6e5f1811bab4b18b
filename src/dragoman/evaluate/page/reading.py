"""Reading a report that may be old, cut short or edited: what is not there, or is of another shape, is absent.

In: JSON-like data. Out: numbers, texts and rows that the page can rely on, or nothing. And the few ways in which the page writes
numbers. It knows no key of the report.
"""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

_LARGEST = 1e12  # no figure of a report is larger; plots cannot show what is
_LONGEST = 300
_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
Table = Mapping[str, Any]


def table(data: object, *keys: str) -> Table:
    """The object below the keys; an empty one where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def rows(data: object, *keys: str) -> list[Table]:
    """The objects of the list below the keys; what is no object is left out."""
    found = table(data, *keys[:-1]).get(keys[-1]) if keys else data
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list | tuple) else []


def number(data: object, key: str) -> float | None:
    """A finite number, or None."""
    return _finite(table(data).get(key))


def numbers(data: object, key: str) -> list[float]:
    """The finite numbers of a list."""
    found = table(data).get(key)
    values = [_finite(value) for value in found] if isinstance(found, list | tuple) else []
    return [value for value in values if value is not None]


def count(data: object, key: str) -> int | None:
    """A number of things, or None."""
    value = number(data, key)
    return None if value is None or value < 0 else int(value)


def counts(data: object, *keys: str) -> dict[str, int]:
    """Names with how many there are of each."""
    found = table(data, *keys)
    read = {str(key): count(found, key) for key in found}
    return {key: value for key, value in read.items() if value is not None}


def text(data: object, key: str, longest: int = _LONGEST) -> str:
    """A text without control characters, cut to a length; "" where there is none."""
    value = table(data).get(key)
    return clean(value, longest) if isinstance(value, str) else ""


def clean(value: str, longest: int = _LONGEST) -> str:
    """The text as it may be shown: no control characters, no half of a surrogate pair, not longer than told."""
    short = value if len(value) <= longest else value[: longest - 1] + "…"
    return short.translate(_CONTROLS).encode("utf-8", "replace").decode()


def html(value: str, longest: int = _LONGEST) -> str:
    """A text of unknown origin, as HTML that is only that text, and turns nothing else round that is written from left to right."""
    return f"<bdi>{escape(clean(value, longest))}</bdi>"


def plain(value: float | None) -> str:
    """A metric with three digits."""
    return "–" if value is None else _digits(value, "")


def signed(value: float | None) -> str:
    """A difference with three digits and its sign."""
    return "–" if value is None else _digits(value, "+")


def ends_of(data: object, prefix: str = "") -> tuple[float, float] | None:
    """The two ends of an interval; None when one is missing or not finite."""
    low, high = number(data, f"{prefix}low"), number(data, f"{prefix}high")
    return None if low is None or high is None else (low, high)


def interval(ends: tuple[float, float] | None, *, sign: bool = True) -> str:
    """The two ends of an interval in brackets."""
    write = signed if sign else plain
    return f"[{write(ends[0])}, {write(ends[1])}]" if ends else "[interval unknown]"


def percent(value: float | None) -> str:
    """A share of one, as a percentage."""
    return "–" if value is None else f"{100 * value:.1f}%"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, as a person would say it."""
    if seconds < 90:  # noqa: PLR2004 - from there on, minutes say more
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - as above


def _digits(value: float, sign: str) -> str:
    written = f"{value:{sign}.3f}" if abs(value) < 1e6 else f"{value:{sign}.3g}"  # noqa: PLR2004 - too long to read
    return written.replace("-", "\N{MINUS SIGN}")


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    within = abs(value) <= _LARGEST  # false for NaN; asked before float(), which a long integer would break
    return float(value) if within and math.isfinite(value) else None
