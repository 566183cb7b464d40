"""Sessions, activation and resources on a real server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Callable

import pytest

import contextd
from contextd import (
    Activity,
    Client,
    NewContext,
    Presence,
    ResourceEvent,
    ResourceKind,
    _sessions,
    _tracked,
)
from contextd_process import ContextdProcess
from fake import PATIENCE_SECONDS

WORKERS = 8
ROUNDS = 5

# Holds a context in a process of its own, which can really be stopped.
HOLDER = """
import sys
from contextd import Client, ContextdError

address, namespace = sys.argv[1:]
with Client(address, namespace=namespace, timeout=60.0) as client:
    session = client.session(owner="holder", ttl=10).start()
    held = session.activate("c", exclusive=True)
    held["state"] = "held"
    print(held.fence, flush=True)
    sys.stdin.readline()
    for write in (
        lambda: held.put("state", "late"),
        lambda: client.context("c").update({"late": b""}, if_version=held.version()),
    ):
        try:
            write()
        except ContextdError as error:
            print(type(error).__name__, flush=True)
        else:
            print("written", flush=True)
    print(session.lost, flush=True)
"""


def patiently(attempt: Callable[[], Any], *refusals: type[contextd.ContextdError]) -> Any:
    """Tries again until it is not refused: for what the server does in its own time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except refusals:
            if time.monotonic() > deadline:
                raise


# Fences.


