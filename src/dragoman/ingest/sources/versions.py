"""Versions of npm: their order, and the newest release that a part of one or a range means.

In: ``5.12``, ``5.12.x``, ``~5.12.3`` or ``^5.2``, and the versions that there are. Out: one of them. Ranges of several parts
(``>=1 <3``) are not understood. It asks nobody.
"""

import re
from collections.abc import Iterable

_NUMBERS = re.compile(r"(\d{1,15})\.(\d{1,15})\.(\d{1,15})(-)?(.*)", re.ASCII)
_RANGE = re.compile(r"(?P<mark>[~^]?)v?(?P<numbers>\d{1,15}(?:\.\d{1,15}){0,2})(?:\.[xX*]){0,2}", re.ASCII)


def order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Sort key of a version: a release comes after its own pre-releases."""
    match = _NUMBERS.match(version)
    return (tuple(map(int, match.groups()[:3])), match[4] is None, match[5]) if match else ((), False, version)


def newest(wanted: str, versions: Iterable[str]) -> str:
    """The newest release that is meant; pre-releases never are.

    Args:
        wanted: The first numbers of a version, all releases that begin with them; or as npm has it, ``~1.2.3`` (from there
            on, of the same 1.2) or ``^1.2.3`` (from there on, of the same first number that is not 0).
        versions: What there is.

    Returns:
        One of them; "" when none is meant.
    """
    match = _RANGE.fullmatch(wanted)
    if match is None:
        return ""
    least = tuple(map(int, match["numbers"].split(".")))
    same = len(least)
    if match["mark"] == "~":
        same = min(same, 2)
    elif match["mark"]:
        same = next((place for place, number in enumerate(least, start=1) if number), same)
    found = []
    for version in versions:
        numbers, released, _ = order(version)
        if released and numbers[:same] == least[:same] and numbers >= least:
            found.append(version)
    return max(found, key=order, default="")
