package dev.contextd.client;

import dev.contextd.client.error.CertificateRejectedException;
import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.OverloadedException;
import dev.contextd.client.error.WrongServerException;
import io.grpc.Status;
import java.util.concurrent.ThreadLocalRandom;

/** The attempts of one call, from its first to its deadline, in System.nanoTime()'s time. */
final class Attempts {
    private static final double SERVER_DELAY_SPREAD = 0.5;

    private final RetryPolicy policy;
    private final long begin = System.nanoTime();
    private final long deadline;
    private int failed;

    Attempts(RetryPolicy policy, long deadline) {
        this.policy = policy;
        this.deadline = deadline;
    }

    long remaining() {
        return Math.max(0, deadline - System.nanoTime());
    }

    int failed() {
        return failed;
    }

    double seconds() {
        return (System.nanoTime() - begin) / 1e9;
    }

    /** Whether the same call may do better later. */
    static boolean mayHelp(ContextdException error) {
        return switch (error.code()) {
            case UNAVAILABLE ->
                    !(error instanceof CertificateRejectedException)
                            && !(error instanceof WrongServerException);
            case CANCELLED -> true;
            default -> error instanceof OverloadedException;
        };
    }

    /** Nanoseconds before the next attempt; -1: there is none. */
    long delayAfter(ContextdException error) {
        failed++;
        if (!mayHelp(error) || error.code() == Status.Code.DEADLINE_EXCEEDED) {
            return -1;
        }
        double random = ThreadLocalRandom.current().nextDouble();
        long delay =
                error.retryDelay()
                        .map(asked -> (long) (asked.toNanos() * (1 + SERVER_DELAY_SPREAD * random)))
                        .orElse(policy.delayNanos(failed - 1, random));
        return delay < remaining() ? delay : -1;
    }
}
