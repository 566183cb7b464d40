package dev.contextd.client;

import java.util.Optional;

/**
 * An entry, or a label, that two states have differently. One that does not fit into a message
 * with both values is told as two: that it was removed, then that it was added.
 *
 * @param key the key of the entry or label
 * @param inMetadata whether it is a label; then only the values count
 * @param before what it is in the one state; empty: it was added
 * @param after what it is in the other; empty: it was removed
 */
public record Difference(
        String key,
        boolean inMetadata,
        Optional<Entry> before,
        Optional<Entry> after) {}
