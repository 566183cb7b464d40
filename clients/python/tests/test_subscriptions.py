"""Subscriptions of both clients, against a server that answers as it was told.

What a test waits for comes from the server or from the subscription itself; nothing sleeps.
"""

from __future__ import annotations

import asyncio
import gc
import math
import threading
import time
import weakref
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from typing import Any, Callable, Optional

import grpc
import pytest

import contextd
from contextd import AsyncClient, Client, EventType, RetryPolicy, Subscription
from contextd import _subscribing as subscribing
from contextd._calls import Settings
from contextd._streams import Streams, watch
from contextd._subscribing import Feed
from contextd.aio._streams import AsyncStreams
from fake import PATIENCE_SECONDS, UNAVAILABLE, Fail, FakeClock, FakeServer, Hang
from fake_events import caught_up, event, progress, request, told

QUICK = RetryPolicy(initial_delay=0.001, max_delay=0.001, conflict_delay=0)
STALLED = Fail(grpc.StatusCode.ABORTED, "STREAM_STALLED", {"cursor": "99"})
BROKEN_OFF = Fail(grpc.StatusCode.ABORTED)
COMPACTED = Fail(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_COMPACTED", {"oldest_cursor": "5"})


@pytest.fixture
def client(client: Any) -> Any:
    """The client in both its forms, which loses no time between attempts."""
    target = getattr(client, "target", client)
    target._settings = replace(target._settings, retry=QUICK)
    return client


def cursors_asked(server: FakeServer) -> list[str]:
    return [request.cursor for request in server.requests["Subscribe"]]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a subscription has told that it broke, and waits for the next attempt."""
    told = threading.Event()
    monkeypatch.setattr(subscribing._log, "log", lambda *_: told.set())
    return told


def watchers() -> Iterator[threading.Thread]:
    return (t for t in threading.enumerate() if t.name == "contextd-subscription")


# Iterating.


def test_events_are_handed_out_in_order(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1"), event("2")), told(event("3")), Hang()])
    events = client.subscribe(cursor="0", context_ids=["c"])
    assert server.requests == {}
    assert [next(events).cursor for _ in range(3)] == ["1", "2", "3"]
    assert events.cursor == "3"
    (request,) = server.requests["Subscribe"]
    assert (request.namespace, request.cursor, list(request.context_ids)) == ("tests", "0", ["c"])
    events.close()
    assert list(events) == []
    server.wait_ended(1)


def test_another_namespace_is_asked_for(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [caught_up("1"), Hang()])
    with client.subscribe(namespace="other"):
        assert server.requests["Subscribe"][0].namespace == "other"


def test_the_beginning_waits_until_the_position_is_known(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [caught_up("7"), told(event("8")), Hang()])
    with client.subscribe() as events:
        assert events.cursor == "7"
        assert events.caught_up
        assert next(events).cursor == "8"
    server.wait_ended(1)
    assert list(events) == []


def test_the_beginning_hands_nothing_out(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1")), Hang()])
    with client.subscribe(from_oldest=True) as events:
        assert events.cursor is None
        with events:
            assert next(events).cursor == "1"
    assert len(server.requests["Subscribe"]) == 1


def test_events_end_where_all_was_told(client: Any, server: FakeServer) -> None:
    server.answer(
        "Subscribe", [told(event("1")), told(event("2")), caught_up("3"), told(event("4")), Hang()]
    )
    with client.subscribe(snapshot=True) as events:
        assert [handed.cursor for handed in events.until_caught_up()] == ["1", "2"]
        assert events.caught_up
        assert events.cursor == "3"
        assert list(events.until_caught_up()) == []
        assert next(events).cursor == "4"


def test_the_end_of_what_was_told_is_not_waited_for(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1")), caught_up("2"), Hang()])
    with client.subscribe(snapshot=True) as events:
        assert [handed.cursor for handed in events.until_caught_up()] == ["1"]
        assert events.cursor == "2"


def test_positions_are_seen_where_that_is_wanted(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1")), caught_up("2"), progress("3"), Hang()])
    with client.subscribe(cursor="0", progress=True, progress_interval=30.5) as events:
        seen = list(events.until_caught_up())
        assert [handed.type for handed in seen] == [EventType.UPDATED, EventType.CAUGHT_UP]
        assert events.cursor == "2"
        assert next(events).type is EventType.PROGRESS
        assert events.cursor == "3"
    assert server.requests["Subscribe"][0].progress_interval.ToMilliseconds() == 30_500


# Going on.


@pytest.mark.parametrize("end", [[UNAVAILABLE], [STALLED], [BROKEN_OFF], []])
def test_it_goes_on_by_itself(client: Any, server: FakeServer, end: list[Fail]) -> None:
    server.answer("Subscribe", [told(event("1"), event("2")), *end])
    server.answer("Subscribe", *[[UNAVAILABLE]] * 3)
    server.answer("Subscribe", [told(event("3")), caught_up("4"), *end])
    server.answer("Subscribe", [told(event("5")), Hang()])
    with client.subscribe(from_oldest=True) as events:
        assert [next(events).cursor for _ in range(4)] == ["1", "2", "3", "5"]
    # What was on its way when a stream failed may be lost: then it comes with the next one.
    asked = cursors_asked(server)
    assert asked[0] == ""
    assert asked[-1] in {"3", "4"}
    assert set(asked) <= {"", "1", "2", "3", "4"}


def test_before_a_position_is_known_it_begins_anew(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [UNAVAILABLE], [], [caught_up("7"), Hang()])
    with client.subscribe() as events:
        assert events.cursor == "7"
    sent = server.requests["Subscribe"]
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]


@pytest.mark.parametrize(("timeout", "own"), [(3600.0, 0.05), (0.05, None)])
def test_a_bound_ends_the_attempts(
    client: Any, server: FakeServer, timeout: float, own: Optional[float]
) -> None:
    server.answer("Subscribe", [UNAVAILABLE])
    target = getattr(client, "target", client)
    target._settings = replace(target._settings, clock=time.monotonic, timeout=timeout)
    events = client.subscribe(reconnect_timeout=own)
    with pytest.raises(contextd.Stopping):
        next(events)
    assert list(events) == []


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (COMPACTED, contextd.CursorCompacted),
        (Fail(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"), contextd.InvalidField),
        (Fail(grpc.StatusCode.UNIMPLEMENTED, "NOT_SUPPORTED"), contextd.NotSupported),
    ],
)
@pytest.mark.parametrize("begun", [True, False])
def test_what_will_not_help_is_raised_once(
    client: Any, server: FakeServer, fail: Fail, kind: Any, begun: bool
) -> None:
    server.answer("Subscribe", [told(event("1")), fail] if begun else [fail])
    events = client.subscribe(cursor="0")
    with pytest.raises(kind) as caught:
        list(events)
    if kind is contextd.CursorCompacted:
        assert caught.value.oldest_cursor == "5"
    assert list(events) == []
    assert list(events.until_caught_up()) == []
    assert len(server.requests["Subscribe"]) == 1


def test_what_is_wrong_is_raised_at_the_beginning(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [COMPACTED])
    with pytest.raises(contextd.CursorCompacted), client.subscribe(cursor="0"):
        pytest.fail("it has not begun")


class PassingTime:
    """Time passes only while the server keeps silent: on the first stream, once it may.

    It begins when the server has the stream, and ends when the client begins a second one,
    however long either takes.
    """

    STEP_SECONDS = 0.1

    def __init__(
        self, client: Any, server: FakeServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.may_pass = threading.Event()
        self._server = server
        self._clock = clock
        self._loop: Optional[asyncio.AbstractEventLoop] = getattr(client, "loop", None)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._begun = 0
        methods = getattr(client, "target", client)._runner.connection.methods
        self._subscribe = methods["Subscribe"]
        monkeypatch.setitem(methods, "Subscribe", self._begin)
        if self._loop is not None:
            monkeypatch.setattr(self._loop, "time", clock)

    def _begin(self, *args: Any, **kwargs: Any) -> Any:
        self._begun += 1
        if self._begun == 2:
            self._over.set()
        return self._subscribe(*args, **kwargs)

    def _run(self) -> None:
        self.may_pass.wait(PATIENCE_SECONDS)
        self._server.wait_for("Subscribe", 1)
        while not self._over.wait(0.001):
            self._clock.now += self.STEP_SECONDS
            if self._loop is not None:
                self._loop.call_soon_threadsafe(lambda: None)  # It looks at its clock again.

    def __enter__(self) -> PassingTime:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize("before", [[], [caught_up("1")]])
def test_a_stream_on_which_nothing_comes_is_given_up(
    client: Any,
    server: FakeServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    before: list[Any],
) -> None:
    monkeypatch.setattr(subscribing, "GRACE_SECONDS", 0.01)
    server.answer("Subscribe", [*before, Hang()], [told(event("2")), COMPACTED])
    events = client.subscribe(progress_interval=0.1, reconnect_timeout=math.inf)
    with PassingTime(client, server, clock, monkeypatch) as time:
        if before:
            events.__enter__()
        time.may_pass.set()
        with pytest.raises(contextd.CursorCompacted):
            list(events)
    assert cursors_asked(server) == ["", "1" if before else ""]


class Scripted:
    """A stream that hands out one event again and again, each after a while."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.passes = 0.0
        self.meanwhile: Callable[[], object] = lambda: None
        self.cancelled = 0

    def __next__(self) -> Any:
        self.clock.now += self.passes
        self.meanwhile()
        return told(event("1"))

    def cancel(self) -> None:
        self.cancelled += 1


def streams_of(stream: Scripted) -> Streams:
    feed = Feed(Settings("tests", 10.0, QUICK, stream.clock), request(), False, 10.0)
    return Streams(lambda _: stream, feed, stream.clock)


def test_the_time_in_which_nobody_reads_is_no_silence(clock: FakeClock) -> None:
    stream = Scripted(clock)
    streams = streams_of(stream)
    streams.receive()
    clock.now += 3600
    streams.give_up_if_silent()
    stream.meanwhile = streams.give_up_if_silent
    stream.passes = 34.9
    streams.receive()
    assert stream.cancelled == 0
    stream.passes = 35.0
    streams.receive()
    assert stream.cancelled == 1
    streams.close()


def test_an_interrupted_beginning_leaves_no_stream(clock: FakeClock) -> None:
    stream = Scripted(clock)
    streams = streams_of(stream)

    def interrupt() -> None:
        raise KeyboardInterrupt

    stream.meanwhile = interrupt
    with pytest.raises(KeyboardInterrupt), Subscription(streams, streams._feed):
        pytest.fail("it has not begun")
    assert stream.cancelled == 1
    assert streams.closed


def test_no_stream_begins_after_the_end(clock: FakeClock) -> None:
    streams = streams_of(Scripted(clock))
    streams.close()
    assert streams._open() is None


def test_who_looks_after_the_silence_keeps_nothing(clock: FakeClock) -> None:
    kept = [streams_of(Scripted(clock))]
    reference = weakref.ref(kept[0])
    waited = 0

    class Wait(threading.Event):
        def wait(self, timeout: Optional[float] = None) -> bool:
            nonlocal waited
            waited += 1
            assert timeout == 1.0
            if waited == 2:
                kept.clear()
                assert reference() is None
            return False

    watch(reference, Wait(), 1.0)
    assert waited == 2


# Ending.


def test_another_thread_ends_it(server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1")), Hang()])
    seen: list[str] = []
    with Client(server.address) as client:
        events = client.subscribe(cursor="0")
        first = threading.Event()

        def follow() -> None:
            for handed in events:
                seen.append(handed.cursor)
                first.set()

        thread = threading.Thread(target=follow)
        thread.start()
        assert first.wait(PATIENCE_SECONDS)
        events.close()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        events.close()
    assert seen == ["1"]
    for watcher in watchers():
        watcher.join(PATIENCE_SECONDS)
        assert not watcher.is_alive()


def test_it_ends_while_it_waits_to_connect(server: FakeServer, broken: threading.Event) -> None:
    server.answer("Subscribe", [UNAVAILABLE])
    slow = RetryPolicy(initial_delay=PATIENCE_SECONDS * 10, max_delay=PATIENCE_SECONDS * 10)
    with Client(server.address, retry=slow) as client:
        events = client.subscribe(reconnect_timeout=math.inf)
        thread = threading.Thread(target=lambda: list(events), daemon=True)
        thread.start()
        assert broken.wait(PATIENCE_SECONDS)
        events.close()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_the_end_of_the_client_ends_it(server: FakeServer) -> None:
    server.answer("Subscribe", [caught_up("1"), Hang()])
    client = Client(server.address)
    events = client.subscribe()
    with events:
        thread = threading.Thread(target=lambda: list(events))
        thread.start()
        client.close()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_what_is_dropped_leaves_nothing(client: Any, server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1")), Hang()])
    for handed in client.subscribe(cursor="0"):
        assert handed.cursor == "1"
        break
    gc.collect()
    server.wait_ended(1)


def test_a_task_ends_what_another_waits_in(server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1")), Hang()])

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            events = client.subscribe(cursor="0")
            first = asyncio.Event()
            seen: list[str] = []

            async def follow() -> None:
                async for handed in events:
                    seen.append(handed.cursor)
                    first.set()

            task = asyncio.ensure_future(follow())
            await first.wait()
            await events.aclose()
            await events.aclose()
            await task
            assert seen == ["1"]
            await asyncio.to_thread(server.wait_ended, 1)

    asyncio.run(asyncio.wait_for(use(), PATIENCE_SECONDS))


def test_a_task_ends_what_waits_to_connect(server: FakeServer, broken: threading.Event) -> None:
    server.answer("Subscribe", [UNAVAILABLE])
    slow = RetryPolicy(initial_delay=PATIENCE_SECONDS * 10, max_delay=PATIENCE_SECONDS * 10)

    async def use() -> None:
        async with AsyncClient(server.address, retry=slow) as client:
            events = client.subscribe(reconnect_timeout=math.inf)

            async def follow() -> list[Any]:
                return [handed async for handed in events]

            task = asyncio.ensure_future(follow())
            assert await asyncio.to_thread(broken.wait, PATIENCE_SECONDS)
            await client.close()
            assert await task == []

    asyncio.run(asyncio.wait_for(use(), PATIENCE_SECONDS))


def test_a_cancelled_wait_loses_nothing(server: FakeServer) -> None:
    server.answer("Subscribe", [told(event("1")), Hang()])

    async def use() -> None:
        async with AsyncClient(server.address) as client, client.subscribe(cursor="0") as events:
            assert (await events.__anext__()).cursor == "1"
            for _ in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(events.__anext__(), 0.01)
            assert len(server.requests["Subscribe"]) == 1

    asyncio.run(asyncio.wait_for(use(), PATIENCE_SECONDS))
    server.wait_ended(1)


class Queued:
    """A stream for tasks that hands out what it was given, and counts how often it was asked."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.asked = 0
        self.cancelled = False

    async def read(self) -> Any:
        self.asked += 1
        return await self.messages.get()

    def cancel(self) -> None:
        self.cancelled = True
        self.messages.put_nowait(grpc.aio.EOF)


def queued(use: Callable[[AsyncStreams, Feed, Queued], Awaitable[None]]) -> None:
    """Has something done with the streams of a subscription that begins no second one."""

    async def run() -> None:
        stream = Queued()
        feed = Feed(Settings("tests", 10.0, QUICK), request(), False, 10.0)

        streams_left = [stream]

        async def begin(_: object) -> Any:
            return streams_left.pop()

        streams = AsyncStreams(begin, feed)
        await use(streams, feed, stream)
        await streams.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_SECONDS))


def test_a_task_reads_one_message_ahead() -> None:
    async def use(streams: AsyncStreams, feed: Feed, stream: Queued) -> None:
        for cursor in "123":
            stream.messages.put_nowait(told(event(cursor)))
        await streams.receive()
        for _ in range(5):
            await asyncio.sleep(0)
        assert stream.asked == 2
        assert stream.messages.qsize() == 1
        await streams.receive()
        await streams.receive()
        assert [handed.cursor for handed in iter(feed.take, None)] == ["1", "2", "3"]

    queued(use)


def test_what_arrives_in_the_moment_of_a_cancellation_comes_next() -> None:
    async def use(streams: AsyncStreams, feed: Feed, stream: Queued) -> None:
        waits = asyncio.ensure_future(streams.receive())
        while not stream.asked:
            await asyncio.sleep(0)
        stream.messages.put_nowait(told(event("1")))
        while streams._reader is not None and not streams._reader._arrived:
            await asyncio.sleep(0)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        await streams.receive()
        assert [handed.cursor for handed in iter(feed.take, None)] == ["1"]

    queued(use)


def test_the_time_in_which_no_task_waits_is_no_silence() -> None:
    async def use(streams: AsyncStreams, feed: Feed, stream: Queued) -> None:
        feed.patience = 0.0
        stream.messages.put_nowait(told(event("1")))
        await streams.receive()
        feed.patience = 10 * PATIENCE_SECONDS
        waits = asyncio.ensure_future(streams.receive())
        for _ in range(5):
            await asyncio.sleep(0)
        stream.messages.put_nowait(told(event("2")))
        await waits
        assert [handed.cursor for handed in iter(feed.take, None)] == ["1", "2"]

    queued(use)


def test_an_end_while_a_token_is_waited_for_leaves_no_stream() -> None:
    async def use() -> None:
        asked, token = asyncio.Event(), asyncio.Event()
        stream = Queued()

        async def begin(_: object) -> Any:
            asked.set()
            await token.wait()
            return stream

        feed = Feed(Settings("tests", 10.0, QUICK), request(), False, 10.0)
        streams = AsyncStreams(begin, feed)
        waits = asyncio.ensure_future(streams.receive())
        await asked.wait()
        await streams.close()
        token.set()
        await waits
        assert stream.cancelled

    asyncio.run(asyncio.wait_for(use(), PATIENCE_SECONDS))


def test_a_cancelled_beginning_leaves_no_stream(server: FakeServer) -> None:
    server.answer("Subscribe", [Hang()])

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            events = client.subscribe()
            task = asyncio.ensure_future(events.__aenter__())
            await asyncio.to_thread(server.wait_for, "Subscribe", 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(server.wait_ended, 1)
            assert [handed async for handed in events] == []

    asyncio.run(asyncio.wait_for(use(), PATIENCE_SECONDS))
