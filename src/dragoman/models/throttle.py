"""How many requests an endpoint has at once: as many as it keeps up with.

In: what became of each request, and the waits that the server demanded. Out: slots, first come first served.
The number doubles every round until trouble comes, is then halved, and grows slowly again. It knows no HTTP.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakKeyDictionary

Outcome = Literal["", "good", "overload", "fault"]

START = 16
_LEAST_WINDOW = 8  # answers; fewer say nothing about a share
_SLOWER = 3.0  # times the usual latency from which on more requests only wait in the server's queue
_WORTH = 0.9  # half the slots must give this share of the best answers a second, or the halving did harm
_PATIENCE = 16  # windows for which faults that have nothing to do with the number of slots are let pass
_SMOOTHING = 0.2
_FADING = 0.95  # of a record, with each window
_STEP = 1 / 8  # growth of a round of answers, as a share of the slots; one slot at least


@dataclass(slots=True)
class Slot:
    """Leave to have one request under way; who holds it says what became of the request.

    ``outcome`` is "good", "overload" (429, 503, a timeout), "fault" (any other), or "" when nothing was learned.
    """

    epoch: int
    started: float
    outcome: Outcome = ""


@dataclass(slots=True)
class _Window:
    """What came back since the last decision."""

    size: int
    since: float = math.nan  # when the first of its requests was sent
    good: int = 0
    overload: int = 0
    fault: int = 0

    @property
    def total(self) -> int:
        return self.good + self.overload + self.fault

    def rate(self, now: float) -> float:
        return self.good / max(now - self.since, 1e-9)


@dataclass(slots=True)
class _Best:
    """The most good answers a second, and the number of slots that gave them; an old record counts less and less."""

    rate: float = 0.0
    limit: int = 1

    def add(self, rate: float, limit: int) -> None:
        self.rate *= _FADING
        if rate >= self.rate:
            self.rate, self.limit = rate, limit


@dataclass(slots=True)
class _Latency:
    """Smoothed seconds of an answer, and the least that was seen of them."""

    recent: float = 0.0
    usual: float = math.inf
    seen: int = field(default=0)

    def add(self, seconds: float) -> None:
        self.recent += (seconds - self.recent) * (_SMOOTHING if self.seen else 1.0)
        self.seen += 1
        if self.seen >= _LEAST_WINDOW:
            self.usual = min(self.usual, self.recent)


class Throttle:
    """Slots of one endpoint in one event loop (AIMD: slow growth, halved on trouble).

    Not every 429 or timeout comes of too many requests. A halving is therefore a trial: when half the slots give
    clearly fewer good answers a second, the former number is restored and that share of trouble let pass for a while.

    Args:
        maximum: Never more requests than this at once.
        start: Requests at once in the beginning.
        timeout: Seconds after which a request is given up; answers that take half as long stop the growth.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        maximum: int,
        *,
        start: int | None = None,
        timeout: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._maximum = max(1, maximum)
        self._exact = float(max(1, min(start or START, maximum)))
        self._timeout, self._clock = timeout, clock
        self._active = self._epoch = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._held = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._window = _Window(max(self.limit, _LEAST_WINDOW))
        self._latency, self._best = _Latency(), _Best()
        self._ramping = True
        self._tried = 0.0  # the share of trouble that the slots were halved for; 0: no trial is on
        self._tolerated, self._tolerant, self._patience = 0.0, 0, _PATIENCE

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return int(self._exact)

    @property
    def active(self) -> int:
        """Requests under way."""
        return self._active

    def allow(self, maximum: int) -> None:
        """Raise the maximum; a lower one changes nothing."""
        self._maximum = max(self._maximum, maximum)

    @asynccontextmanager
    async def slot(self, *, urgent: bool = False) -> AsyncIterator[Slot]:
        """Wait for a slot and hold it for as long as the block lasts.

        Args:
            urgent: Go before all that wait: a request sent again would otherwise end last, and alone.

        Yields:
            The slot, to be told the outcome.
        """
        await self._acquire(urgent)
        slot = Slot(self._epoch, self._clock())
        if math.isnan(self._window.since):
            self._window.since = slot.started
        try:
            yield slot
        finally:
            if slot.outcome and slot.epoch == self._epoch:
                self._note(slot.outcome, self._clock() - slot.started)
            self._active -= 1
            self._wake()

    def hold(self, seconds: float) -> None:
        """Give out no slot for so long: the server asked to be left alone."""
        self._held = max(self._held, self._clock() + seconds)

    async def _acquire(self, urgent: bool) -> None:  # noqa: FBT001 - private, and called once
        if not self._waiting and self._active < self.limit and self._clock() >= self._held:
            self._active += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if urgent:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came in the same moment
                self._active -= 1
                self._wake()
            raise

    def _wake(self) -> None:
        rest = self._held - self._clock()
        if rest > 0:
            if self._waiting and self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(rest, self._resume)
            return
        while self._waiting and self._active < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._active += 1

    def _resume(self) -> None:
        self._timer = None
        self._wake()

    def _note(self, outcome: Outcome, seconds: float) -> None:
        window = self._window
        if outcome == "good":
            window.good += 1
            self._latency.add(seconds)
            self._grow(window)
        elif outcome == "overload":
            window.overload += 1
        else:
            window.fault += 1
        if window.total >= window.size:
            self._decide(window)

    def _decide(self, window: _Window) -> None:
        now = self._clock()
        share, rate = window.overload / window.total, window.rate(now)
        before = self._epoch
        self._tolerant = max(0, self._tolerant - 1)
        if self._tried and rate < _WORTH * self._best.rate:
            self._restore()
        elif not self._tried and share > self._allowed() and self.limit > 1:
            self._best.add(rate, self.limit)
            self._exact, self._tried, self._ramping = self.limit / 2, share, False
            self._epoch += 1
        else:
            self._best.add(rate, self.limit)
            self._tried = 0.0
        # What was sent before a change tells nothing of it: a new count begins with the next request.
        since = now if self._epoch == before else math.nan
        self._window = _Window(max(self.limit, _LEAST_WINDOW), since)

    def _restore(self) -> None:
        self._exact = max(2 * self._exact, float(self._best.limit))
        self._tolerated = 1.5 * self._tried + 0.1
        self._tolerant, self._patience = self._patience, 2 * self._patience
        self._tried, self._ramping = 0.0, True
        self._epoch += 1

    def _allowed(self) -> float:
        return self._tolerated if self._tolerant else 0.0

    def _grow(self, window: _Window) -> None:
        if self._tried or window.overload > self._allowed() * window.size:
            return
        latency = self._latency
        slow = latency.recent > _SLOWER * latency.usual or latency.recent > self._timeout / 2
        if not slow and (self._waiting or self._active >= self.limit):
            step = 1.0 if self._ramping else max(1 / self.limit, _STEP)
            self._exact = min(float(self._maximum), self._exact + step)


_throttles: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Throttle]] = WeakKeyDictionary()


def throttle_for(endpoint: str, maximum: int, timeout: float) -> Throttle:
    """The throttle of an endpoint in the running event loop; all its clients there share it.

    Args:
        endpoint: The endpoint's address.
        maximum: Most requests at once; of several clients' the largest counts.
        timeout: Seconds after which a request is given up.

    Returns:
        The throttle.
    """
    here = _throttles.setdefault(asyncio.get_running_loop(), {})
    throttle = here.get(endpoint)
    if throttle is None:
        throttle = here[endpoint] = Throttle(maximum, timeout=timeout)
    throttle.allow(maximum)
    return throttle
