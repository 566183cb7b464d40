package dev.contextd.client;

import dev.contextd.client.error.Failure;
import dev.contextd.client.error.RecoveryPointNotFoundException;
import dev.contextd.v1.GetRecoveryPointResponse;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Reads the messages of recovery points. */
final class PointMessages {
    private PointMessages() {}

    /** The point that a write tells; a repeat that came late can find it gone. */
    static RecoveryPoint told(boolean present, dev.contextd.v1.RecoveryPoint point, String id) {
        if (!present) {
            String message = "the recovery point " + id + " was written, and is not told";
            throw new RecoveryPointNotFoundException(
                    Failure.of(Status.Code.NOT_FOUND, message)
                            .withReason("RECOVERY_POINT_NOT_FOUND", Map.of()));
        }
        return of(point, List.of());
    }

    static RecoveryPoint of(GetRecoveryPointResponse response) {
        return of(response.getRecoveryPoint(), response.getEntriesList());
    }

    static RecoveryPoint of(
            dev.contextd.v1.RecoveryPoint point, List<dev.contextd.v1.Entry> entries) {
        return new RecoveryPoint(
                point.getNamespace(),
                point.getContextId(),
                point.getId(),
                point.getParentId(),
                point.getSequence(),
                point.getVersion(),
                Messages.time(point.hasCreateTime(), point.getCreateTime()),
                Messages.time(point.hasExpireTime(), point.getExpireTime()),
                point.getPinned(),
                origin(point.getOrigin()),
                Map.copyOf(point.getMetadataMap()),
                point.getEntryCount(),
                point.getSizeBytes(),
                point.getRevision(),
                byKey(Messages.entries(point.getAttachmentsList())),
                byKey(Messages.entries(entries)));
    }

    static RecoveryPoint withEntries(RecoveryPoint point, List<Entry> entries) {
        return new RecoveryPoint(
                point.namespace(),
                point.contextId(),
                point.id(),
                point.parentId(),
                point.sequence(),
                point.version(),
                point.createTime(),
                point.expireTime(),
                point.pinned(),
                point.origin(),
                point.metadata(),
                point.entryCount(),
                point.sizeBytes(),
                point.revision(),
                point.attachments(),
                byKey(entries));
    }

    private static RecoveryPoint.Origin origin(dev.contextd.v1.RecoveryPoint.Origin origin) {
        return switch (origin) {
            case ORIGIN_CLIENT -> RecoveryPoint.Origin.CLIENT;
            case ORIGIN_POLICY -> RecoveryPoint.Origin.POLICY;
            case ORIGIN_SAFETY -> RecoveryPoint.Origin.SAFETY;
            case ORIGIN_SESSION_LOSS -> RecoveryPoint.Origin.SESSION_LOSS;
            default -> RecoveryPoint.Origin.UNKNOWN;
        };
    }

    private static Map<String, Entry> byKey(List<Entry> entries) {
        return entries.stream().collect(Collectors.toUnmodifiableMap(Entry::key, each -> each));
    }
}
