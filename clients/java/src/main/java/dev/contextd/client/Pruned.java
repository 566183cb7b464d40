package dev.contextd.client;

/**
 * What became of recovery points, or would with a dry run.
 *
 * @param removedCount points that are gone; 0 of a repeat
 * @param keptCount points that are left; 0 of a repeat
 * @param revision the position of the last change; 0: there was nothing to remove
 * @param replayed whether an earlier request with the same id had done it
 * @param requestId the id that the write carried
 */
public record Pruned(
        long removedCount,
        long keptCount,
        long revision,
        boolean replayed,
        String requestId) {}
