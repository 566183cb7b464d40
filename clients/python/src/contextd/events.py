"""What happens to contexts and sessions, as a subscription tells it.

What each type of event holds, and what is promised, is in the project's docs/events.md.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, NamedTuple, Optional, Union

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


@dataclass(frozen=True)
class Event:
    """What one change did to one context or session.

    A change of several contexts makes several events of the same revision.

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
    """

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

    @property
    def context_id(self) -> str:
        """The context's id. Empty for events of sessions."""
        return "" if self.context is None else self.context.id


POSITIONS = frozenset({EventType.CAUGHT_UP, EventType.PROGRESS})
"""The types that are no events, but only positions."""

NUMBERS: Mapping[EventType, tracker_pb2.EventType.ValueType] = {
    type: tracker_pb2.EventType.Value(f"EVENT_TYPE_{type.name}")
    for type in EventType
    if type not in POSITIONS and type is not EventType.UNKNOWN
}
"""The numbers of the API for the types of events."""

_TYPES: Mapping[int, EventType] = {number: type for type, number in NUMBERS.items()}


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


def event_of(event: tracker_pb2.Event) -> Event:
    """Reads an event's message."""
    return Event(
        type=_TYPES.get(event.type, EventType.UNKNOWN),
        namespace=event.namespace,
        cursor=event.cursor,
        revision=event.revision,
        time=time_of(event.HasField("time"), event.time),
        context=info_of(event.context) if event.HasField("context") else None,
        mutations=tuple(map(mutation_of, event.mutations)),
        entries=tuple(map(entry_of, event.entries)),
        reset=event.reset,
        session_id=event.session_id,
        session=session_of(event.session) if event.HasField("session") else None,
        activation=activation_of(event.activation) if event.HasField("activation") else None,
        recovery_point_id=event.recovery_point_id,
        trimmed=tuple(SequenceRange(gone.first, gone.last) for gone in event.trimmed),
    )
