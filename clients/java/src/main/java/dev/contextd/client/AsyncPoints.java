package dev.contextd.client;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

/**
 * The recovery points of a context, with futures: see {@link Points}.
 */
public final class AsyncPoints {
    private final Target target;

    AsyncPoints(Target target) {
        this.target = target;
    }

    /**
     * See {@link Points#create(String)}.
     *
     * @param id 1 to 128 bytes, unique in the context; empty: the server makes one up
     * @return the point
     */
    public CompletableFuture<RecoveryPoint> create(String id) {
        return PointCalls.create(target, NewPoint.PLAIN.id(id));
    }

    /**
     * See {@link Points#create(NewPoint)}.
     *
     * @param point what it is to be
     * @return the point
     */
    public CompletableFuture<RecoveryPoint> create(NewPoint point) {
        return PointCalls.create(target, point);
    }

    /**
     * See {@link Points#get(String, PointQuery)}.
     *
     * @param id which one; empty: the newest
     * @param query whether with entries and attachments, and with which
     * @return the point
     */
    public CompletableFuture<RecoveryPoint> get(String id, PointQuery query) {
        return PointCalls.get(target, id, query);
    }

    /**
     * See {@link Points#list(PointQuery)}.
     *
     * @param query which points, and what of them
     * @return the points
     */
    public Flow.Publisher<RecoveryPoint> list(PointQuery query) {
        return
                new SourcePublisher<>(() -> PointCalls.list(
                        target, query), target.core().executor);
    }

    /**
     * See {@link Points#update(String, PointUpdate)}.
     *
     * @param id which point
     * @param update what is changed
     * @return the point
     */
    public CompletableFuture<RecoveryPoint> update(String id, PointUpdate update) {
        return PointCalls.update(target, id, update);
    }

    /**
     * See {@link Points#attach(String, PointUpdate)}.
     *
     * @param id which point
     * @param update the attachments to set and to remove
     * @return nothing
     */
    public CompletableFuture<Void> attach(String id, PointUpdate update) {
        return PointCalls.attach(target, id, update);
    }

    /**
     * See {@link Points#delete(String)}.
     *
     * @param id which point
     * @return nothing
     */
    public CompletableFuture<Void> delete(String id) {
        return PointCalls.delete(target, id);
    }

    /**
     * See {@link Points#prune(RetentionPolicy, boolean)}.
     *
     * @param policy drop what no rule of it keeps
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public CompletableFuture<Pruned> prune(RetentionPolicy policy, boolean dryRun) {
        return PointCalls.prune(target, Map.of(), policy, dryRun);
    }

    /**
     * See {@link Points#pruneLabelled(Map, boolean)}.
     *
     * @param metadata the labels, all of them
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public CompletableFuture<Pruned> pruneLabelled(Map<String, String> metadata, boolean dryRun) {
        return PointCalls.prune(target, metadata, null, dryRun);
    }
}
