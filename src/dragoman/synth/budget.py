"""What a run may spend, and what it has spent.

In: limits, and each request as it starts and ends. Out: whether one more may be sent, and a line that says what was spent
and how to go on. Requests under way count with an upper estimate, made of what the finished ones cost. It sends nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dragoman.errors import UsageError
from dragoman.models.protocols import Reply

_MILLION = 1_000_000
_TOKENS_A_BYTE = 1 / 3  # before anything is measured; English has about 1/4, code more
_PROMPT_MARGIN, _ANSWER_MARGIN = 1.1, 1.5  # over the running means


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in whatever money the budget is in."""

    prompt: float = 0.0
    answer: float = 0.0

    def cost(self, prompt_tokens: float, answer_tokens: float) -> float:
        """The price of so many tokens."""
        return (prompt_tokens * self.prompt + answer_tokens * self.answer) / _MILLION


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run may spend; None: as much as it takes.

    Args:
        requests: Requests sent.
        tokens: Tokens of prompts and answers together.
        minutes: Time from the first request on.
        money: At ``prices``.
        prices: Prices of tokens.

    Raises:
        UsageError: Money is limited, and the prices are not known.
    """

    requests: int | None = None
    tokens: int | None = None
    minutes: float | None = None
    money: float | None = None
    prices: Prices = field(default_factory=Prices)

    def __post_init__(self) -> None:
        if self.money is not None and not (self.prices.prompt or self.prices.answer):
            raise UsageError(
                f"a budget of {self.money:g} in money, and no price of a token",
                hint="Set [llm] price_prompt and price_answer, the prices of a million tokens.",
            )


@dataclass(frozen=True, slots=True)
class Pledge:
    """The size of a request, known before it is sent."""

    prompt_bytes: int
    max_tokens: int


class Meter:
    """Counts what a run spends, and says when its budget is reached.

    Args:
        budget: The limits.
        clock: Seconds that pass.
    """

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget, self._clock = budget, clock
        self._start: float | None = None
        self.requests = self.prompt_tokens = self.answer_tokens = 0
        self._in_flight: list[Pledge] = []
        self._seconds = 0.0
        self._answered_bytes = self._answered_limits = 0
        self._reported_prompt = self._reported_answer = 0

    def reached(self, pledge: Pledge) -> str:
        """The limit that one more request would go over.

        Args:
            pledge: The request.

        Returns:
            Name of the limit, "" when the request may be sent.
        """
        budget = self._budget
        if budget.requests is not None and self.requests >= budget.requests:
            return "requests"
        if budget.minutes is not None and self.minutes + self._mean_minutes() >= budget.minutes:
            return "minutes"
        pledges = [self._upper(each) for each in [*self._in_flight, pledge]]
        prompt = self.prompt_tokens + sum(upper[0] for upper in pledges)
        answer = self.answer_tokens + sum(upper[1] for upper in pledges)
        if budget.tokens is not None and prompt + answer > budget.tokens:
            return "tokens"
        if budget.money is not None and budget.prices.cost(prompt, answer) > budget.money:
            return "money"
        return ""

    def start(self, pledge: Pledge) -> None:
        """Count a request that is being sent."""
        self._start = self._clock() if self._start is None else self._start
        self.requests += 1
        self._in_flight.append(pledge)

    def finish(self, pledge: Pledge, reply: Reply | None, seconds: float) -> None:
        """Count what a request cost.

        Args:
            pledge: The request, as it was started.
            reply: What came back; None: nothing, which is taken to have cost nothing.
            seconds: How long it took.
        """
        self._in_flight.remove(pledge)
        self._seconds += seconds
        if reply is None:
            return
        if not reply.prompt_tokens:  # an endpoint that reports no usage still charges for it
            prompt, answer = self._upper(pledge)
            self.prompt_tokens, self.answer_tokens = (
                self.prompt_tokens + round(prompt),
                self.answer_tokens + round(answer),
            )
            return
        self.prompt_tokens += reply.prompt_tokens
        self.answer_tokens += reply.answer_tokens
        self._reported_prompt += reply.prompt_tokens
        self._reported_answer += reply.answer_tokens
        self._answered_bytes += pledge.prompt_bytes
        self._answered_limits += pledge.max_tokens

    @property
    def minutes(self) -> float:
        """Minutes since the first request."""
        return 0.0 if self._start is None else (self._clock() - self._start) / 60

    @property
    def money(self) -> float:
        """What was spent, at the budget's prices."""
        return self._budget.prices.cost(self.prompt_tokens, self.answer_tokens)

    def line(self, limit: str, left: int) -> str:
        """What to tell a person when a limit is reached.

        Args:
            limit: The limit, as ``reached`` names it.
            left: Requests that were not sent.

        Returns:
            One sentence on what was spent, one on how to go on.
        """
        prices = self._budget.prices
        money = f", {self.money:.4g} in money" if prices.prompt or prices.answer else ""
        most = getattr(self._budget, limit)
        return (
            f"the budget of {most:,} {limit} is used up: {self.requests:,} requests, {self.prompt_tokens:,} prompt and "
            f"{self.answer_tokens:,} answer tokens, {self.minutes:.1f} minutes{money}; {left:,} requests not sent. "
            f"Raise [synth] budget_{limit}, or run again: what was answered is kept, and the budget is that of one run."
        )

    def _mean_minutes(self) -> float:
        finished = self.requests - len(self._in_flight)
        return self._seconds / finished / 60 if finished else 0.0

    def _upper(self, pledge: Pledge) -> tuple[float, float]:
        """What a request may well cost: tokens of its prompt and of its answer."""
        if not self._answered_bytes:
            return pledge.prompt_bytes * _TOKENS_A_BYTE, pledge.max_tokens
        a_byte = _PROMPT_MARGIN * self._reported_prompt / self._answered_bytes
        share = min(1.0, _ANSWER_MARGIN * self._reported_answer / self._answered_limits)
        return pledge.prompt_bytes * a_byte, pledge.max_tokens * share
