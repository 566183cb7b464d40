package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.Failure;
import io.grpc.Status;
import java.util.List;

/** Both sides of a merge changed the same, each in its own way; nothing was merged. */
public final class MergeConflictsException extends ContextdException {
    private static final long serialVersionUID = 1L;

    private final transient List<MergeConflict> conflicts;

    /** How many there are. */
    private final long conflictCount;

    MergeConflictsException(Merged merged) {
        super(
                Failure.of(
                                Status.Code.ABORTED,
                                merged.conflictCount() + " conflicts, nothing was merged")
                        .withRequestId(merged.requestId()));
        conflicts = merged.conflicts();
        conflictCount = merged.conflictCount();
    }

    /**
     * The first 1,000 of those that no rule resolved.
     *
     * @return the conflicts
     */
    public List<MergeConflict> conflicts() {
        return conflicts;
    }

    /**
     * How many there are.
     *
     * @return their number
     */
    public long conflictCount() {
        return conflictCount;
    }
}
