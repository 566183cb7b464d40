"""When a call is repeated, and after how long."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from contextd import Overloaded, RetryPolicy, StorageFull, Unavailable, VersionConflict
from contextd.errors import ContextdError
from contextd.retry import Attempts
from fake import FakeClock

POLICY = RetryPolicy(initial_delay=0.1, max_delay=1.0, multiplier=2.0)


def attempts(clock: FakeClock, timeout: float = 60.0, random: float = 1.0) -> Attempts:
    return Attempts(POLICY, timeout, clock, lambda: random)


def overloaded(retry_delay: Optional[float]) -> Overloaded:
    return Overloaded("later", retry_delay=retry_delay)


def test_delays_grow_up_to_the_bound() -> None:
    assert [POLICY.delay(n, 1.0) for n in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert POLICY.delay(100_000, 1.0) == 1.0


def test_chance_takes_away_up_to_half() -> None:
    assert POLICY.delay(0, 0.0) == 0.05
    assert POLICY.delay(100, 0.5) == 0.75


def test_chance_takes_away_up_to_all_after_a_lost_race() -> None:
    assert POLICY.delay_after_conflict(3, 0.0) == 0.0
    assert POLICY.delay_after_conflict(0, 1.0) == POLICY.conflict_delay
    assert POLICY.delay_after_conflict(100, 1.0) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"initial_delay": 0},
        {"initial_delay": 2.0},
        {"multiplier": 0.5},
        {"attempts": 0},
        {"conflict_delay": -1},
    ],
)
def test_refuses_what_cannot_work(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)


def test_waits_longer_each_time_that_nobody_answers(clock: FakeClock) -> None:
    tries = attempts(clock)
    assert [tries.delay_after(Unavailable("no")) for _ in range(3)] == [0.1, 0.2, 0.4]


def test_never_cuts_the_delay_of_the_server_short(clock: FakeClock) -> None:
    assert attempts(clock, random=0.0).delay_after(overloaded(3.0)) == 3.0
    assert attempts(clock, random=1.0).delay_after(overloaded(3.0)) == 4.5


def test_waits_its_own_delay_where_the_server_says_none(clock: FakeClock) -> None:
    assert attempts(clock).delay_after(overloaded(None)) == 0.1


@pytest.mark.parametrize("error", [VersionConflict("lost"), StorageFull("full")])
def test_does_not_repeat_what_will_not_help(clock: FakeClock, error: ContextdError) -> None:
    assert attempts(clock).delay_after(error) is None


def test_does_not_begin_again_after_the_deadline(clock: FakeClock) -> None:
    tries = attempts(clock, timeout=0.25)
    clock.sleep(tries.delay_after(Unavailable("no")) or 0.0)
    assert tries.remaining() == pytest.approx(0.15)
    assert tries.delay_after(Unavailable("no")) is None
    clock.sleep(1.0)
    assert tries.remaining() == 0.0
