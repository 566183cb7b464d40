package dev.contextd.client;

import java.time.Duration;
import java.util.Optional;

/**
 * Which recovery points a context gets by itself, and which are kept.
 *
 * @param retention which are kept; empty: as many as the server's {@code recovery_points_max}
 * @param pointEveryChanges make a point after so many changes; 0: never
 * @param pointEvery make a point when there was a change and the last point is older than this;
 *     empty: never
 */
public record RecoveryPolicy(
        Optional<RetentionPolicy> retention,
        long pointEveryChanges,
        Optional<Duration> pointEvery) {
    /**
     * A point after so many changes, kept as the server keeps them.
     *
     * @param changes how many changes
     * @return the policy
     */
    public static RecoveryPolicy everyChanges(long changes) {
        return new RecoveryPolicy(Optional.empty(), changes, Optional.empty());
    }
}
