"""Views: contexts that are built from events, compared with what really happened."""

from __future__ import annotations

import asyncio
import pickle
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import pytest

import contextd
from contextd import (
    Activity,
    Append,
    ContextInfo,
    ContextNotFound,
    Delete,
    DeleteMetadata,
    DeletePrefix,
    Entry,
    Event,
    EventType,
    Expiry,
    Mutation,
    Put,
    ReadNeeded,
    RecoveryPolicy,
    SetExpiry,
    SetMetadata,
    SetRecoveryPolicy,
    Snapshot,
    Splice,
    UnknownMutation,
    View,
)
from contextd.aio import AsyncView

NO_LABELS: Mapping[str, str] = {}


def info(version: int, metadata: Mapping[str, str] = NO_LABELS, id: str = "c") -> ContextInfo:
    times = (None, None, None, None)
    return ContextInfo("tests", id, "", "", metadata, version, version + 100, *times, 0, 0)


def happened(type: EventType, version: int, *mutations: Mutation, **fields: Any) -> Event:
    """An event of one context; ``metadata`` is what its context has."""
    context = info(version, fields.pop("metadata", {}), fields.pop("id", "c"))
    return Event(type, "tests", "cursor", context=context, mutations=mutations, **fields)


def created(*mutations: Mutation, version: int = 1, **fields: Any) -> Event:
    return happened(EventType.CREATED, version, *mutations, **fields)


def updated(version: int, *mutations: Mutation, **fields: Any) -> Event:
    return happened(EventType.UPDATED, version, *mutations, **fields)


def entries_of(view: Any, id: str = "c") -> dict[str, tuple[bytes, str, int]]:
    entries = view.contexts[id].entries
    assert all(key == entry.key for key, entry in entries.items())
    return {key: (e.value, e.content_type, e.version) for key, e in entries.items()}


def version_of(view: Any, id: str = "c") -> int:
    version: int = view.contexts[id].info.version
    return version


class Reader:
    """Gives a state as often as it is asked, and counts; without a state there is no context."""

    def __init__(self, snapshot: Optional[Snapshot]) -> None:
        self.snapshot = snapshot
        self.asked: list[str] = []

    def __call__(self, id: str) -> Snapshot:
        self.asked.append(id)
        if self.snapshot is None:
            raise ContextNotFound("gone")
        return self.snapshot


class Awaited:
    """The view for asyncio, called as if it were the other one."""

    def __init__(self, reader: Reader, **conditions: Any) -> None:
        async def read(id: str) -> Snapshot:
            return reader(id)

        self.view = AsyncView(read, **conditions)
        self.contexts = self.view.contexts

    def apply(self, event: Event) -> None:
        asyncio.run(self.view.apply(event))


@pytest.fixture(params=[View, Awaited])
def kind(request: pytest.FixtureRequest) -> Any:
    """Both kinds of view that have a reader."""
    return request.param


# Steps.


@pytest.mark.parametrize(
    ("steps", "after"),
    [
        ([Put("a", b"1", "t")], {"a": (b"1", "t", 2), "k": (b"abc", "old", 1)}),
        ([Put("k", b"1", "")], {"k": (b"1", "", 2)}),
        ([Append("k", b"d", "new")], {"k": (b"abcd", "old", 2)}),
        ([Append("a", b"d", "new")], {"a": (b"d", "new", 2), "k": (b"abc", "old", 1)}),
        ([Splice("k", 2, b"XY", "new")], {"k": (b"abXY", "new", 2)}),
        ([Splice("k", 3, b"", "new")], {"k": (b"abc", "new", 2)}),
        ([Delete("k")], {}),
        ([Delete("none")], {"k": (b"abc", "old", 1)}),
        ([DeletePrefix("")], {}),
        ([DeletePrefix("k")], {}),
        ([DeletePrefix("ka")], {"k": (b"abc", "old", 1)}),
        ([Delete("k"), Append("k", b"x", "t")], {"k": (b"x", "t", 2)}),
        ([Put("k", b"xyz"), Splice("k", 1, b"!")], {"k": (b"x!", "", 2)}),
        (
            [Put("p/1", b""), Put("p/2", b""), Put("q", b""), DeletePrefix("p/")],
            {"k": (b"abc", "old", 1), "q": (b"", "", 2)},
        ),
        (
            [SetMetadata("a", "b"), DeleteMetadata("a"), SetExpiry(Expiry(None)), Activity("m")],
            {"k": (b"abc", "old", 1)},
        ),
    ],
)
def test_steps_are_applied_in_their_order(
    steps: Sequence[Mutation], after: dict[str, tuple[bytes, str, int]]
) -> None:
    view = View()
    view.apply(created(Put("k", b"abc", "old")))
    view.apply(updated(2, *steps, metadata={"user": "mia"}))
    assert entries_of(view) == after
    assert version_of(view) == 2
    assert view.contexts["c"].info.metadata == {"user": "mia"}


