package dev.contextd.client;

import java.time.Instant;
import java.util.List;

/**
 * The history of a context, and what it adds up to. Made by {@link Context#history}. Safe to
 * use from many threads.
 */
public final class History {
    private final Target target;

    History(Target target) {
        this.target = target;
    }

    /**
     * Adds to the history.
     *
     * @param activity what happened
     * @return its number
     */
    public Recorded record(Recordable activity) {
        return Wait.join(HistoryCalls.record(target, List.of(activity)));
    }

    /**
     * Adds to the history: all the activities, or none.
     *
     * @param activities what happened, up to 1,000
     * @return their numbers
     */
    public Recorded recordAll(List<? extends Recordable> activities) {
        return Wait.join(HistoryCalls.record(target, activities));
    }

    /**
     * Lists the history by sequence, page after page as it is read.
     *
     * @param query which activities
     * @return the activities
     */
    public Iterable<Activity> list(HistoryQuery query) {
        return () -> Source.iterator(HistoryCalls.list(target, query));
    }

    /**
     * Drops the activities before one.
     *
     * @param fromSequence the first one to keep
     * @return how many are gone
     */
    public long truncate(long fromSequence) {
        return Wait.join(HistoryCalls.truncate(target, fromSequence, null));
    }

    /**
     * Drops the activities before a time.
     *
     * @param time the time
     * @return how many are gone
     */
    public long truncateBefore(Instant time) {
        return Wait.join(HistoryCalls.truncate(target, 0, time));
    }

    /**
     * Makes the history smaller.
     *
     * @param maxBytes keep the newest that add up to at most this; 0: no bound
     * @param maxCount keep at most so many; 0: no bound
     * @param deduplicate of the same ones keep the newest; done first
     * @param dryRun only tell what would be
     * @return by how much
     */
    public Optimized optimize(long maxBytes, long maxCount, boolean deduplicate, boolean dryRun) {
        return Wait.join(HistoryCalls.optimize(target, maxBytes, maxCount, deduplicate, dryRun));
    }

    /**
     * Lists the files that were touched, by path, each with its last operation.
     *
     * @param pathPrefix only paths that begin with it; empty: all
     * @return the files
     */
    public Iterable<TrackedFile> files(String pathPrefix) {
        return () -> Source.iterator(HistoryCalls.files(target, pathPrefix));
    }

    /**
     * Adds up what models cost.
     *
     * @return one total for each provider, model, mode and currency
     */
    public List<UsageTotal> usage() {
        return Wait.join(HistoryCalls.usageOf(target));
    }
}
