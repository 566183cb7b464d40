package dev.contextd.client;

/** What a merge does with what both sides changed, each in its own way. */
public enum OnConflict {
    /** Change nothing, and fail with {@link MergeConflictsException}. */
    FAIL,
    /** Keep what the target has: the context that is merged into. */
    TARGET,
    /** Take what the source has: the context that is merged. */
    SOURCE
}
