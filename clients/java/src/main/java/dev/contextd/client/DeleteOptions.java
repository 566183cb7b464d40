package dev.contextd.client;

import java.util.OptionalLong;

/**
 * How a context is deleted. Immutable: each method gives a changed copy.
 *
 * @param recursive whether with those below it; else a context with children is not deleted
 * @param purge whether for good: nothing of it can be brought back
 * @param allowMissing whether it is no error when there is none
 * @param ifVersion the version that it must have; empty: any
 */
public record DeleteOptions(
        boolean recursive, boolean purge, boolean allowMissing, OptionalLong ifVersion) {
    /** Just the context, so that it can be brought back. */
    public static final DeleteOptions PLAIN =
            new DeleteOptions(false, false, false, OptionalLong.empty());

    /**
     * With the contexts below it.
     *
     * @return the changed copy
     */
    public DeleteOptions withChildren() {
        return new DeleteOptions(true, purge, allowMissing, ifVersion);
    }

    /**
     * For good.
     *
     * @return the changed copy
     */
    public DeleteOptions purged() {
        return new DeleteOptions(recursive, true, allowMissing, ifVersion);
    }

    /**
     * Without an error when there is none.
     *
     * @return the changed copy
     */
    public DeleteOptions orMissing() {
        return new DeleteOptions(recursive, purge, true, ifVersion);
    }

    /**
     * Only if it has a version.
     *
     * @param version the version
     * @return the changed copy
     */
    public DeleteOptions onlyVersion(long version) {
        return new DeleteOptions(recursive, purge, allowMissing, OptionalLong.of(version));
    }
}
