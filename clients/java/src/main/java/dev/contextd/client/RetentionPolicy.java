package dev.contextd.client;

import java.time.Duration;
import java.util.Optional;

/**
 * Which recovery points to keep: those that any rule keeps. At least one rule must be set. Points
 * that are pinned are kept in any case, and so is the newest of a context.
 *
 * @param keepLast the newest so many; 0: no rule
 * @param keepEvery those whose sequence is a multiple of this; 1 keeps all, 0: no rule
 * @param keepWithin those younger than this; empty: no rule
 */
public record RetentionPolicy(long keepLast, long keepEvery, Optional<Duration> keepWithin) {
    /**
     * Keeps the newest points.
     *
     * @param count how many
     * @return the policy
     */
    public static RetentionPolicy keepLast(long count) {
        return new RetentionPolicy(count, 0, Optional.empty());
    }
}
