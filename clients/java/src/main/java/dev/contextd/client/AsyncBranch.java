package dev.contextd.client;

import java.util.concurrent.CompletableFuture;

/** A fork of a context to try something in, with futures: see {@link Branch}. */
public final class AsyncBranch extends AsyncContext {
    private final AsyncContext origin;

    AsyncBranch(Target target, AsyncContext origin) {
        super(target);
        this.origin = origin;
    }

    /**
     * See {@link Branch#origin}.
     *
     * @return the origin
     */
    public AsyncContext origin() {
        return origin;
    }

    /**
     * See {@link Branch#mergeBack}.
     *
     * @param options how it goes
     * @return what became of the origin
     */
    public CompletableFuture<Merged> mergeBack(MergeOptions options) {
        return origin.merge(this, options);
    }

    /**
     * See {@link Branch#close}.
     *
     * @return how many contexts are gone
     */
    public CompletableFuture<Long> discard() {
        return delete(DeleteOptions.PLAIN.withChildren().orMissing());
    }
}
