"""What is stored in a context, and what the server tells about one.

Values are bytes. A ``str`` is written as its UTF-8 bytes with the content type
``text/plain; charset=utf-8``; reading gives bytes again, and :attr:`Entry.text` or
``get_text`` decodes them. Nothing else is converted by itself: :func:`to_json` does it
where it is asked to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Optional, Union

from google.protobuf import duration_pb2, timestamp_pb2

from contextd.errors import ContextdError, EntryNotFound, InvalidValue
from contextd.v1 import context_manager_pb2, resources_pb2

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


class Content(NamedTuple):
    """Bytes and the content type that is kept with them, at most 128 bytes of it."""

    value: bytes
    content_type: str = ""


Value = Union[bytes, bytearray, memoryview, str, Content]
"""What can be written: bytes, text, or :class:`Content` with a content type of its own."""


def to_json(value: Any) -> Content:  # noqa: ANN401  JSON holds anything
    r"""Makes content of the type ``application/json``: compact, in UTF-8.

    Raises:
        InvalidValue: ``value`` has no form in JSON (NaN and infinities included).

    Example:
        >>> to_json({"name": "Zoë", "age": 7})
        Content(value=b'{"name":"Zo\xc3\xab","age":7}', content_type='application/json')
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Content(text.encode(), JSON)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue(f"this has no form in JSON: {error}") from error


def json_of(value: bytes, what: str) -> Any:  # noqa: ANN401  JSON holds anything
    """Reads JSON. Raises ``InvalidValue`` where it is none, in which ``what`` names the value."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{what} is no JSON: {error}") from error


def text_of(value: bytes, what: str) -> str:
    """Reads text. Raises ``InvalidValue`` where it is no UTF-8; ``what`` names the value."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{what} is no text: {error}") from error


def to_content(value: Value, content_type: Optional[str] = None) -> Content:
    """Makes content of anything that can be written; ``content_type`` wins where given.

    Raises:
        InvalidValue: ``value`` is neither bytes nor text nor content, or text that cannot be
            encoded (lone surrogates).
    """
    if isinstance(value, Content):
        content = value
    elif isinstance(value, str):
        try:
            content = Content(value.encode(), TEXT)
        except UnicodeEncodeError as error:
            raise InvalidValue(f"this text has no form in UTF-8: {error}") from error
    elif isinstance(value, (bytes, bytearray, memoryview)):
        content = Content(bytes(value))
    else:
        raise InvalidValue(
            f"a value is bytes, str or Content, not {type(value).__name__}; see to_json"
        )
    return content if content_type is None else Content(content.value, content_type)


@dataclass(frozen=True)
class Entry:
    """One named value of a context.

    Attributes:
        key: Its name, 1 to 512 bytes of UTF-8.
        value: Its bytes. Empty where only keys were asked for.
        content_type: The media type, or tag, that was written with it.
        version: The version of the context that set this value.
    """

    key: str
    value: bytes
    content_type: str
    version: int

    @property
    def text(self) -> str:
        """The value as text. Raises :class:`~contextd.InvalidValue` where it is no UTF-8."""
        return text_of(self.value, f"the entry {self.key!r}")

    def json(self) -> Any:  # noqa: ANN401  JSON holds anything
        """The value read as JSON. Raises :class:`~contextd.InvalidValue` where it is none."""
        return json_of(self.value, f"the entry {self.key!r}")


@dataclass(frozen=True)
class Expiry:
    """How long a context lives from now on.

    Attributes:
        ttl: The time until the server deletes it. ``None``: for ever.
        sliding: Whether the time begins again with every change of the context.
    """

    ttl: Optional[timedelta]
    sliding: bool = False


@dataclass(frozen=True)
class RetentionPolicy:
    """Which recovery points to keep: those that any rule keeps. At least one must be set.

    Points that are pinned are kept in any case, and so is the newest of a context.

    Attributes:
        keep_last: The newest so many. 0: no rule.
        keep_every: Those whose sequence is a multiple of this; 1 keeps all. 0: no rule.
        keep_within: Those younger than this. ``None``: no rule.
    """

    keep_last: int = 0
    keep_every: int = 0
    keep_within: Optional[timedelta] = None


