package dev.contextd.client;

import dev.contextd.client.error.ClientClosedException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A server, and the namespace that is worked in. Its calls wait for their answers; {@link #async}
 * gives the same client with futures.
 *
 * <pre>{@code
 * try (Client client = Client.connect("127.0.0.1:7420")) {
 *     Context chat = client.create("chat-1");
 *     chat.put("system", "You are helpful.");
 * }
 * }</pre>
 *
 * <p>Safe to use from many threads; one is enough for a program. A thread that is interrupted while
 * it waits gets a {@link java.util.concurrent.CancellationException}, and stays interrupted.
 */
public final class Client implements AutoCloseable {
    private final Target target;

    Client(Core core, String namespace, long timeoutNanos) {
        target = new Target(core, namespace, "", timeoutNanos);
    }

    private Client(Target target) {
        this.target = target;
    }

    /**
     * Begins to say how a client is made.
     *
     * @return the builder
     */
    public static ClientBuilder builder() {
        return new ClientBuilder();
    }

    /**
     * Makes a client for an address, with all else as it is by default. Calls nobody.
     *
     * @param address such as {@code 127.0.0.1:7420}
     * @return the client
     */
    public static Client connect(String address) {
        return builder().address(address).build();
    }

    /**
     * The same client, with futures. Closing either closes both.
     *
     * @return the asynchronous form
     */
    public AsyncClient async() {
        return new AsyncClient(target.core(), target.namespace(), target.timeoutNanos());
    }

    /**
     * The same client in another namespace. Closing either closes both.
     *
     * @param name the namespace
     * @return the client
     */
    public Client withNamespace(String name) {
        return new Client(target.core(), name, target.timeoutNanos());
    }

    /**
     * The same client, with another timeout of each call. Closing either closes both.
     *
     * @param timeout above 0
     * @return the client
     */
    public Client withTimeout(Duration timeout) {
        return new Client(target.timeout(timeout));
    }

    /**
     * The same client, for one write with a request id of the program's own: a {@link #create} or
     * {@link #updateAll}, which may be repeated with it. See {@link Context#withRequestId}.
     *
     * @param requestId at most 128 bytes, made to be unique
     * @return the client
     */
    public Client withRequestId(String requestId) {
        return new Client(target.requestId(requestId));
    }

    /**
     * The namespace.
     *
     * @return its name
     */
    public String namespace() {
        return target.namespace();
    }

    /**
     * Names a context, without a call.
     *
     * @param id its id, 1 to 256 bytes
     * @return the context
     */
    public Context context(String id) {
        return new Context(target.other(id));
    }

    /**
     * Creates a context, empty and of no type.
     *
     * @param id its id; empty: the server makes one up
     * @return the context
     */
    public Context create(String id) {
        return create(id, NewContext.PLAIN, new Changes());
    }

    /**
     * Creates a context.
     *
     * @param id its id; empty: the server makes one up
     * @param properties how it begins
     * @param first the first steps, without conditions
     * @return the context
     */
    public Context create(String id, NewContext properties, Changes first) {
        return context(Wait.join(EntryWrites.create(target.sameWrite(id), properties, first)).id());
    }

    /**
     * Lists contexts in the order of their ids, page after page as they are read.
     *
     * @param query which contexts
     * @return the contexts
     */
    public Iterable<ContextInfo> contexts(ContextQuery query) {
        return () -> Source.iterator(ServerCalls.contexts(target, query));
    }

    /**
     * Gets up to 1,000 contexts with their entries in one call. What is wrong with one is told
     * there, and the others are read.
     *
     * @param ids which contexts
     * @return what became of each, in the same order
     */
    public List<Result<Snapshot>> snapshots(List<String> ids) {
        return Wait.join(ServerCalls.snapshots(target, ids));
    }

    /**
     * Changes up to 1,000 contexts as one change: all of it, or nothing.
     *
     * @param changes what is done to each; no context twice
     * @return what became of each, in the same order
     */
    public List<Written> updateAll(List<Change> changes) {
        return Wait.join(ServerCalls.updateAll(target, changes));
    }

    /**
     * Lists the namespaces that hold anything, by name.
     *
     * @return the namespaces
     */
    public Iterable<NamespaceInfo> namespaces() {
        return () ->
                Source.iterator(ServerCalls.namespaces(target.core(), target.timeoutNanos()));
    }

    /**
     * What the server is. It is asked once, and what it said is kept.
     *
     * @return version, log, limits and features
     */
    public ServerInfo serverInfo() {
        return Wait.join(ServerCalls.info(target.core(), target.timeoutNanos(), false));
    }

    /**
     * Asks the server again what it is.
     *
     * @return version, log, limits and features
     */
    public ServerInfo refreshServerInfo() {
        return Wait.join(ServerCalls.info(target.core(), target.timeoutNanos(), true));
    }

    /**
     * Adds up what models cost in the namespace, whether or not its contexts are still there.
     *
     * @return one total for each provider, model, mode and currency
     */
    public List<UsageTotal> usage() {
        return Wait.join(HistoryCalls.usage(target));
    }

    /**
     * Lists the live sessions of the namespace, oldest first.
     *
     * @param owner only sessions of this owner; empty: all
     * @return the sessions
     */
    public Iterable<SessionInfo> sessions(String owner) {
        return () -> Source.iterator(SessionCalls.list(target, owner));
    }

    /**
     * Gets what the server knows of any session.
     *
     * @param sessionId the session
     * @return that
     */
    public SessionInfo sessionInfo(String sessionId) {
        return Wait.join(SessionCalls.info(target, sessionId));
    }

    /**
     * Ends any session. One that is not there is no error.
     *
     * @param sessionId the session
     */
    public void endSession(String sessionId) {
        Wait.join(SessionCalls.end(target, sessionId));
    }

    /**
     * Lists the recovery points of many contexts.
     *
     * @param idPrefix only of contexts whose ids begin with it; empty: of all
     * @param query which points, and what of them
     * @return the points
     */
    public Iterable<RecoveryPoint> points(String idPrefix, PointQuery query) {
        return () -> Source.iterator(PointCalls.list(target, idPrefix, query));
    }

    /**
     * Drops recovery points of many contexts. Pinned points stay.
     *
     * @param idPrefix only of contexts whose ids begin with it; empty: of all
     * @param policy drop what no rule of it keeps
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public Pruned prunePoints(String idPrefix, RetentionPolicy policy, boolean dryRun) {
        return Wait.join(PointCalls.prune(target, idPrefix, Map.of(), policy, dryRun));
    }

    /**
     * Drops recovery points with labels, of many contexts. Pinned points stay.
     *
     * @param idPrefix only of contexts whose ids begin with it; empty: of all
     * @param metadata the labels, all of them
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public Pruned prunePointsLabelled(
            String idPrefix, Map<String, String> metadata, boolean dryRun) {
        return Wait.join(PointCalls.prune(target, idPrefix, metadata, null, dryRun));
    }

    /**
     * Begins a session: the presence of this program, which renews itself until it is closed.
     *
     * @param session how it begins
     * @return the session
     */
    public Session session(NewSession session) {
        return new Session(Wait.join(SessionCalls.start(target, session)));
    }

    /**
     * Tells what happens to contexts and sessions of the namespace, in order. Waits until the
     * server has begun to tell, for at most the client's timeout.
     *
     * @param query which events, and where it begins
     * @return the subscription
     */
    public Subscription subscribe(EventQuery query) {
        return new Subscription(target, query);
    }

    /**
     * Keeps contexts in memory as the server has them.
     *
     * @param query which contexts, and which of their entries; it begins with a snapshot
     * @return the view, which fills itself
     */
    public View view(EventQuery query) {
        return new View(target, query);
    }

    /**
     * Ends all calls with {@link ClientClosedException}, closes the subscriptions, and stops
     * renewing the sessions, which end by themselves. Closing twice is allowed.
     */
    @Override
    public void close() {
        target.core().close();
    }
}
