"""Views that follow by themselves, of both clients, against a server that does as it was told."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any, Callable, Optional

import grpc
import pytest

import contextd
from contextd import Client, EventType, RetryPolicy
from contextd.v1 import context_manager_pb2, resources_pb2, tracker_pb2
from fake import PATIENCE_SECONDS, UNAVAILABLE, After, Fail, FakeServer, Hang
from fake_events import caught_up, event, progress, put, told

QUICK = RetryPolicy(initial_delay=0.001, max_delay=0.001, conflict_delay=0)
COMPACTED = Fail(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_COMPACTED", {"oldest_cursor": "5"})
GONE = Fail(grpc.StatusCode.NOT_FOUND, "CONTEXT_NOT_FOUND")


@pytest.fixture
def client(client: Any) -> Any:
    """The client in both its forms, which loses no time between attempts."""
    target = getattr(client, "target", client)
    target._settings = replace(target._settings, retry=QUICK)
    return client


class Hears:
    """What a view tells, and whoever waits for it, in a thread or in the client's loop."""

    def __init__(self, client: Any) -> None:
        self._loop: Optional[asyncio.AbstractEventLoop] = getattr(client, "loop", None)
        self._changed = threading.Condition()
        self._bell: Optional[asyncio.Event] = None
        self.events: list[contextd.Event] = []
        self.restarts: list[contextd.CursorCompacted] = []

    def event(self, event: contextd.Event) -> None:
        self.events.append(event)
        self._ring()

    def restart(self, cause: contextd.CursorCompacted) -> None:
        self.restarts.append(cause)
        self._ring()

    def _ring(self) -> None:
        with self._changed:
            self._changed.notify_all()
        if self._bell is not None:
            self._bell.set()

    def wait(self, holds: Callable[[], bool]) -> None:
        if self._loop is not None:
            self._loop.run_until_complete(self._until(holds))
            return
        with self._changed:
            assert self._changed.wait_for(holds, PATIENCE_SECONDS)

    async def _until(self, holds: Callable[[], bool]) -> None:
        self._bell = asyncio.Event()
        while not holds():
            self._bell.clear()
            await asyncio.wait_for(self._bell.wait(), PATIENCE_SECONDS)


def state(cursor: str, version: int, value: bytes, id: str = "c") -> Any:
    """The event that tells a context as it was when a view began."""
    entry = resources_pb2.Entry(key="k", value=value, version=version)
    context = resources_pb2.Context(namespace="tests", id=id, version=version)
    kind = tracker_pb2.EVENT_TYPE_SNAPSHOT
    return event(cursor, type=kind, context=context, entries=[entry])


def read(version: int, value: bytes) -> context_manager_pb2.GetContextResponse:
    entry = resources_pb2.Entry(key="k", value=value, version=version)
    context = resources_pb2.Context(namespace="tests", id="c", version=version, entries=[entry])
    return context_manager_pb2.GetContextResponse(context=context)


def value_of(view: Any, id: str = "c") -> bytes:
    known = view.get(id)
    assert known is not None
    value: bytes = known.entries["k"].value
    return value


def test_it_holds_what_there_is_when_it_begins(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(state("1", 3, b"v")), caught_up("2"), Hang()])
    view = client.view(id_prefix="c")
    assert server.requests == {}
    with view:
        assert (view.ready, view.beginnings, view.ids()) == (True, 1, ["c"])
        assert (value_of(view), view.cursor, view.error) == (b"v", "2", None)
        assert view.get("other") is None
        with view.read() as contexts:
            assert contexts["c"].info.version == 3
    (request,) = server.requests["Subscribe"]
    assert (request.id_prefix, request.with_snapshot) == ("c", True)
    server.wait_ended(1)


def test_what_it_gives_is_a_copy(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(state("1", 3, b"v")), caught_up("2"), Hang()])
    with client.view() as view:
        view.get("c").entries.clear()
        assert value_of(view) == b"v"


def test_it_follows_and_tells_of_each_event(client: Any, server: FakeServer) -> None:
    hears = Hears(client)
    server.answer(
        "Subscribe",
        [
            told(state("1", 3, b"v")),
            caught_up("2"),
            progress("3"),
            told(event("4", put("k", b"w"), version=4)),
            Hang(),
        ],
    )
    with client.view(on_event=hears.event) as view:
        hears.wait(lambda: len(hears.events) == 2)
        assert (value_of(view), view.cursor) == (b"w", "4")
    assert [heard.type for heard in hears.events] == [EventType.SNAPSHOT, EventType.UPDATED]


