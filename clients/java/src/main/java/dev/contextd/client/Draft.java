package dev.contextd.client;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A context, or some of its entries, to work on in memory: see {@link Context#transact}.
 *
 * <p>Threads: one.
 */
public final class Draft {
    private final Snapshot before;
    private final Set<String> keys;
    private final Map<String, Value> entries = new TreeMap<>();
    private final Map<String, String> labels;
    private boolean labelled; // Somebody looked at them.

    Draft(Snapshot before, Collection<String> keys) {
        this.before = before;
        this.keys = keys == null ? null : Set.copyOf(keys);
        before.entries().forEach((key, entry) -> entries.put(key, entry.value()));
        labels = new TreeMap<>(before.metadata());
    }

    /**
     * The version that the draft began with.
     *
     * @return the version; 0: the context does not exist
     */
    public long version() {
        return before.version();
    }

    /**
     * Gives a value as it is in the draft.
     *
     * @param key the entry
     * @return the value, if there is one
     */
    public Optional<Value> get(String key) {
        check(key);
        return Optional.ofNullable(entries.get(key));
    }

    /**
     * Gives a value as text.
     *
     * @param key the entry
     * @return the text, if there is an entry
     */
    public Optional<String> text(String key) {
        return get(key).map(Value::text);
    }

    /**
     * The entries as they are in the draft.
     *
     * @return the values by key
     */
    public Map<String, Value> entries() {
        return Collections.unmodifiableMap(entries);
    }

    /**
     * Sets an entry.
     *
     * @param key the entry
     * @param value its value
     */
    public void put(String key, Value value) {
        check(key);
        entries.put(key, Objects.requireNonNull(value, "value"));
    }

    /**
     * Sets an entry to text.
     *
     * @param key the entry
     * @param text its value
     */
    public void put(String key, String text) {
        put(key, Value.of(text));
    }

    /**
     * Removes an entry.
     *
     * @param key the entry
     * @return what it was, if it was there
     */
    public Optional<Value> remove(String key) {
        check(key);
        return Optional.ofNullable(entries.remove(key));
    }

    /**
     * The labels, to read and to change. A transaction that looks at them guards the whole
     * context: labels have no versions of their own.
     *
     * @return the labels
     */
    public Map<String, String> metadata() {
        labelled = true;
        return labels;
    }

    private void check(String key) {
        if (keys != null && !keys.contains(key)) {
            throw new IllegalArgumentException(
                    "the draft has not read the entry " + key + ": name it in the keys");
        }
    }

    /** What was done to it, without conditions. */
    Changes changes() {
        Changes changes = new Changes();
        before.entries()
                .forEach(
                        (key, entry) -> {
                            if (!entries.containsKey(key)) {
                                changes.remove(key);
                            }
                        });
        entries.forEach(
                (key, value) -> {
                    if (!before.get(key).equals(Optional.of(value))) {
                        changes.put(key, value);
                    }
                });
        before.metadata()
                .forEach(
                        (key, value) -> {
                            if (!labels.containsKey(key)) {
                                changes.removeLabel(key);
                            }
                        });
        labels.forEach(
                (key, value) -> {
                    if (!value.equals(before.metadata().get(key))) {
                        changes.label(key, value);
                    }
                });
        return changes;
    }

    /** Adds the condition that nothing that was read has changed. */
    Changes guarded(Changes changes) {
        if (keys == null || labelled) {
            return changes.ifVersion(before.version());
        }
        for (String key : keys) {
            Entry entry = before.entries().get(key);
            changes.ifEntry(key, entry == null ? 0 : entry.version());
        }
        return changes;
    }
}
