"""Subscriptions step by step, without a server: what is handed out, and where they go on."""

from __future__ import annotations

import logging
import math
import random
from datetime import timedelta
from typing import Any

import pytest

from contextd import (
    CursorCompacted,
    EventType,
    InvalidField,
    LimitReached,
    NotSupported,
    Overloaded,
    Put,
    RetryPolicy,
    Stopping,
    StreamStalled,
    Unavailable,
)
from contextd._calls import Settings
from contextd._subscribing import Feed
from contextd.errors import ContextdError
from contextd.v1 import resources_pb2, tracker_pb2
from fake import FakeClock
from fake_events import FakeLog, caught_up, event, progress, put, request, told

GONE = Unavailable("gone")


@pytest.fixture
def settings(clock: FakeClock) -> Settings:
    return Settings("tests", 10.0, RetryPolicy(), clock, lambda: 1.0)


def feed_of(
    settings: Settings,
    progress: bool = False,
    reconnect_timeout: float = math.inf,
    **changes: Any,
) -> Feed:
    """A feed with its first stream begun."""
    feed = Feed(settings, request(**changes), progress, reconnect_timeout)
    feed.request()
    return feed


def taken(feed: Feed) -> list[str]:
    """The cursors of all that can be handed out now."""
    cursors: list[str] = []
    while (event := feed.take()) is not None:
        cursors.append(event.cursor)
    return cursors


# What is asked for.


def test_every_condition_is_asked_for() -> None:
    asked = request(
        context_ids=["a", "b"],
        id_prefix="p",
        type="chat",
        metadata={"user": "mia"},
        event_types=[EventType.CREATED, EventType.SESSION_LOST],
        key_prefix="k",
        without_values=True,
        progress_interval=timedelta(milliseconds=1500),
    )
    assert (asked.namespace, list(asked.context_ids)) == ("tests", ["a", "b"])
    assert (asked.id_prefix, asked.type, dict(asked.metadata)) == ("p", "chat", {"user": "mia"})
    assert list(asked.event_types) == [
        tracker_pb2.EVENT_TYPE_CREATED,
        tracker_pb2.EVENT_TYPE_SESSION_LOST,
    ]
    assert (asked.key_prefix, asked.without_values) == ("k", True)
    assert asked.progress_interval.ToMilliseconds() == 1500
    assert asked.WhichOneof("start") is None
    set_fields = {field.name for field, _ in asked.ListFields()}
    starts = {"cursor", "from_oldest", "with_snapshot"}
    assert set_fields | starts == {field.name for field in asked.DESCRIPTOR.fields}


@pytest.mark.parametrize(
    ("start", "sent"),
    [
        ({"cursor": "c"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"from_oldest": True}, "from_oldest"),
        ({"snapshot": True}, "with_snapshot"),
    ],
)
def test_a_start_is_asked_for(start: dict[str, Any], sent: str) -> None:
    assert request(**start).WhichOneof("start") == sent


@pytest.mark.parametrize(
    "starts",
    [
        {"cursor": "c", "from_oldest": True},
        {"cursor": "", "snapshot": True},
        {"from_oldest": True, "snapshot": True},
    ],
)
def test_there_is_one_start(starts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="begins with"):
        request(**starts)


@pytest.mark.parametrize(
    "type", [EventType.UNKNOWN, EventType.PROGRESS, EventType.CAUGHT_UP, "created"]
)
def test_only_types_that_the_server_knows_are_asked_for(type: Any) -> None:
    with pytest.raises(ValueError, match="no events of the type"):
        request(event_types=[type])


def test_one_id_is_not_several() -> None:
    with pytest.raises(TypeError, match="context_ids"):
        request(context_ids="chat-1")


# What is handed out.


def test_the_cursor_moves_with_what_is_handed_out(settings: Settings) -> None:
    feed = feed_of(settings, cursor="0")
    feed.accept(told(event("1"), event("2")))
    assert feed.cursor == "0"
    for cursor in ("1", "2"):
        handed = feed.take()
        assert handed is not None
        assert handed.cursor == feed.cursor == cursor
    assert feed.take() is None


def test_positions_move_the_cursor_and_are_not_seen(settings: Settings) -> None:
    feed = feed_of(settings)
    assert feed.cursor is None
    feed.accept(caught_up("7"))
    assert not feed.caught_up
    assert feed.cursor is None
    feed.settle()
    assert feed.caught_up
    assert feed.cursor == "7"
    feed.accept(progress("8"))
    assert feed.take() is None
    assert feed.cursor == "8"


def test_a_position_does_not_pass_an_event_that_was_not_handed_out(settings: Settings) -> None:
    feed = feed_of(settings)
    feed.accept(told(event("1")))
    feed.accept(caught_up("2"))
    feed.settle()
    assert not feed.caught_up
    assert feed.cursor is None
    assert taken(feed) == ["1"]
    assert feed.caught_up
    assert feed.cursor == "2"


