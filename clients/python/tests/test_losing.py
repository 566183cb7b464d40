"""Sessions that are renewed, or lost, against a server that answers as it was told.

What a test waits for comes from the server or from the session itself; nothing sleeps.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import threading
from dataclasses import replace
from typing import Any, Callable

import pytest

import contextd
from contextd import Activity, AsyncClient, Client
from contextd._calls import Invoke, Operation
from contextd._sessions import SessionOperations
from contextd.v1 import tracker_pb2
from fake import PATIENCE_SECONDS, UNAVAILABLE, Fail, FakeClock, FakeServer, Hang, unhurry
from fake_sessions import UNKNOWN, answer_sessions, session, threads_of_sessions

# Losing.


@pytest.mark.parametrize(
    "use",
    [
        lambda running: running.activate("c"),
        lambda running: running.switch("c"),
        lambda running: running.info(),
        lambda running: running.contexts(),
        lambda running: running.current(),
        lambda running: running.renew(),
        lambda running: running.context("c").put("k", b"v"),
        lambda running: running.context("c").record(Activity("message")),
        lambda running: running.context("c").resource("r").acquire(),
    ],
)
@pytest.mark.parametrize("found", ["by the clock", "by the server"])
def test_every_use_of_a_lost_session_says_so(
    client: Any, server: FakeServer, clock: FakeClock, use: Callable[[Any], Any], found: str
) -> None:
    answer_sessions(server, "UpdateContext")
    server.answer("UpdateContext", UNKNOWN)
    with client.session() as running:
        if found == "by the clock":
            clock.now += 60.0
        else:
            with pytest.raises(contextd.SessionLost) as caught:
                running.context("c").put("k", b"v")
            assert caught.value.request_id is not None
        assert running.lost
        before = {method: len(requests) for method, requests in server.requests.items()}
        with pytest.raises(contextd.SessionLost):
            use(running)
        assert {method: len(requests) for method, requests in server.requests.items()} == before
    # Only what the clock found may still be there at the server.
    assert ("EndSession" in server.requests) == (found == "by the clock")


def test_a_loss_is_told_to_the_program_once(client: Any, server: FakeServer) -> None:
    answer_sessions(server, "UpdateContext")
    server.answer("UpdateContext", UNKNOWN)
    told: list[contextd.SessionLost] = []
    with client.session(on_lost=told.append) as running:
        assert not running.wait_lost(0)
        for _ in range(2):
            with pytest.raises(contextd.SessionLost):
                running.context("c").put("k", b"v")
        assert running.wait_lost()
    assert [error.session_id for error in told] == ["s-1"]
    assert threads_of_sessions() == []


def test_the_end_of_a_session_is_no_loss(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    told: list[contextd.SessionLost] = []
    with client.session(on_lost=told.append) as running:
        pass
    assert not running.wait_lost()
    assert told == []


def test_a_session_ended_by_somebody_else_is_lost(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    server.answer("ListSessions", tracker_pb2.ListSessionsResponse(sessions=[session()]))
    server.answer("GetSession", tracker_pb2.GetSessionResponse(session=session()), UNKNOWN)
    (found,) = client.sessions(owner="mia", page_size=7)
    (listed,) = server.requests["ListSessions"]
    assert (listed.namespace, listed.owner, listed.page_size) == ("tests", "mia", 7)
    assert client.session_info(found.id) == found
    client.end_session(found.id)
    (sent,) = server.requests["EndSession"]
    assert (sent.namespace, sent.session_id) == ("tests", "s-1")
    with pytest.raises(contextd.SessionNotFound) as caught:
        client.session_info(found.id)
    assert type(caught.value) is contextd.SessionNotFound


# In the background, with a clock that really runs: renewed all the time, for a term of a day.

DAY = 86_400


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has sessions renewed all the time, however long their terms are."""
    monkeypatch.setattr(SessionOperations, "_pause", lambda _: 0.01)


@pytest.mark.usefixtures("often")
def test_a_thread_renews_and_finds_the_loss(server: FakeServer) -> None:
    answer_sessions(server, "RenewSession")
    renewed = tracker_pb2.RenewSessionResponse()
    server.answer("RenewSession", renewed, UNAVAILABLE, renewed, UNKNOWN)
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    lost = lambda error: told.put((error, threading.current_thread().name))  # noqa: E731
    with (
        Client(server.address, timeout=DAY) as client,
        client.session(ttl=DAY, on_lost=lost) as running,
    ):
        assert threads_of_sessions() == ["contextd-session-s-1"]
        error, thread = told.get(timeout=PATIENCE_SECONDS)
        assert (type(error), thread) == (contextd.SessionLost, "contextd-session-s-1")
        assert running.wait_lost(PATIENCE_SECONDS)
    assert len(server.requests["RenewSession"]) == 4
    assert threads_of_sessions() == []
    assert "EndSession" not in server.requests


@pytest.mark.usefixtures("often")
def test_a_task_renews_and_finds_the_loss(server: FakeServer) -> None:
    answer_sessions(server, "RenewSession")
    renewed = tracker_pb2.RenewSessionResponse()
    server.answer("RenewSession", renewed, UNAVAILABLE, renewed, UNKNOWN)
    told: list[contextd.SessionLost] = []

    async def use() -> None:
        async with AsyncClient(server.address, timeout=DAY) as client:
            async with client.session(ttl=DAY, on_lost=told.append) as running:
                assert await running.wait_lost(PATIENCE_SECONDS)
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(use())
    assert [type(error) for error in told] == [contextd.SessionLost]
    assert len(server.requests["RenewSession"]) == 4


