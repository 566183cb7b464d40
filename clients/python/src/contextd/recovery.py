"""Recovery points, forks and merges: what is asked for, and what the server tells."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Callable, NamedTuple, Optional, Union

from contextd.draft import Draft
from contextd.errors import ContextdError, NewerServer
from contextd.tracking import Recordable
from contextd.v1 import recovery_pb2, resources_pb2
from contextd.values import (
    ContextInfo,
    Entry,
    Expiry,
    RecoveryPolicy,
    Value,
    entry_of,
    info_of,
    time_of,
)


class PointOrigin(enum.Enum):
    """Why a recovery point was made."""

    UNKNOWN = "unknown"
    CLIENT = "client"
    POLICY = "policy"
    """By the context's policy."""
    SAFETY = "safety"
    """The state just before a restore or a merge."""
    SESSION_LOSS = "session_loss"
    """A session was lost."""


@dataclass(frozen=True)
class RecoveryPoint:
    """A state of a context that is kept, and what lies beside it.

    The points of a context form a tree. They order by ``sequence``, never by time.

    Attributes:
        namespace: The namespace of its context.
        context_id: The context.
        id: 1 to 128 bytes; unique in the context.
        parent_id: The point that its state was made from. Empty: the first one.
        sequence: Order of creation in the context, from 1.
        version: The version whose state it keeps. One with changes of its own has a version of
            its own.
        create_time: When it was made, in UTC.
        expire_time: When it is dropped by itself, in UTC. ``None``: never.
        pinned: Whether no policy drops it.
        origin: Why it was made.
        metadata: Its own labels; at most 64.
        entry_count: How many entries its state has.
        size_bytes: Bytes of all their keys and values.
        revision: The position of its creation among all changes of the server.
        attachments: What lies beside the state, by key. Empty where it was not asked for.
        entries: The entries of the state, by key. Empty where they were not asked for.
    """

    namespace: str
    context_id: str
    id: str
    parent_id: str
    sequence: int
    version: int
    create_time: Optional[datetime]
    expire_time: Optional[datetime]
    pinned: bool
    origin: PointOrigin
    metadata: Mapping[str, str]
    entry_count: int
    size_bytes: int
    revision: int
    attachments: Mapping[str, Entry] = field(default_factory=dict)
    entries: Mapping[str, Entry] = field(default_factory=dict)


Point = Union[RecoveryPoint, str]
"""A recovery point, or its id."""


def id_of(point: Point) -> str:
    """Gives the id of a point."""
    return point.id if isinstance(point, RecoveryPoint) else point


@dataclass(frozen=True)
class Changes:
    """The steps of a change: first what goes, then what comes. All of them, or none.

    Attributes:
        puts: Entries to set.
        deletes: Keys to remove.
        delete_prefixes: Remove every entry whose key begins with one of these.
        appends: Bytes to add to the end of values.
        metadata: Labels of the context to set; ``None`` removes one.
        expiry: How long the context lives from now on.
        activities: What to add to the history.
        recovery_policy: Which recovery points the context gets and keeps from now on.

    Example:
        >>> chat.checkpoint("step-7", changes=Changes({"state": "asked"}, deletes=["draft"]))
    """

    puts: Mapping[str, Value] = field(default_factory=dict)
    deletes: Collection[str] = ()
    delete_prefixes: Collection[str] = ()
    appends: Mapping[str, Value] = field(default_factory=dict)
    metadata: Mapping[str, Optional[str]] = field(default_factory=dict)
    expiry: Optional[Expiry] = None
    activities: Collection[Recordable] = ()
    recovery_policy: Optional[RecoveryPolicy] = None


DraftChange = Callable[[Draft], object]
"""A function that changes a :class:`~contextd.Draft`. It may be called more than once."""


@dataclass(frozen=True)
class NewPoint:
    """A recovery point that is to be made.

    Attributes:
        id: 1 to 128 bytes, unique in the context. Empty: the server makes one up.
        metadata: Its labels; at most 64.
        attachments: Data to lie beside the state, by key; at most 10,000.
        ttl: How long it is kept, in seconds or as a ``timedelta``. ``None``: until a policy or a
            delete drops it.
        pinned: Whether no policy drops it.
        replace: Whether a point of this id that exists, and is not pinned, takes all this on.
        from_point: The point whose state it begins from; its parent then. ``None``: the context's
            own state.
        changes: What is done on top of that state. Without ``move_head``, only entries and labels
            can be changed.
        move_head: Whether the context takes on the point's state, in the same change.
    """

    id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    attachments: Mapping[str, Value] = field(default_factory=dict)
    ttl: Optional[Union[timedelta, float]] = None
    pinned: bool = False
    replace: bool = False
    from_point: Optional[Point] = None
    changes: Optional[Changes] = None
    move_head: bool = False


