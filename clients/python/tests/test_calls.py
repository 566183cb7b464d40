"""Operations step by step, without a server: what they ask for, and when they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc
import pytest

from contextd import Client, FinishedCall, RetryPolicy, Stopping, StreamStalled, Unavailable
from contextd._calls import EntryReader, Invoke, Settings, Sleep, call
from contextd._channel import channel_options
from contextd._methods import CONTEXT_MANAGER, RECOVERY, SERVER_INFO, TRACKER
from contextd.errors import ContextdError, DeadlineExceeded, Overloaded
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import recovery_pb2, resources_pb2, tracker_pb2
from fake import FakeClock


@pytest.fixture
def settings(clock: FakeClock) -> Settings:
    return Settings("tests", 1.0, RetryPolicy(), clock, lambda: 1.0)


STATE = resources_pb2.StateRef(context_id="c")


def test_each_attempt_gets_what_is_left_of_the_time(settings: Settings, clock: FakeClock) -> None:
    request = pb.GetServerInfoRequest()
    operation = call(settings, SERVER_INFO, request)
    assert next(operation) == Invoke("GetServerInfo", request, 1.0)
    clock.now += 0.25
    assert operation.throw(Unavailable("no")) == Sleep(0.05)
    clock.now += 0.25
    assert operation.send(None) == Invoke("GetServerInfo", request, 0.5)
    with pytest.raises(StopIteration) as stop:
        operation.send("answer")
    assert stop.value.value == "answer"


def test_the_error_of_the_last_attempt_comes_out(settings: Settings, clock: FakeClock) -> None:
    operation = call(settings, SERVER_INFO, pb.GetServerInfoRequest(), "the-id")
    next(operation)
    clock.now += 0.99
    with pytest.raises(Stopping) as caught:
        operation.throw(Stopping("last"))
    assert caught.value.request_id == "the-id"


def test_an_attempt_that_would_begin_after_the_deadline_is_not_made(
    settings: Settings, clock: FakeClock
) -> None:
    """However much longer than it should the wait before it took."""
    calls: list[FinishedCall] = []
    operation = call(
        replace(settings, on_call=calls.append), SERVER_INFO, pb.GetServerInfoRequest(), "the-id"
    )
    next(operation)
    assert operation.throw(Stopping("last")) == Sleep(0.05)
    clock.now += 1.0
    with pytest.raises(Stopping) as caught:
        operation.send(None)
    assert caught.value.request_id == "the-id"
    assert [(made.attempts, made.error) for made in calls] == [(1, caught.value)]


def test_a_deadline_in_an_attempt_does_not_hide_that_nobody_answered(
    settings: Settings, clock: FakeClock
) -> None:
    operation = call(replace(settings, address="a:1"), SERVER_INFO, pb.GetServerInfoRequest())
    next(operation)
    operation.throw(Unavailable("refused"))
    clock.now += 0.999
    assert isinstance(operation.send(None), Invoke)
    clock.now += 0.001
    late = DeadlineExceeded("late")
    with pytest.raises(Unavailable, match=r"a:1 was tried 2 times in 1.0 s; .*refused") as caught:
        operation.throw(late)
    assert caught.value.__cause__ is late


def test_a_call_that_nobody_refused_ends_at_its_deadline(settings: Settings) -> None:
    operation = call(settings, SERVER_INFO, pb.GetServerInfoRequest())
    next(operation)
    operation.throw(Overloaded("later"))
    operation.send(None)
    with pytest.raises(DeadlineExceeded):
        operation.throw(DeadlineExceeded("late"))


def test_a_stream_that_would_begin_after_the_deadline_is_not_begun(
    settings: Settings, clock: FakeClock
) -> None:
    reader = EntryReader(settings, pb.ReadEntriesRequest(state=STATE))
    assert reader.timeout == 1.0
    assert reader.delay_after(Stopping("last")) == 0.05
    clock.now += 1.0
    with pytest.raises(Stopping):
        assert reader.timeout


def test_a_deadline_in_a_stream_does_not_hide_that_nobody_answered(settings: Settings) -> None:
    reader = EntryReader(settings, pb.ReadEntriesRequest(state=STATE))
    reader.delay_after(Unavailable("refused"))
    with pytest.raises(Unavailable, match="refused"):
        reader.delay_after(DeadlineExceeded("late"))


def test_a_stream_that_brought_something_has_its_whole_time_again(
    settings: Settings, clock: FakeClock
) -> None:
    reader = EntryReader(settings, pb.ReadEntriesRequest(state=STATE))
    clock.now += 0.75
    assert reader.timeout == 0.25
    reader.accept(pb.ReadEntriesResponse(version=2))
    clock.now += 10.0
    assert reader.delay_after(StreamStalled("slow")) == 0.0
    assert reader.timeout == 1.0
    assert reader.delay_after(StreamStalled("slow")) == 0.05
    clock.now += 1.0
    with pytest.raises(StreamStalled):
        reader.delay_after(StreamStalled("slow"))


def test_a_stream_that_was_not_read_may_break_off_without_a_reason(settings: Settings) -> None:
    reader = EntryReader(settings, pb.ReadEntriesRequest(state=STATE))
    bare = ContextdError("nobody read it", grpc.StatusCode.ABORTED)
    assert reader.delay_after(bare) == 0.05
    reader.accept(pb.ReadEntriesResponse(version=2))
    assert reader.delay_after(bare) == 0.0
    for other in (
        ContextdError("odd", grpc.StatusCode.INTERNAL),
        ContextdError("odd", grpc.StatusCode.ABORTED, "NEW_THING"),
    ):
        with pytest.raises(ContextdError) as caught:
            reader.delay_after(other)
        assert caught.value is other


def test_the_request_of_a_stream_is_a_copy(settings: Settings) -> None:
    reader = EntryReader(settings, pb.ReadEntriesRequest(state=STATE, limit=5))
    first = reader.request()
    reader.accept(pb.ReadEntriesResponse(version=2, entries=[resources_pb2.Entry(key="a")]))
    assert (first.limit, reader.request().limit) == (5, 4)


def test_options_of_the_caller_win() -> None:
    options = channel_options([("grpc.max_receive_message_length", 10), ("own", "x")])
    assert ("grpc.max_receive_message_length", 10) in options
    assert ("own", "x") in options
    assert len({name for name, _ in options}) == len(options)


def test_a_peer_that_is_gone_is_found_out_while_streams_only_receive() -> None:
    options = dict(channel_options([]))
    # The server cuts off who asks more often than each 10 seconds.
    assert 10_000 < int(options["grpc.keepalive_time_ms"]) <= 60_000
    assert options["grpc.http2.max_pings_without_data"] == 0


def test_a_client_is_made_without_a_call() -> None:
    Client("127.0.0.1:1").close()


# What the client does not offer, or asks for elsewhere.
UNUSED = {"StreamUpdates", "Subscribe", "Backup", "VerifyStorage"}


@pytest.mark.parametrize(
    ("file", "service", "known"),
    [
        (pb, "ContextManager", CONTEXT_MANAGER),
        (tracker_pb2, "Tracker", TRACKER),
        (recovery_pb2, "Recovery", RECOVERY),
    ],
)
def test_the_methods_of_the_services_are_called(file: Any, service: str, known: Any) -> None:
    offered = {method.name for method in file.DESCRIPTOR.services_by_name[service].methods}
    assert {method.name for method in known} == offered - UNUSED
