package dev.contextd.client;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A context that is active in a session, with futures: see {@link ActiveContext}. */
public final class AsyncActiveContext extends AsyncContext {
    private final Activation activation;

    AsyncActiveContext(Target target, Activation activation) {
        super(target);
        this.activation = activation;
    }

    /**
     * See {@link ActiveContext#activation}.
     *
     * @return the activation
     */
    public Activation activation() {
        return activation;
    }

    /**
     * See {@link ActiveContext#acquire(String, String, Map)}.
     *
     * @param name the resource
     * @param type its type
     * @param metadata its labels
     * @return the resource
     */
    public CompletableFuture<HeldResource> acquire(
            String name, String type, Map<String, String> metadata) {
        return HistoryCalls.acquire(target, name, type, metadata);
    }

    /**
     * Gives a resource back.
     *
     * @param name the resource
     * @return nothing
     */
    public CompletableFuture<Void> release(String name) {
        return HistoryCalls.release(target, name);
    }

    /**
     * See {@link ActiveContext#deactivate}.
     *
     * @return nothing
     */
    public CompletableFuture<Void> deactivate() {
        return SessionCalls.deactivate(target);
    }
}
