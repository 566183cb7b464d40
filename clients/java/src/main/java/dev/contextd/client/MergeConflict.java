package dev.contextd.client;

import java.util.Optional;

/**
 * An entry, or a label, that both sides of a merge changed, each in its own way.
 *
 * @param key the key of the entry or label
 * @param inMetadata whether it is a label; then only the values of the next three count
 * @param ancestor what it was in the state that both came from
 * @param target what it is in the context that is merged into
 * @param source what it is in the one that is merged
 */
public record MergeConflict(
        String key,
        boolean inMetadata,
        Optional<Entry> ancestor,
        Optional<Entry> target,
        Optional<Entry> source) {}
