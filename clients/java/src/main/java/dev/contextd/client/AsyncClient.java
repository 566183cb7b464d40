package dev.contextd.client;

import java.time.Duration;
import java.util.List;
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
        Names.namespace("namespace", name);
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
        return EntryCalls.create(target.other(id), properties, first)
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

    /** See {@link Client#close}. */
    @Override
    public void close() {
        target.core().close();
    }
}
