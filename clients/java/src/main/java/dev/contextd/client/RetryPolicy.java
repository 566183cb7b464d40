package dev.contextd.client;

import java.time.Duration;

/**
 * How calls are repeated that are safe to repeat: reads, and writes, which carry a request id.
 *
 * <p>A call is repeated after {@code UNAVAILABLE}, after {@code OVERLOADED}, and when the server
 * or a proxy dropped it, until its timeout has passed. The delay before attempt n (from 0) is
 * {@code min(initialDelay * 2^n, maxDelay)}, less up to a half at random; where the server names a
 * delay, it is that and up to a half more.
 *
 * @param initialDelay the first delay
 * @param maxDelay what no delay exceeds, unless the server asks for more
 * @param attempts how often {@code edit} and {@code transact} try to win against other writers
 * @param conflictDelay what their first delay is below
 */
public record RetryPolicy(
        Duration initialDelay, Duration maxDelay, int attempts, Duration conflictDelay) {
    /** 50 ms, doubled up to 1 s; 16 attempts after conflicts, the first within 5 ms. */
    public static final RetryPolicy DEFAULT =
            new RetryPolicy(Duration.ofMillis(50), Duration.ofSeconds(1), 16, Duration.ofMillis(5));

    /**
     * Refuses what cannot work.
     *
     * @param initialDelay above 0, and at most {@code maxDelay}
     * @param maxDelay what no delay exceeds
     * @param attempts at least 1
     * @param conflictDelay from 0 to {@code maxDelay}
     */
    public RetryPolicy {
        if (initialDelay.isNegative()
                || initialDelay.isZero()
                || initialDelay.compareTo(maxDelay) > 0) {
            throw new IllegalArgumentException(
                    "initialDelay must be above 0 and at most maxDelay");
        }
        if (conflictDelay.isNegative() || conflictDelay.compareTo(maxDelay) > 0) {
            throw new IllegalArgumentException("conflictDelay must be from 0 to maxDelay");
        }
        if (attempts < 1) {
            throw new IllegalArgumentException("attempts must be at least 1");
        }
    }

    /** Nanoseconds before the attempt after failure n, from 0; {@code random} is from 0 to 1. */
    long delayNanos(int n, double random) {
        return (long) (grown(initialDelay, n) * (1 - 0.5 * random));
    }

    /** Nanoseconds before the attempt after lost race n, from 0. */
    long conflictDelayNanos(int n, double random) {
        return (long) (grown(conflictDelay, n) * random);
    }

    private double grown(Duration first, int n) {
        return Math.min(first.toNanos() * Math.pow(2, Math.min(n, 32)), maxDelay.toNanos());
    }
}
