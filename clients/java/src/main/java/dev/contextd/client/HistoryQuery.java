package dev.contextd.client;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Which activities to list, and in which order. Immutable: each method gives a changed copy.
 *
 * @param types only of these types; empty: of all
 * @param from only from this time on
 * @param until only before this time
 * @param newestFirst whether from the newest to the oldest
 * @param fromSequence begin with this one; 0: at the end that the order begins with
 */
public record HistoryQuery(
        List<String> types,
        Optional<Instant> from,
        Optional<Instant> until,
        boolean newestFirst,
        long fromSequence) {
    /** All of them, oldest first. */
    public static final HistoryQuery ALL =
            new HistoryQuery(List.of(), Optional.empty(), Optional.empty(), false, 0);

    /**
     * Only of some types.
     *
     * @param names the types
     * @return the changed copy
     */
    public HistoryQuery types(List<String> names) {
        return new HistoryQuery(names, from, until, newestFirst, fromSequence);
    }

    /**
     * Only from a time on.
     *
     * @param time the time
     * @return the changed copy
     */
    public HistoryQuery from(Instant time) {
        return new HistoryQuery(types, Optional.of(time), until, newestFirst, fromSequence);
    }

    /**
     * Only before a time.
     *
     * @param time the time
     * @return the changed copy
     */
    public HistoryQuery until(Instant time) {
        return new HistoryQuery(types, from, Optional.of(time), newestFirst, fromSequence);
    }

    /**
     * Newest first.
     *
     * @return the changed copy
     */
    public HistoryQuery newest() {
        return new HistoryQuery(types, from, until, true, fromSequence);
    }

    /**
     * Begins with one.
     *
     * @param sequence its number
     * @return the changed copy
     */
    public HistoryQuery fromSequence(long sequence) {
        return new HistoryQuery(types, from, until, newestFirst, sequence);
    }
}