def test_a_splice_that_does_not_fit_is_told() -> None:
    view = View()
    view.apply(created(Put("k", b"abc")))
    for key in ("k", "none"):
        with pytest.raises(ValueError, match="shorter than what is kept"):
            view.apply(updated(2, Splice(key, 4, b"d")))


# Events.


@pytest.mark.parametrize("end", [EventType.DELETED, EventType.EXPIRED])
def test_what_ends_leaves_the_view(end: EventType) -> None:
    view = View()
    view.apply(created(Put("k", b"v")))
    view.apply(happened(end, 1))
    view.apply(happened(end, 1))
    assert dict(view.contexts) == {}
    view.apply(created(version=3))
    assert entries_of(view) == {}
    view.apply(happened(end, 1))
    assert version_of(view) == 3


def test_a_snapshot_replaces_what_was_known() -> None:
    view = View()
    view.apply(created(Put("old", b"v")))
    view.apply(happened(EventType.SNAPSHOT, 7, entries=(Entry("k", b"v", "t", 5),)))
    assert entries_of(view) == {"k": (b"v", "t", 5)}
    view.apply(updated(8, Append("k", b"w")))
    assert entries_of(view) == {"k": (b"vw", "t", 8)}


def test_a_context_that_begins_anew_is_empty() -> None:
    view = View()
    view.apply(created(Put("k", b"v")))
    view.apply(created(Put("l", b"v"), version=5))
    assert entries_of(view) == {"l": (b"v", "", 5)}


def test_an_event_may_come_again() -> None:
    view = View()
    events = [created(Put("k", b"v")), updated(2, Append("k", b"w")), updated(3, Append("k", b"x"))]
    for event in [*events, *events[1:]]:
        view.apply(event)
    assert entries_of(view) == {"k": (b"vwx", "", 3)}


def test_events_that_change_no_entry_keep_the_head_up_to_date() -> None:
    view = View()
    view.apply(created(Put("k", b"v")))
    later = happened(EventType.ACTIVATED, 1)
    assert later.context is not None
    fenced = replace(later.context, fence=7, revision=500)
    view.apply(replace(later, context=fenced))
    assert view.contexts["c"].info == fenced
    view.apply(happened(EventType.ACTIVITY, 1, Activity("m"), reset=True))
    assert entries_of(view) == {"k": (b"v", "", 1)}


@pytest.mark.parametrize(
    "event",
    [
        Event(EventType.SESSION_STARTED, "tests", "1"),
        Event(EventType.PROGRESS, "tests", "1"),
        happened(EventType.ACTIVITY, 5, Activity("m")),
        happened(EventType.DEACTIVATED, 5),
        happened(EventType.HISTORY_TRIMMED, 5),
        happened(EventType.DELETED, 5),
        happened(EventType.RECOVERY_POINT_CREATED, 5),
        happened(EventType.RECOVERY_POINT_UPDATED, 5),
        happened(EventType.RECOVERY_POINT_DELETED, 5),
    ],
)
def test_what_tells_of_no_state_changes_nothing(event: Event) -> None:
    view = View()
    view.apply(event)
    assert dict(view.contexts) == {}


@pytest.mark.parametrize("type", [EventType.RESTORED, EventType.MERGED])
def test_a_restore_and_a_merge_say_what_differs_from_before(type: EventType) -> None:
    view = View()
    view.apply(created(Put("k", b"v"), Put("l", b"v"), metadata={"user": "mia"}))
    steps: list[Mutation] = [Delete("k"), Put("l", b"w", "t"), SetMetadata("user", "zoe")]
    view.apply(happened(type, 2, *steps, metadata={"user": "zoe"}, recovery_point_id="p"))
    assert entries_of(view) == {"l": (b"w", "t", 2)}
    assert view.contexts["c"].info.metadata == {"user": "zoe"}
    view.apply(happened(EventType.RECOVERY_POINT_CREATED, 2, metadata={"user": "zoe"}))
    view.apply(updated(3, Append("l", b"!"), metadata={"user": "zoe"}))
    assert entries_of(view) == {"l": (b"w!", "t", 3)}


def test_a_recovery_point_that_comes_before_its_change_hides_nothing() -> None:
    view = View()
    view.apply(created(Put("k", b"v")))
    view.apply(happened(EventType.RECOVERY_POINT_CREATED, 2))
    assert version_of(view) == 1
    view.apply(updated(2, Put("k", b"w")))
    assert entries_of(view) == {"k": (b"w", "", 2)}
    # One that tells the change itself is taken at its word.
    view.apply(happened(EventType.RECOVERY_POINT_CREATED, 3, Put("k", b"x")))
    assert entries_of(view) == {"k": (b"x", "", 3)}


