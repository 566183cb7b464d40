package dev.contextd.client;

import com.google.protobuf.ByteString;
import dev.contextd.v1.DiffStatesRequest;
import dev.contextd.v1.DiffStatesResponse;
import dev.contextd.v1.EntryDiff;
import dev.contextd.v1.MetadataDiff;
import dev.contextd.v1.RecoveryGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads the differences between two states that do not change. No difference is given twice, none
 * is left out: entries come in the order of their keys, and so do labels; a further stream begins
 * anew, and what was given already is skipped. Each further stream has more time.
 */
final class DiffSource extends StreamSource<DiffStatesRequest, DiffStatesResponse, Difference> {
    private final DiffStatesRequest request;
    private int streams;
    private ByteString lastEntry = ByteString.EMPTY;
    private boolean lastWasRemoved;
    private ByteString lastLabel = ByteString.EMPTY;

    DiffSource(Target after, Target before, String prefix, boolean withValues) {
        super(after.core(), RecoveryGrpc.getDiffStatesMethod(), after.timeoutNanos());
        request = request(after, before, prefix, withValues);
    }

    static DiffStatesRequest request(
            Target after, Target before, String prefix, boolean withValues) {
        return DiffStatesRequest.newBuilder()
                .setBefore(before.state())
                .setAfter(after.state())
                .setKeyPrefix(prefix)
                .setWithoutValues(!withValues)
                .build();
    }

    @Override
    DiffStatesRequest request() {
        streams++;
        return request;
    }

    @Override
    int patience() {
        return streams + 1;
    }

    @Override
    List<Difference> accept(DiffStatesResponse message) {
        List<Difference> found = new ArrayList<>();
        for (MetadataDiff label : message.getMetadataList()) {
            if (compare(label.getKeyBytes(), lastLabel) > 0) {
                lastLabel = label.getKeyBytes();
                found.add(label(label));
            }
        }
        for (EntryDiff entry : message.getEntriesList()) {
            if (isNew(entry)) {
                lastEntry = entry.getKeyBytes();
                lastWasRemoved = entry.hasBefore() && !entry.hasAfter();
                found.add(entry(entry));
            }
        }
        if (!found.isEmpty() || streams == 1) {
            progressed();
        }
        return found;
    }

    /** Behind the last one; what is told as two is removed first, then added. */
    private boolean isNew(EntryDiff entry) {
        int order = compare(entry.getKeyBytes(), lastEntry);
        return order > 0 || (order == 0 && lastWasRemoved && !entry.hasBefore());
    }

    private static int compare(ByteString a, ByteString b) {
        return ByteString.unsignedLexicographicalComparator().compare(a, b);
    }

    static Difference entry(EntryDiff entry) {
        check(entry.hasBefore() || entry.hasAfter());
        return new Difference(
                entry.getKey(),
                false,
                RecoveryCalls.entry(entry.hasBefore(), entry.getBefore()),
                RecoveryCalls.entry(entry.hasAfter(), entry.getAfter()));
    }

    private static void check(boolean known) {
        if (!known) {
            throw Failures.newerServer("a difference of another kind");
        }
    }

    private static Difference label(MetadataDiff label) {
        check(label.hasBefore() || label.hasAfter());
        return new Difference(
                label.getKey(),
                true,
                value(label.hasBefore(), label.getKey(), label.getBefore()),
                value(label.hasAfter(), label.getKey(), label.getAfter()));
    }

    private static Optional<Entry> value(boolean present, String key, MetadataDiff.Label label) {
        return present
                ? Optional.of(new Entry(key, Value.of(label.getValue()), 0))
                : Optional.empty();
    }
}