def test_it_goes_on_where_the_stream_broke(client: Any, server: FakeServer) -> None:
    hears, seen = Hears(client), threading.Event()
    server.answer(
        "Subscribe",
        [told(state("1", 3, b"v")), caught_up("2"), After(seen), UNAVAILABLE],
        [told(event("3", put("k", b"w"), version=4)), caught_up("3"), Hang()],
    )
    with client.view(on_event=hears.event, on_restart=hears.restart) as view:
        seen.set()
        hears.wait(lambda: len(hears.events) == 2)
        assert (value_of(view), view.beginnings) == (b"w", 1)
    assert [asked.cursor for asked in server.requests["Subscribe"]] == ["", "2"]
    assert hears.restarts == []


def test_it_begins_anew_where_events_were_lost(
    client: Any, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    hears, seen = Hears(client), threading.Event()
    server.answer(
        "Subscribe",
        [
            told(state("1", 3, b"v"), state("1", 3, b"x", id="gone")),
            caught_up("2"),
            After(seen),
            COMPACTED,
        ],
        [told(state("8", 9, b"w")), caught_up("9"), Hang()],
    )
    with client.view(on_event=hears.event, on_restart=hears.restart) as view:
        seen.set()
        hears.wait(lambda: len(hears.events) == 3)
        assert view.wait_ready(PATIENCE_SECONDS)
        assert (view.ids(), value_of(view), view.beginnings) == (["c"], b"w", 2)
        assert view.error is None
    assert [asked.WhichOneof("start") for asked in server.requests["Subscribe"]] == [
        "with_snapshot",
        "with_snapshot",
    ]
    assert [lost.oldest_cursor for lost in hears.restarts] == ["5"]
    assert any("begins anew" in message for message in caplog.messages)


def test_it_is_not_ready_until_it_has_begun_anew(client: Any, server: FakeServer) -> None:
    hears, seen = Hears(client), threading.Event()
    server.answer(
        "Subscribe",
        [told(state("1", 3, b"v")), caught_up("2"), After(seen), COMPACTED],
        [told(state("8", 9, b"w")), Hang()],
    )
    with client.view(on_event=hears.event, on_restart=hears.restart) as view:
        seen.set()
        hears.wait(lambda: len(hears.events) == 2)
        assert not view.ready
        assert not view.wait_ready(0)


def test_events_may_be_lost_while_it_begins(client: Any, server: FakeServer) -> None:
    for _ in range(3):
        server.answer("Subscribe", [told(state("1", 3, b"v")), COMPACTED])
    server.answer("Subscribe", [told(state("8", 9, b"w")), caught_up("9"), Hang()])
    with client.view() as view:
        assert (value_of(view), view.beginnings) == (b"w", 4)


@pytest.mark.parametrize("hook", ["on_event", "on_restart"])
def test_what_a_hook_raises_is_logged(
    client: Any, server: FakeServer, caplog: pytest.LogCaptureFixture, hook: str
) -> None:
    def fail(_: object) -> None:
        raise ValueError("the hook's own")

    server.answer(
        "Subscribe",
        [told(state("1", 3, b"v")), COMPACTED],
        [told(state("8", 9, b"w")), caught_up("9"), Hang()],
    )
    with client.view(**{hook: fail}) as view:
        assert value_of(view) == b"w"
    assert any(hook in message for message in caplog.messages)


def test_what_an_event_does_not_tell_is_read(client: Any, server: FakeServer) -> None:
    hears = Hears(client)
    server.answer(
        "Subscribe",
        [
            told(state("1", 3, b"v")),
            caught_up("2"),
            told(event("3", version=4, reset=True)),
            Hang(),
        ],
    )
    server.answer("GetContext", read(5, b"read"))
    with client.view(on_event=hears.event, key_prefix="k", namespace="tests") as view:
        hears.wait(lambda: len(hears.events) == 2)
        assert value_of(view) == b"read"
    (request,) = server.requests["GetContext"]
    assert request.state.context_id == "c"


def test_what_is_gone_when_it_is_read_leaves_the_view(client: Any, server: FakeServer) -> None:
    hears = Hears(client)
    server.answer(
        "Subscribe",
        [
            told(state("1", 3, b"v")),
            caught_up("2"),
            told(event("3", version=4, reset=True)),
            Hang(),
        ],
    )
    server.answer("GetContext", GONE)
    with client.view(on_event=hears.event) as view:
        hears.wait(lambda: len(hears.events) == 2)
        assert view.ids() == []


# Ends.


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (Fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED"), contextd.LimitReached),
        (Fail(grpc.StatusCode.UNIMPLEMENTED, "NOT_SUPPORTED"), contextd.NotSupported),
    ],
)
def test_it_ends_with_what_a_subscription_ends_with(
    client: Any, server: FakeServer, fail: Fail, kind: Any
) -> None:
    seen = threading.Event()
    server.answer("Subscribe", [told(state("1", 3, b"v")), caught_up("2"), After(seen), fail])
    with client.view() as view:
        seen.set()
        assert view.wait_ended(PATIENCE_SECONDS)
        assert isinstance(view.error, kind)
        assert not view.ready
        with pytest.raises(kind):
            view.wait_ready()
        assert value_of(view) == b"v"


