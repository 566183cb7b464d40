package dev.contextd.client;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

/**
 * The history of a context, and what it adds up to, with futures: see {@link History}.
 */
public final class AsyncHistory {
    private final Target target;

    AsyncHistory(Target target) {
        this.target = target;
    }

    /**
     * See {@link History#record(Recordable)}.
     *
     * @param activity what happened
     * @return its number
     */
    public CompletableFuture<Recorded> record(Recordable activity) {
        return HistoryCalls.record(target, List.of(activity));
    }

    /**
     * See {@link History#recordAll(List)}.
     *
     * @param activities what happened, up to 1,000
     * @return their numbers
     */
    public CompletableFuture<Recorded> recordAll(List<? extends Recordable> activities) {
        return HistoryCalls.record(target, activities);
    }

    /**
     * See {@link History#list(HistoryQuery)}.
     *
     * @param query which activities
     * @return the activities
     */
    public Flow.Publisher<Activity> list(HistoryQuery query) {
        return
                new SourcePublisher<>(() -> HistoryCalls.list(
                        target, query), target.core().executor);
    }

    /**
     * See {@link History#truncate(long)}.
     *
     * @param fromSequence the first one to keep
     * @return how many are gone
     */
    public CompletableFuture<Long> truncate(long fromSequence) {
        return HistoryCalls.truncate(target, fromSequence, null);
    }

    /**
     * See {@link History#truncateBefore(Instant)}.
     *
     * @param time the time
     * @return how many are gone
     */
    public CompletableFuture<Long> truncateBefore(Instant time) {
        return HistoryCalls.truncate(target, 0, time);
    }

    /**
     * See {@link History#optimize(long, long, boolean, boolean)}.
     *
     * @param maxBytes keep the newest that add up to at most this; 0: no bound
     * @param maxCount keep at most so many; 0: no bound
     * @param deduplicate of the same ones keep the newest; done first
     * @param dryRun only tell what would be
     * @return by how much
     */
    public CompletableFuture<Optimized> optimize(
            long maxBytes, long maxCount, boolean deduplicate, boolean dryRun) {
        return HistoryCalls.optimize(target, maxBytes, maxCount, deduplicate, dryRun);
    }

    /**
     * See {@link History#files(String)}.
     *
     * @param pathPrefix only paths that begin with it; empty: all
     * @return the files
     */
    public Flow.Publisher<TrackedFile> files(String pathPrefix) {
        return
                new SourcePublisher<>(() -> HistoryCalls.files(
                        target, pathPrefix), target.core().executor);
    }

    /**
     * See {@link History#usage()}.
     *
     * @return one total for each provider, model, mode and currency
     */
    public CompletableFuture<List<UsageTotal>> usage() {
        return HistoryCalls.usageOf(target);
    }
}