@dataclass(frozen=True)
class PointUpdate:
    """What is to be changed of a recovery point. Its state never changes.

    Attributes:
        metadata: Labels to set; ``None`` removes one.
        attachments: Attachments to set; ``None`` removes one.
        add_attachments: Attachments to set where there is none of that key.
        ttl: How long it is kept from now on, in seconds or as a ``timedelta``. ``None``: as it is.
        clear_expiry: Whether it is no longer dropped by itself.
        pinned: Whether no policy drops it. ``None``: as it is.
        allow_missing: Whether attachments are kept for a point that is still to be made.
    """

    metadata: Mapping[str, Optional[str]] = field(default_factory=dict)
    attachments: Mapping[str, Optional[Value]] = field(default_factory=dict)
    add_attachments: Mapping[str, Value] = field(default_factory=dict)
    ttl: Optional[Union[timedelta, float]] = None
    clear_expiry: bool = False
    pinned: Optional[bool] = None
    allow_missing: bool = False


class Restored(NamedTuple):
    """What became of a context that was set back.

    Attributes:
        info: The context as it is now.
        changed_entry_count: How many entries differ from before. 0 of a repeat.
        safety_point_id: The recovery point that keeps the state before. Empty: there is none.
        revision: The position of the change among all changes of the server.
        replayed: Whether an earlier request with the same id had made the change.
        request_id: The id that the write carried.
    """

    info: ContextInfo
    changed_entry_count: int
    safety_point_id: str
    revision: int
    replayed: bool
    request_id: str

    @property
    def version(self) -> int:
        """The version that the context has now."""
        return self.info.version


class OnConflict(enum.Enum):
    """What a merge does with what both sides changed, each in its own way."""

    RAISE = "raise"
    """Change nothing and raise :class:`~contextd.MergeConflicts`."""
    TARGET = "target"
    """Keep what the target has: the context that is merged into."""
    SOURCE = "source"
    """Take what the source has: the context that is merged."""


@dataclass(frozen=True)
class MergeConflict:
    """An entry, or a label, that both sides of a merge changed, each in its own way.

    Attributes:
        key: The key of the entry or label.
        in_metadata: Whether it is a label. Then only the values of the next three count.
        ancestor: What it was in the state that both came from. ``None``: it was not there.
        target: What it is in the context that was to be merged into. ``None``: not there.
        source: What it is in the one that was to be merged. ``None``: not there.
    """

    key: str
    in_metadata: bool
    ancestor: Optional[Entry]
    target: Optional[Entry]
    source: Optional[Entry]


class Merged(NamedTuple):
    """What became of a merge, or would with ``dry_run``.

    Attributes:
        applied: Whether it was merged. False of a dry run: where conflicts are left,
            :class:`~contextd.MergeConflicts` is raised else.
        version: The target's version, afterwards.
        changed_entry_count: How many of its entries differ from before. 0 where conflicts are left,
            and of a repeat.
        conflicts: Of a dry run: the first 1,000 conflicts that no rule resolved.
        conflict_count: How many there are.
        safety_point_id: The recovery point that keeps the state before. Empty: there is none.
        revision: The position of the change among all changes of the server. 0: there was
            nothing to change.
        replayed: Whether an earlier request with the same id had made the change.
        request_id: The id that the write carried.
    """

    applied: bool
    version: int
    changed_entry_count: int
    conflicts: tuple[MergeConflict, ...]
    conflict_count: int
    safety_point_id: str
    revision: int
    replayed: bool
    request_id: str


@dataclass(frozen=True)
class EntryDifference:
    """An entry that two states have differently.

    Of a sync it differs also where it was set again to the same value. What is too large for one
    message with both its values is told as two: that it was removed, then that it was added.

    Attributes:
        key: The entry's key.
        before: What it is in the one state. ``None``: it was added.
        after: What it is in the other. ``None``: it was removed.
    """

    key: str
    before: Optional[Entry]
    after: Optional[Entry]


@dataclass(frozen=True)
class LabelDifference:
    """A label that two states have differently.

    Attributes:
        key: The label's key.
        before: Its value in the one state. ``None``: it was added.
        after: Its value in the other. ``None``: it was removed.
    """

    key: str
    before: Optional[str]
    after: Optional[str]


Difference = Union[EntryDifference, LabelDifference]
"""What two states have differently."""


@dataclass(frozen=True)
class Synced:
    """What leads from a version that a program has to the newest one.

    Attributes:
        from_version: What it leads from. 0: from nothing.
        full: Whether the program's version is no longer kept, or it had none: it begins from
            nothing.
        info: The context at the newest version.
        differences: The entries that differ, by key.
    """

    from_version: int
    full: bool
    info: ContextInfo
    differences: tuple[EntryDifference, ...]

    @property
    def version(self) -> int:
        """The newest version: what the program has afterwards."""
        return self.info.version

    def apply(self, entries: MutableMapping[str, Entry]) -> None:
        """Makes the entries of the newest version of those that the program has.

        Example:
            >>> synced = chat.sync(version)
            >>> synced.apply(entries)
            >>> version = synced.version
        """
        if self.full:
            entries.clear()
        for difference in self.differences:
            if difference.after is None:
                entries.pop(difference.key, None)
            else:
                entries[difference.key] = difference.after


