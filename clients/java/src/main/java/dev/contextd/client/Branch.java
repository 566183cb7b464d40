package dev.contextd.client;

/**
 * A fork of a context for the length of a {@code try}: closing it deletes it, with the contexts
 * below it, whether or not it was merged. Made by {@link Context#branch}.
 */
public final class Branch extends Context implements AutoCloseable {
    private final Context origin;

    Branch(Target target, Context origin) {
        super(target);
        this.origin = origin;
    }

    static String newId() {
        return "branch-" + RequestIds.next();
    }

    /**
     * The context that it was forked from.
     *
     * @return the origin
     */
    public Context origin() {
        return origin;
    }

    /**
     * Merges the branch back into its origin. It can be merged again after further changes.
     *
     * @param options how it goes
     * @return what became of the origin
     * @throws MergeConflictsException if nothing was merged
     */
    public Merged mergeBack(MergeOptions options) {
        return origin.merge(this, options);
    }

    /** Deletes the fork. */
    @Override
    public void close() {
        delete(DeleteOptions.PLAIN.withChildren().orMissing());
    }
}
