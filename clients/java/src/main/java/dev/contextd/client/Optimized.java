package dev.contextd.client;

/**
 * What became of a history that was made smaller, or would with a dry run.
 *
 * @param removedCount activities that are gone
 * @param removedBytes their bytes
 * @param keptCount activities that are left
 * @param keptBytes their bytes
 */
public record Optimized(long removedCount, long removedBytes, long keptCount, long keptBytes) {}
