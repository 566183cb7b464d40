"""Subscriptions, and views that are built from their events, on a real server."""

from __future__ import annotations

import asyncio
import logging
import os
import pathlib
import random
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import contextd
from contextd import (
    Activity,
    Append,
    Client,
    Context,
    Delete,
    DeleteMetadata,
    DeletePrefix,
    Event,
    EventType,
    Expiry,
    Put,
    SequenceRange,
    SetExpiry,
    SetMetadata,
    Splice,
    View,
)
from contextd import _subscribing as subscribing
from contextd.values import TEXT
from contextd_process import ContextdProcess
from fake import PATIENCE_SECONDS

WRITES = 300
KILLS = 5

# A value that an event still tells, and how many are more than is held on the way.
LARGE = 1 << 19
BUFFERED = 80


@pytest.fixture
def own_process(binary: str, tmp_path: pathlib.Path) -> Iterator[Any]:
    """Starts servers of a test's own, with flags."""
    running: list[ContextdProcess] = []

    def start(*flags: str) -> ContextdProcess:
        running.append(ContextdProcess(binary, tmp_path, *flags))
        running[-1].start()
        return running[-1]

    yield start
    for process in running:
        process.kill()


def until(events: Any, context_id: str) -> list[Event]:
    """All events up to the one that creates a context, which is left out."""
    found: list[Event] = []
    for event in events:
        if event.type is EventType.CREATED and event.context_id == context_id:
            return found
        found.append(event)
    raise AssertionError("the subscription ended")


def states_of(client: Any) -> dict[str, Any]:
    """What all contexts are."""
    states: dict[str, Any] = {}
    for info in client.contexts():
        snapshot = client.context(info.id).snapshot()
        entries = {entry.key: entry for entry in snapshot.entries()}
        states[info.id] = (snapshot.version, snapshot.metadata, entries)
    return states


def states_in(view: View) -> dict[str, Any]:
    return {
        id: (context.info.version, context.info.metadata, context.entries)
        for id, context in view.contexts.items()
    }


# What is told.


def test_what_happens_to_a_context_is_told(client: Any, namespace: str) -> None:
    with client.subscribe() as events:
        context = client.create("c", puts={"k": "v"})
        context.update(
            {"a": b"1"},
            deletes=["k"],
            delete_prefixes=["z"],
            appends={"b": b"2"},
            metadata={"m": "n", "o": None},
            expiry=Expiry(timedelta(hours=1), sliding=True),
            activities=[Activity("message", "Hello!")],
        )
        context.put("large", b"x" * 10_000)
        context.put("large", b"x" * 9_000 + b"tail")
        context.record(Activity("message", "Bye!"))
        context.truncate_history(2)
        context.delete()
        client.create("end")
        created, updated, put, spliced, recorded, trimmed, deleted = until(events, "end")

    assert (created.type, created.namespace, created.context_id) == (
        EventType.CREATED,
        namespace,
        "c",
    )
    assert created.mutations == (Put("k", b"v", TEXT),)
    assert created.context is not None
    assert created.context.revision == created.revision < updated.revision
    assert created.time is not None
    assert created.time.tzinfo is not None
    assert updated.mutations[:-1] == (
        DeletePrefix("z"),
        Delete("k"),
        Put("a", b"1"),
        Append("b", b"2"),
        SetMetadata("m", "n"),
        DeleteMetadata("o"),
        SetExpiry(Expiry(timedelta(hours=1), sliding=True)),
    )
    said = updated.mutations[-1]
    assert isinstance(said, Activity)
    assert (said.type, said.text, said.sequence) == ("message", "Hello!", 1)
    assert put.mutations == (Put("large", b"x" * 10_000),)
    assert spliced.mutations == (Splice("large", 9_000, b"tail"),)
    assert recorded.type is EventType.ACTIVITY
    assert [step.text for step in recorded.mutations if isinstance(step, Activity)] == ["Bye!"]
    assert (trimmed.type, trimmed.trimmed) == (EventType.HISTORY_TRIMMED, (SequenceRange(1, 1),))
    assert deleted.type is EventType.DELETED
    assert deleted.context is not None
    assert (deleted.context.version, deleted.context.metadata) == (4, {"m": "n"})


