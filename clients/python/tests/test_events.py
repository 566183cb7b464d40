"""What the messages of a subscription become."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Callable

import pytest

import contextd
from contextd import Activity, Event, EventType, Expiry
from contextd._requests import duration
from contextd.events import NUMBERS, POSITIONS, event_of, mutation_of
from contextd.v1 import resources_pb2, tracker_pb2

NOON = datetime(2026, 3, 4, 12, 0, 0, 250000, timezone.utc)


def test_every_type_of_the_api_has_its_own() -> None:
    numbers = set(tracker_pb2.EventType.values()) - {tracker_pb2.EVENT_TYPE_UNSPECIFIED}
    assert set(NUMBERS.values()) == numbers
    for type, number in NUMBERS.items():
        assert event_of(tracker_pb2.Event(type=number)).type is type
    assert set(EventType) - set(NUMBERS) == POSITIONS | {EventType.UNKNOWN}


def test_a_type_of_a_newer_server_is_unknown() -> None:
    message = tracker_pb2.Event.FromString(b"\x08\xe7\x07\x1a\x01c")
    assert event_of(message) == Event(EventType.UNKNOWN, "", "c")


def test_every_field_of_an_event_is_read() -> None:
    message = tracker_pb2.Event(
        type=tracker_pb2.EVENT_TYPE_ACTIVATED,
        namespace="tests",
        cursor="at-7",
        revision=7,
        context=resources_pb2.Context(id="c", version=3, metadata={"a": "b"}),
        mutations=[resources_pb2.Mutation(delete_entry=resources_pb2.DeleteEntry(key="k"))],
        entries=[resources_pb2.Entry(key="k", value=b"v", content_type="t", version=2)],
        reset=True,
        session_id="s-1",
        session=tracker_pb2.Session(id="s-1", owner="mia"),
        activation=tracker_pb2.Activation(context_id="c", fence=9, exclusive=True),
        recovery_point_id="p-1",
        trimmed=[tracker_pb2.SequenceRange(first=1, last=4)],
    )
    message.time.FromDatetime(NOON)
    event = event_of(message)
    assert (event.type, event.namespace, event.cursor) == (EventType.ACTIVATED, "tests", "at-7")
    assert (event.revision, event.time, event.session_id) == (7, NOON, "s-1")
    assert event.context is not None
    assert (event.context_id, event.context.version, event.context.metadata) == ("c", 3, {"a": "b"})
    assert event.mutations == (contextd.Delete("k"),)
    assert event.entries == (contextd.Entry("k", b"v", "t", 2),)
    assert event.session is not None
    assert (event.session.id, event.session.owner) == ("s-1", "mia")
    assert event.activation == contextd.Activation("c", True, 9, None)
    assert (event.reset, event.recovery_point_id) == (True, "p-1")
    assert event.trimmed == (contextd.SequenceRange(1, 4),)
    # Parts are joined before; nothing else of the message is left out.
    names = {field.name for field in tracker_pb2.Event.DESCRIPTOR.fields}
    assert names - {"more"} == {field.name for field in fields(Event)}


def test_what_is_not_told_is_absent() -> None:
    event = event_of(tracker_pb2.Event(type=tracker_pb2.EVENT_TYPE_SESSION_LOST, cursor="c"))
    assert event == Event(EventType.SESSION_LOST, "", "c")
    assert event.context_id == ""


@pytest.mark.parametrize("copied", [copy.copy, lambda e: pickle.loads(pickle.dumps(e)), replace])
def test_a_copy_has_every_field_and_keeps_no_message(copied: Callable[[Event], Event]) -> None:
    message = tracker_pb2.Event(
        type=tracker_pb2.EVENT_TYPE_UPDATED,
        cursor="c",
        context=resources_pb2.Context(id="c", version=3),
        mutations=[resources_pb2.Mutation(delete_entry=resources_pb2.DeleteEntry(key="k"))],
    )
    event = event_of(message)
    copy_of_it = copied(event)
    message.Clear()
    assert copy_of_it.context_id == "c"
    assert copy_of_it == Event(
        EventType.UPDATED,
        "",
        "c",
        context=copy_of_it.context,
        mutations=(contextd.Delete("k"),),
    )


def test_an_event_that_was_told_does_not_change() -> None:
    event = event_of(tracker_pb2.Event(cursor="c"))
    with pytest.raises(FrozenInstanceError):
        event.cursor = "d"  # type: ignore[misc]


MUTATIONS: list[tuple[dict[str, Any], Any]] = [
    (
        {"put_entry": resources_pb2.PutEntry(key="k", value=b"v", content_type="t")},
        contextd.Put("k", b"v", "t"),
    ),
    (
        {"append_entry": resources_pb2.AppendEntry(key="k", value=b"v", content_type="t")},
        contextd.Append("k", b"v", "t"),
    ),
    (
        {
            "splice_entry": resources_pb2.SpliceEntry(
                key="k", kept_size=7, value=b"v", content_type="t"
            )
        },
        contextd.Splice("k", 7, b"v", "t"),
    ),
    ({"delete_entry": resources_pb2.DeleteEntry(key="k")}, contextd.Delete("k")),
    ({"delete_entries": resources_pb2.DeleteEntries(prefix="p")}, contextd.DeletePrefix("p")),
    (
        {"set_metadata": resources_pb2.SetMetadata(key="k", value="v")},
        contextd.SetMetadata("k", "v"),
    ),
    ({"delete_metadata": resources_pb2.DeleteMetadata(key="k")}, contextd.DeleteMetadata("k")),
    (
        {"set_expiry": resources_pb2.SetExpiry(ttl=duration(timedelta(seconds=90)), sliding=True)},
        contextd.SetExpiry(Expiry(timedelta(seconds=90), sliding=True)),
    ),
    (
        {"record_activity": resources_pb2.Activity(type="message", data=b"d", sequence=5)},
        Activity("message", b"d", sequence=5),
    ),
    (
        {"set_recovery_policy": resources_pb2.SetRecoveryPolicy()},
        contextd.SetRecoveryPolicy(None),
    ),
    (
        {
            "set_recovery_policy": resources_pb2.SetRecoveryPolicy(
                policy=resources_pb2.RecoveryPolicy(point_every_changes=7)
            )
        },
        contextd.SetRecoveryPolicy(contextd.RecoveryPolicy(point_every_changes=7)),
    ),
    ({}, contextd.UnknownMutation("")),
]


@pytest.mark.parametrize(("message", "mutation"), MUTATIONS)
def test_a_mutation_says_what_was_done(message: dict[str, Any], mutation: Any) -> None:
    assert mutation_of(resources_pb2.Mutation(**message)) == mutation


def test_every_kind_of_mutation_is_looked_at() -> None:
    kinds = {field.name for field in resources_pb2.Mutation.DESCRIPTOR.oneofs[0].fields}
    assert kinds == {kind for message, _ in MUTATIONS for kind in message}


def test_an_expiry_without_a_time_is_for_ever() -> None:
    step = resources_pb2.Mutation(set_expiry=resources_pb2.SetExpiry())
    assert mutation_of(step) == contextd.SetExpiry(Expiry(None))
