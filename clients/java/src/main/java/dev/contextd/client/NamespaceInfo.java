package dev.contextd.client;

/**
 * A namespace that holds something.
 *
 * @param name its name
 * @param contextCount how many contexts it holds
 * @param sizeBytes bytes of all their keys and values
 */
public record NamespaceInfo(String name, long contextCount, long sizeBytes) {}