def test_who_works_on_a_context_is_told(client: Any) -> None:
    client.create("c")
    with client.subscribe() as events:
        with client.session(owner="mia") as session:
            with session.activate("c", exclusive=True) as held:
                held.put("k", b"v")
            session.switch("c")
        lost = client.session().start()
        client.end_session(lost.id)
        lost.end()
        client.create("end")
        told = until(events, "end")
    assert [event.type for event in told] == [
        EventType.SESSION_STARTED,
        EventType.ACTIVATED,
        EventType.UPDATED,
        EventType.DEACTIVATED,
        EventType.ACTIVATED,
        EventType.SESSION_SWITCHED,
        EventType.DEACTIVATED,
        EventType.SESSION_ENDED,
        EventType.SESSION_STARTED,
        EventType.SESSION_ENDED,
    ]
    assert {event.session_id for event in told[:8]} == {session.id}
    started, activated, _, deactivated, _, switched = told[:6]
    assert started.session is not None
    assert (started.session.owner, started.context, started.context_id) == ("mia", None, "")
    assert activated.activation is not None
    assert (activated.activation.exclusive, activated.activation.fence) == (True, 1)
    assert deactivated.activation == contextd.Activation("c", False, 0, None)
    assert switched.session is not None
    assert switched.session.current_context_id == "c"
    # One change: its events have one revision, and a position each.
    assert told[4].revision == told[5].revision
    assert told[4].cursor != told[5].cursor


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["a", "b", "c/1"]),
        ({"context_ids": ["b", "none"]}, ["b"]),
        ({"id_prefix": "c/"}, ["c/1"]),
        ({"type": "chat"}, ["b"]),
        ({"metadata": {"user": "mia"}}, ["a"]),
        ({"key_prefix": "m"}, ["b"]),
        ({"event_types": [EventType.CREATED]}, ["a", "b", "c/1"]),
        ({"event_types": [EventType.EXPIRED]}, []),
    ],
)
def test_only_what_was_asked_for_is_told(
    client: Any, conditions: dict[str, Any], expected: list[str]
) -> None:
    client.create("a", contextd.NewContext(metadata={"user": "mia"}), puts={"k": "v"})
    client.create("b", contextd.NewContext(type="chat"), puts={"m/1": "v"})
    client.create("c/1", puts={"k": "v"})
    with client.subscribe(from_oldest=True, **conditions) as events:
        assert [event.context_id for event in events.until_caught_up()] == expected


def test_values_can_be_left_out(client: Any) -> None:
    client.create("c", puts={"k": "v"})
    with client.subscribe(from_oldest=True, without_values=True) as events:
        (told,) = events.until_caught_up()
    assert told.mutations == (Put("k", b"", TEXT),)


def test_positions_move_on_while_nothing_happens(client: Any) -> None:
    with client.subscribe(id_prefix="mine", progress=True, progress_interval=0.1) as events:
        assert next(events).type is EventType.CAUGHT_UP
        before = events.cursor
        client.create("other")
        while next(events).cursor == before:
            pass
        assert events.cursor != before
    client.create("mine")
    with client.subscribe(cursor=events.cursor, id_prefix="mine") as events:
        assert next(events).context_id == "mine"


def test_large_events_come_whole(client: Any) -> None:
    puts = {f"key-{n:04}": b"v" * 700 for n in range(1000)}
    context = client.create("c")
    with client.subscribe() as events:
        context.update(puts)
        context.update(dict.fromkeys(puts, b"w" * 1200))
        client.create("end")
        parted, reset = until(events, "end")
    assert [step.key for step in parted.mutations if isinstance(step, Put)] == sorted(puts)
    assert (reset.reset, reset.mutations) == (True, ())
    with client.subscribe(cursor=parted.cursor) as events:
        assert next(events).reset


