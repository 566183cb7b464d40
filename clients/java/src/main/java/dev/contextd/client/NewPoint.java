package dev.contextd.client;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A recovery point that is to be made. Immutable: each method gives a changed copy.
 *
 * @param id 1 to 128 bytes, unique in the context; empty: the server makes one up
 * @param metadata its labels; at most 64
 * @param attachments data to lie beside the state; at most 10,000
 * @param ttl how long it is kept; empty: until a policy or a delete drops it
 * @param pinned whether no policy drops it
 * @param replace whether a point of this id that exists, and is not pinned, takes all this on
 * @param fromPointId the point whose state it begins from; empty: the context's own state
 * @param changes what is done on top of that state, and what must hold, or {@code null}:
 *     nothing
 * @param moveHead whether the context takes on the point's state, in the same change
 */
public record NewPoint(
        String id,
        Map<String, String> metadata,
        Map<String, Value> attachments,
        Optional<Duration> ttl,
        boolean pinned,
        boolean replace,
        String fromPointId,
        Changes changes,
        boolean moveHead) {
    /** The context's state, under an id that the server makes up. */
    public static final NewPoint PLAIN =
            new NewPoint("", Map.of(), Map.of(), Optional.empty(), false, false, "", null, false);

    /**
     * With an id.
     *
     * @param name 1 to 128 bytes
     * @return the changed copy
     */
    public NewPoint id(String name) {
        return new NewPoint(
                name, metadata, attachments, ttl, pinned, replace, fromPointId, changes, moveHead);
    }

    /**
     * With labels.
     *
     * @param labels the labels
     * @return the changed copy
     */
    public NewPoint metadata(Map<String, String> labels) {
        return new NewPoint(
                id, labels, attachments, ttl, pinned, replace, fromPointId, changes, moveHead);
    }

    /**
     * With data beside the state.
     *
     * @param values the data by key
     * @return the changed copy
     */
    public NewPoint attachments(Map<String, Value> values) {
        return new NewPoint(
                id, metadata, values, ttl, pinned, replace, fromPointId, changes, moveHead);
    }

    /**
     * Kept for a time.
     *
     * @param time the time
     * @return the changed copy
     */
    public NewPoint ttl(Duration time) {
        return new NewPoint(
                id, metadata, attachments, Optional.of(time), pinned, replace, fromPointId,
                changes, moveHead);
    }

    /**
     * Dropped by no policy.
     *
     * @return the changed copy
     */
    public NewPoint asPinned() {
        return new NewPoint(
                id, metadata, attachments, ttl, true, replace, fromPointId, changes, moveHead);
    }

    /**
     * Takes the place of the point of this id.
     *
     * @return the changed copy
     */
    public NewPoint replacing() {
        return new NewPoint(
                id, metadata, attachments, ttl, pinned, true, fromPointId, changes, moveHead);
    }

    /**
     * Begins from the state of a point.
     *
     * @param point that point's id
     * @return the changed copy
     */
    public NewPoint fromPoint(String point) {
        return new NewPoint(
                id, metadata, attachments, ttl, pinned, replace, point, changes, moveHead);
    }

    /**
     * With changes on top.
     *
     * @param steps the steps, and the conditions of the whole
     * @return the changed copy
     */
    public NewPoint changes(Changes steps) {
        return new NewPoint(
                id, metadata, attachments, ttl, pinned, replace, fromPointId, steps, moveHead);
    }

    /**
     * The context takes the state on.
     *
     * @return the changed copy
     */
    public NewPoint movingHead() {
        return new NewPoint(
                id, metadata, attachments, ttl, pinned, replace, fromPointId, changes, true);
    }
}
