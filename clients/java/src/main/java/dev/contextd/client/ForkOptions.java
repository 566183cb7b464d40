package dev.contextd.client;

import java.util.Optional;

/**
 * How a context is forked. Immutable: each method gives a changed copy.
 *
 * @param withHistory whether history, files and usage come along
 * @param withPoints whether the recovery points up to that state come along
 * @param properties how it begins; empty: as the source, without expiry
 */
public record ForkOptions(
        boolean withHistory,
        boolean withPoints,
        Optional<NewContext> properties) {
    /** The state alone. */
    public static final ForkOptions PLAIN =
            new ForkOptions(false, false, Optional.empty());

    /**
     * With history, files and usage.
     *
     * @return the changed copy
     */
    public ForkOptions history() {
        return new ForkOptions(true, withPoints, properties);
    }

    /**
     * With the recovery points up to that state.
     *
     * @return the changed copy
     */
    public ForkOptions points() {
        return new ForkOptions(withHistory, true, properties);
    }

    /**
     * With properties of its own.
     *
     * @param begin how it begins
     * @return the changed copy
     */
    public ForkOptions properties(NewContext begin) {
        return new ForkOptions(withHistory, withPoints, Optional.of(begin));
    }
}
