package dev.contextd.client;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * All about one state of a context but its entries.
 *
 * @param namespace the namespace that isolates it
 * @param id its id in the namespace
 * @param type what kind of context it is
 * @param parentId the context it belongs to, or empty
 * @param metadata its labels
 * @param version the number of this state; grows with every change
 * @param revision the position of its last change among all changes of the server
 * @param createTime when it was created
 * @param updateTime when it was changed last
 * @param expireTime when it is deleted by itself; empty: never
 * @param deleteTime when it was deleted; empty: it was not
 * @param entryCount how many entries the whole state has
 * @param sizeBytes bytes of all its keys and values
 * @param fence grows with each exclusive activation
 * @param recoveryPolicy which recovery points it gets and keeps; empty: the server's policy
 * @param forkedFrom the state that it was forked from; empty: it was created
 */
public record ContextInfo(
        String namespace,
        String id,
        String type,
        String parentId,
        Map<String, String> metadata,
        long version,
        long revision,
        Optional<Instant> createTime,
        Optional<Instant> updateTime,
        Optional<Instant> expireTime,
        Optional<Instant> deleteTime,
        long entryCount,
        long sizeBytes,
        long fence,
        Optional<RecoveryPolicy> recoveryPolicy,
        Optional<StateRef> forkedFrom) {}
