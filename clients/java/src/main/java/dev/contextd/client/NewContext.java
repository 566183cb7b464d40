package dev.contextd.client;

import java.util.Map;
import java.util.Optional;

/**
 * How a context begins. Immutable: each method gives a changed copy.
 *
 * <pre>{@code
 * NewContext.ofType("chat").metadata(Map.of("user", "mia")).expiry(Expiry.after(day))
 * }</pre>
 *
 * @param type what kind of context it is, at most 64 bytes
 * @param parentId the context it belongs to, or empty
 * @param metadata labels that lists can select by; at most 64
 * @param expiry when it is deleted by itself; empty: never
 * @param recoveryPolicy which recovery points it gets and keeps; empty: the server's policy
 * @param createParent whether to create a missing parent in the same change
 */
public record NewContext(
        String type,
        String parentId,
        Map<String, String> metadata,
        Optional<Expiry> expiry,
        Optional<RecoveryPolicy> recoveryPolicy,
        boolean createParent) {
    /** Of no type, without labels. */
    public static final NewContext PLAIN = ofType("");

    /**
     * A context of a type.
     *
     * @param type the type
     * @return how it begins
     */
    public static NewContext ofType(String type) {
        return new NewContext(type, "", Map.of(), Optional.empty(), Optional.empty(), false);
    }

    /**
     * Below a parent that exists.
     *
     * @param id the parent
     * @return the changed copy
     */
    public NewContext parent(String id) {
        return new NewContext(type, id, metadata, expiry, recoveryPolicy, false);
    }

    /**
     * Below a parent that is created in the same change where it is missing.
     *
     * @param id the parent
     * @return the changed copy
     */
    public NewContext parentCreated(String id) {
        return new NewContext(type, id, metadata, expiry, recoveryPolicy, true);
    }

    /**
     * With labels.
     *
     * @param labels the labels
     * @return the changed copy
     */
    public NewContext metadata(Map<String, String> labels) {
        return new NewContext(type, parentId, labels, expiry, recoveryPolicy, createParent);
    }

    /**
     * Deleted by itself.
     *
     * @param when when that is
     * @return the changed copy
     */
    public NewContext expiry(Expiry when) {
        return new NewContext(
                type, parentId, metadata, Optional.of(when), recoveryPolicy, createParent);
    }

    /**
     * With recovery points.
     *
     * @param policy which it gets and keeps
     * @return the changed copy
     */
    public NewContext recoveryPolicy(RecoveryPolicy policy) {
        return new NewContext(type, parentId, metadata, expiry, Optional.of(policy), createParent);
    }
}
