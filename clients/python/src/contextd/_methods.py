"""The methods of the services, with the types of their messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from contextd.v1 import context_manager_pb2 as manager
from contextd.v1 import recovery_pb2 as recovery
from contextd.v1 import tracker_pb2 as tracker

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True)
class Method(Generic[Request, Response]):
    """A method; no two services have one of the same name."""

    name: str


CREATE = Method[manager.CreateContextRequest, manager.CreateContextResponse]("CreateContext")
GET = Method[manager.GetContextRequest, manager.GetContextResponse]("GetContext")
LIST = Method[manager.ListContextsRequest, manager.ListContextsResponse]("ListContexts")
UPDATE = Method[manager.UpdateContextRequest, manager.UpdateContextResponse]("UpdateContext")
BATCH_GET = Method[manager.BatchGetContextsRequest, manager.BatchGetContextsResponse](
    "BatchGetContexts"
)
BATCH_UPDATE = Method[manager.BatchUpdateContextsRequest, manager.BatchUpdateContextsResponse](
    "BatchUpdateContexts"
)
DELETE = Method[manager.DeleteContextRequest, manager.DeleteContextResponse]("DeleteContext")
NAMESPACES = Method[manager.ListNamespacesRequest, manager.ListNamespacesResponse]("ListNamespaces")
SERVER_INFO = Method[manager.GetServerInfoRequest, manager.GetServerInfoResponse]("GetServerInfo")
READ = Method[manager.ReadEntriesRequest, manager.ReadEntriesResponse]("ReadEntries")

CONTEXT_MANAGER: tuple[Method[Any, Any], ...] = (
    CREATE,
    GET,
    LIST,
    UPDATE,
    BATCH_GET,
    BATCH_UPDATE,
    DELETE,
    NAMESPACES,
    SERVER_INFO,
    READ,
)

START = Method[tracker.StartSessionRequest, tracker.StartSessionResponse]("StartSession")
RENEW = Method[tracker.RenewSessionRequest, tracker.RenewSessionResponse]("RenewSession")
END = Method[tracker.EndSessionRequest, tracker.EndSessionResponse]("EndSession")
SESSION = Method[tracker.GetSessionRequest, tracker.GetSessionResponse]("GetSession")
SESSIONS = Method[tracker.ListSessionsRequest, tracker.ListSessionsResponse]("ListSessions")
ACTIVATE = Method[tracker.ActivateContextRequest, tracker.ActivateContextResponse](
    "ActivateContext"
)
SWITCH = Method[tracker.SwitchContextRequest, tracker.SwitchContextResponse]("SwitchContext")
DEACTIVATE = Method[tracker.DeactivateContextRequest, tracker.DeactivateContextResponse](
    "DeactivateContext"
)
STATUS = Method[tracker.GetContextStatusRequest, tracker.GetContextStatusResponse](
    "GetContextStatus"
)
RECORD = Method[tracker.RecordActivitiesRequest, tracker.RecordActivitiesResponse](
    "RecordActivities"
)
HISTORY = Method[tracker.ListActivitiesRequest, tracker.ListActivitiesResponse]("ListActivities")
OPTIMIZE = Method[tracker.OptimizeHistoryRequest, tracker.OptimizeHistoryResponse](
    "OptimizeHistory"
)
TRUNCATE = Method[tracker.TruncateHistoryRequest, tracker.TruncateHistoryResponse](
    "TruncateHistory"
)
FILES = Method[tracker.ListFilesRequest, tracker.ListFilesResponse]("ListFiles")
USAGE = Method[tracker.SummarizeUsageRequest, tracker.SummarizeUsageResponse]("SummarizeUsage")
ACQUIRE = Method[tracker.AcquireResourceRequest, tracker.AcquireResourceResponse]("AcquireResource")
RELEASE = Method[tracker.ReleaseResourceRequest, tracker.ReleaseResourceResponse]("ReleaseResource")
RESOURCES = Method[tracker.ListResourcesRequest, tracker.ListResourcesResponse]("ListResources")

TRACKER: tuple[Method[Any, Any], ...] = (
    START,
    RENEW,
    END,
    SESSION,
    SESSIONS,
    ACTIVATE,
    SWITCH,
    DEACTIVATE,
    STATUS,
    RECORD,
    HISTORY,
    OPTIMIZE,
    TRUNCATE,
    FILES,
    USAGE,
    ACQUIRE,
    RELEASE,
    RESOURCES,
)

CREATE_POINT = Method[recovery.CreateRecoveryPointRequest, recovery.CreateRecoveryPointResponse](
    "CreateRecoveryPoint"
)
GET_POINT = Method[recovery.GetRecoveryPointRequest, recovery.GetRecoveryPointResponse](
    "GetRecoveryPoint"
)
LIST_POINTS = Method[recovery.ListRecoveryPointsRequest, recovery.ListRecoveryPointsResponse](
    "ListRecoveryPoints"
)
UPDATE_POINT = Method[recovery.UpdateRecoveryPointRequest, recovery.UpdateRecoveryPointResponse](
    "UpdateRecoveryPoint"
)
DELETE_POINT = Method[recovery.DeleteRecoveryPointRequest, recovery.DeleteRecoveryPointResponse](
    "DeleteRecoveryPoint"
)
PRUNE_POINTS = Method[recovery.PruneRecoveryPointsRequest, recovery.PruneRecoveryPointsResponse](
    "PruneRecoveryPoints"
)
BATCH_POINTS = Method[recovery.BatchRecoveryPointsRequest, recovery.BatchRecoveryPointsResponse](
    "BatchRecoveryPoints"
)
RESTORE = Method[recovery.RestoreContextRequest, recovery.RestoreContextResponse]("RestoreContext")
FORK = Method[recovery.ForkContextRequest, recovery.ForkContextResponse]("ForkContext")
MERGE = Method[recovery.MergeContextRequest, recovery.MergeContextResponse]("MergeContext")
DIFF = Method[recovery.DiffStatesRequest, recovery.DiffStatesResponse]("DiffStates")
SYNC = Method[recovery.SyncContextRequest, recovery.SyncContextResponse]("SyncContext")

RECOVERY: tuple[Method[Any, Any], ...] = (
    CREATE_POINT,
    GET_POINT,
    LIST_POINTS,
    UPDATE_POINT,
    DELETE_POINT,
    PRUNE_POINTS,
    BATCH_POINTS,
    RESTORE,
    FORK,
    MERGE,
    DIFF,
    SYNC,
)


def bound(stub: object, methods: tuple[Method[Any, Any], ...]) -> dict[str, Any]:
    """The methods of a stub by their names."""
    return {method.name: getattr(stub, method.name) for method in methods}
