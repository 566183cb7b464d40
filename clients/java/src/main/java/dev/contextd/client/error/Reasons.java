package dev.contextd.client.error;

import java.util.Map;
import java.util.function.Function;

/** The class of each reason that the server gives. */
final class Reasons {
    static final Map<String, Function<Failure, ContextdException>> CLASSES =
            Map.ofEntries(
                    Map.entry("MALFORMED_REQUEST", MalformedRequestException::new),
                    Map.entry("INVALID_FIELD", InvalidFieldException::new),
                    Map.entry("CONTEXT_NOT_FOUND", ContextNotFoundException::new),
                    Map.entry("CONTEXT_EXISTS", ContextExistsException::new),
                    Map.entry("VERSION_CONFLICT", VersionConflictException::new),
                    Map.entry("ENTRY_CONFLICT", EntryConflictException::new),
                    Map.entry("HEAD_MOVED", HeadMovedException::new),
                    Map.entry("STREAM_STALLED", StreamStalledException::new),
                    Map.entry("STALE_FENCE", StaleFenceException::new),
                    Map.entry("SESSION_NOT_FOUND", SessionNotFoundException::new),
                    Map.entry("CONTEXT_BUSY", ContextBusyException::new),
                    Map.entry("NOT_ACTIVE", NotActiveException::new),
                    Map.entry("RESOURCE_HELD", ResourceHeldException::new),
                    Map.entry("RESOURCE_NOT_HELD", ResourceNotHeldException::new),
                    Map.entry("SIZE_MISMATCH", SizeMismatchException::new),
                    Map.entry("HAS_CHILDREN", HasChildrenException::new),
                    Map.entry("PARENT_NOT_FOUND", ParentNotFoundException::new),
                    Map.entry("RECOVERY_POINT_NOT_FOUND", RecoveryPointNotFoundException::new),
                    Map.entry("NO_RECOVERY_POINTS", NoRecoveryPointsException::new),
                    Map.entry("RECOVERY_POINT_EXISTS", RecoveryPointExistsException::new),
                    Map.entry("RECOVERY_POINT_PINNED", RecoveryPointPinnedException::new),
                    Map.entry("NO_COMMON_ANCESTOR", NoCommonAncestorException::new),
                    Map.entry("REQUEST_ID_REUSED", RequestIdReusedException::new),
                    Map.entry("LIMIT_REACHED", LimitReachedException::new),
                    Map.entry("RESPONSE_TOO_LARGE", ResponseTooLargeException::new),
                    Map.entry("STORAGE_FULL", StorageFullException::new),
                    Map.entry("OVERLOADED", OverloadedException::new),
                    Map.entry("STATE_NOT_RETAINED", StateNotRetainedException::new),
                    Map.entry("CURSOR_COMPACTED", CursorCompactedException::new),
                    Map.entry("DAMAGED", DamagedException::new),
                    Map.entry("NOT_SUPPORTED", NotSupportedException::new),
                    Map.entry("NOT_READY", NotReadyException::new),
                    Map.entry("STOPPING", StoppingException::new),
                    Map.entry("STORAGE_FAILED", StorageFailedException::new));

    private Reasons() {}
}
