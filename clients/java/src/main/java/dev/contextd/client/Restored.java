package dev.contextd.client;

/**
 * What became of a context that was set back.
 *
 * @param info the context as it is now
 * @param changedEntryCount how many entries differ from before; 0 of a repeat
 * @param safetyPointId the recovery point that keeps the state before; empty: there is none
 * @param revision the position of the change among all changes of the server
 * @param replayed whether an earlier request with the same id had made the change
 * @param requestId the id that the write carried
 */
public record Restored(
        ContextInfo info,
        long changedEntryCount,
        String safetyPointId,
        long revision,
        boolean replayed,
        String requestId) {}
