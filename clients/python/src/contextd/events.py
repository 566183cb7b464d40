"""What happens to contexts and sessions, as a subscription tells it.

What each type of event holds, and what is promised, is in the project's docs/events.md.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Callable, NamedTuple, Optional, Union

from contextd.tracking import (
    Activation,
    Activity,
    SessionInfo,
    activation_of,
    activity_of,
    session_of,
)
from contextd.v1 import resources_pb2, tracker_pb2
from contextd.values import (
    ContextInfo,
    Entry,
    Expiry,
    RecoveryPolicy,
    entry_of,
    info_of,
    length_of,
    policy_of,
    time_of,
)


class EventType(enum.Enum):
    """What happened."""

    UNKNOWN = "unknown"
    """Something that this version of the package does not know."""
    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    EXPIRED = "expired"
    """Deleted by its time to live."""
    RESTORED = "restored"
    """Set back to an earlier state, or brought back. The mutations say what differs from the
    context before."""
    FORKED = "forked"
    """Made from a state of another context; ``context.forked_from`` says which. What it holds is
    to be read: ``reset`` is always set."""
    MERGED = "merged"
    """Got what changed in another context. The mutations say what differs from before."""
    ACTIVITY = "activity"
    """Activities recorded by themselves. Those of an update come with it."""
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    RECOVERY_POINT_CREATED = "recovery_point_created"
    RECOVERY_POINT_DELETED = "recovery_point_deleted"
    SNAPSHOT = "snapshot"
    """A context as it is, for a subscription that begins with a snapshot."""
    SESSION_STARTED = "session_started"
    SESSION_ENDED = "session_ended"
    SESSION_LOST = "session_lost"
    """A session that was not renewed in time."""
    HISTORY_TRIMMED = "history_trimmed"
    """Activities that are gone: by a bound, or because somebody made the history smaller."""
    RECOVERY_POINT_UPDATED = "recovery_point_updated"
    SESSION_SWITCHED = "session_switched"
    """A session made another context its current one."""
    CAUGHT_UP = "caught_up"
    """No event, only a position, and handed out only with ``progress``: what had happened has
    been told, what follows is live. After a reconnect it comes again."""
    PROGRESS = "progress"
    """No event, only a position, and handed out only with ``progress``: there was nothing to
    tell up to here."""


@dataclass(frozen=True)
class Put:
    """Sets an entry, whether or not it exists.

    Attributes:
        key: The entry's key; so it is in the kinds below.
        value: Its bytes. Empty without values.
        content_type: The media type, or tag, that is kept with it.
    """

    key: str
    value: bytes
    content_type: str = ""


@dataclass(frozen=True)
class Append:
    """Adds to the end of an entry, or creates it.

    Attributes:
        key: The entry's key.
        value: The bytes that are added. Empty without values.
        content_type: That of a new entry; one that exists keeps its own.
    """

    key: str
    value: bytes
    content_type: str = ""


@dataclass(frozen=True)
class Splice:
    """Keeps the beginning of an entry's value, and puts other bytes behind it.

    It is what the server made of a put whose value began as the one before it.

    Attributes:
        key: The entry's key.
        kept_size: How many bytes of the value stay.
        value: The bytes behind them. Empty without values.
        content_type: The entry's content type from now on.
    """

    key: str
    kept_size: int
    value: bytes
    content_type: str = ""


@dataclass(frozen=True)
class Delete:
    """Removes an entry, if there is one."""

    key: str


@dataclass(frozen=True)
class DeletePrefix:
    """Removes every entry whose key begins with ``prefix``; all of them where it is empty."""

    prefix: str


@dataclass(frozen=True)
class SetMetadata:
    """Sets a label."""

    key: str
    value: str


@dataclass(frozen=True)
class DeleteMetadata:
    """Removes a label, if there is one."""

    key: str


@dataclass(frozen=True)
class SetExpiry:
    """Sets how long the context lives from then on."""

    expiry: Expiry


@dataclass(frozen=True)
class SetRecoveryPolicy:
    """Sets which recovery points the context gets and keeps. ``None``: as the server's policy."""

    policy: Optional[RecoveryPolicy]


