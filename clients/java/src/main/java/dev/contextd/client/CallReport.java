package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import java.time.Duration;
import java.util.Optional;

/**
 * A call that is over.
 *
 * @param method its full name, such as {@code contextd.v1.ContextManager/UpdateContext}
 * @param duration how long it took, its repetitions included
 * @param attempts how often it was sent
 * @param error what it failed with; empty: it did not
 */
public record CallReport(
        String method, Duration duration, int attempts, Optional<ContextdException> error) {}