def test_positions_are_handed_out_where_that_is_wanted(settings: Settings) -> None:
    feed = feed_of(settings, progress=True)
    feed.accept(told(event("1")))
    feed.accept(caught_up("2"))
    feed.accept(progress("3"))
    handed = [feed.take() for _ in range(4)]
    assert [(e.type, e.cursor, e.namespace) for e in handed if e is not None] == [
        (EventType.UPDATED, "1", "tests"),
        (EventType.CAUGHT_UP, "2", "tests"),
        (EventType.PROGRESS, "3", "tests"),
    ]
    assert handed[3] is None


def test_parts_are_handed_out_as_one(settings: Settings) -> None:
    feed = feed_of(settings, cursor="0")
    first = event("1", put("a"), put("b"), version=3, revision=9, session_id="s", more=True)
    feed.accept(told(event("0.5"), first))
    assert taken(feed) == ["0.5"]
    feed.accept(told(event("2", put("c"), version=3, revision=9, session_id="s", more=True)))
    assert taken(feed) == []
    assert feed.cursor == "0.5"
    feed.accept(told(event("3", put("d"), version=3, revision=9, session_id="s"), event("4")))
    whole = feed.take()
    assert whole is not None
    assert [step.key for step in whole.mutations if isinstance(step, Put)] == ["a", "b", "c", "d"]
    assert (whole.cursor, whole.revision, whole.session_id) == ("3", 9, "s")
    assert feed.cursor == "3"
    assert taken(feed) == ["4"]


def test_a_context_of_a_snapshot_comes_whole(settings: Settings) -> None:
    feed = feed_of(settings, snapshot=True)
    kind: Any = {"type": tracker_pb2.EVENT_TYPE_SNAPSHOT, "version": 2}
    entries = [resources_pb2.Entry(key=key, version=n) for n, key in enumerate("abc")]
    feed.accept(told(event("1", entries=entries[:2], more=True, **kind)))
    feed.accept(told(event("2", entries=entries[2:], **kind)))
    whole = feed.take()
    assert whole is not None
    assert [(entry.key, entry.version) for entry in whole.entries] == [("a", 0), ("b", 1), ("c", 2)]


def test_a_position_inside_an_event_is_no_place_to_go_on_at(settings: Settings) -> None:
    feed = feed_of(settings, progress=True)
    feed.accept(told(event("1", more=True)))
    feed.accept(progress("2"))
    assert taken(feed) == []
    feed.accept(told(event("3")))
    assert taken(feed) == ["3"]


def test_what_a_newer_server_says_is_passed_over(settings: Settings) -> None:
    feed = feed_of(settings, progress=True)
    feed.accept(tracker_pb2.SubscribeResponse())
    assert taken(feed) == []


# Where it goes on.


def test_it_goes_on_behind_what_was_handed_out(settings: Settings) -> None:
    feed = feed_of(settings, snapshot=True, id_prefix="p")
    assert feed.request().with_snapshot
    feed.accept(told(event("1"), event("2")))
    assert taken(feed) == ["1", "2"]
    feed.delay_after(GONE)
    again = feed.request()
    assert (again.WhichOneof("start"), again.cursor, again.id_prefix) == ("cursor", "2", "p")


def test_what_came_in_part_comes_anew(settings: Settings) -> None:
    feed = feed_of(settings, cursor="0")
    feed.accept(told(event("1", put("a"), more=True)))
    assert taken(feed) == []
    feed.delay_after(GONE)
    assert feed.request().cursor == "0"
    feed.accept(told(event("1", put("a"), more=True), event("2", put("b"))))
    whole = feed.take()
    assert whole is not None
    assert [step.key for step in whole.mutations if isinstance(step, Put)] == ["a", "b"]


@pytest.mark.parametrize("start", [{"snapshot": True}, {"from_oldest": True}, {}])
def test_without_a_position_it_begins_as_it_did(settings: Settings, start: dict[str, Any]) -> None:
    feed = feed_of(settings, **start)
    before = feed.request()
    feed.delay_after(GONE)
    assert feed.request() == before


def test_the_position_of_the_server_is_not_that_of_the_reader(settings: Settings) -> None:
    feed = feed_of(settings, cursor="1")
    stalled = StreamStalled("nobody read", details={"cursor": "9"})
    assert stalled.cursor == "9"
    feed.accept(told(event("2")))
    assert taken(feed) == ["2"]
    feed.delay_after(stalled)
    assert feed.request().cursor == "2"


def test_it_is_not_caught_up_while_it_is_away(settings: Settings) -> None:
    feed = feed_of(settings)
    feed.accept(caught_up("1"))
    feed.settle()
    feed.delay_after(GONE)
    assert not feed.caught_up
    feed.accept(caught_up("2"))
    feed.settle()
    assert feed.caught_up


def test_the_request_of_a_stream_is_a_copy(settings: Settings) -> None:
    feed = feed_of(settings, cursor="1")
    first = feed.request()
    feed.accept(told(event("2")))
    taken(feed)
    again = feed.request()
    assert (first.cursor, again.cursor) == ("1", "2")


# When it tries again.


