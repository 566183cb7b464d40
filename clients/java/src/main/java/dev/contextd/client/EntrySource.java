package dev.contextd.client;

import dev.contextd.client.error.Failure;
import dev.contextd.client.error.StateNotRetainedException;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.ReadEntriesRequest;
import dev.contextd.v1.ReadEntriesResponse;
import io.grpc.Status;
import java.util.List;

/**
 * Reads the entries of one state in order: all of one version, none twice and none left out,
 * however often a stream breaks.
 */
final class EntrySource extends StreamSource<ReadEntriesRequest, ReadEntriesResponse, Entry> {
    private final ReadEntriesRequest.Builder request;
    private final boolean limited;
    private long version;

    EntrySource(Target target, EntryQuery query, long version) {
        super(target.core(), ContextManagerGrpc.getReadEntriesMethod(), target.timeoutNanos());
        this.version = version;
        limited = query.limit() > 0;
        request =
                ReadEntriesRequest.newBuilder()
                        .setState(target.state())
                        .setKeyPrefix(query.prefix())
                        .setAfterKey(query.after())
                        .setBeforeKey(query.before())
                        .setReverse(query.reverse())
                        .setLimit(query.limit())
                        .setKeysOnly(query.keysOnly());
    }

    @Override
    ReadEntriesRequest request() {
        return request.build();
    }

    @Override
    boolean done() {
        return limited && request.getLimit() == 0;
    }

    @Override
    List<Entry> accept(ReadEntriesResponse message) {
        progressed();
        expect(message.getVersion());
        int count = message.getEntriesCount();
        if (count > 0) {
            String last = message.getEntries(count - 1).getKey();
            if (request.getReverse()) {
                request.setBeforeKey(last);
            } else {
                request.setAfterKey(last);
            }
            if (limited) {
                request.setLimit(Math.max(0, request.getLimit() - count));
            }
        }
        return Messages.entries(message.getEntriesList());
    }

    /**
     * Stays with the first version. A recovery point keeps its state longer than a version is
     * kept: it is asked for again by its id, and is another only where it was replaced.
     */
    private void expect(long told) {
        if (request.getState().getRecoveryPointId().isEmpty()) {
            request.getStateBuilder().setVersion(told);
        } else if (version != 0 && version != told) {
            String message =
                    "the recovery point was replaced while version " + version + " was read";
            throw new StateNotRetainedException(
                    Failure.of(Status.Code.OUT_OF_RANGE, message)
                            .withReason("STATE_NOT_RETAINED", java.util.Map.of()));
        }
        version = told;
    }
}
