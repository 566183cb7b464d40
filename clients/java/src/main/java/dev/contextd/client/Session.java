package dev.contextd.client;

import dev.contextd.client.error.ClientClosedException;
import dev.contextd.client.error.ContextBusyException;
import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.ResourceHeldException;
import dev.contextd.client.error.ResourceNotHeldException;
import dev.contextd.client.error.SessionLostException;
import java.time.Duration;
import java.util.Map;

/**
 * The presence of one program, or one of its agents, at the server. Made by {@link
 * Client#session}.
 *
 * <p>It renews itself in the background, about three times in each term. While no server answers
 * that is tried again, until the term is over: then the session is lost, and so it is when the
 * server has ended it. {@code onLost} is told, and every later use throws {@link
 * SessionLostException}. After {@link #close} every use throws {@link ClientClosedException}. Safe
 * to use from many threads.
 *
 * <pre>{@code
 * try (Session session = client.session(NewSession.PLAIN.owner("agent-7"));
 *         ActiveContext chat = session.activateExclusively("chat-1")) {
 *     chat.put("state", "working");
 * }
 * }</pre>
 */
public final class Session implements AutoCloseable {
    private static final Duration LEAVE = Duration.ofSeconds(2);

    private final SessionKeeper keeper;

    Session(SessionKeeper keeper) {
        this.keeper = keeper;
    }

    /**
     * The id that the server made.
     *
     * @return the id
     */
    public String id() {
        return keeper.lease.id;
    }

    /**
     * Whether it is over although the program did not end it. Without a call.
     *
     * @return whether it is lost
     */
    public boolean isLost() {
        return keeper.lease.lost();
    }

    /**
     * Gives it a full term from now on, beside the renewals that come by themselves.
     */
    public void renew() {
        Wait.join(keeper.renewNow());
    }

    /**
     * Gets what the server knows of it.
     *
     * @return that
     */
    public SessionInfo info() {
        return Wait.join(SessionCalls.info(keeper.target, id()));
    }

    /**
     * Names a context, without a call, whose writes are this session's but of no activation.
     *
     * @param id the context
     * @return the context
     */
    public Context context(String id) {
        return new Context(keeper.on(id, 0));
    }

    /**
     * Activates a context, shared. It becomes the current one when there is none.
     *
     * @param contextId the context
     * @return the context, active
     */
    public ActiveContext activate(String contextId) {
        return activate(contextId, false, false, false);
    }

    /**
     * Activates a context exclusively: no other session can, and the writes of what this gives are
     * refused once the activation is not in force.
     *
     * @param contextId the context
     * @return the context, active
     * @throws ContextBusyException if another session has it exclusively
     */
    public ActiveContext activateExclusively(String contextId) {
        return activate(contextId, true, false, false);
    }

    /**
     * Activates a context.
     *
     * @param contextId the context
     * @param exclusive whether no other session may have it exclusively
     * @param takeover with {@code exclusive}: whether another's exclusive activation ends
     * @param guard with {@code exclusive}: whether writes without a fence are refused too
     * @return the context, active
     * @throws ContextBusyException if another session has it exclusively
     */
    public ActiveContext activate(
            String contextId, boolean exclusive, boolean takeover, boolean guard) {
        SessionCalls.Mode mode = new SessionCalls.Mode(exclusive, takeover, guard);
        return active(Wait.join(SessionCalls.activate(keeper.on(contextId, 0), mode)));
    }

    /**
     * Makes a context the current one, activating it first, shared, where necessary.
     *
     * @param contextId the context
     * @return the context, active
     */
    public ActiveContext switchTo(String contextId) {
        return active(Wait.join(SessionCalls.switchTo(keeper.on(contextId, 0))));
    }

    /**
     * Takes a resource of a context for this session. Taking it again gives the same one.
     *
     * @param contextId the context, which need not be active
     * @param name the resource's name
     * @param type what it is; or empty
     * @param metadata labels
     * @return the resource, which is given back when it is closed
     * @throws ResourceHeldException if another session holds it
     */
    public ActiveContext.Held acquire(
            String contextId, String name, String type, Map<String, String> metadata) {
        Target on = keeper.on(contextId, 0);
        return new ActiveContext.Held(
                on, Wait.join(HistoryCalls.acquire(on, name, type, metadata)));
    }

    /**
     * Gives a resource back.
     *
     * @param contextId the context
     * @param name the resource's name
     * @throws ResourceNotHeldException if this session does not hold it
     */
    public void release(String contextId, String name) {
        Wait.join(HistoryCalls.release(keeper.on(contextId, 0), name));
    }

    private ActiveContext active(Activation activation) {
        Target on = keeper.on(activation.contextId(), activation.fence());
        return new ActiveContext(on, activation);
    }

    /**
     * Ends it: its contexts are deactivated, its resources given back. This takes two seconds at
     * most when the server is away: it ends by itself then. Closing twice is allowed.
     */
    @Override
    public void close() {
        try {
            Duration timeout = Duration.ofNanos(keeper.target.timeoutNanos());
            Target by = keeper.target.timeout(timeout.compareTo(LEAVE) < 0 ? timeout : LEAVE);
            Wait.join(keeper.end(by));
        } catch (ContextdException endsByItself) {
            Log.LOGGER.log(
                    System.Logger.Level.DEBUG, "a session ends by itself", endsByItself);
        }
    }

    /** Says its id. */
    @Override
    public String toString() {
        return "Session[" + id() + "]";
    }
}