def test_a_large_context_comes_whole(client: Any) -> None:
    context = client.create("c")
    for group in range(4):
        context.update({f"{group}/{n:03}": b"v" * 5000 for n in range(500)})
    with client.subscribe(snapshot=True) as events:
        (whole,) = events.until_caught_up()
    keys = [entry.key for entry in whole.entries]
    assert (whole.type, len(keys)) == (EventType.SNAPSHOT, 2000)
    assert keys == sorted(set(keys))
    assert [entry.version for entry in whole.entries[::500]] == [2, 3, 4, 5]


# What is refused.


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cursor": ""}, "cursor"),
        ({"cursor": "made up"}, "cursor"),
        ({"progress_interval": 0.01}, "progress_interval"),
        ({"context_ids": [""] * 2}, "context_ids[0]"),
        ({"context_ids": [f"c-{n}" for n in range(1001)]}, "context_ids"),
    ],
)
def test_what_cannot_be_is_refused(client: Any, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(contextd.InvalidField) as caught, client.subscribe(**wrong):
        pytest.fail("it has begun")
    assert caught.value.field == field


def test_more_subscriptions_than_there_may_be_are_refused(own_process: Any) -> None:
    process = own_process("--subscriptions-max", "1")
    with Client(process.address, timeout=60.0) as client, client.subscribe():
        with pytest.raises(contextd.LimitReached) as caught, client.subscribe():
            pytest.fail("it has begun")
        assert (caught.value.limit, caught.value.value) == ("subscriptions_max", 1)


def test_a_position_that_is_no_longer_kept_is_refused(own_process: Any) -> None:
    process = own_process("--feed-retention-bytes", "1MiB")
    with Client(process.address, timeout=60.0) as client, client.subscribe() as behind:
        context = client.create("c")
        oldest = behind.cursor
        assert oldest is not None
        # More than what is on its way to a reader that does not read.
        for _ in range(BUFFERED):
            context.put("k", os.urandom(LARGE))
        with pytest.raises(contextd.CursorCompacted):
            list(behind)
        # The server may drop some more meanwhile.
        while True:
            try:
                with client.subscribe(cursor=oldest) as events:
                    assert next(events).type is EventType.UPDATED
                    break
            except contextd.CursorCompacted as compacted:
                oldest = compacted.oldest_cursor


# Going on.


def write(context: Context, count: int) -> None:
    """Writes numbers that nobody can mistake."""
    for number in range(count):
        context.update({"n": str(number)}, appends={"all": f"{number} "})


@pytest.mark.parametrize("start", [{"from_oldest": True}, {"snapshot": True}])
def test_nothing_is_lost_or_repeated_when_the_server_is_killed(
    process: ContextdProcess, namespace: str, start: dict[str, Any]
) -> None:
    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        context = client.create("c")
        writer = threading.Thread(target=write, args=(context, WRITES))
        chance = random.Random(7)
        kills = sorted(chance.sample(range(10, WRITES - 10), KILLS))
        versions: list[int] = []
        view = View()
        with client.subscribe(**start) as events:
            writer.start()
            for event in events:
                view.apply(event)
                assert event.context is not None
                versions.append(event.context.version)
                if kills and len(versions) >= kills[0]:
                    kills.pop(0)
                    process.kill()
                    process.start()
                if event.context.version == WRITES + 1:
                    break
        writer.join()
        assert kills == []
        # A snapshot may begin later; from then on there is no gap.
        assert versions == list(range(versions[0], WRITES + 2))
        assert states_in(view) == states_of(client)


def test_it_goes_on_when_the_server_stops_and_starts(client: Any, process: ContextdProcess) -> None:
    with client.subscribe() as events:
        client.create("a")
        assert next(events).context_id == "a"
        assert process.stop() == 0
        process.start()
        client.create("b")
        assert next(events).context_id == "b"


def test_a_server_that_stands_still_is_noticed(
    own_process: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscribing, "GRACE_SECONDS", 0.2)
    process = own_process()
    broke = threading.Event()
    caplog.set_level(logging.INFO, "contextd")
    monkeypatch.setattr(subscribing._log, "log", lambda *_: broke.set())
    with (
        Client(process.address, timeout=60.0) as client,
        client.subscribe(progress_interval=0.1) as events,
    ):
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.append(next(events).context_id))
        reader.start()
        assert process._process is not None
        process._process.send_signal(signal.SIGSTOP)
        try:
            assert broke.wait(PATIENCE_SECONDS)
        finally:
            process._process.send_signal(signal.SIGCONT)
        client.create("after")
        reader.join(PATIENCE_SECONDS)
        assert seen == ["after"]