def test_a_policy_is_known_without_a_reader() -> None:
    view = View()
    view.apply(created(Put("k", b"v")))
    view.apply(updated(2, SetRecoveryPolicy(RecoveryPolicy(point_every_changes=7))))
    assert version_of(view) == 2


def test_the_contexts_are_for_reading() -> None:
    with pytest.raises(TypeError):
        View().contexts["c"] = None  # type: ignore[index]


# What must be read.

NEEDY = [
    updated(4, reset=True),
    created(version=4, reset=True),
    happened(EventType.FORKED, 4, reset=True),
    happened(EventType.FORKED, 4),
    happened(EventType.RESTORED, 4, reset=True),
    happened(EventType.MERGED, 4, reset=True),
    updated(4, Put("a", b"b"), UnknownMutation("new_kind")),
]


@pytest.mark.parametrize("event", NEEDY)
def test_without_a_reader_it_says_what_to_read(event: Event) -> None:
    view = View()
    view.apply(created(Put("k", b"v")))
    with pytest.raises(ReadNeeded, match="give the view a reader") as caught:
        view.apply(event)
    assert caught.value.context_id == "c"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert entries_of(view) == {"k": (b"v", "", 1)}
    assert version_of(view) == 1


@pytest.mark.parametrize(
    ("known", "event"),
    [
        *((known, event) for known in (True, False) for event in NEEDY),
        (False, updated(4, Put("a", b"b"))),
        # It was deleted, and is brought back.
        (False, happened(EventType.RESTORED, 4, Put("a", b"b"))),
        (False, happened(EventType.MERGED, 4, Put("a", b"b"))),
    ],
)
def test_what_was_not_told_is_read_once(kind: Any, event: Event, known: bool) -> None:
    reader = Reader(Snapshot(6, {"user": "mia"}, [Entry("k", b"read", "t", 5)]))
    view = kind(reader)
    if known:
        view.apply(created(Put("k", b"v")))
    view.apply(event)
    # These were in what was read already.
    view.apply(updated(5, Append("k", b"x")))
    view.apply(updated(6, reset=True))
    assert entries_of(view) == {"k": (b"read", "t", 5)}
    view.apply(updated(7, Append("k", b"!")))
    assert entries_of(view) == {"k": (b"read!", "t", 7)}
    assert reader.asked == ["c"]


def test_a_context_that_is_gone_meanwhile_leaves_the_view(kind: Any) -> None:
    view = kind(Reader(None))
    view.apply(created(Put("k", b"v")))
    view.apply(updated(2, reset=True))
    assert dict(view.contexts) == {}
    view.apply(happened(EventType.DELETED, 2))
    assert dict(view.contexts) == {}


def test_one_that_was_read_after_it_was_created_anew_outlives_the_delete(kind: Any) -> None:
    view = kind(Reader(Snapshot(9, {}, [])))
    view.apply(updated(2, Put("k", b"v")))
    view.apply(updated(3, Put("k", b"w")))
    view.apply(happened(EventType.DELETED, 3))
    view.apply(created(Put("k", b"x"), version=9))
    assert entries_of(view) == {}
    assert version_of(view) == 9


def test_a_reader_that_is_behind_is_told(kind: Any) -> None:
    view = kind(Reader(Snapshot(3, {}, [])))
    with pytest.raises(ValueError, match="older than the event"):
        view.apply(updated(4, reset=True))


# Conditions.


def test_only_keys_of_the_subscription_are_followed(kind: Any) -> None:
    reader = Reader(Snapshot(9, {}, [Entry("m/1", b"r", "", 9), Entry("other", b"r", "", 9)]))
    view = kind(reader, key_prefix="m/")
    view.apply(created(Put("m/1", b"v"), Put("other", b"v")))
    # What came between, without an entry of these, was not told.
    view.apply(updated(4, Splice("other", 5000, b"w"), Append("m/1", b"w"), Delete("none")))
    assert entries_of(view) == {"m/1": (b"vw", "", 4)}
    view.apply(updated(5, DeletePrefix("m")))
    assert entries_of(view) == {}
    view.apply(happened(EventType.SNAPSHOT, 6, entries=(Entry("m/2", b"v", "", 5),)))
    view.apply(updated(7, reset=True))
    assert entries_of(view) == {"m/1": (b"r", "", 9)}


