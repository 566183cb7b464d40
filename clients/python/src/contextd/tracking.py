"""Who works on a context, and what they did: what is recorded, and what the server tells."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Optional, Union

from contextd.v1 import resources_pb2, tracker_pb2
from contextd.values import Value, json_of, text_of, time_of, to_content


@dataclass(frozen=True)
class FileOperation:
    """A file that was touched.

    Attributes:
        path: 1 to 2,048 bytes, as it is: two spellings of a path are two files.
        operation: Such as ``read``, ``write``, ``delete``; at most 64 bytes.
        source: The tool or agent that did it; at most 256 bytes.
    """

    path: str
    operation: str = ""
    source: str = ""


@dataclass(frozen=True)
class ModelUsage:
    """One call of a model.

    Attributes:
        provider: Who runs the model. A name, or empty; so are the next two.
        model: Which model.
        mode: How it was called, such as ``chat`` or ``batch``.
        input_tokens: Tokens that went in.
        output_tokens: Tokens that came out.
        cached_tokens: Tokens of the input that the provider had kept.
        cost_micros: The cost in millionths of ``currency``.
        currency: Three capital letters, as in ISO 4217. Empty: ``USD``.
        latency: How long it took, up to 100 years.
    """

    provider: str = ""
    model: str = ""
    mode: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_micros: int = 0
    currency: str = ""
    latency: timedelta = timedelta(0)


class ResourceKind(enum.Enum):
    """What became of a resource."""

    UNKNOWN = "unknown"
    ACQUIRED = "acquired"
    RELEASED = "released"
    RECLAIMED = "reclaimed"
    """The session that held it ended without giving it back."""


@dataclass(frozen=True)
class ResourceEvent:
    """A resource was taken or given back. Only the server writes these.

    Attributes:
        name: The resource's name.
        type: Its type, or empty.
        kind: What became of it.
    """

    name: str
    type: str
    kind: ResourceKind


Detail = Union[FileOperation, ModelUsage, ResourceEvent]
"""What a typed activity tells."""

_NO_LABELS: Mapping[str, str] = {}


@dataclass(frozen=True, init=False)
class Activity:
    """Something that happened while a context was worked on.

    Attributes:
        type: A name of your choice, such as ``message``; at most 64 bytes. May be empty where
            there is a detail: the server then says ``file_operation``, ``model_usage`` or
            ``resource``.
        data: Bytes of your own.
        content_type: Their media type, or a tag.
        metadata: Labels; at most 64.
        detail: What was touched, used or taken, if anything.
        sequence: The number in the context's history, from 1. Set by the server, and so are
            the next two.
        time: When it was recorded, in UTC.
        session_id: The session that recorded it, or empty.

    Example:
        >>> Activity("message", "Hello!").content_type
        'text/plain; charset=utf-8'
    """

    type: str
    data: bytes
    content_type: str
    metadata: Mapping[str, str]
    detail: Optional[Detail]
    sequence: int
    time: Optional[datetime]
    session_id: str

    def __init__(
        self,
        type: str = "",
        data: Value = b"",
        content_type: Optional[str] = None,
        metadata: Mapping[str, str] = _NO_LABELS,
        detail: Optional[Detail] = None,
        sequence: int = 0,
        time: Optional[datetime] = None,
        session_id: str = "",
    ) -> None:
        """Takes bytes or text, as writes do; a ``content_type`` wins over the text's own."""
        content = to_content(data, content_type)
        for name, value in {
            "type": type,
            "data": content.value,
            "content_type": content.content_type,
            "metadata": dict(metadata),
            "detail": detail,
            "sequence": sequence,
            "time": time,
            "session_id": session_id,
        }.items():
            object.__setattr__(self, name, value)

    @property
    def text(self) -> str:
        """The data as text. Raises :class:`~contextd.InvalidValue` where they are no UTF-8."""
        return text_of(self.data, f"the activity {self.sequence} of the type {self.type!r}")

    def json(self) -> Any:  # noqa: ANN401  JSON holds anything
        """The data read as JSON. Raises :class:`~contextd.InvalidValue` where they are none."""
        return json_of(self.data, f"the activity {self.sequence} of the type {self.type!r}")


Recordable = Union[Activity, FileOperation, ModelUsage]
"""What can be recorded: an activity, or just what was touched or used."""