@dataclass(frozen=True)
class RecoveryPolicy:
    """Which recovery points a context gets by itself, and which are kept.

    Attributes:
        retention: Which are kept. ``None``: the newest, as many as the server's
            ``recovery_points_max``.
        point_every_changes: Make one after so many changes. 0: never.
        point_every: Make one when there was a change and the last point is older than this.
            ``None``: never.

    Example:
        >>> keep = RetentionPolicy(keep_last=100, keep_within=timedelta(days=7))
        >>> chat = NewContext("chat", recovery_policy=RecoveryPolicy(keep, point_every_changes=50))
    """

    retention: Optional[RetentionPolicy] = None
    point_every_changes: int = 0
    point_every: Optional[timedelta] = None


@dataclass(frozen=True)
class NewContext:
    """How a context begins.

    Attributes:
        type: What kind of context it is, such as ``chat``; at most 64 bytes.
        parent_id: The context it belongs to, or empty.
        metadata: Labels that lists can select by; at most 64.
        expiry: When it is deleted by itself. ``None``: never.
        create_parent: Whether to create a missing parent in the same change.
        recovery_policy: Which recovery points it gets and keeps. ``None``: the server's policy.
    """

    type: str = ""
    parent_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    expiry: Optional[Expiry] = None
    create_parent: bool = False
    recovery_policy: Optional[RecoveryPolicy] = None


@dataclass(frozen=True)
class StateRef:
    """Names one state of one context, as the server tells it.

    Attributes:
        namespace: The namespace.
        context_id: The context.
        version: The number of the state. 0: it is named by one of the next two, or is the newest.
        point_id: The recovery point that keeps it, or empty.
        time: When it was the newest, in UTC, or ``None``.
    """

    namespace: str
    context_id: str
    version: int = 0
    point_id: str = ""
    time: Optional[datetime] = None


@dataclass(frozen=True)
class ContextInfo:
    """All about one state of a context but its entries.

    Attributes:
        namespace: The namespace that isolates it.
        id: Its id in the namespace.
        type: What kind of context it is.
        parent_id: The context it belongs to, or empty.
        metadata: Its labels.
        version: The number of this state. Grows with every change.
        revision: The position of its last change among all changes of the server.
        create_time: When it was created, in UTC.
        update_time: When it was changed last, in UTC.
        expire_time: When it is deleted by itself, in UTC. ``None``: never.
        delete_time: When it was deleted, in UTC. ``None``: it was not.
        entry_count: How many entries the whole state has.
        size_bytes: Bytes of all its keys and values.
        fence: Grows with each exclusive activation.
        recovery_policy: Which recovery points it gets and keeps. ``None``: the server's policy.
        forked_from: The state that it was forked from. ``None``: it was created.
    """

    namespace: str
    id: str
    type: str
    parent_id: str
    metadata: Mapping[str, str]
    version: int
    revision: int
    create_time: Optional[datetime]
    update_time: Optional[datetime]
    expire_time: Optional[datetime]
    delete_time: Optional[datetime]
    entry_count: int
    size_bytes: int
    fence: int = 0
    recovery_policy: Optional[RecoveryPolicy] = None
    forked_from: Optional[StateRef] = None


class Snapshot(Mapping[str, bytes]):
    """One state of a context in memory: a read-only dictionary in the order of its keys.

    Attributes:
        version: The number of the state. 0: the context does not exist.
        metadata: Its labels.
    """

    def __init__(self, version: int, metadata: Mapping[str, str], entries: list[Entry]) -> None:
        """Takes ``entries`` in the order of their keys."""
        self.version = version
        self.metadata = dict(metadata)
        self._entries = {entry.key: entry for entry in entries}

    def __getitem__(self, key: str) -> bytes:
        """Gives the value. Raises :class:`~contextd.EntryNotFound`, a ``KeyError``."""
        return self.entry(key).value

    def __iter__(self) -> Iterator[str]:
        """Gives the keys in the order of their bytes."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Counts the entries."""
        return len(self._entries)

    def __repr__(self) -> str:
        """Says version and number of entries."""
        return f"<Snapshot version={self.version} entries={len(self)}>"

    def entry(self, key: str) -> Entry:
        """Gives the value with its version and content type.

        Raises:
            EntryNotFound: there is none.
        """
        try:
            return self._entries[key]
        except KeyError:
            raise EntryNotFound(key) from None

    def entries(self) -> Iterator[Entry]:
        """Gives all entries in the order of their keys."""
        return iter(self._entries.values())


