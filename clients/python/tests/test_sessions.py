"""Sessions against a server that answers as it was told.

What a test waits for comes from the server or from the session itself; nothing sleeps.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import threading
from typing import Any, Callable

import grpc
import pytest

import contextd
from contextd import Activity, AsyncClient, Client, FileOperation, NewContext
from contextd.v1 import context_manager_pb2, resources_pb2, tracker_pb2
from fake import PATIENCE_SECONDS, UNAVAILABLE, Fail, FakeClock, FakeServer, Hang

UNKNOWN = Fail(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", {"session_id": "s-1"})
NOT_FOUND = Fail(grpc.StatusCode.NOT_FOUND, "CONTEXT_NOT_FOUND")
STALE = Fail(grpc.StatusCode.FAILED_PRECONDITION, "STALE_FENCE", {"current_fence": "8"})
WRITE = resources_pb2.WriteResult(revision=108)


def activation(context_id: str, fence: int = 0) -> Any:
    return tracker_pb2.Activation(context_id=context_id, fence=fence, exclusive=fence != 0)


def session(*activations: Any, current: str = "") -> Any:
    return tracker_pb2.Session(
        namespace="tests", id="s-1", activations=activations, current_context_id=current
    )


def answer_all(server: FakeServer, *but: str) -> None:
    """Lets a session go well, in all but what the test is about."""
    context = resources_pb2.Context(id="c", version=7)
    pb, manager = tracker_pb2, context_manager_pb2
    for method, answer in {
        "StartSession": pb.StartSessionResponse(session=session(), write=WRITE),
        "RenewSession": pb.RenewSessionResponse(),
        "EndSession": pb.EndSessionResponse(write=WRITE),
        "ActivateContext": pb.ActivateContextResponse(activation=activation("c", 7)),
        "DeactivateContext": pb.DeactivateContextResponse(session=session()),
        "AcquireResource": pb.AcquireResourceResponse(
            resource=pb.Resource(name="r", session_id="s-1")
        ),
        "ReleaseResource": pb.ReleaseResourceResponse(write=WRITE),
        "RecordActivities": pb.RecordActivitiesResponse(first_sequence=1, last_sequence=1),
        "TruncateHistory": pb.TruncateHistoryResponse(removed_count=1),
        "OptimizeHistory": pb.OptimizeHistoryResponse(removed_count=1),
        "CreateContext": manager.CreateContextResponse(context=context),
        "UpdateContext": manager.UpdateContextResponse(version=8, write=WRITE),
        "DeleteContext": manager.DeleteContextResponse(deleted_count=1),
        "GetContext": manager.GetContextResponse(context=context),
    }.items():
        if method not in but:
            server.answer(method, answer)


def writes_of(server: FakeServer, *but: str) -> list[tuple[str, int]]:
    """Session and fence of every write to a context that came."""
    return [
        (request.write.session_id, request.write.fence)
        for method, requests in server.requests.items()
        for request in requests
        if method not in {"StartSession", "RenewSession", "EndSession", "GetContext", *but}
    ]


def threads_of_sessions() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("contextd-session-")]


# Beginning and ending.


def test_a_session_begins_as_told_and_ends(client: Any, server: FakeServer) -> None:
    answer_all(server)
    prepared = client.session(
        owner="mia",
        ttl=30.5,
        metadata={"a": "b"},
        default_context_id="main",
        create_if_missing=NewContext("chat"),
        max_active_contexts=9,
    )
    assert server.requests == {}
    assert prepared.id == ""
    with prepared as running:
        (sent,) = server.requests["StartSession"]
        assert (sent.namespace, sent.owner, sent.ttl.ToMilliseconds()) == ("tests", "mia", 30500)
        assert (dict(sent.metadata), sent.default_context_id) == ({"a": "b"}, "main")
        assert (sent.create_if_missing.type, sent.max_active_contexts) == ("chat", 9)
        assert sent.write.request_id != ""
        assert (running.id, running.namespace, running.lost) == ("s-1", "tests", False)
        assert repr(running).endswith("Session 's-1' namespace='tests'>")
        assert "EndSession" not in server.requests
    (ended,) = server.requests["EndSession"]
    assert (ended.namespace, ended.session_id) == ("tests", "s-1")
    assert not running.lost
    assert threads_of_sessions() == []


def test_a_session_works_without_a_with(client: Any, server: FakeServer) -> None:
    answer_all(server)
    running = client.session()
    assert running.start().id == "s-1"
    with pytest.raises(RuntimeError, match="begun already"):
        running.start()
    running.end()
    running.end()
    assert len(server.requests["EndSession"]) == 1
    with pytest.raises(contextd.SessionNotFound, match="ended by this program"):
        running.activate("c")


def test_a_session_that_has_not_begun_is_of_no_use(client: Any, server: FakeServer) -> None:
    running = client.session()
    running.end()
    with pytest.raises(RuntimeError, match="not begun"):
        running.activate("c")
    with pytest.raises(RuntimeError, match="not begun"):
        running.context("c").put("k", b"v")
    assert server.requests == {}


def test_a_session_that_cannot_begin_leaves_nothing(client: Any, server: FakeServer) -> None:
    refused = Fail(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", {"field": "ttl"})
    server.answer("StartSession", refused)
    with pytest.raises(contextd.InvalidField), client.session(ttl=0):
        pytest.fail("it has not begun")
    assert threads_of_sessions() == []
    assert set(server.requests) == {"StartSession"}


def test_the_end_of_the_with_keeps_the_exception_of_the_program(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_all(server, "EndSession")
    server.answer("EndSession", UNAVAILABLE)
    with pytest.raises(ZeroDivisionError), client.session():
        raise ZeroDivisionError
    assert 1.0 < sum(clock.slept) <= 2.0


def test_the_end_of_the_with_does_not_wait_long_for_a_server_that_is_away(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_all(server, "EndSession")
    server.answer("EndSession", UNAVAILABLE)
    with client.session() as running:
        pass
    assert 1.0 < sum(clock.slept) <= 2.0
    assert not running.lost


def test_an_end_that_nobody_heard_is_told_and_can_be_repeated(
    client: Any, server: FakeServer
) -> None:
    answer_all(server, "EndSession")
    server.answer("EndSession", Fail(grpc.StatusCode.INTERNAL), tracker_pb2.EndSessionResponse())
    running = client.session().start()
    with pytest.raises(contextd.ContextdError):
        running.end()
    running.end()
    running.end()
    assert len(server.requests["EndSession"]) == 2


def test_closing_the_client_ends_the_renewals(client: Any, server: FakeServer) -> None:
    answer_all(server)
    with client.session() as running:
        client.close()
        assert threads_of_sessions() == []
    assert not running.lost
    assert "EndSession" not in server.requests


# Writes.


def test_every_write_of_an_activation_carries_session_and_fence(
    client: Any, server: FakeServer
) -> None:
    answer_all(server)
    with client.session() as running, running.activate("c", exclusive=True) as held:
        assert (held.id, held.namespace, held.fence, held.exclusive) == ("c", "tests", 7, True)
        held.put("k", b"v")
        held.put_json("k", 1)
        held.append("k", b"v")
        held.remove("k")
        held.update({"k": b"v"})
        held.edit("k", lambda _: b"v")
        held.transact(lambda draft: draft.put("k", b"v"))
        held.record(Activity("message"))
        held.truncate_history(1)
        held.optimize_history()
        with held.resource("r"), held.resource("s", session=running):
            pass
        held.delete()
    assert set(writes_of(server, "ActivateContext", "ReleaseResource")) == {("s-1", 7)}
    assert len(server.requests["UpdateContext"]) == 7
    (activated,) = server.requests["ActivateContext"]
    assert (activated.session_id, activated.context_id) == ("s-1", "c")
    assert (activated.exclusive, activated.takeover, activated.guard) == (True, False, False)
    for released in server.requests["ReleaseResource"]:
        assert (released.write.session_id, released.write.fence) == ("s-1", 0)


def test_a_create_carries_the_session_and_no_fence(client: Any, server: FakeServer) -> None:
    answer_all(server)
    with client.session() as running, running.activate("c", exclusive=True) as held:
        held.create()
    (sent,) = server.requests["CreateContext"]
    assert (sent.write.session_id, sent.write.fence) == ("s-1", 0)


def test_a_context_of_a_session_writes_for_it_without_a_fence(
    client: Any, server: FakeServer
) -> None:
    answer_all(server)
    with client.session(namespace="other") as running:
        context = running.context("c", create_if_missing=NewContext("chat"))
        context.put("k", b"v")
        context.record(FileOperation("f"))
    assert writes_of(server) == [("s-1", 0)] * 2
    for method in ("UpdateContext", "RecordActivities"):
        (sent,) = server.requests[method]
        assert (sent.namespace, sent.create_if_missing.type) == ("other", "chat")


def test_reads_go_on_when_the_session_is_lost(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_all(server)
    with client.session() as running:
        held = running.activate("c")
        clock.now += 60.0
        assert running.lost
        assert held.version() == 7


# Activation.


def test_an_activation_ends_with_its_with_under_its_fence(client: Any, server: FakeServer) -> None:
    answer_all(server)
    with client.session() as running:
        with running.activate("c", exclusive=True, takeover=True, guard=True):
            assert "DeactivateContext" not in server.requests
        (sent,) = server.requests["DeactivateContext"]
        assert (sent.session_id, sent.context_id, sent.write.fence) == ("s-1", "c", 7)
    (activated,) = server.requests["ActivateContext"]
    assert (activated.takeover, activated.guard) == (True, True)


def test_an_activation_that_was_ended_is_not_ended_again(client: Any, server: FakeServer) -> None:
    answer_all(server)
    with client.session() as running, running.activate("c") as held:
        assert held.deactivate().id == "s-1"
    assert len(server.requests["DeactivateContext"]) == 1


def test_the_exception_of_the_program_is_the_one_that_is_told(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_all(server, "DeactivateContext", "ReleaseResource", "EndSession")
    for method in ("DeactivateContext", "ReleaseResource", "EndSession"):
        server.answer(method, UNAVAILABLE)
    with pytest.raises(ZeroDivisionError), client.session() as running:  # noqa: SIM117
        with running.activate("c") as held, held.resource("r"):
            raise ZeroDivisionError
    assert 4.0 < sum(clock.slept) <= 6.0


def test_an_activation_that_did_not_last_is_told(client: Any, server: FakeServer) -> None:
    answer_all(server, "DeactivateContext")
    server.answer("DeactivateContext", STALE)
    with client.session() as running:
        held = running.activate("c", exclusive=True)
        with pytest.raises(contextd.StaleFence) as caught, held:
            pass
        assert caught.value.current_fence == 8


@pytest.mark.parametrize("method", ["DeactivateContext", "ReleaseResource"])
def test_what_went_with_its_context_is_not_given_back(
    client: Any, server: FakeServer, method: str
) -> None:
    answer_all(server, method)
    server.answer(method, NOT_FOUND)
    with client.session() as running, running.activate("c") as held, held.resource("r"):
        held.delete()
    assert len(server.requests[method]) == 1


def test_what_went_with_its_session_is_not_given_back(client: Any, server: FakeServer) -> None:
    answer_all(server)
    with client.session() as running, running.activate("c") as held, held.resource("r"):
        running.end()
    assert "DeactivateContext" not in server.requests
    assert "ReleaseResource" not in server.requests
    assert len(server.requests["EndSession"]) == 1


def test_a_busy_context_tells_who_has_it(client: Any, server: FakeServer) -> None:
    answer_all(server, "ActivateContext")
    busy = {"session_id": "other", "owner": "zoe"}
    server.answer(
        "ActivateContext", Fail(grpc.StatusCode.FAILED_PRECONDITION, "CONTEXT_BUSY", busy)
    )
    with client.session() as running:
        with pytest.raises(contextd.ContextBusy) as caught:
            running.activate("c", exclusive=True)
        assert (caught.value.session_id, caught.value.owner) == ("other", "zoe")
        assert not running.lost


def test_a_session_switches_and_tells_its_contexts(client: Any, server: FakeServer) -> None:
    answer_all(server)
    now = session(activation("c", 7), activation("d"), current="d")
    server.answer("SwitchContext", tracker_pb2.SwitchContextResponse(session=now))
    server.answer("GetSession", tracker_pb2.GetSessionResponse(session=now))
    with client.session() as running:
        switched = running.switch("d")
        assert (switched.id, switched.exclusive, switched.fence) == ("d", False, 0)
        assert running.switch("c").fence == 7
        assert [(held.id, held.fence) for held in running.contexts()] == [("c", 7), ("d", 0)]
        assert running.current().id == "d"
        assert running.info().current_context_id == "d"
        running.contexts()[0].put("k", b"v")
    assert [request.context_id for request in server.requests["SwitchContext"]] == ["d", "c"]
    assert writes_of(server, "SwitchContext", "GetSession") == [("s-1", 7)]


def test_a_session_may_have_no_current_context(client: Any, server: FakeServer) -> None:
    answer_all(server)
    server.answer("GetSession", tracker_pb2.GetSessionResponse(session=session()))
    with client.session() as running:
        assert running.current() is None
        assert running.contexts() == []


# Resources.


def test_a_resource_is_held_during_the_with(client: Any, server: FakeServer) -> None:
    answer_all(server)
    with client.session() as running:
        hold = client.context("c").resource(
            "r", session=running, type="browser", metadata={"a": "b"}
        )
        assert hold.resource is None
        with hold as held:
            assert held.resource == contextd.Resource("r", "", "s-1", {}, None)
            assert "ReleaseResource" not in server.requests
        (released,) = server.requests["ReleaseResource"]
        assert (released.session_id, released.context_id, released.name) == ("s-1", "c", "r")
        assert hold.resource is None
    (sent,) = server.requests["AcquireResource"]
    assert (sent.session_id, sent.context_id, sent.name) == ("s-1", "c", "r")
    assert (sent.type, dict(sent.metadata)) == ("browser", {"a": "b"})
    assert (sent.write.session_id, sent.write.fence) == ("s-1", 0)


def test_a_resource_that_was_given_back_is_not_given_back_again(
    client: Any, server: FakeServer
) -> None:
    answer_all(server)
    with client.session() as running, running.context("c").resource("r") as held:
        held.release()
        held.acquire()
        held.release()
    assert len(server.requests["ReleaseResource"]) == 2


def test_a_resource_needs_a_session_of_its_namespace(client: Any, server: FakeServer) -> None:
    with pytest.raises(ValueError, match="say which"):
        client.context("c").resource("r")
    with pytest.raises(ValueError, match="namespace"):
        client.context("c", namespace="other").resource("r", session=client.session())
    assert server.requests == {}


def test_a_resource_that_another_session_holds_is_told(client: Any, server: FakeServer) -> None:
    answer_all(server, "AcquireResource")
    held = Fail(grpc.StatusCode.FAILED_PRECONDITION, "RESOURCE_HELD", {"session_id": "other"})
    server.answer("AcquireResource", held)
    with client.session() as running:
        with pytest.raises(contextd.ResourceHeld) as caught:
            running.context("c").resource("r").acquire()
        assert caught.value.session_id == "other"


def test_a_release_that_finds_the_session_lost_keeps_the_exception_of_the_program(
    client: Any, server: FakeServer
) -> None:
    answer_all(server, "ReleaseResource")
    server.answer("ReleaseResource", UNKNOWN)
    with client.session() as running:
        with pytest.raises(ZeroDivisionError), running.context("c").resource("r"):
            raise ZeroDivisionError
        assert running.lost


def test_a_resource_that_was_not_held_to_the_end_is_told(client: Any, server: FakeServer) -> None:
    answer_all(server, "ReleaseResource")
    server.answer("ReleaseResource", UNKNOWN)
    with client.session() as running:
        with pytest.raises(contextd.SessionLost), running.context("c").resource("r"):
            pass
        assert running.lost


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
    answer_all(server, "UpdateContext")
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
    answer_all(server, "UpdateContext")
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
    answer_all(server)
    told: list[contextd.SessionLost] = []
    with client.session(on_lost=told.append) as running:
        pass
    assert not running.wait_lost()
    assert told == []


def test_a_session_ended_by_somebody_else_is_lost(client: Any, server: FakeServer) -> None:
    answer_all(server)
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


# In the background: a clock that really runs, and a term of one second.


def test_a_thread_renews_and_finds_the_loss(server: FakeServer) -> None:
    answer_all(server, "RenewSession")
    renewed = tracker_pb2.RenewSessionResponse()
    server.answer("RenewSession", renewed, UNAVAILABLE, renewed, UNKNOWN)
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    lost = lambda error: told.put((error, threading.current_thread().name))  # noqa: E731
    with Client(server.address) as client, client.session(ttl=1, on_lost=lost) as running:
        assert threads_of_sessions() == ["contextd-session-s-1"]
        error, thread = told.get(timeout=PATIENCE_SECONDS)
        assert (type(error), thread) == (contextd.SessionLost, "contextd-session-s-1")
        assert running.wait_lost(PATIENCE_SECONDS)
    assert len(server.requests["RenewSession"]) == 4
    assert threads_of_sessions() == []
    assert "EndSession" not in server.requests


def test_a_task_renews_and_finds_the_loss(server: FakeServer) -> None:
    answer_all(server, "RenewSession")
    renewed = tracker_pb2.RenewSessionResponse()
    server.answer("RenewSession", renewed, UNAVAILABLE, renewed, UNKNOWN)
    told: list[contextd.SessionLost] = []

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            async with client.session(ttl=1, on_lost=told.append) as running:
                assert await running.wait_lost(PATIENCE_SECONDS)
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(use())
    assert [type(error) for error in told] == [contextd.SessionLost]
    assert len(server.requests["RenewSession"]) == 4


def test_a_session_that_was_ended_before_it_began_is_renewed_too(server: FakeServer) -> None:
    answer_all(server)
    with Client(server.address) as client:
        running = client.session(ttl=1)
        running.end()
        with running:
            server.wait_for("RenewSession", 1)


def test_whoever_waits_for_a_loss_is_told_at_once(server: FakeServer) -> None:
    answer_all(server, "UpdateContext")
    server.answer("UpdateContext", UNKNOWN)
    told = threading.Event()
    with Client(server.address) as client:
        with client.session(on_lost=lambda _: told.set()) as running:
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


def test_a_session_without_an_answer_is_lost_when_its_term_is_over(server: FakeServer) -> None:
    answer_all(server, "RenewSession")
    server.answer("RenewSession", UNAVAILABLE)
    with Client(server.address, timeout=5) as client, client.session(ttl=1) as running:
        assert running.wait_lost(PATIENCE_SECONDS)
    assert len(server.requests["RenewSession"]) > 1
    # It may have been there for the server all the time.
    assert len(server.requests["EndSession"]) == 1


def test_a_renewal_that_nobody_answers_does_not_hold_up_the_end(server: FakeServer) -> None:
    answer_all(server, "RenewSession")
    server.answer("RenewSession", Hang())
    with Client(server.address) as client, client.session(ttl=1.5):
        server.wait_for("RenewSession", 1)
    assert threads_of_sessions() == []
    assert len(server.requests["EndSession"]) == 1


def test_a_renewal_that_nobody_answers_does_not_hold_up_the_end_of_a_task(
    server: FakeServer,
) -> None:
    answer_all(server, "RenewSession")
    server.answer("RenewSession", Hang())

    async def use() -> None:
        async with AsyncClient(server.address) as client, client.session(ttl=1.5):
            await asyncio.to_thread(server.wait_for, "RenewSession", 1)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(use())
    assert len(server.requests["EndSession"]) == 1


def test_a_session_may_be_ended_where_its_loss_is_told(server: FakeServer) -> None:
    answer_all(server, "RenewSession")
    server.answer("RenewSession", UNKNOWN)
    ended = threading.Event()
    with Client(server.address) as client:

        def on_lost(_: contextd.SessionLost) -> None:
            running.end()
            ended.set()

        running = client.session(ttl=1, on_lost=on_lost)
        running.start()
        assert ended.wait(PATIENCE_SECONDS)


def test_what_a_callback_raises_in_the_thread_is_reported(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_all(server, "UpdateContext")
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
    answer_all(server, "UpdateContext")
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
    answer_all(server)
    with Client(server.address) as client, client.session() as running:
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


# What is only in asyncio.


def test_an_activation_is_awaited_or_entered(server: FakeServer) -> None:
    answer_all(server)
    now = session(activation("c", 7), current="c")
    server.answer("SwitchContext", tracker_pb2.SwitchContextResponse(session=now))

    async def use() -> None:
        async with AsyncClient(server.address) as client, client.session() as running:
            async with running.activate("c", exclusive=True) as held:
                await held.put("k", b"v")
            assert len(server.requests["DeactivateContext"]) == 1
            async with running.switch("c") as held:
                assert held.fence == 7
            held = await running.activate("c", exclusive=True)
            async with held:
                pass
            assert len(server.requests["DeactivateContext"]) == 3

    asyncio.run(use())


def test_a_cancelled_task_ends_its_session(server: FakeServer) -> None:
    answer_all(server)

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            working = asyncio.Event()

            async def work() -> None:
                async with client.session() as running, running.activate("c"):
                    working.set()
                    await asyncio.Event().wait()

            task = asyncio.ensure_future(work())
            await working.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(use())
    assert len(server.requests["DeactivateContext"]) == 1
    assert len(server.requests["EndSession"]) == 1