@pytest.mark.usefixtures("often")
def test_a_session_that_was_ended_before_it_began_is_renewed_too(server: FakeServer) -> None:
    answer_sessions(server)
    with Client(server.address) as client:
        running = client.session(ttl=DAY)
        running.end()
        with running:
            server.wait_for("RenewSession", 1)


def test_whoever_waits_for_a_loss_is_told_at_once(server: FakeServer) -> None:
    answer_sessions(server, "UpdateContext")
    server.answer("UpdateContext", UNKNOWN)
    told = threading.Event()
    with Client(server.address) as client:
        with client.session(ttl=DAY, on_lost=lambda _: told.set()) as running:
            waiter = threading.Thread(target=running.wait_lost, daemon=True)
            waiter.start()
            with pytest.raises(contextd.SessionLost):
                running.context("c").put("k", b"v")
            waiter.join(PATIENCE_SECONDS)
            assert not waiter.is_alive()
            assert told.wait(PATIENCE_SECONDS)
        ended = client.session().start()
        waiter = threading.Thread(target=ended.wait_lost, daemon=True)
        waiter.start()
        ended.end()
        waiter.join(PATIENCE_SECONDS)
        assert not waiter.is_alive()


@pytest.mark.usefixtures("often")
def test_a_session_without_an_answer_is_lost_when_its_term_is_over(
    server: FakeServer, clock: FakeClock
) -> None:
    answer_sessions(server, "RenewSession")

    def refuse(_: object) -> Fail:
        clock.now += 0.4
        return UNAVAILABLE

    server.answer("RenewSession", refuse)
    with Client(server.address) as client:
        client._settings = replace(client._settings, clock=clock)
        unhurry(client)
        with client.session(ttl=1) as running:
            assert running.wait_lost(PATIENCE_SECONDS)
    assert len(server.requests["RenewSession"]) == 3
    # It may have been there for the server all the time.
    assert len(server.requests["EndSession"]) == 1


@pytest.mark.usefixtures("often")
def test_a_renewal_that_nobody_answers_does_not_hold_up_the_end(server: FakeServer) -> None:
    answer_sessions(server, "RenewSession")
    server.answer("RenewSession", Hang())
    with Client(server.address, timeout=DAY) as client:
        unhurry(client)
        with client.session(ttl=DAY):
            server.wait_for("RenewSession", 1)
    assert threads_of_sessions() == []
    assert len(server.requests["EndSession"]) == 1


def test_a_call_that_nobody_answers_does_not_hold_up_the_end_of_a_task(
    server: FakeServer,
) -> None:
    answer_sessions(server, "RenewSession")
    server.answer("RenewSession", Hang())

    def renewing() -> Operation[None]:
        yield Invoke("RenewSession", tracker_pb2.RenewSessionRequest(), 1000 * PATIENCE_SECONDS)

    async def use() -> None:
        others = asyncio.all_tasks()
        async with AsyncClient(server.address) as client:
            unhurry(client)
            running = client.session()
            running._operations.keep = renewing  # type: ignore[method-assign]
            async with running:
                await asyncio.to_thread(server.wait_for, "RenewSession", 1)
            assert asyncio.all_tasks() == others

    asyncio.run(asyncio.wait_for(use(), PATIENCE_SECONDS))
    assert len(server.requests["EndSession"]) == 1


@pytest.mark.usefixtures("often")
def test_a_session_may_be_ended_where_its_loss_is_told(server: FakeServer) -> None:
    answer_sessions(server, "RenewSession")
    server.answer("RenewSession", UNKNOWN)
    ended = threading.Event()
    with Client(server.address) as client:

        def on_lost(_: contextd.SessionLost) -> None:
            running.end()
            ended.set()

        running = client.session(ttl=DAY, on_lost=on_lost)
        running.start()
        assert ended.wait(PATIENCE_SECONDS)
        running._thread.join(PATIENCE_SECONDS)


def test_what_a_callback_raises_in_the_thread_is_reported(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_sessions(server, "UpdateContext")
    server.answer("UpdateContext", UNKNOWN)
    reported: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: reported.append(hook.exc_type))

    def fail(_: contextd.SessionLost) -> None:
        raise ZeroDivisionError

    with Client(server.address) as client:
        running = client.session(on_lost=fail).start()
        with pytest.raises(contextd.SessionLost):
            running.context("c").put("k", b"v")
        running.end()
    assert reported == [ZeroDivisionError]


def test_what_a_callback_raises_in_the_loop_is_reported(server: FakeServer) -> None:
    answer_sessions(server, "UpdateContext")
    server.answer("UpdateContext", UNKNOWN)
    reported: list[Any] = []

    def fail(_: contextd.SessionLost) -> None:
        raise ZeroDivisionError

    async def use() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, report: reported.append(type(report["exception"]))
        )
        async with AsyncClient(server.address) as client:
            running = await client.session(on_lost=fail).start()
            with pytest.raises(contextd.SessionLost):
                await running.context("c").put("k", b"v")
            await running.end()

    asyncio.run(use())
    assert reported == [ZeroDivisionError]


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_forked_process_leaves_the_session_alone(server: FakeServer) -> None:
    answer_sessions(server)
    with Client(server.address) as client:
        unhurry(client)
        with client.session(ttl=DAY) as running:
            with running._background._lock, running._lease._lock:
                child = os.fork()
                if child == 0:
                    # The locks stay locked here for ever; an alarm ends who waits for one.
                    signal.alarm(int(PATIENCE_SECONDS))
                    status = 1
                    try:
                        running.__exit__(None, None, None)
                        running.activate("c")
                    except contextd.SessionLost:
                        status = 0 if running.lost and running.wait_lost() else 2
                    finally:
                        os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
            assert not running.lost
            running.activate("c")
    assert len(server.requests["EndSession"]) == 1
