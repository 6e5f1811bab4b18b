"""How long a request waits before it is sent again."""

from datetime import UTC, datetime

import pytest

from dragoman.models.retry import RetryPolicy, asked_wait

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30"}, 30),
        *(({"retry-after": text}, None) for text in ("soon", "-3", "nan", "inf", "", "Sun, 99 Mar 99999", "1e999")),
    ],
)
def test_the_wait_that_a_server_asks_for_is_read_in_all_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert asked_wait(headers, NOW) == seconds


def test_own_waits_are_spread_and_double_up_to_the_longest() -> None:
    policy = RetryPolicy(first=1.0, longest=4.0)
    for attempt, most in enumerate((1, 2, 4, 4, 4)):
        waits = [policy.wait(attempt) for _ in range(300)]
        assert 0 <= min(waits) < 0.2 * most
        assert 0.8 * most < max(waits) <= most
    assert policy.wait(10**6) <= 4


def test_a_demanded_wait_is_kept_up_to_a_cap() -> None:
    assert RetryPolicy().wait(0, 3.5) == 3.5
    assert RetryPolicy(demanded=10).wait(0, 3600) == 10
