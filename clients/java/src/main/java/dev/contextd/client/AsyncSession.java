package dev.contextd.client;

import dev.contextd.client.error.SessionLostException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The presence of one program at the server, with futures: see {@link Session}. */
public final class AsyncSession {
    private final SessionKeeper keeper;

    AsyncSession(SessionKeeper keeper) {
        this.keeper = keeper;
    }

    /**
     * See {@link Session#id}.
     *
     * @return the id
     */
    public String id() {
        return keeper.lease.id;
    }

    /**
     * Is completed when the session is lost, and never otherwise.
     *
     * @return why it was lost
     */
    public CompletableFuture<SessionLostException> lost() {
        return keeper.lost.copy();
    }

    /**
     * See {@link Session#renew}.
     *
     * @return nothing
     */
    public CompletableFuture<Void> renew() {
        return keeper.renewNow();
    }

    /**
     * See {@link Session#info}.
     *
     * @return what the server knows of it
     */
    public CompletableFuture<SessionInfo> info() {
        return SessionCalls.info(keeper.target, id());
    }

    /**
     * See {@link Session#context}.
     *
     * @param id the context
     * @return the context
     */
    public AsyncContext context(String id) {
        return new AsyncContext(keeper.on(id, 0));
    }

    /**
     * See {@link Session#activate(String, boolean, boolean, boolean)}.
     *
     * @param contextId the context
     * @param exclusive whether no other session may have it exclusively
     * @param takeover whether another's exclusive activation ends
     * @param guard whether writes without a fence are refused too
     * @return the context, active
     */
    public CompletableFuture<AsyncActiveContext> activate(
            String contextId, boolean exclusive, boolean takeover, boolean guard) {
        SessionCalls.Mode mode = new SessionCalls.Mode(exclusive, takeover, guard);
        return SessionCalls.activate(keeper.on(contextId, 0), mode).map(this::active);
    }

    /**
     * See {@link Session#switchTo}.
     *
     * @param contextId the context
     * @return the context, active
     */
    public CompletableFuture<AsyncActiveContext> switchTo(String contextId) {
        return SessionCalls.switchTo(keeper.on(contextId, 0)).map(this::active);
    }

    /**
     * See {@link Session#acquire}.
     *
     * @param contextId the context, which need not be active
     * @param name the resource's name
     * @param type what it is; or empty
     * @param metadata labels
     * @return the resource
     */
    public CompletableFuture<HeldResource> acquire(
            String contextId, String name, String type, Map<String, String> metadata) {
        return HistoryCalls.acquire(keeper.on(contextId, 0), name, type, metadata);
    }

    /**
     * See {@link Session#release}.
     *
     * @param contextId the context
     * @param name the resource's name
     * @return nothing
     */
    public CompletableFuture<Void> release(String contextId, String name) {
        return HistoryCalls.release(keeper.on(contextId, 0), name);
    }

    private AsyncActiveContext active(Activation activation) {
        Target on = keeper.on(activation.contextId(), activation.fence());
        return new AsyncActiveContext(on, activation);
    }

    /**
     * Ends it.
     *
     * @return nothing
     */
    public CompletableFuture<Void> end() {
        return keeper.end(keeper.target);
    }
}