def test_contexts_come_and_go_with_their_labels(kind: Any) -> None:
    mia: Any = {"metadata": {"user": "mia", "a": "b"}}
    reader = Reader(Snapshot(5, {"user": "mia"}, [Entry("k", b"read", "", 4)]))
    view = kind(reader, metadata={"user": "mia"})
    view.apply(created(Put("k", b"v"), **mia))
    view.apply(updated(2, DeleteMetadata("user"), metadata={"a": "b"}))
    assert dict(view.contexts) == {}
    # This takes it out again: who never had it need not read it.
    view.apply(updated(3, Put("k", b"w"), metadata={"user": "zoe"}))
    assert reader.asked == []
    view.apply(updated(5, SetMetadata("user", "mia"), **mia))
    assert entries_of(view) == {"k": (b"read", "", 4)}
    reader.snapshot = Snapshot(9, {"user": "zoe"}, [])
    view.apply(updated(7, reset=True, **mia))
    assert dict(view.contexts) == {}


# Against what really happens.


class Model:
    """A context as lists of what was written, each read as slowly and plainly as it can be."""

    KEYS = ("a", "ab", "abc", "b", "é", "éa")
    PREFIXES = ("", "a", "ab", "abcd", "é")

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.version = 0
        self.rows: list[tuple[str, bytes, str, int]] = []
        self.metadata: dict[str, str] = {}

    def row(self, key: str) -> Optional[tuple[str, bytes, str, int]]:
        return next((row for row in self.rows if row[0] == key), None)

    def set(self, key: str, value: bytes, content_type: str) -> None:
        self.rows = [row for row in self.rows if row[0] != key]
        self.rows.append((key, value, content_type, self.version))

    def step(self) -> Mutation:
        """Changes something, and tells it as the server would."""
        chance = self.chance
        key = chance.choice(self.KEYS)
        value = bytes(chance.choices(b"xyz", k=chance.randrange(6)))
        content_type = chance.choice(["", "t"])
        old = self.row(key)
        kind = chance.randrange(7)
        if kind == 0:
            self.set(key, value, content_type)
            return Put(key, value, content_type)
        if kind == 1:
            self.set(key, old[1] + value, old[2]) if old else self.set(key, value, content_type)
            return Append(key, value, content_type)
        if kind == 2 and old is not None:
            kept = chance.randrange(len(old[1]) + 1)
            self.set(key, old[1][:kept] + value, content_type)
            return Splice(key, kept, value, content_type)
        if kind == 3:
            self.rows = [row for row in self.rows if row[0] != key]
            return Delete(key)
        if kind == 4:
            prefix = chance.choice(self.PREFIXES)
            self.rows = [row for row in self.rows if not row[0].startswith(prefix)]
            return DeletePrefix(prefix)
        if kind == 5 and self.metadata:
            self.metadata.popitem()
            return DeleteMetadata("the last one")
        self.metadata = {**self.metadata, key: str(self.version)}
        return SetMetadata(key, str(self.version))

    def change(self, type: EventType) -> Event:
        self.version += 1
        steps = tuple(self.step() for _ in range(self.chance.randrange(5)))
        return happened(type, self.version, *steps, metadata=dict(self.metadata))

    def begin(self) -> Event:
        self.rows, self.metadata = [], {}
        return self.change(EventType.CREATED)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.version, self.metadata, [Entry(*row) for row in self.rows])


@pytest.mark.parametrize("seed", range(40))
def test_a_view_is_what_really_happened(seed: int) -> None:
    chance = random.Random(seed)
    model = Model(chance)
    reader = Reader(None)
    view = View(reader)
    there = False
    for _ in range(200):
        if not there:
            event = model.begin()
            there = True
        elif chance.random() < 0.05:
            event = happened(EventType.DELETED, model.version, metadata=dict(model.metadata))
            there = False
        elif chance.random() < 0.1:
            event = replace(model.change(EventType.UPDATED), reset=True, mutations=())
        else:
            kinds = [EventType.UPDATED, EventType.RESTORED, EventType.MERGED]
            event = model.change(chance.choice(kinds))
        reader.snapshot = model.snapshot()
        view.apply(event)
        if chance.random() < 0.1:
            view.apply(event)
        assert set(view.contexts) == ({"c"} if there else set())
        if there:
            expected = {row[0]: row[1:] for row in model.rows}
            assert entries_of(view) == expected, f"seed {seed}, version {model.version}"
            assert view.contexts["c"].info.metadata == model.metadata


def test_views_are_exported() -> None:
    assert contextd.AsyncView is AsyncView


def test_an_event_that_is_newer_than_the_client_ends_the_view() -> None:
    with pytest.raises(contextd.NewerServer):
        View().apply(happened(EventType.UNKNOWN, 5))