class Recorded(NamedTuple):
    """What became of activities; they are on stable storage.

    Attributes:
        first_sequence: The number of the first one.
        last_sequence: The number of the last one; the others have those between.
        revision: The position of the change among all changes of the server.
        replayed: Whether an earlier request with the same id had recorded them.
        request_id: The id that the write carried.
    """

    first_sequence: int
    last_sequence: int
    revision: int
    replayed: bool
    request_id: str


class Truncated(NamedTuple):
    """What became of a history that was cut.

    Attributes:
        removed_count: Activities that are gone. 0 for a repetition.
        revision: The position of the last change. 0: there was nothing to remove.
        replayed: Whether an earlier request with the same id had done it.
        request_id: The id that the write carried.
    """

    removed_count: int
    revision: int
    replayed: bool
    request_id: str


class Optimized(NamedTuple):
    """What became of a history that was made smaller, or would with ``dry_run``.

    Attributes:
        removed_count: Activities that are gone. 0 for a repetition.
        removed_bytes: Bytes of their data and metadata.
        kept_count: Activities that are left.
        kept_bytes: Bytes of their data and metadata.
        revision: The position of the last change. 0: there was nothing to remove.
        replayed: Whether an earlier request with the same id had done it.
        request_id: The id that the write carried.
    """

    removed_count: int
    removed_bytes: int
    kept_count: int
    kept_bytes: int
    revision: int
    replayed: bool
    request_id: str


class TrackedFile(NamedTuple):
    """A file that was touched.

    Attributes:
        last_operation: The last that was recorded of it.
        time: When that was, in UTC.
        operation_count: How many were.
    """

    last_operation: FileOperation
    time: Optional[datetime]
    operation_count: int

    @property
    def path(self) -> str:
        """The file's path."""
        return self.last_operation.path


@dataclass(frozen=True)
class UsageTotal:
    """What one model cost, added up. Sums stop at 2**64 - 1.

    Attributes:
        provider: Who runs the model.
        model: Which model.
        mode: How it was called.
        currency: What ``cost_micros`` counts millionths of.
        call_count: How many calls.
        input_tokens: Tokens that went in.
        output_tokens: Tokens that came out.
        cached_tokens: Tokens of the input that the provider had kept.
        cost_micros: The cost in millionths of ``currency``.
        latency: How long all calls took together.
    """

    provider: str
    model: str
    mode: str
    currency: str
    call_count: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_micros: int
    latency: timedelta


@dataclass(frozen=True)
class Resource:
    """A resource that a session holds.

    Attributes:
        name: Its name in its context.
        type: What kind of resource it is, or empty.
        session_id: Who holds it.
        metadata: Labels.
        time: Since when, in UTC.
    """

    name: str
    type: str
    session_id: str
    metadata: Mapping[str, str]
    time: Optional[datetime]


@dataclass(frozen=True)
class Activation:
    """A context that is active in a session.

    Attributes:
        context_id: The context.
        exclusive: Whether no other session can have it exclusively.
        fence: The context's fence from this activation on. 0 when shared.
        time: Since when, in UTC.
    """

    context_id: str
    exclusive: bool
    fence: int
    time: Optional[datetime]


@dataclass(frozen=True)
class SessionInfo:
    """What the server tells of a session.

    Attributes:
        namespace: The namespace that isolates it.
        id: Made by the server.
        owner: Who it stands for, or empty.
        metadata: Labels.
        create_time: When it began, in UTC.
        expire_time: When it ends unless it is renewed, in UTC.
        activations: The active contexts, oldest activation first.
        current_context_id: The one in the foreground, or empty.
    """

    namespace: str
    id: str
    owner: str
    metadata: Mapping[str, str]
    create_time: Optional[datetime]
    expire_time: Optional[datetime]
    activations: tuple[Activation, ...]
    current_context_id: str


class Presence(enum.Enum):
    """Whether a context is there, and whether somebody works on it."""

    UNKNOWN = "unknown"
    ACTIVE = "active"
    INACTIVE = "inactive"
    NON_EXISTENT = "non_existent"


@dataclass(frozen=True)
class ContextStatus:
    """Who has a context active.

    Attributes:
        presence: Whether it is there and active.
        version: Its version.
        fence: That of its last exclusive activation. 0: there was none.
        session_ids: The sessions that have it active.
        exclusive_session_id: The one that has it exclusively, or empty.
        guarded: Whether that one keeps out writes that carry no fence.
    """

    presence: Presence
    version: int = 0
    fence: int = 0
    session_ids: tuple[str, ...] = field(default=())
    exclusive_session_id: str = ""
    guarded: bool = False


