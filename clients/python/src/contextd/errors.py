"""What can go wrong, one class a reason.

Every failure that a call of this package reports is a :class:`ContextdError`. The class
follows the server's ``reason``; the values that the reason carries are attributes. A
reason that this version does not know, from a newer server, is a plain
:class:`ContextdError` with ``reason`` and ``details`` filled in.

==========================  =================================================
class                       when
==========================  =================================================
MalformedRequest            the server could not read the request
InvalidField                a field breaks one of the rules of the API
ContextNotFound             no such context
EntryNotFound               no such entry (also a ``KeyError``)
ContextExists               a create found one
Conflict                    somebody else was faster; one of the next three
  VersionConflict           the context has another version
  EntryConflict             the entry was set by another version
  HeadMoved                 the context kept changing while the server worked
StreamStalled               nobody read the stream
StaleFence                  the exclusive activation is not in force
SizeMismatch                an append found another size
HasChildren                 a delete that is not recursive found children
ParentNotFound              the parent does not exist
RecoveryPointNotFound       no such recovery point
NoRecoveryPoints            the context has no recovery point
RecoveryPointExists         there is a recovery point of this id
RecoveryPointPinned         a pinned recovery point is not replaced
NoCommonAncestor            a merge does not know what to compare with
MergeConflicts              both sides of a merge changed the same; nothing was merged
SessionNotFound             no such session, or it has ended
  SessionLost               this program's own session was not renewed in time
ContextBusy                 another session has the context exclusively
NotActive                   the session does not have the context active
ResourceHeld                another session holds the resource
ResourceNotHeld             the session does not hold the resource
RequestIdReused             the same request id with another request
LimitReached                a configured limit
ResponseTooLarge            the answer does not fit into a message
StorageFull                 the server's disk has no room
Overloaded                  too much at once, until the deadline
StateNotRetained            so old a version is no longer kept
CursorCompacted             what followed this position is no longer kept
Damaged                     stored bytes are damaged
NotSupported                the server does not have this feature
Unavailable                 no server answered, until the deadline
  NotReady, Stopping        the server is starting, or ending
  StorageFailed             the server's disk failed; it is ending
  CertificateRejected       a certificate was not accepted, or one side does not speak TLS
WrongServer                 what answers is not contextd
NewerServer                 the answer holds what this version does not know
ClientClosed                the client was closed
InvalidValue                a value that cannot be written, or is not what was asked for
DeadlineExceeded            no answer in time
Cancelled                   the call was cancelled
==========================  =================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Optional, Union

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message

from contextd._rpc import status_pb2
from contextd.v1 import resources_pb2

if TYPE_CHECKING:
    from contextd.recovery import MergeConflict

_DOMAIN = "contextd"
_DETAILS_KEY = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}

_Metadata = Iterable[tuple[str, Union[str, bytes]]]


class ContextdError(Exception):
    """A call failed.

    Attributes:
        message: What happened, for people.
        code: gRPC's status code.
        reason: The server's reason, such as ``VERSION_CONFLICT``. Empty when the failure
            is not the server's own, such as a connection that was refused.
        details: What the server told with the reason, as it came.
        retry_delay: Seconds after which the server wants to be asked again, if it said.
        request_id: The id of the write that failed; repeating the same write with it is
            safe and tells what became of it. ``None`` for a read.
    """

    def __init__(
        self,
        message: str,
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        reason: str = "",
        details: Optional[Mapping[str, str]] = None,
        retry_delay: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.details: dict[str, str] = dict(details or {})
        self.retry_delay = retry_delay
        self.request_id: Optional[str] = None

    def __str__(self) -> str:
        """Says the reason, or the code where there is none, and the message."""
        return f"{self.reason or self.code.name}: {self.message}"

    def _number(self, name: str) -> int:
        return _parse_number(self.details.get(name, "")) or 0


class MalformedRequest(ContextdError):
    """The server could not read the request."""


class InvalidField(ContextdError, ValueError):
    """A field of the request breaks one of the rules of the API. Also a ``ValueError``."""

    @property
    def field(self) -> str:
        """Which field, such as ``mutations[3].put_entry.key``."""
        return self.details.get("field", "")

    @property
    def rule(self) -> str:
        """The rule that it breaks."""
        return self.details.get("rule", "")


class ContextNotFound(ContextdError):
    """There is no such context."""

    @property
    def deleted_version(self) -> Optional[int]:
        """The last version that it had, if there was one and it was deleted."""
        return _parse_number(self.details.get("deleted_version", ""))


class EntryNotFound(ContextdError, KeyError):
    """The context has no such entry. Also a ``KeyError``, as of a dictionary.

    Attributes:
        key: The entry's key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"no entry {key!r}", grpc.StatusCode.NOT_FOUND)
        self.key = key
        self.args = (key,)


