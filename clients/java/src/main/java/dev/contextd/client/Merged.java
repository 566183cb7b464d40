package dev.contextd.client;

import java.util.List;

/**
 * What became of a merge, or would with a dry run.
 *
 * @param applied whether it was merged; false of a dry run
 * @param version the target's version, afterwards
 * @param changedEntryCount how many of its entries differ from before
 * @param conflicts of a dry run: the first conflicts that no rule resolved
 * @param conflictCount how many there are
 * @param safetyPointId the recovery point that keeps the state before; empty: there is none
 * @param revision the position of the change; 0: there was nothing to change
 * @param replayed whether an earlier request with the same id had made the change
 * @param requestId the id that the write carried
 */
public record Merged(
        boolean applied,
        long version,
        long changedEntryCount,
        List<MergeConflict> conflicts,
        long conflictCount,
        String safetyPointId,
        long revision,
        boolean replayed,
        String requestId) {}