@dataclass(frozen=True)
class UnknownMutation:
    """A step of a kind that this version of the package does not know.

    To know the context it must be read anew.

    Attributes:
        kind: Its name in the API, or empty.
    """

    kind: str


Mutation = Union[
    Put,
    Append,
    Splice,
    Delete,
    DeletePrefix,
    SetMetadata,
    DeleteMetadata,
    SetExpiry,
    SetRecoveryPolicy,
    Activity,
    UnknownMutation,
]
"""One step of a change. The steps of an event were applied in their order."""


class SequenceRange(NamedTuple):
    """Activities of one history: those numbered ``first`` to ``last``, both included."""

    first: int
    last: int


class _Told:
    """The room that an event has, so that it can become one: for its fields, and for the message
    that they are read of. An event that a program makes has no message.
    """

    __slots__ = (
        "__weakref__",
        "_message",
        "activation",
        "context",
        "context_id",
        "cursor",
        "entries",
        "mutations",
        "namespace",
        "recovery_point_id",
        "reset",
        "revision",
        "session",
        "session_id",
        "time",
        "trimmed",
        "type",
    )

    _message: tracker_pb2.Event
    type: EventType
    cursor: str
    context_id: str


@dataclass(frozen=True)
class Event(_Told):
    """What one change did to one context or session.

    A change of several contexts makes several events of the same revision.

    What a subscription hands out is read of the server's message when it is asked for, once: a
    program pays for the fields that it looks at. Until it is dropped it keeps that message,
    events beside it too, up to 1 MiB; a copy (``copy.copy``) keeps only what it holds.

    Attributes:
        type: What happened.
        namespace: The namespace that isolates it.
        cursor: The position right behind it: store it with what you make of the event.
        revision: The position of the change among all changes of the server.
        time: When the change was made, in UTC.
        context: The context after the change; before it, where it is deleted or expires.
            ``None`` for events of sessions.
        mutations: What was done, as it was applied.
        entries: Of a snapshot: the entries as they are, in the order of their keys.
        reset: What was done is not told (it is too large, a fork, ...): read the context anew.
        session_id: Who did it, or empty; of an activation, whose it is.
        session: Of events of sessions: the session, without its activations.
        activation: Of activations. Of one that ended only its ``context_id`` is told.
        recovery_point_id: Of events of recovery points; of a restore, the one it went back to.
        trimmed: Of a history that was made smaller: the activities that are gone.
        context_id: The context's id, of ``context``. Empty for events of sessions.
    """

    __slots__ = ()

    type: EventType
    namespace: str
    cursor: str
    revision: int = 0
    time: Optional[datetime] = None
    context: Optional[ContextInfo] = None
    mutations: tuple[Mutation, ...] = ()
    entries: tuple[Entry, ...] = ()
    reset: bool = False
    session_id: str = ""
    session: Optional[SessionInfo] = None
    activation: Optional[Activation] = None
    recovery_point_id: str = ""
    trimmed: tuple[SequenceRange, ...] = ()

    def __post_init__(self) -> None:
        """Knows its context."""
        object.__setattr__(self, "context_id", "" if self.context is None else self.context.id)

    def __reduce__(self) -> tuple[Any, ...]:
        """Is copied with all its fields, and without the message."""
        return type(self), tuple(getattr(self, field.name) for field in fields(self))


POSITIONS = frozenset({EventType.CAUGHT_UP, EventType.PROGRESS})
"""The types that are no events, but only positions."""

NUMBERS: Mapping[EventType, tracker_pb2.EventType.ValueType] = {
    type: tracker_pb2.EventType.Value(f"EVENT_TYPE_{type.name}")
    for type in EventType
    if type not in POSITIONS and type is not EventType.UNKNOWN
}
"""The numbers of the API for the types of events."""

_TYPES: Mapping[int, EventType] = {number: type for type, number in NUMBERS.items()}
_UNKNOWN = EventType.UNKNOWN


def _expiry_of(expiry: resources_pb2.SetExpiry) -> Expiry:
    return Expiry(length_of(expiry.HasField("ttl"), expiry.ttl), expiry.sliding)


