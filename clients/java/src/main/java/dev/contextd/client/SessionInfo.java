package dev.contextd.client;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the server knows of a session.
 *
 * @param namespace its namespace
 * @param id its id, made by the server
 * @param owner who it stands for, or empty
 * @param metadata its labels
 * @param createTime when it began
 * @param expireTime when it ends unless it is renewed
 * @param activations its active contexts, oldest activation first
 * @param currentContextId the one in the foreground, or empty
 */
public record SessionInfo(
        String namespace,
        String id,
        String owner,
        Map<String, String> metadata,
        Optional<Instant> createTime,
        Optional<Instant> expireTime,
        List<Activation> activations,
        String currentContextId) {}
