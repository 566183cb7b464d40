package dev.contextd.client;

import java.time.Instant;
import java.util.Optional;

/**
 * A file that was touched.
 *
 * @param lastOperation what was done to it last
 * @param time when that was
 * @param operationCount how often it was touched
 */
public record TrackedFile(
        FileOperation lastOperation,
        Optional<Instant> time,
        long operationCount) {}
