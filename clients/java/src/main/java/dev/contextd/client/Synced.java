package dev.contextd.client;

import java.util.List;
import java.util.Map;

/**
 * What leads from a version that a program has to the newest one.
 *
 * @param fromVersion what it leads from; 0: from nothing
 * @param full whether the program's version is no longer kept, or it had none
 * @param info the context at the newest version
 * @param differences the entries that differ, by key
 */
public record Synced(
        long fromVersion,
        boolean full,
        ContextInfo info,
        List<Difference> differences) {
    /**
     * Makes the entries of the newest version of those that the program has.
     *
     * @param entries the program's, by key
     */
    public void apply(Map<String, Entry> entries) {
        if (full) {
            entries.clear();
        }
        for (Difference difference : differences) {
            difference
                    .after()
                    .ifPresentOrElse(
                            entry -> entries.put(difference.key(), entry),
                            () -> entries.remove(difference.key()));
        }
    }
}
