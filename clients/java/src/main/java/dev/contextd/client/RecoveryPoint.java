package dev.contextd.client;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A state of a context that is kept, and what lies beside it. Points order by sequence, never
 * by time.
 *
 * @param namespace the namespace of its context
 * @param contextId the context
 * @param id 1 to 128 bytes, unique in the context
 * @param parentId the point that its state was made from; empty: the first one
 * @param sequence order of creation in the context, from 1
 * @param version the version whose state it keeps
 * @param createTime when it was made
 * @param expireTime when it is dropped by itself; empty: never
 * @param pinned whether no policy drops it
 * @param origin why it was made
 * @param metadata its own labels
 * @param entryCount how many entries its state has
 * @param sizeBytes bytes of all their keys and values
 * @param revision the position of its creation among all changes of the server
 * @param attachments what lies beside the state; empty where it was not asked for
 * @param entries the entries of the state; empty where they were not asked for
 */
public record RecoveryPoint(
        String namespace,
        String contextId,
        String id,
        String parentId,
        long sequence,
        long version,
        Optional<Instant> createTime,
        Optional<Instant> expireTime,
        boolean pinned,
        Origin origin,
        Map<String, String> metadata,
        long entryCount,
        long sizeBytes,
        long revision,
        Map<String, Entry> attachments,
        Map<String, Entry> entries) {
    /** Why a point was made. */
    public enum Origin {
        /** Something that this version of the client does not know. */
        UNKNOWN,
        /** By a program. */
        CLIENT,
        /** By the context's policy. */
        POLICY,
        /** The state just before a restore or a merge. */
        SAFETY,
        /** A session was lost. */
        SESSION_LOSS
    }
}
