"""When a request is sent again, and how long to wait before.

In: which attempt failed, and the answer's headers. Out: seconds. It knows neither requests nor servers.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how late a request is sent again after a passing fault."""

    retries: int = 3
    first: float = 0.5  # seconds; the longest wait before the first retry, doubled for each further one
    longest: float = 20.0  # seconds; our own waits never pass this
    demanded: float = 120.0  # seconds; a longer wait than this is not kept, whoever asks for it

    def wait(self, attempt: int, asked: float | None = None) -> float:
        """Seconds to wait after a failed attempt.

        Args:
            attempt: How many attempts failed before this one.
            asked: What the server asked for; None or 0: nothing.

        Returns:
            What the server asked for, capped; otherwise anything from nothing to the doubled step ("full jitter"),
            so that requests that failed together do not come back together.
        """
        if asked:
            return min(asked, self.demanded)
        return random.uniform(0, min(self.longest, self.first * 2 ** min(attempt, 30)))  # noqa: S311 - no secret


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The wait that a server asked for.

    Args:
        headers: The answer's headers; keys in lower case, or a mapping that does not mind.
        now: The time that a date is counted from; None: the clock's.

    Returns:
        Seconds, never negative; None where no header says so in a form that is known.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    if said is None or (seconds := _number(said)) is not None:
        return None if said is None else seconds
    try:
        date = parsedate_to_datetime(said)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
