package dev.contextd.client;

/**
 * What became of a write; it is on stable storage.
 *
 * @param version the context's version that the write made
 * @param revision the position of the change among all changes of the server
 * @param replayed whether an earlier request with the same id had made the change
 * @param requestId the id that the write carried
 */
public record Written(long version, long revision, boolean replayed, String requestId) {}
