"""Whether a session can be relied on, and when it is renewed: step by step, without a server."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contextd import (
    ClientClosed,
    NotReady,
    Overloaded,
    RetryPolicy,
    SessionLost,
    SessionNotFound,
    Unavailable,
)
from contextd._calls import Invoke, Settings, Sleep
from contextd._lease import Lease
from contextd._requests import to_timedelta
from contextd._sessions import NewSession, SessionOperations
from contextd.v1 import tracker_pb2 as pb
from fake import FakeClock

POLICY = RetryPolicy(initial_delay=0.5, max_delay=1.0)


@pytest.fixture
def lease(clock: FakeClock) -> Lease:
    made = Lease("tests", 30.0, clock)
    made.begin("s", clock())
    return made


@pytest.fixture
def operations(clock: FakeClock) -> SessionOperations:
    settings = Settings("tests", 10.0, POLICY, clock, lambda: 1.0, lambda: "the-id")
    new = NewSession("tests", "mia", timedelta(seconds=30), {}, "", None, 0)
    return SessionOperations(settings, new)


def begun(operations: SessionOperations, clock: FakeClock) -> SessionOperations:
    operations.lease.begin("s", clock())
    return operations


def result_of(operation: Any, answer: Any) -> Any:
    with pytest.raises(StopIteration) as stop:
        operation.send(answer)
    return stop.value.value


# The lease.


def test_it_is_lost_when_its_term_is_over(lease: Lease, clock: FakeClock) -> None:
    clock.now += 29.9
    assert lease.loss() is None
    clock.now += 0.1
    assert isinstance(lease.loss(), SessionLost)
    with pytest.raises(SessionLost, match="not renewed in time") as caught:
        lease.check()
    assert (caught.value.session_id, caught.value.reason) == ("s", "SESSION_NOT_FOUND")


def test_a_renewal_counts_from_when_it_was_sent(lease: Lease, clock: FakeClock) -> None:
    sent = clock() + 10.0
    clock.now += 20.0
    lease.renewed(sent)
    assert lease.remaining() == 20.0
    lease.renewed(sent - 5.0)
    assert lease.remaining() == 20.0


def test_what_is_lost_stays_lost(lease: Lease, clock: FakeClock) -> None:
    clock.now += 30.0
    assert lease.loss() is not None
    lease.renewed(clock())
    assert lease.loss() is not None


def test_a_loss_is_told_once(lease: Lease, clock: FakeClock) -> None:
    told: list[int] = []
    lease.when_lost = lambda: told.append(1)
    lease.lose()
    clock.now += 60.0
    lease.lose()
    lease.loss()
    assert told == [1]


def test_what_was_ended_is_not_lost(lease: Lease, clock: FakeClock) -> None:
    assert lease.end()
    clock.now += 60.0
    lease.lose()
    assert lease.loss() is None
    with pytest.raises(ClientClosed, match="ended by this program"):
        lease.check()


def test_a_server_that_does_not_know_it_is_not_told_its_end(lease: Lease) -> None:
    lease.lose()
    assert not lease.end()


def test_a_lease_that_has_not_begun_is_of_no_use(clock: FakeClock) -> None:
    lease = Lease("tests", 1.0, clock)
    clock.now += 60.0
    assert lease.loss() is None
    assert not lease.end()
    with pytest.raises(RuntimeError, match="not begun"):
        lease.check()


def test_a_lease_begins_once(lease: Lease, clock: FakeClock) -> None:
    with pytest.raises(RuntimeError, match="begun already"):
        lease.begin("t", clock())


def test_an_unknown_session_is_lost_with_the_call_that_finds_out(lease: Lease) -> None:
    def operation() -> Any:
        yield "step"

    guarded = lease.guard(operation())
    assert next(guarded) == "step"
    error = SessionNotFound("unknown")
    error.request_id = "the-id"
    with pytest.raises(SessionLost) as caught:
        guarded.throw(error)
    assert caught.value.request_id == "the-id"
    assert caught.value.__cause__ is error
    with pytest.raises(SessionLost):
        next(lease.guard(operation()))


def test_what_is_under_way_when_the_program_ends_it_says_so(lease: Lease) -> None:
    def operation() -> Any:
        yield "step"

    guarded = lease.guard(operation())
    next(guarded)
    lease.end()
    with pytest.raises(ClientClosed, match="ended by this program"):
        guarded.throw(SessionNotFound("unknown"))
    assert lease.loss() is None


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_forked_process_has_lost_it_and_leaves_it_alone(lease: Lease) -> None:
    with lease._lock:
        child = os.fork()
        if child == 0:
            # The lock stays locked here for ever; only what needs none comes to its end.
            right = lease.foreign and lease.loss() is not None and not lease.end()
            os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert lease.loss() is None


# Beginning and renewing.


def test_a_term_begins_when_it_was_asked_for(
    operations: SessionOperations, clock: FakeClock
) -> None:
    start = operations.start()
    step = next(start)
    assert isinstance(step, Invoke)
    assert isinstance(step.request, pb.StartSessionRequest)
    assert (step.request.owner, step.request.ttl.seconds) == ("mia", 30)
    assert step.request.write.request_id == "the-id"
    clock.now += 5.0
    assert result_of(start, pb.StartSessionResponse(session=pb.Session(id="s"))).id == "s"
    assert operations.lease.remaining() == 25.0


def test_a_slow_beginning_is_renewed_at_once(
    operations: SessionOperations, clock: FakeClock
) -> None:
    operations.settings = replace(operations.settings, timeout=60.0)
    start = operations.start()
    next(start)
    clock.now += 29.0
    assert isinstance(start.throw(NotReady("starting")), Sleep)
    clock.now += 0.5
    assert isinstance(start.send(None), Invoke)
    step = start.send(pb.StartSessionResponse(session=pb.Session(id="s")))
    assert isinstance(step, Invoke)
    assert step.request == pb.RenewSessionRequest(namespace="tests", session_id="s")
    result_of(start, pb.RenewSessionResponse())
    assert operations.lease.remaining() == 30.0


def test_it_is_renewed_after_a_third_of_its_term(
    operations: SessionOperations, clock: FakeClock
) -> None:
    keep = begun(operations, clock).keep()
    assert next(keep) == Sleep(10.0)
    for _ in range(100):
        clock.now += 10.0
        assert keep.send(None) == Invoke(
            "RenewSession", pb.RenewSessionRequest(namespace="tests", session_id="s"), 10.0
        )
        clock.now += 1.0
        assert keep.send(pb.RenewSessionResponse()) == Sleep(10.0)
        assert operations.lease.remaining() == 29.0


def test_chance_takes_away_up_to_a_quarter_of_the_wait(
    operations: SessionOperations, clock: FakeClock
) -> None:
    operations.settings = replace(operations.settings, random=lambda: 0.0)
    assert next(begun(operations, clock).keep()) == Sleep(7.5)


def test_a_failure_is_tried_again_until_the_term_is_over(
    operations: SessionOperations, clock: FakeClock
) -> None:
    keep = begun(operations, clock).keep()
    step: Any = next(keep)
    waits = []
    with contextlib.suppress(StopIteration):
        while True:
            waits.append(step.seconds)
            clock.now += step.seconds
            attempt: Any = keep.send(None)
            assert 0 < attempt.timeout <= operations.lease.remaining()
            clock.now += 2.0
            step = keep.throw(Unavailable("nobody is there"))
    assert waits[:4] == [10.0, 0.5, 1.0, 1.0]
    assert sum(waits) + 2.0 * (len(waits) - 1) == pytest.approx(30.0)
    assert operations.lease.loss() is not None


def test_a_renewal_after_failures_gives_a_full_term(
    operations: SessionOperations, clock: FakeClock
) -> None:
    keep = begun(operations, clock).keep()
    next(keep)
    clock.now += 25.0
    keep.send(None)
    assert keep.throw(Unavailable("restarting")) == Sleep(0.5)
    clock.now += 0.5
    attempt = keep.send(None)
    assert isinstance(attempt, Invoke)
    assert attempt.timeout == 4.5
    assert keep.send(pb.RenewSessionResponse()) == Sleep(10.0)
    assert operations.lease.remaining() == 30.0
    clock.now += 10.0
    keep.send(None)
    assert keep.throw(Unavailable("restarting")) == Sleep(0.5)


def test_a_renewal_takes_no_longer_than_any_call(
    operations: SessionOperations, clock: FakeClock
) -> None:
    operations.settings = replace(operations.settings, timeout=3.0)
    keep = begun(operations, clock).keep()
    next(keep)
    attempt = keep.send(None)
    assert isinstance(attempt, Invoke)
    assert attempt.timeout == 3.0


def test_the_delay_of_an_overloaded_server_is_kept(
    operations: SessionOperations, clock: FakeClock
) -> None:
    keep = begun(operations, clock).keep()
    next(keep)
    keep.send(None)
    assert keep.throw(Overloaded("later", retry_delay=3.0)) == Sleep(3.0)


def test_a_session_that_the_server_does_not_know_is_lost_at_once(
    operations: SessionOperations, clock: FakeClock
) -> None:
    keep = begun(operations, clock).keep()
    next(keep)
    clock.now += 10.0
    keep.send(None)
    with pytest.raises(StopIteration):
        keep.throw(SessionNotFound("unknown"))
    assert operations.lease.loss() is not None


def test_nothing_is_renewed_once_the_client_is_closed(
    operations: SessionOperations, clock: FakeClock
) -> None:
    keep = begun(operations, clock).keep()
    next(keep)
    keep.send(None)
    with pytest.raises(StopIteration):
        keep.throw(ClientClosed())
    assert operations.lease.loss() is None


def test_a_program_that_stood_still_does_not_renew_what_it_lost(
    operations: SessionOperations, clock: FakeClock
) -> None:
    keep = begun(operations, clock).keep()
    next(keep)
    clock.now += 3600.0
    with pytest.raises(StopIteration):
        keep.send(None)


def test_a_ttl_may_be_seconds() -> None:
    assert to_timedelta(1.5) == timedelta(milliseconds=1500)
    assert to_timedelta(timedelta(hours=1)) == timedelta(hours=1)
    for wrong in (float("nan"), float("inf")):
        with pytest.raises((ValueError, OverflowError)):
            to_timedelta(wrong)
