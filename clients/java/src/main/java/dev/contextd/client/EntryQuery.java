package dev.contextd.client;

/**
 * Which entries to read, and in which order. Immutable: each method gives a changed copy.
 *
 * @param prefix only keys that begin with it
 * @param after only keys behind this one; empty: all
 * @param before only keys before this one; empty: all
 * @param reverse whether from the last key to the first
 * @param limit at most so many; 0: all
 * @param keysOnly whether without the values
 */
public record EntryQuery(
        String prefix, String after, String before, boolean reverse, long limit, boolean keysOnly) {
    /** All entries. */
    public static final EntryQuery ALL = new EntryQuery("", "", "", false, 0, false);

    /**
     * The entries whose keys begin with a prefix.
     *
     * @param prefix the prefix
     * @return the query
     */
    public static EntryQuery prefixed(String prefix) {
        return new EntryQuery(prefix, "", "", false, 0, false);
    }

    /**
     * Only keys behind one.
     *
     * @param key the key
     * @return the changed copy
     */
    public EntryQuery after(String key) {
        return new EntryQuery(prefix, key, before, reverse, limit, keysOnly);
    }

    /**
     * Only keys before one.
     *
     * @param key the key
     * @return the changed copy
     */
    public EntryQuery before(String key) {
        return new EntryQuery(prefix, after, key, reverse, limit, keysOnly);
    }

    /**
     * From the last key to the first.
     *
     * @return the changed copy
     */
    public EntryQuery reversed() {
        return new EntryQuery(prefix, after, before, true, limit, keysOnly);
    }

    /**
     * At most so many.
     *
     * @param count how many
     * @return the changed copy
     */
    public EntryQuery limit(long count) {
        return new EntryQuery(prefix, after, before, reverse, count, keysOnly);
    }

    /**
     * Without the values.
     *
     * @return the changed copy
     */
    public EntryQuery withoutValues() {
        return new EntryQuery(prefix, after, before, reverse, limit, true);
    }
}
