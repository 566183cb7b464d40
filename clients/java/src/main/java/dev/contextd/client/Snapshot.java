package dev.contextd.client;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One state of a context in memory.
 *
 * @param version the number of the state; 0: the context does not exist
 * @param metadata its labels
 * @param entries its entries by key, in the order of the keys' bytes
 */
public record Snapshot(long version, Map<String, String> metadata, Map<String, Entry> entries) {
    static final Snapshot EMPTY = new Snapshot(0, Map.of(), Map.of());

    static Snapshot of(long version, Map<String, String> metadata, List<Entry> entries) {
        Map<String, Entry> byKey = new LinkedHashMap<>();
        entries.forEach(entry -> byKey.put(entry.key(), entry));
        return new Snapshot(version, metadata, Collections.unmodifiableMap(byKey));
    }

    /**
     * Gives a value.
     *
     * @param key its key
     * @return the value, if there is an entry
     */
    public Optional<Value> get(String key) {
        return Optional.ofNullable(entries.get(key)).map(Entry::value);
    }

    /**
     * Gives a value as text.
     *
     * @param key its key
     * @return the text, if there is an entry
     */
    public Optional<String> text(String key) {
        return get(key).map(Value::text);
    }
}