def _set_policy_of(step: resources_pb2.SetRecoveryPolicy) -> SetRecoveryPolicy:
    return SetRecoveryPolicy(policy_of(step.policy) if step.HasField("policy") else None)


_MUTATIONS: Mapping[str, Callable[[resources_pb2.Mutation], Mutation]] = {
    "put_entry": lambda step: Put(
        step.put_entry.key, step.put_entry.value, step.put_entry.content_type
    ),
    "append_entry": lambda step: Append(
        step.append_entry.key, step.append_entry.value, step.append_entry.content_type
    ),
    "splice_entry": lambda step: Splice(
        step.splice_entry.key,
        step.splice_entry.kept_size,
        step.splice_entry.value,
        step.splice_entry.content_type,
    ),
    "delete_entry": lambda step: Delete(step.delete_entry.key),
    "delete_entries": lambda step: DeletePrefix(step.delete_entries.prefix),
    "set_metadata": lambda step: SetMetadata(step.set_metadata.key, step.set_metadata.value),
    "delete_metadata": lambda step: DeleteMetadata(step.delete_metadata.key),
    "set_expiry": lambda step: SetExpiry(_expiry_of(step.set_expiry)),
    "set_recovery_policy": lambda step: _set_policy_of(step.set_recovery_policy),
    "record_activity": lambda step: activity_of(step.record_activity),
}


def mutation_of(mutation: resources_pb2.Mutation) -> Mutation:
    """Reads a mutation's message."""
    kind = mutation.WhichOneof("kind") or ""
    read = _MUTATIONS.get(kind)
    return UnknownMutation(kind) if read is None else read(mutation)


class _Read:
    """A field that is read of an event's message when it is asked for the first time."""

    def __init__(self, name: str, read: Callable[[tracker_pb2.Event], object]) -> None:
        room = vars(_Told)[name]  # The slot: there it stays.
        self._get: Callable[[Event], object] = room.__get__
        self._set: Callable[[Event, object], None] = room.__set__
        self._read = read

    def __get__(self, event: Optional[Event], owner: Optional[type] = None) -> object:
        if event is None:
            return self
        try:
            return self._get(event)
        except AttributeError:
            value = self._read(event._message)
            self._set(event, value)
            return value

    def __set__(self, event: Event, value: object) -> None:
        self._set(event, value)


_READERS: Mapping[str, Callable[[tracker_pb2.Event], object]] = {
    "namespace": attrgetter("namespace"),
    "revision": attrgetter("revision"),
    "time": lambda event: time_of(event.HasField("time"), event.time),
    "context": lambda event: info_of(event.context) if event.HasField("context") else None,
    "mutations": lambda event: tuple(map(mutation_of, event.mutations)),
    "entries": lambda event: tuple(map(entry_of, event.entries)),
    "reset": attrgetter("reset"),
    "session_id": attrgetter("session_id"),
    "session": lambda event: session_of(event.session) if event.HasField("session") else None,
    "activation": lambda event: (
        activation_of(event.activation) if event.HasField("activation") else None
    ),
    "recovery_point_id": attrgetter("recovery_point_id"),
    "trimmed": lambda event: tuple(SequenceRange(gone.first, gone.last) for gone in event.trimmed),
}

# Only now: a dataclass takes what stands at a field's name for its default.
for _name, _read in _READERS.items():
    setattr(Event, _name, _Read(_name, _read))


def event_of(message: tracker_pb2.Event) -> Event:
    """Makes the event of a message, which must change no more."""
    return events_of([message])[0]


def events_of(messages: Iterable[tracker_pb2.Event]) -> list[Event]:
    """Makes the events of messages, which must change no more.

    What nearly every program looks at is read now, which costs less than to be asked for it; the
    other fields are read when they are asked for.
    """
    events: list[Any] = []
    for message in messages:
        # Who fills in an event must not change it: this one is none yet. Event.__new__() and
        # object.__setattr__() would cost thrice as much.
        told = _Told()
        told._message = message
        told.type = _TYPES.get(message.type, _UNKNOWN)
        told.cursor = message.cursor
        told.context_id = message.context.id
        told.__class__ = Event
        events.append(told)
    return events