def test_a_paused_writer_writes_nothing_over_its_successor(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    with client.session(owner="a") as a, client.session(owner="b") as b:
        paused = a.activate("c", exclusive=True)
        paused.put("k", "a was here")
        with pytest.raises(contextd.ContextBusy) as busy:
            b.activate("c", exclusive=True)
        assert (busy.value.session_id, busy.value.owner) == (a.id, "a")

        taken = b.activate("c", exclusive=True, takeover=True)
        taken.put("k", "b was here")
        taken.record(Activity("message", "b"))
        before = (context.snapshot(), context.info(), list(context.history()))

        writes: list[Callable[[], object]] = [
            lambda: paused.put("k", b"late"),
            lambda: paused.put("new", b"late"),
            lambda: paused.append("k", b"late"),
            lambda: paused.remove("k"),
            lambda: paused.update(metadata={"late": "yes"}, activities=[Activity("late")]),
            lambda: paused.edit("k", lambda _: b"late"),
            lambda: paused.transact(lambda draft: draft.put("k", b"late")),
            lambda: paused.record(Activity("late")),
            lambda: paused.truncate_history(100),
            lambda: paused.optimize_history(max_count=1),
            lambda: paused.resource("r").acquire(),
            lambda: paused.delete(),
        ]
        for write in writes:
            with pytest.raises(contextd.StaleFence) as stale:
                write()
            assert stale.value.current_fence == taken.fence == paused.fence + 1

        after = (context.snapshot(), context.info(), list(context.history()))
        assert (dict(before[0]), before[1:]) == (dict(after[0]), after[1:])
        assert context.get("k") == b"b was here"
        assert not a.lost


def test_a_process_that_stood_still_writes_nothing(
    process: ContextdProcess, namespace: str
) -> None:
    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        context = client.create("c")
        command = [sys.executable, "-c", HOLDER, process.address, namespace]
        holder = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert holder.stdin is not None
            assert holder.stdout is not None
            fence = int(holder.stdout.readline())
            holder.send_signal(signal.SIGSTOP)
            with client.session() as session:
                take = lambda: session.activate("c", exclusive=True, guard=True)  # noqa: E731
                taken = patiently(take, contextd.ContextBusy)
                assert taken.fence > fence
                taken.put("state", "taken")
                holder.send_signal(signal.SIGCONT)
                said, _ = holder.communicate("go on\n", timeout=PATIENCE_SECONDS)
        finally:
            holder.kill()
            holder.wait()
        assert said.split() == ["SessionLost", "StaleFence", "True"]
        assert dict(context.items()) == {"state": b"taken"}


def test_a_guarded_context_takes_no_write_without_a_fence(client: Any) -> None:
    context = client.create("c")
    with client.session() as session:
        with session.activate("c", exclusive=True, guard=True) as held:
            for writer in (context, session.context("c")):
                with pytest.raises(contextd.StaleFence) as stale:
                    writer.put("k", b"v")
                assert stale.value.current_fence == held.fence
            assert held.put("k", b"v").version == 2
            assert context.status().guarded
        assert context.put("k", b"w").version == 3


def test_an_activation_that_ended_writes_nothing(client: Any) -> None:
    client.create("c")
    with client.session() as session:
        with session.activate("c", exclusive=True) as held:
            held.put("k", b"v")
        with pytest.raises(contextd.StaleFence):
            held.put("k", b"w")
        again = session.activate("c", exclusive=True)
        with pytest.raises(contextd.StaleFence) as stale:
            held.deactivate()
        assert stale.value.current_fence == again.fence
        again.deactivate()
        with pytest.raises((contextd.NotActive, contextd.StaleFence)):
            again.deactivate()


# Sessions.


def test_a_session_is_kept_alive_beyond_its_term(client: Any) -> None:
    with client.session(owner="mia", ttl=10, metadata={"a": "b"}) as session:
        info = session.info()
        assert (info.owner, info.metadata) == ("mia", {"a": "b"})
        assert info.create_time is not None
        while info.expire_time < info.create_time + 2 * timedelta(seconds=10):
            assert not session.wait_lost(0.1)
            info = session.info()
        assert [found.id for found in client.sessions(owner="mia")] == [session.id]
    assert list(client.sessions()) == []


def test_a_session_ended_by_somebody_else_is_told(client: Any) -> None:
    context = client.create("c")
    told: list[contextd.SessionLost] = []
    with client.session(ttl=10, on_lost=told.append) as session:
        held = session.activate("c", exclusive=True)
        hold = held.resource("r")
        hold.acquire()
        client.end_session(session.id)
        client.end_session(session.id)
        assert session.wait_lost(PATIENCE_SECONDS)
        uses: list[Callable[[], object]] = [
            lambda: session.activate("c"),
            lambda: session.info(),
            lambda: held.put("k", b"v"),
            lambda: hold.release(),
        ]
        for use in uses:
            with pytest.raises(contextd.SessionLost) as lost:
                use()
            assert lost.value.session_id == session.id
        status = context.status()
        assert (status.presence, status.session_ids) == (Presence.INACTIVE, ())
        assert list(context.resources()) == []
    assert [error.session_id for error in told] == [session.id]
    events = [activity.detail for activity in context.history(types=["resource"])]
    assert events == [
        ResourceEvent("r", "", ResourceKind.ACQUIRED),
        ResourceEvent("r", "", ResourceKind.RECLAIMED),
    ]


def test_the_server_refuses_what_an_ended_session_sends(client: Any) -> None:
    context = client.create("c")
    session = client.session().start()
    held = session.activate("c", exclusive=True)
    client.end_session(session.id)
    assert not session.lost
    with pytest.raises(contextd.SessionLost) as lost:
        held.put("k", b"v")
    assert isinstance(lost.value.__cause__, contextd.SessionNotFound)
    assert session.lost
    assert context.version() == 1
    with pytest.raises(contextd.SessionNotFound):
        client.session_info(session.id)
    session.end()


def test_a_session_is_of_its_namespace(client: Any, namespace: str) -> None:
    with client.session() as session:
        assert client.session_info(session.id).id == session.id
        with pytest.raises(contextd.SessionNotFound):
            client.session_info(session.id, namespace=f"{namespace}-2")
        client.end_session(session.id, namespace=f"{namespace}-2")
        assert session.info().id == session.id


@pytest.mark.parametrize("ttl", [0, -1, 0.999, 24 * 3600 + 1, 1e9])
def test_a_term_that_cannot_be_is_refused(client: Any, ttl: float) -> None:
    with pytest.raises(contextd.InvalidField) as caught:
        client.session(ttl=ttl).start()
    assert caught.value.field == "ttl"


def test_a_session_survives_a_restart_of_the_server(client: Any, process: ContextdProcess) -> None:
    context = client.create("c")
    with client.session(ttl=60) as session, session.activate("c", exclusive=True) as held:
        held.put("k", b"1")
        process.kill()
        starter = threading.Thread(target=process.start)
        starter.start()
        assert held.put("k", b"2").version == 3
        starter.join()
        assert context.status().exclusive_session_id == session.id
        assert not session.lost
        session.renew()


def test_an_exit_does_not_wait_for_a_server_that_is_away(
    client: Any, process: ContextdProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_sessions, _tracked):
        monkeypatch.setattr(module, "LEAVE_SECONDS", 2.0)
    client.create("c")
    session = client.session()

    def work() -> None:
        with session, session.activate("c"):
            process.kill()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    process.start()
    assert client.session_info(session.id).current_context_id == "c"
    client.end_session(session.id)


# Activation.


def test_a_session_switches_between_its_contexts(client: Any) -> None:
    for name in ("main", "a", "b"):
        client.create(name)
    with client.session(default_context_id="main", max_active_contexts=3) as session:
        assert session.current().id == "main"
        a = session.activate("a", exclusive=True)
        assert session.current().id == "main"
        assert session.switch("a").fence == a.fence
        assert session.switch("b").fence == 0
        assert [(held.id, held.fence) for held in session.contexts()] == [
            ("main", 0),
            ("a", a.fence),
            ("b", 0),
        ]
        client.create("c")
        with pytest.raises(contextd.LimitReached) as limit:
            session.activate("c")
        assert (limit.value.limit, limit.value.value) == ("max_active_contexts", 3)
        after = session.switch("b").deactivate()
        assert after.current_context_id == "main"
        main = session.contexts()[0]
        assert main.deactivate().current_context_id == "a"
        with pytest.raises(contextd.NotActive):
            main.deactivate()


def test_missing_contexts_are_created_where_that_was_asked_for(client: Any) -> None:
    with client.session() as session:
        with pytest.raises(contextd.ContextNotFound):
            session.activate("c")
        with pytest.raises(contextd.ContextNotFound):
            session.switch("c")
        assert session.current() is None
    with client.session(create_if_missing=NewContext("chat")) as session:
        session.activate("c")
        session.switch("d")
        assert session.current().id == "d"
    assert {info.type for info in client.contexts()} == {"chat"}


def test_the_status_of_a_context_tells_who_works_on_it(client: Any) -> None:
    context = client.context("c")
    assert context.status().presence is Presence.NON_EXISTENT
    context.create()
    assert context.status() == contextd.ContextStatus(Presence.INACTIVE, version=1)
    with client.session() as a, client.session() as b:
        a.activate("c")
        b.activate("c", exclusive=True)
        status = context.status()
        assert (status.presence, status.version, status.fence) == (Presence.ACTIVE, 1, 1)
        assert set(status.session_ids) == {a.id, b.id}
        assert (status.exclusive_session_id, status.guarded) == (b.id, False)
    assert context.info().fence == 1


# Resources.


def test_a_resource_has_one_holder(client: Any) -> None:
    context = client.create("c")
    with client.session() as a, client.session() as b:
        with context.resource("r", session=a, type="browser", metadata={"n": "1"}) as held:
            assert held.resource == next(context.resources())
            assert (held.resource.session_id, held.resource.type) == (a.id, "browser")
            other = context.resource("r", session=b)
            with pytest.raises(contextd.ResourceHeld) as caught:
                other.acquire()
            assert caught.value.session_id == a.id
            with pytest.raises(contextd.ResourceNotHeld) as not_held:
                other.release()
            assert not_held.value.session_id == a.id
            assert context.resource("r", session=a).acquire() == held.resource
        with pytest.raises(contextd.ResourceNotHeld) as free:
            other.release()
        assert free.value.session_id == ""
        with other:
            pass
        with pytest.raises(contextd.ContextNotFound):
            client.context("none").resource("r", session=a).acquire()
    kinds = [activity.detail.kind for activity in context.history(types=["resource"])]
    assert kinds == [ResourceKind.ACQUIRED, ResourceKind.RELEASED] * 2


def test_a_resource_of_a_lost_session_is_free(client: Any) -> None:
    context = client.create("c")
    with client.session() as a, client.session() as b:

        def work() -> None:
            with context.resource("r", session=a):
                client.end_session(a.id)
                with context.resource("r", session=b):
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            work()
        assert a.lost
        assert not b.lost


def test_threads_that_hold_a_resource_work_alone(process: ContextdProcess, namespace: str) -> None:
    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        context = client.create("c", puts={"count": "0"})
        failures: list[BaseException] = []

        def rounds() -> Iterator[None]:
            with client.session() as session:
                for _ in range(ROUNDS):
                    hold = context.resource("count", session=session)
                    patiently(hold.acquire, contextd.ResourceHeld)
                    try:
                        context["count"] = str(int(context["count"]) + 1)
                    finally:
                        hold.release()
                    yield

        def work() -> None:
            try:
                for _ in rounds():
                    pass
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert context.get_text("count") == str(WORKERS * ROUNDS)


def test_one_of_many_gets_the_exclusive_activation(
    process: ContextdProcess, namespace: str
) -> None:
    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        client.create("c")
        won: list[int] = []
        lost: list[str] = []
        together = threading.Barrier(WORKERS)

        def work() -> None:
            with client.session() as session:
                together.wait()
                try:
                    won.append(session.activate("c", exclusive=True).fence)
                except contextd.ContextBusy as busy:
                    lost.append(busy.session_id)
                together.wait()

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [1]
        assert len(lost) == WORKERS - 1
        assert len(set(lost)) == 1