class ContextExists(ContextdError):
    """A create found that there is one already."""

    @property
    def version(self) -> int:
        """The version of the one that exists."""
        return self._number("version")


class Conflict(ContextdError):
    """Somebody else was faster. Read again, and decide again."""

    @property
    def current_version(self) -> int:
        """The version there is now; 0 stands for none."""
        return self._number("current_version")


class VersionConflict(Conflict):
    """The context has another version than the write expected."""


class EntryConflict(Conflict):
    """An entry was set by another version than the write expected."""

    @property
    def key(self) -> str:
        """The entry's key."""
        return self.details.get("key", "")


class HeadMoved(Conflict):
    """The context changed again and again while the server worked on the request. Ask again."""


class StreamStalled(ContextdError):
    """Nobody read the stream for too long. Iterators of this package go on by themselves."""

    @property
    def after_key(self) -> str:
        """The last key that the server sent. Empty for a subscription."""
        return self.details.get("after_key", "")

    @property
    def cursor(self) -> str:
        """The last position that the server sent on a subscription: it may not have arrived."""
        return self.details.get("cursor", "")


class StaleFence(ContextdError):
    """The exclusive activation that the write belongs to is not in force; nothing was written.

    It was deactivated, taken over, or its session ended. Also raised for a write without an
    activation to a context that is guarded.
    """

    @property
    def current_fence(self) -> int:
        """The context's fence now: that of its last exclusive activation. 0: there was none."""
        return self._number("current_fence")


class SessionNotFound(ContextdError):
    """There is no such session, or it has ended."""

    @property
    def session_id(self) -> str:
        """The id that was asked for."""
        return self.details.get("session_id", "")


class SessionLost(SessionNotFound):
    """The program's own session is over although the program did not end it.

    It was not renewed in time: the server was away for too long, or the program stood
    still, or somebody else ended it. Its contexts are deactivated, its resources given
    back. Begin a new one.
    """


class ContextBusy(ContextdError):
    """Another session has the context exclusively."""

    @property
    def session_id(self) -> str:
        """That session."""
        return self.details.get("session_id", "")

    @property
    def owner(self) -> str:
        """Who it stands for, or empty."""
        return self.details.get("owner", "")


class NotActive(ContextdError):
    """The session does not have the context active."""


class ResourceHeld(ContextdError):
    """Another session holds the resource."""

    @property
    def session_id(self) -> str:
        """That session."""
        return self.details.get("session_id", "")


class ResourceNotHeld(ContextdError):
    """The session does not hold the resource."""

    @property
    def session_id(self) -> str:
        """The session that does hold it. Empty: none."""
        return self.details.get("session_id", "")


class SizeMismatch(ContextdError):
    """An append found a value of another size than it expected."""

    @property
    def key(self) -> str:
        """The entry's key."""
        return self.details.get("key", "")

    @property
    def current_size(self) -> int:
        """The value's size in bytes."""
        return self._number("current_size")


class HasChildren(ContextdError):
    """A context with children is deleted only when the delete is recursive."""

    @property
    def child_count(self) -> int:
        """How many contexts name this one as their parent."""
        return self._number("child_count")


class ParentNotFound(ContextdError):
    """The parent does not exist."""

    @property
    def parent_id(self) -> str:
        """The id that was asked for."""
        return self.details.get("parent_id", "")


class RecoveryPointNotFound(ContextdError):
    """There is no such recovery point: it was deleted, expired, or dropped by a policy."""

    @property
    def oldest_id(self) -> str:
        """The oldest one that there is. Empty: there is none."""
        return self.details.get("oldest_id", "")


class NoRecoveryPoints(ContextdError):
    """The newest recovery point was asked for, and the context has none."""


class RecoveryPointExists(ContextdError):
    """There is a recovery point of this id already."""

    @property
    def sequence(self) -> int:
        """The sequence of the one that exists."""
        return self._number("sequence")


class RecoveryPointPinned(ContextdError):
    """The recovery point is pinned, and is not replaced."""


class NoCommonAncestor(ContextdError):
    """Neither context was forked from the other, nor both from a third, nor were they merged.

    Say which state is the ``ancestor``.
    """


class MergeConflicts(ContextdError):
    """Both sides of a merge changed the same, each in its own way; nothing was merged.

    Merge again, and say what becomes of them: ``on_conflict`` and ``on_conflict_by_key``.

    Attributes:
        conflicts: The first 1,000 of those that no rule resolved.
        conflict_count: How many there are.
    """

    def __init__(self, conflicts: tuple[MergeConflict, ...], conflict_count: int) -> None:
        super().__init__(f"{conflict_count} conflicts, nothing was merged", grpc.StatusCode.ABORTED)
        self.conflicts = conflicts
        self.conflict_count = conflict_count
        self.args = (conflicts, conflict_count)


