"""The Python client of contextd, the server for the working context of agents.

A context is a dictionary with versions that lives on the server:

    >>> from contextd import Client
    >>> with Client("127.0.0.1:7420") as client:
    ...     chat = client.create("chat-1")
    ...     chat["system"] = "You are helpful."
    ...     chat.version()
    2

:class:`Client` is for threads, :class:`AsyncClient` for asyncio; they do the same. Errors
are in :mod:`contextd.errors`, all of them below :class:`ContextdError`.
"""

from contextd.aio import AsyncClient, AsyncContext, AsyncContextState
from contextd.client import Client, Context, ContextState
from contextd.draft import Draft
from contextd.errors import (
    Cancelled,
    Conflict,
    ContextdError,
    ContextExists,
    ContextNotFound,
    Damaged,
    DeadlineExceeded,
    EntryConflict,
    EntryNotFound,
    HasChildren,
    HeadMoved,
    InvalidField,
    LimitReached,
    MalformedRequest,
    NotReady,
    NotSupported,
    Overloaded,
    ParentNotFound,
    RequestIdReused,
    ResponseTooLarge,
    SizeMismatch,
    StaleFence,
    StateNotRetained,
    Stopping,
    StorageFailed,
    StorageFull,
    StreamStalled,
    Unavailable,
    VersionConflict,
)
from contextd.retry import RetryPolicy
from contextd.values import (
    Content,
    ContextInfo,
    Entry,
    Expiry,
    Namespace,
    NewContext,
    ServerInfo,
    Snapshot,
    Value,
    Written,
    to_json,
)

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncContext",
    "AsyncContextState",
    "Cancelled",
    "Client",
    "Conflict",
    "Content",
    "Context",
    "ContextExists",
    "ContextInfo",
    "ContextNotFound",
    "ContextState",
    "ContextdError",
    "Damaged",
    "DeadlineExceeded",
    "Draft",
    "Entry",
    "EntryConflict",
    "EntryNotFound",
    "Expiry",
    "HasChildren",
    "HeadMoved",
    "InvalidField",
    "LimitReached",
    "MalformedRequest",
    "Namespace",
    "NewContext",
    "NotReady",
    "NotSupported",
    "Overloaded",
    "ParentNotFound",
    "RequestIdReused",
    "ResponseTooLarge",
    "RetryPolicy",
    "ServerInfo",
    "SizeMismatch",
    "Snapshot",
    "StaleFence",
    "StateNotRetained",
    "Stopping",
    "StorageFailed",
    "StorageFull",
    "StreamStalled",
    "Unavailable",
    "Value",
    "VersionConflict",
    "Written",
    "to_json",
]
