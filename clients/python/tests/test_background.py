"""What a thread does in the background, and how it is woken and stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import grpc
import pytest

from contextd._calls import Invoke, Operation, Sleep
from contextd._methods import RENEW
from contextd._sync import BackgroundRunner, Connection, Stopped
from contextd.v1 import tracker_pb2 as pb
from fake import PATIENCE_SECONDS, FakeServer, Hang

FOR_EVER = 1000 * PATIENCE_SECONDS


@pytest.fixture
def runner(server: FakeServer) -> Iterator[BackgroundRunner]:
    with grpc.insecure_channel(server.address) as channel:
        yield BackgroundRunner(Connection(channel))


def begin(runner: BackgroundRunner, operation: Operation[str]) -> Future[str]:
    """Runs an operation in a thread; gives what comes of it."""
    outcome: Future[str] = Future()

    def work() -> None:
        try:
            outcome.set_result(runner.run(operation))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return outcome


def calling() -> Operation[str]:
    yield Invoke(RENEW.name, pb.RenewSessionRequest(), FOR_EVER)
    return "answered"


def waiting() -> Operation[str]:
    yield Sleep(FOR_EVER)
    yield Sleep(FOR_EVER)
    return "woken"


def test_a_call_that_nobody_answers_can_be_stopped(
    runner: BackgroundRunner, server: FakeServer
) -> None:
    server.answer("RenewSession", Hang())
    outcome = begin(runner, calling())
    server.wait_for("RenewSession", 1)
    runner.stop()
    with pytest.raises(Stopped):
        outcome.result(PATIENCE_SECONDS)


def test_a_wait_can_be_stopped(runner: BackgroundRunner) -> None:
    outcome = begin(runner, waiting())
    runner.stop()
    with pytest.raises(Stopped):
        outcome.result(PATIENCE_SECONDS)


def test_nothing_waits_any_more_after_it_was_woken(runner: BackgroundRunner) -> None:
    outcome = begin(runner, waiting())
    runner.wake()
    assert outcome.result(PATIENCE_SECONDS) == "woken"


def test_calls_go_on_after_it_was_woken(runner: BackgroundRunner, server: FakeServer) -> None:
    server.answer("RenewSession", pb.RenewSessionResponse())
    runner.wake()
    assert begin(runner, calling()).result(PATIENCE_SECONDS) == "answered"


def test_nothing_begins_after_it_was_stopped(runner: BackgroundRunner, server: FakeServer) -> None:
    runner.stop()
    with pytest.raises(Stopped):
        begin(runner, calling()).result(PATIENCE_SECONDS)
    assert server.requests == {}
