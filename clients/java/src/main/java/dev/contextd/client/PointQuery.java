package dev.contextd.client;

import java.util.List;
import java.util.Map;

/**
 * Which recovery points to get or list, and what of them. Immutable: each method gives a
 * changed copy.
 *
 * @param metadata only those with all these labels of their own
 * @param before only those made before this one; empty: all
 * @param ancestorsOf only those that this one's state was made from, nearest first; empty: all
 * @param withEntries whether with the entries of their states
 * @param withAttachments whether with what lies beside them
 * @param keys only these entries and attachments; empty: all
 */
public record PointQuery(
        Map<String, String> metadata,
        String before,
        String ancestorsOf,
        boolean withEntries,
        boolean withAttachments,
        List<String> keys) {
    /** All of them, newest first, without entries and attachments. */
    public static final PointQuery ALL =
            new PointQuery(Map.of(), "", "", false, false, List.of());

    /**
     * Only those with labels.
     *
     * @param labels the labels, all of them
     * @return the changed copy
     */
    public PointQuery metadata(Map<String, String> labels) {
        return new PointQuery(labels, before, ancestorsOf, withEntries, withAttachments, keys);
    }

    /**
     * Only those made before one.
     *
     * @param point that one's id
     * @return the changed copy
     */
    public PointQuery before(String point) {
        return new PointQuery(metadata, point, ancestorsOf, withEntries, withAttachments, keys);
    }

    /**
     * Only those that one's state was made from.
     *
     * @param point that one's id
     * @return the changed copy
     */
    public PointQuery ancestorsOf(String point) {
        return new PointQuery(metadata, before, point, withEntries, withAttachments, keys);
    }

    /**
     * With the entries of their states.
     *
     * @return the changed copy
     */
    public PointQuery entries() {
        return new PointQuery(metadata, before, ancestorsOf, true, withAttachments, keys);
    }

    /**
     * With what lies beside them.
     *
     * @return the changed copy
     */
    public PointQuery attachments() {
        return new PointQuery(metadata, before, ancestorsOf, withEntries, true, keys);
    }

    /**
     * Only some entries and attachments.
     *
     * @param names their keys
     * @return the changed copy
     */
    public PointQuery keys(List<String> names) {
        return new PointQuery(metadata, before, ancestorsOf, withEntries, withAttachments, names);
    }
}