class Pruned(NamedTuple):
    """What became of recovery points, or would with ``dry_run``.

    Attributes:
        removed_count: Points that are gone. 0 of a repeat.
        kept_count: Points that are left. 0 of a repeat.
        revision: The position of the last change. 0: there was nothing to remove.
        replayed: Whether an earlier request with the same id had done it.
        request_id: The id that the write carried.
    """

    removed_count: int
    kept_count: int
    revision: int
    replayed: bool
    request_id: str


@dataclass(frozen=True)
class PointResult:
    """What became of one operation of a :class:`~contextd.PointBatch`.

    Attributes:
        point: The recovery point, where there is one: not of a delete, not of attachments for one
            that is still to be made, and not where the answer to the batch was full.
        error: Why the operation failed. ``None``: it did not.
    """

    point: Optional[RecoveryPoint] = None
    error: Optional[ContextdError] = None

    def get(self) -> Optional[RecoveryPoint]:
        """Gives the point, or raises the error."""
        if self.error is not None:
            raise self.error
        return self.point


_ORIGINS: Mapping[int, PointOrigin] = {
    recovery_pb2.RecoveryPoint.Origin.Value(f"ORIGIN_{origin.name}"): origin
    for origin in PointOrigin
    if origin is not PointOrigin.UNKNOWN
}


def point_of(
    point: recovery_pb2.RecoveryPoint, entries: Collection[resources_pb2.Entry] = ()
) -> RecoveryPoint:
    """Reads the message of a recovery point, and the entries that came with it."""
    return RecoveryPoint(
        namespace=point.namespace,
        context_id=point.context_id,
        id=point.id,
        parent_id=point.parent_id,
        sequence=point.sequence,
        version=point.version,
        create_time=time_of(point.HasField("create_time"), point.create_time),
        expire_time=time_of(point.HasField("expire_time"), point.expire_time),
        pinned=point.pinned,
        origin=_ORIGINS.get(point.origin, PointOrigin.UNKNOWN),
        metadata=dict(point.metadata),
        entry_count=point.entry_count,
        size_bytes=point.size_bytes,
        revision=point.revision,
        attachments={entry.key: entry_of(entry) for entry in point.attachments},
        entries={entry.key: entry_of(entry) for entry in entries},
    )


def _conflict_of(conflict: recovery_pb2.MergeConflict) -> MergeConflict:
    return MergeConflict(
        conflict.key,
        conflict.in_metadata,
        entry_of(conflict.ancestor) if conflict.HasField("ancestor") else None,
        entry_of(conflict.target) if conflict.HasField("target") else None,
        entry_of(conflict.source) if conflict.HasField("source") else None,
    )


def merged_of(
    response: recovery_pb2.MergeContextResponse, request_id: str, dry_run: bool
) -> Merged:
    """Reads what a merge answered.

    Raises ``NewerServer`` where it did not merge and tells no conflict.
    """
    if not (response.applied or dry_run or response.conflict_count):
        error = NewerServer(
            "the server did not merge, for what this version of the client does not know: "
            "a newer client reads it"
        )
        error.request_id = request_id
        raise error
    return Merged(
        response.applied,
        response.version,
        response.changed_entry_count,
        tuple(map(_conflict_of, response.conflicts)),
        response.conflict_count,
        response.safety_point_id,
        response.write.revision,
        response.write.replayed,
        request_id,
    )


def restored_of(response: recovery_pb2.RestoreContextResponse, request_id: str) -> Restored:
    """Reads what a restore answered."""
    return Restored(
        info_of(response.context),
        response.changed_entry_count,
        response.safety_point_id,
        response.write.revision,
        response.write.replayed,
        request_id,
    )


def _check_known(difference: Union[recovery_pb2.EntryDiff, recovery_pb2.MetadataDiff]) -> None:
    if not difference.HasField("before") and not difference.HasField("after"):
        raise NewerServer(
            f"the server tells a difference of {difference.key!r} that this version of the client "
            "does not know: a newer client reads it"
        )


def entry_difference_of(difference: recovery_pb2.EntryDiff) -> EntryDifference:
    """Reads the message of an entry that differs."""
    _check_known(difference)
    return EntryDifference(
        difference.key,
        entry_of(difference.before) if difference.HasField("before") else None,
        entry_of(difference.after) if difference.HasField("after") else None,
    )


def label_difference_of(difference: recovery_pb2.MetadataDiff) -> LabelDifference:
    """Reads the message of a label that differs."""
    _check_known(difference)
    return LabelDifference(
        difference.key,
        difference.before.value if difference.HasField("before") else None,
        difference.after.value if difference.HasField("after") else None,
    )
