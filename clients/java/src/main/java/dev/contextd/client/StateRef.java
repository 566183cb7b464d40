package dev.contextd.client;

import java.time.Instant;
import java.util.Optional;

/**
 * Names one state of one context, as the server tells it.
 *
 * @param namespace the namespace
 * @param contextId the context
 * @param version the number of the state; 0: it is named by one of the next two, or is the newest
 * @param pointId the recovery point that keeps it, or empty
 * @param time when it was the newest, if it is named so
 */
public record StateRef(
        String namespace, String contextId, long version, String pointId, Optional<Instant> time) {}
