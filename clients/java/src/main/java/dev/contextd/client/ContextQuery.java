package dev.contextd.client;

import java.util.Map;

/**
 * Which contexts to list. Immutable: each method gives a changed copy.
 *
 * @param idPrefix only ids that begin with it
 * @param type only of this type; empty: of all
 * @param parentId only those below this one; empty: all
 * @param metadata only those with all these labels
 * @param deleted whether to list those that were deleted and can still be brought back instead
 */
public record ContextQuery(
        String idPrefix,
        String type,
        String parentId,
        Map<String, String> metadata,
        boolean deleted) {
    /** All contexts of the namespace. */
    public static final ContextQuery ALL = new ContextQuery("", "", "", Map.of(), false);

    /**
     * Only ids that begin with a prefix.
     *
     * @param prefix the prefix
     * @return the changed copy
     */
    public ContextQuery idPrefix(String prefix) {
        return new ContextQuery(prefix, type, parentId, metadata, deleted);
    }

    /**
     * Only of one type.
     *
     * @param name the type
     * @return the changed copy
     */
    public ContextQuery type(String name) {
        return new ContextQuery(idPrefix, name, parentId, metadata, deleted);
    }

    /**
     * Only those below one.
     *
     * @param id the parent
     * @return the changed copy
     */
    public ContextQuery parent(String id) {
        return new ContextQuery(idPrefix, type, id, metadata, deleted);
    }

    /**
     * Only those with labels.
     *
     * @param labels the labels, all of them
     * @return the changed copy
     */
    public ContextQuery metadata(Map<String, String> labels) {
        return new ContextQuery(idPrefix, type, parentId, labels, deleted);
    }

    /**
     * Those that were deleted and can still be brought back.
     *
     * @return the changed copy
     */
    public ContextQuery onlyDeleted() {
        return new ContextQuery(idPrefix, type, parentId, metadata, true);
    }
}