def test_the_delays_grow_until_something_comes(settings: Settings) -> None:
    feed = feed_of(settings)
    for expected in (0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0):
        feed.request()
        assert feed.delay_after(GONE) == expected
    feed.accept(caught_up("1"))
    assert feed.delay_after(GONE) == 0.05


def test_who_was_asleep_goes_on_at_once(settings: Settings) -> None:
    feed = feed_of(settings)
    feed.accept(caught_up("1"))
    assert feed.delay_after(StreamStalled("nobody read")) == 0.0
    assert feed.delay_after(StreamStalled("nobody read")) == 0.05


@pytest.mark.parametrize("error", [Stopping("s"), Overloaded("o"), Unavailable("u")])
def test_what_passes_is_tried_again_for_ever(
    settings: Settings, clock: FakeClock, error: ContextdError
) -> None:
    feed = feed_of(settings)
    for _ in range(1000):
        clock.now += 3600 + feed.delay_after(error)


@pytest.mark.parametrize("what", ["ended", "silent"])
def test_a_stream_that_ends_or_is_dead_is_followed_by_another(
    settings: Settings, what: str
) -> None:
    feed = feed_of(settings)
    assert feed.delay_after(getattr(feed, what)()) == 0.05


@pytest.mark.parametrize(
    "error",
    [
        CursorCompacted("too old", details={"oldest_cursor": "9"}),
        InvalidField("wrong"),
        LimitReached("full"),
        NotSupported("old server"),
        ContextdError("odd"),
    ],
)
def test_what_will_not_help_comes_out(settings: Settings, error: ContextdError) -> None:
    feed = feed_of(settings)
    feed.accept(caught_up("1"))
    with pytest.raises(type(error)) as caught:
        feed.delay_after(error)
    assert caught.value is error


def test_a_bound_counts_from_the_last_that_came(settings: Settings, clock: FakeClock) -> None:
    feed = feed_of(settings, reconnect_timeout=2.0)
    clock.now += 1.5
    assert feed.delay_after(GONE) == 0.05
    feed.accept(caught_up("1"))
    clock.now += 3600
    for _ in range(2):
        clock.now += 0.9 + feed.delay_after(GONE)
    with pytest.raises(Unavailable):
        feed.delay_after(GONE)


def test_a_bound_does_not_count_before_the_beginning(settings: Settings, clock: FakeClock) -> None:
    feed = Feed(settings, request(), False, 2.0)
    clock.now += 3600
    feed.request()
    assert feed.delay_after(GONE) == 0.05


def test_a_bound_is_above_zero(settings: Settings) -> None:
    with pytest.raises(ValueError, match="timeout"):
        feed_of(settings, reconnect_timeout=0.0)


def test_the_patience_is_more_than_some_intervals(settings: Settings) -> None:
    assert feed_of(settings, progress_interval=10).patience == 35.0
    assert feed_of(settings, progress_interval=0.1).patience == pytest.approx(5.3)


def test_the_log_tells_of_it_without_a_flood(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    feed = feed_of(settings)
    with caplog.at_level(logging.DEBUG, "contextd"):
        for _ in range(4):
            feed.delay_after(Unavailable("nobody is there"))
        feed.accept(caught_up("1"))
        feed.accept(progress("2"))
    assert [record.levelname for record in caplog.records] == [
        "INFO",
        "WARNING",
        "DEBUG",
        "DEBUG",
        "INFO",
    ]
    assert "0.100 s" in caplog.messages[1]
    assert "nobody is there" in caplog.messages[1]


# All of it, under every break.


def parts_of(count: int, seed: int) -> list[Any]:
    """Events of random sizes; a third of them comes in parts."""
    chance = random.Random(seed)
    parts: list[Any] = []
    for number in range(count):
        pieces = chance.choice([1, 1, 2, 4])
        for piece in range(pieces):
            more = piece + 1 < pieces
            step = put(f"{number}.{piece}")
            cursor = str(len(parts) + 1)
            parts.append(event(cursor, step, revision=number + 1, more=more))
    return parts


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("batch", [1, 2, 3, 100])
@pytest.mark.parametrize("start", [{"from_oldest": True}, {"snapshot": True}, {"cursor": "0"}])
def test_no_event_is_lost_or_repeated_wherever_a_stream_breaks(
    settings: Settings, seed: int, batch: int, start: dict[str, Any]
) -> None:
    log = FakeLog(parts_of(12, seed), batch)
    expected = [part.mutations[0].put_entry.key for part in log.events]
    # The parts of one event come again when its stream breaks: the next break comes later.
    for breaks in range(1, len(log.events) + 2):
        feed = feed_of(settings, **start)
        keys: list[str] = []
        read, limit = 0, breaks
        stream = log.stream(feed.request())
        while not feed.caught_up:
            if read == limit:
                feed.delay_after(GONE)
                stream = log.stream(feed.request())
                read, limit = 0, limit + 1
            feed.accept(next(stream))
            read += 1
            while (handed := feed.take()) is not None:
                keys += [step.key for step in handed.mutations if isinstance(step, Put)]
        assert keys == expected
        assert feed.cursor == str(len(log.events))
