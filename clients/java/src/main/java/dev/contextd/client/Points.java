package dev.contextd.client;

import java.util.Map;

/**
 * The recovery points of a context. Made by {@link Context#points}. Safe to use from many
 * threads.
 */
public final class Points {
    private final Target target;

    Points(Target target) {
        this.target = target;
    }

    /**
     * Keeps the context's state as a recovery point.
     *
     * @param id 1 to 128 bytes, unique in the context; empty: the server makes one up
     * @return the point
     */
    public RecoveryPoint create(String id) {
        return Wait.join(PointCalls.create(target, NewPoint.PLAIN.id(id)));
    }

    /**
     * Makes a recovery point.
     *
     * @param point what it is to be
     * @return the point
     */
    public RecoveryPoint create(NewPoint point) {
        return Wait.join(PointCalls.create(target, point));
    }

    /**
     * Gets a recovery point, also of a context that was deleted and can be brought back.
     *
     * @param id which one; empty: the newest
     * @param query whether with entries and attachments, and with which
     * @return the point
     */
    public RecoveryPoint get(String id, PointQuery query) {
        return Wait.join(PointCalls.get(target, id, query));
    }

    /**
     * Lists the recovery points, page after page as they are read.
     *
     * @param query which points, and what of them
     * @return the points
     */
    public Iterable<RecoveryPoint> list(PointQuery query) {
        return () -> Source.iterator(PointCalls.list(target, query));
    }

    /**
     * Changes what lies beside the state of a point.
     *
     * @param id which point
     * @param update what is changed
     * @return the point
     */
    public RecoveryPoint update(String id, PointUpdate update) {
        return Wait.join(PointCalls.update(target, id, update));
    }

    /**
     * Puts data beside a point, also one that is still to be made with this id.
     *
     * @param id which point
     * @param update the attachments to set and to remove
     */
    public void attach(String id, PointUpdate update) {
        Wait.join(PointCalls.attach(target, id, update));
    }

    /**
     * Drops a recovery point, pinned or not. Its children take its parent.
     *
     * @param id which point
     */
    public void delete(String id) {
        Wait.join(PointCalls.delete(target, id));
    }

    /**
     * Drops recovery points that a policy does not keep. Pinned points stay.
     *
     * @param policy drop what no rule of it keeps
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public Pruned prune(RetentionPolicy policy, boolean dryRun) {
        return Wait.join(PointCalls.prune(target, Map.of(), policy, dryRun));
    }

    /**
     * Drops recovery points with labels. Pinned points stay.
     *
     * @param metadata the labels, all of them
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public Pruned pruneLabelled(Map<String, String> metadata, boolean dryRun) {
        return Wait.join(PointCalls.prune(target, metadata, null, dryRun));
    }
}