def test_who_reads_slowly_goes_on(own_process: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "contextd")
    process = own_process("--subscription-stall-max", "5ms")
    with Client(process.address, timeout=60.0) as client:
        context = client.create("c")
        other = client.context("c", namespace="other")
        other.create()
        for _ in range(BUFFERED):
            context.put("k", os.urandom(LARGE))

        def told() -> bool:
            return any("has not read" in message for message in caplog.messages)

        versions: list[int] = []
        slowness = 5
        with client.subscribe(from_oldest=True) as events:
            for event in events.until_caught_up():
                assert event.context is not None
                versions.append(event.context.version)
                if not told():  # Slower and slower, until it is too slow for this machine.
                    for _ in range(slowness):
                        other.put("k", b"something that takes its time")
                    slowness *= 2
        assert versions == list(range(1, BUFFERED + 2))
        assert told()


# Views.


def change(context: Any, chance: random.Random) -> None:
    """Does one of all the things that change a context."""
    keys = [f"{group}/{n}" for group in "ab" for n in range(4)]
    key = chance.choice(keys)
    value = chance.randbytes(chance.choice([3, 300, 6_000]))
    kind = chance.randrange(8)
    if kind == 0:
        context.put(key, value, content_type=chance.choice(["", "t"]))
    elif kind == 1:
        context.append(key, value)
    elif kind == 2:
        # A large one that begins as before is told as a splice.
        old = context.get(key, b"")
        context.put(key, old[: chance.randrange(len(old) + 1)] + value)
    elif kind == 3:
        context.update({keys[0]: value}, deletes=chance.sample(keys, 2))
    elif kind == 4:
        context.update(delete_prefixes=[chance.choice(["a", "b/", "a/1", ""])])
    elif kind == 5:
        context.update(metadata={"user": chance.choice(["mia", "zoe", None]), "n": key})
    elif kind == 6:
        context.record(Activity("message", value))
    else:
        # In parts, or too large to be told.
        size = chance.choice([20_000, 200_000])
        context.update({f"{key}/{n}": chance.randbytes(size) for n in range(8)}, deletes=[key])


def change_some(client: Any, chance: random.Random) -> None:
    for _ in range(10):
        context = client.context(chance.choice("xyz"))
        try:
            if chance.random() < 0.1:
                context.delete()
            else:
                change(context, chance)
        except contextd.ContextNotFound:
            context.create()


CONDITIONS: list[dict[str, Any]] = [{}, {"key_prefix": "a/"}, {"metadata": {"user": "mia"}}]


def assert_seen(view: View, conditions: dict[str, Any], states: dict[str, Any]) -> None:
    """Whether a view holds what the server has, as far as it is to hold it."""
    seen = states_in(view)
    if "key_prefix" in conditions:
        # Changes of other entries are not told, nor what was done together with them.
        kept = {id: entries for id, (_, _, entries) in seen.items()}
        prefix = conditions["key_prefix"]
        assert kept == {
            id: {key: entry for key, entry in entries.items() if key.startswith(prefix)}
            for id, (_, _, entries) in states.items()
        }
        return
    selected = conditions.get("metadata", {}).items()
    assert seen == {id: state for id, state in states.items() if selected <= state[1].items()}