@dataclass(frozen=True)
class SnapshotResult:
    """What became of one state that :meth:`Client.snapshots` asked for.

    Attributes:
        snapshot: The state. ``None``: there is an error.
        error: Why it could not be read. ``None``: it could.
    """

    snapshot: Optional[Snapshot] = None
    error: Optional[ContextdError] = None

    def get(self) -> Snapshot:
        """Gives the state, or raises the error."""
        if self.snapshot is None:
            raise self.error or AssertionError("neither a state nor an error")
        return self.snapshot


class Written(NamedTuple):
    """What became of a write; it is on stable storage.

    Attributes:
        version: The context's version that the write made.
        revision: The position of the change among all changes of the server.
        replayed: Whether an earlier request with the same id had made the change.
        request_id: The id that the write carried.
    """

    version: int
    revision: int
    replayed: bool
    request_id: str


class Namespace(NamedTuple):
    """A namespace that holds something.

    Attributes:
        name: Its name.
        context_count: How many contexts it holds.
        size_bytes: Bytes of all their keys and values.
    """

    name: str
    context_count: int
    size_bytes: int


class ServerInfo(NamedTuple):
    """What the server is.

    Attributes:
        version: Its version.
        log_id: Names its log; another one means that the server began from nothing.
        settings: Its limits, by the names of the configuration and as they are written
            there: ``{"value_size_max": "1MiB", "request_id_window": "10m", ...}``.
        features: What it can do beyond the first release of the API.
    """

    version: str
    log_id: str
    settings: Mapping[str, str]
    features: tuple[str, ...]


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def time_of(present: bool, time: timestamp_pb2.Timestamp) -> Optional[datetime]:
    """Reads a time, in UTC. ``None`` where it is absent."""
    # What ToDatetime() gives, for half of its price.
    return _EPOCH + timedelta(0, time.seconds, time.nanos // 1000) if present else None


def length_of(present: bool, length: duration_pb2.Duration) -> Optional[timedelta]:
    """Reads a length of time. ``None`` where it is absent."""
    return length.ToTimedelta() if present else None


def policy_of(policy: resources_pb2.RecoveryPolicy) -> RecoveryPolicy:
    """Reads the message of a policy for recovery points."""
    retention: Optional[RetentionPolicy] = None
    if policy.HasField("retention"):
        rules = policy.retention
        within = length_of(rules.HasField("keep_within"), rules.keep_within)
        retention = RetentionPolicy(rules.keep_last, rules.keep_every, within)
    every = length_of(policy.HasField("point_every"), policy.point_every)
    return RecoveryPolicy(retention, policy.point_every_changes, every)


def state_of(state: resources_pb2.StateRef) -> StateRef:
    """Reads the message that names a state."""
    return StateRef(
        state.namespace,
        state.context_id,
        state.version,
        state.recovery_point_id,
        time_of(state.HasField("time"), state.time),
    )


def entry_of(entry: resources_pb2.Entry) -> Entry:
    """Reads an entry's message."""
    return Entry(entry.key, entry.value, entry.content_type, entry.version)


def info_of(context: resources_pb2.Context) -> ContextInfo:
    """Reads a context's message, all but its entries."""
    return ContextInfo(
        namespace=context.namespace,
        id=context.id,
        type=context.type,
        parent_id=context.parent_id,
        metadata=dict(context.metadata),
        version=context.version,
        revision=context.revision,
        create_time=time_of(context.HasField("create_time"), context.create_time),
        update_time=time_of(context.HasField("update_time"), context.update_time),
        expire_time=time_of(context.HasField("expire_time"), context.expire_time),
        delete_time=time_of(context.HasField("delete_time"), context.delete_time),
        entry_count=context.entry_count,
        size_bytes=context.size_bytes,
        fence=context.fence,
        recovery_policy=(
            policy_of(context.recovery_policy) if context.HasField("recovery_policy") else None
        ),
        forked_from=state_of(context.forked_from) if context.HasField("forked_from") else None,
    )


def snapshot_of(context: resources_pb2.Context) -> Snapshot:
    """Reads a context's message with its entries."""
    return Snapshot(context.version, context.metadata, [entry_of(e) for e in context.entries])


def written_of(version: int, write: resources_pb2.WriteResult, request_id: str) -> Written:
    """Reads what a write answered."""
    return Written(version, write.revision, write.replayed, request_id)


def server_info_of(response: context_manager_pb2.GetServerInfoResponse) -> ServerInfo:
    """Reads what the server says of itself."""
    return ServerInfo(
        response.version, response.log_id, dict(response.settings), tuple(response.features)
    )
