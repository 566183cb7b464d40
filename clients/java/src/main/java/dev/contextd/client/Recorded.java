package dev.contextd.client;

/**
 * What became of activities that were recorded; they are on stable storage.
 *
 * @param firstSequence the number of the first one
 * @param lastSequence the number of the last one; those between have all numbers between
 * @param revision the position of the change among all changes of the server
 * @param replayed whether an earlier request with the same id had recorded them
 * @param requestId the id that the write carried
 */
public record Recorded(
        long firstSequence,
        long lastSequence,
        long revision,
        boolean replayed,
        String requestId) {}
