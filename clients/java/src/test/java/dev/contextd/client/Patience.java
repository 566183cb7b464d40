package dev.contextd.client;

import java.time.Duration;

/** How long a test waits for what must come: only a hang reaches it, on however busy a machine. */
public final class Patience {
    /** In seconds. */
    public static final long SECONDS = 120;

    /** The same; what a client of a test has for its timeout. */
    public static final Duration TIME = Duration.ofSeconds(SECONDS);

    /** That of a test with several such waits, in seconds. */
    static final long TEST_SECONDS = 3 * SECONDS;

    // Behind the first failure there is no time for a second attempt.
    static final RetryPolicy ONE_ATTEMPT =
            new RetryPolicy(TIME.multipliedBy(3), TIME.multipliedBy(3), 1, Duration.ZERO);

    private Patience() {}
}