def test_what_it_cannot_begin_with_comes_out_of_the_with(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [Fail(grpc.StatusCode.PERMISSION_DENIED)])
    with pytest.raises(contextd.ContextdError), client.view():
        pass


def test_a_wrong_condition_is_refused_before_it_begins(client: Any, server: FakeServer) -> None:
    with pytest.raises(contextd.InvalidField):
        client.view(namespace="\0")
    assert server.requests == {}


def test_an_event_of_an_unknown_type_ends_it(client: Any, server: FakeServer) -> None:
    odd = event("3", version=4)
    odd.type = 9999
    seen = threading.Event()
    server.answer("Subscribe", [caught_up("2"), After(seen), told(odd), Hang()])
    with client.view() as view:
        seen.set()
        assert view.wait_ended(PATIENCE_SECONDS)
        assert isinstance(view.error, contextd.NewerServer)


def test_a_context_that_cannot_be_read_ends_it(client: Any, server: FakeServer) -> None:
    seen = threading.Event()
    server.answer("Subscribe", [caught_up("2"), After(seen), told(event("3", version=4)), Hang()])
    server.answer("GetContext", Fail(grpc.StatusCode.DATA_LOSS, "DAMAGED"))
    with client.view() as view:
        seen.set()
        assert view.wait_ended(PATIENCE_SECONDS)
        assert isinstance(view.error, contextd.Damaged)


def test_a_view_that_was_closed_says_so_and_can_be_read(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(state("1", 3, b"v")), caught_up("2"), Hang()])
    with client.view() as view:
        pass
    view.close()
    assert isinstance(view.error, contextd.ClientClosed)
    assert "the view was closed" in str(view.error)
    assert view.wait_ended()
    with pytest.raises(contextd.ClientClosed):
        view.wait_ready()
    assert value_of(view) == b"v"


def test_closing_the_client_ends_it(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [caught_up("2"), Hang()])
    with client.view() as view:
        client.close()
        assert view.wait_ended(PATIENCE_SECONDS)
        assert isinstance(view.error, contextd.ClientClosed)


def test_one_that_never_began_may_be_closed(client: Any) -> None:
    view = client.view()
    view.close()
    with pytest.raises(contextd.ClientClosed):
        view.wait_ready()


def test_it_begins_once(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [caught_up("2"), Hang()])
    with client.view() as view, pytest.raises(RuntimeError, match="has begun already"):
        view.start()


def test_a_hook_may_close_the_view(server: FakeServer) -> None:
    server.answer("Subscribe", [told(state("1", 3, b"v")), told(state("2", 4, b"w")), Hang()])
    heard: list[str] = []

    def close(event: contextd.Event) -> None:
        heard.append(event.cursor)
        view.close()

    with Client(server.address) as client:
        view = client.view(on_event=close).start()
        assert view.wait_ended(PATIENCE_SECONDS)
        assert view._thread is not None
        view._thread.join(PATIENCE_SECONDS)
    assert heard == ["1"]


def test_no_thread_is_left(server: FakeServer) -> None:
    server.answer("Subscribe", [caught_up("2"), Hang()])
    with Client(server.address) as client, client.view():
        assert any(thread.name == "contextd-view" for thread in threading.enumerate())
    assert all(thread.name != "contextd-view" for thread in threading.enumerate())
