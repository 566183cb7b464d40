"""When a call is repeated, and after how long. Nothing here waits or looks at a clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from contextd.errors import (
    Cancelled,
    CertificateRejected,
    ContextdError,
    DeadlineExceeded,
    Overloaded,
    StreamStalled,
    Unavailable,
)

_EXPONENT_MAX = 32

# What the program cancels itself never comes here: it is asyncio's own exception, or ClientClosed.
_REPEATED = (Unavailable, Overloaded, StreamStalled, Cancelled)


@dataclass(frozen=True)
class RetryPolicy:
    """How calls are repeated that are safe to repeat.

    Reads are; so is every write, because it carries a request id. A call is repeated when
    no server answered (:class:`~contextd.Unavailable`), when a server or a proxy dropped it
    (:class:`~contextd.Cancelled`), or when the server refused it for the moment
    (:class:`~contextd.Overloaded`), until the call's timeout has passed. Streams are begun
    again also when they were not read in time (:class:`~contextd.StreamStalled`).

    Attributes:
        initial_delay: Seconds before the first repetition.
        max_delay: Seconds that no delay exceeds, unless the server asks for more.
        multiplier: What each further delay is multiplied by.
        attempts: How often ``edit`` and ``transact`` try to win against other writers.
        conflict_delay: Seconds before their first repetition, at most.

    Example:
        >>> RetryPolicy(max_delay=5.0).delay(attempt=0, random=1.0)
        0.05
    """

    initial_delay: float = 0.05
    max_delay: float = 1.0
    multiplier: float = 2.0
    attempts: int = 16
    conflict_delay: float = 0.005

    def __post_init__(self) -> None:
        """Refuses what cannot work."""
        if not 0 < self.initial_delay <= self.max_delay:
            raise ValueError("initial_delay must be above 0 and at most max_delay")
        if not 0 <= self.conflict_delay <= self.max_delay:
            raise ValueError("conflict_delay must be from 0 to max_delay")
        if self.multiplier < 1:
            raise ValueError("multiplier must be at least 1")
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")

    def delay(self, attempt: int, random: float) -> float:
        """Seconds to wait after the failure number ``attempt``, counted from 0.

        ``random``, from 0 to 1, takes away up to half, so that clients which failed
        together do not come back together.
        """
        return self._grown(self.initial_delay, attempt) * (0.5 + 0.5 * random)

    def delay_after_conflict(self, attempt: int, random: float) -> float:
        """Seconds to wait after losing the race number ``attempt``, counted from 0.

        ``random``, from 0 to 1, takes away up to all of it: whoever is drawn first wins.
        """
        return self._grown(self.conflict_delay, attempt) * random

    def _grown(self, initial: float, attempt: int) -> float:
        return min(initial * self.multiplier ** min(attempt, _EXPONENT_MAX), self.max_delay)


class Attempts:
    """The attempts of one call, from its first to its deadline.

    Attributes:
        failure: What the call fails with if there is no further attempt. ``None``: none failed yet.
    """

    failure: Optional[ContextdError] = None

    def __init__(
        self,
        policy: RetryPolicy,
        timeout: float,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        """Begins now: ``timeout`` seconds of ``clock`` are for all attempts together."""
        self._policy = policy
        self._clock = clock
        self._random = random
        self._began = clock()
        self._deadline = self._began + timeout
        self._failed = 0

    @property
    def count(self) -> int:
        """How many have failed so far."""
        return self._failed

    def elapsed(self) -> float:
        """Seconds since the first one began."""
        return self._clock() - self._began

    def remaining(self) -> float:
        """Seconds left until the deadline; not below 0."""
        return max(0.0, self._deadline - self._clock())

    def time_left(self) -> float:
        """Seconds that the next attempt may take.

        Raises what the call fails with where a wait took longer than it should have: an attempt
        that would begin after the deadline is not made.
        """
        left = self.remaining()
        if left == 0.0 and self.failure is not None:
            raise self.failure
        return left

    def delay_after(self, error: ContextdError) -> Optional[float]:
        """Seconds to wait before the next attempt. ``None``: do not try again.

        A server's own delay is never cut short, only spread over up to half as much
        again. There is no further attempt when it would begin after the deadline.

        Where nobody answered, and the deadline ends the last attempt before it is known whether
        somebody does now, nobody answered until the deadline.
        """
        self._failed += 1
        late = isinstance(error, DeadlineExceeded)
        if not (late and isinstance(self.failure, Unavailable)):
            self.failure = error
        if not isinstance(error, _REPEATED) or isinstance(error, CertificateRejected):
            return None
        if error.retry_delay is not None:
            delay = error.retry_delay * (1 + 0.5 * self._random())
        else:
            delay = self._policy.delay(self._failed - 1, self._random())
        return delay if delay < self.remaining() else None