@pytest.mark.parametrize("conditions", CONDITIONS)
@pytest.mark.parametrize("start", [{}, {"from_oldest": True}, {"snapshot": True}])
@pytest.mark.parametrize("seed", range(2))
def test_views_are_what_the_server_has(
    client: Any, seed: int, start: dict[str, Any], conditions: dict[str, Any]
) -> None:
    chance = random.Random(seed)
    marker = contextd.NewContext(metadata={"user": "mia"})
    view = View(lambda id: client.context(id).snapshot(), **conditions)
    if start:
        change_some(client, chance)
    events = client.subscribe(**start, **conditions, progress=True).__enter__()
    for turn in range(5):
        change_some(client, chance)
        client.create(f"end-{turn}", marker)
        # A snapshot has it in no particular order: then all is there when it is caught up.
        while f"end-{turn}" not in view.contexts or not events.caught_up:
            event = next(events)
            view.apply(event)
            if chance.random() < 0.2:
                events.close()
                events = client.subscribe(cursor=event.cursor, **conditions, progress=True)
        assert_seen(view, conditions, states_of(client))
    events.close()


def test_a_live_view_begins_anew_where_events_were_lost(own_process: Any) -> None:
    process = own_process("--feed-retention-bytes", "1MiB")
    fell_behind, restarted, ended = (threading.Event() for _ in range(3))

    with (
        Client(process.address, timeout=60.0) as client,
        Client(process.address, timeout=60.0) as other,
    ):
        context = other.create("c")

        def hear(event: Event) -> None:
            if event.type is EventType.UPDATED and not fell_behind.is_set():
                fell_behind.set()
                # More than what is on its way to a view that does not go on.
                for _ in range(BUFFERED):
                    context.put("k", os.urandom(LARGE))
            elif event.context_id == "end":
                ended.set()

        def restart(_: contextd.CursorCompacted) -> None:
            restarted.set()

        with client.view(on_event=hear, on_restart=restart) as view:
            context.put("k", "v")
            assert restarted.wait(PATIENCE_SECONDS)
            other.create("end")
            assert ended.wait(PATIENCE_SECONDS)
            assert view.wait_ready(PATIENCE_SECONDS)
            assert view.beginnings > 1
            with view.read() as contexts:
                seen = {
                    id: (known.info.version, known.info.metadata, dict(known.entries))
                    for id, known in contexts.items()
                }
        assert seen == states_of(client)


def test_a_live_view_for_asyncio_begins_anew_where_events_were_lost(own_process: Any) -> None:
    process = own_process("--feed-retention-bytes", "1MiB")

    async def run() -> None:
        restarted = asyncio.Event()
        behind: list[Event] = []
        async with contextd.AsyncClient(process.address, timeout=60.0) as client:
            context = await client.create("c")

            def fall_behind(event: Event) -> None:
                # The loop stands still meanwhile, and the view with it.
                if event.type is EventType.UPDATED and not behind:
                    behind.append(event)
                    with Client(process.address, timeout=60.0) as other:
                        for _ in range(BUFFERED):
                            other.context("c").put("k", os.urandom(LARGE))

            view = client.view(on_event=fall_behind, on_restart=lambda _: restarted.set())
            async with view:
                await context.put("k", "v")
                await asyncio.wait_for(restarted.wait(), PATIENCE_SECONDS)
                assert await view.wait_ready(PATIENCE_SECONDS)
                assert view.beginnings > 1
                seen = view.get("c")
                assert seen is not None
                assert seen.entries["k"] == await context.get_entry("k")

    asyncio.run(run())
