"""Sessions that begin, work and end, against a server that answers as it was told."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

import contextd
from contextd import Activity, AsyncClient, FileOperation, NewContext
from contextd.v1 import tracker_pb2
from fake import UNAVAILABLE, Fail, FakeClock, FakeServer, unhurry
from fake_sessions import UNKNOWN, activation, answer_sessions, session, threads_of_sessions

NOT_FOUND = Fail(grpc.StatusCode.NOT_FOUND, "CONTEXT_NOT_FOUND")
STALE = Fail(grpc.StatusCode.FAILED_PRECONDITION, "STALE_FENCE", {"current_fence": "8"})


def writes_of(server: FakeServer, *but: str) -> list[tuple[str, int]]:
    """Session and fence of every write to a context that came."""
    return [
        (request.write.session_id, request.write.fence)
        for method, requests in server.requests.items()
        for request in requests
        if method not in {"StartSession", "RenewSession", "EndSession", "GetContext", *but}
    ]


# Beginning and ending.


def test_a_session_begins_as_told_and_ends(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    prepared = client.session(
        owner="mia",
        ttl=30.5,
        metadata={"a": "b"},
        default_context_id="main",
        create_if_missing=NewContext("chat"),
        max_active_contexts=9,
        recovery_point_on_loss=True,
    )
    assert server.requests == {}
    assert prepared.id == ""
    with prepared as running:
        (sent,) = server.requests["StartSession"]
        assert (sent.namespace, sent.owner, sent.ttl.ToMilliseconds()) == ("tests", "mia", 30500)
        assert (dict(sent.metadata), sent.default_context_id) == ({"a": "b"}, "main")
        assert (sent.create_if_missing.type, sent.max_active_contexts) == ("chat", 9)
        assert sent.recovery_point_on_loss
        assert sent.write.request_id != ""
        assert (running.id, running.namespace, running.lost) == ("s-1", "tests", False)
        assert repr(running).endswith("Session 's-1' namespace='tests'>")
        assert "EndSession" not in server.requests
    (ended,) = server.requests["EndSession"]
    assert (ended.namespace, ended.session_id) == ("tests", "s-1")
    assert not running.lost
    assert threads_of_sessions() == []


def test_a_session_works_without_a_with(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    running = client.session()
    assert running.start().id == "s-1"
    with pytest.raises(RuntimeError, match="begun already"):
        running.start()
    running.end()
    running.end()
    assert len(server.requests["EndSession"]) == 1
    with pytest.raises(contextd.ClientClosed, match="ended by this program"):
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
    refused = Fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED", {"limit": "sessions_max"})
    server.answer("StartSession", refused)
    with pytest.raises(contextd.LimitReached), client.session():
        pytest.fail("it has not begun")
    assert threads_of_sessions() == []
    assert set(server.requests) == {"StartSession"}


def test_the_end_of_the_with_keeps_the_exception_of_the_program(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_sessions(server, "EndSession")
    server.answer("EndSession", UNAVAILABLE)
    with pytest.raises(ZeroDivisionError), client.session():
        raise ZeroDivisionError
    assert 1.0 < sum(clock.slept) <= 2.0


def test_the_end_of_the_with_does_not_wait_long_for_a_server_that_is_away(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_sessions(server, "EndSession")
    server.answer("EndSession", UNAVAILABLE)
    with client.session() as running:
        pass
    assert 1.0 < sum(clock.slept) <= 2.0
    assert not running.lost


def test_an_end_that_nobody_heard_is_told_and_can_be_repeated(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server, "EndSession")
    server.answer("EndSession", Fail(grpc.StatusCode.INTERNAL), tracker_pb2.EndSessionResponse())
    running = client.session().start()
    with pytest.raises(contextd.ContextdError):
        running.end()
    running.end()
    running.end()
    assert len(server.requests["EndSession"]) == 2


def test_closing_the_client_ends_the_renewals(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    with client.session() as running:
        client.close()
        assert threads_of_sessions() == []
    assert not running.lost
    assert "EndSession" not in server.requests


# Writes.


def test_every_write_of_an_activation_carries_session_and_fence(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server)
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
    answer_sessions(server)
    with client.session() as running, running.activate("c", exclusive=True) as held:
        held.create()
    (sent,) = server.requests["CreateContext"]
    assert (sent.write.session_id, sent.write.fence) == ("s-1", 0)


def test_a_context_of_a_session_writes_for_it_without_a_fence(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server)
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
    answer_sessions(server)
    with client.session() as running:
        held = running.activate("c")
        clock.now += 60.0
        assert running.lost
        assert held.version() == 7


# Activation.


def test_an_activation_ends_with_its_with_under_its_fence(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    with client.session() as running:
        with running.activate("c", exclusive=True, takeover=True, guard=True):
            assert "DeactivateContext" not in server.requests
        (sent,) = server.requests["DeactivateContext"]
        assert (sent.session_id, sent.context_id, sent.write.fence) == ("s-1", "c", 7)
    (activated,) = server.requests["ActivateContext"]
    assert (activated.takeover, activated.guard) == (True, True)


def test_an_activation_that_was_ended_is_not_ended_again(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    with client.session() as running, running.activate("c") as held:
        assert held.deactivate().id == "s-1"
    assert len(server.requests["DeactivateContext"]) == 1


def test_the_exception_of_the_program_is_the_one_that_is_told(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_sessions(server, "DeactivateContext", "ReleaseResource", "EndSession")
    for method in ("DeactivateContext", "ReleaseResource", "EndSession"):
        server.answer(method, UNAVAILABLE)
    with pytest.raises(ZeroDivisionError), client.session() as running:  # noqa: SIM117
        with running.activate("c") as held, held.resource("r"):
            raise ZeroDivisionError
    assert 4.0 < sum(clock.slept) <= 6.0


def test_an_activation_that_did_not_last_is_told(client: Any, server: FakeServer) -> None:
    answer_sessions(server, "DeactivateContext")
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
    answer_sessions(server, method)
    server.answer(method, NOT_FOUND)
    with client.session() as running, running.activate("c") as held, held.resource("r"):
        held.delete()
    assert len(server.requests[method]) == 1


@pytest.mark.parametrize("reason", ["NOT_ACTIVE", "STALE_FENCE"])
@pytest.mark.parametrize("gone", [True, False])
def test_what_is_not_active_is_no_error_where_its_context_is_gone(
    client: Any, server: FakeServer, reason: str, gone: bool
) -> None:
    status = tracker_pb2.GetContextStatusResponse
    presence = status.STATUS_NON_EXISTENT if gone else status.STATUS_INACTIVE
    answer_sessions(server, "DeactivateContext")
    server.answer("DeactivateContext", Fail(grpc.StatusCode.FAILED_PRECONDITION, reason))
    server.answer("GetContextStatus", status(status=presence))
    with client.session() as running:
        if gone:
            with running.activate("c"):
                pass
        else:
            with pytest.raises(contextd.ContextdError), running.activate("c"):
                pass


def test_a_resource_that_a_repeat_does_not_show_is_not_held(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server, "AcquireResource")
    server.answer("AcquireResource", tracker_pb2.AcquireResourceResponse())
    with (
        client.session() as running,
        running.activate("c") as held,
        pytest.raises(contextd.ResourceNotHeld),
        held.resource("r"),
    ):
        raise AssertionError("it is not held")


def test_a_session_that_a_repeat_does_not_show_has_not_begun(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server, "StartSession")
    server.answer("StartSession", tracker_pb2.StartSessionResponse())
    with pytest.raises(contextd.SessionNotFound), client.session():
        raise AssertionError("it has ended")


def test_what_went_with_its_session_is_not_given_back(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    with client.session() as running, running.activate("c") as held, held.resource("r"):
        running.end()
    assert "DeactivateContext" not in server.requests
    assert "ReleaseResource" not in server.requests
    assert len(server.requests["EndSession"]) == 1


def test_a_busy_context_tells_who_has_it(client: Any, server: FakeServer) -> None:
    answer_sessions(server, "ActivateContext")
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
    answer_sessions(server)
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
    answer_sessions(server)
    server.answer("GetSession", tracker_pb2.GetSessionResponse(session=session()))
    with client.session() as running:
        assert running.current() is None
        assert running.contexts() == []


# Resources.


def test_a_resource_is_held_during_the_with(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
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
    answer_sessions(server)
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
    answer_sessions(server, "AcquireResource")
    held = Fail(grpc.StatusCode.FAILED_PRECONDITION, "RESOURCE_HELD", {"session_id": "other"})
    server.answer("AcquireResource", held)
    with client.session() as running:
        with pytest.raises(contextd.ResourceHeld) as caught:
            running.context("c").resource("r").acquire()
        assert caught.value.session_id == "other"


def test_a_release_that_finds_the_session_lost_keeps_the_exception_of_the_program(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server, "ReleaseResource")
    server.answer("ReleaseResource", UNKNOWN)
    with client.session() as running:
        with pytest.raises(ZeroDivisionError), running.context("c").resource("r"):
            raise ZeroDivisionError
        assert running.lost


def test_a_resource_that_was_not_held_to_the_end_is_told(client: Any, server: FakeServer) -> None:
    answer_sessions(server, "ReleaseResource")
    server.answer("ReleaseResource", UNKNOWN)
    with client.session() as running:
        with pytest.raises(contextd.SessionLost), running.context("c").resource("r"):
            pass
        assert running.lost


# What is only in asyncio.


def test_an_activation_is_awaited_or_entered(server: FakeServer) -> None:
    answer_sessions(server)
    now = session(activation("c", 7), current="c")
    server.answer("SwitchContext", tracker_pb2.SwitchContextResponse(session=now))

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            unhurry(client)
            async with client.session() as running:
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
    answer_sessions(server)

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            unhurry(client)
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
