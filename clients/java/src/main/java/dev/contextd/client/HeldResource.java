package dev.contextd.client;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A named resource of a context that a session holds.
 *
 * @param name its name
 * @param type its type, or empty
 * @param sessionId who holds it
 * @param metadata its labels
 * @param time since when
 */
public record HeldResource(
        String name,
        String type,
        String sessionId,
        Map<String, String> metadata,
        Optional<Instant> time) {}
