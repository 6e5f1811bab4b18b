"""Which version of npm is meant by a part of one, or by a range."""

import pytest

from dragoman.ingest.sources.versions import newest, order

THERE = (
    "0.0.3",
    "0.0.4",
    "0.2.1",
    "0.3.0",
    "1.2.3",
    "1.2.9",
    "1.2.10",
    "1.10.0",
    "1.11.0-rc.1",
    "2.0.0-beta",
    "12.0.0",
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("1", "1.10.0"),
        ("1.2", "1.2.10"),
        ("1.2.x", "1.2.10"),
        ("1.x.x", "1.10.0"),
        ("1.*", "1.10.0"),
        ("v1.2", "1.2.10"),
        ("1.2.3", "1.2.3"),
        ("1.2.4", ""),
        ("~1.2.4", "1.2.10"),
        ("~1", "1.10.0"),
        ("~1.2.11", ""),
        ("^1.2", "1.10.0"),
        ("^1.11", ""),
        ("^0.2", "0.2.1"),
        ("^0.0.3", "0.0.3"),
        ("^0", "0.3.0"),
        ("2", ""),
        ("latest", ""),
        ("", ""),
        (">=1", ""),
        ("1" * 5000, ""),
    ],
)
def test_the_newest_release_that_is_meant_is_found(wanted: str, found: str) -> None:
    assert newest(wanted, THERE) == found


def test_versions_are_ordered_by_their_numbers() -> None:
    assert sorted(["1.10.0", "odd", "1.9.0", "1.10.0-rc.1"], key=order) == ["odd", "1.9.0", "1.10.0-rc.1", "1.10.0"]
