package dev.contextd.client;

import dev.contextd.client.error.SessionLostException;
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
        return SessionCalls.info(keeper.target);
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
