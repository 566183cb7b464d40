package dev.contextd.client;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

/**
 * A server, and the namespace that is worked in, with futures: see {@link Client}, whose methods
 * these are.
 *
 * <p>Futures are completed by the network's own thread: what follows on one must not block, or
 * goes to an executor ({@code thenApplyAsync}). A blocking call there is refused. Cancelling a
 * future cancels its call.
 */
public final class AsyncClient implements AutoCloseable {
    private final Target target;

    AsyncClient(Core core, String namespace, long timeoutNanos) {
        target = new Target(core, namespace, "", timeoutNanos);
    }

    private AsyncClient(Target target) {
        this.target = target;
    }

    /**
     * See {@link Client#withNamespace}.
     *
     * @param name the namespace
     * @return the client
     */
    public AsyncClient withNamespace(String name) {
        return new AsyncClient(target.core(), name, target.timeoutNanos());
    }

    /**
     * See {@link Client#withTimeout}.
     *
     * @param timeout above 0
     * @return the client
     */
    public AsyncClient withTimeout(Duration timeout) {
        return new AsyncClient(target.timeout(timeout));
    }

    /**
     * The same client, for one write with a request id of the program's own: a {@link #create} or
     * {@link #updateAll}, which may be repeated with it. See {@link Context#withRequestId}.
     *
     * @param requestId at most 128 bytes, made to be unique
     * @return the client
     */
    public AsyncClient withRequestId(String requestId) {
        return new AsyncClient(target.requestId(requestId));
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
     * See {@link Client#context}.
     *
     * @param id the context
     * @return the context
     */
    public AsyncContext context(String id) {
        return new AsyncContext(target.other(id));
    }

    /**
     * See {@link Client#create(String)}.
     *
     * @param id its id; empty: the server makes one up
     * @return the context
     */
    public CompletableFuture<AsyncContext> create(String id) {
        return create(id, NewContext.PLAIN, new Changes());
    }

    /**
     * See {@link Client#create(String, NewContext, Changes)}.
     *
     * @param id its id; empty: the server makes one up
     * @param properties how it begins
     * @param first the first steps
     * @return the context
     */
    public CompletableFuture<AsyncContext> create(
            String id, NewContext properties, Changes first) {
        return EntryWrites.create(target.sameWrite(id), properties, first)
                .map(created -> context(created.id()));
    }

    /**
     * See {@link Client#contexts}.
     *
     * @param query which contexts
     * @return the contexts
     */
    public Flow.Publisher<ContextInfo> contexts(ContextQuery query) {
        return new SourcePublisher<>(
                () -> ServerCalls.contexts(target, query), target.core().executor);
    }

    /**
     * See {@link Client#snapshots}.
     *
     * @param ids which contexts
     * @return what became of each, in the same order
     */
    public CompletableFuture<List<Result<Snapshot>>> snapshots(List<String> ids) {
        return ServerCalls.snapshots(target, ids);
    }

    /**
     * See {@link Client#updateAll}.
     *
     * @param changes what is done to each
     * @return what became of each, in the same order
     */
    public CompletableFuture<List<Written>> updateAll(List<Change> changes) {
        return ServerCalls.updateAll(target, changes);
    }

    /**
     * See {@link Client#namespaces}.
     *
     * @return the namespaces
     */
    public Flow.Publisher<NamespaceInfo> namespaces() {
        return new SourcePublisher<>(
                () -> ServerCalls.namespaces(target.core(), target.timeoutNanos()),
                target.core().executor);
    }

    /**
     * See {@link Client#serverInfo}.
     *
     * @return version, log, limits and features
     */
    public CompletableFuture<ServerInfo> serverInfo() {
        return ServerCalls.info(target.core(), target.timeoutNanos(), false);
    }

    /**
     * See {@link Client#refreshServerInfo}.
     *
     * @return version, log, limits and features
     */
    public CompletableFuture<ServerInfo> refreshServerInfo() {
        return ServerCalls.info(target.core(), target.timeoutNanos(), true);
    }

    /**
     * See {@link Client#usage()}.
     *
     * @return one total for each provider, model, mode and currency
     */
    public CompletableFuture<List<UsageTotal>> usage() {
        return HistoryCalls.usage(target);
    }

    /**
     * See {@link Client#sessions(String)}.
     *
     * @param owner only sessions of this owner; empty: all
     * @return the sessions
     */
    public Flow.Publisher<SessionInfo> sessions(String owner) {
        return
                new SourcePublisher<>(() -> SessionCalls.list(
                        target, owner), target.core().executor);
    }

    /**
     * See {@link Client#sessionInfo}.
     *
     * @param sessionId the session
     * @return that
     */
    public CompletableFuture<SessionInfo> sessionInfo(String sessionId) {
        return SessionCalls.info(target, sessionId);
    }

    /**
     * See {@link Client#endSession(String)}.
     *
     * @param sessionId the session
     * @return nothing
     */
    public CompletableFuture<Void> endSession(String sessionId) {
        return SessionCalls.end(target, sessionId);
    }

    /**
     * See {@link Client#points(String, PointQuery)}.
     *
     * @param idPrefix only of contexts whose ids begin with it; empty: of all
     * @param query which points, and what of them
     * @return the points
     */
    public Flow.Publisher<RecoveryPoint> points(String idPrefix, PointQuery query) {
        return new SourcePublisher<>(() -> PointCalls.list(
                        target, idPrefix, query), target.core().executor);
    }

    /**
     * See {@link Client#prunePoints(String, RetentionPolicy, boolean)}.
     *
     * @param idPrefix only of contexts whose ids begin with it; empty: of all
     * @param policy drop what no rule of it keeps
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public CompletableFuture<Pruned> prunePoints(
            String idPrefix, RetentionPolicy policy, boolean dryRun) {
        return PointCalls.prune(target, idPrefix, Map.of(), policy, dryRun);
    }

    /**
     * See {@link Client#prunePointsLabelled(String, Map, boolean)}.
     *
     * @param idPrefix only of contexts whose ids begin with it; empty: of all
     * @param metadata the labels, all of them
     * @param dryRun only tell what would be
     * @return how many are gone
     */
    public CompletableFuture<Pruned> prunePointsLabelled(
            String idPrefix, Map<String, String> metadata, boolean dryRun) {
        return PointCalls.prune(target, idPrefix, metadata, null, dryRun);
    }

    /**
     * See {@link Client#session}.
     *
     * @param session how it begins
     * @return the session
     */
    public CompletableFuture<AsyncSession> session(NewSession session) {
        return SessionCalls.start(target, session).map(AsyncSession::new);
    }

    /**
     * See {@link Client#subscribe}. Each subscriber has a subscription of its own.
     *
     * @param query which events, and where it begins
     * @return the events
     */
    public Flow.Publisher<Event> subscribe(EventQuery query) {
        return new SourcePublisher<>(
                () ->
                        Source.filtered(
                                new EventSource(target, query),
                                event -> query.withPositions() || !event.type().isPosition()),
                target.core().executor);
    }

    /**
     * See {@link Client#view}.
     *
     * @param query which contexts, and which of their entries
     * @return the view
     */
    public View view(EventQuery query) {
        return new View(target, query);
    }

    /** See {@link Client#close}. */
    @Override
    public void close() {
        target.core().close();
    }
}
