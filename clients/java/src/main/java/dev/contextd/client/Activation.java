package dev.contextd.client;

import java.time.Instant;
import java.util.Optional;

/**
 * A context that is active in a session.
 *
 * @param contextId the context
 * @param fence the context's fence from this activation on; 0 when shared
 * @param exclusive whether no other session can have it exclusively
 * @param time since when
 */
public record Activation(
        String contextId,
        long fence,
        boolean exclusive,
        Optional<Instant> time) {}