_RESOURCE_KINDS: Mapping[int, ResourceKind] = {
    resources_pb2.ResourceEvent.KIND_ACQUIRED: ResourceKind.ACQUIRED,
    resources_pb2.ResourceEvent.KIND_RELEASED: ResourceKind.RELEASED,
    resources_pb2.ResourceEvent.KIND_RECLAIMED: ResourceKind.RECLAIMED,
}

_PRESENCES: Mapping[int, Presence] = {
    tracker_pb2.GetContextStatusResponse.STATUS_ACTIVE: Presence.ACTIVE,
    tracker_pb2.GetContextStatusResponse.STATUS_INACTIVE: Presence.INACTIVE,
    tracker_pb2.GetContextStatusResponse.STATUS_NON_EXISTENT: Presence.NON_EXISTENT,
}


def _file_of(file: resources_pb2.FileOperation) -> FileOperation:
    return FileOperation(file.path, file.operation, file.source)


def _usage_of(model: resources_pb2.ModelUsage) -> ModelUsage:
    return ModelUsage(
        provider=model.provider,
        model=model.model,
        mode=model.mode,
        input_tokens=model.input_tokens,
        output_tokens=model.output_tokens,
        cached_tokens=model.cached_tokens,
        cost_micros=model.cost_micros,
        currency=model.currency,
        latency=model.latency.ToTimedelta(),
    )


def _event_of(event: resources_pb2.ResourceEvent) -> ResourceEvent:
    kind = _RESOURCE_KINDS.get(event.kind, ResourceKind.UNKNOWN)
    return ResourceEvent(event.name, event.type, kind)


def _detail_of(activity: resources_pb2.Activity) -> Optional[Detail]:
    which = activity.WhichOneof("detail")
    if which == "file":
        return _file_of(activity.file)
    if which == "model":
        return _usage_of(activity.model)
    return None if which is None else _event_of(activity.resource)


def activity_of(activity: resources_pb2.Activity) -> Activity:
    """Reads an activity's message."""
    return Activity(
        type=activity.type,
        data=activity.data,
        content_type=activity.content_type,
        metadata=activity.metadata,
        detail=_detail_of(activity),
        sequence=activity.sequence,
        time=time_of(activity.HasField("time"), activity.time),
        session_id=activity.session_id,
    )


def tracked_file_of(file: tracker_pb2.TrackedFile) -> TrackedFile:
    """Reads a file's message."""
    time = time_of(file.HasField("time"), file.time)
    return TrackedFile(_file_of(file.last_operation), time, file.operation_count)


def usage_total_of(total: tracker_pb2.SummarizeUsageResponse.UsageTotal) -> UsageTotal:
    """Reads a total's message."""
    return UsageTotal(
        provider=total.provider,
        model=total.model,
        mode=total.mode,
        currency=total.currency,
        call_count=total.call_count,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cached_tokens=total.cached_tokens,
        cost_micros=total.cost_micros,
        latency=total.latency.ToTimedelta(),
    )


def resource_of(resource: tracker_pb2.Resource) -> Resource:
    """Reads a resource's message."""
    return Resource(
        name=resource.name,
        type=resource.type,
        session_id=resource.session_id,
        metadata=dict(resource.metadata),
        time=time_of(resource.HasField("time"), resource.time),
    )


def activation_of(activation: tracker_pb2.Activation) -> Activation:
    """Reads an activation's message."""
    return Activation(
        context_id=activation.context_id,
        exclusive=activation.exclusive,
        fence=activation.fence,
        time=time_of(activation.HasField("time"), activation.time),
    )


def session_of(session: tracker_pb2.Session) -> SessionInfo:
    """Reads a session's message."""
    return SessionInfo(
        namespace=session.namespace,
        id=session.id,
        owner=session.owner,
        metadata=dict(session.metadata),
        create_time=time_of(session.HasField("create_time"), session.create_time),
        expire_time=time_of(session.HasField("expire_time"), session.expire_time),
        activations=tuple(activation_of(activation) for activation in session.activations),
        current_context_id=session.current_context_id,
    )


def status_of(response: tracker_pb2.GetContextStatusResponse) -> ContextStatus:
    """Reads what the server says of a context's activations."""
    return ContextStatus(
        presence=_PRESENCES.get(response.status, Presence.UNKNOWN),
        version=response.version,
        fence=response.fence,
        session_ids=tuple(response.session_ids),
        exclusive_session_id=response.exclusive_session_id,
        guarded=response.guarded,
    )
