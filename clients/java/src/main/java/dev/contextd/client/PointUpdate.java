package dev.contextd.client;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is to be changed of a recovery point. Its state never changes. Immutable: each
 * method gives a changed copy.
 *
 * @param setMetadata labels to set
 * @param removeMetadata labels to remove
 * @param putAttachments attachments to set
 * @param addAttachments attachments to set where there is none of that key
 * @param removeAttachments attachments to remove
 * @param ttl how long it is kept from now on; empty: as it is
 * @param clearExpiry whether it is no longer dropped by itself
 * @param pinned whether no policy drops it; empty: as it is
 */
public record PointUpdate(
        Map<String, String> setMetadata,
        List<String> removeMetadata,
        Map<String, Value> putAttachments,
        Map<String, Value> addAttachments,
        List<String> removeAttachments,
        Optional<Duration> ttl,
        boolean clearExpiry,
        Optional<Boolean> pinned) {
    /** No change. */
    public static final PointUpdate NONE =
            new PointUpdate(
                    Map.of(), List.of(), Map.of(), Map.of(), List.of(), Optional.empty(), false,
                    Optional.empty());

    /**
     * Sets labels.
     *
     * @param labels the labels
     * @return the changed copy
     */
    public PointUpdate metadata(Map<String, String> labels) {
        return new PointUpdate(
                labels, removeMetadata, putAttachments, addAttachments, removeAttachments, ttl,
                clearExpiry, pinned);
    }

    /**
     * Removes labels.
     *
     * @param keys their keys
     * @return the changed copy
     */
    public PointUpdate withoutMetadata(List<String> keys) {
        return new PointUpdate(
                setMetadata, keys, putAttachments, addAttachments, removeAttachments, ttl,
                clearExpiry, pinned);
    }

    /**
     * Sets attachments.
     *
     * @param values the data by key
     * @return the changed copy
     */
    public PointUpdate put(Map<String, Value> values) {
        return new PointUpdate(
                setMetadata, removeMetadata, values, addAttachments, removeAttachments, ttl,
                clearExpiry, pinned);
    }

    /**
     * Sets attachments that are not there yet.
     *
     * @param values the data by key
     * @return the changed copy
     */
    public PointUpdate add(Map<String, Value> values) {
        return new PointUpdate(
                setMetadata, removeMetadata, putAttachments, values, removeAttachments, ttl,
                clearExpiry, pinned);
    }

    /**
     * Removes attachments.
     *
     * @param keys their keys
     * @return the changed copy
     */
    public PointUpdate remove(List<String> keys) {
        return new PointUpdate(
                setMetadata, removeMetadata, putAttachments, addAttachments, keys, ttl,
                clearExpiry, pinned);
    }

    /**
     * Kept for a time from now on.
     *
     * @param time the time
     * @return the changed copy
     */
    public PointUpdate ttl(Duration time) {
        return new PointUpdate(
                setMetadata, removeMetadata, putAttachments, addAttachments, removeAttachments,
                Optional.of(time), clearExpiry, pinned);
    }

    /**
     * No longer dropped by itself.
     *
     * @return the changed copy
     */
    public PointUpdate kept() {
        return new PointUpdate(
                setMetadata, removeMetadata, putAttachments, addAttachments, removeAttachments,
                ttl, true, pinned);
    }

    /**
     * Pins it, or takes the pin off.
     *
     * @param on whether no policy drops it
     * @return the changed copy
     */
    public PointUpdate pinned(boolean on) {
        return new PointUpdate(
                setMetadata, removeMetadata, putAttachments, addAttachments, removeAttachments,
                ttl, clearExpiry, Optional.of(on));
    }
}