class RequestIdReused(ContextdError):
    """The request id was used before, for another request."""


class LimitReached(ContextdError):
    """A limit that is configured in the server, or that adds up."""

    @property
    def limit(self) -> str:
        """The limit's name, such as ``value_size_max``."""
        return self.details.get("limit", "")

    @property
    def value(self) -> int:
        """What the limit is set to."""
        return self._number("value")


class ResponseTooLarge(ContextdError):
    """The answer does not fit into one message; read it in pieces."""

    @property
    def size(self) -> int:
        """The answer's size in bytes."""
        return self._number("size")

    @property
    def limit(self) -> int:
        """What fits, in bytes."""
        return self._number("limit")


class StorageFull(ContextdError):
    """The server's disk has no room. Reads go on."""


class Overloaded(ContextdError):
    """The server had too much to do, again and again until the deadline. Nothing was changed.

    ``retry_delay`` says in seconds when to try again.
    """


class StateNotRetained(ContextdError):
    """So old a version is no longer kept."""

    @property
    def oldest_version(self) -> int:
        """The oldest version that can be read."""
        return self._number("oldest_version")

    @property
    def newest_version(self) -> int:
        """The newest version."""
        return self._number("newest_version")


class CursorCompacted(ContextdError):
    """What followed this position is no longer kept: a subscription cannot go on there.

    Drop what was built from its events, and begin again with a snapshot.
    """

    @property
    def oldest_cursor(self) -> str:
        """The oldest position to begin at."""
        return self.details.get("oldest_cursor", "")


class Damaged(ContextdError):
    """Bytes that the server stored are damaged."""

    @property
    def file(self) -> str:
        """The file's name, on the server."""
        return self.details.get("file", "")

    @property
    def offset(self) -> int:
        """Where in the file, in bytes."""
        return self._number("offset")


class NotSupported(ContextdError):
    """The server does not have this feature."""

    @property
    def field(self) -> str:
        """The field that asks for it. Empty: the whole method."""
        return self.details.get("field", "")


class Unavailable(ContextdError):
    """No server answered until the deadline.

    A write may have been applied: its answer can be what was lost. See ``request_id``.
    """


class NotReady(Unavailable):
    """The server is still starting."""


class Stopping(Unavailable):
    """The server is ending."""


class StorageFailed(Unavailable):
    """The server's disk failed, and the server ends. A write may have been applied."""


class CertificateRejected(Unavailable):
    """TLS did not come about, and no repetition helps.

    The server's certificate was not accepted, or is another name's, or one side does not speak
    TLS. A server that does not accept *our* certificate closes the connection without a word
    that gRPC tells: that is a plain :class:`Unavailable`.
    """


class WrongServer(ContextdError):
    """What answers at the address is not contextd."""


class NewerServer(ContextdError):
    """The answer holds something that this version does not know and must not leave out."""


class ClientClosed(ContextdError):
    """The client, or the session, was closed. A write that was under way may have been applied."""

    def __init__(self, message: str = "the client was closed") -> None:
        super().__init__(message, grpc.StatusCode.CANCELLED)


