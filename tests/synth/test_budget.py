"""What a run may spend: nothing is sent that would go over it, and what was spent is said."""

import pytest

from dragoman.errors import UsageError
from dragoman.models.protocols import Reply
from dragoman.synth.budget import Budget, Meter, Pledge, Prices

PLEDGE = Pledge(prompt_bytes=300, max_tokens=200)
REPLY = Reply("words", 90, 20, "stop")


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sent(meter: Meter, number: int, reply: Reply | None = REPLY, seconds: float = 1.0) -> None:
    for _ in range(number):
        meter.start(PLEDGE)
        meter.finish(PLEDGE, reply, seconds)


def test_without_limits_everything_may_be_sent() -> None:
    meter = Meter(Budget())
    sent(meter, 1000)
    assert meter.reached(PLEDGE) == ""
    assert (meter.requests, meter.prompt_tokens, meter.answer_tokens) == (1000, 90_000, 20_000)


def test_requests_count_from_when_they_are_sent() -> None:
    meter = Meter(Budget(requests=3))
    sent(meter, 2, reply=None)
    assert meter.reached(PLEDGE) == ""
    meter.start(PLEDGE)
    assert meter.reached(PLEDGE) == "requests"


def test_before_anything_is_measured_a_request_counts_with_the_most_it_may_cost() -> None:
    assert Meter(Budget(tokens=299)).reached(PLEDGE) == "tokens"  # 300 bytes / 3 + 200
    meter = Meter(Budget(tokens=599))
    assert meter.reached(PLEDGE) == ""
    meter.start(PLEDGE)
    assert meter.reached(PLEDGE) == "tokens"


def test_after_that_requests_under_way_count_with_a_little_more_than_the_mean() -> None:
    meter = Meter(Budget(tokens=110 + 2 * 129 + 1))  # 1.1 * 90 + 1.5 * 20
    sent(meter, 1)
    meter.start(PLEDGE)
    assert meter.reached(PLEDGE) == ""
    meter.start(PLEDGE)
    assert meter.reached(PLEDGE) == "tokens"
    meter.finish(PLEDGE, REPLY, 1.0)
    assert meter.reached(PLEDGE) == "tokens"


def test_the_answer_never_counts_for_more_than_it_may_be_long() -> None:
    meter = Meter(Budget(tokens=590 + 99 + 200))
    meter.start(PLEDGE)
    meter.finish(PLEDGE, Reply("", 90, 500, "length"), 1.0)  # an endpoint that does not heed the limit
    assert meter.reached(PLEDGE) == ""


def test_money_counts_prompt_and_answer_at_their_prices() -> None:
    prices = Prices(prompt=1.0, answer=10.0)
    assert prices.cost(2_000_000, 100_000) == pytest.approx(3.0)
    meter = Meter(Budget(money=0.01, prices=prices))
    sent(meter, 33)  # 33 * (90 + 200) millionths
    assert meter.money == pytest.approx(0.00957)
    assert meter.reached(PLEDGE) == ""
    sent(meter, 1)
    assert meter.reached(PLEDGE) == "money"


def test_money_without_prices_is_refused() -> None:
    with pytest.raises(UsageError, match=r"2\.5 in money.*price_prompt"):
        Budget(money=2.5)


def test_a_request_that_would_end_after_the_minutes_is_not_sent() -> None:
    clock = Clock()
    meter = Meter(Budget(minutes=1.0), clock)
    clock.now += 3600  # what happens before the first request costs nothing
    assert meter.reached(PLEDGE) == ""
    meter.start(PLEDGE)
    clock.now += 20
    meter.finish(PLEDGE, REPLY, 20.0)
    assert meter.reached(PLEDGE) == ""
    clock.now += 20
    assert meter.reached(PLEDGE) == "minutes"
    assert meter.minutes == pytest.approx(40 / 60)


def test_an_endpoint_that_reports_no_usage_is_charged_by_size() -> None:
    meter = Meter(Budget(tokens=1000))
    sent(meter, 2, Reply("words", 0, 0, "stop"))
    assert (meter.prompt_tokens, meter.answer_tokens) == (200, 400)
    assert meter.reached(PLEDGE) == ""
    sent(meter, 1, Reply("words", 0, 0, "stop"))
    assert meter.reached(PLEDGE) == "tokens"


def test_the_line_says_what_was_spent_and_how_to_go_on() -> None:
    meter = Meter(Budget(tokens=1_000_000, prices=Prices(1.0, 10.0)))
    sent(meter, 33)
    line = meter.line("tokens", 12)
    for words in (
        "1,000,000 tokens",
        "33 requests",
        "2,970 prompt",
        "660 answer",
        "0.00957 in money",
        "12 requests not",
    ):
        assert words in line
    assert "[synth] budget_tokens" in line
    assert "run again" in line
    assert "money" not in Meter(Budget(requests=1)).line("requests", 1)