class InvalidValue(ContextdError, TypeError, ValueError):
    """A value cannot be written, or is not what was asked for, such as JSON.

    Also a ``TypeError`` and a ``ValueError``. Nothing was sent, or what came stays unread.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, grpc.StatusCode.INVALID_ARGUMENT)

    def __str__(self) -> str:
        """Says what is wrong."""
        return self.message


class DeadlineExceeded(ContextdError):
    """There was no answer in time. A write may have been applied. See ``request_id``."""


class Cancelled(ContextdError):
    """The call was cancelled. A write may have been applied. See ``request_id``."""


_BY_REASON: Mapping[str, type[ContextdError]] = {
    "MALFORMED_REQUEST": MalformedRequest,
    "INVALID_FIELD": InvalidField,
    "CONTEXT_NOT_FOUND": ContextNotFound,
    "CONTEXT_EXISTS": ContextExists,
    "VERSION_CONFLICT": VersionConflict,
    "ENTRY_CONFLICT": EntryConflict,
    "HEAD_MOVED": HeadMoved,
    "STREAM_STALLED": StreamStalled,
    "STALE_FENCE": StaleFence,
    "SESSION_NOT_FOUND": SessionNotFound,
    "CONTEXT_BUSY": ContextBusy,
    "NOT_ACTIVE": NotActive,
    "RESOURCE_HELD": ResourceHeld,
    "RESOURCE_NOT_HELD": ResourceNotHeld,
    "SIZE_MISMATCH": SizeMismatch,
    "HAS_CHILDREN": HasChildren,
    "PARENT_NOT_FOUND": ParentNotFound,
    "RECOVERY_POINT_NOT_FOUND": RecoveryPointNotFound,
    "NO_RECOVERY_POINTS": NoRecoveryPoints,
    "RECOVERY_POINT_EXISTS": RecoveryPointExists,
    "RECOVERY_POINT_PINNED": RecoveryPointPinned,
    "NO_COMMON_ANCESTOR": NoCommonAncestor,
    "REQUEST_ID_REUSED": RequestIdReused,
    "LIMIT_REACHED": LimitReached,
    "RESPONSE_TOO_LARGE": ResponseTooLarge,
    "STORAGE_FULL": StorageFull,
    "OVERLOADED": Overloaded,
    "STATE_NOT_RETAINED": StateNotRetained,
    "CURSOR_COMPACTED": CursorCompacted,
    "DAMAGED": Damaged,
    "NOT_SUPPORTED": NotSupported,
    "NOT_READY": NotReady,
    "STOPPING": Stopping,
    "STORAGE_FAILED": StorageFailed,
}

# What the code alone says, where there is no reason: from gRPC itself, or a proxy.
_BY_CODE: Mapping[grpc.StatusCode, type[ContextdError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.UNIMPLEMENTED: WrongServer,
}

# What gRPC says of connections that no repetition mends; in its words of several versions.
_BY_WORDS: tuple[tuple[str, type[ContextdError]], ...] = (
    ("handshake failed", CertificateRejected),
    ("Hostname Verification Check failed", CertificateRejected),
    ("is not in peer certificate", CertificateRejected),
    ("Failed parsing HTTP/2", WrongServer),
    ("http1.x server", WrongServer),
)

# What gRPC says of a status of HTTP. Those that a proxy gives while there is no server behind it,
# such as 503, come as UNAVAILABLE.
_HTTP_STATUS = "Received http2 header with status"


def _parse_number(text: str) -> Optional[int]:
    return int(text) if text.isascii() and text.isdigit() else None


def _unpack(detail: any_pb2.Any, message: Message) -> bool:
    """Reads ``detail`` into ``message`` if it is of its kind, by google.rpc's name for it."""
    if detail.type_url.rpartition("/")[2] != f"google.rpc.{message.DESCRIPTOR.name}":
        return False
    try:
        message.ParseFromString(detail.value)
    except DecodeError:
        return False
    return True


def _by_words(code: grpc.StatusCode, message: str) -> Optional[type[ContextdError]]:
    if _HTTP_STATUS in message and code is not grpc.StatusCode.UNAVAILABLE:
        return WrongServer
    return next((kind for words, kind in _BY_WORDS if words in message), None)


def _make(
    code: grpc.StatusCode,
    message: str,
    reason: str,
    details: Mapping[str, str],
    retry_delay: Optional[float],
) -> ContextdError:
    if reason:
        kind = _BY_REASON.get(reason) or _BY_CODE.get(code, ContextdError)
    else:
        kind = _by_words(code, message) or _BY_CODE.get(code, ContextdError)
    return kind(message, code, reason, details, retry_delay)


def from_status(code: grpc.StatusCode, message: str, trailers: _Metadata = ()) -> ContextdError:
    """Makes the exception for a gRPC status and the trailing metadata that came with it.

    Details that are missing, of another kind, or unreadable are left out: the code and the
    message always get through.
    """
    status = status_pb2.Status()
    for key, value in trailers:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                status.ParseFromString(value)
            except DecodeError:
                status.Clear()
    info = status_pb2.ErrorInfo()
    retry_delay: Optional[float] = None
    for detail in status.details:
        found, retry = status_pb2.ErrorInfo(), status_pb2.RetryInfo()
        if _unpack(detail, found) and found.domain == _DOMAIN:
            info = found
        elif _unpack(detail, retry):
            retry_delay = retry.retry_delay.ToNanoseconds() / 1e9
    return _make(code, message, info.reason, info.metadata, retry_delay)


def from_failure(failure: resources_pb2.Failure, place: str = "") -> ContextdError:
    """Makes the exception for one part of a batch that failed.

    ``place`` is where the part stands in the batch: what is told of its fields is without it.
    """
    code = _CODES.get(failure.code, grpc.StatusCode.UNKNOWN)
    delay = failure.retry_delay.ToNanoseconds() / 1e9 if failure.HasField("retry_delay") else None
    message, details = failure.message, dict(failure.metadata)
    if place and details.get("field", "").startswith(place):
        details["field"] = details["field"][len(place) :]
        message = message.replace(place, "", 1)
    return _make(code, message, failure.reason, details, delay)
